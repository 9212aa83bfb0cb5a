"""`callserver demo` as a person and a script use it: its description, a typed press, the police desk, the recording, the end."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.eventually import eventually_sync
from tests.peers.ports import Ports

pytestmark = pytest.mark.real

SIMULATED, SPARE = 12, ("dl-spare-1", "dl-spare-2")
LOUD = 0.02  # of full scale, root mean square of the loudest half second


class Demo:
    """A running demo on ports of its own; what it prints goes to a file."""

    def __init__(self, directory: Path, ports: Ports, stdin: int) -> None:
        self.directory, self.log = directory, directory.with_suffix(".log")
        self.sip, self.web, rtp = ports.take(), ports.take(), ports.take(60, even=True)
        options = ("--sip-port", self.sip, "--web-port", self.web, "--rtp-ports", f"{rtp}-{rtp + 59}", "--directory", directory)
        command = [sys.executable, "-m", "callserver", "demo", *map(str, options)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=stdin, stdout=log, stderr=log, start_new_session=True)

    def printed(self) -> str:
        """Everything so far."""
        return self.log.read_text(errors="replace")

    def described(self) -> dict[str, Any]:
        """demo.json, once it is there."""
        path = self.directory / "demo.json"
        eventually_sync(lambda: path.exists() or self.process.poll() is not None, 30)
        assert path.exists(), self.printed()
        read: dict[str, Any] = json.loads(path.read_text())
        return read

    def type(self, line: str) -> None:
        """A line and Enter."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def processes(self) -> list[int]:
        """Everything that has to do with this directory or came from the demo, zombies not counted."""
        mine = [self.process.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != self.process.pid and self._has(entry):
                mine.append(int(entry.name))
        return [pid for pid in mine if pid != self.process.pid or self.process.poll() is None]

    def _has(self, process: Path) -> bool:
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            return False
        return parent == self.process.pid or any(word.startswith(bytes(self.directory)) for word in words)

    def end(self, by: signal.Signals) -> int:
        """Its exit status after a signal."""
        self.process.send_signal(by)
        return self.process.wait(10)


@contextmanager
def running(directory: Path, ports: Ports, stdin: int = subprocess.PIPE) -> Iterator[Demo]:
    """A demo that is gone after the block, whatever happens in it."""
    demo = Demo(directory, ports, stdin)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.end(signal.SIGTERM)
        if demo.process.stdin is not None:
            demo.process.stdin.close()
        for pid in demo.processes():
            os.kill(pid, signal.SIGKILL)


@contextmanager
def signed_in(description: dict[str, Any], role: str) -> Iterator[httpx.Client]:
    """A client with the cookie of one of the described accounts."""
    with httpx.Client(base_url=description["web"], headers={"Origin": description["web"]}, timeout=10) as client:
        account = description[role]
        reply = client.post("/api/session", json={"user": account["user"], "password": account["password"]})
        assert reply.status_code == 200, reply.text
        yield client


def loudest(samples: Any, rate: int) -> float:
    """Root mean square of the loudest half second of one side."""
    step = rate // 2
    return max(float(np.sqrt(np.mean(np.square(samples[at : at + step])))) for at in range(0, len(samples) - step, step))


def check_description(description: dict[str, Any], demo: Demo) -> None:
    """Every key that scripts rely on, with its form."""
    roles = ("supervisor", "auditor", "administrator")
    assert set(description) == {"web", "sip", "help", "points", "seats", "police", *roles}
    assert description["web"] == f"http://127.0.0.1:{demo.web}"
    assert description["sip"] == {"host": "127.0.0.1", "udp": demo.sip, "tcp": demo.sip, "domain": "127.0.0.1"}
    assert description["help"] == f"sip:help@127.0.0.1:{demo.sip}"
    assert description["police"].startswith("sip:police@127.0.0.1:")
    for point in description["points"]:
        assert set(point) == {"id", "user", "password", "place", "simulated"} and all(str(value) for value in point.values())
    assert sum(point["simulated"] for point in description["points"]) == SIMULATED
    assert tuple(point["id"] for point in description["points"] if not point["simulated"]) == SPARE
    assert [set(seat) for seat in description["seats"]] == [{"kind", "user", "password"}] * len(description["seats"])
    assert sum(seat["kind"] == "softphone" for seat in description["seats"]) >= 2
    assert all(set(description[role]) == {"user", "password"} for role in roles)
    assert (demo.directory / "demo.json").stat().st_mode & 0o077 == 0, "others could read the passwords"


def test_a_typed_press_is_answered_by_the_police_and_can_be_heard_again(tmp_path: Path, ports: Ports) -> None:
    """The whole way of a visitor without a softphone; SIGTERM ends all of it, and a second start has the same passwords."""
    with running(tmp_path / "var", ports) as demo:
        description = demo.described()
        check_description(description, demo)
        with signed_in(description, "auditor") as client:
            reachable = {each["id"] for each in client.get("/api/points").json()["items"] if each["reachable"]}
            assert reachable == {point["id"] for point in description["points"] if point["simulated"]}
            demo.type("nonsense")
            demo.type("3")
            eventually_sync(lambda: "dl-market-square: connected" in demo.printed(), 10)
            assert "police: connected" in demo.printed() and "type 1 to 12" in demo.printed()
            call = client.get("/api/calls").json()["items"][0]
            assert (call["point"], call["state"]) == ("dl-market-square", "talking")
            heard = "callserver_calls_live 1.0"
            eventually_sync(lambda: heard in client.get("/metrics").text, 5)
            begun_ns = _now_ns()
            eventually_sync(lambda: _now_ns() - begun_ns > 4e9, 6)
            demo.type("h p")
            eventually_sync(lambda: client.get(f"/api/calls/{call['id']}").json()["recording"], 20)
            flac = client.get(f"/api/calls/{call['id']}/recording", params={"reason": "test of the demo"})
        assert flac.status_code == 200
        samples, rate = soundfile.read(io.BytesIO(flac.content), dtype="float64")
        assert samples.shape[1] == 2 and len(samples) > 3 * rate
        assert loudest(samples[:, 0], rate) > LOUD, "nobody hears the point"
        assert loudest(samples[:, 1], rate) > LOUD, "nobody hears the police desk"
        assert len(demo.processes()) > SIMULATED // 4
        assert demo.end(signal.SIGTERM) == 0
        assert demo.processes() == []
        assert not (demo.directory / "demo.json").exists()
    with running(tmp_path / "var", ports, subprocess.DEVNULL) as again:
        passwords = [point["password"] for point in again.described()["points"]]
        assert passwords == [point["password"] for point in description["points"]]
        assert again.end(signal.SIGINT) == 0
        assert again.processes() == []


@pytest.mark.parametrize(("option", "kind"), [("--sip-port", "udp"), ("--sip-port", "tcp"), ("--web-port", "tcp")])
def test_a_taken_port_is_named_with_its_option(tmp_path: Path, ports: Ports, option: str, kind: str) -> None:
    """Nothing is started, and the way out is told."""
    taken = ports.take()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)) as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier test's connection may linger there
        squatter.bind(("127.0.0.1", taken))
        if kind == "tcp":
            squatter.listen()
        other = "--web-port" if option == "--sip-port" else "--sip-port"
        command = ["demo", "--directory", str(tmp_path), option, str(taken), other, str(ports.take())]
        ended = subprocess.run(
            [sys.executable, "-m", "callserver", *command], capture_output=True, text=True, timeout=20, check=False
        )
    assert ended.returncode == 1
    assert f"port {taken} ({kind.upper()})" in ended.stderr and option in ended.stderr and "Traceback" not in ended.stderr
    assert not (tmp_path / "demo.json").exists()


def test_the_service_ends_with_a_demo_that_is_killed(tmp_path: Path, ports: Ports) -> None:
    """Even SIGKILL leaves neither the service nor a phone behind."""
    with running(tmp_path / "var", ports) as demo:
        demo.described()
        assert demo.end(signal.SIGKILL) == -signal.SIGKILL
        eventually_sync(lambda: demo.processes() == [], 10)


def _now_ns() -> int:
    import time

    return time.monotonic_ns()
