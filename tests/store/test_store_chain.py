"""The chain: nothing is changed unseen, and what was erased breaks nothing."""

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from callserver.core.facts import OutcomeRecorded
from callserver.store.chain import body_hash, row_hash
from callserver.store.engine import writing
from callserver.store.journal import Entry, JournalWriter, Report, read, verify
from tests.store.erased import erase, erase_incident

Entries = Callable[[int, int], list[Entry]]


@pytest.fixture
def filled(store: Engine, new_writer: Callable[..., JournalWriter], entries: Entries) -> Engine:
    """Thirty rows."""
    writer = new_writer()
    writer.start()
    writer.append(entries(1, 30)).result(10)
    return store


def tamper(engine: Engine, *statements: str, **values: Any) -> Report:
    """Change rows as somebody with the file in hand could, then verify."""
    with writing(engine) as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            connection.execute(text(statement), {key: value for key, value in values.items() if f":{key}" in statement})
    return verify(engine)


def test_an_untouched_journal_is_whole(filled: Engine) -> None:
    report = verify(filled)
    assert (report.ok, report.rows, report.broken) == (True, 30, None)
    assert list(range(1, 31)) == [row.number for row in read(filled)]


def test_an_empty_journal_is_whole(store: Engine) -> None:
    assert Report(True, 0, bytes(32).hex(), 0) == verify(store)


def test_the_hash_is_what_the_header_says(filled: Engine) -> None:
    """Recomputed from the text in chain.py, not by its code."""
    with filled.connect() as connection:
        row = connection.execute(text("SELECT * FROM journal WHERE number = 10")).one()
    integer = struct.Struct(">Iq")

    def octets(value: bytes | str | None) -> bytes:
        if value is None:
            return b"\xff\xff\xff\xff"
        raw = value if isinstance(value, bytes) else value.encode()
        return struct.pack(">I", len(raw)) + raw

    frame = b"callserver-journal-1" + octets(row.prev_hash) + integer.pack(8, row.number) + octets(row.id) + octets(row.kind)
    frame += b"".join(integer.pack(8, value) for value in (row.at_instant_ns, row.utc_ns, row.anchor))
    frame += octets(row.incident) + octets(row.call) + octets(hashlib.sha256(row.body).digest())
    assert hashlib.sha256(frame).digest() == row.hash


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET utc_ns = 1 WHERE number = 3",
        "DELETE FROM journal WHERE number = 3",
        "REPLACE INTO journal SELECT * FROM journal WHERE number = 3",
        "INSERT OR REPLACE INTO journal SELECT 99, framing, id, kind, at_instant_ns, utc_ns, anchor, incident, call, body,"
        " body_hash, prev_hash, hash FROM journal WHERE number = 3",
        "UPDATE journal_head SET number = 29",
        "UPDATE journal_head SET hash = zeroblob(32)",
        "UPDATE journal_head SET one = 2",
        "DELETE FROM journal_head",
        "INSERT INTO journal_head SELECT 2, number, hash, projected FROM journal_head",
        "REPLACE INTO journal_head SELECT 1, 3, hash, projected FROM journal_head",
        "UPDATE journal_erasable SET value = 'another' WHERE number = 10",
        "UPDATE journal_erasable SET number = 11, value = NULL, salt = NULL WHERE number = 10",
        "UPDATE journal_erasable SET value = NULL WHERE number = 10",
        "REPLACE INTO journal_erasable VALUES (10, 'note', zeroblob(16), 'another')",
    ],
)
def test_the_database_refuses_to_change_the_journal(filled: Engine, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"), writing(filled) as connection:
        connection.execute(text(statement))
    assert verify(filled).ok


@pytest.mark.parametrize(
    ("statements", "broken", "fault"),
    [
        (
            ["UPDATE journal SET body = CAST(replace(CAST(body AS TEXT), 'text 7', 'text 8') AS BLOB) WHERE number = 7"],
            7,
            "its body was",
        ),
        (["UPDATE journal SET utc_ns = utc_ns + 1 WHERE number = 8"], 8, "a column beside the body"),
        (["UPDATE journal SET id = 'other' WHERE number = 9"], 9, "a column beside the body"),
        (["UPDATE journal SET anchor = 2 WHERE number = 9"], 9, "a column beside the body"),
        (["UPDATE journal SET incident = 'i9' WHERE number = 10"], 10, "its column incident was altered"),
        (["UPDATE journal SET call = 'c' WHERE number = 11"], 11, "its column call was altered"),
        (["UPDATE journal SET kind = 'Nothing' WHERE number = 12"], 12, "its column kind was altered"),
        (["UPDATE journal SET kind = 'LegMoved' WHERE number = 12"], 12, "the body is no LegMoved"),
        (["UPDATE journal SET hash = zeroblob(32) WHERE number = 13"], 13, "a column beside the body"),
        (["UPDATE journal SET prev_hash = zeroblob(32) WHERE number = 14"], 14, "does not follow row 13"),
        (["UPDATE journal SET framing = 2 WHERE number = 15"], 15, "framing 2"),
        (["DELETE FROM journal WHERE number = 16"], 16, "missing: row 17 follows row 15"),
        (["DELETE FROM journal WHERE number = 1"], 1, "missing: row 2 follows row 0"),
        (["DELETE FROM journal WHERE number > 27"], 28, "missing at the end"),
        (["UPDATE journal_head SET number = 27", "DELETE FROM journal WHERE number > 27"], 27, "the head holds another hash"),
        (["UPDATE journal_head SET number = 27"], 27, "the head holds another hash"),
        (["UPDATE journal_head SET number = 27, hash = (SELECT hash FROM journal WHERE number = 27)"], 28, "beyond the head"),
        (["DELETE FROM journal_head", "INSERT INTO journal_head VALUES (1, 30, zeroblob(32), 30)"], 30, "the head holds another"),
        (["UPDATE journal_erasable SET value = 'note 99' WHERE number = 20"], 20, "its erasable text 'note' was altered"),
        (["UPDATE journal_erasable SET salt = zeroblob(16) WHERE number = 20"], 20, "its erasable text 'note' was altered"),
        (["INSERT INTO journal_erasable VALUES (21, 'note', NULL, 'x')"], 21, "an erasable text 'note' lies beside it"),
        (
            [
                "UPDATE journal SET number = 1000 WHERE number = 17",
                "UPDATE journal SET number = 17 WHERE number = 18",
                "UPDATE journal SET number = 18 WHERE number = 1000",
            ],
            17,
            "out of order: it does not follow row 16; it was appended as row 18",
        ),
        (
            ["DELETE FROM journal WHERE number = 22", "UPDATE journal SET number = number - 1 WHERE number > 22"],
            22,
            "out of order: it does not follow row 21; it was appended as row 23",
        ),
    ],
)
def test_every_way_to_tamper_is_found_and_named(filled: Engine, statements: list[str], broken: int, fault: str) -> None:
    report = tamper(filled, *statements)
    assert not report.ok
    assert broken == report.broken
    assert fault in report.fault
    assert report.fault.startswith(f"row {broken}: ")


def test_a_row_rehashed_by_hand_breaks_at_the_next_one(filled: Engine) -> None:
    """Somebody who knows the framing can mend one row, but not its successor's prev_hash."""
    with filled.connect() as connection:
        row = connection.execute(text("SELECT * FROM journal WHERE number = 5")).one()
    body = row.body.replace(b"text 5", b"text 6")
    hash = row_hash(
        row.prev_hash, 5, row.id, row.kind, row.at_instant_ns, row.utc_ns, row.anchor, row.incident, row.call, body_hash(body)
    )
    change = "UPDATE journal SET body = :body, body_hash = :body_hash, hash = :hash WHERE number = 5"
    report = tamper(filled, change, body=body, body_hash=body_hash(body), hash=hash)
    assert (report.broken, report.rows) == (6, 5)
    assert "does not follow row 5" in report.fault


def test_erasure_keeps_the_chain_whole(filled: Engine) -> None:
    erase(filled, 10, 30)
    assert erase_incident(filled, "i20") == 1
    with writing(filled) as connection:
        connection.execute(text("DELETE FROM journal_erasable WHERE number = 30"))
    after = verify(filled)
    assert (after.ok, after.rows, after.erased) == (True, 33, 3)  # a fact for each incident
    notes = [row.fact.note for row in read(filled, texts=True) if isinstance(row.fact, OutcomeRecorded)]
    assert notes == ["", "", ""]


def test_an_erased_text_is_gone_from_the_file(filled: Engine, tmp_path: Path) -> None:
    with filled.connect() as connection:
        assert connection.execute(text("SELECT value FROM journal_erasable WHERE number = 20")).scalar() == "note 20"
    erase(filled, 20)
    with filled.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    found = [path.name for path in tmp_path.iterdir() if b"note 20" in path.read_bytes()]
    assert found == []


def test_progress_is_told_and_the_walk_reads_in_pages(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callserver.store.verify._PAGE_ROWS", 7)
    told: list[tuple[int, int]] = []
    report = verify(filled, lambda done, total: told.append((done, total)))
    assert report.ok
    assert told == [(7, 30), (14, 30), (21, 30), (28, 30), (30, 30)]


def test_reading_pages_and_limits(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callserver.store.read._PAGE_ROWS", 7)
    assert list(range(12, 31)) == [row.number for row in read(filled, 11)]
    assert list(range(12, 22)) == [row.number for row in read(filled, 11, 10)]
    assert [row.number for row in read(filled, limit=20, texts=True) if getattr(row.fact, "note", "")] == [10, 20]
