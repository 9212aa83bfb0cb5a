"""Reliable provisional responses (RFC 3262) both ways, and UPDATE in early dialogs (RFC 3311)."""

import pytest

from callserver.sip.interface import Target, TrunkAccess
from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Call, Got, Peer, sdp
from tests.sip.test_edge_calls import SHOWN, bench_up
from tests.sip.test_edge_restart import quiet

INSISTS = ("Require: 100rel", "Supported: 100rel")


# ---- devices that insist ----------------------------------------------------------------------------------------


async def rung(bench: Bench, body: str | None = None) -> tuple[Peer, Call, Got]:
    """A press that insists on reliable responses, adopted; its first 180."""
    point = await bench.peer("hp1")
    call = await point.invite(body=body, extra=INSISTS)
    assert bench.edge.adopt(await bench.dialog(), "c.1")
    ringing = await point.response(180)
    point.learn(call, ringing)
    return point, call, ringing


def prack(point: Peer, call: Call, response: Got, body: str = "") -> str:
    """Acknowledge a provisional response; what was sent."""
    rack = f"RAck: {response.one('RSeq')} {response.one('CSeq')}"
    return point.in_dialog(call, "PRACK", body, lines=(rack,))


async def played(bench: Bench) -> tuple[Peer, Call, Got]:
    """Such a press with its 180 acknowledged and its 183 come."""
    point, call, ringing = await rung(bench)
    prack(point, call, ringing)
    assert (await point.final("PRACK")).status == 200
    assert bench.edge.progress("c.1", local()) is not None
    return point, call, await point.response(183)


def acknowledge(point: Peer, call: Call, answer: Got) -> None:
    """The ACK of the INVITE, whose number is not the dialog's last."""
    last, call.cseq = call.cseq, int(answer.one("CSeq").split()[0])
    point.in_dialog(call, "ACK")
    call.cseq = last


async def test_a_device_that_insists_gets_numbered_responses_and_each_prack_its_200() -> None:
    async with Bench() as bench:
        point, call, early = await played(bench)
        ringing = next(got for got in point.inbox if got.status == 180)
        assert (ringing.one("Require"), early.one("Require")) == ("100rel", "100rel")
        assert int(early.one("RSeq")) == int(ringing.one("RSeq")) + 1
        assert next(got for got in point.inbox if got.status == 100).one("RSeq") == ""
        prack(point, call, early)
        assert (await point.final("PRACK")).status == 200
        bench.edge.answer("c.1")
        ok = await point.response(200, "INVITE")
        assert ok.body == early.body and ok.one("RSeq") == ""
        acknowledge(point, call, ok)
        await bench_up(bench, "c.1")
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200


async def test_a_response_without_prack_is_repeated_and_the_next_one_waits() -> None:
    async with Bench() as bench:
        point, call, ringing = await rung(bench)
        bench.edge.progress("c.1", local())
        await quiet(bench, "c.1")
        for pause in (0.6, 1.1, 2.1):
            bench.skip(pause)
            assert (await point.response(180)).text == ringing.text
        assert not any(got.status == 183 for got in point.inbox)
        text = prack(point, call, ringing)
        await point.response(183)
        point.send(text)
        await eventually(lambda: sum(got.status == 200 and got.cseq_method == "PRACK" for got in point.inbox) == 2, 3)
        bench.skip(0.1)
        assert sum(got.status == 180 for got in point.inbox) == 4


async def test_a_prack_for_nothing_of_ours_is_481_and_one_without_rack_400() -> None:
    async with Bench() as bench:
        point, call, ringing = await rung(bench)
        number, cseq = int(ringing.one("RSeq")), ringing.one("CSeq")
        for line in (f"RAck: {number + 1} {cseq}", f"RAck: {number} 77 INVITE", f"RAck: {number} {cseq.split()[0]} UPDATE"):
            point.in_dialog(call, "PRACK", lines=(line,))
            assert (await point.final("PRACK")).status == 481
        point.in_dialog(call, "PRACK")
        assert (await point.final("PRACK")).status == 400
        prack(point, call, ringing)
        assert (await point.final("PRACK")).status == 200
        prack(point, call, ringing)
        assert (await point.final("PRACK")).status == 481, "each is acknowledged once"


async def test_the_answer_waits_for_the_prack_of_our_sdp_and_then_comes_at_once() -> None:
    async with Bench() as bench:
        point, call, early = await played(bench)
        bench.edge.answer("c.1")
        await quiet(bench, "c.1")
        assert not any(got.status == 200 and got.cseq_method == "INVITE" for got in point.inbox)
        prack(point, call, early)
        acknowledge(point, call, await point.response(200, "INVITE"))
        await bench_up(bench, "c.1")


async def test_nobody_waits_for_a_prack_that_does_not_come() -> None:
    """The person who answered is heard after two seconds; the late PRACK gets its 200 all the same."""
    async with Bench() as bench:
        point, call, early = await played(bench)
        bench.edge.answer("c.1")
        await quiet(bench, "c.1")
        bench.skip(2.1)
        ok = await point.response(200, "INVITE")
        prack(point, call, early)
        assert (await point.final("PRACK")).status == 200
        acknowledge(point, call, ok)
        await bench_up(bench, "c.1")
        before = sum(got.status == 183 for got in point.inbox)
        bench.skip(30)
        assert sum(got.status == 183 for got in point.inbox) == before


async def test_an_answer_without_sdp_before_it_does_not_wait() -> None:
    async with Bench() as bench:
        point, call, _ = await rung(bench)
        bench.edge.answer("c.1", local())
        acknowledge(point, call, await point.response(200, "INVITE"))
        await bench_up(bench, "c.1")


async def test_a_device_that_acknowledges_nothing_for_32_s_is_served_without() -> None:
    async with Bench() as bench:
        point, call, _ = await rung(bench)
        bench.edge.progress("c.1", local())
        await quiet(bench, "c.1")
        for _ in range(8):
            bench.skip(5)
        early = await point.response(183)
        assert (early.one("Require"), early.one("RSeq")) == ("", "")
        bench.edge.answer("c.1")
        acknowledge(point, call, await point.response(200, "INVITE"))
        await bench_up(bench, "c.1")
        assert bench.ears.of("ended") == []


@pytest.mark.parametrize("method", ["CANCEL", "BYE"])
async def test_a_press_given_up_before_its_prack_is_over(method: str) -> None:
    async with Bench() as bench:
        point, call, _ = await rung(bench)
        if method == "CANCEL":
            call.to_line, call.target = "<sip:help@help.test>", "sip:help@help.test"
        point.in_dialog(call, method)
        assert (await point.final(method)).status == 200
        await point.response(487, "INVITE")
        await bench.heard("ended", "c.1", 487, True, False)
        before = sum(got.status == 180 for got in point.inbox)
        bench.skip(3)
        assert sum(got.status == 180 for got in point.inbox) == before


async def test_a_press_without_offer_has_no_reliable_response_that_would_have_to_hold_ours() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await point.invite(body="", extra=INSISTS)
        assert bench.edge.adopt(await bench.dialog(), "c.1")
        assert bench.edge.progress("c.1", local()) is None
        bench.edge.answer("c.1")
        ok = await point.response(200, "INVITE")
        assert "m=audio 30000" in ok.body and not any(got.status in (180, 183) for got in point.inbox)
        point.learn(call, ok)
        point.in_dialog(call, "ACK", sdp(40444))
        await bench.heard("changed", "c.1")


async def test_an_offer_in_prack_or_update_is_answered_while_it_rings() -> None:
    async with Bench() as bench:
        point, call, early = await played(bench)
        prack(point, call, early, sdp(40600))
        answer = await point.final("PRACK")
        assert answer.status == 200 and "m=audio 30000" in answer.body
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].rtp_port == 40600
        point.in_dialog(call, "UPDATE", sdp(40700, "sendonly"))
        updated = await point.final("UPDATE")
        assert "a=recvonly" in updated.body
        assert bench.ears.media["c.1"].rtp_port == 40700
        bench.edge.answer("c.1")
        ok = await point.response(200, "INVITE")
        assert ok.body == updated.body
        acknowledge(point, call, ok)
        await bench_up(bench, "c.1")


async def test_an_update_before_we_have_answered_its_offer_is_500_and_to_be_tried_again() -> None:
    async with Bench() as bench:
        point, call, ringing = await rung(bench)
        prack(point, call, ringing)
        await point.final("PRACK")
        point.in_dialog(call, "UPDATE", sdp(40700))
        refused = await point.final("UPDATE")
        assert refused.status == 500 and refused.one("Retry-After")


@pytest.mark.parametrize("acknowledged", [False, True])
async def test_the_successor_repeats_what_had_no_prack_under_its_number_and_nothing_else(acknowledged: bool) -> None:
    async with Bench() as bench:
        point, call, early = await played(bench)
        if acknowledged:
            prack(point, call, early)
            await point.final("PRACK")
        await quiet(bench, "c.1")
        bench.die()
        await bench.reborn()
        if acknowledged:
            assert sum(got.status == 183 for got in point.inbox) == 1
        else:
            assert (await point.response(183)).text == early.text
            prack(point, call, early)
            assert (await point.final("PRACK")).status == 200
        bench.edge.answer("c.1")
        acknowledge(point, call, await point.response(200, "INVITE"))
        await bench_up(bench, "c.1")


# ---- outside lines that are reliable ----------------------------------------------------------------------------


def reliably(number: int) -> tuple[str, ...]:
    """The lines of a reliable response."""
    return "Require: 100rel", f"RSeq: {number}"


async def dialled(bench: Bench) -> tuple[Peer, Got]:
    """An outside line and our INVITE to it."""
    line = await bench.peer("line")
    bench.directory.trunk_access["t1"] = TrunkAccess("t1", "127.0.0.1", line.port, "udp", "us", "secret", 0)
    uri = f"sip:999@127.0.0.1:{line.port}"
    bench.edge.dial("c.5", Target(trunk="t1", uri=uri), SHOWN, local(31000), ("PCMA", "PCMU"))
    return line, await line.request("INVITE")


def number_of(got: Got) -> int:
    return int(got.one("CSeq").split()[0])


async def test_a_reliable_183_gets_its_prack_and_its_sdp_serves_a_200_without_any() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(70))
        acknowledged = await line.request("PRACK")
        assert acknowledged.one("RAck") == f"70 {invite.one('CSeq')}"
        assert (acknowledged.to_tag, number_of(acknowledged)) == ("t1", number_of(invite) + 1)
        line.reply(acknowledged, 200, "OK")
        await bench.heard("rang", "c.5")
        assert bench.ears.of("changed") == [], "nobody is heard before having answered"
        line.reply(invite, 200, "OK", "t1")
        ack = await line.request("ACK")
        assert number_of(ack) == number_of(invite)
        await bench.heard("answered", "c.5")
        assert bench.ears.media["c.5"].rtp_port == 41000
        bench.edge.end("c.5", 480, "over")
        bye = await line.request("BYE")
        assert number_of(bye) == number_of(acknowledged) + 1
        line.reply(bye, 200, "OK")
        await bench.heard("ended", "c.5", 0, False, True)


async def test_provisional_responses_are_acknowledged_in_their_order_and_each_by_one_prack() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(10))
        first = await line.request("PRACK")
        line.reply(first, 200, "OK")
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(12))
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(11))
        second = await line.request("PRACK")
        line.reply(second, 200, "OK")
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(12))
        third = await line.request("PRACK")
        line.reply(third, 200, "OK")
        assert [got.one("RAck").split()[0] for got in (first, second, third)] == ["10", "11", "12"]
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(12))
        assert (await line.request("PRACK")).text == third.text, "it had been lost, perhaps"


async def test_two_devices_behind_a_proxy_have_numbers_of_their_own() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        for tag, number, port in (("t1", 500, 41000), ("t2", 3, 42000)):
            line.reply(invite, 183, "Session Progress", tag, sdp(port), reliably(number))
            got = await line.request("PRACK")
            assert (got.to_tag, got.one("RAck").split()[0]) == (tag, str(number))
            line.reply(got, 200, "OK")
        line.reply(invite, 200, "OK", "t2")
        await line.request("ACK")
        await bench.heard("answered", "c.5")
        assert bench.ears.media["c.5"].rtp_port == 42000


async def test_a_200_with_sdp_of_its_own_is_followed() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(1))
        line.reply(await line.request("PRACK"), 200, "OK")
        line.reply(invite, 200, "OK", "t1", sdp(41500))
        await bench.heard("answered", "c.5")
        assert bench.ears.media["c.5"].rtp_port == 41500


async def test_a_200_without_sdp_after_an_unreliable_183_with_some_is_taken_too() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000))
        await bench.heard("rang", "c.5")
        line.reply(invite, 200, "OK", "t1")
        await bench.heard("answered", "c.5")
        assert bench.ears.media["c.5"].rtp_port == 41000
        assert not any(got.method == "PRACK" for got in line.inbox)


async def test_a_challenge_of_our_prack_is_answered() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(1))
        first = await line.request("PRACK")
        challenge = 'Proxy-Authenticate: Digest realm="t", nonce="n", qop="auth", algorithm=MD5'
        line.reply(first, 407, "Proxy Authentication Required", lines=(challenge,))
        again = await line.request("PRACK")
        assert again.one("Proxy-Authorization") and number_of(again) == number_of(first) + 1
        line.reply(again, 200, "OK")
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(2))
        assert number_of(await line.request("PRACK")) == number_of(again) + 1


async def test_an_update_of_a_line_that_has_not_answered_moves_its_sound() -> None:
    """Its offer is answered after our own was, and 491 before; what it says last is where the answered call is."""
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(1))
        line.reply(await line.request("PRACK"), 200, "OK")
        call = line.callee(invite, "t1")
        line.in_dialog(call, "UPDATE")
        assert (await line.final("UPDATE")).status == 200
        line.in_dialog(call, "UPDATE", sdp(41900))
        assert (await line.final("UPDATE")).status == 491
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(2))
        line.reply(await line.request("PRACK"), 200, "OK")
        line.in_dialog(call, "UPDATE", sdp(41900))
        answer = await line.final("UPDATE")
        assert answer.status == 200 and "m=audio 31000" in answer.body
        line.reply(invite, 200, "OK", "t1")
        await bench.heard("answered", "c.5")
        assert bench.ears.media["c.5"].rtp_port == 41900
        for method, status in (("OPTIONS", 200), ("UPDATE", 200)):
            line.in_dialog(call, method)
            assert (await line.final(method)).status == status
        foreign = line.callee(invite, "t9")
        line.in_dialog(foreign, "UPDATE", sdp(41900))
        assert (await line.final("UPDATE")).status == 481


async def test_the_successor_knows_what_was_acknowledged_and_agreed() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(5))
        first = await line.request("PRACK")
        line.reply(first, 200, "OK")
        await quiet(bench, "c.5")
        bench.die()
        await bench.reborn()
        line.reply(invite, 183, "Session Progress", "t1", sdp(41000), reliably(5))
        assert (await line.request("PRACK")).text == first.text
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(6))
        second = await line.request("PRACK")
        assert number_of(second) == number_of(first) + 1
        line.reply(second, 200, "OK")
        line.reply(invite, 200, "OK", "t1")
        await bench.heard("answered", "c.5")
        assert bench.ears.media["c.5"].rtp_port == 41000


async def test_a_line_that_is_cancelled_after_its_prack_is_over() -> None:
    async with Bench() as bench:
        line, invite = await dialled(bench)
        line.reply(invite, 180, "Ringing", "t1", lines=reliably(1))
        line.reply(await line.request("PRACK"), 200, "OK")
        bench.edge.end("c.5", 480, "no longer needed")
        line.reply(await line.request("CANCEL"), 200, "OK", "t1")
        line.reply(invite, 487, "Request Terminated", "t1")
        await bench.heard("ended", "c.5", 487, False, False)
