"""The whole service in processes of its own, for tests that call it: started as a user starts it, looked at from outside."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.eventually import eventually_sync
from tests.peers.ports import Ports

POINTS = ("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10")
OPERATORS = ("op1", "op2", "op3", "op4", "op5", "op6", "op7", "op8", "op9", "op10")

BROWSERS = ("op1", "op2")  # have accounts of the web service too


def plan_text(
    police: Sequence[str],
    *,
    trusted: bool = False,
    police_after: str = "60s",
    strategy: str = "ring-all",
    wrap_up: str = "0s",
    ring_timeout: str = "15s",
    route_ring: str = "5s",
) -> str:
    """A small plan: ten points, ten operators in one group, the police at these URIs as last resort."""
    lines = ['[plan]\nname = "Test"\ntime_zone = "Europe/London"\nhelp = ["help"]\n', '[profiles.plain]\npoint_bye = "end"\n']
    for point in POINTS:
        lines.append(f'[points.{point}]\nplace = "Place {point}"\nqueue = "desk"\nprofile = "plain"\n')
        if trusted:
            lines.append('trusted_sources = ["127.0.0.1/32"]\n')
    for operator in OPERATORS:
        lines.append(f'[operators.{operator}]\nname = "{operator}"\ngroups = ["desk"]\n')
    lines.append(
        f'[queues.desk]\ngroups = ["desk"]\nladder = "desk"\nstrategy = "{strategy}"\nring_timeout = "{ring_timeout}"\n'
        f'wrap_up = "{wrap_up}"\n[ladders.desk]\nretry = "1s"\n[[ladders.desk.steps]]\nafter = "{police_after}"\n'
        'call = "police"\nor_at_once_when = "nobody-on-duty"\n[parties.police]\nname = "Police"\n'
    )
    for uri in police:
        lines.append(f'[[parties.police.routes]]\nuri = "{uri}"\nring = "{route_ring}"\n')
    lines.append('[outcomes]\nsafe = { name = "Caller safe", digit = "1" }\n[codes]\n"*1" = "available"\n"*2" = "pause"\n')
    lines.append('"*9" = "police:police"\n')
    return "\n".join(lines)


class Service:
    """One running service. `pid(name)` and `workers()` say who is who, `journal()` what it decided."""

    def __init__(
        self,
        directory: Path,
        ports: Ports,
        plan: str,
        spares: int = 4,
        extra: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.environment = dict(environment or {})
        self.sip_port, self.web_port = ports.take(), ports.take()
        self.rtp_first = ports.take(120, even=True)
        seats_first = ports.take(20, even=True)
        self.data, self.run = directory / "data", directory / "run"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "plan.toml").write_text(plan)
        known = tomllib.loads(plan)
        users = [*known.get("points", {}), *known.get("operators", {})]
        seed = [f'[[sip]]\nuser = "{user}"\npassword = "secret-{user}"\n' for user in users]
        seed += [
            f'[[web]]\nuser = "{role}"\nrole = "{role}"\npassword = "a-{role}-password"\n' for role in ("supervisor", "auditor")
        ]
        seed += [f'[[web]]\nuser = "{user}"\nrole = "operator"\npassword = "a-{user}-password"\n' for user in BROWSERS]
        (directory / "seed.toml").write_text("\n".join(seed))
        (directory / "callserver.toml").write_text(
            f"[sip]\nudp_port = {self.sip_port}\ntcp_port = {self.sip_port}\n"
            f'rtp_ports = "{self.rtp_first}-{self.rtp_first + 119}"\n[web]\nport = {self.web_port}\n'
            f'[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n[pool]\nspares = {spares}\n'
            f'[seats]\naddresses = ["127.0.0.1"]\nports = "{seats_first}-{seats_first + 19}"\n'
            f'[plan]\nfile = "plan.toml"\n[directory]\nseed = "seed.toml"\n[log]\nlevel = "debug"\n{extra}'
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "service.log"
        self._facts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)  # that were read, by kind; "": all

    @property
    def server(self) -> tuple[str, int]:
        """SIP address."""
        return "127.0.0.1", self.sip_port

    @property
    def web(self) -> str:
        """Web address."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def help(self) -> str:
        """What a point calls."""
        return f"sip:help@127.0.0.1:{self.sip_port}"

    def start(self, within_s: float = 15.0) -> "Service":
        """Start it and wait until it is ready with its spares."""
        command = [sys.executable, "-m", "callserver", "serve", "--config", str(self.directory / "callserver.toml")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **self.environment},
            )
        self.wait_ready(within_s)
        return self

    def wait_ready(self, within_s: float = 15.0) -> None:
        """Wait for /readyz and for at least one spare worker."""
        try:
            eventually_sync(self._ready, within_s, 0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_text()[-4000:]}") from error

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the service ended with {self.process.returncode}\n{self.log_text()[-4000:]}")
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.web}/readyz", timeout=1.0).status_code == 200 and bool(self.workers(spare=True))
        return False

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode

    def log_text(self) -> str:
        """What it wrote to standard error so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    # ---- who is who -------------------------------------------------------------------------------------------

    def processes(self) -> list[dict[str, Any]]:
        """The supervisor's list."""
        try:
            return list(json.loads((self.run / "processes.json").read_text()))
        except (OSError, ValueError):
            return []

    def pid(self, name: str) -> int:
        """The process of this name; 0 when there is none."""
        return next((row["pid"] for row in self.processes() if row["name"] == name), 0)

    def workers(self, spare: bool = False) -> list[int]:
        """Pids of call workers that carry a call, or of the spares."""
        return [row["pid"] for row in self.processes() if row["name"] == "call-worker" and row["spare"] == spare]

    # ---- what it decided --------------------------------------------------------------------------------------

    def journal(self, kind: str = "") -> list[dict[str, Any]]:
        """Facts of a kind (all: ""), in order: their fields, with `kind`, `at` (instant ns) and `utc` (ns) besides.

        The journal only grows, so what was read before is not read again: a test asks a hundred times a second.
        """
        last = self._facts[""][-1]["number"] if self._facts[""] else 0
        query = "SELECT kind, body, at_instant_ns, utc_ns, number FROM journal WHERE number > ? ORDER BY number"
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'callserver.db'}?mode=ro", uri=True)) as db:
            rows = db.execute(query, (last,)).fetchall()
        for name, body, at, utc, number in rows:
            fact = {**json.loads(body), "kind": name, "at": at, "utc": utc, "number": number}
            self._facts[""].append(fact)
            self._facts[name].append(fact)
        return list(self._facts[kind])

    @contextlib.contextmanager
    def client(self, role: str = "supervisor") -> Iterator[httpx.Client]:
        """A signed-in HTTP client."""
        with httpx.Client(base_url=self.web, headers={"Origin": self.web}, timeout=10.0) as client:
            reply = client.post("/api/session", json={"user": role, "password": f"a-{role}-password"})
            assert reply.status_code < 300, reply.text
            yield client


@contextlib.contextmanager
def running(directory: Path, ports: Ports, plan: str, spares: int = 4) -> Iterator[Service]:
    """A service for the length of a block."""
    service = Service(directory, ports, plan, spares)
    try:
        yield service.start()
    finally:
        service.stop()
