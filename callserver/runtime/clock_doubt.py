"""Whether the time of day may be believed where belief deletes: not at first sight, and not after a leap.

A clock that is set ahead by a year makes everything a year older. So what goes by age waits for a day after the clock was found
more than two days past the last look, and people are told. A machine that was off for a week waits the same day; nobody can tell
the two apart. A clock that is set back again ends the doubt.
"""

from pathlib import Path

import msgspec
import structlog

from audio.tracks import write_aside

DAY_NS = 86_400_000_000_000
LEAP_NS = 2 * DAY_NS
PATIENCE_NS = DAY_NS
log = structlog.get_logger()


class _Seen(msgspec.Struct):
    """UTC nanoseconds: the last look, and until when nothing is deleted."""

    looked_utc_ns: int = 0
    until_utc_ns: int = 0


class ClockDoubt:
    """What was seen is kept over restarts in a file; without one the clock is seen for the first time."""

    def __init__(self, file: Path, patience_ns: int = PATIENCE_NS) -> None:
        self._file, self._patience_ns = file, patience_ns
        try:
            self._seen = msgspec.json.decode(file.read_bytes(), type=_Seen)
        except (OSError, msgspec.DecodeError):
            self._seen = _Seen()

    def until(self, now_utc_ns: int) -> int:
        """A look at the clock: until when (UTC ns) it is not believed; a time that has passed where it is."""
        seen = self._seen
        if now_utc_ns - seen.looked_utc_ns > LEAP_NS:
            seen.until_utc_ns = now_utc_ns + self._patience_ns
        elif now_utc_ns < seen.until_utc_ns - self._patience_ns:
            seen.until_utc_ns = 0  # it was set back to before the leap
        seen.looked_utc_ns = now_utc_ns
        try:
            write_aside(self._file, msgspec.json.encode(seen))
        except OSError as error:  # what was seen is still known here
            log.warning("clock_doubt.not_kept", error=str(error))
        return seen.until_utc_ns
