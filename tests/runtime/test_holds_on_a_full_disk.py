"""The journal's disk is full at some byte of a hold's fact or a deletion's: what is held stays held over a death, nothing goes
before its fact is in the store, and both go on by themselves when there is room.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.config import Config
from callserver.config_sections import StorageConfig
from callserver.control import CommandRefused
from callserver.core import decide
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.runtime.clock import Anchor
from callserver.runtime.papers import Papers
from callserver.runtime.retaining import Retaining
from callserver.store import retained
from callserver.store.engine import open_store, read_only
from callserver.store.inbox import Kept
from callserver.store.journal import JournalWriter, verify
from callserver.store.upgrade import upgrade
from tests.eventually import eventually_sync
from tests.full_disk import files_end_at

FRAME_BYTES = 4_096 + 24  # of SQLite's write-ahead log
STEP_BYTES = 2_063
SPOOL_BYTES = 16_384  # what the spool may need; it lies on another disk
ANCHOR = Anchor(1, "boot", 0, 0, 0)
WORDS = "the police ask for it " * 20


class Room:
    """A store, its switchboard's papers, and an archivist beside it."""

    def __init__(self, root: Path) -> None:
        storage = StorageConfig(data=root / "data", run=root / "run", spool=root / "spool")
        self.config = Config.model_validate({"storage": storage})
        storage.spool.mkdir()
        engine = open_store(storage.data)
        upgrade(engine)
        engine.dispose()
        self.engine = read_only(storage.data)
        self.writers: list[JournalWriter] = []
        self.state = State()
        self.lives = 0
        self.begin(retry_s=0.02)

    @property
    def log(self) -> Path:
        """What grows with each commit."""
        return self.config.storage.data / "callserver.db-wal"

    def begin(self, retry_s: float, start: bool = True) -> None:
        """A switchboard that has just been started; without `start` it has read, and its disk is not tried yet."""
        self.lives += 1
        spool = self.config.storage.spool / "journal.spool"
        self.writer = JournalWriter(self.config.storage.data, spool=spool, retry_s=retry_s, patience_s=30.0)
        self.writers.append(self.writer)
        self.papers = Papers(self.writer, lambda: ANCHOR, f"run{self.lives}")
        self.state, _ = self.papers.fold()
        if start:
            self.writer.start()

    def note(self, fact: f.Fact, id: str = "") -> Kept:
        """Where it is kept. Raises `CommandRefused`."""
        facts, _ = decide.handle(self.state, ev.Noted(fact, id), Instant(1))
        if isinstance(facts[0], f.Refused):
            raise CommandRefused("refused", facts[0].why)
        kept: Kept = self.papers.append_facts(facts, Instant(1), id).result(10).kept  # type: ignore[attr-defined]
        return kept

    def full(self, room: int) -> int:
        """How long files may be, so that so much of a commit fits."""
        return max(self.log.stat().st_size, SPOOL_BYTES) + room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.writer.close()
    made.engine.dispose()


def hold(incident: str) -> f.HoldPlaced:
    return f.HoldPlaced(f"hold of {incident}", IncidentId(incident), "sue", 10**18, WORDS)


def test_a_hold_that_the_disk_refused_stands_after_a_death(room: Room) -> None:
    room.note(hold("i0"))
    spooled = 0
    for number, bytes_left in enumerate(range(0, 6 * FRAME_BYTES, STEP_BYTES), 1):
        room.writer.close()
        room.begin(retry_s=60.0)  # it does not try again in this life
        incident = f"i{number}"
        with files_end_at(room.full(bytes_left)):
            kept = room.note(hold(incident))
            assert kept in (Kept.JOURNAL, Kept.SPOOL)
            spooled += kept is Kept.SPOOL
            room.writer.close()
        room.begin(retry_s=0.02, start=False)
        for fact in (
            f.RecordingDeleted(CallId(f"{incident}.1"), ("call.flac",), (), "default", "retention"),
            f.TextsErased(IncidentId(incident), (1,), "default", "retention"),
        ):
            with pytest.raises(CommandRefused, match="is held"):
                room.note(fact)
        room.writer.start()
        eventually_sync(lambda: not room.writer.troubled(), 10)
        held = [row.incident for row in retained.standing(room.engine)]
        assert held == [f"i{n}" for n in range(number + 1)], bytes_left
    assert spooled > 2, "the disk was never full"
    assert verify(room.engine).ok


def test_files_and_texts_wait_for_their_fact_while_the_disk_refuses_it(room: Room) -> None:
    storage = room.config.storage
    spooled = 0
    for number, bytes_left in enumerate(range(0, 6 * FRAME_BYTES, STEP_BYTES)):
        incident = IncidentId(f"d{number}")
        said = f.DisclosureMade(f"s{number}", incident, "a pack", "", "the police", "a law", WORDS, "olive")
        room.note(said, f"desk:disclosure:s{number}")
        with room.engine.connect() as connection:
            row = connection.exec_driver_sql("SELECT max(number) FROM journal").scalar_one()
        path = storage.recordings / f"{incident}.1" / "call.flac"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"sound")
        files = (f"{incident}.1/call.flac", *(f"{incident}.1/{leg}.flac" for leg in range(40)))
        deletion = f.RecordingDeleted(CallId(f"{incident}.1"), files, (), "request", "sue")
        erasure = f.TextsErased(incident, (row,), "request", "sue", WORDS)
        archivist = Retaining(room.config, room.engine, ask=lambda verb, args: None)
        room.writer.close()
        room.begin(retry_s=60.0)
        with files_end_at(room.full(bytes_left)):
            kept = [room.note(fact) for fact in (erasure, deletion)]
            assert set(kept) <= {Kept.JOURNAL, Kept.SPOOL}
            room.writer.close()
        spooled += Kept.SPOOL in kept
        archivist.carry_out()
        assert path.exists() == (kept[1] is Kept.SPOOL), bytes_left
        assert bool(texts(room, row)) == (kept[0] is Kept.SPOOL), bytes_left
        room.begin(retry_s=0.02)
        eventually_sync(lambda: not room.writer.troubled(), 10)
        archivist.carry_out()
        assert not path.parent.exists() and texts(room, row) == [], bytes_left
    assert spooled > 2, "the disk was never full"
    assert verify(room.engine).ok


def texts(room: Room, row: int) -> list[str]:
    """What lies beside a row."""
    with room.engine.connect() as connection:
        query = "SELECT value FROM journal_erasable WHERE number = ? AND value IS NOT NULL"
        return list(connection.exec_driver_sql(query, (row,)).scalars())
