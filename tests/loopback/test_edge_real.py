"""The edge alone against real phones: registration, presses, parallel ringing, holding of the line over a restart."""

from pathlib import Path

import pytest

from callserver.sip.interface import Target
from tests.conftest import Peers
from tests.eventually import eventually
from tests.sip.authority import Authority
from tests.sip.edge_bench import DOMAIN, SECRET, Bench, local
from tests.sip.test_edge_calls import SHOWN

pytestmark = pytest.mark.real


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_baresip_point_presses_is_answered_and_hung_up_after_a_restart(
    peers: Peers, transport: str, tmp_path: Path
) -> None:
    async with Bench(min_expires_s=3) as bench:
        authority = Authority(tmp_path)
        bench.secure(authority.server())
        server = getattr(bench, transport).getsockname()
        how = {"server": server, "domain": DOMAIN, "transport": transport, "ca": authority.file, "register_every_s": 3}
        point = peers.baresip("hp1", password=SECRET + "hp1", **how)
        point.start()
        await bench.heard("bound", "hp1", within=10)
        point.dial(f"sip:help@{DOMAIN}")
        bench.edge.adopt(await bench.dialog(), "c.1")
        await eventually(lambda: point.seen("CALL_RINGING"), 5)
        remote = bench.edge.progress("c.1", local())
        assert remote is not None and remote.codec == "PCMA"
        await eventually(lambda: point.seen("CALL_PROGRESS"), 5)
        assert not point.seen("CALL_ESTABLISHED")
        bench.edge.answer("c.1")
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 5)
        await eventually(lambda: bench.shelf.legs["c.1"].up and not bench.edge._gear.outbox.busy("c.1"), 5)
        bench.die()
        await bench.reborn()
        if transport == "tls":  # its connection is gone, and it makes another when it registers again
            await bench.heard("probed", "hp1", True, within=10)
        bench.edge.end("c.1", 480, "over")
        await eventually(lambda: point.seen("CALL_CLOSED"), 5)
        await bench.heard("ended", "c.1", 0, False, True)


async def test_baresip_and_linphone_ring_together_and_the_first_to_answer_wins(peers: Peers) -> None:
    async with Bench() as bench:
        options = {"server": bench.udp.getsockname(), "domain": DOMAIN}
        first = peers.baresip("op1", password=SECRET + "op1", **options).start()
        second = peers.linphone("op2", password=SECRET + "op2", **options).start()
        await bench.heard("bound", "op1", within=10)
        await bench.heard("bound", "op2", within=15)
        for leg, user in (("c.2", "op1"), ("c.3", "op2")):
            bench.edge.dial(leg, Target(user=user), SHOWN, local(), ("PCMA", "PCMU"))
            await bench.heard("rang", leg, within=5)
        second.answer()
        await bench.heard("answered", "c.3", within=5)
        bench.edge.end("c.2", 480, "answered elsewhere")
        await bench.heard("ended", "c.2", 487, False, False, within=5)
        await eventually(lambda: first.seen("CALL_CLOSED"), 5)
        second.hangup()
        await bench.heard("ended", "c.3", 0, True, True, within=5)
