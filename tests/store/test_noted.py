"""The words of notes are found, and go with the notes: from the tables, and from the bytes of the file."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

from callserver.core import facts as f
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.runtime.first import REVISION
from callserver.store import search
from callserver.store.commit import commit
from callserver.store.engine import open_store, store_path, writing
from callserver.store.noted import words_of
from callserver.store.ops import append_op
from callserver.store.projections import catch_up, rebuild
from callserver.store.upgrade import _config, upgrade
from tests.store.erased import erase, erase_incident

INCIDENTS = 120
NOBODY = search.Names()
SECRETS = [f"Xylander{n:03d}qz" for n in range(INCIDENTS)]  # a name in each note, as no other text has it


def opening(n: int) -> f.Fact:
    return f.IncidentOpened(IncidentId(f"i{n}"), PointId("pier"), "town", 0, 1)


def noting(n: int, note: str) -> f.Fact:
    return f.OutcomeRecorded(IncidentId(f"i{n}"), "helped", OperatorId("anna"), note)


def journal(engine: Engine, *facts: f.Fact) -> None:
    for fact in facts:
        at = random.Random(repr(fact)).randrange(2**60)
        assert commit(engine, [append_op(f"{at:x}", fact, 0, 10**18, 1)]).projection_fault == ""


def found(engine: Engine, *words: str) -> list[str]:
    return [one.id for one in search.incidents(engine, search.Wanted(10**18, words=words), NOBODY)]


def left(engine: Engine) -> tuple[set[str], int]:
    with engine.connect() as connection:
        words = set(connection.execute(text("SELECT word FROM words")).scalars())
        return words, connection.execute(text("SELECT count(*) FROM noted")).scalar_one()


@pytest.fixture
def noted(store: Engine) -> Iterator[Engine]:
    """Incidents with a note each; every tenth name stands in the next note as well."""
    for n in range(INCIDENTS):
        also = SECRETS[n - 1] if n % 10 == 1 else ""
        journal(store, opening(n), noting(n, f"Helped {SECRETS[n]}, near the PIER {also}".strip()))
    yield store


def test_pieces_of_words_are_found_in_any_case(noted: Engine) -> None:
    assert found(noted, "xylander007QZ") == ["i7"]
    assert found(noted, "LANDER01", "pier", "helped") == [f"i{n}" for n in range(19, 9, -1)]
    assert found(noted, "der007qz,") == ["i7"]
    assert found(noted, "near", "xylander007qz", "elephant") == []
    assert found(noted, "helped xylander") == []  # a word has no white space


def test_every_note_of_an_incident_is_found(noted: Engine) -> None:
    """Not only the last."""
    journal(noted, noting(7, "corrected"))
    assert found(noted, "xylander007qz") == found(noted, "corrected") == ["i7"]


def test_what_was_erased_is_found_nowhere(noted: Engine) -> None:
    """A word that another note has stays for that one."""
    assert erase_incident(noted, "i10") == 1
    assert found(noted, "xylander010qz") == ["i11"]
    assert erase_incident(noted, "i11") == 1
    assert found(noted, "xylander010qz") == found(noted, "xylander011qz") == []
    words, _ = left(noted)
    assert not {word for word in words if "010qz" in word or "011qz" in word} and "helped" in words


def test_a_note_that_stays_keeps_its_words(noted: Engine) -> None:
    """A fact erases texts of its own incident alone, whatever rows it names; the words are those of what went."""
    rows = (2 * 7 + 2, 2 * 8 + 2)
    journal(noted, f.TextsErased(IncidentId("i7"), rows, "request", "sue", "asked"))
    assert (found(noted, "xylander007qz"), found(noted, "xylander008qz")) == ([], ["i8"])


def test_no_word_is_left_when_every_note_is_gone(noted: Engine) -> None:
    erase(noted, *range(1, 2 * INCIDENTS + 1))
    assert left(noted) == (set(), 0)


def test_an_erased_name_is_not_in_the_bytes_of_the_file(noted: Engine, tmp_path: Path) -> None:
    """In no table, index or free page: neither the note's nor the word's. What was not erased is there."""
    order = random.Random(3).sample(range(INCIDENTS), INCIDENTS)
    gone, kept = order[:80], order[80:]
    for start in range(0, len(gone), 8):
        erase(noted, *(2 * n + 2 for n in gone[start : start + 8]))
    with noted.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    noted.dispose()
    content = store_path(tmp_path).read_bytes().lower()
    also_kept = {n - 1 for n in kept if n % 10 == 1}
    assert [n for n in kept if SECRETS[n].lower().encode() not in content] == []
    assert [n for n in gone if n not in also_kept and SECRETS[n].lower().encode() in content] == []


def test_making_the_lists_anew_brings_back_no_erased_word(noted: Engine) -> None:
    erase_incident(noted, "i7")
    before = left(noted)
    rebuild(noted)
    assert left(noted) == before
    assert found(noted, "xylander008qz") == ["i8"]


def test_words_are_caught_up_with(store: Engine) -> None:
    """Also where a note was erased meanwhile."""
    with writing(store) as connection:
        connection.execute(text("UPDATE journal_head SET projected = -1"))
    journal(store, opening(1), noting(1, "lost umbrella"), opening(2), noting(2, "found wallet"))
    journal(store, f.TextsErased(IncidentId("i1"), (2,), "request", "sue", "asked"))
    with writing(store) as connection:
        connection.execute(text("UPDATE journal_head SET projected = 0"))
    catch_up(store)
    assert (found(store, "umbrella"), found(store, "wallet")) == ([], ["i2"])


def test_an_upgrade_finds_the_words_of_the_notes_that_are_there(tmp_path: Path) -> None:
    """The same that they would be had the notes come later; what was erased before is not among them."""
    engine = open_store(tmp_path)
    upgrade(engine)
    for n in range(20):
        journal(engine, opening(n), noting(n, f"{SECRETS[n]} and {SECRETS[n]} at the pier"))
    erase_incident(engine, "i3")
    made = left(engine)
    with writing(engine) as connection:  # as the version before left it
        for table in ("noted", "words", "saved_searches"):
            connection.execute(text(f"DROP TABLE {table}"))
        for index in _indexes_of_0004():
            connection.execute(text(f"DROP INDEX {index}"))
        for table, column in _COLUMNS:
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("CREATE INDEX incidents_state ON incidents (state)"))
        connection.execute(text("CREATE INDEX calls_state ON calls (state)"))
        connection.execute(text("DROP INDEX IF EXISTS journal_looks"))
        config = _config()
        config.attributes["connection"] = connection
        command.stamp(config, "0003")
    upgrade(engine)
    assert left(engine) == made
    assert (found(engine, "xylander004qz"), found(engine, "xylander003qz")) == (["i4"], [])
    engine.dispose()


_COLUMNS = [
    *(("incidents", name) for name in ("waited_ns", "lasted_ns", "answered_utc_ns")),
    *(("calls", name) for name in ("waited_ns", "lasted_ns")),
]


def _indexes_of_0004() -> list[str]:
    names = ("point", "operator", "outcome", "priority", "state", "opened", "waited", "lasted")
    more = ("operator", "state", "started", "waited", "lasted", "open")
    return [*(f"incidents_{name}" for name in names), *(f"calls_{name}" for name in more)]


def test_a_word_is_what_stands_between_white_space() -> None:
    assert words_of("  The taxi, the TAXI\nrank: 100%  ") == ["the", "taxi,", "taxi", "rank:", "100%"]
    assert words_of("") == []


def test_a_start_of_the_switchboard_knows_the_newest_tables(store: Engine) -> None:
    """Else each start would load what migrates."""
    with store.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == REVISION


@pytest.mark.parametrize(
    ("note", "word"),
    [
        ("Café Müller", "Cafe\u0301"),
        ("Mu\u0308ller", "müller"),
        ("\uff30\uff2f\uff2c\uff29\uff3a\uff25\uff29", "polizei"),
        ("Straße", "STRASSE"),
    ],
)
def test_a_word_is_found_however_its_letters_are_composed(store: Engine, note: str, word: str) -> None:
    """What a telephone's keyboard sends and what is pasted from a file name look alike, and are different characters."""
    journal(store, opening(1), noting(1, note))
    assert found(store, word) == ["i1"]


@pytest.mark.parametrize("word", ["\0", "\0anything", "pier\0x", "100%", "_", "\\", "'", '"', "pier*", "NOT"])
def test_a_word_is_no_pattern(noted: Engine, word: str) -> None:
    """SQLite ends a pattern at NUL, and would find everything."""
    assert found(noted, word) == []


def test_a_note_with_a_nul_is_found_by_what_is_before_and_after_it(store: Engine) -> None:
    journal(store, opening(1), noting(1, "left\0right"))
    assert [found(store, "left"), found(store, "right")] == [["i1"], ["i1"]]
