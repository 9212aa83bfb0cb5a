"""Spans: (from, to) of whole numbers, where `to` is the first that is not part of it. Bytes of a file, or ms of a recording."""

from collections.abc import Iterable

Span = tuple[int, int]


def merged(spans: Iterable[Span], end: int) -> tuple[Span, ...]:
    """The same ground as sorted spans that lie apart, cut off below 0 and from `end` on; nothing where nothing is left."""
    found: list[Span] = []
    for first, last in sorted((max(0, first), min(last, end)) for first, last in spans):
        if first >= last:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)
