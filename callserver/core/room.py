"""Room for an emergency that waits while no seat rings for it and none is free: seats that do something less urgent.

    at once                       a wrap-up is cut short, where the queue's `wrap_up_cut` says so
    after `preempt_after_ms`      a seat that rings for somebody behind it is taken; else the youngest talk of the lowest class
                                  is parked: its caller waits again at the old place and is told so, and nobody is dropped

One seat is freed for an emergency at a time, and one talk is parked for it at most, ever. Talks of emergency and high class
and talks with an outside party in them are never parked, and a parked incident parks nobody, so this cannot go round in
circles. The seat of a parked talk rings for the emergency first (`OperatorState.claimed`), the others by the order of waiting.
"""

from callserver.core import call as calls
from callserver.core import conversation, offers, pools, waiting
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.facts import IncidentParked
from callserver.core.ids import OperatorId
from callserver.core.index import Rank
from callserver.core.instant import Instant, later
from callserver.core.lookup import incident_of, queue_of
from callserver.core.state import Incident, OperatorState, State
from dialplans.model import Priority

LOOKED_AT_MOST = 200
"""How many of the emergencies without a seat are looked at in one decision, the first first."""

Crews = dict[Rank, frozenset[OperatorId]]


def next_at(state: State, incident: Incident) -> Instant | None:
    """When a waiting incident may take a seat from somebody less urgent; None: never."""
    after_ms = queue_of(state, incident).preempt_after_ms
    may = incident.priority == Priority.EMERGENCY and not incident.parked and after_ms is not None
    return later(incident.since, after_ms) if may and after_ms is not None else None


def make(d: Decision) -> bool:
    """Frees seats for emergencies that have none; whether anything was done."""
    seats = {one.id: one for one in d.state.operators.values() if one.reachable and _may_make_room(one)}
    if not seats:
        return False
    crews = _emergencies(d, frozenset(seats))
    done = False
    for rank in sorted(crews)[:LOOKED_AT_MOST]:
        incident = d.state.incidents[rank[2]]
        here = [seats[one] for one in crews[rank] if one in seats]
        coming = _coming(d, here)
        freed = coming or _cut_wrap_up(d, incident, here) or _take(d, incident, here)
        if freed is not None:
            del seats[freed.id]
            done = done or freed is not coming
    return done


def _may_make_room(operator: OperatorState) -> bool:
    busy = (operators.OFFERED, operators.TALKING, operators.WRAP_UP)
    return operator.state in busy or (operator.state == operators.AVAILABLE and bool(operator.legs))


def _emergencies(d: Decision, seats: frozenset[OperatorId]) -> Crews:
    """The first emergencies without an offer, and the seats of these that might be theirs."""
    found: Crews = {}
    for key, pool in pools.pools(d.state, d.now).items():
        if key.priority == Priority.EMERGENCY and pool.quiet:
            crew = pools.crew(d.state, key, pool, d.now) & seats
            found.update((rank, crew) for rank in (pool.quiet[:LOOKED_AT_MOST] if crew else ()))
    return found


def _coming(d: Decision, here: list[OperatorState]) -> OperatorState | None:
    """A seat that is free as soon as its last leg is gone."""
    return next(
        (one for one in here if one.state == operators.AVAILABLE or (one.state == operators.TALKING and _ending(d, one))), None
    )


def _ending(d: Decision, operator: OperatorState) -> bool:
    return all(d.state.legs[leg].state == legs.ENDING for leg in operator.legs)


def _cut_wrap_up(d: Decision, incident: Incident, here: list[OperatorState]) -> OperatorState | None:
    """Ends the oldest wrap-up."""
    wrapping = [one for one in here if one.state == operators.WRAP_UP and one.incident in d.state.incidents]
    if not wrapping or not queue_of(d.state, incident).wrap_up_cut:
        return None
    operator = min(wrapping, key=lambda one: (one.since, one.id))
    assert operator.incident is not None
    conversation.end_wrap_up(d, d.state.incidents[operator.incident], f"cut short: {incident.point} waits in an emergency")
    return operator


def _take(d: Decision, incident: Incident, here: list[OperatorState]) -> OperatorState | None:
    at = next_at(d.state, incident)
    if at is None or at > d.now:
        return None
    return _take_ringing(d, incident, here) or _park(d, incident, here)


def _take_ringing(d: Decision, incident: Incident, here: list[OperatorState]) -> OperatorState | None:
    """A seat that rings for somebody less urgent who stands behind; the last in the order loses it."""
    mine = waiting.rank(d.state, incident)
    behind = []
    for operator in here:
        for leg in operator.legs if operator.state == operators.OFFERED else ():
            other = incident_of(d.state, d.state.calls[d.state.legs[leg].call])
            if other.priority > incident.priority and waiting.rank(d.state, other) > mine:
                behind.append((waiting.rank(d.state, other), operator.id))
    if not behind:
        return None
    operator = d.state.operators[max(behind)[1]]
    reason = f"{incident.point} waits in an emergency"
    offers.pull(d, operator, reason)
    operators.release(d, operator, reason)
    return operator


def _park(d: Decision, incident: Incident, here: list[OperatorState]) -> OperatorState | None:
    """Parks the youngest talk of the lowest class."""
    talks = [] if incident.preempted else [(talk, one) for one in here if (talk := _may_be_parked(d.state, one)) is not None]
    if not talks:
        return None
    talk, operator = max(talks, key=lambda known: (known[0].priority, known[0].since, known[0].id))
    assert talk.call is not None
    call = d.state.calls[talk.call]
    reason = f"parked: {incident.point} waits in an emergency"
    d.record(IncidentParked(talk.id, operator.id, incident.id))
    conversation.wait_again(d, call, reason)
    for leg in list(calls.live(call, legs.OPERATOR)):
        legs.end(d, leg, reason)
    operators.release(d, operator, reason)
    return operator


def _may_be_parked(state: State, operator: OperatorState) -> Incident | None:
    call = None if operator.call is None else state.calls.get(operator.call)
    if operator.state != operators.TALKING or call is None or call.state != calls.TALKING:
        return None
    talk = incident_of(state, call)
    lower = talk.priority >= Priority.NORMAL and talk.state == incidents.ATTENDED
    return talk if lower and not any(calls.live(call, legs.OUTSIDE)) else None
