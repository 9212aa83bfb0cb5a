"""The files that the journal knows by their SHA-256: recordings, and the captures that they were made from."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Engine, select

from callserver.core.facts import Fact, RecordingDeleted, RecordingMade, RedactionMade
from callserver.core.ids import CallId
from callserver.sealed import KeyMissing, SealBroken, SiteKey, opened
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.evidence.examine import Wrong
from callserver.store.evidence.retained import Deleted, check_deletions

_PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One file of a call. `fault`: it is not what the journal says; else it was to be deleted and is still there."""

    text: str
    fault: bool
    closed: bool = False  # it is encrypted and its key is not here: nothing is known of it


def broken_files(
    engine: Engine, recordings: Path, captures: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[str]:
    """A line for each file that is not what the journal says; `progress(calls looked at, calls in all)` after each call."""
    return (found.text for found in examine_files(engine, recordings, captures, progress) if found.fault)


def examine_files(
    engine: Engine,
    recordings: Path,
    captures: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    keys: Sequence[SiteKey] = (),
) -> Iterator[Finding]:
    """Every file that is wrong, that should be gone, or that is encrypted under none of `keys`.

    What is deleted meanwhile is not wrong. Raises `Wrong`.
    """
    made = newest(engine)
    deleted = check_deletions(engine)
    for done, (number, fact) in enumerate(made, 1):
        for what, below, sums in (("recording", recordings, fact.files), ("capture", captures, fact.captures)):
            for name, expected in sums.items():
                gone = deleted.get(fact.call, Deleted()).has(name, number)
                if gone and not _there(below, name):
                    continue
                try:
                    fault = _fault(below, name, expected, keys)
                except KeyMissing:
                    yield Finding(f"{what} of call {fact.call}: {name} is encrypted, and its key is missing", False, True)
                    continue
                if fault and _deleted_meanwhile(engine, fact.call, name, number):
                    continue
                if fault or gone:
                    text = f"{what} of call {fact.call}: {name} {fault or 'was to be deleted and is still there'}"
                    yield Finding(text, bool(fault))
        progress(done, len(made))
    yield from _redactions(engine, recordings, deleted, keys)


def _redactions(
    engine: Engine, recordings: Path, deleted: Mapping[CallId, Deleted], keys: Sequence[SiteKey]
) -> Iterator[Finding]:
    """Redacted copies; they go with the recording that they are of."""
    c = t.journal.c
    with engine.connect() as connection:
        rows = connection.execute(
            select(c.number, c.kind, c.body).where(c.kind == RedactionMade.__name__).order_by(c.number)
        ).all()
    for number, kind, body in rows:
        fact = _decoded(number, kind, body)
        assert isinstance(fact, RedactionMade)
        of_call = deleted.get(CallId(fact.of), Deleted())
        gone = any(of_call.has(name, number) for name in fact.origin)
        for name, expected in fact.files.items():
            try:
                fault = "" if gone else _fault(recordings, name, expected, keys)
            except KeyMissing:
                yield Finding(f"redaction of call {fact.of}: {name} is encrypted, and its key is missing", False, True)
                continue
            if fault and not any(_deleted_meanwhile(engine, CallId(fact.of), one, number) for one in fact.origin):
                yield Finding(f"redaction of call {fact.of}: {name} {fault}", True)
            elif gone and _there(recordings, name):
                yield Finding(f"redaction of call {fact.of}: {name} was to be deleted and is still there", False)


def newest(engine: Engine) -> list[tuple[int, RecordingMade]]:
    """The last recording of each call, with its row. Raises `Wrong` for a row that is none."""
    c = t.journal.c
    query = select(c.number, c.kind, c.body).where(c.kind == RecordingMade.__name__).order_by(c.number)
    last: dict[CallId, tuple[int, RecordingMade]] = {}
    with engine.connect() as connection:
        for number, kind, body in connection.execute(query):
            fact = _decoded(number, kind, body)
            assert isinstance(fact, RecordingMade)
            last[fact.call] = (number, fact)
    return list(last.values())


def _decoded(number: int, kind: str, body: bytes) -> Fact:
    try:
        return decode_fact(kind, body)
    except msgspec.DecodeError as error:
        raise Wrong(f"row {number}: this {kind} lacks a field or has a wrong one: {error}") from error


def _deleted_meanwhile(engine: Engine, call: CallId, name: str, made: int) -> bool:
    c = t.journal.c
    query = select(c.kind, c.body).where(c.call == call, c.kind == RecordingDeleted.__name__, c.number > made)
    with engine.connect() as connection:
        facts = [decode_fact(kind, body) for kind, body in connection.execute(query)]
    return any(isinstance(fact, RecordingDeleted) and name in (*fact.files, *fact.captures) for fact in facts)


def _there(below: Path, name: str) -> bool:
    path = below / name
    return path.exists() or path.with_name(f"{path.name}.gz").exists()


def _fault(below: Path, name: str, expected: str, keys: Sequence[SiteKey] = ()) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        return "lies outside of its directory"
    try:
        found = _sum(below / name, keys)
    except SealBroken as broken:
        return f"was altered: {broken}"
    if found is None:
        return "is not there or cannot be read"
    return "" if found == expected else f"was altered: its SHA-256 is {found}, not {expected}"


def _sum(path: Path, keys: Sequence[SiteKey]) -> str | None:
    """SHA-256 of a file, or of what lies compressed beside its place. Raises KeyMissing, SealBroken."""
    total = hashlib.sha256()
    packed = path.with_name(f"{path.name}.gz")
    try:
        with opened(path if path.exists() else packed, keys) as below:
            file = below if path.exists() else gzip.GzipFile(fileobj=below, mode="rb")
            while part := file.read(_PART_BYTES):
                total.update(part)
    except (KeyMissing, SealBroken):
        raise
    except (OSError, EOFError, zlib.error):
        return None
    return total.hexdigest()
