"""Periods made by hand, with waits that can be worked out on paper; and two plans side by side."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.facts import Fact
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.instant import SECOND, Instant, later
from callserver.planning import sitting
from callserver.planning.figures import NEVER, Wait, Waits, figures, quantile, words
from callserver.planning.period import Change, Doing, LinesLost, Period, Press
from callserver.planning.rehearse import Rehearsal, rehearse
from callserver.planning.sitting import Endless, Sitting
from dialplans.model import Ladder, Plan, Priority, Step
from tests.core.plans import plan

NOON = Instant(1_772_366_400 * SECOND)


def press(second: float, point: str = "p1", **more: object) -> Press:
    """A press so many seconds after noon; its seat needs 4 s, a party 3 s, the talk lasts a minute."""
    usual = {"seat_ms": 4_000, "party_ms": 3_000, "talk_ms": 60_000, "outcome_ms": 5_000, "outcome": "helped"}
    at = later(NOON, round(second * 1_000))
    return Press(IncidentId(f"i{second:g}"), PointId(point), at, **(usual | more))  # type: ignore[arg-type]


def seated(*operators: str) -> list[Change | LinesLost]:
    """These are at their telephones from noon on."""
    return [Change(NOON, ev.SeatBound(OperatorId(operator), "sip")) for operator in operators]


def day(presses: Sequence[Press], changes: Sequence[Change | LinesLost], **more: object) -> Period:
    """An hour from noon."""
    period = Period("by hand", NOON, later(NOON, 3_600_000), tuple(presses), tuple(changes))
    return replace(period, **more)  # type: ignore[arg-type]


def sit(period: Period, under: Plan | None = None) -> tuple[dict[str, Wait], list[tuple[Fact, int]]]:
    """The waits by incident; and all facts, with their milliseconds after noon."""
    waits, facts = Waits(), list[tuple[Fact, int]]()

    def take(fact: Fact, at: Instant) -> None:
        waits.take(fact, at)
        facts.append((fact, (at - NOON) // 1_000_000))

    Sitting(period, ((NOON, under or plan()),), take).run()
    return {str(known): wait for known, wait in waits.all.items()}, facts


def said(facts: list[tuple[Fact, int]], kind: type) -> list[tuple[Fact, int]]:
    """Facts of one kind."""
    return [(fact, at) for fact, at in facts if isinstance(fact, kind)]


# ---- waits that can be worked out ----------------------------------------------------------------------------


def test_a_day_by_hand() -> None:
    """The first is answered after its 4 s; the second waits beside the busy seat until the ladder calls civic enforcement at
    20 s, which needs 3 s; the third finds the seat free."""
    waits, _ = sit(day([press(0), press(30, "p2"), press(200, "p1")], seated("ann")))
    told = {id: (wait.ring_ms, wait.answer_ms, wait.answered_by, wait.by_seat) for id, wait in waits.items()}
    assert told == {
        "i0": (0, 4_000, "ann", True),
        "i30": (20_000, 23_000, "civic", False),
        "i200": (0, 4_000, "ann", True),
    }


def test_the_talk_and_the_wrap_up_last_as_long_as_they_did() -> None:
    _, facts = sit(day([press(0)], seated("ann")))
    moves = [(fact.new, at) for fact, at in said(facts, f.IncidentMoved)]
    assert moves == [("attended", 4_000), ("wrap-up", 64_000), ("closed", 69_000)]


def test_who_needs_longer_than_an_offer_rings_answers_in_the_next_one() -> None:
    """18 s are 15 s of the first offer and 3 s of the second; the only seat rests for nobody."""
    waits, facts = sit(day([press(0, seat_ms=18_000)], seated("ann")))
    assert waits["i0"].answer_ms == 18_000
    assert [fact.result for fact, _ in said(facts, f.OfferEnded)] == ["rung-out", "accepted"]


def test_a_seat_that_never_answers_leaves_the_press_to_the_ladder() -> None:
    waits, _ = sit(day([press(0, replies={"ann": None})], seated("ann")))
    assert (waits["i0"].ring_ms, waits["i0"].answer_ms, waits["i0"].answered_by) == (0, 23_000, "civic")


def test_a_party_that_accepts_by_key_has_the_press_when_it_has_heard_what_it_is_about() -> None:
    with_key = plan(parties={**plan().parties, "civic": replace(plan().parties["civic"], accept="1")})
    waits, _ = sit(day([press(0, replies={"ann": None})], seated("ann")), with_key)
    assert (waits["i0"].answer_ms, waits["i0"].answered_by) == (31_000, "civic")


def test_a_seat_that_refuses_once_is_asked_again() -> None:
    waits, facts = sit(day([press(0, refuses={"ann": (1_500,)})], seated("ann")))
    assert waits["i0"].answer_ms == 1_500 + 2_000 + 4_000 - 1_500  # refusal, the core's firm rest, and what is left of its 4 s
    assert said(facts, f.OfferEnded)[0][0].result == "refused"


def test_a_caller_who_hangs_up_is_called_back() -> None:
    waits, facts = sit(day([press(0, hangs_up_ms=2_000, back_ms=3_000)], seated("ann")))
    assert (waits["i0"].hung_up_ms, waits["i0"].answer_ms) == (2_000, 4_000)
    assert [at for fact, at in said(facts, f.CallMoved) if fact.new == "talking"] == [7_000]


def test_the_device_hangs_up_at_its_own_limit() -> None:
    """A point that rings for 10 s at most, and nobody comes."""
    made = plan()
    short = replace(made, profiles={**made.profiles, "human": replace(made.profiles["human"], ring_limit_ms=10_000)})
    waits, _ = sit(day([press(0, seat_ms=None)], seated("ann")), short)
    assert waits["i0"].hung_up_ms == 10_000


def test_a_press_in_the_wrap_up_begins_anew() -> None:
    """Another answer and another talk, of the same incident."""
    _, facts = sit(day([press(0, outcome_ms=30_000), press(70, talk_ms=20_000)], seated("ann")))
    moves = [(fact.incident, fact.new, at) for fact, at in said(facts, f.IncidentMoved)]
    assert moves[2:] == [
        ("i0", "waiting", 70_000),
        ("i0", "attended", 74_000),
        ("i0", "wrap-up", 94_000),
        ("i0", "closed", 99_000),
    ]


def test_a_dead_seat_loses_its_line_and_another_takes_over() -> None:
    changes = [*seated("ann"), *_at(20, ev.SeatBound(OperatorId("bob"), "sip"))]
    changes += [*_at(30, ev.SeatUnbound(OperatorId("ann"), "dead")), LinesLost(later(NOON, 30_000), OperatorId("ann"))]
    _, facts = sit(day([press(0)], changes))
    attended = [(fact.operator, at) for fact, at in said(facts, f.IncidentMoved) if fact.new == "attended"]
    assert attended == [("ann", 4_000), ("bob", 34_000)]
    ended = [at for fact, at in said(facts, f.IncidentMoved) if fact.new == "wrap-up"]
    assert ended == [68_000]  # 26 s of the minute were with ann, 34 s with bob


def _at(second: float, event: ev.Event) -> list[Change | LinesLost]:
    return [Change(later(NOON, round(second * 1_000)), event)]


def test_a_pause_that_is_wished_in_a_talk_comes_after_it() -> None:
    _, facts = sit(day([press(0)], [*seated("ann"), *_at(10, ev.Pause(OperatorId("ann"), "break", "ann"))]))
    assert [at for fact, at in said(facts, f.OperatorMoved) if fact.new == "paused"] == [69_000]
    assert said(facts, f.Refused) == []


def test_a_lost_trunk_is_passed_over_and_what_goes_through_it_fails_at_once() -> None:
    """Civic enforcement hangs on trunk a alone; the police is reached by trunk b."""
    lost = _at(-1, ev.TrunkLost("trunk-a", "no reply"))
    waits, _ = sit(day([press(0)], lost))
    assert (waits["i0"].answered_by, waits["i0"].by_seat) == ("police", False)


def test_a_digit_and_a_silence_reach_the_core() -> None:
    doings = (Doing(1_000, "digit", "5"), Doing(2_000, "silent", "2000"), Doing(3_000, "sounding"), Doing(3_500, "class", "1"))
    _, facts = sit(day([press(0, doings=doings)], seated("ann")))
    assert [(fact.digit, at) for fact, at in said(facts, f.DigitHeard)] == [("5", 1_000)]
    assert [(fact.sounding, at) for fact, at in said(facts, f.LineChanged)] == [(False, 2_000), (True, 3_000)]
    assert [(fact.new, at) for fact, at in said(facts, f.IncidentReclassified)] == [(1, 3_500)]


def test_a_run_in_which_no_time_passes_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself, made small."""
    monkeypatch.setattr(sitting, "SAME_INSTANT_MOST", 2)
    with pytest.raises(Endless, match="without time passing"):
        sit(day([press(0), press(0, "p2")], seated("ann", "bob")))


def test_nobody_ever_answers() -> None:
    """The run ends all the same, and the wait has no end."""
    waits, _ = sit(day([press(0, seat_ms=None, party_ms=None)], seated("ann")))
    assert (waits["i0"].ring_ms, waits["i0"].answer_ms) == (0, None)
    assert figures(waits.values())[0].answer == (NEVER, NEVER, NEVER)


# ---- two plans -----------------------------------------------------------------------------------------------


def hasty() -> Plan:
    """The same with a ladder that calls the police after 5 s."""
    made = plan()
    return replace(made, ladders={**made.ladders, "ladder": Ladder("ladder", (Step(5_000, call_party="police"),))})


def compared(period: Period, new: Plan, old: Plan | None = None) -> Rehearsal:
    """Both plans."""
    return rehearse(period, new, ((NOON, old or plan()),))


def test_two_plans_differ_where_they_should() -> None:
    """Who finds the seat free waits alike; who does not is answered after 8 s by the police, not after 23 s by others."""
    done = compared(day([press(0), press(30, "p2")], seated("ann")), hasty())
    assert [(run.name, run.rows[0].answer) for run in done.runs] == [
        ("old", (4_000, 23_000, 23_000)),
        ("new", (4_000, 8_000, 8_000)),
    ]
    assert [(one.id, one.old_ms, one.new_ms) for one in done.differences] == [("i30", 23_000, 8_000)]
    assert (done.sooner, done.later) == (1, 0)


def test_a_plan_against_itself_differs_nowhere() -> None:
    done = compared(day([press(0), press(10, "p2"), press(20, "p3")], seated("ann")), plan())
    assert (done.differences, done.sooner, done.later) == ((), 0, 0)


def test_what_the_new_plan_does_not_know_is_told_and_left_out() -> None:
    """A point, an operator, an outcome; and an operator of the plan who never was there."""
    made = plan()
    without = {id: point for id, point in made.points.items() if id != "p2"}
    changed = replace(made, points=without, operators={"bob": made.operators["bob"], "dan": made.operators["dan"]})
    presses = [press(0), press(30, "p2"), press(60, "p2"), press(90, outcome="lost property")]
    done = compared(day(presses, seated("ann", "bob"), operators=frozenset({"ann", "bob"})), changed)
    assert done.told == (
        "point p2 is not in the plan: its presses are left out (2)",
        "operator ann was there and is not in the plan: not rung",
        "operator dan of the plan was never there: counted as off duty",
        "outcome lost property is not in the plan: incidents close with its first (1)",
    )
    assert [(run.name, run.rows[0].incidents, run.refused) for run in done.runs] == [("old", 3, 0), ("new", 2, 2)]


def test_the_plan_that_comes_into_force_in_the_midst_is_the_one_from_there_on() -> None:
    done = rehearse(day([press(0), press(30, "p2"), press(600), press(630, "p2")], seated("ann")), hasty(), (
        (NOON, plan()), (later(NOON, 300_000), hasty()),
    ))  # fmt: skip
    assert {wait.id: wait.answer_ms for wait in done.runs[0].waits} == {"i0": 4_000, "i30": 23_000, "i600": 4_000, "i630": 8_000}


def test_who_asked_for_calls_under_a_plan_without_them_has_them_under_the_next() -> None:
    """Zoe comes at noon, and into the plan five minutes later."""
    zoe = OperatorId("zoe")
    made = plan()
    later_plan = replace(made, operators={"zoe": replace(made.operators["ann"], id="zoe", available_when_registered=False)})
    changes = [*seated("zoe"), Change(NOON, ev.MakeAvailable(zoe, "zoe"))]
    (old, _) = rehearse(day([press(400)], changes), made, ((NOON, made), (later(NOON, 300_000), later_plan))).runs
    assert [(wait.answered_by, wait.answer_ms) for wait in old.waits] == [("zoe", 4_000)]


# ---- figures -------------------------------------------------------------------------------------------------


def test_figures_are_of_all_of_each_class_and_of_each_queue() -> None:
    rows = [
        Wait(IncidentId("a"), "p1", "help", 0, NOON, 15_000, ring_ms=0, answer_ms=4_000, by_seat=True, answered_by="ann"),
        Wait(IncidentId("b"), "p1", "help", 2, NOON, 15_000, presses=3, ring_ms=0, answer_ms=20_000, answered_by="police"),
        Wait(IncidentId("c"), "p3", "idle", 2, NOON, 15_000, hung_up_ms=9_000, parked=1, alarms=2),
    ]
    found = {row.of: row for row in figures(rows)}
    assert list(found) == ["all", "class emergency", "class normal", "queue help", "queue idle"]
    whole = found["all"]
    assert (whole.incidents, whole.presses, whole.by_seat, whole.by_party, whole.unanswered) == (3, 5, 1, 1, 1)
    assert (whole.answer, whole.in_target, whole.hung_up, whole.lost) == ((20_000, NEVER, NEVER), 1, 1, 1)
    assert (found["class normal"].parked, found["class normal"].alarms) == (1, 2)
    assert found["queue help"].answer == (4_000, 20_000, 20_000)


def test_quantiles_are_the_nearest_rank() -> None:
    assert [quantile(range(1, 21), part) for part in (0.5, 0.95, 1.0)] == [10, 19, 20]
    assert quantile([7], 0.95) == 7


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        *((0, "0 s"), (850, "850 ms"), (4_200, "4.2 s"), (15_000, "15 s"), (59_999, "1 m"), (70_000, "1 m 10 s")),
        *((7_500_000, "2 h 5 m"), (NEVER, "never"), (None, "-")),
    ],
)
def test_lengths_as_people_say_them(ms: float | None, said: str) -> None:
    assert words(ms) == said


def test_classes_have_their_names() -> None:
    """Whatever a point's class, the row says it in words."""
    rows = figures([Wait(IncidentId("a"), "p1", "help", int(Priority.INFORMATION), NOON, 1)])
    assert rows[1].of == "class information"
