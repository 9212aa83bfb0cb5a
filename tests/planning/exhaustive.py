"""The proof without its quotient: the whole plan, every seat in every way, every set of lines, a press at every few seconds.

And small plans made by chance, odd ones too, for comparing the two.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from random import Random

from callserver.core.instant import SECOND
from callserver.planning.inquiry import ONE_TRUNK, alone, hole_in, works
from callserver.planning.quotient import matter_of, presses_of
from callserver.planning.small import small
from callserver.planning.trial import Course, Line, Seat, Trial, run
from callserver.planning.worlds import carriers, horizon_ms
from dialplans.model import (
    Group,
    Hours,
    Ladder,
    Operator,
    Party,
    Plan,
    Point,
    Profile,
    Queue,
    Route,
    Span,
    Step,
    Strategy,
    Tier,
    Trunk,
)

DAY = calendar.timegm((2026, 4, 1, 0, 0, 0)) * SECOND
NOON_MIN = 12 * 60
STEP_S = 10
WINDOW_S = 150


@dataclass(slots=True)
class Found:
    """The worst times over all trials of one point, and the kinds of holes."""

    first_ms: int = -1
    last_ms: int = -1
    first_dead_ms: int = -1
    last_dead_ms: int = -1
    kinds: set[str] = field(default_factory=set)
    runs: int = 0

    def take(self, plan: Plan, course: Course) -> None:
        """One more course."""
        self.runs += 1
        kind = hole_in(plan, course)
        if kind and works(plan, course):
            self.kinds.add(kind)
        elif kind and alone(plan, course):
            self.kinds.add(ONE_TRUNK)
        elif not kind:
            first, last = course.first_ms or 0, course.last_resort_ms or 0
            self.first_dead_ms, self.last_dead_ms = max(self.first_dead_ms, first), max(self.last_dead_ms, last)
            if not course.trial.lines:
                self.first_ms, self.last_ms = max(self.first_ms, first), max(self.last_ms, last)


def moments(plan: Plan) -> list[int]:
    """Presses around noon and midnight, when all hours of these plans change, and in the quiet hours of morning and evening."""
    turns = [DAY + number * NOON_MIN * 60 * SECOND for number in (1, 2)]
    near = [turn + second * SECOND for turn in turns for second in range(-WINDOW_S, STEP_S + 1, STEP_S)] if plan.hours else []
    return [*quiet(), *near]


def quiet() -> tuple[int, int]:
    """A moment in the morning and one in the evening, far from every change."""
    return (DAY + 6 * 3_600 * SECOND, DAY + 18 * 3_600 * SECOND)


def everything(plan: Plan) -> dict[str, Found]:
    """Every trial there is, by point."""
    found = {}
    whole = small(plan, plan.points.values(), plan.operators)
    for press in presses_of(plan):
        matter = matter_of(plan, press)
        own = found[press.point] = Found()
        horizon = horizon_ms(plan, matter)
        lines = carriers(plan, matter.parties)
        for seats in product(Seat, repeat=len(plan.operators)):
            at_seats = tuple(zip(plan.operators, seats, strict=True))
            for at in moments(plan):
                trial = Trial(whole, press.point, at, at_seats, horizon_ms=horizon)
                own.take(plan, run(trial))
                if at in quiet():
                    for dead in _dead(lines):
                        own.take(plan, run(replace(trial, lines=dead)))
    return found


def _dead(lines: tuple[str, ...]) -> Iterator[tuple[tuple[str, Line], ...]]:
    for size in range(1, len(lines) + 1):
        for some in combinations(lines, size):
            yield from (tuple(zip(some, how, strict=True)) for how in product(Line, repeat=size))


# ---- plans by chance ----------------------------------------------------------------------------------------


def chance_plan(seed: int) -> Plan:
    """A small plan: two groups, two or three operators, one or two queues, hours that turn at noon, parties with fallbacks."""
    by = Random(seed)
    hours = {
        "am": Hours("am", (Span(tuple(range(7)), 0, NOON_MIN),)),
        "pm": Hours("pm", (Span(tuple(range(7)), NOON_MIN, 1440),)),
    }
    groups = {"red": _hours(by), "blue": _hours(by)}
    members = [("red",), ("blue",), by.choice([("red",), ("red", "blue")])][: by.choice([2, 2, 2, 3])]
    two = by.random() < 0.5
    queues = (
        {"one": _queue(by, "one", "first"), "two": _queue(by, "two", "second")} if two else {"one": _queue(by, "one", "first")}
    )
    ladders = {"first": _ladder(by, "first", "two" if two else ""), "second": _ladder(by, "second", "")}
    parties = {
        "police": Party("police", "Police", _routes(by, "police"), hours=_hours(by), fallback=by.choice(["", "civic", "civic"])),
        "civic": Party("civic", "Civic", _routes(by, "civic"), hours=_hours(by)),
    }
    points = {"p1": Point("p1", "Pier", "one", "wall"), "p2": Point("p2", "Quay", by.choice(list(queues)), "wall")}
    return Plan(
        name=f"chance {seed}",
        time_zone="UTC",
        points=points,
        profiles={"wall": Profile("wall")},
        operators={f"o{number}": Operator(f"o{number}", f"O{number}", own) for number, own in enumerate(members)},
        groups=("red", "blue"),
        queues=queues,
        ladders=ladders,
        parties=parties,
        trunks={"t1": Trunk("t1", "a"), "t2": Trunk("t2", "b")},
        hours=hours,
        about_groups={name: Group(name, hours=own) for name, own in groups.items()},
    )


def _queue(by: Random, name: str, ladder: str) -> Queue:
    own, other = by.sample(["red", "blue"], 2)
    tiers = (Tier(by.choice([10, 25]) * 1_000, (other,)),) if by.random() < 0.4 else ()
    ladders = (("pm", "second"),) if by.random() < 0.3 else ()
    return Queue(name, (own,), ladder, strategy=by.choice(list(Strategy)), ring_timeout_ms=15_000, tiers=tiers, ladders=ladders)


def _hours(by: Random) -> str:
    return by.choice(["", "", "", "", "am", "pm"])


def _ladder(by: Random, name: str, hand_to: str) -> Ladder:
    """One to three steps; the last calls a party, or hands over."""
    steps = []
    for after in sorted(by.sample(range(0, 60, 5), by.choice([1, 2, 2, 3]))):
        what = by.choice(["ring_group", "call_party"])
        whom = by.choice(["red", "blue"]) if what == "ring_group" else "civic"
        when = by.choice([(), (), ("nobody-on-duty",), ("all-busy",)])
        steps.append(Step(after * 1_000, **{what: whom}, when=when, hours=_hours(by)))  # type: ignore[arg-type]
    last = steps[-1].after_ms + 5_000
    handing = hand_to and by.random() < 0.5
    end = {"hand_to": hand_to} if handing else {"call_party": "police"}
    steps.append(Step(last, **end, when=by.choice([(), ("nobody-on-duty",), ("all-busy", "nobody-on-duty")])))  # type: ignore[arg-type]
    return Ladder(name, tuple(steps), retry_ms=5_000)


def _routes(by: Random, name: str) -> tuple[Route, ...]:
    trunks = by.choice([("t1",), ("t1", "t2"), ("", "t2"), ("",)])
    return tuple(Route(f"sip:{name}@{number}", trunk, 20_000) for number, trunk in enumerate(trunks))
