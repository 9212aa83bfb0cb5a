"""What a journal tells is what is lived through again: from facts, from a real store, and by the command."""

import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.commands import rehearse as command
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.facts import Fact
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.instant import SECOND, Instant, later
from callserver.planning.period import Change, Period, Press
from callserver.planning.plot import svg
from callserver.planning.recorded import Recorded
from callserver.planning.rehearse import Rehearsal, rehearse
from callserver.planning.sitting import Sitting
from callserver.planning.storm import parse
from callserver.planning.weather import generate
from callserver.store.engine import open_store
from callserver.store.journal import Entry, JournalWriter, wait
from callserver.store.upgrade import upgrade
from dialplans.load import shipped
from dialplans.model import Button, Plan, Point, Priority
from tests import sources
from tests.core.plans import plan

PLAN_FILE = sources.ROOT / "dialplans" / "darlington.toml"
DARLINGTON = shipped("darlington")
NOON = Instant(1_772_366_400 * SECOND)
BOOT_NS = 77 * SECOND  # a machine's own clock, when the period begins
STORM = """
[storm]
name = "Night"
start = "2026-06-06T20:00"
duration = "6h"

[people]
answer = { median = "7s", factor = 1.8 }
unanswered = 0.2
party_answer = { median = "15s", factor = 1.5 }

[[arrivals]]
per_hour = 15.0
talk = { median = "2m", factor = 1.8 }

[[pranks]]
per_hour = 4.0
every = { mean = "15s" }
talk = "10s"
patience = { mean = "30s" }
silent = 0.3

[[seats_dead]]
at = "3h"
share = 0.5
back_after = "30m"
"""
Rows = list[tuple[Fact, int, int]]  # fact, instant, UTC


def journal_of(period: Period, plan: Plan = DARLINGTON) -> Rows:
    """What a service would have written in this period."""
    rows: Rows = []

    def take(fact: Fact, at: Instant) -> None:
        rows.append((fact, at - period.begins + BOOT_NS, at))

    Sitting(period, ((period.begins, plan),), take).run()
    return rows


def recorded(rows: Rows, since: int | None = None, until: int | None = None) -> Recorded:
    """The rows, taken."""
    found = Recorded(since, until)
    for row in rows:
        found.take(*row)
    return found


@pytest.fixture(scope="module")
def night() -> Period:
    """Six hours of it."""
    return generate(parse(STORM, "night"), DARLINGTON)


@pytest.fixture(scope="module")
def rows(night: Period) -> Rows:
    """Its journal."""
    return journal_of(night)


def again(found: Recorded, plan: Plan = DARLINGTON) -> Rehearsal:
    """The record, the plan of then, another."""
    period = found.period("again")
    return rehearse(period, plan, period.plans, found.waits)


# ---- facts ---------------------------------------------------------------------------------------------------


def test_under_the_same_plan_everybody_waits_as_they_did(rows: Rows) -> None:
    """Each of them, to the millisecond: who answered, who hung up, what was alarmed."""
    done = again(recorded(rows))
    was, old, new = done.runs
    assert (was.name, old.name, new.name) == ("recorded", "old", "new")
    assert was.rows == old.rows == new.rows
    assert [(one.id, one.ring_ms, one.answer_ms, one.answered_by, one.hung_up_ms) for one in was.waits] == [
        (one.id, one.ring_ms, one.answer_ms, one.answered_by, one.hung_up_ms) for one in new.waits
    ]
    assert was.rows[0].incidents > 80 and was.rows[0].hung_up > 3 and was.rows[0].answer != (0, 0, 0)
    assert done.told == ()


@pytest.mark.parametrize("name", ["railway", "campus"])
def test_other_plans_give_back_their_own_waits_too(name: str) -> None:
    """With two rooms that hand over, tiers, skills and classes."""
    made = shipped(name)
    was, old, new = again(recorded(journal_of(generate(parse(STORM, "night"), made), made)), made).runs
    assert was.rows == old.rows == new.rows


def test_a_part_of_the_journal_begins_with_who_was_there(rows: Rows, night: Period) -> None:
    """The second hour alone: its presses, under the plan and with the seats of the time before."""
    since, until = night.begins + 3_600 * SECOND, night.begins + 7_200 * SECOND
    found = recorded(rows, since, until)
    done = again(found)
    asked = {fact.incident for fact, _, at in rows if isinstance(fact, f.IncidentOpened) and since <= at < until}
    assert {one.id for one in done.runs[0].waits} == asked
    was, new = ({one.id: one.answer_ms for one in run.waits} for run in (done.runs[0], done.runs[-1]))
    assert sum(was[one] == new.get(one) for one in asked) > 0.8 * len(asked)
    assert found.settled
    assert found.period("part").operators == frozenset(DARLINGTON.operators)


def test_presses_wishes_and_faults_come_out_of_the_record() -> None:
    """A pause and its end, a lost trunk, a fault of the machine; what the core alarmed by itself is not done again."""
    ann = OperatorId("ann")
    wishes: list[ev.Event] = [ev.SeatBound(ann, "sip"), ev.Pause(ann, "break", ann), ev.MakeAvailable(ann, ann)]
    wishes += [ev.TrunkLost("trunk-a", "x"), ev.ConditionRaised("disk:data", "full"), ev.ConditionCleared("disk:data")]
    changes = tuple(Change(later(NOON, 1_000 * number), wish) for number, wish in enumerate(wishes))
    period = Period("wishes", NOON, later(NOON, 60_000), (), changes)
    found = recorded(journal_of(period, plan())).period("again")
    after = [type(one.event).__name__ for one in found.changes if isinstance(one, Change) and one.at > NOON]
    assert after == ["Pause", "MakeAvailable", "TrunkLost", "ConditionRaised", "ConditionCleared"]


def test_a_pause_by_the_plan_is_no_wish() -> None:
    """It comes at the very instant at which an offer rang out; another plan may have nothing of the kind."""
    ann, bob = OperatorId("ann"), OperatorId("bob")
    facts: list[Fact] = [
        f.OperatorRests(ann, 0),
        f.OperatorMoved(ann, "available", "paused", "let three offers ring out"),
        f.OperatorMoved(bob, "available", "paused", "break"),
    ]
    found = recorded([(fact, BOOT_NS, NOON) for fact in facts]).period("again")
    assert [one.event for one in found.changes if isinstance(one, Change)] == [ev.Pause(bob, "record", "record")]


def test_the_clock_of_the_period_is_utc_whatever_the_machine_s_own_was(rows: Rows, night: Period) -> None:
    found = recorded(rows).period("again")
    assert (found.begins, found.presses[0].at) == (night.begins, night.presses[0].at)


def test_a_better_plan_is_seen_to_be_better(rows: Rows) -> None:
    """A ladder that has no step later than 10 s: the longest wait is shorter."""
    worst = {run.name: run.rows[0].answer for run in again(recorded(rows), _quicker()).runs}
    assert worst["new"] is not None and worst["old"] is not None
    assert worst["new"][2] < worst["old"][2]


def _quicker() -> Plan:
    ladders = {
        id: replace(ladder, steps=tuple(replace(step, after_ms=min(step.after_ms, 10_000)) for step in ladder.steps))
        for id, ladder in DARLINGTON.ladders.items()
    }
    return replace(DARLINGTON, ladders=ladders)


# ---- the command, over a real store --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(rows: Rows) -> Iterator[Path]:
    """A store that a service might have left."""
    with TemporaryDirectory(prefix="cs") as name:
        place = Path(name)
        engine = open_store(place)
        upgrade(engine)
        engine.dispose()
        writer = JournalWriter(place, patience_s=60.0)
        writer.start()
        entries = [Entry(f"fact-{number}", fact, at, utc, 1) for number, (fact, at, utc) in enumerate(rows)]
        wait(writer.append(entries), 60.0)
        writer.close()
        yield place


def run(*words: str | Path) -> Result:
    """The command."""
    return CliRunner().invoke(cli.app, ["rehearse", *(str(word) for word in words)])


def reported(*words: str | Path) -> Any:
    """Its report."""
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_journal_of_the_real_store_round_trips(data: Path, tmp_path: Path) -> None:
    report = reported(PLAN_FILE, "--against", data, "--out", tmp_path)
    figures = {one["plan"]: one["figures"] for one in report["runs"]}
    assert figures["recorded"] == figures["old"] == figures["new"]
    assert report["differences"] == []
    assert (report["sooner"], report["later"]) == (0, 0)
    assert reported(PLAN_FILE, "--against", data / "callserver.db", "--out", tmp_path)["runs"] == report["runs"]


def test_the_table_the_plot_and_the_report_say_the_same(data: Path, tmp_path: Path) -> None:
    result = run(PLAN_FILE, "--against", data, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    incidents = report["runs"][0]["figures"][0]["incidents"]
    assert re.search(rf"^all +recorded +{incidents} ", result.stdout, re.MULTILINE)
    assert re.search(rf"^ +new +{incidents} ", result.stdout, re.MULTILINE)
    assert "Answered sooner under the new plan: 0 incidents; later: 0" in result.stdout
    assert re.search(r"[\d,]+ events in [\d.]+ s, [\d,]+ events/s", result.stdout)
    picture = (tmp_path / "out" / "waits.svg").read_text()
    assert f"New plan: {incidents} incidents" in picture


def test_a_part_by_the_site_s_clocks(data: Path, tmp_path: Path) -> None:
    report = reported(
        PLAN_FILE, "--against", data, "--out", tmp_path, "--since", "2026-06-06T21:00", "--until", "2026-06-06T22:00"
    )
    assert all("2026-06-06T20:00" <= one["pressed"] < "2026-06-06T21:00" for one in report["runs"][0]["incidents"])
    assert report["runs"][0]["incidents"]


def test_a_storm_by_name_by_file_and_by_seed(tmp_path: Path) -> None:
    spec = tmp_path / "storm.toml"
    spec.write_text(STORM)
    one = reported(PLAN_FILE, "--storm", spec, "--out", tmp_path)
    same, other = (reported(PLAN_FILE, "--storm", spec, "--out", tmp_path, *more)["runs"] for more in ((), ("--seed", "9")))
    assert (one["runs"] == same, one["runs"] == other) == (True, False)
    assert [run["plan"] for run in reported(PLAN_FILE, "--storm", "quiet-week", "--out", tmp_path)["runs"]] == ["new"]
    both = reported(PLAN_FILE, "--storm", spec, "--plan-before", PLAN_FILE, "--out", tmp_path)
    assert [run["plan"] for run in both["runs"]] == ["old", "new"]
    assert both["differences"] == []


def test_what_cannot_be_rehearsed_is_misuse(data: Path, tmp_path: Path) -> None:
    """2, with words; nothing is written."""
    spec = tmp_path / "storm.toml"
    spec.write_text('[storm]\nstart = "soon"\nduration = "1h"\n')
    out = ("--out", tmp_path / "out")
    for words, told in (
        ((PLAN_FILE,), "name one of --against JOURNAL and --storm SPEC; storms that come with it: half-the-seats-dead"),
        ((PLAN_FILE, "--against", data, "--storm", "pranks"), "name one of"),
        ((PLAN_FILE, "--against", tmp_path / "no"), "there is no journal here"),
        ((PLAN_FILE, "--storm", "drizzle"), "no storm of this name"),
        ((PLAN_FILE, "--storm", spec), f"{spec}:2: 'start' of storm: 'soon' is no local time. Write day and time"),
        ((PLAN_FILE, "--against", data, "--since", "monday"), "--since monday: write a day"),
        ((PLAN_FILE, "--against", data, "--since", "2027-01-01"), "nobody pressed in this time"),
        ((tmp_path / "no.toml", "--storm", "pranks"), "No such file"),
    ):
        result = run(*words, *out)
        assert (result.exit_code, told in result.output) == (2, True), result.output
    assert not (tmp_path / "out").exists()


def test_a_plan_with_faults_is_told_with_its_lines(tmp_path: Path) -> None:
    """1, whichever of the two it is."""
    broken = tmp_path / "plan.toml"
    broken.write_text(PLAN_FILE.read_text().replace('queue = "town"', 'queue = "nowhere"', 1))
    for words in ((broken, "--storm", "pranks"), (PLAN_FILE, "--plan-before", broken, "--storm", "pranks")):
        result = run(*words, "--out", tmp_path)
        assert (result.exit_code, f"{broken}:" in result.output) == (1, True)


class Terminal(io.StringIO):
    """Looks like one."""

    def isatty(self) -> bool:
        """It does."""
        return True


def test_a_terminal_is_shown_a_bar_for_each_part_of_the_work_and_a_program_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, so that the table can be piped."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    for quiet, shown in ((True, False), (False, True)):
        with command._progress(quiet) as tell:
            for done in range(0, 1_001, 100):
                tell("reading", done, 1_000)
            tell("new", 500, 1_000)
        text = terminal.getvalue()
        assert ["reading" in text, "new" in text, "100 %" in text, " 50 %" in text] == [shown] * 4


# ---- the plot ------------------------------------------------------------------------------------------------


def test_the_plot_is_well_formed_and_says_what_it_shows(rows: Rows) -> None:
    """A picture with a title and a description, and one mark with words for each incident of each run."""
    done = again(recorded(rows), _quicker())
    root = ElementTree.fromstring(svg(done))
    space = "{http://www.w3.org/2000/svg}"
    assert (root.tag, root.get("role"), root.get("aria-labelledby")) == (f"{space}svg", "img", "title desc")
    assert (root.findtext(f"{space}title") or "").startswith("again: how long callers waited")
    described = root.findtext(f"{space}desc") or ""
    assert all(name in described for name in ("As it was:", "Old plan:", "New plan:", "Europe/London"))
    for run_ in done.runs:
        (marks,) = [group for group in root.iter(f"{space}g") if group.get("id") == run_.name]
        assert len(marks) == len(run_.waits)
        assert all(mark.findtext(f"{space}title") for mark in marks)
    numbers = [float(one.get(name, "0")) for one in root.iter(f"{space}circle") for name in ("cx", "cy")]
    assert all(math.isfinite(number) and 0 <= number <= 1_000 for number in numbers)


def test_the_plot_of_names_that_are_markup_is_well_formed() -> None:
    """A storm may be called anything."""
    found = generate(parse(STORM.replace("Night", "<b>&'"), "night"), DARLINGTON)
    assert "<b>&'" in (ElementTree.fromstring(svg(rehearse(found, DARLINGTON))).findtext("{*}title") or "")


# ---- what is taken from one incident ---------------------------------------------------------------------------


def lived(*presses: Press, seats: tuple[str, ...] = ("ann",), more: tuple[Change, ...] = ()) -> dict[str, Press]:
    """The presses that come out of the record of these, by id, under the tests' own plan; the seats are there from the start."""
    bound = tuple(Change(NOON, ev.SeatBound(OperatorId(seat), "sip")) for seat in seats)
    period = Period("one", NOON, later(NOON, 3_600_000), presses, (*bound, *more))
    return {press.id: press for press in recorded(journal_of(period, plan())).period("again").presses}


def press(second: float, **more: Any) -> Press:
    """A press at p1, so many seconds after noon."""
    return Press(IncidentId(f"i{second:g}"), PointId("p1"), later(NOON, round(second * 1_000)), **more)


def test_ring_time_is_what_all_offers_took_together() -> None:
    """18 s in two offers; whoever rang as long and did not answer needs a moment more."""
    found = lived(press(0, replies={"ann": 18_000, "bob": 30_000}), seats=("ann", "bob"))["i0"]
    assert (found.seat_ms, found.replies) == (18_001, {"ann": 18_000, "bob": None})  # bob let the first offer ring out
    found = lived(press(0, replies={"ann": 8_000, "bob": 30_000}), seats=("ann", "bob"))["i0"]
    assert (found.seat_ms, found.replies) == (8_001, {"ann": 8_000, "bob": 8_001})


def test_a_refusal_is_one() -> None:
    found = lived(press(0, replies={"ann": 4_000}, refuses={"ann": (1_500,)}))["i0"]
    assert (found.refuses, found.replies) == ({"ann": (1_500,)}, {"ann": 4_000})


def test_a_party_needs_what_it_needed_and_one_that_was_given_up_a_little_more() -> None:
    """Civic enforcement answers one press 5 s after it was called; of another it is told that its route rang for 10 s in vain."""
    found = lived(
        press(0, replies={"ann": None, "civic": 5_000}), press(400, replies={"ann": None, "civic": None, "police": 3_000})
    )
    assert found["i0"].replies == {"ann": None, "civic": 5_000, "police": 3_000}
    assert found["i400"].replies == {"ann": None, "civic": 11_000, "police": 3_000}


def test_talks_outcomes_and_wrap_ups_last_as_long_as_they_did() -> None:
    """One closed in the wrap-up, one left open by an operator who asked for calls, one never talked about."""
    one = press(0, talk_ms=30_000, outcome_ms=7_000, outcome="false")
    two = press(200, talk_ms=50_000, wrap_ms=9_000)
    three = press(400, seat_ms=None, party_ms=None)
    found = lived(one, two, three)
    told = [(known.talk_ms, known.outcome, known.outcome_ms, known.wrap_ms) for known in found.values()]
    assert told == [(30_000, "false", 7_000, None), (50_000, "", None, 9_000), (30_000, "", None, None)]


def test_each_press_has_its_own_end_of_patience() -> None:
    """The first caller hangs up after 2 s; the press that joins at 4 s is given up after 3 s."""
    found = lived(press(0, hangs_up_ms=2_000, seat_ms=12_000), press(4, hangs_up_ms=3_000))
    assert [known.hangs_up_ms for known in found.values()] == [2_000, 3_000]
    assert [known.seat_ms for known in found.values()] == [12_001, 12_001]


def test_a_more_urgent_button_pressed_meanwhile_is_pressed_again() -> None:
    """The record of a press that joined names it only as the reason of the new class."""
    buttons = (Button("info", Priority.INFORMATION, user="info"), Button("red", Priority.EMERGENCY, user="red"))
    made = replace(plan(), points={**plan().points, "p1": Point("p1", "Gate", "help", "human", buttons=buttons)})
    pressed = (press(0, button="info"), press(5, button="red"))
    rows = journal_of(Period("two", NOON, later(NOON, 60_000), pressed, ()), made)
    assert [one.button for one in recorded(rows).period("again").presses] == ["info", "red"]


def test_a_press_in_the_wrap_up_has_an_answer_and_a_talk_of_its_own() -> None:
    found = lived(press(0, talk_ms=10_000), press(20, seat_ms=2_000, talk_ms=40_000, outcome_ms=1_000, outcome="helped"))
    told = [(known.seat_ms, known.talk_ms, known.outcome) for known in found.values()]
    assert told == [(6_001, 10_000, ""), (2_001, 40_000, "helped")]
