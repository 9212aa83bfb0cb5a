"""The quality sample in a real store: the same for everybody, drawn by a seed of the journal, honest about what is gone."""

import re
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.core import facts as f
from callserver.core import quality as q
from callserver.core.ids import CallId, IncidentId
from callserver.runtime.retaining import request_of
from callserver.store import sampling
from callserver.store.engine import read_only, store_path
from tests import sources
from tests.store import months
from tests.store.months import OLIVE, PAUL, answered, autumn, call_of, note, utc_ns, write
from tests.web.desk import config_in

ZONE = months.PLAN.time_zone
LATER = utc_ns("2026-12-05T00:00:00")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with two months that are over, and not drawn yet."""
    autumn(tmp_path)
    return tmp_path


def seed(data: Path, wanted: int = 2) -> list[str]:
    """What the archivist does; the months."""
    engine, found = read_only(data), []
    for month, row, hash in sampling.due(engine, ZONE, 12):
        note(data, q.seed_id(month), f.SampleSeeded(month, ZONE, row, hash, wanted), LATER)
        found.append(month)
    engine.dispose()
    return found


def drawn(engine: Engine, month: str) -> dict[str, q.OfOperator]:
    sheets = sampling.sheets(engine)
    return {one.operator: one for one in sampling.sample(engine, month, ZONE, sheets).operators}


def score(data: Path, call: str, fresh: str = "s1", comment: str = "well done") -> None:
    note(data, q.sheet_id(call, fresh), f.CallScored(CallId(call), "2026-11", "sue", {"calm": 2}, {"calm": 2}, comment), LATER)


def delete(data: Path, call: str) -> None:
    note(data, f"gone:{call}", f.RecordingDeleted(CallId(call), ("x",), (), "default", "the archivist"), LATER)


def test_a_month_is_drawn_when_it_is_over_and_once(data: Path) -> None:
    assert seed(data) == ["2026-10", "2026-11"]
    assert seed(data) == []


def test_nothing_is_drawn_before_the_journal_has_gone_on_behind_the_months_end(tmp_path: Path) -> None:
    write(tmp_path, [months.adopted(utc_ns("2026-11-01T00:00:00")), *answered(1, OLIVE, utc_ns("2026-11-30T23:59:00"))])
    assert seed(tmp_path) == []


def test_before_it_is_drawn_calls_are_counted_and_none_is_known(data: Path) -> None:
    engine = read_only(data)
    sample = sampling.sample(engine, "2026-11", ZONE, ())
    assert (sample.seed, [(one.operator, one.answered, one.drawn) for one in sample.operators]) == (
        None,
        sorted([(OLIVE, 10, ()), (PAUL, 10, ())]),
    )


def test_anybody_draws_the_same_by_the_lines_of_the_manual(data: Path) -> None:
    """SQL and hashlib; nothing of ours is imported."""
    seed(data)
    (lines,) = re.findall(r"^```python\n(.*?)^```", sources.text("docs/quality.md"), re.DOTALL | re.MULTILINE)
    done = subprocess.run([sys.executable, "-I", "-c", lines], cwd=data, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    by_hand: dict[str, list[str]] = {}
    for operator, id in (line.split() for line in done.stdout.splitlines()):
        by_hand.setdefault(operator, []).append(id)
    found = drawn(read_only(data), "2026-11")
    assert {operator: list(one.drawn) for operator, one in found.items()} == {op: ids[:2] for op, ids in by_hand.items()}
    assert {operator: one.answered for operator, one in found.items()} == {OLIVE: 10, PAUL: 10}


def test_every_call_belongs_to_one_month_also_the_one_over_midnight_and_one_that_came_late(data: Path) -> None:
    assert drawn(read_only(data), "2026-10")[OLIVE].answered == 11  # 901 is answered at 23:59:53
    seed(data)
    before = drawn(read_only(data), "2026-11")
    write(data, answered(950, OLIVE, utc_ns("2026-11-20T12:00:00")), "late")  # from a spool, for instance
    assert drawn(read_only(data), "2026-11") == before
    engine = read_only(data)
    row = sampling.calls(engine, [call_of(950)])[call_of(950)]
    assert sampling.month_of_call(engine, row.number, ZONE) == "2026-11"  # by time, for December has no seed yet
    of_901 = sampling.calls(engine, [call_of(901)])[call_of(901)]
    assert sampling.month_of_call(engine, of_901.number, ZONE) == "2026-10"


def test_how_many_are_drawn_is_what_the_site_wanted_then(data: Path) -> None:
    seed(data, wanted=3)
    assert [len(one.drawn) for one in drawn(read_only(data), "2026-11").values()] == [3, 3]


def test_a_drawn_call_whose_recording_is_gone_is_told_and_the_next_is_drawn(data: Path) -> None:
    seed(data)
    first = drawn(read_only(data), "2026-11")[OLIVE].drawn
    delete(data, first[0])
    after = drawn(read_only(data), "2026-11")[OLIVE]
    assert (after.passed, after.drawn[0], len(after.drawn)) == ((first[0],), first[1], 2)


def test_a_scored_call_stays_when_its_recording_goes(data: Path) -> None:
    seed(data)
    first = drawn(read_only(data), "2026-11")[OLIVE].drawn
    score(data, first[0])
    delete(data, first[0])
    assert drawn(read_only(data), "2026-11")[OLIVE].drawn == first


def test_a_month_of_which_all_recordings_are_gone_has_no_sample_and_says_how_many(data: Path) -> None:
    seed(data)
    for number in range(100, 120):
        delete(data, call_of(number))
    assert [(one.drawn, len(one.passed)) for one in drawn(read_only(data), "2026-11").values()] == [((), 10), ((), 10)]


def test_a_call_in_which_nothing_was_captured_is_not_drawn(tmp_path: Path) -> None:
    told = [months.adopted(utc_ns("2026-11-01T00:00:00"))]
    for number in range(3):
        told += answered(number, OLIVE, utc_ns("2026-11-02T12:00:00") + number * 3600 * months.SECOND, sound=number == 1)
    write(tmp_path, [*told, *answered(9, OLIVE, utc_ns("2026-12-02T12:00:00"))])
    seed(tmp_path)
    assert drawn(read_only(tmp_path), "2026-11")[OLIVE].drawn == (call_of(1),)


def test_a_seed_that_is_not_the_journals_is_found(data: Path) -> None:
    seed(data)
    engine = read_only(data)
    good = sampling.seeds(engine)["2026-11"]
    assert sampling.doubt(engine, good) == ""
    assert "not the hash" in sampling.doubt(engine, replace(good, seed="0" * 64))
    assert "no row" in sampling.doubt(engine, replace(good, row=10**9))
    one_less = replace(good, row=good.row - 1, seed=sampling._row(engine, good.row - 1)[1])
    assert "not the last" in sampling.doubt(engine, one_less)


def test_sheets_are_kept_all_and_stand_in_no_timeline_of_the_call(data: Path) -> None:
    from callserver.store import queries

    seed(data)
    call = drawn(read_only(data), "2026-11")[OLIVE].drawn[0]
    score(data, call)
    score(data, call, "s2", "heard again")
    engine = read_only(data)
    assert [one.fact.comment for one in sampling.sheets(engine, call)[call]] == ["well done", "heard again"]
    kinds = {type(row.fact) for row in queries.timeline_of_call(engine, call)}
    assert f.RecordingMade in kinds and f.CallScored not in kinds


def test_who_was_in_a_call_is_who_answered(data: Path) -> None:
    assert sampling.people_of(read_only(data), call_of(100)) == {OLIVE}


def test_an_erasure_on_request_takes_the_comments_on_its_calls_and_no_others(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    score(data, call_of(100))
    score(data, call_of(101))
    engine = read_only(data)
    config = config_in(tmp_path_factory.mktemp("config"))
    facts = request_of(engine, config, IncidentId(call_of(100).removesuffix(".1")), "sue", "asked")
    numbers = ",".join(str(row) for fact in facts if isinstance(fact, f.TextsErased) for row in fact.rows)
    with sqlite3.connect(store_path(data)) as file:
        ids = {id for (id,) in file.execute(f"SELECT id FROM journal WHERE number IN ({numbers})")}
    assert {id for id in ids if id.startswith(q.SHEETS)} == {q.sheet_id(call_of(100), "s1")}


@pytest.mark.long
def test_a_month_of_86_000_calls_is_drawn_within_a_second_of_a_core_and_one_of_a_million_within_five(tmp_path: Path) -> None:
    """A year of a million calls has months of 86,000."""
    _million(tmp_path)
    engine = read_only(tmp_path)
    for count, most_s in ((86_000, 1.0), (1_000_000, 5.0)):
        begun = time.process_time()
        order = q.ordered("ab" * 32, sampling._answered(engine, 1_000_000 - count, 1_000_000))
        found = [sampling._drawn(engine, operator, order[operator], 2, ()) for operator in order]
        took_s = time.process_time() - begun
        print(f"{count} calls of {len(found)} operators: {took_s:.2f} s")
        assert sum(one.answered for one in found) == count and all(len(one.drawn) == 2 for one in found)
        assert took_s < most_s


def _million(data: Path) -> None:
    """A million calls of twenty operators, by SQL."""
    write(data, [])
    with sqlite3.connect(store_path(data)) as file:
        file.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) "
            "INSERT INTO calls (id, number, incident, point, state, reason, operator, started_utc_ns, answered_utc_ns) "
            "SELECT printf('261101-%06d-abcdef.1', i), i, printf('261101-%06d-abcdef', i), 'p', 'ended', '', "
            "'operator-' || (i % 20), i, i FROM n"
        )
