"""Time inside the core: integer nanoseconds that never run backwards.

An `Instant` is CLOCK_BOOTTIME plus an offset that the supervisor keeps in the clock anchor; the offset
makes it go on over a restart of the host. It is no wall clock: `utc_ns` of an anchor turns it into one.
"""

from typing import NewType

Instant = NewType("Instant", int)
INSTANT_ZERO = Instant(0)

MS = 1_000_000
SECOND = 1_000 * MS


def later(instant: Instant, ms: int) -> Instant:
    """The instant `ms` milliseconds after `instant`."""
    return Instant(instant + ms * MS)


def ms_between(earlier: Instant, then: Instant) -> int:
    """Whole milliseconds from `earlier` to `then`."""
    return (then - earlier) // MS
