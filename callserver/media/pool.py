"""A pool of call or seat workers, as the supervisor owns it: the template process that forks them, and which are spare.

A spare has its libraries imported and listens on its own Unix socket; it becomes a call's or a seat's worker when a switchboard
says so. Successors are forked a little after one was taken, because just then the cores belong to the call (or the rescue).
A template that dies, does not answer or cannot fork is started again after a pause, and is in `trouble` until it has forked.
Imports nothing heavy.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REFILL_AFTER_NS = 600_000_000
AGAIN_AFTER_NS = 1_000_000_000  # a template that failed, or could not fork
ANSWER_LIMIT_NS = 10_000_000_000  # a slow machine included
START_LIMIT_NS = 60_000_000_000  # its imports too: a slow one that is started again and again would never be there
KILL_LIMIT_S = 0.1
MOST_ASKED = 8  # forks under way; a machine that is too slow for them is not helped by more
TEMPLATE = "callserver.media.template"


@dataclass(slots=True)
class Worker:
    """One forked process."""

    id: str
    pid: int
    pidfd: int
    path: str
    kind: str = "call"
    spare: bool = True


class Pool:
    """Forks workers through the template and knows which are alive. All methods return at once."""

    def __init__(self, run_dir: Path, spares: int, kind: str = "call", options: Sequence[str] = ()) -> None:
        """`options` are further arguments of the template for this kind."""
        self.run_dir, self.spares, self.kind, self.options = run_dir, spares, kind, tuple(options)
        self.workers: dict[str, Worker] = {}
        self.asked: dict[str, int] = {}  # forks under way, since when
        self.control: socket.socket | None = None
        self.template: subprocess.Popen[bytes] | None = None
        self.trouble = ""  # why no workers can be had
        self.start_at_ns = 0  # when a template that is gone is started again
        self._limit_ns = START_LIMIT_NS
        self._made = 0
        self._refill_at_ns = 0

    def start_template(self, now_ns: int) -> bool:
        """Start (or start again) the process that forks workers; False when the system refuses, it is tried again then."""
        self.end_template("")
        self._limit_ns = START_LIMIT_NS
        self.start_at_ns = now_ns + AGAIN_AFTER_NS
        try:
            (self.run_dir / "workers").mkdir(parents=True, exist_ok=True)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                ours.setblocking(False)
                self.control = ours
                argv = [sys.executable, "-m", TEMPLATE, "--control-fd", str(theirs.fileno()), "--run-dir", str(self.run_dir)]
                argv += ["--kind", self.kind, *self.options]
                self.template = subprocess.Popen(argv, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)
        except OSError as error:
            self.end_template(f"the template of {self.kind} workers cannot be started: {error}")
            return False
        return True

    def end_template(self, trouble: str) -> None:
        """It is over with the template, which is killed in case it lives; its workers live on."""
        self.trouble = trouble or self.trouble
        self.asked.clear()
        if self.control is not None:
            self.control.close()
            self.control = None
        if self.template is not None:
            self.template.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # one that the kernel keeps is reaped later
                self.template.wait(KILL_LIMIT_S)
            self.template = None

    def hangs(self, now_ns: int) -> bool:
        """Whether the template has not answered for too long."""
        return any(now_ns - since_ns > self._limit_ns for since_ns in self.asked.values())

    def need(self, now_ns: int) -> None:
        """A call has no worker: fork one at once."""
        if len(self.asked) < MOST_ASKED:
            self._fork(now_ns)

    def _fork(self, now_ns: int) -> bool:
        """Ask for one more worker; it is there when `forked` returns it. False when the template cannot be asked now."""
        if self.control is None:
            return False
        self._made += 1
        worker = f"{self.kind[0]}{os.getpid() % 100_000:x}-{self._made}"
        try:
            self.control.send(f"spawn {worker}".encode())
        except OSError:  # it is dead, which shows soon, or does not read
            self._refill_at_ns = now_ns + AGAIN_AFTER_NS
            return False
        self.asked[worker] = now_ns
        return True

    def forked(self, now_ns: int) -> Worker | None:
        """The next worker that the template reports; None when there is none after all.

        Raises EOFError when the template is gone, BlockingIOError when no report is due.
        """
        if self.control is None:
            raise BlockingIOError
        try:
            reply = self.control.recv(200)
        except ConnectionError:
            reply = b""
        if not reply:
            raise EOFError("the template ended")
        self._limit_ns = ANSWER_LIMIT_NS
        name, _, pid = reply.decode().partition(" ")
        self.asked.pop(name, None)
        try:
            if int(pid) == 0:
                self.trouble = f"the template of {self.kind} workers cannot fork; the service's standard error says why"
                self._refill_at_ns = now_ns + AGAIN_AFTER_NS
                return None
            pidfd = os.pidfd_open(int(pid))
        except OSError:  # it died at once, or no descriptor is left to watch it with
            self._refill_at_ns = now_ns + AGAIN_AFTER_NS
            return None
        self.trouble = ""
        worker = Worker(name, int(pid), pidfd, str(self.run_dir / "workers" / f"{name}.sock"), self.kind)
        self.workers[name] = worker
        return worker

    def taken(self, worker: str, now_ns: int) -> None:
        """A spare got a call."""
        known = self.workers.get(worker)
        if known is not None and known.spare:
            known.spare = False
            if now_ns >= self._refill_at_ns:  # a series of presses must not put it off for ever
                self._refill_at_ns = now_ns + REFILL_AFTER_NS

    def gone(self, worker: Worker, now_ns: int) -> None:
        """A worker's process ended."""
        self.workers.pop(worker.id, None)
        os.close(worker.pidfd)
        Path(worker.path).unlink(missing_ok=True)
        self._refill_at_ns = max(self._refill_at_ns, now_ns + REFILL_AFTER_NS)

    def missing(self) -> int:
        """How many spares are lacking, those under way counted in."""
        return self.spares - len(self.asked) - sum(worker.spare for worker in self.workers.values())

    def refill(self, now_ns: int) -> None:
        """Fork what is lacking, once the pause after the last taking is over."""
        if now_ns >= self._refill_at_ns:
            for _ in range(self.missing()):
                if not self._fork(now_ns):
                    return

    def next_ns(self) -> int | None:
        """When a new template is to be started or `refill` has something to do; None when the pool is full."""
        if self.control is None:
            return self.start_at_ns
        return self._refill_at_ns if self.missing() > 0 else None
