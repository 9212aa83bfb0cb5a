"""Whichever index a search takes, it finds what a look at every row finds; and one that takes too long is broken off."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from callserver.store import narrow, search
from callserver.store.engine import open_store, read_only, writing
from callserver.store.noted import words_of
from callserver.store.queries import CallRow, IncidentRow
from tests.replay import many

CALLS, ROUNDS = 400, 150
NAMES = search.names_of(1, many.PLAN)
NOW_NS = many.START_NS + CALLS * many.APART_S * many.SECOND
S = many.SECOND
WORDS = ("caller", "THE", "bicycle", "operator", "bulk-0003", "e", "market", "elephant", "f1", "medic", "abc", "0.1")
PICKED: dict[str, Callable[[random.Random], object]] = {
    "point": lambda chance: chance.choice([*many.POINTS[:12], "nowhere"]),
    "operator": lambda chance: chance.choice(many.OPERATORS),
    "outcome": lambda chance: chance.choice(list(many.PLAN.outcomes)),
    "priority": lambda chance: chance.randrange(4),
    "state": lambda chance: chance.choice(["closed", "waiting", "attended", "ended", "talking"]),
    "open_only": lambda _chance: True,
    "from_utc_ns": lambda chance: many.START_NS + chance.randrange(CALLS) * many.APART_S * S,
    "to_utc_ns": lambda chance: many.START_NS + chance.randrange(CALLS) * many.APART_S * S,
    "wait_at_least_ns": lambda chance: chance.choice([0, 20, 55, 5_000, 10**7]) * S,
    "wait_at_most_ns": lambda chance: chance.choice([0, 5, 30, 70, 10**7]) * S,
    "length_at_least_ns": lambda chance: chance.choice([0, 60, 600, 950, 5_000, 10**7]) * S,
    "length_at_most_ns": lambda chance: chance.choice([0, 100, 500, 10**7]) * S,
    "words": lambda chance: tuple(chance.choice(WORDS) for _ in range(chance.randrange(1, 3))),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Some wait, some waited in vain, one waits again after an answer, and some came while the clock was set back."""
    data: Path = tmp_path_factory.mktemp("many")
    many.fill(data, CALLS)
    engine = open_store(data)
    with writing(engine) as connection:
        for change in (
            "UPDATE calls SET state = 'waiting', answered_utc_ns = NULL, ended_utc_ns = NULL WHERE number % 17 = 3",
            "UPDATE incidents SET state = 'waiting', answered_utc_ns = NULL, closed_utc_ns = NULL WHERE number % 17 = 3",
            "UPDATE calls SET answered_utc_ns = NULL WHERE number % 13 = 5",
            "UPDATE incidents SET state = 'unreviewed', answered_utc_ns = NULL, closed_utc_ns = NULL WHERE number % 13 = 5",
            "UPDATE incidents SET state = 'waiting' WHERE number = 11",
            f"UPDATE calls SET started_utc_ns = started_utc_ns - {3600 * S} WHERE number BETWEEN 100 AND 130",
            f"UPDATE incidents SET opened_utc_ns = opened_utc_ns - {3600 * S} WHERE number BETWEEN 100 AND 130",
        ):
            connection.execute(text(change))
    engine.dispose()
    engine = read_only(data)
    yield engine
    engine.dispose()


def fits(row: CallRow | IncidentRow, of: IncidentRow, note: str, wanted: search.Wanted) -> bool:
    """As the words of `Wanted` say it, on one row; `of` is its incident."""
    is_call = isinstance(row, CallRow)
    began = row.started_utc_ns if isinstance(row, CallRow) else row.opened_utc_ns
    ended = row.ended_utc_ns if isinstance(row, CallRow) else row.closed_utc_ns
    left = ended if is_call else None if of.state == "waiting" else of.changed_utc_ns
    wait = (row.answered_utc_ns or left or NOW_NS) - began
    length = (ended or NOW_NS) - began
    names = {
        NAMES.points.get(row.point, ""),
        NAMES.operators.get(row.operator or "", ""),
        NAMES.outcomes.get(of.outcome or "", ""),
    }
    said = [row.id, row.point, row.operator or "", of.outcome or "", *names, *words_of(note)]
    return all(
        (
            wanted.point in (None, row.point),
            wanted.operator in (None, row.operator),
            wanted.outcome in (None, of.outcome),
            wanted.priority in (None, of.priority),
            wanted.state in (None, row.state),
            not wanted.open_only or (ended is None if is_call else of.state != "closed"),
            wanted.from_utc_ns is None or began >= wanted.from_utc_ns,
            wanted.to_utc_ns is None or began < wanted.to_utc_ns,
            wanted.wait_at_least_ns is None or wait >= wanted.wait_at_least_ns,
            wanted.wait_at_most_ns is None or wait <= wanted.wait_at_most_ns,
            wanted.length_at_least_ns is None or length >= wanted.length_at_least_ns,
            wanted.length_at_most_ns is None or length <= wanted.length_at_most_ns,
            all(any(word.casefold() in one.casefold() for one in said) for word in wanted.words),
        )
    )


@pytest.mark.parametrize("few", [1, 30, 20_000])
def test_every_way_finds_what_a_look_at_every_row_finds(engine: Engine, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the narrowest index, along one, or row by row; with and without a page before, and counted."""
    monkeypatch.setattr(narrow, "FEW", few)
    chance = random.Random(few)
    nothing = search.Wanted(NOW_NS)
    incidents = search.incidents(engine, nothing, NAMES, CALLS + 1)
    calls = search.calls(engine, nothing, NAMES, CALLS + 1)
    by_id = {row.id: row for row in incidents}
    notes = search.notes(engine, by_id)
    assert len(incidents) == len(calls) == CALLS
    found_some = 0
    for _ in range(ROUNDS):
        picked = chance.sample(list(PICKED), chance.choice([1, 1, 2, 2, 3]))
        given: dict[str, Any] = {name: PICKED[name](chance) for name in picked}
        wanted, before = search.Wanted(NOW_NS, **given), chance.choice([None, None, chance.randrange(2, CALLS)])
        right_calls = [row for row in calls if fits(row, by_id[row.incident], notes[row.incident], wanted)]
        right_incidents = [row for row in incidents if fits(row, row, notes[row.id], wanted)]
        below = CALLS + 1 if before is None else before
        shown = [row.id for row in search.calls(engine, wanted, NAMES, 20, before)]
        assert shown == [row.id for row in right_calls if row.number < below][:20], given
        shown = [row.id for row in search.incidents(engine, wanted, NAMES, 20, before)]
        assert shown == [row.id for row in right_incidents if row.number < below][:20], given
        assert search.count_calls(engine, wanted, NAMES, 300) == min(300, len(right_calls)), given
        assert search.count_incidents(engine, wanted, NAMES, 300) == min(300, len(right_incidents)), given
        found_some += bool(right_calls)
    assert found_some > ROUNDS / 3


def test_a_search_that_takes_too_long_is_broken_off(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the connection is good for the next one."""
    monkeypatch.setattr(narrow, "LONGEST_S", -1.0)
    monkeypatch.setattr(narrow, "_STEPS", 10)
    with pytest.raises(search.SearchTooLong):
        search.calls(engine, search.Wanted(NOW_NS, words=("e",)), NAMES)
    monkeypatch.setattr(narrow, "LONGEST_S", 60.0)
    assert search.calls(engine, search.Wanted(NOW_NS, words=("e",)), NAMES)
