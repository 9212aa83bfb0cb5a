"""The pool of call workers, as the supervisor owns it: the template process that forks them, and which are spare.

A spare has its libraries imported and listens on its own Unix socket; it becomes a call's worker when a switchboard
says so. Successors are forked a little after one was taken, because just then the cores belong to the call (or the rescue).
Imports nothing heavy.
"""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REFILL_AFTER_NS = 600_000_000
TEMPLATE = "callserver.media.template"


@dataclass(slots=True)
class Worker:
    """One forked process."""

    id: str
    pid: int
    pidfd: int
    path: str
    spare: bool = True


class Pool:
    """Forks workers through the template and knows which are alive. All methods return at once."""

    def __init__(self, run_dir: Path, spares: int) -> None:
        self.run_dir, self.spares = run_dir, spares
        self.workers: dict[str, Worker] = {}
        self.asked: set[str] = set()  # forks under way
        self.control: socket.socket | None = None
        self.template: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._refill_at_ns = 0

    def start_template(self) -> None:
        """Start (or start again) the process that forks workers."""
        self.asked.clear()
        if self.control is not None:
            self.control.close()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        (self.run_dir / "workers").mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", TEMPLATE, "--control-fd", str(theirs.fileno()), "--run-dir", str(self.run_dir)]
        self.template = subprocess.Popen(argv, pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL)
        theirs.close()
        ours.setblocking(False)
        self.control = ours

    def fork(self) -> None:
        """Ask for one more worker; it is there when `forked` returns it."""
        assert self.control is not None
        self._made += 1
        worker = f"w{os.getpid() % 100_000:x}-{self._made}"
        try:
            self.control.send(f"spawn {worker}".encode())
        except OSError:  # the template is dead; the supervisor starts it again and refills
            return
        self.asked.add(worker)

    def forked(self) -> Worker | None:
        """The next worker that the template reports; None when there is none after all.

        Raises EOFError when the template is gone, BlockingIOError when no report is due.
        """
        assert self.control is not None
        reply = self.control.recv(200)
        if not reply:
            raise EOFError("the template ended")
        name, _, pid = reply.decode().partition(" ")
        self.asked.discard(name)
        if int(pid) == 0:  # the template could not fork, and has said why on its standard error
            return None
        try:
            pidfd = os.pidfd_open(int(pid))
        except ProcessLookupError:  # it died at once; the refill makes another
            return None
        worker = Worker(name, int(pid), pidfd, str(self.run_dir / "workers" / f"{name}.sock"))
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
                self.fork()

    def next_refill_ns(self) -> int | None:
        """When `refill` has something to do; None when the pool is full."""
        return self._refill_at_ns if self.missing() > 0 else None
