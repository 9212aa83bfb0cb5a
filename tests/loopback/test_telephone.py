"""An operator at a telephone has all of a shift: duty, pauses, words at the ear, the hold button, wrap-up, codes in a call."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from audio.prompts import phrases
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import legs_of
from tests.loopback.phone import Phone
from tests.loopback.prompt_files import tone_file
from tests.loopback.wire_desk import Caller, Wire, WireService, wire
from tests.peers.baresip import Baresip
from tests.peers.linphone import Linphone
from tests.peers.ports import Ports
from tests.peers.tones import heard

pytestmark = pytest.mark.real

PLACE_HZ, HOLD_HZ, ACCEPTED_HZ, REFUSED_HZ = 2_100.0, 1_900.0, 1_700.0, 2_500.0
OPERATOR_HZ, COLLEAGUE_HZ, POLICE_HZ = 1_000.0, 1_200.0, 1_500.0
WORDS = {"hold": HOLD_HZ, "accepted": ACCEPTED_HZ, "refused": REFUSED_HZ, **{f"place-p{n}": PLACE_HZ for n in range(1, 8)}}
CODES = """\
"*2" = "pause"
"*01" = "ask:op7"
"*02" = "join"
"*03" = "hand-over"
"*04" = "transfer:op7"
"*05" = "mute"
"*06" = "leave"
"*9" = "police:police"
"""


class Telephones(WireService):
    """Offers ring for three seconds, and who lets two of them ring out is paused; words are tones, but those of waiting."""

    def __init__(self, directory: Path, ports: Ports) -> None:
        super().__init__(directory, ports)
        plan = directory / "plan.toml"
        text = plan.read_text().replace('ring_timeout = "15s"', 'ring_timeout = "3s"\nauto_pause_after = 2')
        plan.write_text(text.replace('"*9" = "police:police"\n', CODES))
        folder = self.data / "prompts" / "en"
        folder.mkdir(parents=True, exist_ok=True)
        for name in {phrase.name for phrase in phrases()} | set(WORDS):
            tone_file(folder / f"{name}.wav", WORDS.get(name, 0.0), 60.0 if name == "hold" else 1.0 if name in WORDS else 0.02)

    def states(self, operator: str) -> list[str]:
        """What an operator was, in order."""
        return [fact["new"] for fact in self.journal("OperatorMoved") if fact["operator"] == operator]

    def codes(self, operator: str) -> list[tuple[str, bool]]:
        """The codes that somebody used, and whether they were accepted."""
        return [(fact["code"], fact["accepted"]) for fact in self.journal("CodeUsed") if fact["operator"] == operator]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telephones]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, Telephones(tmp_path_factory.mktemp("telephones"), ports).serving() as service:
        yield service


async def _telephone(people: Wire, peers: Peers, user: str, answer: str = "auto", hz: float = OPERATOR_HZ) -> Baresip:
    """A baresip of an operator, on duty."""
    before = len(people.service.journal("SeatChanged"))
    options = {"password": f"secret-{user}", "server": people.service.server, "hz": hz, "answer": answer}
    telephone = peers.baresip(user, **options).start()
    await eventually(lambda: people.seated(user, before), 10)
    return telephone


async def _press(operator: Baresip, digits: str, service: Telephones, user: str) -> None:
    """Keys one after the other, as fingers press them: each is known before the next."""
    leg = legs_of(service, user)[-1]
    for digit in digits:
        had = len([fact for fact in service.journal("DigitHeard") if fact["leg"] == leg])
        operator.digits(digit)
        await eventually(lambda had=had: len([f for f in service.journal("DigitHeard") if f["leg"] == leg]) > had, 5)


async def _over(point: Caller, call: object, *telephones: Baresip) -> None:
    assert await point.bye(call) == 200  # type: ignore[arg-type]
    for telephone in telephones:
        await eventually(telephone.idle, 8)
        telephone.stop()


async def test_a_shift_by_codes_and_a_word_that_says_whether_they_were_accepted(service: Telephones, peers: Peers) -> None:
    """Called as numbers: pause, which no call reaches, and available again; an unknown code is refused."""
    async with wire(service) as people:
        operator = await _telephone(people, peers, "op1")
        for code, state, hz in (
            ("*2", "paused", ACCEPTED_HZ),
            ("*1", "available", ACCEPTED_HZ),
            ("*77", "available", REFUSED_HZ),
        ):
            calls = len(operator.received_wavs())
            operator.dial(f"sip:{code}@127.0.0.1:{service.sip_port}")
            await eventually(lambda state=state: service.states("op1")[-1] == state, 5)
            await eventually(lambda calls=calls: len(operator.received_wavs()) > calls, 5)
            await eventually(lambda hz=hz: heard(operator.received_wav(), hz), 5)
            await eventually(operator.idle, 8)
        assert service.codes("op1")[-3:] == [("*2", True), ("*1", True), ("*77", False)]
        operator.stop()


async def test_who_lets_offers_ring_out_is_paused_but_never_the_last(service: Telephones, peers: Peers) -> None:
    """Two telephones that nobody answers: one is paused after two offers, the other goes on being rung and is alarmed about."""
    async with wire(service) as people:
        telephones = [await _telephone(people, peers, user, answer="manual") for user in ("op2", "op3")]
        point = await people.caller("p1")
        call = await point.press()
        paused = lambda: [user for user in ("op2", "op3") if service.states(user)[-1] == "paused"]  # noqa: E731
        await eventually(lambda: len(paused()) == 1, 15)
        last = "op3" if paused() == ["op2"] else "op2"
        rang = len(service.journal("OfferMade"))
        await eventually(lambda: len(service.journal("OfferMade")) >= rang + 2, 12)
        assert paused() != [last] and len(paused()) == 1
        assert any(fact["key"] == f"no-answer:{last}" for fact in service.journal("AlarmRaised"))
        answering = telephones[0] if last == "op2" else telephones[1]
        await eventually(lambda: "INCOMING" in answering.command("listcalls"), 5)
        answering.answer()
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await _over(point, call, *telephones)


async def test_the_place_is_said_to_the_operator_alone(service: Telephones, peers: Peers) -> None:
    async with wire(service) as people:
        operator = await _telephone(people, peers, "op4")
        point = await people.caller("p1")
        call = await point.talk()
        await eventually(lambda: heard(operator.received_wav(), PLACE_HZ), 5)
        await eventually(lambda: point.hears(OPERATOR_HZ), 5)
        assert point.sound.hears(PLACE_HZ, 3.0) < 0.005
        await _over(point, call, operator)


@pytest.mark.parametrize("kind", ["baresip", "linphone"])
async def test_the_hold_button_plays_the_reassurance_to_the_caller(service: Telephones, peers: Peers, kind: str) -> None:
    async with wire(service) as people:
        user = "op5" if kind == "baresip" else "op6"
        before = len(service.journal("SeatChanged"))
        make = peers.baresip if kind == "baresip" else peers.linphone
        operator: Baresip | Linphone = make(
            user, password=f"secret-{user}", server=service.server, hz=OPERATOR_HZ, answer="auto"
        ).start()
        await eventually(lambda: people.seated(user, before), 10)
        point = await people.caller("p1")
        call = await point.talk()
        await eventually(lambda: point.hears(OPERATOR_HZ), 5)
        button = operator.command if isinstance(operator, Baresip) else operator.order
        button("hold" if isinstance(operator, Baresip) else "pause")
        await eventually(lambda: point.hears(HOLD_HZ) and not point.hears(OPERATOR_HZ), 5)
        assert service.journal("CallHeld")[-1]["by"] == user and service.journal("CallHeld")[-1]["held"]
        button("resume")
        await eventually(lambda: point.hears(OPERATOR_HZ) and not point.hears(HOLD_HZ), 5)
        assert await point.bye(call) == 200
        await eventually(operator.idle if isinstance(operator, Baresip) else operator.ended, 8)
        operator.stop()


async def test_a_wrap_up_is_ended_by_code_and_an_outcome_given_by_number(service: Telephones, peers: Peers) -> None:
    """The telephone hung up: `*51` closes the incident; the next wrap-up is cut short by `*1`, and its incident is for review."""
    async with wire(service) as people:
        operator = await _telephone(people, peers, "op1")
        for code, state in (("*51", "closed"), ("*1", "unreviewed")):
            point = await people.caller("p6", host="127.0.0.1" if code == "*51" else "127.0.0.5")
            call = await point.talk()
            await eventually(lambda point=point: point.hears(OPERATOR_HZ), 5)
            operator.hangup()
            bye = await point.request("BYE", within=5)
            point.reply(bye, 200, "OK")
            await eventually(lambda: service.states("op1")[-1] == "wrap-up", 5)
            await eventually(operator.idle, 5)
            operator.dial(f"sip:{code}@127.0.0.1:{service.sip_port}")
            await eventually(lambda: service.states("op1")[-1] == "available", 5)
            await eventually(lambda state=state: service.journal("IncidentMoved")[-1]["new"] == state, 3)
            await eventually(operator.idle, 8)
            assert call is not None
        operator.stop()


async def test_a_colleague_is_asked_joins_and_has_the_call_all_by_keys(service: Telephones, peers: Peers) -> None:
    """`*01`: the two speak while the caller is held; `*02`: all three; `*03`: the colleague alone. Each is accepted in words."""
    async with wire(service) as people:
        operator = await _telephone(people, peers, "op2")
        point = await people.caller("p1")
        call = await point.talk()
        await eventually(lambda: point.hears(OPERATOR_HZ), 5)
        colleague = await people.operator(7, hz=COLLEAGUE_HZ)
        await _press(operator, "*01", service, "op2")
        await eventually(lambda: point.hears(HOLD_HZ) and colleague.hears(OPERATOR_HZ) and not colleague.hears(point.hz), 5)
        await eventually(lambda: heard(operator.received_wav(), COLLEAGUE_HZ), 5)
        await eventually(lambda: heard(operator.received_wav(), ACCEPTED_HZ), 5)
        assert point.sound.hears(ACCEPTED_HZ, 3.0) < 0.005
        await _press(operator, "*02", service, "op2")
        await eventually(lambda: point.hears(COLLEAGUE_HZ) and point.hears(OPERATOR_HZ) and colleague.hears(point.hz), 5)
        await _press(operator, "*03", service, "op2")
        await eventually(operator.idle, 5)
        await eventually(lambda: point.hears(COLLEAGUE_HZ) and not point.hears(OPERATOR_HZ) and colleague.hears(point.hz), 5)
        assert service.codes("op2")[-3:] == [("*01", True), ("*02", True), ("*03", True)]
        await _over(point, call, operator)


async def test_a_call_is_given_away_by_keys(service: Telephones, peers: Peers) -> None:
    """Refused in words where nobody is there to take it; then the colleague alone rings, and has the call."""
    async with wire(service) as people:
        operator = await _telephone(people, peers, "op3")
        point = await people.caller("p1")
        call = await point.talk()
        await eventually(lambda: point.hears(OPERATOR_HZ), 5)
        await _press(operator, "*04", service, "op3")
        await eventually(lambda: heard(operator.received_wav(), REFUSED_HZ), 5)
        assert operator.in_call() and point.hears(OPERATOR_HZ)
        colleague = await people.operator(7, hz=COLLEAGUE_HZ)
        await _press(operator, "*04", service, "op3")
        await eventually(lambda: point.hears(COLLEAGUE_HZ) and colleague.hears(point.hz), 8)
        assert service.codes("op3")[-2:] == [("*04", False), ("*04", True)]
        await _over(point, call, operator)


async def test_the_police_are_muted_and_the_call_is_left_to_them_by_keys(service: Telephones, peers: Peers) -> None:
    async with wire(service) as people:
        police = await Phone("police", ("127.0.0.1", 9), POLICE_HZ, port=service.police).open()
        people.phones.append(police)
        operator = await _telephone(people, peers, "op4")
        point = await people.caller("p1")
        call = await point.talk()
        await eventually(lambda: point.hears(OPERATOR_HZ), 5)
        await _press(operator, "*9", service, "op4")
        await eventually(lambda: police.hears(point.hz) and point.hears(POLICE_HZ), 8)
        await _press(operator, "*05", service, "op4")
        await eventually(lambda: police.hears(point.hz) and not point.hears(POLICE_HZ), 5)
        await _press(operator, "*05", service, "op4")
        await eventually(lambda: point.hears(POLICE_HZ), 5)
        await _press(operator, "*06", service, "op4")
        await eventually(operator.idle, 5)
        await eventually(lambda: police.hears(point.hz) and not police.hears(OPERATOR_HZ) and point.hears(POLICE_HZ), 5)
        await _over(point, call, operator)
        await eventually(lambda: police.call.state == "ended", 5)
