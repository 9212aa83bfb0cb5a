"""The disk is full at every byte of what journal and spool write: no fact is lost, none comes twice, and it mends by itself."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from callserver.store.journal import Entry, JournalWriter, Kept, verify
from tests.eventually import eventually_sync
from tests.full_disk import files_end_at
from tests.store.test_store_writer import Disk, Told, ids, named

Entries = Callable[[int, int], list[Entry]]
NewWriter = Callable[..., JournalWriter]

FRAME_BYTES = 4_096 + 24  # of SQLite's write-ahead log
STEP_BYTES = 1_031  # in the middle of frames, heads and pages


def test_a_disk_that_is_full_at_any_byte_of_a_commit_loses_no_fact(
    store: Engine, new_writer: NewWriter, entries: Entries, tmp_path: Path
) -> None:
    told = Told()
    writer = new_writer(spool=tmp_path / "spool" / "journal.spool", **told.options())
    (tmp_path / "spool").mkdir()
    writer.start()
    assert writer.append(entries(1, 1)).result(10).kept is Kept.JOURNAL
    log, next_number, spooled = tmp_path / "callserver.db-wal", 2, 0
    for room in range(0, 8 * FRAME_BYTES, STEP_BYTES):
        with files_end_at(log.stat().st_size + room):
            kept = [writer.append(entries(next_number + n, 1)).result(10).kept for n in range(3)]
        next_number += 3
        assert Kept.LOST not in kept
        spooled += kept.count(Kept.SPOOL) > 0
        eventually_sync(lambda: not writer.troubled(), 10)
        assert ids(store) == named(1, next_number - 1), room
    assert spooled > 3, "the disk was never full"
    assert verify(store).ok
    assert writer.lost() == 0
    assert told.recovered == len(told.trouble)


def test_a_spool_that_is_full_at_any_byte_keeps_in_memory_what_it_cannot_take(
    store: Engine, new_writer: NewWriter, fat: Entries, tmp_path: Path
) -> None:
    told = Told()
    spool = tmp_path / "spool" / "journal.spool"
    spool.parent.mkdir()
    writer = new_writer(spool=spool, **told.options())
    disk = Disk(writer.engine)
    writer.start()
    next_number, in_memory = 1, 0
    for room in range(0, 14_000, STEP_BYTES):
        disk.full = True
        with files_end_at(room):
            kept = [writer.append(fat(next_number + n, 1)).result(10).kept for n in range(3)]
        next_number += 3
        assert set(kept) <= {Kept.SPOOL, Kept.MEMORY}
        in_memory += kept.count(Kept.MEMORY) > 0
        assert named(1, next_number - 1) == [row.id for row in writer.facts()], room  # folding sees what waits
        disk.full = False
        eventually_sync(lambda: not writer.troubled(), 10)
        assert ids(store) == named(1, next_number - 1), room
    assert in_memory > 3, "the spool was never full"
    assert verify(store).ok
    assert (writer.lost(), spool.exists()) == (0, False)
