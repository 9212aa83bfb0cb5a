"""Requests within a dialog: each method has its answer, and media changes are agreed or refused whole."""

import pytest

from callserver.sip.interface import Target
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Call, Peer, sdp
from tests.sip.test_edge_calls import SHOWN, answered, bench_up, pressed, taken


async def up(bench: Bench) -> tuple[Peer, Call]:
    point = await bench.peer("hp1")
    call, _ = await answered(bench, point)
    await bench_up(bench, "c.1")
    return point, call


async def test_hold_and_resume_are_answered_with_the_same_codec_and_told() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INVITE", sdp(40000, "sendonly"))
        ok = await point.response(200, "INVITE")
        assert "a=recvonly" in ok.body
        assert "m=audio 30000 RTP/AVP 0 101" in ok.body
        assert ok.body.split()[3] == "2", "the version of our SDP goes up"
        point.in_dialog(call, "ACK")
        await bench.heard("changed", "c.1")
        assert not bench.ears.media["c.1"].device_receives and bench.ears.media["c.1"].device_sends
        point.in_dialog(call, "INVITE", sdp(40010))
        ok = await point.response(200, "INVITE")
        point.in_dialog(call, "ACK")
        assert ok.body.split()[3] == "3"
        assert bench.ears.media["c.1"].rtp_port == 40010 and bench.ears.media["c.1"].device_receives


async def test_a_reinvite_that_fits_nothing_is_488_and_changes_nothing() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INVITE", sdp().replace("RTP/AVP 0 8 101", "RTP/AVP 18"))
        assert (await point.final("INVITE")).status == 488
        assert bench.ears.of("changed") == []
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200


async def test_a_reinvite_without_offer_gets_ours_and_its_ack_tells_the_answer() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INVITE")
        ok = await point.response(200, "INVITE")
        assert "m=audio 30000 RTP/AVP 0 101" in ok.body
        point.in_dialog(call, "ACK", sdp(40444))
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].rtp_port == 40444


async def test_an_offer_while_ours_has_no_answer_is_491_and_ours_stands() -> None:
    """Ours went out in the 200 to a re-INVITE; INVITE and UPDATE are refused until its ACK, and taken after it."""
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INVITE")
        await point.response(200, "INVITE")
        offered = call.cseq
        for method in ("UPDATE", "INVITE"):
            point.in_dialog(call, method, sdp(40600))
            assert (await point.final(method)).status == 491
        point.in_dialog(call, "ACK")
        last, call.cseq = call.cseq, offered
        point.in_dialog(call, "ACK", sdp(40444))
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].rtp_port == 40444
        call.cseq = last
        point.in_dialog(call, "UPDATE", sdp(40700))
        assert (await point.final("UPDATE")).status == 200
        assert bench.ears.media["c.1"].rtp_port == 40700 and bench.ears.of("ended") == []


async def test_the_ack_of_an_older_200_is_no_answer_to_our_offer() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INVITE")
        await point.response(200, "INVITE")
        call.cseq -= 1
        point.in_dialog(call, "ACK")
        bench.skip(0.6)
        await point.response(200, "INVITE")
        call.cseq += 1
        point.in_dialog(call, "ACK", sdp(41000))
        await bench.heard("changed", "c.1")
        assert bench.ears.of("ended") == []


async def test_a_press_without_offer_gets_ours_with_the_200() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await point.invite(body="")
        dialog = await bench.dialog()
        assert bench.ears.of("pressed") == [("pressed", dialog, "hp1", False)]
        bench.edge.adopt(dialog, "c.1")
        assert bench.edge.progress("c.1", local()) is None
        bench.edge.answer("c.1")
        ok = await point.final("INVITE")
        assert "m=audio 30000 RTP/AVP 0 8 9 101" in ok.body
        point.learn(call, ok)
        point.in_dialog(call, "ACK", sdp(40444))
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].codec == "PCMU"


async def test_an_update_with_an_offer_is_a_change_and_without_one_a_refresh() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "UPDATE")
        assert (await point.final("UPDATE")).status == 200
        assert bench.ears.of("changed") == []
        point.in_dialog(call, "UPDATE", sdp(40020))
        assert "m=audio" in (await point.final("UPDATE")).body
        assert bench.ears.media["c.1"].rtp_port == 40020


@pytest.mark.parametrize(
    ("content", "body", "status", "digits"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200, ["5"]),
        ("application/dtmf-relay", "Duration=160\r\nSignal= #\r\n", 200, ["#"]),
        ("application/dtmf", "*", 200, ["*"]),
        ("application/dtmf", "55", 200, []),
        ("text/plain", "5", 415, []),
    ],
)
async def test_info_carries_digits(content: str, body: str, status: int, digits: list[str]) -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INFO", body, content=content)
        assert (await point.final("INFO")).status == status
        assert [entry[2] for entry in bench.ears.of("digit")] == digits


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", 200), ("REFER", 603), ("PRACK", 400), ("NOTIFY", 481), ("MESSAGE", 405), ("PUBLISH", 405),
        ("SUBSCRIBE", 489), ("REGISTER", 405), ("DANCE", 501),
    ],
)  # fmt: skip
async def test_every_method_has_its_answer_and_the_call_stands(method: str, status: int) -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, method)
        answer = await point.final(method)
        assert answer.status == status
        if status in (200, 405, 489, 501):
            assert "INVITE" in answer.one("Allow")
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200


async def test_an_unknown_extension_is_420_and_names_it() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        point.in_dialog(call, "INVITE", sdp(), lines=("Require: teleport",))
        answer = await point.final("INVITE")
        assert (answer.status, answer.one("Unsupported")) == (420, "teleport")


async def test_an_old_sequence_number_is_500_and_a_foreign_tag_481() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        call.cseq = 0
        point.in_dialog(call, "OPTIONS")
        assert (await point.final("OPTIONS")).status == 500
        foreign = Call(call.call_id, call.from_line, call.to_line + "x", call.target, 50)
        point.in_dialog(foreign, "BYE")
        assert (await point.final("BYE")).status == 481
        assert bench.ears.of("ended") == []


async def test_a_reinvite_into_an_early_dialog_is_500_and_a_bye_there_ends_it() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        ringing = next(got for got in point.inbox if got.status == 183)
        point.learn(call, ringing)
        point.in_dialog(call, "INVITE", sdp())
        answer = await point.final("INVITE")
        assert answer.status == 500 and answer.one("Retry-After")
        call.cseq, invited = call.cseq + 1, call.cseq - 1
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200
        refused = await point.response(487, "INVITE")
        assert refused.one("CSeq") == f"{invited} INVITE"
        await bench.heard("ended", "c.1", 487, True, False)


async def test_requests_of_the_callee_are_served_too() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        call = await taken(bench, operator)
        operator.in_dialog(call, "INVITE", sdp(41000, "inactive"))
        ok = await operator.response(200, "INVITE")
        assert "a=inactive" in ok.body
        operator.in_dialog(call, "ACK")
        await bench.heard("changed", "c.2")


async def test_the_trace_of_a_leg_shows_its_messages_without_credentials() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await pressed(bench, point)
        traced = bench.edge.trace("c.1")
        assert [line.text.split("\r\n")[0] for line in traced if line.sent] == [
            "SIP/2.0 401 Unauthorized", "SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 183 Session Progress",
        ]  # fmt: skip
        text = "".join(line.text for line in traced)
        assert "Authorization: [removed]" in text and "response=" not in text
        operator = await bench.peer("op1", register=True)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        await operator.request("INVITE")
        assert bench.edge.trace("c.2")[0].text.startswith("INVITE sip:op1@")
