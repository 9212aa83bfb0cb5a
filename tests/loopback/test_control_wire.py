"""The awkward wire in and around live control: lossy lines, crossing answers, moved addresses, lines that no longer know us.

One service serves the whole file; each test ends with a look for legs, workers, RTP ports and operators that it left behind.
What a single call's dialog may do is tested in `test_wire`.
"""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from callserver.control import CommandRefused, Verb
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import legs_of, now_s
from tests.loopback.matrix_scene import MatrixService, scene
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import RtpPeer
from tests.loopback.wire_desk import both_hear, wire
from tests.peers.ports import Ports
from tests.peers.sipp_point import press, request, scenario

pytestmark = pytest.mark.real

LOSSY_CALLS = 10


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports:
        service = MatrixService(tmp_path_factory.mktemp("wire"), ports)
        service.write_prompts()
        with service.serving():
            yield service


def _pressed(service: MatrixService) -> list[str]:
    """The legs on which p3 pressed."""
    return [fact["leg"] for fact in service.journal("LegCreated") if fact["party"] == "p3" and fact["inbound"]]


def _ends(service: MatrixService, *legs: str) -> list[str]:
    """How these legs ended."""
    moved = service.journal("LegMoved")
    return [fact["termination"]["kind"] for fact in moved if fact["leg"] in legs and fact["termination"]]


# ---- lossy lines ------------------------------------------------------------------------------------------------


@pytest.mark.long
async def test_ten_calls_over_a_line_that_loses_messages_leave_nothing(service: MatrixService, peers: Peers) -> None:
    """INVITE, 200, ACK and BYE are lost at random and repeated: each press is taken once, each line ends once.

    The device sends no sound: where its BYE is lost for long the line was given up meanwhile, and the next press joins.
    """
    async with wire(service) as people:
        await people.operator(1)
        taken = len(_pressed(service))
        text = scenario("a lossy line", press(), '<pause milliseconds="300"/>', request("BYE", 3), '<recv response="200"/>')
        sipp = peers.sipp(
            "lossy",
            text,
            service.server,
            users=["p3;[authentication username=p3 password=secret-p3]"],
            arguments=["-auth_uri", "help@127.0.0.1", "-lost", "10", "-l", "1"],
            calls=LOSSY_CALLS,
            within_s=90,
        )
        await sipp.run()
        legs = _pressed(service)[taken:]
        assert len(legs) == LOSSY_CALLS
        assert len(_ends(service, *legs)) == LOSSY_CALLS and set(_ends(service, *legs)) <= {"normal", "lost"}


async def test_a_brought_seat_whose_200_is_repeated_is_acknowledged_each_time(service: MatrixService) -> None:
    """Our ACK was lost: the colleague's 200 comes again and again and gets its ACK again; it is one leg in one shape."""
    async with scene(service) as it:
        await it.talk()
        colleague = await it.seat("colleague")
        await it.ask(Verb.BRING, operator=colleague.user, mode="join")
        await eventually(lambda: colleague.calls and colleague.call.state == "up" and "ack" in colleague.call.t, 5)
        acks, dialled = _acks(colleague), len(legs_of(service, colleague.user))
        answer = colleague.ua.server[colleague.ua.server_key(colleague.call.invite)]
        for more in (1, 2):
            colleague.ua.send(*answer)
            await eventually(lambda more=more: _acks(colleague) == acks + more, 3)
        assert len(legs_of(service, colleague.user)) == dialled
        await it.hear(
            {"point": _set("operator colleague"), "operator": _set("point colleague"), "colleague": _set("point operator")}
        )


def _acks(phone: Phone) -> int:
    return sum(line.startswith("ACK") for _, way, line in phone.sip if way == "<")


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


# ---- what crosses -------------------------------------------------------------------------------------------------


async def test_a_seat_that_answers_while_its_call_is_hung_up_is_acknowledged_and_hung_up(service: MatrixService) -> None:
    """Its 200 and our CANCEL cross: ACK and BYE; the colleague is free, and nobody was put into a talk."""
    async with scene(service) as it:
        await it.talk()
        colleague = await it.seat("colleague", None)
        await it.ask(Verb.BRING, operator=colleague.user, mode="whisper")
        await eventually(colleague.rang, 5)
        hanging_up = asyncio.create_task(it.ask(Verb.HANG_UP))
        colleague.call.answer()
        await hanging_up
        await eventually(lambda: colleague.call.state == "ended" and "ack" in colleague.call.t, 5)
        await eventually(lambda: it.phones["point"].call.state == "ended", 5)


async def test_a_point_that_hangs_up_as_a_seat_is_dialled_ends_the_dialling(service: MatrixService) -> None:
    """BYE against BRING: whichever comes first, the colleague's seat does not ring on for a call that is over."""
    async with scene(service) as it:
        await it.talk()
        colleague = await it.seat("colleague", None)
        bye = asyncio.create_task(it.phones["point"].call.bye())
        with contextlib.suppress(CommandRefused):
            await it.ask(Verb.BRING, operator=colleague.user, mode="join")
        assert await bye == 200
        await eventually(lambda: not service.live_legs(), 5)


async def test_a_seat_that_hangs_up_as_it_is_handed_the_call_leaves_nobody_alone(service: MatrixService) -> None:
    """The colleague's BYE against TAKE-OVER: the point hears its operator again, or the call is over, hung up by who had it."""
    async with scene(service) as it:
        await it.with_colleague("join")
        colleague = it.phones["colleague"]
        colleague.answer_after_s = None
        bye = asyncio.create_task(colleague.call.bye())
        with contextlib.suppress(CommandRefused):
            await it.ask(Verb.TAKE_OVER, operator=colleague.user)
        assert await bye == 200
        point = it.phones["point"]
        await eventually(lambda: point.call.state == "ended" or point.hears(it.phones["operator"].hz), 5)


# ---- lines that move, and lines that are gone ---------------------------------------------------------------------


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
async def test_audio_moves_to_another_address_and_back(service: MatrixService, method: str) -> None:
    """A device with two addresses: its tone is taken from, and the operator's sent to, the one that it told last."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        first = point.sound
        other = RtpPeer(700.0, "PCMA", host="127.0.0.3")
        try:
            point.sound = other
            offer = point.sdp(version=5).replace("c=IN IP4 127.0.0.1", "c=IN IP4 127.0.0.3")
            point.in_dialog(call, method, offer)
            point.hear(await point.response(200, method))
            if method == "INVITE":
                point.in_dialog(call, "ACK")
            await eventually(lambda: point.hears(operator.hz) and operator.hears(700.0) and not operator.hears(440.0), 5)
            point.sound = first
            await point.offers(call, method)
            await eventually(lambda: point.hears(operator.hz) and operator.hears(440.0) and not operator.hears(700.0), 5)
        finally:
            point.sound = first
            other.close()
        assert await point.bye(call) == 200


async def test_offers_that_overlap_are_refused_or_answered_in_their_order(service: MatrixService) -> None:
    """A re-INVITE before the first INVITE's ACK is 491; of two that follow at once each is answered, and the last one counts."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.begun(call, 200)
        pressed = call.cseq
        point.in_dialog(call, "INVITE", point.sdp("inactive", version=2))
        assert (await point.response(491, "INVITE")).one("CSeq") == f"{call.cseq} INVITE"
        last, call.cseq = call.cseq, pressed
        point.in_dialog(call, "ACK")
        call.cseq = last
        for version, direction in ((3, "inactive"), (4, "sendrecv")):
            point.in_dialog(call, "INVITE", point.sdp(direction, version=version))
        wanted = {f"{call.cseq - 1} INVITE", f"{call.cseq} INVITE"}
        await eventually(lambda: wanted <= {got.one("CSeq") for got in point.inbox if got.status == 200}, 3)
        call.cseq -= 1
        point.in_dialog(call, "ACK")
        call.cseq += 1
        point.in_dialog(call, "ACK")
        await both_hear(point, operator)
        counted, at = point.oks(call), now_s()
        await eventually(lambda: now_s() - at > 1.2, 2)
        assert point.oks(call) == counted and point.count("BYE") == 0
        assert await point.bye(call) == 200


async def test_a_device_that_no_longer_knows_the_call_is_lost_and_called_back(service: MatrixService) -> None:
    """A restarted point: silent, and 481 to our question whether it is there. Its line is lost, not hung up: it is called."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p2")
        await point.register()
        call = await point.talk()
        await both_hear(point, operator)
        point.answer_probes = False
        point.sound.muted = True
        asked = await point.request("OPTIONS", within=8)
        while call.call_id not in asked.text:
            point.reply(asked, 200, "OK")
            asked = await point.request("OPTIONS", within=8)
        at = now_s()
        point.reply(asked, 481, "Call/Transaction Does Not Exist")
        point.answer_probes = True
        invite = await point.request("INVITE", within=5)
        assert now_s() - at < 3 and invite.one("Call-ID") != call.call_id
        assert _ends(service, legs_of(service, "p2")[-2]) == ["lost"] and operator.call.state == "up"
        point.reply(invite, 486, "Busy Here")
        await operator.call.bye()
        await point.register(expires=0)
