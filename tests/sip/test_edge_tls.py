"""SIP over TLS at the edge: devices that connect, handshakes that stall, certificates that change, and what follows a restart."""

import asyncio
import contextlib
import socket
import ssl
import time
from pathlib import Path

import pytest

from callserver.sip import transport
from callserver.sip.interface import Target
from callserver.sip.limits import LimitSettings
from callserver.web.tls import server_side
from tests.eventually import eventually
from tests.sip.authority import Authority
from tests.sip.edge_bench import Bench, local
from tests.sip.edge_peer import sdp
from tests.sip.test_edge_calls import SHOWN, answered, bench_up, pressed, taken
from tests.sip.test_edge_identity import plain


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_point_and_a_seat_talk_by_tls_and_are_told_where_we_are(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        point = await bench.peer("hp1", tls=authority.client())
        call, ok = await answered(bench, point)
        port = bench.tls.getsockname()[1]
        assert ok.one("Contact") == f"<sip:help@127.0.0.1:{port};transport=tls>"
        operator = await bench.peer("op1", register=True, tls=authority.client())
        await taken(bench, operator)
        invite = next(got for got in operator.inbox if got.method == "INVITE")
        assert invite.one("Via").startswith(f"SIP/2.0/TLS 127.0.0.1:{port};")
        assert any("tls:127.0.0.1" in str(one) for one in bench.edge.trace("c.1"))
        point.in_dialog(call, "BYE")
        assert (await point.final("BYE")).status == 200
        assert not bench.kept.sockets  # nobody else could go on with these connections


async def test_who_calls_by_sips_is_answered_by_sips(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        point = await bench.peer("hp1", tls=authority.client())
        point.send(plain(point, "INVITE", "sips:help@help.test", body=sdp()))
        bench.edge.adopt(await bench.dialog(), "c.1")
        ringing = await point.response(180)
        assert ringing.one("Contact") == f"<sips:help@127.0.0.1:{bench.tls.getsockname()[1]}>"


async def test_a_press_in_records_of_one_byte_is_one_press(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        bench.directory.trusted_pairs.add(("hp1", "127.0.0.1"))
        point = await bench.peer("hp1", tls=authority.client())
        for byte in plain(point, "INVITE", "sip:help@help.test", body=sdp()).encode():
            point.writer.write(bytes([byte]))
        await bench.dialog()
        assert len(bench.ears.of("pressed")) == 1


async def test_two_crlf_by_tls_are_answered_with_one(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        reader, writer = await asyncio.open_connection(
            *bench.tls.getsockname(), ssl=authority.client(), server_hostname="localhost"
        )
        writer.write(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(2), 3) == b"\r\n"
        writer.close()


@pytest.mark.parametrize("said", [b"OPTIONS sip:help@help.test SIP/2.0\r\n\r\n", b"\x00" * 300], ids=["sip", "noughts"])
async def test_who_speaks_no_tls_is_closed_at_once(authority: Authority, said: bytes) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        reader, writer = await asyncio.open_connection(*bench.tls.getsockname())
        writer.write(said)
        await asyncio.wait_for(_ended(reader), 3)
        writer.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_an_old_version_of_tls_is_refused(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(server_side(*authority.issue("localhost")))
        old = authority.client()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError, match=r"(?i)version|handshake"):
            await bench.peer("hp1", tls=old)


async def test_a_handshake_that_stalls_is_ended_after_five_seconds(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        reader, writer = await asyncio.open_connection(*bench.tls.getsockname())
        writer.write(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        await eventually(lambda: bench.edge._transport._open, 3.0)
        bench.skip(4)
        assert bench.edge._transport._open
        bench.skip(2)
        assert await asyncio.wait_for(reader.read(), 3) == b""
        writer.close()


async def test_a_hundred_stalled_handshakes_delay_no_press(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        stalled = [await _stall(bench, f"127.0.0.{20 + number % 10}") for number in range(100)]
        await eventually(lambda: len(bench.edge._transport._open) == 100, 5.0)
        for tls in (None, authority.client()):
            began = time.monotonic()
            point = await bench.peer("hp1" if tls is None else "hp2", tls=tls)
            await point.invite()
            await bench.dialog(number=0 if tls is None else 1)
            assert time.monotonic() - began < 1.0
        for writer in stalled:
            writer.close()


async def test_handshakes_are_bounded_and_connections_that_stand_are_not_counted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_HANDSHAKES", 3)
    async with Bench() as bench:
        bench.secure(authority.server())
        operator = await bench.peer("op1", register=True, tls=authority.client())
        stalled = [await _stall(bench, f"127.0.0.{20 + number}") for number in range(3)]
        await eventually(lambda: len(bench.edge._transport._open) == 4, 3.0)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await bench.peer("op2", tls=authority.client())
        assert not operator.closed
        bench.skip(6)
        other = await bench.peer("op2", tls=authority.client())
        assert (await other.register()).status == 200
        for writer in stalled:
            writer.close()


async def test_who_begins_handshakes_without_end_is_not_listened_to_and_others_are(authority: Authority) -> None:
    limits = LimitSettings(handshakes_burst=5, handshakes_per_s=0.01)
    async with Bench(limits=limits) as bench:
        bench.secure(authority.server())
        for _ in range(5):
            await (await bench.peer("op1", host="127.0.0.20", tls=authority.client())).close()
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await bench.peer("op1", host="127.0.0.20", tls=authority.client())
        assert (await (await bench.peer("op2", tls=authority.client())).register()).status == 200


async def test_a_conversation_goes_on_over_the_connection_that_a_device_makes_after_a_restart(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        point = await bench.peer("hp1", register=True, tls=authority.client())
        call, _ = await answered(bench, point)
        await bench_up(bench, "c.1")
        bench.die()
        await eventually(lambda: point.closed, 3.0)
        await bench.reborn()
        await bench.heard("probed", "hp1", False)  # known at once, not at its next probe
        again = await bench.peer("hp1", register=True, tls=authority.client())
        await bench.heard("probed", "hp1", True)
        again.in_dialog(call, "INFO", "Signal=5\r\n", content="application/dtmf-relay")
        await bench.heard("digit", "c.1", "5")
        bench.edge.end("c.1", 480, "wrapped up")
        again.reply(await again.request("BYE"), 200, "OK")
        await bench.heard("ended", "c.1", 0, False, True)


async def test_a_silent_device_whose_connection_ended_with_us_has_a_while_to_come_back(authority: Authority) -> None:
    """It cannot be asked whether it is there; asked again each ten seconds, it is lost when it stays away."""
    async with Bench() as bench:
        bench.secure(authority.server())
        point = await bench.peer("hp1", register=True, tls=authority.client())
        await answered(bench, point)
        await bench_up(bench, "c.1")
        bench.die()
        await bench.reborn()
        for _ in range(9):
            bench.edge.doubt("c.1")
            bench.skip(9.9)
        assert bench.ears.of("ended") == []
        bench.skip(10)
        bench.edge.doubt("c.1")
        await bench.heard("ended", "c.1", 408, True, True)


async def test_a_device_whose_connection_is_gone_is_not_called_in_vain(authority: Authority) -> None:
    """Nobody may connect to a device that listens nowhere: the call fails at once, and the next seat is rung."""
    async with Bench() as bench:
        bench.secure(authority.server())
        operator = await bench.peer("op1", register=True, tls=authority.client())
        await operator.close()
        await bench.heard("probed", "op1", False)
        bench.edge.dial("c.2", Target(user="op1"), SHOWN, local(), ("PCMA",))
        await bench.heard("ended", "c.2", 503, True, False, within=1.0)


async def test_a_renewed_certificate_is_shown_to_who_comes_and_others_go_on(authority: Authority) -> None:
    async with Bench() as bench:
        bench.secure(authority.server())
        operator = await bench.peer("op1", register=True, tls=authority.client())
        bench.secure(authority.server("localhost", "renewed.test"))
        late = await bench.peer("op2", register=True, tls=authority.client())
        shown = late.writer.get_extra_info("peercert")["subjectAltName"]
        assert ("DNS", "renewed.test") in shown
        assert (await operator.register()).status == 200


async def test_without_a_certificate_whoever_comes_waits_for_it(authority: Authority) -> None:
    async with Bench() as bench:
        coming = asyncio.create_task(bench.peer("op1", register=True, tls=authority.client()))
        await bench.peer("op2", register=True)
        assert not coming.done()
        bench.secure(authority.server())
        await asyncio.wait_for(coming, 5)


@pytest.mark.parametrize("name", ["hp1", "hp1.help.test", "sip:hp1@help.test"])
async def test_a_certificate_that_names_a_point_stands_for_its_password(authority: Authority, name: str) -> None:
    async with Bench() as bench:
        bench.secure(server_side(*authority.issue("localhost"), authority.file))
        point = await bench.peer("hp1", tls=authority.client(name))
        await pressed(bench, point, authorize=False)
        assert 401 not in [got.status for got in point.inbox]


async def test_a_certificate_of_another_stands_for_nothing(authority: Authority, tmp_path: Path) -> None:
    async with Bench() as bench:
        bench.secure(server_side(*authority.issue("localhost"), authority.file))
        other = await bench.peer("hp1", tls=authority.client("hp2"))
        await other.invite(authorize=False)
        assert (await other.final("INVITE")).status == 401
        stranger = authority.client()
        stranger.load_cert_chain(*Authority(tmp_path, "strange").issue("hp1"))
        with contextlib.suppress(OSError, AssertionError):
            point = await bench.peer("hp1", tls=stranger)
            await point.invite(authorize=False)
            await point.response(180, within=1.0)
        assert bench.ears.of("pressed") == []


async def _stall(bench: Bench, host: str) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection(*bench.tls.getsockname(), local_addr=(host, 0), family=socket.AF_INET)
    writer.write(b"\x16\x03\x01")
    return writer


async def _ended(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(1024):
            pass
