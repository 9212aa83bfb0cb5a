"""Is what a backup is of whole: the journal's chain, its signatures, and every file that the journal says is there?"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from callserver.backup.manifest import Item
from callserver.store.engine import read_only
from callserver.store.evidence import examine, files, retained
from callserver.store.journal import verify
from callserver.store.upgrade import refuse_newer

_CAPTURES, _RECORDINGS = "captures", "recordings"


@dataclass(frozen=True, slots=True)
class Expected:
    """A file that the journal says is there; `path` below the data directory, `sha256` of its bytes before compression."""

    call: str
    path: str
    sha256: str


@dataclass(slots=True)
class Examined:
    """`faults` are in words; `keys` are those that the journal knows; `expected` is what the journal says is there."""

    faults: list[str] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    expected: list[Expected] = field(default_factory=list)

    def absent(self, items: Mapping[str, Item], is_closed: Callable[[Item], bool]) -> list[str]:
        """What should be among the files and is not, or is another; what is compressed or encrypted is not looked into here."""
        found = []
        for one in self.expected:
            item = items.get(one.path)
            if item is None and f"{one.path}.gz" not in items:
                found.append(f"call {one.call}: {one.path} is not there")
            elif item is not None and item.sha256 != one.sha256 and not is_closed(item):
                found.append(f"call {one.call}: {one.path} was altered: its SHA-256 is {item.sha256}, not {one.sha256}")
        return found


def examine_copy(folder: Path, progress: Callable[[int, int], None] | None, keys: Sequence[str] = ()) -> Examined:
    """The database in a directory, which nobody writes to. Without `progress` the chain is not walked; `keys` are trusted.

    Raises StoreVersionError for one of a newer version.
    """
    engine = read_only(folder)
    try:
        refuse_newer(engine)
        found = Examined()
        if progress is not None:
            report = verify(engine, progress)
            if not report.ok:
                found.faults.append(f"journal: {report.fault}")
        _look(engine, keys, found)
        return found
    finally:
        engine.dispose()


def _look(engine: Engine, keys: Sequence[str], found: Examined) -> None:
    try:
        found.keys = tuple(examine.check_signatures(engine, keys, required=False).keys)
    except examine.Wrong as wrong:
        found.faults.append(str(wrong))
    try:
        found.expected = [Expected(*one) for one in _expected(engine)]
    except examine.Wrong as wrong:
        found.faults.append(str(wrong))


def _expected(engine: Engine) -> Iterable[tuple[str, str, str]]:
    deleted = retained.check_deletions(engine)
    for number, fact in files.newest(engine):
        for below, sums in ((_RECORDINGS, fact.files), (_CAPTURES, fact.captures)):
            for name, expected in sums.items():
                if not deleted.get(fact.call, retained.Deleted()).has(name, number):
                    yield fact.call, f"{below}/{name}", expected
