"""Everything that happens by time alone: when it is due next, and what is done then.

Whatever `next_at` names is used up by `run_due` at that instant, so a shell that obeys never spins.
"""

from collections.abc import Iterator

from callserver.core import call as calls
from callserver.core import conversation, ladder, moment, offers, outside
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.facts import RestEnded
from callserver.core.instant import Instant
from callserver.core.state import Call, Incident, Leg, State


def next_at(state: State) -> Instant | None:
    """The earliest deadline."""
    return min(_all(state), default=None)


def _all(state: State) -> Iterator[Instant]:
    turn = moment.next_at(state)
    if turn is not None:
        yield turn
    for known in state.open_by_point.values():
        incident = state.incidents[known]
        for at in (incident.until, incident.route_at):
            if at is not None:
                yield at
        step = ladder.next_at(state, incident) if incident.state == incidents.WAITING else None
        if step is not None:
            yield step
    for call in state.calls.values():
        yield from _of_call(call)
    for operator in state.operators.values() if state.waiting else ():
        for at in (operator.rests_until, operator.refuses_until):
            if at is not None:
                yield at


def _of_call(call: Call) -> Iterator[Instant]:
    if call.offer is not None:
        yield call.offer.until
    if call.call_back_at is not None:
        yield call.call_back_at
    for leg in call.legs.values():
        if leg.due is not None:
            yield leg.due


def run_due(d: Decision) -> None:
    """Does what is due."""
    moment.run_due(d)
    first = next_at(d.state)
    if first is None or first > d.now:
        return
    for known in list(d.state.open_by_point.values()):
        _run_incident(d, d.state.incidents[known])
    for call in list(d.state.calls.values()):
        _run_call(d, call)
    for operator in list(d.state.operators.values()):
        if _is_due(d, operator.rests_until) or _is_due(d, operator.refuses_until):
            d.record(RestEnded(operator.id))


def _is_due(d: Decision, at: Instant | None) -> bool:
    return at is not None and at <= d.now


def _run_incident(d: Decision, incident: Incident) -> None:
    if _is_due(d, incident.until):
        conversation.end_wrap_up(d, incident, "the wrap-up ended without an outcome")
    elif _is_due(d, incident.route_at):
        outside.begin_again(d, incident)


def _run_call(d: Decision, call: Call) -> None:
    if call.offer is not None and call.offer.until <= d.now:
        offers.ring_out(d, call)
    if _is_due(d, call.call_back_at):
        conversation.dial_point(d, call)
    for leg in list(call.legs.values()):
        if _is_due(d, leg.due):
            _run_leg(d, call, leg)


def _run_leg(d: Decision, call: Call, leg: Leg) -> None:
    if leg.inbound:
        conversation.answer(d, leg, "profile answers after a while")
        return
    legs.end(d, leg, "no answer")
    if leg.role == legs.OUTSIDE:
        outside.failed(d, call, leg, "no answer")
    elif call.state == calls.CALLING_BACK:
        conversation.call_back_failed(d, call, "no answer")
