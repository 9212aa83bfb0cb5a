"""What a journal tells is what is lived through again, to the millisecond where the plan is the same."""

from dataclasses import replace
from typing import Any

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.facts import Fact
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.instant import SECOND, later
from callserver.planning.period import Change, Period, Press
from callserver.planning.storm import parse
from callserver.planning.weather import generate
from dialplans.load import shipped
from dialplans.model import Button, Point, Priority
from tests.core.driver import Driver
from tests.core.plans import plan
from tests.planning.record import BOOT_NS, DARLINGTON, NOON, STORM, Rows, again, journal_of, quicker, recorded


@pytest.fixture(scope="module")
def night() -> Period:
    """Six hours of it."""
    return generate(parse(STORM, "night"), DARLINGTON)


@pytest.fixture(scope="module")
def rows(night: Period) -> Rows:
    """Its journal."""
    return journal_of(night)


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
    worst = {run.name: run.rows[0].answer for run in again(recorded(rows), quicker()).runs}
    assert worst["new"] is not None and worst["old"] is not None
    assert worst["new"][2] < worst["old"][2]


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


def test_a_point_that_was_called_is_no_press() -> None:
    """Its incident was nobody's need; what a pressed one went through besides is told as ever."""
    run = Driver(None, "ann")
    run.do(ev.CallOut(PointId("p2"), OperatorId("ann"), "ann", IncidentId("out")))
    run.answer("ann")
    run.answer("p2")
    run.end("ann")
    run.do(ev.MakeAvailable(OperatorId("ann"), "ann"))
    run.gone()
    incident = run.talk()
    run.do(ev.ParkCall(run.call(incident).id, "ann"))
    found = recorded([(fact, at, at) for fact, at in run.journal])
    assert [one.id for one in found.period("again").presses] == ["i1"] == [str(known) for known in found.waits.all]
