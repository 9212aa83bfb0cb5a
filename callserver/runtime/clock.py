"""The clock anchor: what ties CLOCK_BOOTTIME, the core's instants and UTC together.

Deadlines and order use boottime, which no one sets; rows also carry UTC. The supervisor owns the anchor, keeps it in a
file, and makes a new one at start and whenever the wall clock departs from it by more than a second.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from callserver.core.instant import MS, Instant

STEP_MS = 1_000
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boottime_ns() -> int:
    """CLOCK_BOOTTIME in nanoseconds: goes on in suspend, is never set."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The kernel's name of this boot."""
    return _BOOT_ID.read_text().strip()


@dataclass(frozen=True, slots=True)
class Anchor:
    """At boottime `boottime_ns` of boot `boot` it was `utc_ns`; an instant is boottime plus `offset_ns`."""

    number: int
    boot: str
    boottime_ns: int
    utc_ns: int
    offset_ns: int
    step_ms: int = 0  # how far the wall clock had departed from the previous anchor

    def now(self) -> Instant:
        """The present instant."""
        return Instant(boottime_ns() + self.offset_ns)

    def utc_of(self, instant: int) -> int:
        """UTC nanoseconds of an instant."""
        return self.utc_ns + (instant - self.offset_ns - self.boottime_ns)

    def departure_ms(self) -> int:
        """How far the wall clock is ahead of this anchor now, in milliseconds."""
        return (time.time_ns() - self.utc_of(self.now())) // MS


def first_anchor(previous: Anchor | None) -> Anchor:
    """The anchor at start. On a new boot instants go on where UTC says that they stand, never backwards."""
    boot, up, utc = boot_id(), boottime_ns(), time.time_ns()
    if previous is None:
        return Anchor(1, boot, up, utc, 0)
    if previous.boot == boot:
        step = (utc - previous.utc_of(up + previous.offset_ns)) // MS
        return Anchor(previous.number + 1, boot, up, utc, previous.offset_ns, step)
    last = previous.boottime_ns + previous.offset_ns
    instant = last + max(1, utc - previous.utc_ns)
    return Anchor(previous.number + 1, boot, up, utc, instant - up)


def next_anchor(anchor: Anchor) -> Anchor:
    """The anchor after a step of the wall clock."""
    return Anchor(anchor.number + 1, anchor.boot, boottime_ns(), time.time_ns(), anchor.offset_ns, anchor.departure_ms())


def no_earlier(anchor: Anchor, instant: int) -> Anchor:
    """The anchor, its instants moved so that none comes before `instant`; what UTC they stand for does not change.

    A machine without a battery for its clock boots in the past, and a full disk keeps an old anchor: deadlines in the journal
    would lie days ahead, and nothing would happen until then.
    """
    return replace(anchor, offset_ns=anchor.offset_ns + max(0, instant - anchor.now()))


def load(path: Path) -> Anchor | None:
    """The anchor kept in a file; None when there is none or it cannot be read."""
    try:
        return Anchor(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def save(path: Path, anchor: Anchor) -> None:
    """Keep the anchor; written aside and renamed. Raises OSError; a disk without room is no reason to stop."""
    aside = path.with_suffix(".new")
    with aside.open("w") as file:
        json.dump(asdict(anchor), file)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
