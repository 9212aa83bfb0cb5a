"""Many tables alike: a series of points or operators, numbered."""

import re
from typing import Any

from dialplans.lines import Path
from dialplans.reading import Draft, Reading
from dialplans.values import Wrong, ident

MOST = 10_000

_NUMBER_MARK = re.compile(r"%(0\d)?d")


def series(reading: Reading, draft: Draft, path: Path, found: dict[str, Any], section: str) -> list[tuple[int, str]]:
    """The numbers and ids of a series; takes its own keys out of `found` and notes its ids as known."""
    pattern, first, last = found.pop("id"), found.pop("first"), found.pop("last")
    if len(_NUMBER_MARK.findall(pattern)) != 1:
        reading.fault((*path, "id"), f"'{pattern}' holds no single %d", 'Write the number\'s place, such as "hp%05d"')
        return []
    if not first <= last < first + MOST:
        reading.fault((*path, "last"), f"from {first} to {last} is no series", f"Count upwards, at most {MOST} of them")
        return []
    names = [(number, numbered(pattern, number)) for number in range(first, last + 1)]
    try:
        ident(names[0][1])
    except Wrong as wrong:
        reading.fault((*path, "id"), wrong.what, wrong.instead)
        return []
    fresh = []
    for number, name in names:
        if draft.knows(section, name):
            reading.fault((*path, "id"), f"'{name}' is there twice in {section}", "Give the series other numbers or another id")
        else:
            draft.where[section, name] = path
            fresh.append((number, name))
    return fresh


def numbered(pattern: str, number: int) -> str:
    """`pattern` with its %d (or %05d) replaced."""
    return _NUMBER_MARK.sub(lambda mark: mark[0] % number, pattern)
