"""A plan made small for trials: one point, and of those operators who are alike one or two.

All else stays as it is, so that the core decides by the very queues, ladders and parties that are to be proven. Each operator
also gets a queue of his own in which a point of his own presses, so that a trial can keep him busy.
"""

from collections.abc import Iterable
from dataclasses import replace

from dialplans.model import Ladder, Operator, Plan, Point, Priority, Profile, Queue, Route, Step

BUSY = "busy:"
"""What begins the ids of that which keeps an operator busy."""

_DAY_MS = 86_400_000


def carrier_of(route: Route) -> str:
    """What must work for this route: its trunk, or the way to its URI."""
    return route.trunk or route.uri


def small(plan: Plan, points: Iterable[Point], operators: Iterable[str], talk: Priority = Priority.EMERGENCY) -> Plan:
    """The plan with these points and operators only; `talk` is the class of the calls that keep them busy."""
    kept = {name: plan.operators[name] for name in operators}
    return replace(
        plan,
        points={point.id: point for point in points} | {BUSY + name: _caller(name, talk) for name in kept},
        operators={name: replace(one, groups=(*one.groups, BUSY + name)) for name, one in kept.items()},
        groups=(*plan.groups, *(BUSY + name for name in kept)),
        profiles={**plan.profiles, BUSY: Profile(BUSY)},
        queues={**plan.queues, **{BUSY + name: _queue(one) for name, one in kept.items()}},
        ladders={**plan.ladders, BUSY: Ladder(BUSY, tuple(Step(_DAY_MS, call_party=name) for name in list(plan.parties)[:1]))},
    )


def _caller(operator: str, talk: Priority) -> Point:
    return Point(BUSY + operator, f"the call of {operator}", BUSY + operator, BUSY, priority=talk)


def _queue(operator: Operator) -> Queue:
    return Queue(BUSY + operator.id, (BUSY + operator.id,), BUSY, whisper_place=False)
