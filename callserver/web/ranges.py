"""HTTP ranges of a file (RFC 9110 section 14). One range is served; several at once are answered with the whole file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PART_BYTES = 65_536

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.IGNORECASE)


class NotSatisfiable(ValueError):
    """No byte of the range exists: 416."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `first` to `last`, both included, of a file of `size`; `partial` answers 206 instead of 200."""

    first: int
    last: int
    size: int
    partial: bool

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        """The Content-Range header."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def span(header: str | None, size: int) -> Span:
    """What a Range header asks of a file. One that we do not understand is ignored, as RFC 9110 14.2 says.

    Raises `NotSatisfiable` when the range begins past the end.
    """
    whole = Span(0, size - 1, size, False)
    match = _ONE_RANGE.fullmatch(header) if header else None
    if match is None:
        return whole
    if match[3] is not None:
        wanted = int(match[3])
        if not wanted or not size:
            raise NotSatisfiable
        return Span(max(0, size - wanted), size - 1, size, True)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return whole
    if first >= size:
        raise NotSatisfiable
    return Span(first, min(last, size - 1), size, True)


def read(file: BinaryIO, wanted: Span) -> Iterator[bytes]:
    """The bytes in parts; closes the file. A file that became shorter ends early."""
    with file:
        file.seek(wanted.first)
        left = wanted.length
        while left > 0:
            part = file.read(min(PART_BYTES, left))
            if not part:
                return
            left -= len(part)
            yield part


def inside(base: Path, relative: str) -> Path:
    """A file below `base`. Raises `ValueError` for a name that leads out of it."""
    path = (base / relative).resolve()
    if not path.is_relative_to(base.resolve()):
        raise ValueError("the file lies outside its directory")
    return path
