"""A store as a court would get it: facts, texts that can be erased, keys, checkpoints, an anchor elsewhere and recordings; and
both verifiers over it."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from callserver.core.facts import (
    AlarmRaised,
    Fact,
    HoldLifted,
    HoldPlaced,
    OutcomeRecorded,
    RecordingDeleted,
    RecordingMade,
    TextsErased,
)
from callserver.core.ids import CallId, IncidentId, incident_of_call
from callserver.store.commit import commit
from callserver.store.engine import open_store, read_only, store_path
from callserver.store.evidence import examine, statement, verify_journal
from callserver.store.evidence.files import broken_files
from callserver.store.evidence.keys import SigningKey, make_key
from callserver.store.evidence.retained import check_deletions
from callserver.store.journal import verify
from callserver.store.ops import append_op
from callserver.store.upgrade import upgrade

ROWS_BETWEEN = 40
CHECKPOINTS = 6
ROTATED_AFTER = 3
DELETED_CALL, HELD_CALL = CallId("i9.1"), CallId("i3.1")
ERASED_ROW = 7  # its note


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where everything lies; `key` is the fingerprint that the auditor wrote down."""

    home: Path
    key: str

    @property
    def database(self) -> Path:
        """The store's file."""
        return store_path(self.home)

    @property
    def recordings(self) -> Path:
        """The recordings' directory."""
        return self.home / "recordings"

    @property
    def captures(self) -> Path:
        """The captures' directory."""
        return self.home / "captures"

    @property
    def anchor(self) -> Path:
        """The file on another disk."""
        return self.home / "elsewhere" / "anchor.txt"

    def ours(self) -> str:
        """The first thing wrong by the service's own verifier; "" when all is whole."""
        engine = read_only(self.home)
        try:
            report = verify(engine)
            if not report.ok:
                return report.fault
            signed = examine.check_signatures(engine, (self.key,))
            examine.check_anchor(engine, self.anchor, signed)
            check_deletions(engine)
            return next(broken_files(engine, self.recordings, self.captures), "")
        except examine.Wrong as wrong:
            return str(wrong)
        finally:
            engine.dispose()

    def theirs(self) -> str:
        """The same by the stand-alone verifier."""
        try:
            self.told()
        except verify_journal.Broken as broken:
            return str(broken)
        return ""

    def told(self) -> list[str]:
        """What the stand-alone verifier found whole. Raises its `Broken`."""
        return verify_journal.verify(self.database, self.recordings, self.captures, (self.anchor,), (self.key,))


class Sealing:
    """Appends facts to a store, signs and anchors."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.engine = open_store(home)
        upgrade(self.engine)
        self.rows = self.sequence = 0

    def append(self, *facts: Fact) -> None:
        """One commit."""
        ops = [append_op(f"f{self.rows + n}", fact, n, 10**18 + self.rows + n, 1) for n, fact in enumerate(facts, 1)]
        self.rows = commit(self.engine, ops).last

    def sign(self, key: SigningKey, anchor: Path | None = None) -> None:
        """A checkpoint over the last row, in the journal and in the anchor."""
        with self.engine.connect() as connection:
            hash = connection.exec_driver_sql("SELECT hash FROM journal_head").scalar_one()
        self.sequence += 1
        checkpoint = key.checkpoint(self.sequence, self.rows, hash.hex(), 10**18 + self.rows)
        self.append(checkpoint)
        if anchor is not None:
            with anchor.open("a") as file:
                file.write(f"Nov 25 12:00:00 host callserver: {statement.line_of(checkpoint)}\n")


def seal(home: Path) -> Sealed:
    """Six checkpoints with forty facts before each, another key after the third, four calls with files, a fifth
    without: it was deleted, rightly."""
    sealing = Sealing(home)
    anchor = home / "elsewhere" / "anchor.txt"
    anchor.parent.mkdir()
    key = make_key(home / "checkpoint.key")
    first = key.name
    sealing.append(key.first())
    for turn in range(CHECKPOINTS):
        if turn == ROTATED_AFTER:
            successor = make_key(home / "other.key")
            sealing.append(key.successor(successor))
            key = successor
        sealing.append(*(_fact(turn * ROWS_BETWEEN + n) for n in range(ROWS_BETWEEN)))
        if turn < 4:
            sealing.append(_recorded(home, CallId(f"i{turn}.1")))
        if turn == 0:
            sealing.append(*_deleted_by_right(home))
        sealing.sign(key, anchor)
    sealing.engine.dispose()
    return Sealed(home, first)


def _deleted_by_right(home: Path) -> tuple[Fact, ...]:
    """A call that was held, released and deleted; a note that was erased; and a hold that stands."""
    made = _recorded(home, DELETED_CALL)
    names = [*(home / "recordings" / name for name in made.files), *(home / "captures" / f"{name}.gz" for name in made.captures)]
    for path in names:
        path.unlink()
    incident = incident_of_call(DELETED_CALL)
    return (
        made,
        HoldPlaced("h1", incident, "sue", 10**18, "the police ask for it"),
        HoldLifted("h1", incident, "sue", "they have it"),
        RecordingDeleted(DELETED_CALL, tuple(made.files), tuple(made.captures), "default", "retention"),
        TextsErased(IncidentId("i5"), (ERASED_ROW,), "request", "sue", "the caller asked for it"),
        HoldPlaced("h2", incident_of_call(HELD_CALL), "sue", 10**18, "a complaint"),
    )


def _fact(number: int) -> Fact:
    if number % 5 == 0:
        return OutcomeRecorded(IncidentId(f"i{number}"), "helped", "anna", f"note {number}")
    return AlarmRaised(f"key {number}", f"text {number}")


def _recorded(home: Path, call: CallId) -> RecordingMade:
    """Two files of sound and a compressed capture, of letters."""
    files, captures = {}, {}
    for name in ("call.flac", "point.flac"):
        files[f"{call}/{name}"] = _written(home / "recordings" / call / name, f"{call} {name}".encode() * 200)
    stream = f"{call} packets".encode() * 300
    captures[f"i/{call}/1.1.cap"] = hashlib.sha256(stream).hexdigest()
    _written(home / "captures" / "i" / call / "1.1.cap.gz", gzip.compress(stream, mtime=0))
    return RecordingMade(call, files, captures, 4000, 0)


def _written(path: Path, octets: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    return hashlib.sha256(octets).hexdigest()
