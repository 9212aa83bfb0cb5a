"""What facts of calls, legs, offers and operators change in the state; see `fold`."""

from collections.abc import Callable, Mapping
from typing import Any

from callserver.core import call as calls
from callserver.core import facts as f
from callserver.core import fold_owners
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.ids import CallId, LegId, OfferId, OperatorId, PointId, call_of_leg
from callserver.core.instant import MS, Instant
from callserver.core.state import Call, Leg, Offer, OperatorState, State

DIGITS_TOGETHER_MS = 3_000
DIGITS_MOST = 16
PLACE_PROMPT = "place:"
BRIEFING_PROMPT = "help-point-call"
ACCEPTED_PROMPT, REFUSED_PROMPT = "accepted", "refused"


def _call_opened(state: State, fact: f.CallOpened, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.call = fact.call
    incident.calls_made += 1
    state.calls[fact.call] = Call(fact.call, fact.incident, calls.WAITING, at)


def _call_moved(state: State, fact: f.CallMoved, at: Instant) -> None:
    call = state.calls[fact.call]
    call.state, call.since = fact.new, at
    call.call_back_at = None
    call.held = False
    call.call_back_attempt = 1 if fact.new == calls.CALLING_BACK else 0
    call.talked = call.talked or fact.new == calls.TALKING
    if fact.new == calls.TALKING:
        state.incidents[call.incident].talked = True
    if fact.new == calls.ENDED:
        _forget_call(state, call)


def _forget_call(state: State, call: Call) -> None:
    del state.calls[call.id]
    incident = state.incidents.get(call.incident)
    if incident is not None and incident.call == call.id:
        incident.call = None
    operator = None if call.operator is None else state.operators.get(call.operator)
    if operator is not None and operator.call == call.id:
        operator.call = None


def _call_back_awaited(state: State, fact: f.CallBackAwaited, at: Instant) -> None:
    call = state.calls[fact.call]
    call.call_back_at, call.call_back_attempt = Instant(fact.at), fact.attempt


def _call_shaped(state: State, fact: f.CallShaped, at: Instant) -> None:
    call = state.calls[fact.call]
    call.shape = fact.shape
    for prompt in fact.shape.prompts:
        if prompt.name.startswith(PLACE_PROMPT):
            call.whispered = prompt.to[0]
        if call.code_word == (prompt.to[0], prompt.name):
            call.code_said = True
        if prompt.name.startswith(BRIEFING_PROMPT) and prompt.to[0] not in call.briefed:
            call.briefed = (*call.briefed, prompt.to[0])


def _call_held(state: State, fact: f.CallHeld, at: Instant) -> None:
    state.calls[fact.call].held = fact.held


def _leg_created(state: State, fact: f.LegCreated, at: Instant) -> None:
    call = state.calls[fact.call]
    due = None if fact.due is None else Instant(fact.due)
    leg = Leg(fact.leg, fact.call, fact.role, fact.party, fact.inbound, legs.first_state(fact.inbound), at, fact.route, due=due)
    call.legs[leg.id] = state.legs[leg.id] = leg
    call.legs_made += 1
    if leg.role == legs.POINT:
        call.call_back_at = None
        fold_owners.tried(state, leg, call)
    if leg.role == legs.BROUGHT:
        point, incident = PointId(leg.party), state.incidents[call.incident]
        incident.others = tuple(one for one in incident.others if one != point)
        call.missed = tuple(one for one in call.missed if one != point)
    if leg.role in legs.SEATS:
        operator = state.operators[OperatorId(leg.party)]
        operator.legs = (*operator.legs, leg.id)


def _leg_moved(state: State, fact: f.LegMoved, at: Instant) -> None:
    leg = state.legs[fact.leg]
    call = state.calls[leg.call]
    leg.state, leg.since = fact.new, at
    if fact.new in (legs.UP, legs.ENDING):
        leg.due = None
    if fact.new in (legs.ENDING, legs.ENDED):
        call.modes.pop(leg.id, None)
        if call.offer is not None:
            call.offer.legs.pop(leg.id, None)
    if leg.role == legs.POINT and not leg.inbound:
        fold_owners.tried_with(state, leg, call, fact)
    if fact.new == legs.ENDED:
        del state.legs[leg.id], call.legs[leg.id]
        operator = state.operators.get(OperatorId(leg.party)) if leg.role in legs.SEATS else None
        if operator is not None:
            operator.legs = tuple(other for other in operator.legs if other != leg.id)


def _line_changed(state: State, fact: f.LineChanged, at: Instant) -> None:
    state.legs[fact.leg].sounding = fact.sounding


def _one_way_found(state: State, fact: f.OneWayFound, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.one_way = tuple(dict.fromkeys((*leg.one_way, fact.side)))
    leg.renewals += fact.renewed


def _one_way_ended(state: State, fact: f.OneWayEnded, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.one_way = tuple(side for side in leg.one_way if side != fact.side)


def _digit_heard(state: State, fact: f.DigitHeard, at: Instant) -> None:
    leg = state.legs[fact.leg]
    anew = fact.digit == "*" and leg.role != legs.POINT  # a caller's keys may hold one, see dialplans.model.DIGITS
    if anew or at - leg.digit_at > DIGITS_TOGETHER_MS * MS:
        leg.digits = ""
    leg.digits = (leg.digits + fact.digit)[-DIGITS_MOST:]
    call = state.calls[leg.call]
    if call.code_word is not None and call.code_word[0] == leg.id:
        call.code_word = None
    leg.digit_at = at


def _call_of_offer(state: State, offer: OfferId) -> Call:
    return state.calls[CallId(call_of_leg(LegId(offer)))]  # an offer is numbered below its call, as a leg is


def _offer_made(state: State, fact: f.OfferMade, at: Instant) -> None:
    call = state.calls[fact.call]
    call.offers_made += 1
    state.turns[state.incidents[call.incident].queue] = fact.operators[-1]
    call.offer = Offer(fact.offer, fact.call, dict(zip(fact.legs, fact.operators, strict=True)), Instant(fact.until))


def _offer_widened(state: State, fact: f.OfferWidened, at: Instant) -> None:
    offer = _call_of_offer(state, fact.offer).offer
    assert offer is not None and offer.id == fact.offer
    offer.legs.update(zip(fact.legs, fact.operators, strict=True))


def _offer_ended(state: State, fact: f.OfferEnded, at: Instant) -> None:
    call = _call_of_offer(state, fact.offer)
    call.offer = None
    if fact.operator is not None:
        call.operator = fact.operator
        operator = state.operators[fact.operator]
        operator.call, operator.incident = call.id, call.incident


def _operator_moved(state: State, fact: f.OperatorMoved, at: Instant) -> None:
    operator = state.operators[fact.operator]
    if fact.old in (operators.TALKING, operators.WRAP_UP):
        operator.idle_since = at
    operator.state, operator.since = fact.new, at
    operator.until = None if fact.until is None else Instant(fact.until)
    if fact.new == operators.TALKING:
        operator.rests_until = operator.refuses_until = None
        operator.refusals = operator.misses = 0
        operator.taken += 1
    if fact.new == operators.OFF:
        operator.taken = 0
    if fact.new in (operators.OFF, operators.PAUSED):
        operator.misses = 0
    if fact.new != operators.AVAILABLE:
        operator.claimed = None
    if fact.new in operators.FREE:
        _unbind_operator(state, operator)
    fold_owners.note_duty(operator, at)


def _unbind_operator(state: State, operator: OperatorState) -> None:
    call = None if operator.call is None else state.calls.get(operator.call)
    if call is not None and call.operator == operator.id:
        call.operator = None
    incident = None if operator.incident is None else state.incidents.get(operator.incident)
    if incident is not None and incident.operator == operator.id:
        incident.operator = None
    operator.call = operator.incident = None


def _operator_rests(state: State, fact: f.OperatorRests, at: Instant) -> None:
    operator = state.operators[fact.operator]
    operator.missed_at = at
    if fact.firm:
        operator.refuses_until = Instant(fact.until)
        operator.refusals += 1
    else:
        operator.rests_until = Instant(fact.until) if fact.until > at else None
        operator.refusals = 0
        operator.misses += 1


def _rest_ended(state: State, fact: f.RestEnded, at: Instant) -> None:
    operator = state.operators[fact.operator]
    if operator.rests_until is not None and operator.rests_until <= at:
        operator.rests_until = None
    if operator.refuses_until is not None and operator.refuses_until <= at:
        operator.refuses_until = None


def _seat_changed(state: State, fact: f.SeatChanged, at: Instant) -> None:
    operator = state.operators[fact.operator]
    operator.reachable, operator.seat = fact.reachable, fact.kind
    if fact.reachable:
        operator.refuses_until, operator.refusals = None, 0
    fold_owners.note_duty(operator, at)


def _code_used(state: State, fact: f.CodeUsed, at: Instant) -> None:
    operator = state.operators.get(fact.operator)
    for leg in () if operator is None else operator.legs:
        state.legs[leg].digits = ""
    if fact.leg in state.legs:
        call = state.calls[state.legs[fact.leg].call]
        call.code_word, call.code_said = (fact.leg, ACCEPTED_PROMPT if fact.accepted else REFUSED_PROMPT), False


CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {
    f.CallOpened: _call_opened,
    f.CallMoved: _call_moved,
    f.CallBackAwaited: _call_back_awaited,
    f.CallShaped: _call_shaped,
    f.CallHeld: _call_held,
    f.LegCreated: _leg_created,
    f.LegMoved: _leg_moved,
    f.LineChanged: _line_changed,
    f.OneWayFound: _one_way_found,
    f.OneWayEnded: _one_way_ended,
    f.DigitHeard: _digit_heard,
    f.OfferMade: _offer_made,
    f.OfferWidened: _offer_widened,
    f.OfferEnded: _offer_ended,
    f.OperatorMoved: _operator_moved,
    f.OperatorRests: _operator_rests,
    f.RestEnded: _rest_ended,
    f.SeatChanged: _seat_changed,
    f.CodeUsed: _code_used,
}
"""What each kind of fact does; for `fold.apply`."""
