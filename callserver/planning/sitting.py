"""One run of a period under a plan: the core itself, and people at scripted telephones. Time is a number that jumps.

The network takes no time here and nothing of ours breaks; what a seat or a party does stands in the period. A talk lasts as long
as the press says, interrupted or not; then it is hung up. An operator whose wish does not fit the moment (a pause in the midst of
a talk) gets it as soon as it does. One whom the plan pauses comes back after five minutes.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core import operator as operators
from callserver.core.decide import handle, next_deadline
from callserver.core.facts import Fact
from callserver.core.ids import OperatorId
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.state import State
from callserver.planning.people import People
from callserver.planning.period import Change, LinesLost, Period, Press
from dialplans.model import Plan

SETTLE_NS = 7_200 * SECOND  # after the period nobody presses any more; what is open then may still be answered
SAME_INSTANT_MOST = 20_000
PAUSED_BY_PLAN_MS = 300_000
_TAKES_CALLS = frozenset({operators.OFF, operators.AVAILABLE, operators.PAUSED})
_TAKES_PAUSE = frozenset({operators.AVAILABLE, operators.OFFERED, operators.PAUSED})

Take = Callable[[Fact, Instant], None]
Tell = Callable[[int, int], None]  # (milliseconds done, of how many)


class Endless(ValueError):
    """The plan goes round and round without time passing."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a run cost: events that the core decided on, facts that followed."""

    events: int
    facts: int


class Sitting:
    """Runs `period` under the `plans` (from which instant, which), and tells each fact to `take`."""

    def __init__(self, period: Period, plans: Sequence[tuple[Instant, Plan]], take: Take) -> None:
        self.state = State()
        self.now = period.begins
        self._period, self._take = period, take
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._numbered = self._events = self._facts = self._at_once = 0
        self._bound: dict[OperatorId, ev.SeatBound] = {}
        self._wishes: dict[OperatorId, ev.MakeAvailable | ev.Pause] = {}
        self._people = People(period.presses, self.state, lambda: self.now, self.after, self.send)
        self.send(ev.Noted(f.ClockAnchored(1, "rehearsal", period.begins, period.begins, 0)))
        for number, (at, plan) in enumerate(plans, 1):
            self._at(at, partial(self._load, number, plan))
        for change in period.changes:
            self._at(change.at, partial(self._change, change))
        for press in period.presses:
            self._at(press.at, partial(self._press, press))

    # ---- time -----------------------------------------------------------------------------------------------

    def after(self, ms: int, act: Callable[[], None]) -> None:
        """Does something later."""
        self._at(Instant(self.now + ms * MS), act)

    def _at(self, at: Instant, act: Callable[[], None]) -> None:
        self._numbered += 1
        heapq.heappush(self._queue, (max(at, self._period.begins), self._numbered, act))

    def run(self, tell: Tell = lambda done, total: None) -> Effort:
        """Lets all of it happen; what is open at the end stays so. Raises `Endless` where no time passes any more."""
        last, end = self._period.ends, Instant(self._period.ends + SETTLE_NS)
        while (act_at := self._step_at()) is not None and act_at <= end:
            if self.now > last and not self.state.open_by_point:
                break
            if act_at > self.now:
                self._at_once = 0
                tell((act_at - self._period.begins) // MS, (end - self._period.begins) // MS)
            self.now = max(act_at, self.now)
            if self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
            else:
                self.send(ev.Woken())
        return Effort(self._events, self._facts)

    def _step_at(self) -> Instant | None:
        deadline = next_deadline(self.state)
        times = [at for at in (deadline, Instant(self._queue[0][0]) if self._queue else None) if at is not None]
        return min(times, default=None)

    # ---- the core -------------------------------------------------------------------------------------------

    def send(self, event: ev.Event) -> None:
        """The core decides on an event at this instant; its orders reach the devices at once."""
        self._events += 1
        self._at_once += 1
        if self._at_once > SAME_INSTANT_MOST:
            raise Endless(f"the plan goes round and round without time passing; last was {type(event).__name__}")
        facts, effects = handle(self.state, event, self.now)
        self._facts += len(facts)
        for fact in facts:
            self._take(fact, self.now)
        for effect in effects:
            self._people.perform(effect)
        for fact in facts:
            self._people.hear(fact)
            if isinstance(fact, f.OperatorMoved):
                self._moved(fact, event)

    def _press(self, press: Press) -> None:
        self.send(self._people.presses(press))

    def _load(self, number: int, plan: Plan) -> None:
        self.send(ev.PlanLoaded(number, f"rehearsed {number}", plan, "rehearsal"))
        for bound in list(self._bound.values()):
            if bound.operator in plan.operators:
                self.send(bound)
        for operator in list(self._wishes):
            self._grant(operator)

    def _change(self, change: Change | LinesLost) -> None:
        if isinstance(change, LinesLost):
            self._people.lose_lines(change.operator)
            return
        event = change.event
        if isinstance(event, ev.SeatBound):
            self._bound[event.operator] = event
        elif isinstance(event, ev.SeatUnbound):
            self._bound.pop(event.operator, None)
        elif isinstance(event, ev.TrunkLost | ev.TrunkReached):
            self._people.trunk(event)
        if isinstance(event, ev.MakeAvailable | ev.Pause):
            self._wishes[event.operator] = event
            self._grant(event.operator)
        else:
            self.send(event)

    # ---- operators' wishes ------------------------------------------------------------------------------------

    def _moved(self, fact: f.OperatorMoved, event: ev.Event) -> None:
        if fact.new == operators.PAUSED and not isinstance(event, ev.Pause):
            wish = ev.MakeAvailable(fact.operator, "rehearsal")
            self.after(PAUSED_BY_PLAN_MS, lambda: self._change(Change(self.now, wish)))
        if fact.operator in self._wishes:
            self.after(0, lambda: self._grant(fact.operator))

    def _grant(self, operator: OperatorId) -> None:
        wish, known = self._wishes.get(operator), self.state.operators.get(operator)
        if wish is None or known is None:
            return
        fits = _TAKES_CALLS if isinstance(wish, ev.MakeAvailable) else _TAKES_PAUSE
        if known.state in fits and (known.reachable or isinstance(wish, ev.Pause)):
            del self._wishes[operator]
            self.send(wish)
