"""From a journal's rows to a period: who pressed (by `traces`), who was there, what failed. Pure: the rows come as arguments."""

from dataclasses import dataclass, field

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.conditions import MACHINE_ALARMS
from callserver.core.facts import Fact
from callserver.core.ids import IncidentId, LegId, OperatorId, PointId
from callserver.core.instant import Instant
from callserver.core.termination import By, Class
from callserver.planning.figures import Waits
from callserver.planning.period import Change, LinesLost, Period
from callserver.planning.traces import Traces
from dialplans.model import Plan

_NEW = (f.IncidentOpened, f.IncidentRejoined, f.AlarmRaised)


@dataclass(slots=True)
class _Before:
    """What stands when the period begins."""

    plan: Plan | None = None
    reachable: dict[OperatorId, f.SeatChanged] = field(default_factory=dict)
    states: dict[OperatorId, str] = field(default_factory=dict)
    points: dict[PointId, f.PointChanged] = field(default_factory=dict)
    trunks: dict[str, f.TrunkChanged] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    open: set[IncidentId] = field(default_factory=set)


class Recorded:
    """Takes a journal's facts in order; `period` then tells what is to be lived through again."""

    def __init__(self, since_utc_ns: int | None = None, until_utc_ns: int | None = None) -> None:
        """The period is from `since_utc_ns` on and before `until_utc_ns`; None: as far as the journal goes."""
        self.waits = Waits()  # what really came of it
        self._traces = Traces()
        self._since, self._until = since_utc_ns, until_utc_ns
        self._offset: int | None = None  # UTC minus instant at the period's first row
        self._begins = self._last = Instant(0)
        self._before = _Before()
        self._plans: list[tuple[Instant, Plan]] = []
        self._changes: list[Change | LinesLost] = []
        self._seats: dict[LegId, OperatorId] = {}  # legs to them that live
        self._people: set[str] = set()
        self._rested: dict[OperatorId, Instant] = {}  # when an offer rang out last
        self._over = False

    def take(self, fact: Fact, instant: int, utc_ns: int) -> None:
        """One row of the journal, in order."""
        if self._offset is None and self._since is not None and utc_ns < self._since:
            self._look_before(fact)
            return
        if self._offset is None:
            self._begin(instant, utc_ns)
        at = Instant(instant + (self._offset or 0))
        self._over |= self._until is not None and utc_ns >= self._until
        if not self._over:
            self._last = at
            self._change(fact, at)
        if not self._over or not isinstance(fact, _NEW):
            self.waits.take(fact, at)
            self._traces.take(fact, at)

    @property
    def settled(self) -> bool:
        """Whether the period is over, and each incident of it closed: no further row tells more."""
        return self._over and all(trace.outcome for trace in self._traces.all.values())

    # ---- before the period ------------------------------------------------------------------------------------

    def _look_before(self, fact: Fact) -> None:
        before = self._before
        if isinstance(fact, f.PlanAdopted):
            before.plan = fact.plan
            self.waits.take(fact, Instant(0))
        elif isinstance(fact, f.SeatChanged):
            before.reachable[fact.operator] = fact
        elif isinstance(fact, f.OperatorMoved):
            before.states[fact.operator] = fact.new
        elif isinstance(fact, f.PointChanged):
            before.points[fact.point] = fact
        elif isinstance(fact, f.TrunkChanged):
            before.trunks[fact.trunk] = fact
        elif isinstance(fact, f.AlarmRaised) and _of_machine(fact.key):
            before.faults[fact.key] = fact.text
        elif isinstance(fact, f.AlarmCleared):
            before.faults.pop(fact.key, None)
        elif isinstance(fact, f.IncidentOpened):
            before.open.add(fact.incident)
        elif isinstance(fact, f.IncidentMoved) and fact.new not in incidents.JOINABLE:
            before.open.discard(fact.incident)

    def _begin(self, instant: int, utc_ns: int) -> None:
        self._offset = utc_ns - instant
        self._begins = self._last = Instant(utc_ns)
        before, at = self._before, self._begins
        if before.plan is not None:
            self._plans.append((at, before.plan))
        for trunk in before.trunks.values():
            self._change(trunk, at)
        for point in before.points.values():
            self._change(point, at)
        for key, text in before.faults.items():
            self._changes.append(Change(at, ev.ConditionRaised(key, text)))
        for seat in before.reachable.values():
            if seat.reachable:
                self._change(seat, at)
        for operator, state in before.states.items():
            if state != operators.OFF:
                self._changes.append(Change(at, ev.MakeAvailable(operator, "record")))
                self._people.add(operator)
            if state == operators.PAUSED:
                self._changes.append(Change(at, ev.Pause(operator, "record", "record")))

    # ---- the world around the calls ---------------------------------------------------------------------------

    def _change(self, fact: Fact, at: Instant) -> None:
        event: ev.Event | None = None
        if isinstance(fact, f.PlanAdopted):
            self._plans.append((at, fact.plan))
        elif isinstance(fact, f.SeatChanged):
            self._people.update({fact.operator} if fact.reachable else ())
            bound = ev.SeatBound(fact.operator, "record", fact.kind)
            event = bound if fact.reachable else ev.SeatUnbound(fact.operator, fact.why)
        elif isinstance(fact, f.OperatorMoved):
            event = None if self._rested.get(fact.operator) == at else _wish(fact)
        elif isinstance(fact, f.OperatorRests):
            self._rested[fact.operator] = at
        elif isinstance(fact, f.PointChanged):
            event = ev.PointReached(fact.point) if fact.reachable else ev.PointLost(fact.point, fact.why)
        elif isinstance(fact, f.TrunkChanged):
            event = ev.TrunkReached(fact.trunk) if fact.reachable else ev.TrunkLost(fact.trunk, fact.why)
        elif isinstance(fact, f.AlarmRaised) and _of_machine(fact.key):
            event = ev.ConditionRaised(fact.key, fact.text)
        elif isinstance(fact, f.AlarmCleared) and _of_machine(fact.key):
            event = ev.ConditionCleared(fact.key)
        elif isinstance(fact, f.LegCreated) and fact.role == legs.OPERATOR:
            self._seats[fact.leg] = OperatorId(fact.party)
        elif isinstance(fact, f.LegMoved) and fact.new == legs.ENDED:
            self._leg_ended(fact, at)
        if event is not None:
            self._changes.append(Change(at, event))

    def _leg_ended(self, fact: f.LegMoved, at: Instant) -> None:
        operator, end = self._seats.pop(fact.leg, None), fact.termination
        if operator and fact.old == legs.UP and end is not None and (end.kind, end.by) == (Class.LOST, By.PARTY):
            self._changes.append(LinesLost(at, operator))

    def period(self, name: str) -> Period:
        """All that was taken."""
        presses, told = self._traces.presses()
        if self._before.open:
            told.append(f"incidents that were open when the period begins are left out ({len(self._before.open)})")
        return Period(
            name=name,
            begins=self._begins,
            ends=self._last,
            presses=tuple(presses),
            changes=tuple(sorted(self._changes, key=lambda one: one.at)),
            plans=tuple(self._plans),
            told=tuple(told),
            operators=frozenset(self._people),
        )


def _of_machine(key: str) -> bool:
    return any(key.startswith(one) if one.endswith(":") else key == one for one in MACHINE_ALARMS)


def _wish(fact: f.OperatorMoved) -> ev.Event | None:
    """What an operator asked for when the state changed so; None where it followed from something else.

    A pause at the very instant at which an offer rang out is the plan's, not a wish; the caller knows that.
    """
    if fact.old in (operators.OFF, operators.PAUSED) and fact.new == operators.AVAILABLE:
        return ev.MakeAvailable(fact.operator, "record")
    return ev.Pause(fact.operator, "record", "record") if fact.new == operators.PAUSED else None
