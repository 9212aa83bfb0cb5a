"""Captures of one call from several boots of the host, brought to one timeline: that of the first boot.

BOOTTIME begins anew with each boot, so what lies between two of them only UTC knows. A machine without a battery for its clock
boots years in the past, and no telephone waits for an hour: what would begin before the boot before it ended, or later than
that, begins a second behind it, and is told of.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from callserver.media import capture_format as cf

LONGEST_OUTAGE_NS = 3_600_000_000_000
BEHIND_NS = 1_000_000_000
_SOUND = (cf.Kind.IN, cf.Kind.OUT)


@dataclass(slots=True)
class Boots:
    """What to add to the times of each boot. Of none yet known nothing is added."""

    first: cf.Header | None = None
    remarks: list[str] = field(default_factory=list)
    shifts_ns: dict[str, int] = field(default_factory=dict)  # by the boot's id

    def shift_ns(self, header: cf.Header) -> int:
        """What to add to the times of this capture."""
        return self.shifts_ns.get(header.boot_id, 0)

    def utc_ns(self, at_ns: int) -> int:
        """A time of the first boot in UTC; 0 while there was none."""
        return at_ns - self.first.anchor_boottime_ns + self.first.anchor_utc_ns if self.first else 0


@dataclass(slots=True)
class _Boot:
    headers: list[cf.Header]
    captures: list[Path]
    begin_ns: int = 0
    end_ns: int = 0


def boots_of(captures: Sequence[Path], opened: Callable[[Path], BinaryIO]) -> Boots:
    """Only where there are several the captures are read whole. One without a header counts for nothing. Raises OSError."""
    found: dict[str, _Boot] = {}
    for path in captures:
        if (header := _header(path, opened)) is not None:
            boot = found.setdefault(header.boot_id, _Boot([], []))
            boot.headers.append(header)
            boot.captures.append(path)
    for boot in found.values():
        boot.headers.sort(key=lambda header: (header.anchor_number, header.segment))
    ordered = sorted(found.values(), key=lambda boot: (boot.headers[0].anchor_number, _utc_of_boot(boot.headers[0])))
    if len(ordered) > 1:
        ordered = [boot for boot in ordered if _times(boot, opened)] or ordered[:1]
    boots = Boots(ordered[0].headers[0] if ordered else None)
    _shift(boots, ordered)
    return boots


def _shift(boots: Boots, ordered: Sequence[_Boot]) -> None:
    shift_ns = 0
    for before, boot in pairwise(ordered):
        by_utc_ns = shift_ns + _utc_of_boot(boot.headers[0]) - _utc_of_boot(before.headers[-1])
        end_ns = before.end_ns + shift_ns
        if 0 <= boot.begin_ns + by_utc_ns - end_ns <= LONGEST_OUTAGE_NS:
            shift_ns = by_utc_ns
        else:
            shift_ns = end_ns + BEHIND_NS - boot.begin_ns
            boots.remarks.append("the host was started anew with another time of day: what came then begins a second later")
        boots.shifts_ns[boot.headers[0].boot_id] = shift_ns


def _header(path: Path, opened: Callable[[Path], BinaryIO]) -> cf.Header | None:
    with opened(path) as stream:
        try:
            return cf.read(stream).header
        except ValueError:
            return None


def _times(boot: _Boot, opened: Callable[[Path], BinaryIO]) -> bool:
    """When its first and its last packet were; whether there was one."""
    begins, ends = [], []
    for path in boot.captures:
        with opened(path) as stream:
            times = [record.at_ns for record in cf.read(stream) if record.kind in _SOUND]
        if times:
            begins.append(min(times))
            ends.append(max(times))
    boot.begin_ns, boot.end_ns = min(begins, default=0), max(ends, default=0)
    return bool(begins)


def _utc_of_boot(header: cf.Header) -> int:
    """UTC at which BOOTTIME was 0, by what was known when this capture began."""
    return header.anchor_utc_ns - header.anchor_boottime_ns
