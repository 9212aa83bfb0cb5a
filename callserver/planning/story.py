"""The course of one press, told in lines with times, for people who have to mend the plan."""

import datetime
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from callserver.core import facts as f
from callserver.core.ids import OperatorId
from callserver.core.instant import MS
from callserver.planning.quotient import chain_of
from callserver.planning.small import BUSY, carrier_of
from callserver.planning.trial import INCIDENT, Course, Line, Seat, Trial
from dialplans.hours import is_open
from dialplans.model import Plan

LINES_MOST = 16
SECOND_MS = 1_000
_NS = 1_000_000_000

_HOW: Mapping[Seat, str] = {
    Seat.BUSY: "busy",
    Seat.PAUSED: "paused",
    Seat.MUTE: "at a dead seat",
    Seat.FAILS: "at a seat that fails",
    Seat.RINGS: "there and not answering",
}
_ENDS: Mapping[str, str] = {
    "round": "and so on, round after round, until somebody answers",
    "loop": "it is where it was before, and goes round like this for ever",
    "silence": "nothing more is going to happen",
    "spin": "this goes on within one moment without end",
    "late": "this is how it still is, as far as it was followed",
    "refused": "the press is refused",
}


def clock(ms: int) -> str:
    """A time as it is said: "0:05", "1:30", "1:02:00"."""
    minutes, seconds = divmod(ms // SECOND_MS, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return text if ms % SECOND_MS == 0 else f"{text}.{ms % SECOND_MS:03}"


def local_time(plan: Plan, utc_ns: int) -> str:
    """A moment by the site's clocks: "Mon 25 May 2026 22:00:00 BST (a holiday)"."""
    at = datetime.datetime.fromtimestamp(utc_ns // _NS, zoneinfo.ZoneInfo(plan.time_zone))
    holiday = " (a holiday)" if at.date().isoformat() in plan.holidays else ""
    return f"{at:%a} {at.day} {at:%b %Y %H:%M:%S %Z}{holiday}"


def tell(plan: Plan, course: Course) -> tuple[str, ...]:
    """The story: when and in which world, then what happens, each line with its time after the press."""
    trial = course.trial
    told = list(_lines(plan, course))
    if len(told) > LINES_MOST:
        told = [*told[: LINES_MOST - 3], "   ...", *told[-2:]]
    return (f"{local_time(plan, trial.utc_ns)}: {world(plan, trial)}.", *told)


def utc_of(course: Course, ms: int) -> int:
    """The moment `ms` after the press."""
    return course.trial.utc_ns + ms * MS


def world(plan: Plan, trial: Trial) -> str:
    """Who is there and which lines are dead."""
    parts = [_seats(plan, trial)]
    how = {Line.LOST: "down", Line.MUTE: "dead and does not reply", Line.FAILS: "refusing every call"}
    parts += [f"{'trunk' if name in plan.trunks else 'the way to'} {name} is {how[line]}" for name, line in trial.lines]
    if trial.asked_ms is not None:
        parts.append(f"a condition of the ladder is met at {clock(trial.asked_ms)}")
    return "; ".join(parts)


def _seats(plan: Plan, trial: Trial) -> str:
    there = [(name, _HOW[seat]) for name, seat in trial.seats if seat in _HOW]
    if not there:
        return "nobody is on duty (off, or paused)"
    groups: dict[str, list[str]] = {}
    for name, one in there:
        groups.setdefault(one, []).append(name_of(plan, name))
    told = "; ".join(f"{_and(names)} {'is' if len(names) == 1 else 'are'} {one}" for one, names in groups.items())
    return f"{told}; nobody else is on duty"


def name_of(plan: Plan, operator: str) -> str:
    """An operator's name, or the id where the plan has none."""
    known = plan.operators.get(OperatorId(operator))
    return operator if known is None else known.name


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _lines(plan: Plan, course: Course) -> Iterator[str]:
    """Every line, the same thing said once only in a row."""
    said, last_at = "", 0
    for at, fact in course.said:
        rule = _SENTENCES.get(type(fact))
        text = "" if rule is None or _is_about_others(fact) else rule(plan, course, fact, at)
        if text and text != said:
            yield f"{clock(max(at, 0)):>8}  {text}"
            said, last_at = text, at
    yield f"{clock(max(course.end_ms, last_at)):>8}  {_ENDS[course.end]}"


def _is_about_others(fact: f.Fact) -> bool:
    return any(str(getattr(fact, name, "")).startswith(BUSY) for name in ("incident", "call", "leg", "offer", "point"))


def _opened(plan: Plan, course: Course, fact: f.IncidentOpened, at: int) -> str:
    ladder = fact.ladder or plan.queues[fact.queue].ladder
    return f"{fact.point} ({plan.points[fact.point].place}) presses; it waits in queue {fact.queue}, on ladder {ladder}"


def _handed(plan: Plan, course: Course, fact: f.IncidentHandedOver, at: int) -> str:
    return f"it is handed over to queue {fact.queue}, on ladder {fact.ladder or plan.queues[fact.queue].ladder}"


def _offered(plan: Plan, course: Course, fact: f.OfferMade | f.OfferWidened, at: int) -> str:
    seats = dict(course.trial.seats)
    how = {Seat.RINGS: "rings", Seat.MUTE: "is called, the seat is dead", Seat.FAILS: "is called, the seat fails"}
    return "; ".join(f"{name_of(plan, one)} {how.get(seats.get(one, Seat.OFF), 'is called')}" for one in fact.operators)


def _step(plan: Plan, course: Course, fact: f.LadderStepTaken, at: int) -> str:
    return fact.reason.replace(" under plan v1", "")


def _route(plan: Plan, course: Course, fact: f.RouteTried, at: int) -> str:
    route = plan.parties[fact.party].routes[fact.route]
    line = dict(course.trial.lines).get(carrier_of(route))
    by = f"{route.uri} by trunk {route.trunk}" if route.trunk else route.uri
    return f"{plan.parties[fact.party].name} is called ({by}): {'it rings' if line is None else 'nothing rings'}"


def _awaited(plan: Plan, course: Course, fact: f.RouteAwaited, at: int) -> str:
    open_ones = [one for one in chain_of(plan, fact.party) if is_open(plan, plan.parties[one].hours, utc_of(course, at))]
    if open_ones:
        return f"every route of {plan.parties[fact.party].name} was tried in vain; a pause"
    closed = ", ".join(f"{plan.parties[one].name} (hours {plan.parties[one].hours})" for one in chain_of(plan, fact.party))
    return f"outside of hours: {closed}; nobody is called"


def _leg(plan: Plan, course: Course, fact: f.LegMoved, at: int) -> str:
    ended = fact.new == "ended" and fact.termination is not None and fact.termination.reason == "the device gave up"
    return "the device gives up by itself; its caller hears nothing more" if ended else ""


def _moved(plan: Plan, course: Course, fact: f.IncidentMoved, at: int) -> str:
    return f"it is {fact.new}: {fact.reason}" if fact.incident == INCIDENT else ""


_SENTENCES: Mapping[type, Callable[[Plan, Course, Any, int], str]] = {
    f.IncidentOpened: _opened,
    f.IncidentHandedOver: _handed,
    f.OfferMade: _offered,
    f.OfferWidened: _offered,
    f.LadderStepTaken: _step,
    f.RouteTried: _route,
    f.RouteAwaited: _awaited,
    f.LegMoved: _leg,
    f.IncidentMoved: _moved,
}
