"""`callserver demo` as a stranger and a script use it: description, links, presses on the street and in the terminal, the police
desk, the recordings, the auditor's first calls, the end."""

import io
import json
import os
import re
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

from callserver.runtime.demo_history import BEGINS_AFTER_S
from tests.eventually import eventually_sync
from tests.peers.ports import Ports

pytestmark = pytest.mark.real

SIMULATED, SPARE = 12, ("dl-spare-1", "dl-spare-2")
PAST = 4  # calls of the night desk
QUIET = 0.004  # somebody breathes
LOUD = 0.02  # of full scale, root mean square of the loudest half second


class Demo:
    """A running demo on ports of its own; what it prints goes to a file."""

    def __init__(self, directory: Path, ports: Ports, stdin: int, *more: str) -> None:
        self.directory, self.log = directory, directory.with_suffix(".log")
        self.sip, self.web, self.street, rtp = ports.take(), ports.take(), ports.take(), ports.take(60, even=True)
        options = (
            "--sip-port",
            self.sip,
            "--web-port",
            self.web,
            "--street-port",
            self.street,
            "--rtp-ports",
            f"{rtp}-{rtp + 59}",
        )
        command = [sys.executable, "-m", "callserver", "demo", *map(str, options), "--directory", str(directory), *more]
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
def running(directory: Path, ports: Ports, stdin: int = subprocess.PIPE, *more: str) -> Iterator[Demo]:
    """A demo that is gone after the block, whatever happens in it."""
    demo = Demo(directory, ports, stdin, *more)
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
    assert set(description) == {"web", "street", "links", "sip", "help", "points", "seats", "police", *roles}
    assert description["street"].startswith(f"http://127.0.0.1:{demo.street}/")
    assert set(description["links"]) == {"operator", *roles}
    pages = {role: link.partition("#link=")[0] for role, link in description["links"].items()}
    assert pages == {role: f"http://127.0.0.1:{demo.web}/{'replay' * (role == 'auditor')}" for role in ("operator", *roles)}
    assert description["web"] == f"http://127.0.0.1:{demo.web}"
    assert description["sip"] == {"host": "127.0.0.1", "udp": demo.sip, "tcp": demo.sip, "domain": "127.0.0.1"}
    assert description["help"] == f"sip:help@127.0.0.1:{demo.sip}"
    assert description["police"].startswith("sip:police@127.0.0.1:")
    for point in description["points"]:
        assert set(point) == {"id", "user", "password", "place", "simulated"} and all(str(value) for value in point.values())
    assert sum(point["simulated"] for point in description["points"]) == SIMULATED
    assert tuple(point["id"] for point in description["points"] if not point["simulated"]) == SPARE
    kinds = {"softphone": {"kind", "user", "password"}, "browser": {"kind", "user", "password", "link"}}
    assert [set(seat) for seat in description["seats"]] == [kinds[seat["kind"]] for seat in description["seats"]]
    for kind in kinds:
        assert sum(seat["kind"] == kind for seat in description["seats"]) >= 2
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
            calls = client.get("/api/calls").json()["items"]  # the night desk's history may be in the making beside it
            call = next(one for one in calls if one["point"] == "dl-market-square")
            assert call["state"] == "talking"
            live = re.compile(r"^callserver_calls_live [1-9]", re.MULTILINE)
            eventually_sync(lambda: live.search(client.get("/metrics").text), 5)
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


def on_the_street(description: dict[str, Any], user: str, verb: str) -> None:
    """What a click on the page sends."""
    with httpx.Client(timeout=10) as page:
        assert page.post(f"{description['street']}do", json={"user": user, "verb": verb}).status_code == 204


def seen(description: dict[str, Any], user: str) -> dict[str, Any]:
    """What the street shows of a point, or of the police desk."""
    with httpx.Client(timeout=10) as page:
        state = page.get(f"{description['street']}state").json()
    shown: dict[str, Any] = {"police": state["desk"], **{point["id"]: point for point in state["points"]}}[user]
    return shown


def test_a_press_on_the_street_is_an_incident_and_the_two_talk_with_each_other(tmp_path: Path, ports: Ports) -> None:
    """The light flashes, then is steady; each speaks once it has heard the other; the talk outlives a hung-up and a cut line."""
    with running(tmp_path / "var", ports, subprocess.DEVNULL, "--no-history") as demo:
        description = demo.described()
        on_the_street(description, "police", "by-hand")
        on_the_street(description, "dl-high-row", "press")
        eventually_sync(lambda: seen(description, "police")["state"] == "called", 10)
        assert seen(description, "dl-high-row")["light"] == "flashing"
        with signed_in(description, "auditor") as client:
            incident = client.get("/api/incidents").json()["items"][0]
            assert (incident["point"], incident["state"]) == ("dl-high-row", "waiting")
            kinds = {fact["kind"] for fact in client.get("/api/audit?limit=50").json()["items"]}
            assert {"IncidentOpened", "CallOpened"} <= kinds
        on_the_street(description, "police", "answer")
        eventually_sync(lambda: seen(description, "dl-high-row")["light"] == "steady", 10)
        eventually_sync(lambda: seen(description, "police")["said"].startswith("Police control room"), 10)
        eventually_sync(lambda: seen(description, "dl-high-row")["level_dbfs"] > -42, 10)
        eventually_sync(lambda: "I have had a fall" in seen(description, "dl-high-row")["said"], 10)
        eventually_sync(lambda: seen(description, "police")["said"].startswith("Understood"), 20)
        on_the_street(description, "dl-high-row", "hangup")
        eventually_sync(lambda: "dl-high-row: called" in demo.printed(), 10)
        eventually_sync(lambda: "still sitting here" in seen(description, "dl-high-row")["said"], 20)
        on_the_street(description, "dl-high-row", "cut")
        assert seen(description, "dl-high-row")["light"] == "dark"
        on_the_street(description, "dl-high-row", "mend")
        eventually_sync(lambda: seen(description, "dl-high-row")["level_dbfs"] > -42, 15)
        on_the_street(description, "dl-high-row", "walk")
        assert seen(description, "dl-high-row")["left"] is True


def test_the_links_sign_everybody_in(tmp_path: Path, ports: Ports) -> None:
    """One per role, again and again, and the street's page is there."""
    with running(tmp_path / "var", ports, subprocess.DEVNULL, "--no-history") as demo:
        description = demo.described()
        links = [(role, role, link) for role, link in description["links"].items()]
        links += [(seat["user"], "operator", seat["link"]) for seat in description["seats"] if seat["kind"] == "browser"]
        for _, role, link in links:
            token = link.partition("#link=")[2]
            with httpx.Client(base_url=description["web"], headers={"Origin": description["web"]}, timeout=10) as client:
                for _ in range(2):
                    assert client.post("/api/session/link", json={"token": token}).status_code == 200
                assert client.get("/api/session").json()["role"] == role
        assert all(link in demo.printed() for link in (description["links"]["operator"], description["street"]))
        with httpx.Client(timeout=10) as page:
            assert "help points" in page.get(description["street"]).text.lower()
            assert page.get(f"http://127.0.0.1:{demo.street}/").status_code == 404


@pytest.mark.long
def test_an_auditor_finds_finished_calls_after_a_minute(tmp_path: Path, ports: Ports) -> None:
    """Real ones, with both voices, police in one of them, closed with an outcome; a second start makes no more."""
    with running(tmp_path / "var", ports, subprocess.DEVNULL) as demo:
        description = demo.described()
        with signed_in(description, "auditor") as client:

            def closed() -> list[dict[str, Any]]:
                items: list[dict[str, Any]] = client.get("/api/incidents").json()["items"]
                return [item for item in items if item["state"] == "closed"]

            eventually_sync(lambda: len(closed()) == PAST, 100, every_s=0.5)
            assert sorted(item["outcome"] for item in closed()) == ["civic", "misuse", "no-contact", "police"]
            calls = client.get("/api/calls").json()["items"]
            details = [client.get(f"/api/calls/{call['id']}").json() for call in calls]
            assert sum(any(leg["role"] == "outside" for leg in call["legs"]) for call in details) == 1
            for call in calls:
                eventually_sync(lambda: client.get(f"/api/calls/{call['id']}").json()["recording"], 20)  # noqa: B023
                flac = client.get(f"/api/calls/{call['id']}/recording", params={"reason": "test of the demo"})
                samples, rate = soundfile.read(io.BytesIO(flac.content), dtype="float64")
                assert loudest(samples[:, 0], rate) > QUIET and loudest(samples[:, 1], rate) > LOUD, call["point"]
            assert not [each for each in client.get("/api/alarms").json()["items"] if "nd-" in json.dumps(each)]

            def night_desk() -> dict[str, Any]:
                items: list[dict[str, Any]] = client.get("/api/operators").json()["items"]
                return next(each for each in items if each["id"] == "night-desk")

            eventually_sync(lambda: not night_desk()["reachable"], 10)
            assert demo.end(signal.SIGTERM) == 0
    with running(tmp_path / "var", ports, subprocess.DEVNULL) as again:
        description = again.described()
        begun_ns = _now_ns()
        with signed_in(description, "auditor") as client:
            eventually_sync(lambda: _now_ns() - begun_ns > (BEGINS_AFTER_S + 3) * 1e9, 20)
            assert len(client.get("/api/calls").json()["items"]) == PAST


@pytest.mark.parametrize(
    ("option", "kind"), [("--sip-port", "udp"), ("--sip-port", "tcp"), ("--web-port", "tcp"), ("--street-port", "tcp")]
)
def test_a_taken_port_is_named_with_its_option(tmp_path: Path, ports: Ports, option: str, kind: str) -> None:
    """Nothing is started, and the way out is told."""
    taken = ports.take()
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)) as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier test's connection may linger there
        squatter.bind(("127.0.0.1", taken))
        if kind == "tcp":
            squatter.listen()
        others = {name: str(ports.take()) for name in ("--sip-port", "--web-port", "--street-port") if name != option}
        command = ["demo", "--directory", str(tmp_path), option, str(taken), *(word for pair in others.items() for word in pair)]
        ended = subprocess.run(
            [sys.executable, "-m", "callserver", *command], capture_output=True, text=True, timeout=20, check=False
        )
    assert ended.returncode == 1
    assert f"port {taken} ({kind.upper()})" in ended.stderr and option in ended.stderr and "Traceback" not in ended.stderr
    assert not (tmp_path / "demo.json").exists()


def test_one_port_cannot_be_both_the_consoles_and_the_streets(tmp_path: Path, ports: Ports) -> None:
    """Neither is started, and the way out is told."""
    sip, one = str(ports.take()), str(ports.take())
    command = ["demo", "--directory", str(tmp_path), "--sip-port", sip, "--web-port", one, "--street-port", one]
    ended = subprocess.run(
        [sys.executable, "-m", "callserver", *command], capture_output=True, text=True, timeout=20, check=False
    )
    assert (ended.returncode, "--street-port" in ended.stderr, "Traceback" in ended.stderr) == (1, True, False)


def test_the_service_ends_with_a_demo_that_is_killed(tmp_path: Path, ports: Ports) -> None:
    """Even SIGKILL leaves neither the service nor a phone behind."""
    with running(tmp_path / "var", ports) as demo:
        demo.described()
        assert demo.end(signal.SIGKILL) == -signal.SIGKILL
        eventually_sync(lambda: demo.processes() == [], 10)


def _now_ns() -> int:
    import time

    return time.monotonic_ns()
