"""Messages that are lost, doubled or overtaken on their way: they are sent again, acted on once, and nothing stays behind.

One service serves the whole file; each test ends with a look for legs, workers, RTP ports and operators that it left behind.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.eventually import eventually
from tests.loopback.desk import legs_of, now_s
from tests.loopback.phone import Phone
from tests.loopback.wire_desk import Caller, Wire, WireService, both_hear, wire
from tests.peers.ports import Ports
from tests.sip.edge_peer import Call

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, WireService(tmp_path_factory.mktemp("wire"), ports).serving() as service:
        yield service


def lose(phone: Phone, start: str, count: int) -> list[str]:
    """The next `count` messages of a phone that begin so are lost; the list fills with them."""
    lost: list[str] = []
    send = phone.ua.send

    def sending(data: bytes, to: Any) -> None:
        line = data.split(b"\r\n", 1)[0].decode()
        if line.startswith(start) and len(lost) < count:
            lost.append(line)
        else:
            send(data, to)

    phone.ua.send = sending
    return lost


async def _talking(people: Wire) -> tuple[Caller, Call, Phone]:
    operator = await people.operator(1)
    point = await people.caller("p1")
    call = await point.talk()
    await both_hear(point, operator)
    return point, call, operator


def _ends(service: WireService, leg: str) -> list[str]:
    """How a leg ended, as often as it did."""
    return [fact["termination"]["kind"] for fact in service.journal("LegMoved") if fact["leg"] == leg and fact["termination"]]


# ---- answers that are lost ----------------------------------------------------------------------------------------


async def test_a_seats_200_that_is_lost_is_taken_when_it_comes_again(service: WireService) -> None:
    """Twice lost, a second and a half later it is there: one offer, one leg, and both hear each other."""
    async with wire(service) as people:
        operator = await people.operator(1)
        dialled = len(legs_of(service, operator.user))
        lost = lose(operator, "SIP/2.0 200", 2)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        assert len(lost) == 2 and operator.rang() == 1
        assert len(legs_of(service, operator.user)) == dialled + 1
        assert await point.bye(call) == 200


async def test_a_point_that_loses_our_200_gets_it_again_and_its_call_is_one(service: WireService) -> None:
    """The device that heard none repeats its INVITE too: the 200 comes again for it, and there is one incident."""
    async with wire(service) as people:
        operator = await people.operator(1)
        opened = len(service.journal("IncidentOpened"))
        point = await people.caller("p1")
        call = await point.press()
        await eventually(lambda: point.oks(call) >= 1, 5)
        point.send(next(text for text in reversed(point.sent) if text.startswith("INVITE")))
        await eventually(lambda: point.oks(call) >= 3, 4)
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await both_hear(point, operator)
        assert len(service.journal("IncidentOpened")) == opened + 1 and operator.rang() == 1
        assert await point.bye(call) == 200


async def test_our_bye_is_sent_again_until_it_is_answered(service: WireService) -> None:
    """The point loses it twice: it comes a third time, with the same number; the leg ends once."""
    async with wire(service) as people:
        point, _, operator = await _talking(people)
        leg = legs_of(service, "p1")[-1]
        await operator.call.bye()
        byes = [await point.request("BYE") for _ in range(3)]
        assert len({(bye.one("CSeq"), bye.one("Via")) for bye in byes}) == 1
        point.reply(byes[-1], 200, "OK")
        await eventually(lambda: _ends(service, leg) == ["normal"], 3)


async def test_a_device_that_never_answers_our_bye_holds_nothing(service: WireService) -> None:
    """Four seconds after it the leg, its worker and its ports are free, whatever the wire still does."""
    async with wire(service) as people:
        point, _, operator = await _talking(people)
        leg, at = legs_of(service, "p1")[-1], now_s()
        await operator.call.bye()
        await eventually(lambda: _ends(service, leg) and not service.left_behind(), 6)
        assert now_s() - at > 1.0 and point.count("BYE") >= 2


# ---- ACKs that are lost, doubled, overtaken -----------------------------------------------------------------------


async def test_a_200_to_a_reinvite_is_repeated_until_its_ack(service: WireService) -> None:
    """Sound goes on meanwhile; after the ACK there is quiet, and a doubled ACK changes nothing."""
    async with wire(service) as people:
        point, call, operator = await _talking(people)
        point.in_dialog(call, "INVITE", point.sdp(version=4))
        await eventually(lambda: point.oks(call) >= 3, 4)
        await both_hear(point, operator)
        acknowledged = point.in_dialog(call, "ACK")
        counted, at = point.oks(call), now_s()
        point.send(acknowledged)
        await eventually(lambda: now_s() - at > 2.2, 4)
        assert point.oks(call) == counted and point.count("BYE") == 0
        await both_hear(point, operator)
        assert await point.bye(call) == 200


async def test_a_bye_without_the_ack_of_a_reinvite_ends_the_call_and_the_repeating(service: WireService) -> None:
    """It hangs up while our 200 to its re-INVITE is still repeated: a hang-up, and no 200 comes after it."""
    async with wire(service) as people:
        point, call, operator = await _talking(people)
        leg = legs_of(service, "p1")[-1]
        point.in_dialog(call, "INVITE", point.sdp(version=4))
        await point.response(200, "INVITE")
        cseq = call.cseq
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 5)
        call.cseq = cseq
        counted, at = point.oks(call), now_s()
        await eventually(lambda: now_s() - at > 1.2, 3)
        assert point.oks(call) == counted and _ends(service, leg) == ["normal"]


async def test_an_ack_that_a_bye_overtakes_means_nothing(service: WireService) -> None:
    """BYE first, then the ACK of the 200, twice: the call was hung up, nobody is called back, no answer comes to an ACK."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.begun(call, 200)
        await both_hear(point, operator)
        pressed, legs = call.cseq, legs_of(service, "p1")
        assert await point.bye(call) == 200
        call.cseq, counted = pressed, len(point.inbox)
        for _ in (1, 2):
            point.in_dialog(call, "ACK")
        await eventually(lambda: operator.call.state == "ended", 3)
        await eventually(lambda: not service.left_behind(), 5)
        assert len(point.inbox) == counted
        assert _ends(service, legs[-1]) == ["normal"] and legs_of(service, "p1") == legs


# ---- requests that are doubled, crossing, or of nobody ------------------------------------------------------------


async def test_a_doubled_cancel_at_a_seat_and_a_doubled_bye_end_a_leg_once(service: WireService) -> None:
    """A seat loses its answers to our CANCEL, so that it comes again; a point's BYE comes twice: two legs, two ends."""
    async with wire(service) as people:
        operator = await people.operator(1, answer_after_s=None)
        point = await people.caller("p1")
        call = await point.press()
        await eventually(operator.rang, 5)
        lost = lose(operator, "SIP/2.0 ", 3)
        bye = point.in_dialog(call, "BYE")
        point.send(bye)
        assert {(await point.final("BYE")).status for _ in (1, 2)} == {200}
        service.escape()
        cancels = lambda: sum(line.startswith("CANCEL") for _, way, line in operator.sip if way == "<")  # noqa: E731
        await eventually(lambda: cancels() >= 3, 5)
        assert len(lost) == 3 and operator.call.state == "ended"
        for leg in (legs_of(service, "p1")[-1], legs_of(service, operator.user)[-1]):
            await eventually(lambda leg=leg: len(_ends(service, leg)) == 1, 5)


async def test_an_offer_while_ours_has_no_answer_is_491(service: WireService) -> None:
    """Glare: our 200 to a re-INVITE held an offer, and before its ACK another comes. It is refused, the first one stands."""
    async with wire(service) as people:
        point, call, operator = await _talking(people)
        point.in_dialog(call, "INVITE")
        offered, cseq = await point.response(200, "INVITE"), call.cseq
        assert "m=audio" in offered.body
        for method in ("INVITE", "UPDATE"):
            point.in_dialog(call, method, point.sdp("inactive", version=5))
            assert (await point.final(method)).status == 491
            if method == "INVITE":
                point.in_dialog(call, "ACK")
        last, call.cseq = call.cseq, cseq
        point.in_dialog(call, "ACK", point.sdp(version=6))
        call.cseq = last
        await both_hear(point, operator)
        assert await point.bye(call) == 200


async def test_a_reinvite_of_a_dialog_that_we_do_not_have_is_481(service: WireService) -> None:
    """With a foreign tag, and after the end of the call; the call that there is does not notice."""
    async with wire(service) as people:
        point, call, operator = await _talking(people)
        foreign = Call(call.call_id, call.from_line, f"{call.to_line}x", call.target, 50)
        point.in_dialog(foreign, "INVITE", point.sdp("inactive", version=7))
        assert (await point.final("INVITE")).status == 481
        point.in_dialog(foreign, "ACK")
        await both_hear(point, operator)
        assert await point.bye(call) == 200
        point.in_dialog(call, "INVITE", point.sdp(version=8))
        assert (await point.final("INVITE")).status == 481
        point.in_dialog(call, "ACK")
