"""All trials of one matter: what rings when in each, which is the worst, and in which a press is left alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from callserver.core import facts as f
from callserver.core.instant import MS
from callserver.planning.quotient import Matter, Press, chain_of, last_party, point_as
from callserver.planning.small import small
from callserver.planning.timeline import Changes, Open, timeline
from callserver.planning.trial import INCIDENT, Course, Seat, Trial, run
from callserver.planning.worlds import (
    MARKS_MOST,
    all_lines,
    all_seats,
    carriers,
    edges,
    extreme_seats,
    few_seats,
    horizon_ms,
    kept,
    span_ms,
    steady,
    turning,
)
from dialplans.hours import is_open
from dialplans.model import Plan, Point, Priority, Step, When

OFFERS_MARKED = 4
_BY_THEMSELVES = (When.NOBODY, When.ALL_BUSY)  # the seats of a trial make these true or not


@dataclass(slots=True)
class Inquiry:
    """What the trials of a matter showed. The worst courses are those of the greatest times; ties go to the earlier trial."""

    matter: Matter
    runs: int = 0
    worst_first: Course | None = None  # with all lines up
    worst_last: Course | None = None
    worst_first_dead: Course | None = None  # with dead lines, one route of the last resort working
    worst_last_dead: Course | None = None
    worst_quiet: Course | None = None
    all_there: Course | None = None  # a seat of each crew rings, every line up
    holes: dict[str, Course] = field(default_factory=dict)  # kind of hole -> the first trial that shows it
    rung: set[tuple[str, str]] = field(default_factory=set)  # (queue, operator)
    taken: dict[tuple[str, int, bool], Course] = field(default_factory=dict)  # (ladder, step, passed over) -> with most seats
    climbed: set[str] = field(default_factory=set)  # ladders


def inquire(
    plan: Plan, matter: Matter, press: Press, known: dict[str, Changes], from_ns: int, tick: Callable[[], None]
) -> Inquiry:
    """Runs every trial of the matter, for a press of its kind."""
    found = Inquiry(matter)
    for trial in trials(plan, matter, press, known, from_ns, found):
        course = run(trial)
        judge(plan, found, course)
        tick()
    return found


def trials(plan: Plan, matter: Matter, press: Press, known: dict[str, Changes], from_ns: int, found: Inquiry) -> Iterator[Trial]:
    """Every trial of the matter. Those around changes of hours depend on what came of those without."""
    point = point_as(plan, press)
    span = span_ms(plan, matter)
    line = timeline(known, matter.hours, from_ns)
    moments = steady(line, span)
    base = Trial(_made_small(plan, matter, point), point.id, from_ns, horizon_ms=horizon_ms(plan, matter))
    for at in moments.values():
        extremes = extreme_seats(matter.crews)
        yield from (replace(base, utc_ns=at, seats=seats, brief=seats not in extremes) for seats in all_seats(matter.crews))
        yield from _asked(plan, matter, point, replace(base, utc_ns=at))
        for seats in extremes:
            yield replace(base, utc_ns=at, seats=seats, lost_once=True)
            yield from (replace(base, utc_ns=at, seats=seats, lines=lines) for lines in all_lines(plan, matter))
        if matter.parks:
            talk = _made_small(plan, matter, point, Priority.INFORMATION)
            yield from (replace(base, plan=talk, utc_ns=at, seats=seats) for seats in few_seats(matter.crews))
    marks = _marks(matter, base, moments)
    for at in edges(line, span, marks):
        those = few_seats(matter.crews, turning(line, at, span))
        yield from (replace(base, utc_ns=at, seats=seats) for seats in those)


def _made_small(plan: Plan, matter: Matter, point: Point, talk: Priority = Priority.EMERGENCY) -> Plan:
    return small(plan, [point], kept(matter.crews), talk)


def _marks(matter: Matter, base: Trial, moments: dict[Open, int]) -> dict[Open, tuple[int, ...]]:
    """When something is decided in the course of a press, by the hours that are open."""
    found = {}
    for how, at in moments.items():
        own: set[int] = set()
        for seats in extreme_seats(matter.crews):
            own |= marks_of(run(replace(base, utc_ns=at, seats=seats)))
        found[how] = tuple(sorted(own)[:MARKS_MOST])
    return found


def marks_of(course: Course) -> set[int]:
    """When the ladder or the queue decided something; of the offers, the first few."""
    moved = (f.LadderStepTaken, f.RouteTried, f.RouteAwaited, f.IncidentHandedOver)
    own = {at for at, fact in course.said if isinstance(fact, moved)}
    return own | set([at for at, fact in course.said if isinstance(fact, f.OfferMade)][:OFFERS_MARKED])


def _asked(plan: Plan, matter: Matter, point: Point, base: Trial) -> Iterator[Trial]:
    """Each condition that seats alone do not make true, met at once, or just before each step, and again after each hand-over."""
    ladders = [plan.ladders[name] for name in matter.ladders]
    conditions = dict.fromkeys(one for ladder in ladders for step in ladder.steps for one in step.conditions)
    moments = sorted({0} | {max(step.after_ms - 1, 0) for ladder in ladders for step in ladder.steps})
    for condition in conditions:
        if condition not in _BY_THEMSELVES:
            made = _made_small(_asking(plan, condition), matter, point)
            for at in moments:
                yield from (replace(base, plan=made, asked_ms=at, seats=seats) for seats in extreme_seats(matter.crews))


def _asking(plan: Plan, condition: str) -> Plan:
    """The plan in which this one condition is met by asking, and no other is."""

    def changed(step: Step) -> Step:
        kept = [one for one in step.when if one in _BY_THEMSELVES]
        return replace(step, when=(*kept, When.ASKED) if condition in step.when else tuple(kept))

    ladders = {name: replace(one, steps=tuple(changed(step) for step in one.steps)) for name, one in plan.ladders.items()}
    return replace(plan, ladders=ladders)


# ---- judging ------------------------------------------------------------------------------------------------

REFUSED, NOBODY, UNBOUNDED, PAUSE, ONE_TRUNK, GIVES_UP = "refused", "nobody", "unbounded", "pause", "one-trunk", "gives-up"
"""Kinds of holes: the press is refused; nothing ever rings; the last resort is never reached; it stops; one trunk carries it;
with every line dead it is not even tried any more."""


def judge(plan: Plan, found: Inquiry, course: Course) -> None:
    """Takes one course into the account."""
    found.runs += 1
    _note(plan, found, course)
    kind = hole_in(plan, course)
    if kind and works(plan, course):
        found.holes.setdefault(kind, course)
    elif kind and alone(plan, course):
        found.holes.setdefault(ONE_TRUNK, course)
    elif kind and course.end != "round" and _lines_used(plan, course):
        found.holes.setdefault(GIVES_UP, course)
    elif not kind:
        _compare(found, course)


def hole_in(plan: Plan, course: Course) -> str:
    """What is wrong with a course; "" when nothing is."""
    if course.end == "refused":
        return REFUSED
    if course.first_ms is None:
        return NOBODY
    if course.last_resort_ms is None:
        return UNBOUNDED
    return PAUSE if course.end != "round" or quiet_at_last_ms(course) > pause_most_ms(plan, course) else ""


def pause_most_ms(plan: Plan, course: Course) -> int:
    """The longest that the last resort may be quiet: its pause, and all its routes ringing in vain."""
    parties = chain_of(plan, last_party(plan.ladders[course.ladder]))
    around = sum(max(route.ring_timeout_ms, _ring_ms(plan, course)) for one in parties for route in plan.parties[one].routes)
    return max(plan.ladders[course.ladder].retry_ms, 1_000) * max(len(parties), 1) + around


def _ring_ms(plan: Plan, course: Course) -> int:
    return plan.ladders[course.ladder].steps[-1].ring_ms


def quiet_at_last_ms(course: Course) -> int:
    """The longest quiet after the last step was taken and something rang."""
    began = course.last_step_ms
    if began is None:
        return 0
    later = [ring for ring in course.rings if ring.until_ms is None or ring.until_ms > began]
    return replace(course, rings=[replace(ring, at_ms=max(ring.at_ms, began)) for ring in later]).quiet_ms


def works(plan: Plan, course: Course) -> bool:
    """What is assumed of every trial: of the last resort's parties that are open, one has a line that works."""
    return not course.trial.lines or bool(set(_lines_used(plan, course)) - {name for name, _ in course.trial.lines})


def alone(plan: Plan, course: Course) -> bool:
    """Whether a single dead trunk takes away the whole last resort."""
    names = [name for name, _ in course.trial.lines]
    return len(names) == 1 and names[0] in plan.trunks and not works(plan, course)


def _lines_used(plan: Plan, course: Course) -> tuple[str, ...]:
    """The lines of those parties of the last resort that are open at the end."""
    at = course.trial.utc_ns + course.end_ms * MS
    chain = chain_of(plan, last_party(plan.ladders[course.ladder]))
    return carriers(plan, [party for party in chain if is_open(plan, plan.parties[party].hours, at)])


def _compare(found: Inquiry, course: Course) -> None:
    if not course.trial.lines:
        found.worst_first = _worse(found.worst_first, course, course.first_ms, lambda one: one.first_ms)
        found.worst_last = _worse(found.worst_last, course, course.last_resort_ms, lambda one: one.last_resort_ms)
    found.worst_first_dead = _worse(found.worst_first_dead, course, course.first_ms, lambda one: one.first_ms)
    found.worst_last_dead = _worse(found.worst_last_dead, course, course.last_resort_ms, lambda one: one.last_resort_ms)
    found.worst_quiet = _worse(found.worst_quiet, course, course.quiet_ms, lambda one: one.quiet_ms)


def _worse(known: Course | None, course: Course, ms: int | None, of: Callable[[Course], int | None]) -> Course:
    return course if known is None or (ms or 0) > (of(known) or 0) else known


def _note(plan: Plan, found: Inquiry, course: Course) -> None:
    """What was used: seats, steps and ladders; and what it looks like when somebody of every crew is there."""
    trial = course.trial
    there = [seat for _, seat in trial.seats].count(Seat.RINGS)
    everybody = there == len(trial.seats) == len(found.matter.crews)
    if found.all_there is None and everybody and not (trial.lines or trial.lost_once) and trial.asked_ms is None:
        found.all_there = course
    found.rung |= {(ring.queue, ring.who) for ring in course.rings if ring.seat}
    ladder = ""
    for _, fact in course.said:
        if isinstance(fact, f.IncidentOpened | f.IncidentHandedOver) and fact.incident == INCIDENT:
            ladder = fact.ladder or plan.queues[fact.queue].ladder
            found.climbed.add(ladder)
        elif isinstance(fact, f.LadderStepTaken) and fact.incident == INCIDENT:
            known = found.taken.setdefault((ladder, fact.step, fact.passed), course)
            if there > [seat for _, seat in known.trial.seats].count(Seat.RINGS):
                found.taken[ladder, fact.step, fact.passed] = course
