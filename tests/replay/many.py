"""A store with as many calls as wanted, made fast: rows of the projections and the notes, as years of work would leave them.

The journal's hashes are not those of a chain: nothing here is for verifying. 300 points, 40 operators, a press every three
minutes; few points have most of the presses, notes have 5 to 20 words of some 20,000, few of which are in most of the notes.
"""

import json
import random
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from callserver.store.engine import open_store, store_path
from callserver.store.noted import words_of
from callserver.store.upgrade import upgrade
from dialplans.load import shipped

PLAN = shipped("darlington")
START_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
APART_S = 180
RARE = "bicycle"  # in one note of a thousand
COMMON = "patrol"  # in about every second
POINTS = (*PLAN.points, *(f"dl-old-{n:03d}" for n in range(300 - len(PLAN.points))))
OPERATORS = (*PLAN.operators, *(f"former{n:02d}" for n in range(40 - len(PLAN.operators))))
LAST_OPEN = 40  # the newest so many are not over
BATCH = 2_000  # a short transaction: a service may write beside it
_TABLES = {
    "incidents": "id, point, queue, priority, plan_version, state, reason, presses, step, operator, outcome, outcome_by, "
    "opened_utc_ns, changed_utc_ns, closed_utc_ns, answered_utc_ns, number",
    "calls": "id, incident, point, state, reason, operator, started_utc_ns, answered_utc_ns, ended_utc_ns, number",
    "journal": "framing, id, kind, at_instant_ns, utc_ns, anchor, incident, call, body, body_hash, prev_hash, hash, number",
    "journal_erasable": "number, field, salt, value",
}

Row = tuple[object, ...]


def fill(data: Path, calls: int, after: int = 0) -> None:
    """A migrated store below `data` with so many incidents, a call and a note each, oldest first; numbered after `after`."""
    engine = open_store(data)
    upgrade(engine)
    engine.dispose()
    connection = sqlite3.connect(store_path(data), timeout=30)
    connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-400000")
    rows = _rows(random.Random(7), calls, after)
    ids: dict[str, int] = {}
    while some := list(islice(rows, BATCH)):
        with connection:
            for place, (table, columns) in enumerate(_TABLES.items()):
                marks = ", ".join("?" * len(columns.split(", ")))
                connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [row[place] for row in some])
            connection.executemany("INSERT INTO noted VALUES (?, ?, ?)", sorted(_said(connection, [row[3] for row in some], ids)))
    connection.close()


def incident_of(number: int) -> str:
    """The id of the incident with this place in time, from 0."""
    return f"bulk-{number:06d}"


def call_of(number: int) -> str:
    """The id of its call."""
    return f"{incident_of(number)}.1"


def _said(connection: sqlite3.Connection, texts: list[Row], ids: dict[str, int]) -> Iterator[tuple[int, int, int]]:
    for number, _, _, note in texts:
        assert isinstance(number, int)
        for word in words_of(str(note)):
            if word not in ids:
                connection.execute("INSERT OR IGNORE INTO words (word) VALUES (?)", (word,))
                (ids[word],) = connection.execute("SELECT id FROM words WHERE word = ?", (word,)).fetchone()
            yield ids[word], number, number


def _rows(chance: random.Random, count: int, after: int) -> Iterator[tuple[Row, ...]]:
    """One row of each of `_TABLES`."""
    outcomes, vocabulary = list(PLAN.outcomes), _vocabulary(chance)
    for n in range(count):
        number, opened, over = after + n + 1, START_NS + n * APART_S * SECOND, n < count - LAST_OPEN
        answered = opened + chance.randrange(1, 60) * SECOND
        ended = answered + chance.randrange(10, 900) * SECOND if over else None
        outcome = chance.choice(outcomes) if over else None
        operator = chance.choice(OPERATORS)
        point = POINTS[min(chance.randrange(300), chance.randrange(300))]
        by = operator if over else None
        last, closed = ended or answered, None if ended is None else ended + 30 * SECOND
        state, call_state = ("closed", "ended") if over else ("attended", "talking")
        incident, call = incident_of(n), call_of(n)
        body = json.dumps({"incident": incident, "outcome": outcome, "by": operator, "note": "sha256:" + "0" * 64}).encode()
        yield (
            (incident, point, "town", n % 4, 1, state, "", 1, 0, operator, outcome, by, opened, last, closed, answered, number),
            (call, incident, point, call_state, "", operator, opened, answered, ended, number),
            (1, f"bulk-{n}", "OutcomeRecorded", n, last, 1, incident, None, body, b"", b"", n.to_bytes(8, "big"), number),
            (number, "note", b"s", _note(chance, vocabulary, n)),
        )


def _vocabulary(chance: random.Random) -> list[str]:
    letters = "abdefghiklmnoprstu"
    first = [COMMON, "caller", "was", "the", "and", "to", "at", "informed", "calm", "child", "lost", "market", "test", "staff"]
    return first + ["".join(chance.choices(letters, k=chance.randrange(4, 11))) for _ in range(20_000)]


def _note(chance: random.Random, vocabulary: list[str], n: int) -> str:
    """Words by Zipf's rule, roughly: half of them are of the first few hundred."""
    words = [vocabulary[int(len(vocabulary) ** chance.random()) - 1] for _ in range(chance.randrange(5, 21))]
    return " ".join(words).capitalize() + (f", {RARE}." if n % 1000 == 7 else ".")
