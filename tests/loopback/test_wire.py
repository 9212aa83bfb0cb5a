"""What devices do on the wire in and around a call: hold, moved audio, lost and doubled messages, ends of every kind.

One service serves the whole file; each test ends with a look for legs, workers, RTP ports and operators that it left behind.
"""

import contextlib
from collections.abc import Iterator

import pytest

from tests.eventually import eventually
from tests.loopback.desk import captured, legs_of, now_s
from tests.loopback.rtp_peer import RtpPeer
from tests.loopback.wire_desk import Caller, WireService, both_hear, wire
from tests.peers.ports import Ports
from tests.sip.edge_peer import Call

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, WireService(tmp_path_factory.mktemp("wire"), ports).serving() as service:
        yield service


# ---- hold, and audio that moves -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
async def test_hold_silences_the_holder_and_resume_brings_it_back(service: WireService, method: str) -> None:
    """sendonly: the point hears nothing, the operator still hears it; sendrecv: both again. The recording goes on throughout."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        held = await point.offers(call, method, "sendonly")
        assert "a=recvonly" in held.body
        await eventually(lambda: point.deaf_for() > 0.3, 3)
        assert operator.hears(point.hz)
        leg = legs_of(service, "p1")[-1]
        at = now_s()
        assert "a=sendrecv" in (await point.offers(call, method)).body
        await both_hear(point, operator)
        await eventually(lambda: now_s() - at > 1, 3)
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 5)
        assert len(captured(service.data, leg)) > 60  # packets of the hold and of the time after it


async def test_inactive_stops_both_directions_and_is_no_silent_line(service: WireService) -> None:
    """Hold by `inactive`, then by 0.0.0.0: no alarm of a silent line rings for a device that said it would be silent."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        leg = legs_of(service, "p1")[-1]
        point.sound.muted = True
        assert "a=inactive" in (await point.offers(call, "INVITE", "inactive")).body
        await eventually(lambda: point.deaf_for() > 1.5, 4)
        assert [f for f in service.journal("LineChanged") if f["leg"] == leg and not f["sounding"]] == []
        point.sound.muted = False
        assert "a=sendrecv" in (await point.offers(call, "INVITE")).body
        await both_hear(point, operator)
        assert await point.bye(call) == 200


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
async def test_audio_moves_to_a_new_port_and_the_lock_follows(service: WireService, method: str) -> None:
    """The tone goes to and is taken from the new port only; the old one is a stranger from then on."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        old, point.sound = point.sound, RtpPeer(700.0, "PCMA")
        try:
            point.hear(await point.offers(call, method))
            await eventually(lambda: point.hears(operator.hz) and operator.hears(700.0), 5)
            await eventually(lambda: now_s() - old.heard[-1].at_s > 0.5, 3)  # the old sender goes on and is not heard
            assert not operator.hears(440.0) and operator.hears(700.0)
        finally:
            old.close()
        assert await point.bye(call) == 200


async def test_a_reinvite_without_offer_and_an_old_ack_again_do_not_end_the_call(service: WireService) -> None:
    """The ACK of the first INVITE comes once more while ours of the re-INVITE is open: it is not its answer."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.begun(call, 200)
        first_ack = point.in_dialog(call, "ACK")
        await both_hear(point, operator)
        point.in_dialog(call, "INVITE")
        answer = await point.response(200, "INVITE")
        assert "m=audio" in answer.body
        point.send(first_ack)
        await point.response(200, "INVITE")  # still repeated: the old ACK did not stop it
        point.in_dialog(call, "ACK", point.sdp(version=9))
        await both_hear(point, operator)
        assert point.count("BYE") == 0
        assert await point.bye(call) == 200


async def test_options_are_answered_within_and_outside_of_dialogs(service: WireService) -> None:
    """Within the dialog 200 without more; outside 401, and 200 with credentials; ours to a registered point gets its 200."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p2")
        await point.register()
        call = await point.talk()
        await both_hear(point, operator)
        point.in_dialog(call, "OPTIONS")
        inside = await point.final("OPTIONS")
        assert inside.status == 200 and "INVITE" in inside.one("Allow")
        uri = "sip:127.0.0.1"
        challenge = await point.authorized("OPTIONS", uri, lambda cseq: _alone(point, "OPTIONS", cseq))
        assert challenge.status == 401
        assert (await point.final("OPTIONS")).status == 200
        assert await point.bye(call) == 200
        await point.register(expires=0)


def _alone(point: Caller, method: str, cseq: int) -> list[str]:
    here = f"<sip:{point.user}@127.0.0.1>"
    tail = [f"Call-ID: alone-{point.port}", f"CSeq: {cseq} {method}", f"Contact: {point.contact}"]
    return [f"Via: {point.via()}", f"From: {here};tag=alone", f"To: {here}", *tail]


# ---- lost, doubled, crossing ------------------------------------------------------------------------------------


async def test_a_200_without_ack_is_repeated_until_it_comes(service: WireService) -> None:
    """At 0.5 s, 1.5 s, ... and no more after the ACK; sound does not wait for it."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.begun(call, 200)
        await both_hear(point, operator)
        await eventually(lambda: point.oks(call) >= 3, 4)
        point.in_dialog(call, "ACK")
        counted, at = point.oks(call), now_s()
        await eventually(lambda: now_s() - at > 2.2, 4)
        assert point.oks(call) == counted
        assert await point.bye(call) == 200


async def test_a_point_that_never_acknowledges_may_hang_up_or_be_hung_up(service: WireService) -> None:
    """Its BYE without ACK is a hang-up, not a lost line: nobody is called back. The operator's BYE frees everything in 5 s."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.begun(call, 200)
        await both_hear(point, operator)
        assert await point.bye(call) == 200
        await eventually(lambda: operator.call.state == "ended", 3)
        assert [fact["inbound"] for fact in service.journal("LegCreated") if fact["party"] == "p1"][-1] is True
        await eventually(lambda: not service.left_behind(), 5)
        again = await point.press()
        await point.begun(again, 200)
        await both_hear(point, operator)
        await operator.call.bye()
        await eventually(lambda: not service.left_behind(), 6)


@pytest.mark.long
async def test_a_200_that_is_never_acknowledged_ends_in_bye(service: WireService) -> None:
    """After 64 T1 (32 s) the dialog is ended by BYE (RFC 3261 13.3.1.4)."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.begun(call, 200)
        await both_hear(point, operator)
        bye = await point.request("BYE", within=36)
        point.reply(bye, 200, "OK")
        assert point.oks(call) >= 8
        await operator.call.bye()


async def test_cancel_that_crosses_the_200_gets_200_and_changes_nothing(service: WireService) -> None:
    """CANCEL after our 200: answered, and the call stands until its BYE."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.press()
        await point.response(180, "INVITE")
        answer = await point.begun(call, 200)
        to_line, call.to_line, target, call.target = call.to_line, f"<sip:help@{point.domain}>", call.target, "sip:help@127.0.0.1"
        point.in_dialog(call, "CANCEL")
        assert (await point.final("CANCEL")).status == 200
        call.to_line, call.target = to_line, target
        assert answer.status == 200
        point.in_dialog(call, "ACK")
        await both_hear(point, operator)
        assert point.count("SIP/2.0 487") == 0
        assert await point.bye(call) == 200


@pytest.mark.parametrize("method", ["CANCEL", "BYE"])
async def test_an_early_end_ends_the_call_and_not_the_incident(service: WireService, method: str) -> None:
    """CANCEL, or BYE into the early dialog (RFC 3261 15): 200 to it, 487 to the INVITE; the seat rings on for the incident."""
    async with wire(service) as people:
        operator = await people.operator(1, answer_after_s=None)
        point = await people.caller("p1")
        call = await point.press()
        await eventually(operator.rang, 5)
        if method == "CANCEL":
            call.to_line, call.target = f"<sip:help@{point.domain}>", "sip:help@127.0.0.1"
        text = point.in_dialog(call, method)
        assert (await point.final(method)).status == 200
        await point.response(487, "INVITE")
        call.cseq = 2
        point.in_dialog(call, "ACK")
        point.send(text)
        assert (await point.final(method)).status == 200, f"the {method} again gets the same answer"
        leg = legs_of(service, "p1")[-1]
        await eventually(lambda: leg not in service.live_legs(), 3)
        assert operator.call.state == "early" and service.incidents("waiting")


async def test_a_press_without_offer_is_offered_audio_with_the_200(service: WireService) -> None:
    """Delayed offer: ours in the 200, the answer in the ACK; both hear each other."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.invite(body="")
        answer = await point.begun(call, 200)
        assert "m=audio" in answer.body
        point.in_dialog(call, "ACK", point.sdp())
        await both_hear(point, operator)
        assert await point.bye(call) == 200


async def test_doubled_and_reordered_requests_do_no_harm(service: WireService) -> None:
    """INVITE, INFO and BYE twice get the same answer twice and act once; an older CSeq is 500; an unknown dialog 481."""
    async with wire(service) as people:
        operator = await people.operator(1)
        point = await people.caller("p1")
        call = await point.talk()
        await both_hear(point, operator)
        leg = legs_of(service, "p1")[-1]
        relay = "application/dtmf-relay"
        newer = point.in_dialog(call, "INFO", "Signal=5\r\nDuration=160\r\n", content=relay)
        for _ in (1, 2):
            assert (await point.final("INFO")).status == 200
            point.send(newer)
        assert (await point.final("INFO")).status == 200
        call.cseq -= 3
        point.in_dialog(call, "INFO", "Signal=6\r\nDuration=160\r\n", content=relay)
        assert (await point.final("INFO")).status == 500
        call.cseq += 9
        foreign = Call(call.call_id, call.from_line, f"{call.to_line}x", call.target, 50)
        for method in ("BYE", "INFO", "UPDATE", "OPTIONS"):
            point.in_dialog(foreign, method)
            assert (await point.final(method)).status == 481
        await eventually(lambda: _digits(service, leg), 3)
        assert _digits(service, leg) == ["5"]
        again = point.in_dialog(call, "INVITE", point.sdp(version=3))
        first = await point.response(200, "INVITE")
        point.send(again)
        point.in_dialog(call, "ACK")
        bye = point.in_dialog(call, "BYE")
        one = await point.final("BYE")
        point.send(bye)
        two = await point.final("BYE")
        assert (one.status, one.text) == (200, two.text)
        assert {got.body for got in point.inbox if got.one("CSeq") == first.one("CSeq") and got.status == 200} == {first.body}


async def test_an_invite_sent_again_is_one_press(service: WireService) -> None:
    """A device that has not heard the 100 repeats its INVITE: one incident, one leg, and the last answer again."""
    async with wire(service) as people:
        operator = await people.operator(1, answer_after_s=None)
        opened = len(service.journal("IncidentOpened"))
        point = await people.caller("p1")
        call = await point.press()
        await eventually(operator.rang, 5)
        text = next(text for text in reversed(point.sent) if text.startswith("INVITE"))
        point.send(text)
        again = await point.response(183, "INVITE")
        assert again.to_tag and again.to_tag in call.to_line
        assert len(service.journal("IncidentOpened")) == opened + 1 and operator.rang() == 1
        operator.call.answer()
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await both_hear(point, operator)
        assert await point.bye(call) == 200


def _digits(service: WireService, leg: str) -> list[str]:
    return [fact["digit"] for fact in service.journal("DigitHeard") if fact["leg"] == leg]


# ---- who is called back, who wins -----------------------------------------------------------------------------


async def test_a_point_of_the_call_back_profile_is_called_back_after_its_bye(service: WireService) -> None:
    """Within a second, for the same operator and the same incident; then both hear each other again."""
    async with wire(service) as people:
        operator = await people.operator(1)
        opened = len(service.journal("IncidentOpened"))
        point = await people.phone("p5", 440.0)
        await point.press()
        await eventually(lambda: point.hears(operator.hz) and operator.hears(point.hz), 5)
        at = now_s()
        assert await point.call.bye() == 200
        await eventually(lambda: len(point.calls) == 2, 3)
        assert point.call.t["invite_received"] / 1e9 - at < 1.0
        await eventually(lambda: point.hears(operator.hz) and operator.hears(point.hz), 5)
        assert (operator.rang(), len(service.journal("IncidentOpened"))) == (1, opened + 1)
        assert operator.call.state == "up"
        await operator.call.bye()
        await eventually(lambda: point.call.state == "ended", 5)


async def test_of_two_that_answer_at_once_exactly_one_is_bridged(service: WireService) -> None:
    """Both 200s are on the wire before either is read: one talks, the other gets ACK and BYE and is free again."""
    async with wire(service) as people:
        operators = [await people.operator(number, 900.0 + 100 * number, answer_after_s=None) for number in (1, 2)]
        point = await people.caller("p1")
        call = await point.press()
        await eventually(lambda: all(operator.rang() for operator in operators), 5)
        for operator in operators:
            operator.call.answer()
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await eventually(lambda: sum(operator.call.state == "up" for operator in operators) == 1, 5)
        winner, loser = sorted(operators, key=lambda operator: operator.call.state != "up")
        await both_hear(point, winner)
        assert not point.hears(loser.hz) and not loser.hears(point.hz)
        assert "bye_received" in loser.call.t and "ack" in loser.call.t
        await eventually(lambda: _states(service, loser.user)[-1] == "available", 3)
        assert "talking" not in _states(service, loser.user)[_states(service, loser.user).index("offered") :][1:]
        assert _states(service, winner.user)[-1] == "talking"
        assert await point.bye(call) == 200


def _states(service: WireService, operator: str) -> list[str]:
    """States of an operator since the last offer to anybody."""
    moved = service.journal("OperatorMoved")
    last = max(index for index, fact in enumerate(moved) if fact["new"] == "offered" and fact["operator"] == operator)
    return [fact["new"] for fact in moved[last:] if fact["operator"] == operator]
