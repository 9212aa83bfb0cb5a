"""A device that is asked for its media anew: by a re-INVITE of ours, whatever it answers, and beside what else is under way."""

from callserver.sip.edge import Edge
from tests.sip.edge_bench import Bench
from tests.sip.edge_peer import sdp
from tests.sip.test_edge_in_dialog import up


async def test_a_device_is_asked_with_what_stands_and_its_answer_is_told() -> None:
    async with Bench() as bench:
        point, _ = await up(bench)
        bench.edge.renew_media("c.1")
        invite = await point.request("INVITE")
        assert "m=audio 30000 RTP/AVP 0 101" in invite.body and "tag=" in invite.one("To")
        point.reply(invite, 200, "OK", body=sdp(40222).replace("RTP/AVP 0 8 101", "RTP/AVP 0 101"))
        ack = await point.request("ACK")
        assert ack.one("CSeq").split()[0] == invite.one("CSeq").split()[0]
        await bench.heard("changed", "c.1")
        assert bench.ears.media["c.1"].rtp_port == 40222


async def test_a_device_that_refuses_keeps_its_call_as_it_was() -> None:
    async with Bench() as bench:
        point, call = await up(bench)
        for status in (488, 491, 500, 501):
            bench.edge.renew_media("c.1")
            invite = await point.request("INVITE")
            point.reply(invite, status, "No")
            await point.request("ACK")
            point.inbox.clear()
        assert bench.ears.of("changed") == [] and bench.ears.of("ended") == []
        point.in_dialog(call, "INVITE", sdp(40333))
        assert (await point.final("INVITE")).status == 200


async def test_a_device_that_does_not_know_the_call_any_more_is_a_lost_line() -> None:
    async with Bench() as bench:
        point, _ = await up(bench)
        bench.edge.renew_media("c.1")
        point.reply(await point.request("INVITE"), 481, "No such call")
        await bench.heard("ended", "c.1", 481, True, True)


async def test_asked_again_while_the_first_is_open_it_is_asked_once() -> None:
    """Nor is a leg asked that rings, or that nobody knows; and an offer of the device's own meanwhile is 491."""
    async with Bench() as bench:
        point, call = await up(bench)
        edge: Edge = bench.edge
        for _ in range(3):
            edge.renew_media("c.1")
        edge.renew_media("c.9")
        invite = await point.request("INVITE")
        point.in_dialog(call, "INVITE", sdp(40444))
        assert (await point.final("INVITE")).status == 491
        point.reply(invite, 200, "OK", body=sdp().replace("RTP/AVP 0 8 101", "RTP/AVP 0 101"))
        await point.request("ACK")
        assert sum(got.start.startswith("INVITE") for got in point.inbox) == 1
