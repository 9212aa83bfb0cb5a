"""A text that was erased by a fact is nowhere any more: not in the file, not in its log; and no fact erases those of another."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from callserver.core.facts import AlarmRaised, DisclosureMade, OutcomeRecorded, TextsErased
from callserver.core.ids import IncidentId
from callserver.store.commit import commit
from callserver.store.engine import store_path
from callserver.store.evidence import verify_journal
from callserver.store.journal import Entry, JournalWriter, read, verify
from callserver.store.ops import append_op
from tests.eventually import eventually_sync
from tests.store.conftest import NewWriter

NOTE = "a child called Emrys"


def entry(number: int, fact: OutcomeRecorded | TextsErased) -> Entry:
    return Entry(f"own-{number}", fact, number, 10**18 + number, 1)


def note(incident: str) -> OutcomeRecorded:
    return OutcomeRecorded(IncidentId(incident), "helped", "anna", NOTE)


def holding(tmp_path: Path) -> list[str]:
    """The files in which the text stands."""
    return [path.name for path in tmp_path.iterdir() if NOTE.encode() in path.read_bytes()]


def with_a_long_log(writer: JournalWriter, fat: Callable[[int, int], list[Entry]], tmp_path: Path) -> sqlite3.Connection:
    """Somebody reads for so long that the log grows, with the text at its end; then it is used from its beginning again."""
    reader = sqlite3.connect(store_path(tmp_path), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM journal").fetchone()
    for batch in range(12):
        writer.append(fat(1 + 100 * batch, 100)).result(30)
    writer.append([entry(1, note("i1"))]).result(30)
    return reader


def test_an_erased_text_is_gone_from_the_log_as_well(
    store: Engine, new_writer: NewWriter, fat: Callable[[int, int], list[Entry]], tmp_path: Path
) -> None:
    writer = new_writer()
    writer.start()
    reader = with_a_long_log(writer, fat, tmp_path)
    reader.close()
    assert "callserver.db-wal" in holding(tmp_path)
    writer.append([entry(2, TextsErased(IncidentId("i1"), (1201,), "request", "sue", "asked for"))]).result(30)
    eventually_sync(lambda: holding(tmp_path) == [], 10)
    assert verify(store).ok


def test_who_reads_for_long_only_delays_it(
    store: Engine, new_writer: NewWriter, fat: Callable[[int, int], list[Entry]], tmp_path: Path
) -> None:
    writer = new_writer(retry_s=0.05)
    writer.start()
    reader = with_a_long_log(writer, fat, tmp_path)
    writer.append([entry(2, TextsErased(IncidentId("i1"), (1201,), "request", "sue", "asked for"))]).result(30)
    writer.append(fat(2001, 1)).result(30)
    assert "callserver.db-wal" in holding(tmp_path)
    reader.close()
    numbers = iter(range(3001, 4000))

    def is_gone() -> bool:
        writer.append(fat(next(numbers), 1)).result(30)
        return holding(tmp_path) == []

    eventually_sync(is_gone, 10)


def test_a_fact_erases_the_texts_of_its_own_incident_alone(store: Engine) -> None:
    """A hold is looked for under the incident that the fact names."""
    commit(store, [append_op(f"n{n}", note(incident), n, 10**18 + n, 1) for n, incident in enumerate(("i1", "i2"), 1)])
    for number, incident in enumerate((None, IncidentId("i1")), 3):
        fact = TextsErased(incident, (1, 2), "texts", "retention")
        commit(store, [append_op(f"e{number}", fact, number, 10**18 + number, 1)])
    with store.connect() as connection:
        left = connection.exec_driver_sql("SELECT number FROM journal_erasable WHERE value = ?", (NOTE,)).scalars().all()
    assert left == [2]
    assert verify(store).ok


def test_who_types_what_looks_like_a_hash_breaks_no_verifier(store: Engine, tmp_path: Path) -> None:
    """It would be looked for among the texts that can be erased, and be missed."""
    typed = "sha256:" + "ab" * 32
    facts = (DisclosureMade("d1", IncidentId("i1"), typed, "", "the police", "a law", typed, "olive"), AlarmRaised("k", typed))
    commit(store, [append_op(f"n{n}", fact, n, 10**18 + n, 1) for n, fact in enumerate(facts)])
    assert [row.fact for row in read(store, texts=True)] == [
        replace(facts[0], what=plain(typed)),
        replace(facts[1], text=plain(typed)),
    ]
    assert verify(store).ok
    store.dispose()
    assert verify_journal.verify(store_path(tmp_path))[1] == "texts: 2 beside the journal, 0 of them erased"


def plain(typed: str) -> str:
    return typed.replace(":", " ")
