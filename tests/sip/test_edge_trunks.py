"""Outside lines: registration with a carrier, TLS with its certificate, and how their loss and their return are noticed."""

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callserver.sip.interface import Target, TrunkAccess
from tests.eventually import eventually
from tests.sip.authority import DAY, Authority
from tests.sip.carrier import Carrier
from tests.sip.edge_bench import Bench, local
from tests.sip.test_edge_calls import SHOWN

POLICE = "sip:police@carrier.test"


def access(carrier: Carrier, host: str = "127.0.0.1", **how: object) -> TrunkAccess:
    """A trunk to this carrier that registers."""
    known = TrunkAccess("line", host, carrier.port, carrier.kind, "us", "line-secret", 30_000, register=True)
    return replace(known, **how)  # type: ignore[arg-type]


@asynccontextmanager
async def trunk(carrier: Carrier, **how: object) -> AsyncIterator[Bench]:
    """An edge with a trunk to the carrier."""
    bench = Bench()
    bench.directory.trunk_access["line"] = access(carrier, **how)  # type: ignore[arg-type]
    async with bench:
        yield bench


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_we_register_with_digest_and_refresh_at_half_the_time(kind: str, algorithm: str, authority: Authority) -> None:
    secure = authority.server() if kind == "tls" else None
    async with Carrier(kind, secure, algorithm=algorithm, grants_s=300) as carrier:
        async with trunk(carrier, ca=str(authority.file) if kind == "tls" else "") as bench:
            await bench.heard("probed", "line", True)
            first, proven = await carrier.got("REGISTER", 2), carrier.of("REGISTER")[1]
            assert first.start == f"REGISTER sip:127.0.0.1:{carrier.port}{'' if kind == 'udp' else f';transport={kind}'} SIP/2.0"
            assert proven.one("From").startswith("<sip:us@127.0.0.1>") and proven.one("To") == "<sip:us@127.0.0.1>"
            assert carrier.bound["us"].startswith("<sip:us@127.0.0.1:")
            bench.skip(149)
            assert len(carrier.of("REGISTER")) == 2
            bench.skip(2)
            again = await carrier.got("REGISTER", 3)
            assert again.one("Call-ID") == proven.one("Call-ID")
            assert int(again.one("CSeq").split()[0]) > int(proven.one("CSeq").split()[0])
            assert len(carrier.connections) == (0 if kind == "udp" else 1)


async def test_a_trunk_is_there_when_it_answers_and_we_are_registered() -> None:
    async with Carrier(refuse=403) as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", False)
        assert bench.ears.whys == ["not registered: refused, 403 No"]
        carrier.refuse = 0
        bench.skip(6)
        await bench.heard("probed", "line", True)


async def test_a_registration_that_fails_is_tried_again_at_growing_intervals() -> None:
    async with Carrier("tcp", refuse=503) as carrier, trunk(carrier) as bench:
        counts = []
        for _ in range(60):
            bench.skip(10)
            await eventually(lambda: not bench.edge._gear.wire._asked, 3.0)
            counts.append(len(carrier.of("REGISTER")))
        assert 8 <= counts[-1] <= 20
        assert counts[30] - counts[0] >= counts[-1] - counts[30]


async def test_a_wrong_password_is_said_and_not_guessed_at() -> None:
    async with Carrier() as carrier, trunk(carrier, password="wrong") as bench:
        await bench.heard("probed", "line", False)
        assert bench.ears.whys == ["not registered: user or password are refused"]
        assert len(carrier.of("REGISTER")) == 2
        for _ in range(5):  # it waits for longer each time
            seen = len(carrier.of("REGISTER"))
            await eventually(lambda seen=seen: (bench.skip(5), len(carrier.of("REGISTER")) > seen)[1], 5.0)  # type: ignore[misc]
        bench.directory.trunk_access["line"] = access(carrier)  # somebody has set the right one
        bench.skip(6)
        assert "us" not in carrier.bound
        bench.edge.accounts_changed()
        bench.skip(0.1)
        await bench.heard("probed", "line", True)


async def test_a_carrier_that_wants_longer_registrations_gets_them() -> None:
    async with Carrier(least_s=1800, grants_s=3600) as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        assert carrier.of("REGISTER")[-1].one("Expires") == "1800"


async def test_a_call_is_made_as_who_is_registered() -> None:
    async with Carrier("tcp") as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        bench.edge.dial("c.3", Target(uri=POLICE, trunk="line"), SHOWN, local(), ("PCMA",))
        await bench.heard("answered", "c.3")
        invite = carrier.of("INVITE")[-1]
        assert invite.start == f"INVITE {POLICE} SIP/2.0"
        assert invite.one("From").startswith('"Platform 1" <sip:us@127.0.0.1>;tag=')
        assert invite.one("Contact").startswith("<sip:us@127.0.0.1:")
        bench.edge.end("c.3", 480, "over")
        await carrier.got("BYE")
        assert len(carrier.connections) == 1


async def test_a_call_by_tls_is_ended_after_a_restart_over_a_connection_that_is_proven_anew(authority: Authority) -> None:
    async with Carrier("tls", authority.server()) as carrier, trunk(carrier, ca=str(authority.file)) as bench:
        bench.edge.dial("c.3", Target(uri=POLICE, trunk="line"), SHOWN, local(), ("PCMA",))
        await bench.heard("answered", "c.3")
        await eventually(lambda: bench.shelf.legs["c.3"].up and not bench.edge._gear.outbox.busy("c.3"), 3.0)
        bench.die()
        await bench.reborn()
        bench.edge.end("c.3", 480, "over")
        bye = await carrier.got("BYE")
        assert bye.start.startswith(f"BYE sip:police@127.0.0.1:{carrier.port};transport=tls SIP/2.0")
        await bench.heard("ended", "c.3", 0, False, True)


async def test_a_trunk_that_a_plan_has_no_more_is_withdrawn_from() -> None:
    async with Carrier() as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        bench.directory.trunk_access = {}
        bench.edge.plan_changed(lambda user: False)
        await eventually(lambda: not carrier.bound, 3.0)
        assert carrier.of("REGISTER")[-1].one("Expires") == "0"
        seen = len(carrier.seen)
        bench.skip(1_000)
        assert len(carrier.seen) == seen


async def test_a_plan_that_says_the_same_of_a_trunk_leaves_its_registration_alone() -> None:
    async with Carrier() as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        bench.ears.heard.clear()
        bench.edge.plan_changed(lambda user: False)
        bench.skip(0.1)
        await bench.heard("probed", "line", True)  # asked by OPTIONS anew
        assert len(carrier.of("REGISTER")) == 2


async def test_a_restart_registers_anew() -> None:
    async with Carrier() as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        bench.die()
        carrier.bound.clear()
        await bench.reborn()
        await eventually(lambda: "us" in carrier.bound, 3.0)


async def test_a_trunk_that_is_silent_is_lost_and_comes_back_with_its_registration() -> None:
    async with Carrier(grants_s=60) as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        carrier.silent = True
        await eventually(lambda: (bench.skip(1), bench.ears.of("probed")[-1] == ("probed", "line", False))[1], 5.0)
        carrier.silent = False
        carrier.bound.clear()  # it has begun anew
        await eventually(lambda: (bench.skip(1), "us" in carrier.bound)[1], 5.0)
        await eventually(lambda: (bench.skip(1), bench.ears.of("probed")[-1] == ("probed", "line", True))[1], 5.0)


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_a_connection_that_ends_is_noticed_at_once_and_made_again(kind: str, authority: Authority) -> None:
    secure = authority.server() if kind == "tls" else None
    async with Carrier(kind, secure) as carrier:
        async with trunk(carrier, ca=str(authority.file) if kind == "tls" else "") as bench:
            await bench.heard("probed", "line", True)
            carrier.close()
            await bench.heard("probed", "line", False)
            assert "refused" in bench.ears.whys[-1].lower()
            await carrier.open()
            bench.skip(46)
            await eventually(lambda: bench.ears.of("probed")[-1] == ("probed", "line", True), 3.0)


async def test_a_connection_that_ends_while_the_carrier_lives_registers_again_and_loses_no_trunk() -> None:
    async with Carrier("tcp") as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        carrier.bound.clear()
        carrier.hang_up()
        await eventually(lambda: carrier.connections, 3.0)
        bench.skip(31)
        await eventually(lambda: "us" in carrier.bound, 3.0)
        assert ("probed", "line", False) not in bench.ears.heard


async def test_a_refresh_that_is_lost_once_loses_no_trunk() -> None:
    async with Carrier(grants_s=300) as carrier, trunk(carrier, probe_ms=0) as bench:
        await bench.heard("probed", "line", True)
        carrier.silent = True
        bench.skip(151)
        await carrier.got("REGISTER", 3)
        bench.skip(11)
        assert bench.ears.of("probed") == [("probed", "line", True)]
        bench.skip(6)
        await carrier.got("REGISTER", 4)
        bench.skip(11)
        assert bench.ears.of("probed")[-1] == ("probed", "line", False)


async def test_a_carrier_that_closes_each_connection_is_not_pestered() -> None:
    async with Carrier("tcp") as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        carrier.closes = True
        began_ns = bench.clock()
        await eventually(lambda: (bench.skip(1), bench.clock() - began_ns > 120e9)[1], 8.0)
        assert len(carrier.of("OPTIONS")) <= 24
        assert len(carrier.of("REGISTER")) <= 14  # two for each registration


async def test_a_connection_that_carries_nothing_back_is_given_up_and_another_is_made() -> None:
    """A cable that was pulled ends no connection: probes by it go unanswered, and the next goes by a new one."""
    async with Carrier("tcp") as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        dead = carrier.connections[0]
        carrier.silent = True
        await eventually(lambda: (bench.skip(1), bench.ears.of("probed")[-1] == ("probed", "line", False))[1], 5.0)
        carrier.silent = False
        await eventually(lambda: (bench.skip(1), bench.ears.of("probed")[-1] == ("probed", "line", True))[1], 5.0)
        assert carrier.connections[-1] is not dead


async def test_a_trunk_is_reached_by_its_name_and_its_own_probes_are_answered() -> None:
    async with Carrier() as carrier, trunk(carrier, host="localhost") as bench:
        await bench.heard("probed", "line", True)
        assert carrier.of("REGISTER")[0].one("To") == "<sip:us@localhost>"
        bench.edge.dial("c.3", Target(uri=POLICE, trunk="line"), SHOWN, local(), ("PCMA",))
        await bench.heard("answered", "c.3")


async def test_a_name_that_nobody_knows_is_said() -> None:
    async with Carrier() as carrier, trunk(carrier, host="line.invalid", register=False) as bench:
        await eventually(lambda: (bench.skip(0.1), bench.ears.of("probed"))[1], 12.0)
        assert bench.ears.whys == ["the name line.invalid cannot be resolved"]


async def test_a_trunk_that_is_not_to_be_probed_is_left_alone() -> None:
    async with Carrier() as carrier, trunk(carrier, probe_ms=0, register=False) as bench:
        await eventually(lambda: (bench.skip(10), bench.clock.ahead_ns > 200e9)[1], 5.0)
        assert carrier.seen == []
    async with Carrier() as carrier, trunk(carrier, probe_ms=0) as bench:
        await bench.heard("probed", "line", True)
        assert carrier.of("OPTIONS") == []


async def test_a_call_from_a_trunk_is_refused() -> None:
    async with Carrier() as carrier, trunk(carrier) as bench:
        await bench.heard("probed", "line", True)
        to = f"sip:us@127.0.0.1:{bench.udp.getsockname()[1]}"
        answers: list[bytes] = []
        ways = carrier.take
        carrier.take = lambda data, send: answers.append(data) if data.startswith(b"SIP/2.0") else ways(data, send)  # type: ignore[method-assign]
        lines = [
            f"INVITE {to} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{carrier.port};branch=z9hG4bKx", f"To: <{to}>",
            "From: <sip:0123@carrier>;tag=a", "Call-ID: x", "CSeq: 1 INVITE", "Max-Forwards: 70",
            "Contact: <sip:0123@127.0.0.1>", "Content-Length: 0",
        ]  # fmt: skip
        carrier.ask("\r\n".join([*lines, "", ""]))
        await eventually(lambda: answers, 3.0)
        assert answers[0].startswith(b"SIP/2.0 403 Calls from this trunk are not taken")
        assert not bench.ears.of("pressed")


# ---- certificates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "age", "why"),
    [
        (("localhost", "127.0.0.1"), {"begins": -9 * DAY, "ends": -DAY}, "its certificate has expired"),
        (("localhost", "127.0.0.1"), {"begins": DAY}, "its certificate is not valid yet"),
        (("other.test",), {}, "its certificate is for another name than localhost"),
    ],
    ids=["expired", "early", "other"],
)
async def test_a_trunk_with_a_wrong_certificate_is_lost_and_says_why(
    names: tuple[str, ...], age: dict[str, datetime.timedelta], why: str, authority: Authority
) -> None:
    async with Carrier("tls", authority.server(*names, **age)) as carrier:
        async with trunk(carrier, host="localhost", ca=str(authority.file), register=False) as bench:
            await eventually(lambda: (bench.skip(0.1), bench.ears.of("probed"))[1], 5.0)
            assert bench.ears.of("probed") == [("probed", "line", False)]
            assert bench.ears.whys == [why]
            bench.edge.dial("c.3", Target(uri=POLICE, trunk="line"), SHOWN, local(), ("PCMA",))
            await bench.heard("ended", "c.3", 503, True, False)
            assert carrier.seen == []  # nothing of the call, and no password, was told to a stranger


async def test_authorities_that_do_not_fit_or_cannot_be_read_are_said(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    missing = tmp_path / "missing.pem"
    for ca, why in (
        (other.file, "its certificate is signed by no authority that is trusted here"),
        (missing, f"{missing}: No such file or directory"),
    ):
        async with Carrier("tls", authority.server()) as carrier, trunk(carrier, ca=str(ca), register=False) as bench:
            await eventually(lambda bench=bench: (bench.skip(0.1), bench.ears.of("probed"))[1], 5.0)
            assert bench.ears.whys == [why]


async def test_a_trunk_that_stalls_in_its_handshake_fails_within_five_seconds(authority: Authority) -> None:
    held: list[asyncio.StreamWriter] = []

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await reader.read()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with Bench() as bench:
        port = server.sockets[0].getsockname()[1]
        bench.directory.trunk_access["line"] = TrunkAccess("line", "127.0.0.1", port, "tls", "", "", 0, str(authority.file))
        bench.edge.dial("c.3", Target(uri=POLICE, trunk="line"), SHOWN, local(), ("PCMA",))
        await eventually(lambda: held, 3.0)
        bench.skip(5)
        await bench.heard("ended", "c.3", 503, True, False)
    held[0].close()
    server.close()
