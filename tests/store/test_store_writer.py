"""The writer: group commit, deduplication, and what happens when disks fill, hang or fail."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from callserver.store.engine import open_store, read_only, writing
from callserver.store.journal import Appended, Entry, JournalWriter, Kept, last_number, read, verify, wait
from callserver.store.spool import Spool
from tests.eventually import eventually_sync

Entries = Callable[[int, int], list[Entry]]
NewWriter = Callable[..., JournalWriter]


class Disk:
    """A full disk for one writer: SQLite itself refuses every new page (SQLITE_FULL), until there is room.

    What still fits into pages that it has is written; so facts must be `fat` to feel it.
    """

    def __init__(self, engine: Engine) -> None:
        self.full = False
        event.listen(engine, "begin", self._begin)

    def _begin(self, connection: Any) -> None:
        pages = 1 if self.full else 1 << 30
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


class Told:
    """What the writer told."""

    def __init__(self) -> None:
        self.trouble: list[str] = []
        self.recovered = 0

    def recover(self) -> None:
        self.recovered += 1

    def options(self) -> dict[str, Any]:
        return {"on_trouble": self.trouble.append, "on_recovered": self.recover, "retry_s": 0.02}


def ids(engine: Engine) -> list[str]:
    return [row.id for row in read(engine)]


def named(first: int, last: int) -> list[str]:
    return [f"fact-{number}" for number in range(first, last + 1)]


def test_facts_get_their_numbers_in_order(store: Engine, new_writer: NewWriter, entries: Entries) -> None:
    committed: list[int] = []
    writer = new_writer(on_committed=committed.append)
    writer.start()
    futures = [writer.append(entries(1 + 3 * n, 3)) for n in range(40)]
    results = [future.result(10) for future in futures]
    assert [Appended(Kept.JOURNAL, (1 + 3 * n, 2 + 3 * n, 3 + 3 * n)) for n in range(40)] == results
    assert ids(store) == named(1, 120)
    eventually_sync(lambda: committed and committed[-1] == 120, 5)
    assert committed == sorted(committed)
    assert last_number(store) == 120


def test_what_waits_is_committed_together(store: Engine, new_writer: NewWriter, entries: Entries) -> None:
    commits: list[int] = []
    writer = new_writer(on_committed=commits.append)
    futures = [writer.append(entries(n, 1)) for n in range(1, 201)]
    futures.append(writer.put_leg("i.1.1", b"leg"))
    writer.start()
    assert all(future.result(10).kept is Kept.JOURNAL for future in futures)
    eventually_sync(lambda: commits == [200], 5)
    assert writer.load_legs() == {"i.1.1": b"leg"}


def test_the_same_id_is_one_fact(store: Engine, new_writer: NewWriter, entries: Entries) -> None:
    writer = new_writer()
    writer.start()
    first = writer.append(entries(1, 5)).result(10)
    again = writer.append(entries(3, 5)).result(10)
    twice = writer.append([*entries(8, 1), *entries(8, 1)]).result(10)
    assert [first.numbers, again.numbers, twice.numbers] == [(1, 2, 3, 4, 5), (3, 4, 5, 6, 7), (8, 8)]
    assert ids(store) == named(1, 8)
    assert verify(store).ok


def test_a_full_disk_loses_no_fact_and_keeps_the_order(
    store: Engine, new_writer: NewWriter, fat: Entries, tmp_path: Path
) -> None:
    told = Told()
    writer = new_writer(**told.options())
    disk = Disk(writer.engine)
    writer.start()
    assert writer.append(fat(1, 10)).result(10).kept is Kept.JOURNAL
    disk.full = True
    spooled = [writer.append(fat(11 + n, 1)) for n in range(60)]
    assert {Kept.SPOOL} == {future.result(10).kept for future in spooled}
    assert writer.troubled()
    assert "full" in told.trouble[0]
    assert ids(store) == named(1, 10)
    assert named(1, 70) == [row.id for row in writer.facts()]  # folding sees what waits
    disk.full = False
    eventually_sync(lambda: told.recovered == 1, 10)
    assert writer.append(fat(71, 3)).result(10) == Appended(Kept.JOURNAL, (71, 72, 73))
    assert ids(store) == named(1, 73)
    assert verify(store).ok
    assert not (tmp_path / "journal.spool").exists()
    assert (len(told.trouble), told.recovered, writer.lost()) == (1, 1, 0)


def test_facts_that_come_while_the_spool_is_drained_stay_behind_it(
    store: Engine, new_writer: NewWriter, fat: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callserver.store.writer._BATCH_OPS", 5)
    told = Told()
    writer = new_writer(**told.options())
    disk = Disk(writer.engine)
    writer.start()
    disk.full = True
    assert writer.append(fat(1, 50)).result(10).kept is Kept.SPOOL
    late: list[Any] = []

    def begins(connection: Any) -> None:
        if disk.full is False and len(late) < 30:
            late.append(writer.append(fat(51 + len(late), 1)))

    event.listen(writer.engine, "begin", begins)
    disk.full = False
    eventually_sync(lambda: told.recovered >= 1 and len(late) == 30 and all(future.done() for future in late), 10)
    eventually_sync(lambda: not writer.troubled(), 10)
    assert ids(store) == named(1, 80)


def test_a_locked_database_is_trouble_that_passes(store: Engine, new_writer: NewWriter, entries: Entries) -> None:
    told = Told()
    writer = new_writer(patience_s=30, **told.options())
    writer.start()
    with writing(store):
        result = writer.append(entries(1, 5)).result(10)
        assert result.kept is Kept.SPOOL
    eventually_sync(lambda: told.recovered == 1, 10)
    assert "locked" in told.trouble[0]
    assert ids(store) == named(1, 5)


def test_a_spool_disk_that_is_full_as_well_leaves_memory(
    store: Engine, new_writer: NewWriter, fat: Entries, tmp_path: Path
) -> None:
    told = Told()
    spool = tmp_path / "journal.spool"
    spool.symlink_to("/dev/full")
    writer = new_writer(spool=spool, limit_ops=20, **told.options())
    disk = Disk(writer.engine)
    writer.start()
    disk.full = True
    kept = [writer.append(fat(1 + 5 * n, 5)).result(10).kept for n in range(5)]
    assert kept == [Kept.MEMORY] * 4 + [Kept.LOST]
    assert writer.lost() == 5
    eventually_sync(lambda: "facts were lost" in told.trouble[-1], 5)
    assert "the spool fails too" in told.trouble[0]
    assert named(1, 20) == [row.id for row in writer.facts()]
    disk.full = False
    eventually_sync(lambda: told.recovered == 1, 10)
    assert ids(store) == named(1, 20)


def test_memory_goes_to_the_spool_as_soon_as_that_works(
    store: Engine, new_writer: NewWriter, fat: Entries, tmp_path: Path
) -> None:
    told = Told()
    spool = tmp_path / "other" / "journal.spool"
    writer = new_writer(spool=spool, **told.options())
    disk = Disk(writer.engine)
    writer.start()
    disk.full = True
    assert writer.append(fat(1, 5)).result(10).kept is Kept.MEMORY  # its directory is missing
    spool.parent.mkdir()
    assert writer.append(fat(6, 5)).result(10).kept is Kept.SPOOL
    assert named(1, 10) == [getattr(op, "id", "") for op in Spool(spool).all()]
    disk.full = False
    eventually_sync(lambda: told.recovered == 1, 10)
    assert ids(store) == named(1, 10)


@pytest.fixture
def stalled(store: Engine, new_writer: NewWriter) -> Iterator[tuple[JournalWriter, Told, threading.Event]]:
    """A writer whose disk hangs in the commit until the event is set."""
    told = Told()
    writer = new_writer(patience_s=0.05, **told.options())
    gate = threading.Event()

    def hangs(connection: sqlite3.Connection) -> None:
        gate.wait(20)

    event.listen(writer.engine, "commit", hangs)
    writer.start()
    yield writer, told, gate
    gate.set()


def test_a_hanging_disk_sends_facts_to_the_spool_and_none_twice(
    store: Engine, stalled: tuple[JournalWriter, Told, threading.Event], entries: Entries
) -> None:
    writer, told, gate = stalled
    first = writer.append(entries(1, 3))
    assert first.result(10) == Appended(Kept.SPOOL)
    second = writer.append(entries(4, 3))
    assert second.result(10) == Appended(Kept.SPOOL)
    assert "slow" in told.trouble[0]
    gate.set()
    eventually_sync(lambda: told.recovered == 1, 10)
    writer.append(entries(7, 1))
    eventually_sync(lambda: ids(store) == named(1, 7), 10)
    assert verify(store).ok


def test_nobody_waits_longer_than_the_patience(stalled: tuple[JournalWriter, Told, threading.Event], entries: Entries) -> None:
    writer, _, _ = stalled
    assert wait(writer.append(entries(1, 1)), 0.0) is None


def test_a_caller_that_gives_up_does_not_cancel_the_fact(store: Engine, new_writer: NewWriter, entries: Entries) -> None:
    writer = new_writer()
    future = writer.append(entries(1, 1))
    assert not future.cancel()
    writer.start()
    try:
        assert future.result(10).numbers == (1,)
    except CancelledError:
        pytest.fail("the fact was cancelled")


def test_what_a_crash_left_in_the_spool_comes_first(store: Engine, new_writer: NewWriter, fat: Entries, tmp_path: Path) -> None:
    before = new_writer(retry_s=60)
    disk = Disk(before.engine)
    before.start()
    disk.full = True
    assert before.append(fat(1, 4)).result(10).kept is Kept.SPOOL
    assert before.put_leg("i.1.1", b"one").result(10).kept is Kept.SPOOL
    assert before.put_bindings("anna", b"phone").result(10).kept is Kept.SPOOL
    assert before.load_legs() == {"i.1.1": b"one"}
    before.close()
    with (tmp_path / "journal.spool").open("ab") as file:
        file.write(b'\n00000000 {"torn')  # the crash came in the middle of a line
    after = new_writer()
    after.append(fat(5, 1))
    after.start()
    eventually_sync(lambda: ids(store) == named(1, 5), 10)
    assert after.load_legs() == {"i.1.1": b"one"}
    assert after.load_bindings() == {"anna": b"phone"}
    assert not (tmp_path / "journal.spool").exists()
    assert len(list(tmp_path.glob("journal.spool.damaged-*"))) == 1


def test_a_disk_still_full_at_the_start_hides_nothing(store: Engine, new_writer: NewWriter, fat: Entries) -> None:
    before = new_writer(retry_s=60)
    disk = Disk(before.engine)
    before.start()
    before.put_leg("gone", b"x").result(10)
    disk.full = True
    before.append(fat(1, 4)).result(10)
    before.put_leg("i.1.1", b"one").result(10)
    assert before.delete_leg("gone").result(10).kept is Kept.SPOOL
    before.close()
    told = Told()
    after = new_writer(**told.options())
    disk = Disk(after.engine)
    disk.full = True
    after.start()
    assert "full" in told.trouble[0]
    assert named(1, 4) == [row.id for row in after.facts()]
    assert {0} == {row.number for row in after.facts()}
    assert after.load_legs() == {"i.1.1": b"one"}
    disk.full = False
    eventually_sync(lambda: told.recovered == 1, 10)
    assert ids(store) == named(1, 4)
    assert after.load_legs() == {"i.1.1": b"one"}


def test_legs_and_bindings_are_kept_changed_and_forgotten(store: Engine, new_writer: NewWriter, tmp_path: Path) -> None:
    writer = new_writer()
    writer.start()
    for leg, blob in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        writer.put_leg(leg, blob)
    writer.delete_leg("b")
    writer.put_bindings("anna", b"x")
    writer.put_bindings("bert", b"y")
    writer.put_bindings("bert", b"").result(10)
    writer.close()
    again = JournalWriter(tmp_path)
    assert (again.load_legs(), again.load_bindings()) == ({"a": b"3"}, {"anna": b"x"})
    again.engine.dispose()


def test_a_fault_of_the_projections_costs_no_fact(
    store: Engine, new_writer: NewWriter, entries: Entries, settled: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("no such column")

    told = Told()
    writer = new_writer(**told.options())
    writer.start()
    writer.append(entries(1, 2)).result(10)
    eventually_sync(settled, 5)
    with monkeypatch.context() as patch:
        patch.setattr("callserver.store.commit.project", broken)
        assert writer.append(entries(3, 2)).result(10) == Appended(Kept.JOURNAL, (3, 4))
        eventually_sync(lambda: told.trouble and "projections stopped" in told.trouble[0], 5)
    writer.close()
    with store.connect() as connection:
        assert connection.execute(text("SELECT projected FROM journal_head")).scalar() == 2
    new_writer().start()  # mended: what was left behind is caught up
    eventually_sync(lambda: _projected(store) == 4, 10)


def _projected(engine: Engine) -> object:
    with engine.connect() as connection:
        return connection.execute(text("SELECT projected FROM journal_head")).scalar()


def test_two_readers_read_while_it_writes(store: Engine, new_writer: NewWriter, entries: Entries, tmp_path: Path) -> None:
    writer = new_writer()
    writer.start()
    stop = threading.Event()
    faults: list[str] = []
    seen = [0, 0]

    def look(which: int) -> None:
        engine = read_only(tmp_path)
        while not stop.is_set():
            numbers = [row.number for row in read(engine)]
            report = verify(engine)
            if numbers != list(range(1, len(numbers) + 1)) or not report.ok or len(numbers) < seen[which]:
                faults.append(f"{numbers[-3:]} {report}")
            seen[which] = len(numbers)
        engine.dispose()

    readers = [threading.Thread(target=look, args=(which,)) for which in (0, 1)]
    for reader in readers:
        reader.start()
    try:
        results = [writer.append(entries(1 + 20 * n, 20)).result(10) for n in range(60)]
        eventually_sync(lambda: min(seen) == 1_200, 20)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert {Kept.JOURNAL} == {result.kept for result in results}
    assert faults == []


def test_readers_cannot_write(store: Engine, tmp_path: Path) -> None:
    engine = read_only(tmp_path)
    with pytest.raises(Exception, match=r"readonly|read-only"), engine.begin() as connection:
        connection.execute(text("DELETE FROM calls"))
    engine.dispose()


def test_the_store_is_durable_and_private(store: Engine, tmp_path: Path) -> None:
    with store.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    engine = open_store(tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    engine.dispose()


def test_times_that_no_row_can_hold_are_the_callers_mistake(store: Engine, new_writer: NewWriter, entries: Entries) -> None:
    fact = entries(1, 1)[0].fact
    with pytest.raises(ValueError, match="64 bits"):
        new_writer().append([Entry("x", fact, 1 << 63, 0, 0)])
