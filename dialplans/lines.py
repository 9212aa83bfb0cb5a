"""Where a key stands in a TOML text. tomllib forgets lines, and a fault without one is hard to mend.

Best effort: keys inside inline tables, and texts over several lines, get the line of what holds them.
"""

import re
from collections import Counter

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_.\- ])+?)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_\-]+)""")


class Lines:
    """The line of every table and key of one text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        self._counts: Counter[Path] = Counter()
        here: Path = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := _HEADER.match(line):
                here = self._table(_parts(header[2]), header[1] == "[[")
                self._note(here, number)
            elif key := _KEY.match(line):
                self._note(here + _parts(key[1]), number)

    def of(self, path: Path) -> int:
        """The line of `path`, else of the nearest table around it, else 1."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return 1

    def _table(self, parts: Path, of_array: bool) -> Path:
        """The path that a header opens; an array of tables is numbered, a table below one belongs to its newest entry."""
        if of_array:
            self._counts[parts] += 1
            return (*parts, self._counts[parts] - 1)
        for length in range(len(parts) - 1, 0, -1):
            if self._counts[parts[:length]]:
                return (*parts[:length], self._counts[parts[:length]] - 1, *parts[length:])
        return parts

    def _note(self, path: Path, number: int) -> None:
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], number)


def _parts(dotted: str) -> Path:
    """The parts of a dotted key, quotes taken off."""
    return tuple(part[1] or part[2] or part[3] for part in _PART.finditer(dotted))
