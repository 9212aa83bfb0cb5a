"""Whether web, archivist and watch go round: each writes an octet now and then to a pipe that the supervisor reads.

No pidfd tells of a process that hangs. A beat comes from where the work is done, so one that only breathes does not count. A
silence is first told, then ended by a kill, for the successor does the work again. It is judged from the first beat on; a start
that takes very long is told, and left alone, for it may have a long journal to read. If the supervisor itself stood still (a
suspended machine, a stopped process), the silence is its own, and it begins anew; see runtime.heartbeat for the switchboard.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from callserver.runtime.heartbeat import STANDSTILL_NS, Verdict

BEAT_S = 0.5
LOOK_EVERY_NS = 500_000_000
START_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
_MOST_BEATS = 4_096


@dataclass(frozen=True, slots=True)
class Patience:
    """After how long a silence it is told and ended."""

    trouble_ns: int
    kill_ns: int


PATIENCE: Mapping[str, Patience] = {
    "web": Patience(2 * SECOND_NS, 5 * SECOND_NS),  # its pages' conversations outlive ten seconds without it
    "watch": Patience(5 * SECOND_NS, 15 * SECOND_NS),  # its looks wait for a slow disk and for answers
    "archivist": Patience(10 * SECOND_NS, 30 * SECOND_NS),  # in the last rank, where a busy machine gives little time
}


class Beats:
    """The child's side. `fd`: the pipe's end for writing, inherited from the supervisor; -1: nobody listens."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._next_s = 0.0
        if fd >= 0:
            os.set_blocking(fd, False)
            os.set_inheritable(fd, False)

    def beat(self) -> None:
        """We go round. Cheap: writes once in BEAT_S. From any one thread."""
        now_s = time.monotonic()
        if self._fd < 0 or now_s < self._next_s:
            return
        self._next_s = now_s + BEAT_S
        try:
            os.write(self._fd, b".")
        except BlockingIOError:
            return  # the supervisor stands still, and will find more beats than it needs
        except OSError:
            self._fd = -1  # the supervisor is gone, and its children end with it


class Pulse:
    """The judge of one child; instants in nanoseconds of boottime."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.next_ns = 0  # when it is looked at; 0: nobody is
        self._last_ns = 0
        self._known = False  # it has beaten since its start
        self.silent = False  # it has been silent for too long

    def begin(self, now_ns: int) -> None:
        """It was started."""
        self.next_ns, self._last_ns = now_ns + LOOK_EVERY_NS, now_ns
        self._known = self.silent = False

    def end(self) -> None:
        """It died, or is to die."""
        self.next_ns = 0

    def beat(self, now_ns: int) -> None:
        """It goes round."""
        self._last_ns, self._known, self.silent = now_ns, True, False

    def on_time(self, now_ns: int) -> Verdict:
        """NOTHING, ALARM once for each silence, or KILL; who is to be killed is not looked at any more."""
        if not self.next_ns or now_ns < self.next_ns:
            return Verdict.NOTHING
        if now_ns - self.next_ns > STANDSTILL_NS:
            self._last_ns = now_ns
        self.next_ns = now_ns + LOOK_EVERY_NS
        silence_ns = now_ns - self._last_ns
        if self._known and silence_ns >= self._patience.kill_ns:
            self.end()
            return Verdict.KILL
        if self.silent or silence_ns < (self._patience.trouble_ns if self._known else START_NS):
            return Verdict.NOTHING
        self.silent = True
        return Verdict.ALARM


class Pulses:
    """The supervisor's side: a pipe and a judge for each child of `PATIENCE`."""

    def __init__(self) -> None:
        self._judges = {name: Pulse(patience) for name, patience in PATIENCE.items()}
        self._ours: dict[str, int] = {}
        self._theirs: dict[str, int] = {}

    def renew(self, name: str) -> int:
        """A new pipe for a child that is to be started; its end of it. Raises OSError when there is none."""
        self.ended(name)
        self._ours[name], self._theirs[name] = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        return self._theirs[name]

    def started(self, name: str, now_ns: int) -> int:
        """The child has inherited its end: the end to read from, for a selector."""
        os.close(self._theirs.pop(name))
        self._judges[name].begin(now_ns)
        return self._ours[name]

    def ended(self, name: str) -> None:
        """The child is gone: its pipe is closed, after no selector reads it any more."""
        self._judges[name].end()
        for ends in (self._ours, self._theirs):
            if name in ends:
                os.close(ends.pop(name))

    def ours(self, name: str) -> int:
        """The end that we read from; -1 when there is none."""
        return self._ours.get(name, -1)

    def readable(self, name: str, now_ns: int) -> bool:
        """Take what has come; False at the end of the file, when the child closed its end."""
        try:
            beats = os.read(self._ours[name], _MOST_BEATS)
        except BlockingIOError:
            return True
        if beats:
            self._judges[name].beat(now_ns)
        return bool(beats)

    def silent(self, name: str) -> bool:
        """Whether the child has been silent for too long."""
        return name in self._judges and self._judges[name].silent

    def next_ns(self) -> list[int | None]:
        """When somebody is to be looked at."""
        return [judge.next_ns or None for judge in self._judges.values()]

    def due(self, now_ns: int) -> Iterator[tuple[str, Verdict]]:
        """What is to be done about whom."""
        verdicts = ((name, judge.on_time(now_ns)) for name, judge in self._judges.items())
        return ((name, verdict) for name, verdict in verdicts if verdict is not Verdict.NOTHING)
