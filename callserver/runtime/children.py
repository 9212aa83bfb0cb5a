"""The long-lived processes of the service as the supervisor sees them: started, watched by pidfd, started again.

A child that dies soon after its start is started again ever more slowly, up to MAX_PAUSE_NS; the pause begins anew when it
has run for STEADY_NS.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

STEADY_NS = 10_000_000_000
ORDERLY_NS = 500_000_000  # who ends without a fault after this was asked to
FIRST_PAUSE_NS = 20_000_000
MAX_PAUSE_NS = 2_000_000_000


@dataclass(slots=True)
class Child:
    """One process by name; `process` is None while it waits to be started."""

    name: str
    module: str
    process: subprocess.Popen[bytes] | None = None
    pidfd: int = -1
    started_ns: int = 0
    start_at_ns: int = 0
    pause_ns: int = FIRST_PAUSE_NS
    deaths: int = 0
    trouble: str = ""  # why it is not there, or was not a moment ago

    def start(self, argv: Sequence[str], fds: Sequence[int], now_ns: int) -> None:
        """Start it with these arguments and inherited descriptors. OSError when the system refuses; a later start is planned."""
        self.start_at_ns = now_ns + MAX_PAUSE_NS
        command = [sys.executable, "-m", self.module, *argv]
        process = subprocess.Popen(command, pass_fds=tuple(fds), stdin=subprocess.DEVNULL)
        try:
            self.pidfd = os.pidfd_open(process.pid)
        except OSError:
            process.kill()
            process.wait()
            raise
        self.process, self.started_ns = process, now_ns

    def died(self, now_ns: int) -> int:
        """Take note of its end and plan the next start. Returns the exit code (negative: the signal)."""
        assert self.process is not None
        code = self.process.wait()
        os.close(self.pidfd)
        self.process, self.pidfd = None, -1
        self.deaths += 1
        ran_ns = now_ns - self.started_ns
        if ran_ns >= STEADY_NS or (code == 0 and ran_ns >= ORDERLY_NS):
            self.pause_ns = 0
        self.start_at_ns = now_ns + self.pause_ns
        self.pause_ns = min(max(self.pause_ns * 2, FIRST_PAUSE_NS), MAX_PAUSE_NS)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self.process is not None:
            self.process.send_signal(number)
