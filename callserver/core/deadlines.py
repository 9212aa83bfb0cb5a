"""Everything that happens by time alone: when it is due next, and what is done then.

Whatever `next_at` names is used up by `run_due` at that instant, so a shell that obeys never spins: either what is due leaves
a fact that moves it on, or a rule only looks again at that instant, and such instants are due once (those after `Index.seen`).
What is due stands in the index of the state and is worked out anew for what a fact touched, not for everybody who waits.
"""

from collections.abc import Iterator

from callserver.core import call as calls
from callserver.core import (
    conversation,
    crowding,
    giving,
    ladder,
    moment,
    offers,
    outside,
    owners,
    point_groups,
    pools,
    room,
    signals,
    talk_limit,
)
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.facts import RestEnded
from callserver.core.ids import CallId, IncidentId
from callserver.core.index import Agenda, Index
from callserver.core.instant import Instant, later
from callserver.core.lookup import queue_of
from callserver.core.state import Call, Incident, Leg, OperatorState, State

INCIDENT, CALL = 0, 1


def next_at(state: State) -> Instant | None:
    """The earliest deadline."""
    index = _up_to_date(state)
    firsts = (moment.next_at(state), index.due.first(), index.rests.first() if state.waiting else None, index.lapses.first())
    return min((at for at in firsts if at is not None), default=None)


def _up_to_date(state: State) -> Index:
    index = pools.index_of(state)
    marks = index.for_deadlines
    if marks.everything:
        index.due, index.rests, index.lapses = Agenda(), Agenda(), Agenda()
    for incident in list(state.incidents if marks.everything else marks.incidents):
        index.due.put((INCIDENT, incident), min(_of_incident(state, incident, index.seen), default=None))
    for call in list(state.calls if marks.everything else marks.calls):
        index.due.put((CALL, call), min(_of_call(state, state.calls.get(call), index.seen), default=None))
    for operator in list(state.operators if marks.everything else marks.operators):
        index.rests.put(operator, min(_of_operator(state.operators.get(operator)), default=None))
        index.lapses.put(operator, owners.lapses_at(state, operator, index.seen))
    marks.clear()
    return index


def _of_incident(state: State, known: IncidentId, seen: Instant) -> Iterator[Instant]:
    incident = state.incidents.get(known)
    if incident is None:
        return
    for at in (incident.until, incident.route_at, incident.only_until):
        if at is not None:
            yield at
    yield from owners.due_at(state, incident)
    if incident.state == incidents.WAITING:
        step = ladder.next_at(state, incident)
        for at in (step, crowding.next_at(state, incident)):
            if at is not None:
                yield at
        yield from (at for at in _looks_again(state, incident) if at > seen)


def _looks_again(state: State, incident: Incident) -> Iterator[Instant]:
    """When something else may be done for a waiting incident, though nothing happens but time."""
    for tier in queue_of(state, incident).tiers:
        yield later(incident.ladder_since, tier.after_ms)
    preempts_at = room.next_at(state, incident)
    if preempts_at is not None:
        yield preempts_at


def _of_call(state: State, call: Call | None, seen: Instant) -> Iterator[Instant]:
    if call is None:
        return
    if call.offer is not None:
        yield call.offer.until
    if call.call_back_at is not None:
        yield call.call_back_at
    for leg in call.legs.values():
        for at in (leg.due, leg.sending_until):
            if at is not None:
                yield at
        near = talk_limit.near_at(state, call, leg)
        if near is not None:
            yield near
        late = room.soon_until(leg)
        if late is not None and late > seen:
            yield late


def _of_operator(operator: OperatorState | None) -> Iterator[Instant]:
    if operator is not None:
        for at in (operator.rests_until, operator.refuses_until):
            if at is not None:
                yield at


def run_due(d: Decision) -> None:
    """Does what is due."""
    moment.run_due(d)
    index = _up_to_date(d.state)
    for kind, known in index.due.take(d.now):
        if kind == INCIDENT:
            index.touch_incident(IncidentId(known))
            _run_incident(d, IncidentId(known))
        else:
            index.touch_call(CallId(known))
            _run_call(d, CallId(known))
    for operator in index.rests.take(d.now) if d.state.waiting else ():
        index.touch_operator(operator)
        d.record(RestEnded(operator))
    for operator in index.lapses.take(d.now):
        index.for_owners.operators[operator] = None


def _is_due(d: Decision, at: Instant | None) -> bool:
    return at is not None and at <= d.now


def _run_incident(d: Decision, known: IncidentId) -> None:
    incident = d.state.incidents.get(known)
    if incident is None:
        return
    if _is_due(d, incident.until):
        conversation.end_wrap_up(d, incident, "the wrap-up ended without an outcome")
    elif _is_due(d, incident.route_at):
        outside.begin_again(d, incident)
    if _is_due(d, incident.only_until):
        giving.run_due(d, incident)
    owners.run_due(d, incident)
    if incident.state == incidents.WAITING:
        crowding.run_due(d, incident)


def _run_call(d: Decision, known: CallId) -> None:
    call = d.state.calls.get(known)
    if call is None:
        return
    if call.offer is not None and call.offer.until <= d.now:
        offers.ring_out(d, call)
    if _is_due(d, call.call_back_at):
        conversation.dial_point(d, call)
    for leg in list(call.legs.values()):
        if _is_due(d, leg.due):
            _run_leg(d, call, leg)
        if _is_due(d, leg.sending_until):
            signals.run_due(d, leg)
        if _is_due(d, talk_limit.near_at(d.state, call, leg)):
            talk_limit.run_due(d, call, leg)


def _run_leg(d: Decision, call: Call, leg: Leg) -> None:
    if leg.inbound:
        conversation.answer(d, leg, "profile answers after a while")
        return
    why = "no answer" if leg.accepted else "answered and not accepted"
    legs.end(d, leg, why)
    if leg.role == legs.OUTSIDE:
        outside.failed(d, call, leg, why)
    elif leg.role == legs.BROUGHT:
        point_groups.given_up(d, call, leg, why)
    elif leg.role == legs.POINT and call.state == calls.CALLING_BACK:
        conversation.call_back_failed(d, call, "no answer")
