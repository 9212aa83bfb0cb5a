"""`callserver retention`, and `incidents hold`, `release` and `erase`, as they are typed."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from callserver import cli, control
from callserver.control import Unavailable
from tests.runtime.retention_world import DAY_NS, World

REVIEW = ("--review", "2036-01-01")
WHY = ("--reason", "a letter of the police")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Three closed incidents: of today, of 40 days ago, and of 80 days ago."""
    made = World(tmp_path, {"days": 31, "text_days": 60})
    (tmp_path / "callserver.toml").write_text(
        '[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\n[retention]\ndays = 31\ntext_days = 60\n'
    )
    monkeypatch.setattr(control, "ask_sync", lambda _path, verb, args, _timeout_s: made._ask(verb, args))
    monkeypatch.chdir(tmp_path)
    today_ns = time.time_ns()
    for id, days in (("i1", 80), ("i2", 40), ("i3", 0)):
        made.now_ns = today_ns - days * DAY_NS
        made.incident(id)
        made.close_incident(id)
    yield made
    made.close()


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def told(*words: str) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_shows_what_would_go_when_and_why_and_changes_nothing(world: World) -> None:
    before = world.rows
    for words in (("retention",), ("retention", "--dry-run")):
        found = told(*words)
        assert [(one["call"], one["rule"], one["due"]) for one in found["calls"]] == [
            ("i1.1", "default", True),
            ("i2.1", "default", True),
        ]
        assert found["texts"] == 1
    assert [one["call"] for one in told("retention", "--within", "40")["calls"]] == ["i1.1", "i2.1", "i3.1"]
    assert (world.rows, world.files_of("i1") != []) == (before, True)
    said = run("retention").output
    assert "due now: 2 calls, and texts beside 1 rows" in said and "i2.1" in said


def test_other_rules_are_tried_without_using_them(world: World) -> None:
    found = told("retention", "--set", "retention.days=60")["calls"]
    assert [(one["call"], one["due"]) for one in found] == [("i1.1", True)]


def test_now_has_what_is_due_go(world: World) -> None:
    assert told("retention", "--now")["told"] == 3
    world.whole_round()
    assert (world.files_of("i1"), world.files_of("i2"), len(world.files_of("i3"))) == ([], [], 3)
    assert (world.notes_of("i1"), len(world.notes_of("i2")), world.fault()) == ([], 1, "")
    assert "0 deletions are in the journal" in run("retention", "--now").output
    assert run("retention", "--now", "--dry-run").exit_code == 2


def test_a_hold_keeps_an_incident_until_it_is_released(world: World) -> None:
    done = told("incidents", "hold", "i1", *WHY, *REVIEW)
    assert done["late"] == []
    (held,) = told("retention")["holds"]
    assert (held["hold"], held["incident"], held["why"]) == (done["hold"], "i1", "a letter of the police")
    assert str(held["by"]).startswith("command line (") and str(held["review"]).startswith("2036-01-01")
    assert "held by" in run("retention").output
    world.whole_round()
    assert (len(world.files_of("i1")), world.files_of("i2")) == (3, [])
    assert run("incidents", "release", "i1").exit_code == 0
    assert run("incidents", "release", "i1").exit_code == 1
    world.whole_round()
    assert (world.files_of("i1"), world.fault()) == ([], "")


def test_a_hold_that_comes_too_late_says_so(world: World) -> None:
    world.whole_round()
    done = run("incidents", "hold", "i1", *WHY, *REVIEW)
    assert (done.exit_code, "too late: the recording of call i1.1 was deleted before" in done.output) == (0, True)


def test_of_several_holds_one_is_named(world: World) -> None:
    names = [str(told("incidents", "hold", "i1", *WHY, *REVIEW)["hold"]) for _ in range(2)]
    unnamed = run("incidents", "release", "i1")
    assert (unnamed.exit_code, all(name in unnamed.output for name in names)) == (2, True)
    assert run("incidents", "release", "i1", "--hold", names[0]).exit_code == 0
    assert run("incidents", "release", "i1", "--hold", names[0]).exit_code == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("hold", "i1", *REVIEW), 2),
        (("hold", "i1", "--reason", " ", *REVIEW), 2),
        (("hold", "i1", *WHY), 2),
        (("hold", "i1", *WHY, "--review", "soon"), 2),
        (("hold", "i1", *WHY, "--review", "2020-01-01"), 2),
        (("hold", "nothing", *WHY, *REVIEW), 1),
        (("erase", "i1"), 2),
        (("erase", "nothing", *WHY), 1),
        (("release", "nothing"), 1),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_nothing_happens(world: World, words: tuple[str, ...], code: int) -> None:
    before = world.rows
    assert (run("incidents", *words).exit_code, world.rows) == (code, before)


def test_an_erasure_takes_texts_and_sound_at_once_whatever_their_age(world: World) -> None:
    assert told("incidents", "erase", "i3", *WHY)["deleted"] == ["i3.1"]
    world.whole_round()
    assert (world.files_of("i3"), world.notes_of("i3"), world.fault()) == ([], [], "")
    (fact,) = [fact for fact in world.facts("TextsErased") if fact["rule"] == "request"]
    assert (fact["incident"], str(fact["by"]).startswith("command line (")) == ("i3", True)


def test_an_erasure_of_what_is_held_or_being_made_is_refused(world: World) -> None:
    told("incidents", "hold", "i3", *WHY, *REVIEW)
    held = run("incidents", "erase", "i3", *WHY)
    assert (held.exit_code, "is held" in held.output, len(world.files_of("i3"))) == (1, True, 3)
    world.incident("i4", recorded=False)
    world.close_incident("i4")
    made = run("incidents", "erase", "i4", *WHY)
    assert (made.exit_code, "is still being made" in made.output) == (1, True)


def test_without_a_switchboard_nothing_is_done_and_it_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("no switchboard answers")

    monkeypatch.setattr(control, "ask_sync", away)
    for words in (("incidents", "hold", "i1", *WHY, *REVIEW), ("incidents", "erase", "i1", *WHY), ("retention", "--now")):
        done = run(*words)
        assert (done.exit_code, "Does the service run" in done.output) == (1, True)
