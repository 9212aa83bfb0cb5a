"""When a disk will be full, from how it filled in the last days. Pure.

Free space is what counts, whoever takes it. The growth is that of the last day, of three days and of the week, whichever is the
greatest: a busy Saturday is not hidden by quiet days before it, and a week's growth not by a quiet night. What is deleted counts
against it, so a disk whose old recordings go as fast as new ones come does not fill at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HOUR_S = 3_600
WINDOWS_S = (24 * HOUR_S, 72 * HOUR_S, 168 * HOUR_S)
KEPT_S = WINDOWS_S[-1] + HOUR_S
SHORTEST_S = HOUR_S  # before that nothing is foretold
GIB = 1 << 30
RELIEF = 1.2  # an alarm is cleared when there is so much more than what raises it


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes in use on a file system at a time, UTC seconds."""

    utc_s: int
    used: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Below which an alarm rings: hours until it is full, per cent free."""

    hours: float
    percent: float


def bytes_per_hour(samples: Sequence[Sample]) -> float | None:
    """The greatest growth of the windows; negative where it empties, None while less than an hour is known. In order of time."""
    if not samples or samples[-1].utc_s - samples[0].utc_s < SHORTEST_S:
        return None
    last = samples[-1]
    rates = []
    for window_s in WINDOWS_S:
        first = next(one for one in samples if one.utc_s >= last.utc_s - window_s)
        if last.utc_s - first.utc_s >= SHORTEST_S:
            rates.append((last.used - first.used) * HOUR_S / (last.utc_s - first.utc_s))
    return max(rates, default=None)


def hours_left(free: int, rate: float | None) -> float | None:
    """Until nothing is free; None where it does not fill, or nothing is known yet."""
    return None if rate is None or rate <= 0 else free / rate


def kept(samples: Sequence[Sample], new: Sample) -> list[Sample]:
    """With a new one; without what is too old, or lies ahead of it because the clock was set back."""
    return [one for one in samples if new.utc_s - KEPT_S <= one.utc_s < new.utc_s] + [new]


def trouble(names: Sequence[str], free: int, total: int, rate: float | None, limits: Limits, raised: bool) -> str:
    """The alarm's text, "" for none. One that is `raised` is kept until there is a fifth more than its limit."""
    factor = RELIEF if raised else 1.0
    left, percent = hours_left(free, rate), 100 * free / max(1, total)
    what = f"the disk of {' and '.join(names)}"
    if left is not None and left < limits.hours * factor and rate is not None:
        return f"{what} will be full in about {_words(left)}: {free / GIB:.1f} GiB free, {rate / GIB:.2g} GiB more each hour"
    if percent < limits.percent * factor:
        return f"{what} has only {percent:.0f} % free: {free / GIB:.1f} GiB"
    return ""


def _words(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
