"""Real telephones on the wire: their buttons, their digits, their digest, and TCP connections that close in the call."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import captured, legs_of, now_s
from tests.loopback.phone import Phone
from tests.loopback.wire_desk import Caller, Wire, WireService, wire
from tests.peers.baresip import Baresip
from tests.peers.linphone import Linphone
from tests.peers.ports import Ports
from tests.peers.sipp_point import press, request, scenario
from tests.peers.tones import heard

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, WireService(tmp_path_factory.mktemp("wire"), ports).serving() as service:
        yield service


async def _on_duty(people: Wire, peers: Peers, user: str, kind: str = "baresip") -> Baresip | Linphone:
    """A telephone that answers by itself with a tone of 1000 Hz."""
    before = len(people.service.journal("SeatChanged"))
    make = peers.baresip if kind == "baresip" else peers.linphone
    telephone = make(user, password=f"secret-{user}", server=people.service.server, hz=1000.0, answer="auto").start()
    await eventually(lambda: people.seated(user, before), 10)
    return telephone


def _digits(service: WireService, leg: str) -> list[str]:
    return [fact["digit"] for fact in service.journal("DigitHeard") if fact["leg"] == leg]


# ---- buttons -------------------------------------------------------------------------------------------------


async def test_the_hold_button_of_an_operators_phone(service: WireService, peers: Peers) -> None:
    """Held: the point does not hear the operator, what the point says is recorded on; resumed: it hears the operator again."""
    async with wire(service) as people:
        operator = await _on_duty(people, peers, "op2")
        point = await people.caller("p1")
        call = await point.talk()
        await eventually(lambda: point.hears(1000.0), 5)
        operator.command("hold")
        await eventually(lambda: "on hold" in operator.command("listcalls"), 5)
        await eventually(lambda: not point.hears(1000.0), 5)
        leg = legs_of(service, "p1")[-1]
        recorded = len(captured(service.data, leg))
        await eventually(lambda: len(captured(service.data, leg)) > recorded + 10, 3)
        assert operator.in_call() and not point.count("BYE")
        operator.command("resume")
        await eventually(lambda: point.hears(1000.0), 5)
        assert await point.bye(call) == 200
        await eventually(operator.idle, 5)
        operator.stop()


# ---- digits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["baresip", "linphone"])
async def test_digits_of_a_phone_bring_the_police_and_close_the_incident(service: WireService, peers: Peers, kind: str) -> None:
    """RFC 4733: `*9` in the conversation, `1` in the wrap-up; each digit is journalled once."""
    async with wire(service) as people:
        police = await Phone("police", ("127.0.0.1", 9), 1500.0, port=service.police).open()
        people.phones.append(police)
        user = "op3" if kind == "baresip" else "op4"
        operator = await _on_duty(people, peers, user, kind)
        point = await people.caller("p6")
        call = await point.talk()
        await eventually(lambda: point.hears(1000.0), 5)
        leg = legs_of(service, user)[-1]
        for digit, had in (("*", ["*"]), ("9", ["*", "9"])):
            operator.digits(digit)
            await eventually(lambda had=had: _digits(service, leg) == had, 5)
        await eventually(lambda: police.hears(point.hz) and police.hears(1000.0) and point.hears(1500.0), 5)
        assert await point.bye(call) == 200
        await eventually(lambda: service.incidents("wrap-up"), 5)
        await eventually(lambda: police.call.state == "ended", 5)
        operator.digits("1")
        await eventually(lambda: [f["by"] for f in service.journal("OutcomeRecorded")][-1:] == [user], 5)
        assert service.journal("OutcomeRecorded")[-1]["outcome"] == "safe"
        assert _digits(service, leg) == ["*", "9", "1"]
        await eventually(operator.idle if isinstance(operator, Baresip) else operator.ended, 5)
        operator.stop()


def _scenario() -> str:
    steps = [press()]
    for cseq, digit in ((3, "4"), (4, "#")):
        steps += [request("INFO", cseq, f"Signal={digit}\nDuration=160\n"), '<recv response="200"/>']
    return scenario("digits by INFO", *steps, request("BYE", 5), '<recv response="200"/>')


async def test_digits_by_info_of_a_sipp_point(service: WireService, peers: Peers) -> None:
    """application/dtmf-relay: each digit once, in order; then its BYE ends the call."""
    async with wire(service) as people:
        operator = await people.operator(1)
        users = ["p3;[authentication username=p3 password=secret-p3]"]
        sipp = peers.sipp("digits", _scenario(), service.server, users=users, arguments=["-auth_uri", "help@127.0.0.1"])
        messages = await sipp.run()
        assert "BYE" in messages
        leg = legs_of(service, "p3")[-1]
        await eventually(lambda: _digits(service, leg) == ["4", "#"], 3)
        await eventually(lambda: operator.call.state == "ended", 5)


# ---- digest by SHA-256 -----------------------------------------------------------------------------------------


async def test_accounts_of_sha_256_register_and_press(service: WireService, peers: Peers) -> None:
    """Two linphones whose accounts have SHA-256 alone, one as point and one as operator: registered, called, heard."""
    async with wire(service) as people:
        operator = await _on_duty(people, peers, "op7", "linphone")
        point = peers.linphone("p7", password="secret-p7", server=service.server, hz=620.0).start()
        await eventually(point.registered, 10)
        point.dial(service.help)
        await eventually(lambda: point.established() and operator.established(), 8)
        await eventually(lambda: heard(operator.received_wav(), 620.0), 5)
        await eventually(lambda: heard(point.received_wav(), 1000.0), 5)
        point.hangup()
        await eventually(lambda: point.ended() and operator.ended(), 5)
        operator.stop()
        point.stop()


async def test_a_wrong_password_is_401_and_never_a_worker(service: WireService) -> None:
    """MD5 and SHA-256: not registered, not called, nothing journalled of an incident; the right one serves at once."""
    async with wire(service) as people:
        opened = len(service.journal("IncidentOpened"))
        for user in ("p2", "p7"):
            stranger = await people.caller(user, host="127.0.0.8")
            stranger.password = "wrong"
            assert (await stranger.register()).status == 401
            await stranger.invite(body=stranger.sdp())
            assert (await stranger.final("INVITE")).status == 401
        assert (len(service.journal("IncidentOpened")), service.workers(), service.bound_ports()) == (opened, [], [])
        owner = await people.caller("p7")
        assert (await owner.register()).status == 200
        assert (await owner.register(expires=0)).status == 200


# ---- TCP -------------------------------------------------------------------------------------------------------


@dataclass
class TcpCaller(Caller):
    """A device that connects to the service and listens at its Contact too; `again` connects anew."""

    tcp: bool = True
    listening: int = 0
    accepted: int = 0

    async def open(self) -> "TcpCaller":
        """Listen, then connect."""
        self.listener = await asyncio.start_server(self._taken, self.host, 0)
        self.listening = self.listener.sockets[0].getsockname()[1]
        await super().open()
        return self

    @property
    def contact(self) -> str:
        """Where it listens."""
        return f"<sip:{self.user}@{self.host}:{self.listening};transport=tcp>"

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self.writer = writer
        await self._read(reader)
        writer.close()

    async def cut(self) -> None:
        """Its connection closes."""
        self.writer.close()
        await asyncio.gather(self.task, return_exceptions=True)

    async def again(self) -> None:
        """Another connection, from another port."""
        reader, self.writer = await asyncio.open_connection(*self.server, local_addr=(self.host, 0))
        self.task = asyncio.create_task(self._read(reader))

    async def close(self) -> None:
        """Give everything back."""
        self.listener.close()
        await super().close()
        await self.listener.wait_closed()


async def _tcp_talk(people: Wire, operator: Phone) -> tuple[TcpCaller, object]:
    point = TcpCaller("p4", "secret-p4", people.service.server, domain="127.0.0.1")
    people.callers.append(await point.open())
    call = await point.talk()
    await eventually(lambda: point.hears(operator.hz) and operator.hears(point.hz), 5)
    await point.cut()
    at = now_s()
    await eventually(lambda: now_s() - at > 0.3, 2)
    assert point.hears(operator.hz) and operator.hears(point.hz), "sound needs no connection"
    return point, call


async def test_a_bye_over_a_new_connection_ends_the_call(service: WireService) -> None:
    """The point's connection closed in the call; it connects again from another port and hangs up."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point, call = await _tcp_talk(people, operator)
        await point.again()
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 3)


async def test_our_bye_goes_to_the_contact_when_the_connection_is_closed(service: WireService) -> None:
    """The operator hangs up: the service connects to the point's Contact (RFC 3261 18.1.1)."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point, _ = await _tcp_talk(people, operator)
        await operator.call.bye()
        bye = await point.request("BYE", within=3)
        assert point.accepted == 1
        point.reply(bye, 200, "OK")
        await eventually(lambda: not service.live_legs(), 2)
