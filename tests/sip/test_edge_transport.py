"""Sockets: framing over TCP, connections that say nothing, too many of them, keepalives, probes."""

import asyncio

import pytest

from callserver.sip import transport
from callserver.sip.interface import Target, TrunkAccess
from tests.eventually import eventually
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import Got, sdp
from tests.sip.test_edge_calls import SHOWN, pressed, taken
from tests.sip.test_edge_identity import plain


async def test_a_press_split_at_every_byte_is_one_press() -> None:
    async with Bench() as bench:
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        point = await bench.peer("hp1", tcp=True)
        text = plain(point, "INVITE", "sip:help@help.test", body=sdp()) + plain(point, "OPTIONS", "sip:help@help.test")
        for byte in text.encode():
            point.writer.write(bytes([byte]))
            await point.writer.drain()
        assert (await point.final("OPTIONS")).status == 200
        assert len(bench.ears.of("pressed")) == 1


async def test_two_crlf_on_a_connection_are_answered_with_one() -> None:
    async with Bench() as bench:
        reader, writer = await asyncio.open_connection(*bench.tcp.getsockname())
        writer.write(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(2), 3) == b"\r\n"
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("said", [b"", b"OPTIONS sip:help@help.test SIP/2.0\r\nVia: SIP/2.0/TCP"], ids=["silent", "half"])
async def test_a_connection_without_a_whole_message_is_closed_after_ten_seconds(said: bytes) -> None:
    async with Bench() as bench:
        reader, writer = await asyncio.open_connection(*bench.tcp.getsockname())
        writer.write(said)
        await eventually(lambda: bench.kept.sockets, 3.0)
        bench.skip(9)
        assert bench.kept.sockets
        bench.skip(2)
        assert await asyncio.wait_for(reader.read(), 3) == b""
        assert not bench.kept.sockets
        writer.close()
        await writer.wait_closed()


async def test_half_a_message_closes_a_registered_connection_too_and_the_binding_stays_for_a_while() -> None:
    async with Bench() as bench:
        peer = await bench.peer("op1", tcp=True, register=True)
        peer.send("OPTIONS sip:")
        bench.skip(5)
        assert not peer.closed
        await eventually(lambda: [it for it in bench.edge._transport._open.values() if it.waiting_since], 3.0)
        bench.skip(11)
        await eventually(lambda: peer.closed, 3.0)
        assert bench.edge.bindings_of("op1")


async def test_a_framing_fault_is_answered_and_the_connection_closed() -> None:
    async with Bench() as bench:
        peer = await bench.peer("hp1", tcp=True)
        peer.send(plain(peer, "OPTIONS", "sip:help@help.test").replace("Content-Length: 0", "Content-Length: -1"))
        answer = await peer.final("OPTIONS")
        assert answer.status == 400
        await eventually(lambda: peer.closed, 3.0)


async def test_a_connection_too_many_is_refused_and_other_addresses_do_not_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_UNPROVEN_EACH", 2)
    async with Bench() as bench:
        await bench.peer("op1", tcp=True, register=True, host="127.0.0.4")
        silent = [await bench.peer("x", tcp=True) for _ in range(3)]
        await eventually(lambda: silent[2].closed, 3.0)
        assert not silent[0].closed and not silent[1].closed
        other = await bench.peer("op2", tcp=True, host="127.0.0.3")
        assert (await other.register()).status == 200


async def test_where_somebody_is_known_more_may_come_at_once_and_a_proven_one_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Devices behind one address, all of which lost their connection in the same moment."""
    monkeypatch.setattr(transport, "MAX_UNPROVEN_EACH", 2)
    monkeypatch.setattr(transport, "MAX_UNPROVEN_KNOWN", 5)
    async with Bench() as bench:
        await bench.peer("op1", tcp=True, register=True)
        coming = [await bench.peer("x", tcp=True) for _ in range(6)]
        await eventually(lambda: coming[5].closed, 3.0)
        assert not any(peer.closed for peer in coming[:5])


async def test_a_binding_that_answers_no_options_is_told_and_told_again_when_it_does() -> None:
    async with Bench() as bench:
        peer = await bench.peer("op1", register=True)
        peer.answer_probes = False
        bench.skip(60)
        await peer.request("OPTIONS")
        bench.skip(4.1)
        await peer.request("OPTIONS")
        assert bench.ears.of("probed") == []
        bench.skip(4.1)
        assert bench.ears.of("probed") == [("probed", "op1", False)]
        peer.answer_probes = True
        bench.skip(45)
        await bench.heard("probed", "op1", True)


async def test_a_closed_connection_is_doubted_at_once_and_registering_again_clears_it() -> None:
    async with Bench() as bench:
        peer = await bench.peer("op1", tcp=True, register=True)
        await peer.close()
        await bench.heard("probed", "op1", False)
        assert bench.edge.bindings_of("op1")
        await bench.peer("op1", tcp=True, register=True)
        await bench.heard("probed", "op1", True)


async def test_a_point_and_a_seat_talk_over_one_tcp_connection_each() -> None:
    async with Bench() as bench:
        point = await bench.peer("hp1", tcp=True)
        await pressed(bench, point)
        operator = await bench.peer("op1", tcp=True, register=True)
        await taken(bench, operator)
        assert len(bench.edge._transport._open) == 2
        bench.edge.end("c.1", 480, "")
        assert (await point.final("INVITE")).status == 480


async def test_the_invite_says_what_the_binding_said() -> None:
    """The Contact's octets become the Request-URI, and it goes to where the REGISTER came from."""
    async with Bench() as bench:
        peer = await bench.peer("op1")
        contact = f"sip:op1-0x7f%20b@203.0.113.5:{peer.port};x=y"
        assert (await peer.register(contact=f"<{contact}>")).status == 200
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        invite: Got = await peer.request("INVITE")
        assert invite.start == f"INVITE {contact} SIP/2.0"
        assert not any(invite.one(name) for name in ("P-Asserted-Identity", "Remote-Party-ID", "Diversion"))


async def test_a_trunk_is_probed_by_its_plan_and_its_own_probes_are_answered() -> None:
    async with Bench() as bench:
        gateway = await bench.peer("gw")
        bench.directory.trunk_access["pstn"] = TrunkAccess("pstn", "127.0.0.1", gateway.port, "udp", "", "", 10_000)
        bench.die()
        await bench.reborn()
        bench.skip(0.1)
        await bench.heard("probed", "pstn", True)
        gateway.answer_probes = False
        bench.skip(20)
        await gateway.request("OPTIONS")
        bench.skip(4.1)
        await gateway.request("OPTIONS")
        bench.skip(4.1)
        assert bench.ears.of("probed") == [("probed", "pstn", True), ("probed", "pstn", False)]
        gateway.send(plain(gateway, "OPTIONS", "sip:help@help.test"))
        assert (await gateway.response(200, "OPTIONS")).status == 200


async def test_another_plan_has_other_trunks_and_its_new_users_are_told() -> None:
    """A new trunk is probed at once, one that is gone no more; who did not answer when asked last is not told as there."""
    async with Bench() as bench:
        older, newer = await bench.peer("gw1"), await bench.peer("gw2")
        bench.directory.trunk_access = {"old": TrunkAccess("old", "127.0.0.1", older.port, "udp", "", "", 10_000)}
        bench.edge.plan_changed(lambda user: False)
        bench.skip(0.1)
        await bench.heard("probed", "old", True)
        await bench.peer("hp1", register=True)
        await bench.peer("op2", register=True)
        dead = await bench.peer("op1", register=True)
        dead.answer_probes = False
        bench.skip(60)
        for _ in range(2):
            await dead.request("OPTIONS")
            bench.skip(4.1)
        await bench.heard("probed", "op1", False)
        bench.ears.heard.clear()
        bench.directory.trunk_access = {"new": TrunkAccess("new", "127.0.0.1", newer.port, "udp", "", "", 10_000)}
        bench.edge.plan_changed(lambda user: user != "op2")
        assert bench.ears.of("bound") == [("bound", "hp1")]
        older.answer_probes = newer.answer_probes = False
        bench.skip(0.1)
        for _ in range(2):
            await newer.request("OPTIONS")
            bench.skip(4.1)
        assert [entry for entry in bench.ears.of("probed") if entry[1] in ("old", "new")] == [("probed", "new", False)]
