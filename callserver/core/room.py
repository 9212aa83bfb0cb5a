"""Room for an emergency that waits while no seat rings for it and none is free: seats that do something less urgent.

    at once                       a wrap-up is cut short, where the queue's `wrap_up_cut` says so
    after `preempt_after_ms`      a seat that rings for somebody behind it is taken; else the youngest talk of the lowest class
                                  is parked: its caller waits again at the old place and is told so, and nobody is dropped

One seat is freed for an emergency at a time, and one talk is parked for it at most, ever. Talks of emergency and high class
and talks with an outside party, a colleague or another point in them are never parked, and a parked incident parks nobody, so
this cannot go round in circles. The seat of a parked talk rings for the emergency first (`OperatorState.claimed`), the others
by the order of waiting.
"""

from dataclasses import dataclass, field

from callserver.core import call as calls
from callserver.core import conversation, offers, pools, waiting
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.facts import IncidentParked
from callserver.core.ids import OperatorId
from callserver.core.index import Pool, PoolKey, Rank
from callserver.core.instant import Instant, later
from callserver.core.lookup import incident_of, queue_of
from callserver.core.state import Incident, Leg, OperatorState, State
from dialplans.model import Priority

COMING_MOST_MS = 2_000
"""For how long a seat counts as free soon while its last leg is being ended; a device that does not reply takes half a minute."""

STUCK_MOST = 16
"""How many emergencies at the head of a pool may have had their turn without hiding those behind them."""


@dataclass(slots=True)
class _Seats:
    """The seats that might make room, by how."""

    coming: set[OperatorId] = field(default_factory=set)  # free as soon as the last leg is gone
    wrapping: set[OperatorId] = field(default_factory=set)
    ringing: dict[OperatorId, Rank] = field(default_factory=dict)  # for somebody of this rank, no emergency
    talking: dict[OperatorId, Incident] = field(default_factory=dict)  # in what may be parked

    def any_of(self, crew: frozenset[OperatorId], later: bool) -> int:
        """How many seats of a crew there are: at once, or (`later`) after the plan's time too."""
        kinds = (self.coming, self.wrapping, self.ringing, self.talking) if later else (self.coming, self.wrapping)
        return sum(len(crew.intersection(kind)) for kind in kinds if kind)

    def used(self, operator: OperatorId) -> None:
        """The seat is somebody's now."""
        self.coming.discard(operator)
        self.wrapping.discard(operator)
        self.ringing.pop(operator, None)
        self.talking.pop(operator, None)


def next_at(state: State, incident: Incident) -> Instant | None:
    """When a waiting incident may take a seat from somebody less urgent; None: never."""
    after_ms = queue_of(state, incident).preempt_after_ms
    may = incident.priority == Priority.EMERGENCY and not incident.parked and after_ms is not None
    return later(incident.since, after_ms) if may and after_ms is not None else None


def make(d: Decision) -> bool:
    """Frees seats for emergencies that have none; whether anything was done."""
    wanting = {
        key: pool for key, pool in pools.pools(d.state, d.now).items() if key.priority == Priority.EMERGENCY and pool.quiet
    }
    if not wanting:
        return False
    due = {
        key for key, pool in wanting.items() if any(_is_due(d, d.state.incidents[rank[2]]) for rank in pool.quiet[:STUCK_MOST])
    }
    seats = _seats(d, bool(due))
    done = False
    for rank, crew in _emergencies(d, wanting, due, seats):
        incident = d.state.incidents[rank[2]]
        coming = min(crew & seats.coming, default=None)
        freed = coming or _cut_wrap_up(d, incident, seats, crew) or _take(d, incident, seats, crew)
        if freed is not None:
            seats.used(freed)
            done = done or freed != coming
    return done


def soon_until(leg: Leg) -> Instant | None:
    """Until when the operator of a leg counts as free soon; None for a leg that is not being ended."""
    return later(leg.since, COMING_MOST_MS) if leg.role in legs.SEATS and leg.state == legs.ENDING else None


def _free_soon(d: Decision, operator: OperatorState) -> bool:
    ends = [soon_until(d.state.legs[leg]) for leg in operator.legs]
    return all(at is not None and d.now < at for at in ends)


def _is_due(d: Decision, incident: Incident) -> bool:
    at = next_at(d.state, incident)
    return at is not None and at <= d.now


def _seats(d: Decision, later: bool) -> _Seats:
    """The seats that might make room; `later`: those too that do so after the plan's time only."""
    state, found = d.state, _Seats()
    for operator in state.operators.values():
        if not operator.reachable:
            continue
        if operator.state == operators.AVAILABLE and operator.legs and _free_soon(d, operator):
            found.coming.add(operator.id)
        elif operator.state == operators.WRAP_UP and operator.incident in state.incidents:
            found.wrapping.add(operator.id)
        elif operator.state == operators.OFFERED and later:
            for other in _rings_for(state, operator):
                found.ringing[operator.id] = waiting.rank(state, other)
        elif operator.state == operators.TALKING:
            _add_talk(d, operator, found, later)
    return found


def _rings_for(state: State, operator: OperatorState) -> list[Incident]:
    calls_of_it = [state.calls[state.legs[leg].call] for leg in operator.legs if state.legs[leg].state != legs.ENDING]
    found = [incident_of(state, call) for call in calls_of_it]
    return [incident for incident in found if incident.priority > Priority.EMERGENCY]


def _add_talk(d: Decision, operator: OperatorState, found: _Seats, later: bool) -> None:
    state = d.state
    call = None if operator.call is None else state.calls.get(operator.call)
    if call is None or call.state == calls.ENDING:
        if _free_soon(d, operator):
            found.coming.add(operator.id)
    elif later and call.state == calls.TALKING:
        talk = incident_of(state, call)
        if talk.priority >= Priority.NORMAL and not any(calls.live(call, legs.OUTSIDE, legs.SUPERVISOR, legs.BROUGHT)):
            found.talking[operator.id] = talk


def _emergencies(
    d: Decision, wanting: dict[PoolKey, Pool], due: set[PoolKey], seats: _Seats
) -> list[tuple[Rank, frozenset[OperatorId]]]:
    """The first emergencies without an offer for whom there might be a seat, and the crews that are rung for them."""
    found: list[tuple[Rank, frozenset[OperatorId]]] = []
    for key, pool in wanting.items():
        crew = pools.crew(d.state, key, pool, d.now)
        count = seats.any_of(crew, key in due)
        found += [(rank, crew) for rank in (pool.quiet[: count + STUCK_MOST] if count else ())]
    return sorted(found)


def _cut_wrap_up(d: Decision, incident: Incident, seats: _Seats, crew: frozenset[OperatorId]) -> OperatorId | None:
    """Ends the oldest wrap-up."""
    wrapping = [d.state.operators[one] for one in crew & seats.wrapping]
    if not wrapping or not queue_of(d.state, incident).wrap_up_cut:
        return None
    operator = min(wrapping, key=lambda one: (one.since, one.id))
    assert operator.incident is not None
    conversation.end_wrap_up(d, d.state.incidents[operator.incident], f"cut short: {incident.point} waits in an emergency")
    return operator.id


def _take(d: Decision, incident: Incident, seats: _Seats, crew: frozenset[OperatorId]) -> OperatorId | None:
    if not _is_due(d, incident):
        return None
    return _take_ringing(d, incident, seats, crew) or _park(d, incident, seats, crew)


def _take_ringing(d: Decision, incident: Incident, seats: _Seats, crew: frozenset[OperatorId]) -> OperatorId | None:
    """A seat that rings for somebody who stands behind; the last in the order loses it."""
    mine = waiting.rank(d.state, incident)
    behind = [(rank, one) for one, rank in seats.ringing.items() if one in crew and rank > mine]
    if not behind:
        return None
    operator = d.state.operators[max(behind)[1]]
    reason = f"{incident.point} waits in an emergency"
    offers.pull(d, operator, reason)
    operators.release(d, operator, reason)
    return operator.id


def _park(d: Decision, incident: Incident, seats: _Seats, crew: frozenset[OperatorId]) -> OperatorId | None:
    """Parks the youngest talk of the lowest class."""
    talks = [] if incident.preempted else [(talk, one) for one, talk in seats.talking.items() if one in crew]
    if not talks:
        return None
    talk, known = max(talks, key=lambda pair: (pair[0].priority, pair[0].since, pair[0].id))
    assert talk.call is not None
    call, operator = d.state.calls[talk.call], d.state.operators[known]
    reason = f"parked: {incident.point} waits in an emergency"
    d.record(IncidentParked(talk.id, operator.id, incident.id))
    conversation.release(d, call, reason)
    return operator.id
