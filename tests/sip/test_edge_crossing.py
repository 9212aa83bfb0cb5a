"""What crosses on the wire, forks, and the promise that a leg ends exactly once."""

import asyncio

from callserver.sip.interface import Target, TrunkAccess
from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import sdp
from tests.sip.test_edge_calls import SHOWN, answered, bench_up, pressed, rung, taken


async def test_cancel_that_crosses_our_200_gets_200_and_the_call_stands() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        bench.edge.answer("c.1")
        ok = await point.response(200, "INVITE")
        point.in_dialog(call, "CANCEL")
        assert (await point.final("CANCEL")).status == 200
        point.learn(call, ok)
        point.in_dialog(call, "ACK")
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200
        assert bench.ears.of("ended") == [("ended", "c.1", 0, True, True)]


async def test_cancel_while_the_200_is_being_stored_wins() -> None:
    """The dialog's record is on its way to the disk: no 200 may follow the 487."""
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        bench.shelf.gate = asyncio.Event()
        bench.edge.answer("c.1")
        point.in_dialog(call, "CANCEL")
        await point.response(200, "CANCEL")
        bench.shelf.gate.set()
        assert (await point.final("INVITE")).status == 487
        await bench.heard("ended", "c.1", 487, True, False)
        assert [got.status for got in point.inbox if got.status >= 200 and got.cseq_method == "INVITE"] == [401, 487]


async def test_bye_from_both_sides_gets_200_both_ways_and_one_end() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call, _ = await answered(bench, point)
        await bench_up(bench, "c.1")
        bench.edge.end("c.1", 480, "over")
        bye = await point.request("BYE")
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200
        point.reply(bye, 200, "OK")
        await eventually(lambda: bench.ears.of("ended"), 3.0)
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200, "an ended dialog is known for 32 s"
        assert len(bench.ears.of("ended")) == 1


async def test_an_unacknowledged_200_is_repeated_and_at_last_ended() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        await pressed(bench, point)
        bench.edge.answer("c.1")
        await point.response(200, "INVITE")
        bench.skip(0.6)
        await point.response(200, "INVITE")
        bench.skip(33)
        bye = await point.request("BYE")
        point.reply(bye, 200, "OK")
        await bench.heard("ended", "c.1", 408, False, False)


async def test_a_bye_before_the_ack_is_a_hang_up() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1")
        call = await pressed(bench, point)
        bench.edge.answer("c.1")
        point.learn(call, await point.response(200, "INVITE"))
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200
        await bench.heard("ended", "c.1", 0, True, True)


async def test_the_first_of_two_bindings_wins_and_the_other_is_cancelled_with_its_reason() -> None:
    async with Bench() as bench:
        desk = await bench.peer("op1", register=True)
        cell = await bench.peer("op1", tcp=True, register=True)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        first, second = await desk.request("INVITE"), await cell.request("INVITE")
        assert first.one("Call-ID") != second.one("Call-ID")
        desk.reply(first, 180, "Ringing", "d")
        cell.reply(second, 180, "Ringing", "c")
        await bench.heard("rang", "c.2")
        cell.reply(second, 200, "OK", "c", sdp(42000))
        await cell.request("ACK")
        cancel = await desk.request("CANCEL")
        assert cancel.one("Reason") == 'SIP;cause=200;text="Call completed elsewhere"'
        assert cancel.one("Via") == first.one("Via")
        desk.reply(cancel, 200, "OK", "d")
        desk.reply(first, 487, "Request Terminated", "d")
        await desk.request("ACK")
        await bench.heard("answered", "c.2")
        assert bench.ears.media["c.2"].rtp_port == 42000
        assert [bench.ears.of(word) for word in ("rang", "ended")] == [[("rang", "c.2")], []]


async def test_a_200_that_crosses_our_cancel_gets_ack_and_bye() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        invite = await rung(bench, operator)
        bench.edge.end("c.2", 480, "answered elsewhere")
        cancel = await operator.request("CANCEL")
        operator.reply(invite, 200, "OK", "t1", sdp(41000))
        await operator.request("ACK")
        bye = await operator.request("BYE")
        operator.reply(cancel, 200, "OK", "t1")
        operator.reply(bye, 200, "OK")
        await bench.heard("ended", "c.2", 487, False, False)
        assert bench.ears.of("answered") == []


async def test_two_2xx_of_one_invite_leave_one_dialog() -> None:
    """A proxy may have forked: the second To tag is acknowledged and hung up (RFC 3261 13.2.2.4)."""
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        invite = await rung(bench, operator)
        operator.reply(invite, 200, "OK", "t1", sdp(41000))
        await operator.request("ACK")
        operator.reply(invite, 200, "OK", "t2", sdp(41002))
        bye = await operator.request("BYE")
        assert bye.to_tag == "t2"
        operator.reply(bye, 200, "OK")
        assert bench.ears.of("ended") == []


async def test_a_2xx_again_gets_its_ack_again() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        call = await taken(bench, operator)
        assert call.invite is not None
        operator.reply(call.invite, 200, "OK", "t1", sdp(41000))
        await operator.request("ACK")
        bench.skip(33)  # the INVITE's transaction is gone
        operator.reply(call.invite, 200, "OK", "t1", sdp(41000))
        await operator.request("ACK")
        assert len(bench.ears.of("answered")) == 1


async def test_cancel_waits_for_a_provisional_response() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        invite = await operator.request("INVITE")
        bench.edge.end("c.2", 480, "no longer needed")
        await eventually(lambda: bench.shelf.legs["c.2"].blob and not bench.edge._gear.outbox.busy("c.2"), 3.0)
        assert not any(got.method == "CANCEL" for got in operator.inbox)
        operator.reply(invite, 100, "Trying")
        cancel = await operator.request("CANCEL")
        operator.reply(cancel, 200, "OK", "t1")
        operator.reply(invite, 487, "Request Terminated", "t1")
        await operator.request("ACK")
        await bench.heard("ended", "c.2", 487, False, False)


async def test_a_seat_that_says_nothing_is_let_go_after_four_seconds() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        await taken(bench, operator)
        bench.edge.end("c.2", 480, "over")
        await operator.request("BYE")
        bench.skip(4.1)
        await bench.heard("ended", "c.2", 0, False, True)
        bench.skip(40)
        assert len(bench.ears.of("ended")) == 1


async def test_failures_of_all_forks_are_told_once_with_the_one_that_says_most() -> None:
    async with Bench() as bench:
        desk = await bench.peer("op1", register=True)
        cell = await bench.peer("op1", register=True)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        first, second = await desk.request("INVITE"), await cell.request("INVITE")
        desk.reply(first, 408, "Request Timeout", "d")
        await desk.request("ACK")
        assert bench.ears.of("ended") == []
        cell.reply(second, 486, "Busy Here", "c")
        await cell.request("ACK")
        await bench.heard("ended", "c.2", 486, True, False)


async def test_nobody_registered_ends_at_once_and_a_fallback_is_dialled() -> None:
    async with Bench() as bench:
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        await bench.heard("ended", "c.2", 480, True, False)
        point = await bench.peer("hp2")
        fallback = f"sip:hp2@127.0.0.1:{point.port}"
        bench.edge.dial("c.3", Target(user="hp2", fallback=fallback), SHOWN, local(), ("PCMA",))
        invite = await point.request("INVITE")
        assert invite.start == f"INVITE {fallback} SIP/2.0"


async def test_nobody_answers_the_invite_and_it_ends_as_408() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        await operator.request("INVITE")
        bench.skip(0.6)
        await operator.request("INVITE")
        bench.skip(33)
        await bench.heard("ended", "c.2", 408, True, False)


async def test_a_refused_connection_ends_as_503() -> None:
    async with Bench() as bench:
        target = Target(uri="sip:police@127.0.0.1:1;transport=tcp")
        bench.edge.dial("c.2", target, SHOWN, local(), ("PCMA",))
        await bench.heard("ended", "c.2", 503, True, False)


async def test_a_trunk_that_challenges_gets_credentials_on_its_own_transport() -> None:
    async with Bench() as bench:
        gateway = await bench.peer("gw")
        bench.directory.trunk_access["pstn"] = TrunkAccess("pstn", "127.0.0.1", gateway.port, "udp", "us", "pw", 30_000)
        target = Target(trunk="pstn", uri="sip:112@gateway.test")
        bench.edge.dial("c.2", target, SHOWN, local(), ("PCMA",))
        invite = await gateway.request("INVITE")
        challenge = 'Proxy-Authenticate: Digest realm="gateway.test", nonce="n1", algorithm=MD5, qop="auth"'
        gateway.reply(invite, 407, "Proxy Authentication Required", "g", lines=(challenge,))
        await gateway.request("ACK")
        again = await gateway.request("INVITE")
        assert again.start == "INVITE sip:112@gateway.test SIP/2.0"
        assert again.one("CSeq") == "2 INVITE"
        assert again.one("Call-ID") == invite.one("Call-ID")
        assert 'username="us"' in again.one("Proxy-Authorization")
        gateway.reply(again, 183, "Session Progress", "g")
        await bench.heard("rang", "c.2")
        gateway.reply(again, 200, "OK", "g", sdp(41000))
        await gateway.request("ACK")
        await bench.heard("answered", "c.2")
        bench.edge.end("c.2", 480, "over")
        bye = await gateway.request("BYE")
        assert bye.one("CSeq") == "3 BYE"
        gateway.reply(bye, 200, "OK")


async def test_an_answer_that_takes_nothing_of_our_offer_is_hung_up_as_488() -> None:
    async with Bench() as bench:
        operator = await bench.peer("op1", register=True)
        invite = await rung(bench, operator)
        operator.reply(invite, 200, "OK", "t1", sdp(41000).replace("RTP/AVP 0 8 101", "RTP/AVP 101"))
        await operator.request("ACK")
        await operator.request("BYE")
        await bench.heard("ended", "c.2", 488, True, False)
