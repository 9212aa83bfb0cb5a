"""When hours open and close, and which moments of a year are alike: those with the same opening and closing ahead of them.

The core knows the time of day only by asking which hours are open and when that changes. So two presses that see the same
hours open, and the same changes after the same times, are decided alike, whatever the date: a summer's Tuesday, a holiday
or a night in which the clocks change.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from callserver.core.instant import MS
from dialplans.hours import is_open, next_change
from dialplans.model import Plan

Open = tuple[bool, ...]
"""Which of the hours are open, in their order."""

Ahead = tuple[tuple[int, Open], ...]
"""What is open now and after each change: (milliseconds from now, open)."""

Changes = tuple[bool, tuple[int, ...]]
"""Whether hours are open at the beginning, and when that changes."""


def changes(plan: Plan, hours: str, from_ns: int, until_ns: int) -> Changes:
    """All changes of these hours after `from_ns` and before `until_ns`, in UTC nanoseconds."""
    found: list[int] = []
    at = next_change(plan, hours, from_ns)
    while at is not None and at < until_ns:
        found.append(at)
        at = next_change(plan, hours, at)
    return is_open(plan, hours, from_ns), tuple(found)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some hours of a plan over a time. `changes` are in order, `after` says what is open from each one on."""

    hours: tuple[str, ...]
    from_ns: int
    first: Open
    changes: tuple[int, ...]
    after: tuple[Open, ...]

    def ahead(self, utc_ns: int, span_ms: int) -> Ahead:
        """What is open at that moment, and every change within `span_ms` after it."""
        index = bisect_right(self.changes, utc_ns)
        last = bisect_right(self.changes, utc_ns + span_ms * MS)
        coming = [(-((utc_ns - self.changes[one]) // MS), self.after[one]) for one in range(index, last)]
        return ((0, self.after[index - 1] if index else self.first), *coming)


def timeline(known: Mapping[str, Changes], hours: Iterable[str], from_ns: int) -> Timeline:
    """The timeline of some hours, from the changes of each."""
    ids = tuple(sorted(hours))
    present = [known[one][0] for one in ids]
    first = tuple(present)
    moments = sorted({at for one in ids for at in known[one][1]})
    of = {one: frozenset(known[one][1]) for one in ids}
    after: list[Open] = []
    for at in moments:
        for number, one in enumerate(ids):
            if at in of[one]:
                present[number] = not present[number]
        after.append(tuple(present))
    return Timeline(ids, from_ns, first, tuple(moments), tuple(after))
