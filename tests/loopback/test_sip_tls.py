"""SIP over TLS with the whole service: telephones, a killed switchboard, a renewed certificate, and a trunk that registers."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callserver.cli import app
from tests.conftest import Peers
from tests.eventually import eventually, eventually_sync
from tests.loopback.desk import desk
from tests.loopback.service import Service, plan_text
from tests.peers.ports import Ports
from tests.peers.tones import heard
from tests.sip.authority import DAY, Authority
from tests.sip.carrier import Carrier

POLICE = ["sip:police@127.0.0.1:9"]
POINT_HZ, OPERATOR_HZ = 440.0, 1000.0


class _Secure(Service):
    """A service with a certificate for SIP."""

    def __init__(self, directory: Path, ports: Ports, plan: str, certificate: Path, key: Path, seed: str = "") -> None:
        super().__init__(directory, ports, plan, spares=2)
        self.tls_port = ports.take()
        with (directory / "seed.toml").open("a") as file:
            file.write(seed)
        toml = directory / "callserver.toml"
        keys = f'[sip]\ntls_cert = "{certificate}"\ntls_key = "{key}"\ntls_port = {self.tls_port}\n'
        toml.write_text(toml.read_text().replace("[sip]\n", keys, 1))

    def reload(self) -> None:
        """SIGHUP."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def _secure(directory: Path, ports: Ports, plan: str, files: tuple[Path, Path], seed: str = "") -> Iterator[_Secure]:
    service = _Secure(directory / "service", ports, plan, *files, seed)
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.mark.real
async def test_a_point_and_a_softphone_talk_by_tls_and_hang_up_after_the_switchboard_died(
    tmp_path: Path, ports: Ports, peers: Peers
) -> None:
    """The certificate is that of `callserver certificate`. After the kill nobody is rung, and sound goes on."""
    made = CliRunner().invoke(app, ["certificate", "--host", "127.0.0.1", "--directory", str(tmp_path / "tls")])
    assert made.exit_code == 0, made.output
    with _secure(tmp_path, ports, plan_text(POLICE), (tmp_path / "tls/server.pem", tmp_path / "tls/server.key")) as service:
        how: dict[str, object] = {"transport": "tls", "server": ("127.0.0.1", service.tls_port), "domain": "127.0.0.1"}
        how |= {"register_every_s": 30, "ca": tmp_path / "tls/callserver-ca.crt"}
        point = peers.baresip("p1", password="secret-p1", hz=POINT_HZ, **how).start()
        operator = peers.baresip("op1", password="secret-op1", hz=OPERATOR_HZ, answer="auto", **how).start()
        await eventually(lambda: point.registered() and operator.registered(), 10)
        await eventually(lambda: service.journal("SeatChanged"), 5)
        point.dial(f"sip:help@127.0.0.1:{service.tls_port}")
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 10)
        await eventually(lambda: heard(operator.received_wav(), POINT_HZ) and heard(point.received_wav(), OPERATOR_HZ), 8)
        os.kill(service.pid("switchboard"), signal.SIGKILL)
        await eventually(lambda: service.journal("ServerStarted")[1:], 10)
        seen = point.count("REGISTER_OK")
        await eventually(lambda: point.count("REGISTER_OK") > seen and operator.registered(), 45)
        assert point.in_call() and operator.in_call() and operator.count("CALL_ESTABLISHED") == 1
        assert heard(operator.received_wav(), POINT_HZ) and heard(point.received_wav(), OPERATOR_HZ)
        operator.hangup()
        await eventually(point.idle, 10)
        await eventually(lambda: [f for f in service.journal("CallMoved") if f["new"] == "ended"], 10)


@pytest.mark.real
def test_a_certificate_that_ends_soon_rings_and_a_renewed_one_is_taken_up_at_once(tmp_path: Path, ports: Ports) -> None:
    """One that cannot be read rings as well, and the one of before stays in use."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", ends=10 * DAY)
    with _secure(tmp_path, ports, plan_text(POLICE), (certificate, key)) as service:
        eventually_sync(lambda: "expires on" in _alarm(service), 10)
        renewed = authority.issue("localhost", "renewed.test")
        shutil.copy(renewed[0], certificate)
        shutil.copy(renewed[1], key)
        service.reload()
        eventually_sync(lambda: "renewed.test" in _names(service, authority), 10)
        assert _alarm(service) == ""
        certificate.write_text("nothing")
        service.reload()
        eventually_sync(lambda: "stays in use" in _alarm(service), 10)
        assert "renewed.test" in _names(service, authority)


@pytest.mark.real
def test_without_a_certificate_that_can_be_read_udp_and_tcp_are_served_and_tls_is_when_it_comes(
    tmp_path: Path, ports: Ports
) -> None:
    """People before papers."""
    authority = Authority(tmp_path)
    certificate, key = tmp_path / "later.pem", tmp_path / "later.key"
    with _secure(tmp_path, ports, plan_text(POLICE), (certificate, key)) as service:
        eventually_sync(lambda: "SIP over TLS is off" in _alarm(service), 10)
        with socket.create_connection(service.server, timeout=3) as plain:
            plain.sendall(b"\r\n\r\n")
            assert plain.recv(2) == b"\r\n"
        for made, file in zip(authority.issue("localhost"), (certificate, key), strict=True):
            shutil.copy(made, file)
        service.reload()
        eventually_sync(lambda: "localhost" in _names(service, authority), 10)


@pytest.mark.real
async def test_a_trunk_that_registers_by_tls_carries_the_police_and_the_next_is_taken_while_it_is_lost(
    tmp_path: Path, ports: Ports
) -> None:
    """Registered, called as who is registered, lost with an alarm that says why, passed over, and back."""
    authority = Authority(tmp_path)
    line, spare = Carrier("tls", authority.server()), Carrier("tcp")
    async with line, spare:
        plan = plan_text(["sip:police@carrier.test", "sip:police@spare.test"], trusted=True)
        plan = plan.replace('uri = "sip:police@carrier.test"', 'uri = "sip:police@carrier.test"\ntrunk = "line"')
        plan = plan.replace('uri = "sip:police@spare.test"', 'uri = "sip:police@spare.test"\ntrunk = "spare"')
        plan += f'\n[trunks.line]\nhost = "localhost"\nport = {line.port}\ntransport = "tls"\nca = "{authority.file}"\n'
        plan += 'user = "us"\nregister = true\nprobe = "1s"\n'
        plan += f'[trunks.spare]\nhost = "127.0.0.1"\nport = {spare.port}\ntransport = "tcp"\nuser = "us"\nprobe = "1s"\n'
        seed = "".join(f'\n[[trunk]]\nid = "{name}"\npassword = "line-secret"\n' for name in ("line", "spare"))
        with _secure(tmp_path, ports, plan, authority.issue("localhost"), seed) as service:
            await _follow(service, line, spare)


async def _follow(service: _Secure, line: Carrier, spare: Carrier) -> None:
    async with desk(service) as people:
        await eventually(lambda: "us" in line.bound and _trunk(service, "line") is True, 10)
        point = await people.phone("p1", POINT_HZ, register=False)
        call = await point.press()
        assert line.of("INVITE")[-1].one("From").partition("<")[2].startswith("sip:us@localhost>")
        await call.bye()
        await line.got("BYE", within=5.0)
        line.close()
        await eventually(lambda: _trunk(service, "line") is False, 10)
        assert "refused" in _alarm(service, "trunk:line").lower()
        tried = len(service.journal("RouteTried"))
        again = await people.phone("p2", POINT_HZ, register=False)
        call = await again.press()
        assert [f["route"] for f in service.journal("RouteTried")[tried:]] == [1]
        assert spare.of("INVITE")
        await call.bye()
        line.bound.clear()
        await line.open()
        await eventually(lambda: _trunk(service, "line") is True and "us" in line.bound, 15)
        assert _alarm(service, "trunk:line") == ""
        os.kill(service.pid("switchboard"), signal.SIGKILL)
        line.bound.clear()
        await eventually(lambda: "us" in line.bound, 10)


def _alarm(service: Service, key: str = "tls:sip") -> str:
    """The text of an alarm that rings, or ""."""
    text = ""
    for fact in service.journal():
        if fact["kind"] in ("AlarmRaised", "AlarmCleared") and fact["key"] == key:
            text = fact["text"] if fact["kind"] == "AlarmRaised" else ""
    return text


def _trunk(service: Service, name: str) -> bool | None:
    told = [fact["reachable"] for fact in service.journal("TrunkChanged") if fact["trunk"] == name]
    return told[-1] if told else None


def _names(service: _Secure, authority: Authority) -> set[str]:
    """For which names the listener shows a certificate."""
    with socket.create_connection(("127.0.0.1", service.tls_port), timeout=3) as plain:
        with authority.client().wrap_socket(plain, server_hostname="localhost") as sealed:
            shown = sealed.getpeercert() or {}
            return {str(value) for _, value in shown["subjectAltName"]}  # type: ignore[misc]
