"""What the proof does not tell apart: it is small, it covers every kind of moment, and it agrees with trying everything."""

import calendar
from dataclasses import replace

import pytest

from callserver.core.instant import MS, SECOND
from callserver.planning import inquiry, worlds
from callserver.planning.proof import prove
from callserver.planning.quotient import matter_of, presses_of
from callserver.planning.small import small
from callserver.planning.timeline import changes, timeline
from callserver.planning.trial import Line, Seat, Trial, run
from callserver.planning.verdict import Worst
from dialplans.model import Button, Camera, Group, Hours, Operator, Plan, Priority, Span, Step
from tests.core.plans import LADDER, operators, plan, with_queue
from tests.planning import exhaustive

DAY_MS = 86_400_000
EVERY_DAY = tuple(range(7))


def utc(*moment: int) -> int:
    """Nanoseconds of a UTC date and time."""
    return calendar.timegm((*moment, *([0] * (6 - len(moment))))) * SECOND


def with_hours(*spans: Span, holidays: tuple[str, ...] = ()) -> Plan:
    """The plan of the core's tests, whose group `main` keeps hours."""
    about = {"main": Group("main", hours="open")}
    return replace(plan(), hours={"open": Hours("open", spans)}, about_groups=about, holidays=holidays)


# ---- points, operators, lines -------------------------------------------------------------------------------


def test_every_button_that_calls_is_a_press_of_its_own() -> None:
    """A digit is none: it changes the class of a press that is there."""
    buttons = (Button("info", Priority.INFORMATION, user="info", queue="idle"), Button("fire", Priority.EMERGENCY, digit="5"))
    made = plan()
    made = replace(made, points={"p1": replace(made.points["p1"], buttons=buttons)})
    found = [(one.button, one.queue, one.priority) for one in presses_of(made)]
    assert found == [("", "help", Priority.EMERGENCY), ("info", "idle", Priority.INFORMATION)]


def test_operators_in_the_same_roles_are_one_crew() -> None:
    """By what their groups are there for, not by the groups' names; who is never rung is in none."""
    made = replace(
        plan(), operators=operators("ann", "bob") | operators("dan", group="backup") | operators("eve", group="stores")
    )
    matter = matter_of(made, next(presses_of(made)))
    assert [crew.members for crew in matter.crews] == [("ann", "bob"), ("dan",)]


def test_who_lacks_the_skills_of_a_point_is_a_crew_apart() -> None:
    """For a point that asks for none they are alike."""
    made = replace(plan(), operators=operators("ann") | {"bob": Operator("bob", "Bob", ("main",), skills=("welsh",))})
    asks = replace(made, points={"p1": replace(made.points["p1"], skills=("welsh",))})
    assert [crew.members for crew in matter_of(made, next(presses_of(made))).crews] == [("ann", "bob")]
    assert [crew.members for crew in matter_of(asks, next(presses_of(asks))).crews] == [("ann",), ("bob",)]


def test_a_matter_reaches_through_every_hand_over() -> None:
    """Queues, ladders and the hours that any of them asks for."""
    made = with_queue(plan(), "help", ladder="away")
    ladders = {**made.ladders, "away": replace(LADDER, id="away", steps=(Step(5_000, hand_to="idle", hours="late"),))}
    made = replace(made, ladders=ladders, hours={"late": Hours("late", (Span(EVERY_DAY, 1_200, 1_440),))})
    matter = matter_of(made, next(presses_of(made)))
    assert (matter.queues, matter.ladders, matter.hours) == (("help", "idle"), ("away", "short"), ("late",))


def test_every_combination_of_few_crews_is_tried() -> None:
    """Off, busy and ringing in all combinations, the other ways one at a time; no world twice."""
    matter = matter_of(plan(), next(presses_of(plan())))
    seats = worlds.all_seats(matter.crews)
    assert len(seats) == len(set(seats))
    for ann in ((), (("ann", Seat.BUSY),), (("ann", Seat.RINGS),)):
        for dan in ((), (("dan", Seat.BUSY),), (("dan", Seat.RINGS),)):
            assert (*ann, *dan) in seats
    assert (("ann", Seat.MUTE), ("bob", Seat.RINGS)) in seats


def test_lines_die_in_every_way_that_leaves_the_last_resort_one() -> None:
    """And each alone, for that a single trunk must not take it away; and all, when it must still be tried."""
    matter = matter_of(plan(), next(presses_of(plan())))
    dead = {tuple(name for name, _ in dead) for dead in worlds.all_lines(plan(), matter)}
    assert dead == {("trunk-a",), ("trunk-b",), ("trunk-a", "trunk-b")}
    assert {how for dead in worlds.all_lines(plan(), matter) for _, how in dead} == set(Line)


# ---- moments ------------------------------------------------------------------------------------------------


def test_a_year_of_days_alike_is_a_few_moments() -> None:
    """Open and closed; and around the two changes those moments at which a course is cut at a mark."""
    made = with_hours(Span(EVERY_DAY, 480, 1_200))
    start = utc(2026, 6, 1)
    line = timeline({"open": changes(made, "open", start, utc(2027, 6, 1))}, ["open"], start)
    assert len(line.changes) == 730
    assert set(worlds.steady(line, 100_000)) == {(True,), (False,)}
    found = worlds.edges(line, 100_000, {(True,): (10_000,), (False,): (20_000,)})
    opening, closing = utc(2026, 6, 1, 7), utc(2026, 6, 1, 19)
    before = {opening - 1 * MS, opening - 20_000 * MS, opening - 20_001 * MS}
    assert set(found) == before | {closing - 1 * MS, closing - 10_000 * MS, closing - 10_001 * MS}


def test_the_night_that_has_an_hour_twice_is_a_moment_of_its_own() -> None:
    """An hour that is closed for one hour every night, and for two in that one."""
    made = with_hours(Span(EVERY_DAY, 120, 60))
    start = utc(2026, 9, 1)
    line = timeline({"open": changes(made, "open", start, utc(2026, 12, 1))}, ["open"], start)
    lengths = {line.ahead(at, DAY_MS)[1][0] for at in line.changes[:-1] if not line.ahead(at, 0)[0][1][0]}
    assert lengths == {3_600_000, 7_200_000}


def test_a_holiday_is_seen_only_by_hours_that_keep_it() -> None:
    """Closed for a day more, once."""
    made = with_hours(Span(EVERY_DAY, 480, 1_200, holidays="closed"), holidays=("2026-08-31",))
    start = utc(2026, 8, 1)
    line = timeline({"open": changes(made, "open", start, utc(2026, 9, 30))}, ["open"], start)
    nights = [after - before for before, after in zip(line.changes, line.changes[1:], strict=False)]
    assert max(nights) == 36 * 3_600 * SECOND


# ---- everything ---------------------------------------------------------------------------------------------

FEW = (16, 36)
MANY = (0, 1, 3, 8, 9, 21, 38, 44, 59)


def ms(worst: Worst | None) -> int:
    """A time; -1 where there is none."""
    return -1 if worst is None else worst.ms


@pytest.mark.parametrize("seed", [*FEW, *(pytest.param(seed, marks=pytest.mark.long) for seed in MANY)])
@pytest.mark.timeout(600)
def test_the_quotient_finds_what_trying_everything_finds(seed: int) -> None:
    """On small plans made by chance: the same kinds of holes, and the same worst times where there is none."""
    made = exhaustive.chance_plan(seed)
    found = exhaustive.everything(made)
    for press in presses_of(made):
        matter = matter_of(made, press)
        known = {name: changes(made, name, exhaustive.DAY, exhaustive.DAY + 366 * DAY_MS * MS) for name in made.hours}
        own = inquiry.inquire(made, matter, press, known, exhaustive.DAY, lambda: None)
        assert set(own.holes) == found[press.point].kinds
    for one in prove(made, exhaustive.DAY).classes:
        every = [found[point] for point in one.points]
        if not any(each.kinds for each in every):
            assert ms(one.first) == max(each.first_ms for each in every)
            assert ms(one.last_resort) == max(each.last_ms for each in every)
            assert ms(one.first_with_dead_lines) == max(each.first_dead_ms for each in every)
            assert ms(one.last_resort_with_dead_lines) == max(each.last_dead_ms for each in every)


# ---- what is doubtful ---------------------------------------------------------------------------------------


def doubts(made: Plan) -> dict[str, str]:
    """The warnings of a plan: kind -> words."""
    return {doubt.kind: doubt.what for doubt in prove(made, utc(2026, 6, 1)).warnings}


def test_a_plan_without_doubts_has_none() -> None:
    """Nor holes."""
    verdict = prove(plan(), utc(2026, 6, 1))
    assert (verdict.holes, verdict.warnings, verdict.good) == ((), (), True)


def test_points_without_cameras_are_told_where_others_have_one() -> None:
    """A plan without cameras has none to miss."""
    made = replace(plan(), cameras={"c1": Camera("c1", "Gate", "https://c")})
    assert doubts(made)["camera"] == "6 points have no camera"


def test_a_time_without_any_open_group_is_told() -> None:
    """With its first beginning, its length and how often."""
    told = doubts(with_hours(Span(EVERY_DAY, 480, 1_200)))["gap"]
    assert "has no open group from Mon 1 Jun 2026 01:00:00 BST for 7:00:00, 367 times in a year" in told


def test_a_step_outside_of_its_hours_for_ever_is_told() -> None:
    """It can never be taken."""
    made = replace(plan(), hours={"never": Hours("never", (Span(EVERY_DAY, 0, 1_440, holidays="only"),))})
    steps = (replace(LADDER.steps[0], hours="never"), *LADDER.steps[1:])
    made = replace(made, ladders={**made.ladders, "ladder": replace(LADDER, steps=steps)})
    assert doubts(made)["unreached"] == "step 1 of ladder ladder is never done: it is never reached within hours never"


def test_a_group_that_nothing_rings_is_told() -> None:
    """An operator who sits there in vain."""
    made = replace(plan(), operators={**plan().operators, **operators("eve", group="stores")})
    assert doubts(made)["never-rung"] == "nothing rings group stores"


def test_a_last_resort_with_a_single_way_is_told() -> None:
    """Without a trunk there is nothing whose loss is known."""
    made = plan()
    police = replace(made.parties["police"], routes=(replace(made.parties["police"].routes[0], trunk=""),))
    assert "has one way only, sip:police@a" in doubts(replace(made, parties={**made.parties, "police": police}))["single-way"]


def test_a_verdict_is_the_same_every_time() -> None:
    """No chance is in it."""
    made = with_hours(Span(EVERY_DAY, 480, 1_200))
    assert prove(made, utc(2026, 6, 1)) == prove(made, utc(2026, 6, 1))


def test_a_first_ring_later_than_wanted_is_a_hole() -> None:
    """What is wanted is stated; without it the device's patience is the measure."""
    assert [hole.kind for hole in prove(plan(), utc(2026, 6, 1), within_ms=29_999).holes] == ["late"] * 1
    assert prove(plan(), utc(2026, 6, 1), within_ms=30_000).good


def test_without_any_line_it_must_still_be_tried() -> None:
    """What is proven without the assumption; a course that came to rest is a hole, one that goes round is none."""
    made = plan()
    matter = matter_of(made, next(presses_of(made)))
    dead = (("trunk-a", Line.FAILS), ("trunk-b", Line.FAILS))
    own = small(made, [made.points["p1"]], ["ann"])
    course = run(Trial(own, "p1", utc(2026, 6, 1), lines=dead))
    tried = inquiry.Inquiry(matter)
    inquiry.judge(made, tried, course)
    assert (tried.holes, tried.worst_first_dead) == ({}, None)
    course.end = "silence"
    inquiry.judge(made, tried, course)
    assert set(tried.holes) == {inquiry.GIVES_UP}
