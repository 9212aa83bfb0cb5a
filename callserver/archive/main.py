"""The archivist: slow work beside the calls. It makes recordings from the captures of calls that are over.

It decides nothing and keeps nothing in memory that matters: what is unfinished is asked for each round, what is half done is
done again and comes out the same, and a fact is appended only when all that it tells lies on the disk.
"""

import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from audio.disk import DISK, Disk
from callserver.archive import keep
from callserver.archive.export import make_recording
from callserver.archive.making import Making
from callserver.archive.sealing import Sealing
from callserver.archive.sweeping import shut
from callserver.core.facts import RecordingFailed, RecordingMade
from callserver.core.ids import CallId

SECOND_NS = 1_000_000_000
FIRST_PAUSE_NS = 10 * SECOND_NS
LONGEST_PAUSE_NS = 600 * SECOND_NS
LONGEST_DEATH_PAUSE_NS = 3_600 * SECOND_NS

BAD_FILES = (OSError, EOFError, ValueError, LookupError, ArithmeticError, MemoryError, zlib.error)
"""What one call's files, or a full disk, can bring about. Anything else is our mistake and ends the process, which is started
again by the supervisor."""

_log = structlog.get_logger("archive")


@dataclass(slots=True)
class _Trouble:
    """A call whose recording failed: how often, and when it is tried again."""

    why: str
    pause_ns: int
    again_ns: int


class Archivist:
    """Makes a recording of each call that `unfinished` names: (call, directory of its captures).

    `unfinished` gives calls that are over, whose captures are sealed and that have no `RecordingMade`. `append` journals a fact
    and returns when it is there; what it raises ends the round, and the call is done again in a later one. `making` is the file
    in which a successor finds over which call this one died.
    """

    def __init__(
        self,
        captures_root: Path,
        recordings_root: Path,
        unfinished: Callable[[], Sequence[tuple[CallId, Path]]],
        append: Callable[[RecordingMade | RecordingFailed], object],
        now_ns: Callable[[], int] = time.monotonic_ns,
        disk: Disk = DISK,
        sealing: Sealing | None = None,
        making: Path | None = None,
    ) -> None:
        self._captures = captures_root
        self._recordings = recordings_root
        self._unfinished = unfinished
        self._append = append
        self._now_ns = now_ns
        self._disk, self._sealing = disk, sealing
        self._making = Making(making)
        self._troubles: dict[CallId, _Trouble] = {}

    def step(self) -> int:
        """One round over all unfinished calls; the number of recordings made. A failing call keeps no other from it."""
        self._tell_of_death()
        waiting = self._unfinished()
        self._troubles = {call: self._troubles[call] for call, _ in waiting if call in self._troubles}
        return sum(self._finish(call, self._captures / folder) for call, folder in waiting if self._due(call))

    def _due(self, call: CallId) -> bool:
        trouble = self._troubles.get(call)
        return trouble is None or self._now_ns() >= trouble.again_ns

    def _finish(self, call: CallId, folder: Path) -> bool:
        try:
            for path in keep.leftovers(folder, self._recordings / call):
                self._disk.remove(path)
            with self._making.of(call):
                made = make_recording(call, keep.captures_of(folder), self._recordings / call, self._disk, self._sealing)
        except BAD_FILES as error:
            self._failed(call, f"{type(error).__name__}: {error}")
            self._shut(folder)
            return False
        self._append(made)
        self._troubles.pop(call, None)
        self._making.made(call)
        _log.info("recording made", call=call, duration_ms=made.duration_ms, losses_ms=made.losses_ms)
        return True

    def _tell_of_death(self) -> None:
        """A call over which a predecessor died waits, longer each time, so that all others and what else is done here go on."""
        if (death := self._making.died()) is None:
            return
        call, count = death
        why = f"the archivist died while it made this recording, {count} times by now"
        pause_ns = min(FIRST_PAUSE_NS * 4 ** min(count - 1, 9), LONGEST_DEATH_PAUSE_NS)
        self._append(RecordingFailed(call, why))
        self._troubles[call] = _Trouble(why, pause_ns, self._now_ns() + pause_ns)
        self._making.told()
        _log.warning("died over a recording", call=call, times=count, again_s=pause_ns // SECOND_NS)

    def _shut(self, folder: Path) -> None:
        """What cannot be made into a recording does not lie in the clear for that."""
        if self._sealing is None:
            return
        try:
            shut(folder, self._sealing, self._disk)
        except OSError as error:
            _log.warning("captures stay in the clear", folder=str(folder), error=str(error))

    def _failed(self, call: CallId, why: str) -> None:
        """Told once for each reason; tried again after a pause that doubles."""
        before = self._troubles.get(call)
        pause_ns = min(2 * before.pause_ns, LONGEST_PAUSE_NS) if before else FIRST_PAUSE_NS
        self._troubles[call] = _Trouble(why, pause_ns, self._now_ns() + pause_ns)
        _log.warning("recording failed", call=call, why=why, again_s=pause_ns // SECOND_NS)
        if before is None or before.why != why:
            self._append(RecordingFailed(call, why))
