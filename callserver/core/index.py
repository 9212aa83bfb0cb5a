"""What the state holds, found without a walk over it: who is due when, who waits with whom, what was touched.

An index follows from the state alone and may be thrown away at any moment; the next look makes it anew. It is kept beside
the state because ten thousand may wait: `fold.apply` only marks what a fact names, and each reader (`deadlines`, `pools`,
`owners`, `decide`) looks at what was marked since its own last look.

`seen` is the instant of the latest decision: the one thing here that is not in the facts. What a rule looks at again by time
alone, such as a tier of a queue, is due after it; an index made anew at most wakes the core once for nothing.
Change together: a new fact that names its object by a field not in `_NAMES`, and that table.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from heapq import heapify, heappop, heappush
from typing import Any, Generic, NamedTuple, TypeVar

from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, call_of_leg, incident_of_call
from callserver.core.instant import INSTANT_ZERO, Instant

Key = TypeVar("Key", bound=Hashable)
Rank = tuple[int, int, IncidentId]

_STALE_MOST = 64  # entries of an agenda that no longer hold, beyond as many as hold


class Agenda(Generic[Key]):
    """Who is due when. Entries that no longer hold stay in the heap until they come up."""

    __slots__ = ("_at", "_heap")

    def __init__(self) -> None:
        self._at: dict[Key, Instant] = {}
        self._heap: list[tuple[Instant, Key]] = []

    def put(self, key: Key, at: Instant | None) -> None:
        """Somebody is due at this instant and no other; None: not at all."""
        if at is None:
            self._at.pop(key, None)
        elif self._at.get(key) != at:
            self._at[key] = at
            heappush(self._heap, (at, key))
            if len(self._heap) > 2 * len(self._at) + _STALE_MOST:
                self._heap = [(due, who) for who, due in self._at.items()]
                heapify(self._heap)

    def first(self) -> Instant | None:
        """The earliest instant at which somebody is due."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: Instant) -> list[Key]:
        """Who is due by now, in the order of time; they are not due any more."""
        due = []
        while (at := self.first()) is not None and at <= now:
            _, key = heappop(self._heap)
            del self._at[key]
            due.append(key)
        return due


@dataclass(slots=True)
class Marks:
    """What was touched since one reader's last look, in order. `everything`: do not ask what."""

    everything: bool = True
    incidents: dict[IncidentId, None] = field(default_factory=dict)
    calls: dict[CallId, None] = field(default_factory=dict)
    operators: dict[OperatorId, None] = field(default_factory=dict)

    def clear(self) -> None:
        """The reader has looked."""
        self.everything = False
        self.incidents, self.calls, self.operators = {}, {}, {}


class PoolKey(NamedTuple):
    """All that decides who may be rung for a waiting incident, and its class."""

    plan_version: int
    queue: str
    ladder: str
    step: int
    passed: tuple[int, ...]
    tiers: int
    skills: tuple[str, ...]
    priority: int
    only: str


@dataclass(slots=True)
class Pool:
    """Waiting incidents for which the same seats may be rung, by rank."""

    quiet: list[Rank] = field(default_factory=list)  # without an offer
    ringing: list[Rank] = field(default_factory=list)  # with one
    conditions: frozenset[str] = frozenset()  # of this moment, met when its ladders were last looked at

    def first(self) -> IncidentId:
        """One that stands for all."""
        return (self.quiet or self.ringing)[0][2]


Due = tuple[int, str]  # (0, an incident) or (1, a call)


class Index:
    """See above. Only `fold`, `deadlines`, `pools`, `owners` and `decide` touch it."""

    def __init__(self) -> None:
        self.seen = INSTANT_ZERO
        self.for_deadlines, self.for_pools, self.for_ladders, self.for_closing = Marks(), Marks(), Marks(), Marks()
        self.for_owners = Marks()
        self.due: Agenda[Due] = Agenda()
        self.rests: Agenda[OperatorId] = Agenda()
        self.lapses: Agenda[OperatorId] = Agenda()  # who is away, and when what they own is passed
        self.pools: dict[PoolKey, Pool] = {}
        self.places: dict[IncidentId, tuple[PoolKey, Rank, bool]] = {}  # and whether it rings
        self.waiting_in: dict[str, int] = {}  # by queue
        self.crews: dict[Hashable, frozenset[OperatorId]] = {}
        self.named: dict[tuple[int, str, str, int], tuple[str, ...]] = {}  # conditions that a pool's ladder still asks for
        self.alarms: dict[str, set[str]] = {}  # by the part of the key before the colon

    def touch(self, fact: f.Fact) -> None:
        """Marks what a fact names."""
        if isinstance(fact, _OF_ALL):
            self.touch_all()
            return
        if isinstance(fact, f.AlarmRaised):
            self.add_alarm(fact.key)
        elif isinstance(fact, f.AlarmCleared):
            self.alarms.get(_kind(fact.key), set()).discard(fact.key)
        for name, mark in _MARKS[type(fact)]:
            value = getattr(fact, name)
            if value:
                mark(self, value)

    def add_alarm(self, key: str) -> None:
        """An alarm is raised."""
        self.alarms.setdefault(_kind(key), set()).add(key)

    def touch_all(self) -> None:
        """Marks everything."""
        for marks in (self.for_deadlines, self.for_pools, self.for_ladders, self.for_closing, self.for_owners):
            marks.everything = True

    def touch_incident(self, incident: IncidentId) -> None:
        """Marks an incident."""
        for marks in (self.for_deadlines, self.for_pools, self.for_ladders, self.for_owners):
            marks.incidents[incident] = None

    def touch_call(self, call: CallId) -> None:
        """Marks a call and its incident."""
        self.for_deadlines.calls[call] = None
        self.for_closing.calls[call] = None
        self.touch_incident(incident_of_call(call))

    def touch_leg(self, leg: str) -> None:
        """Marks the call of a leg or of an offer, which is numbered as a leg is."""
        self.touch_call(call_of_leg(LegId(leg)))

    def touch_operator(self, operator: OperatorId) -> None:
        """Marks an operator."""
        self.for_deadlines.operators[operator] = None
        self.for_owners.operators[operator] = None


_OF_ALL = (f.PlanAdopted, f.ClockAnchored, f.HoursTurned)
_NAMES: Mapping[str, Callable[[Index, Any], None]] = {
    "incident": Index.touch_incident,
    "call": Index.touch_call,
    "leg": Index.touch_leg,
    "offer": Index.touch_leg,
    "operator": Index.touch_operator,
}


def _kind(alarm: str) -> str:
    return alarm.partition(":")[0]


_MARKS: Mapping[type, tuple[tuple[str, Callable[[Index, Any], None]], ...]] = {
    kind: tuple((known.name, _NAMES[known.name]) for known in fields(kind) if known.name in _NAMES) for kind in f.KINDS.values()
}
