"""The files that the journal knows by their SHA-256: recordings, and the captures that they were made from."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Engine, select

from callserver.core.facts import RecordingMade
from callserver.core.ids import CallId
from callserver.store import schema as t
from callserver.store.encoding import decode_fact

_PART_BYTES = 1 << 20


def broken_files(
    engine: Engine, recordings: Path, captures: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[str]:
    """A line for each file that is not what the journal says; `progress(calls looked at, calls in all)` after each call."""
    made = _newest(engine)
    for done, fact in enumerate(made, 1):
        for what, below, sums in (("recording", recordings, fact.files), ("capture", captures, fact.captures)):
            for name, expected in sums.items():
                fault = _fault(below, name, expected)
                if fault:
                    yield f"{what} of call {fact.call}: {name} {fault}"
        progress(done, len(made))


def _newest(engine: Engine) -> list[RecordingMade]:
    """The last one of each call."""
    c = t.journal.c
    query = select(c.kind, c.body).where(c.kind == RecordingMade.__name__).order_by(c.number)
    newest: dict[CallId, RecordingMade] = {}
    with engine.connect() as connection:
        for kind, body in connection.execute(query):
            fact = decode_fact(kind, body)
            assert isinstance(fact, RecordingMade)
            newest[fact.call] = fact
    return list(newest.values())


def _fault(below: Path, name: str, expected: str) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return "lies outside of its directory"
    found = _sum(below / name)
    if found is None:
        return "is not there or cannot be read"
    return "" if found == expected else f"was altered: its SHA-256 is {found}, not {expected}"


def _sum(path: Path) -> str | None:
    """SHA-256 of a file, or of what lies compressed beside its place."""
    total = hashlib.sha256()
    packed = path.with_name(f"{path.name}.gz")
    try:
        with path.open("rb") if path.exists() else gzip.open(packed, "rb") as file:
            while part := file.read(_PART_BYTES):
                total.update(part)
    except (OSError, EOFError, zlib.error):
        return None
    return total.hexdigest()
