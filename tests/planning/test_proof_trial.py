"""One press in a scripted world: what rings, when, and how a trial ends."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from callserver.core import facts as f
from callserver.core.instant import SECOND
from callserver.planning.small import BUSY, small
from callserver.planning.story import clock, tell
from callserver.planning.trial import Course, Line, Ring, Seat, Trial, run
from dialplans.model import Ladder, Operator, Plan, Priority, Step
from tests.core.plans import plan, with_queue

NOON = 1_780_000_000 * SECOND


def trial(made: Plan | None = None, point: str = "p1", talk: Priority = Priority.EMERGENCY, **changes: object) -> Trial:
    """A press in the plan of the core's tests; seats and lines are given by name."""
    known = made or plan()
    seats, lines = changes.pop("seats", {}), changes.pop("lines", {})
    assert isinstance(seats, Mapping) and isinstance(lines, Mapping)
    own = small(known, [known.points[point]], known.operators, talk)
    return replace(Trial(own, point, NOON, tuple(seats.items()), tuple(lines.items())), **changes)  # type: ignore[arg-type]


def rung(course: Course) -> list[tuple[int, str]]:
    """When who rang, without who rang again."""
    seen: dict[str, int] = {}
    for ring in course.rings:
        seen.setdefault(ring.who, ring.at_ms)
    return [(at, who) for who, at in seen.items()]


def test_with_nobody_there_the_last_resort_rings_at_once() -> None:
    """All steps at once, and both routes in turn, until it begins again."""
    course = run(trial())
    assert rung(course) == [(0, "civic"), (0, "police")]
    assert (course.end, course.first_ms, course.last_resort_ms) == ("round", 0, 0)
    assert [ring.at_ms for ring in course.rings if ring.who == "police"] == [0, 20_000]
    assert course.end_ms == 45_000


def test_a_party_that_is_not_the_last_resort_is_no_first_ring() -> None:
    """Civic enforcement rings after twenty seconds; what is proven is the seat or the last resort."""
    course = run(trial(seats={"ann": Seat.BUSY}))
    assert rung(course) == [(20_000, "civic"), (30_000, "police")]
    assert course.first_ms == 30_000


def test_a_pause_is_as_good_as_nobody() -> None:
    """The ladder goes to the last resort at once."""
    course = run(trial(seats={"ann": Seat.PAUSED}))
    assert (rung(course), course.end_ms) == (rung(run(trial())), run(trial()).end_ms)


@pytest.mark.parametrize("seat", [Seat.BUSY, Seat.MUTE, Seat.FAILS])
def test_a_seat_that_cannot_ring_does_not(seat: Seat) -> None:
    """Though its operator is on duty, so that the ladder goes by time."""
    course = run(trial(seats={"ann": seat}))
    assert (course.first_ms, course.last_resort_ms) == (30_000, 30_000)


def test_a_seat_rings_at_once_and_again_beside_the_last_resort() -> None:
    """Fifteen seconds each time."""
    course = run(trial(seats={"ann": Seat.RINGS}))
    assert (course.first_ms, course.last_resort_ms, course.quiet_ms) == (0, 30_000, 0)
    assert [ring.at_ms for ring in course.rings if ring.who == "ann"][:3] == [0, 15_000, 30_000]


@pytest.mark.parametrize(("line", "at"), [(Line.MUTE, 50_000), (Line.FAILS, 30_000), (Line.LOST, 30_000)])
def test_a_dead_line_does_not_ring_and_the_next_route_does(line: Line, at: int) -> None:
    """One that does not reply takes its time."""
    course = run(trial(seats={"ann": Seat.BUSY}, lines={"trunk-a": line}))
    assert course.last_resort_ms == at


def test_without_any_line_nothing_rings_and_it_is_tried_all_the_same() -> None:
    """The attempts are there, the rings are not."""
    course = run(trial(lines={"trunk-a": Line.FAILS, "trunk-b": Line.FAILS}))
    assert (course.first_ms, course.end) == (None, "round")
    tried = [at for at, fact in course.said if isinstance(fact, f.RouteTried) and fact.party == "police"]
    assert tried == [0, 0, 5_000]


def test_the_device_that_gives_up_changes_nothing_for_the_ladder() -> None:
    """A caller that hung up is still a caller."""
    patient, other = run(trial(seats={"ann": Seat.BUSY})), run(trial(seats={"ann": Seat.BUSY}, limit_ms=10_000))
    assert rung(patient) == rung(other)
    assert any(isinstance(fact, f.LegMoved) and at == 10_000 and fact.new == "ended" for at, fact in other.said)


def test_who_answers_and_is_lost_leaves_a_press_that_waits_again() -> None:
    """Times are counted from the loss; the seat that failed rests."""
    course = run(trial(seats={"ann": Seat.RINGS}, lost_once=True))
    assert (course.first_ms, course.last_resort_ms, course.end) == (2_000, 30_000, "round")


def test_a_parked_talk_frees_its_seat_for_an_emergency() -> None:
    """Only where the plan parks, and only a lower call."""
    made = with_queue(plan(), "help", preempt_after_ms=5_000)
    ordinary = run(trial(made, talk=Priority.INFORMATION, seats={"ann": Seat.BUSY}))
    urgent = run(trial(made, talk=Priority.EMERGENCY, seats={"ann": Seat.BUSY}))
    assert any(isinstance(fact, f.IncidentParked) for _, fact in ordinary.said)
    assert (ordinary.first_ms, urgent.first_ms) == (5_000, 30_000)


def test_an_asked_step_is_taken_when_it_is_asked_for() -> None:
    """Somebody asks four seconds after the press."""
    made = plan()
    steps = (Step(60_000, call_party="police", when=("asked",)),)
    made = replace(made, ladders={**made.ladders, "ladder": Ladder("ladder", steps)})
    assert run(trial(made, seats={"ann": Seat.BUSY}, asked_ms=4_000)).last_resort_ms == 4_000


def test_queues_that_hand_to_each_other_are_a_loop() -> None:
    """Found when the same ladder is begun for the fourth time."""
    made = plan()
    ladders = {**made.ladders, "ladder": Ladder("ladder", (Step(10_000, hand_to="idle"),))}
    made = replace(made, ladders={**ladders, "short": Ladder("short", (Step(10_000, hand_to="help"),))})
    course = run(trial(made))
    assert (course.end, course.first_ms) == ("loop", None)
    assert "for ever" in tell(made, course)[-1]


def test_a_ladder_that_ends_without_a_party_ends_in_silence() -> None:
    """No plan's text can say so; the model can."""
    made = plan()
    made = replace(made, ladders={**made.ladders, "ladder": Ladder("ladder", (Step(10_000, ring_group="backup"),))})
    assert run(trial(made)).end == "silence"


def test_a_brief_trial_ends_when_the_last_resort_rings() -> None:
    """What was found until then is the same."""
    full, brief = run(trial(seats={"ann": Seat.BUSY})), run(trial(seats={"ann": Seat.BUSY}, brief=True))
    assert (brief.first_ms, brief.last_resort_ms, brief.end) == (full.first_ms, full.last_resort_ms, "round")
    assert brief.end_ms == brief.last_resort_ms


def test_quiet_is_what_no_ring_covers() -> None:
    """Overlapping rings, a gap of four seconds, one of nine at the end; one that never ended covers all after it."""
    course = Course(trial(), end_ms=40_000)
    course.rings = [_ring(2_000, 10_000), _ring(5_000, 20_000), _ring(24_000, 31_000)]
    assert course.quiet_ms == 9_000
    course.rings.append(_ring(30_000, None))
    assert course.quiet_ms == 4_000


def _ring(at_ms: int, until_ms: int | None) -> Ring:
    return Ring(at_ms, until_ms, "ann", last_resort=False, seat=True, queue="help")


def test_a_small_plan_keeps_the_rules_and_few_people() -> None:
    """Queues, ladders and parties are the very same; who may be busy has a call of his own."""
    made = plan()
    own = small(made, [made.points["p1"]], ["ann", "dan"])
    assert set(own.points) == {"p1", f"{BUSY}ann", f"{BUSY}dan"}
    assert {name: own.queues[name] for name in made.queues} == made.queues
    assert own.operators["ann"] == Operator("ann", "Ann", ("main", f"{BUSY}ann"))


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0:00"), (5_000, "0:05"), (90_000, "1:30"), (3_720_000, "1:02:00"), (15_001, "0:15.001")]
)
def test_times_are_said_as_on_a_clock(ms: int, text: str) -> None:
    """Minutes and seconds; thousandths where there are any."""
    assert clock(ms) == text


def test_a_story_tells_who_is_there_and_what_happens_when() -> None:
    """The first line is the moment and the world; each other has its time."""
    made = plan()
    story = tell(
        made, run(trial(made, seats={"ann": Seat.RINGS, "dan": Seat.MUTE}, lines={"trunk-a": Line.MUTE}, limit_ms=25_000))
    )
    assert "Ann is there and not answering; Dan is at a dead seat; nobody else is on duty; trunk trunk-a is dead" in story[0]
    assert story[1] == "    0:00  p1 (North gate) presses; it waits in queue help, on ladder ladder"
    assert "    0:10  Dan is called, the seat is dead" in story
    assert "    0:20  Civic enforcement is called (sip:civic@a by trunk trunk-a): nothing rings" in story
    assert "    0:25  the device gives up by itself; its caller hears nothing more" in story
    assert story[-1].endswith("and so on, round after round, until somebody answers")
