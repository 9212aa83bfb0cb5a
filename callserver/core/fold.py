"""State from facts, and nothing else: `apply` is the only code that writes to `State`.

It decides nothing and refuses nothing: a fact happened. Live state and the journal go through the same function, so
`fold(journal)` equals the state that wrote it. The time `at` is the row's instant. A fact about something that is
not there is a broken journal and raises KeyError.
Change together: a machine's table, its `...Moved` here, docs of the fact.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from callserver.core import call as calls
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core import waiting
from callserver.core.facts import (
    AlarmCleared,
    AlarmRaised,
    CallBackAwaited,
    CallHeld,
    CallMoved,
    CallOpened,
    CallShaped,
    CodeUsed,
    DigitHeard,
    Fact,
    IncidentMoved,
    IncidentOpened,
    IncidentRejoined,
    LadderStepTaken,
    LegCreated,
    LegMoved,
    LineChanged,
    OfferEnded,
    OfferMade,
    OfferWidened,
    OperatorMoved,
    OperatorRests,
    PlanAdopted,
    PointChanged,
    RestEnded,
    RouteAwaited,
    RouteTried,
    SeatChanged,
    TrunkChanged,
)
from callserver.core.ids import CallId, LegId, OfferId, OperatorId, call_of_leg
from callserver.core.instant import MS, Instant
from callserver.core.state import Call, Incident, Leg, Offer, OperatorState, State

DIGITS_TOGETHER_MS = 3_000
DIGITS_MOST = 8
PLACE_PROMPT = "place:"


def apply(state: State, fact: Fact, at: Instant) -> None:
    """Takes one fact into the state, at the instant of its row."""
    state.facts += 1
    change = _CHANGES.get(type(fact))
    if change is not None:
        change(state, fact, at)


def fold(rows: Iterable[tuple[Fact, Instant]]) -> State:
    """The state that a journal tells."""
    state = State()
    for fact, at in rows:
        apply(state, fact, at)
    return state


# ---- plan ---------------------------------------------------------------------------------------------------


def _plan_adopted(state: State, fact: PlanAdopted, at: Instant) -> None:
    state.plan_version, state.plan_digest = fact.version, fact.digest
    state.plans[fact.version] = fact.plan
    used = {incident.plan_version for incident in state.incidents.values()} | {fact.version}
    for version in [version for version in state.plans if version not in used]:
        del state.plans[version]
    for known in fact.plan.operators:
        if known not in state.operators:
            state.operators[OperatorId(known)] = OperatorState(OperatorId(known), operators.OFF, at)
    for operator in list(state.operators.values()):
        if operator.id not in fact.plan.operators and operator.state in operators.FREE and not operator.legs:
            del state.operators[operator.id]  # one in a call stays, not eligible, until the next plan


# ---- incidents ----------------------------------------------------------------------------------------------


def _incident_opened(state: State, fact: IncidentOpened, at: Instant) -> None:
    incident = Incident(
        fact.incident, fact.point, fact.queue, fact.priority, fact.plan_version, incidents.WAITING, at, at, at, ladder_since=at
    )
    state.incidents[incident.id] = incident
    state.open_by_point[incident.point] = incident.id
    waiting.join(state, incident)


def _incident_rejoined(state: State, fact: IncidentRejoined, at: Instant) -> None:
    state.incidents[fact.incident].presses += 1


def _incident_moved(state: State, fact: IncidentMoved, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    if incident.state == incidents.WAITING:
        waiting.leave(state, incident)
    incident.state, incident.since = fact.new, at
    incident.operator = fact.operator
    incident.until = None if fact.until is None else Instant(fact.until)
    incident.party = incident.route_at = incident.route_leg = None
    incident.route = incident.cycle = 0
    if fact.new == incidents.WAITING:
        incident.step, incident.ladder_since = 0, at
        waiting.join(state, incident)
    if fact.new not in incidents.JOINABLE:
        _leave_point(state, incident)
    if fact.new == incidents.CLOSED:
        _forget_incident(state, incident)


def _leave_point(state: State, incident: Incident) -> None:
    if state.open_by_point.get(incident.point) == incident.id:
        del state.open_by_point[incident.point]


def _forget_incident(state: State, incident: Incident) -> None:
    del state.incidents[incident.id]
    version = incident.plan_version
    if version != state.plan_version and all(other.plan_version != version for other in state.incidents.values()):
        del state.plans[version]


def _ladder_step_taken(state: State, fact: LadderStepTaken, at: Instant) -> None:
    state.incidents[fact.incident].step = fact.step


def _route_tried(state: State, fact: RouteTried, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.party, incident.route, incident.cycle = fact.party, fact.route, fact.cycle
    incident.route_leg, incident.route_at = fact.leg, None


def _route_awaited(state: State, fact: RouteAwaited, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.party, incident.route_leg, incident.route_at = fact.party, None, Instant(fact.at)


# ---- calls and legs -----------------------------------------------------------------------------------------


def _call_opened(state: State, fact: CallOpened, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.call = fact.call
    incident.calls_made += 1
    state.calls[fact.call] = Call(fact.call, fact.incident, calls.WAITING, at)


def _call_moved(state: State, fact: CallMoved, at: Instant) -> None:
    call = state.calls[fact.call]
    call.state, call.since = fact.new, at
    call.call_back_at = None
    call.held = False
    call.call_back_attempt = 1 if fact.new == calls.CALLING_BACK else 0
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


def _call_back_awaited(state: State, fact: CallBackAwaited, at: Instant) -> None:
    call = state.calls[fact.call]
    call.call_back_at, call.call_back_attempt = Instant(fact.at), fact.attempt


def _call_shaped(state: State, fact: CallShaped, at: Instant) -> None:
    call = state.calls[fact.call]
    call.shape = fact.shape
    for prompt in fact.shape.prompts:
        if prompt.name.startswith(PLACE_PROMPT):
            call.whispered = prompt.to[0]


def _call_held(state: State, fact: CallHeld, at: Instant) -> None:
    state.calls[fact.call].held = fact.held


def _leg_created(state: State, fact: LegCreated, at: Instant) -> None:
    call = state.calls[fact.call]
    due = None if fact.due is None else Instant(fact.due)
    leg = Leg(fact.leg, fact.call, fact.role, fact.party, fact.inbound, legs.first_state(fact.inbound), at, fact.route, due=due)
    call.legs[leg.id] = state.legs[leg.id] = leg
    call.legs_made += 1
    if leg.role == legs.POINT:
        call.call_back_at = None
    if leg.role == legs.OPERATOR:
        operator = state.operators[OperatorId(leg.party)]
        operator.legs = (*operator.legs, leg.id)


def _leg_moved(state: State, fact: LegMoved, at: Instant) -> None:
    leg = state.legs[fact.leg]
    call = state.calls[leg.call]
    leg.state, leg.since = fact.new, at
    if fact.new in (legs.UP, legs.ENDING):
        leg.due = None
    if fact.new in (legs.ENDING, legs.ENDED) and call.offer is not None:
        call.offer.legs.pop(leg.id, None)
    if fact.new == legs.ENDED:
        del state.legs[leg.id], call.legs[leg.id]
        operator = state.operators.get(OperatorId(leg.party)) if leg.role == legs.OPERATOR else None
        if operator is not None:
            operator.legs = tuple(other for other in operator.legs if other != leg.id)


def _line_changed(state: State, fact: LineChanged, at: Instant) -> None:
    state.legs[fact.leg].sounding = fact.sounding


def _digit_heard(state: State, fact: DigitHeard, at: Instant) -> None:
    leg = state.legs[fact.leg]
    if fact.digit == "*" or at - leg.digit_at > DIGITS_TOGETHER_MS * MS:
        leg.digits = ""
    leg.digits = (leg.digits + fact.digit)[-DIGITS_MOST:]
    leg.digit_at = at


# ---- offers and operators -----------------------------------------------------------------------------------


def _call_of_offer(state: State, offer: OfferId) -> Call:
    return state.calls[CallId(call_of_leg(LegId(offer)))]  # an offer is numbered below its call, as a leg is


def _offer_made(state: State, fact: OfferMade, at: Instant) -> None:
    call = state.calls[fact.call]
    call.offers_made += 1
    call.offer = Offer(fact.offer, fact.call, dict(zip(fact.legs, fact.operators, strict=True)), Instant(fact.until))


def _offer_widened(state: State, fact: OfferWidened, at: Instant) -> None:
    offer = _call_of_offer(state, fact.offer).offer
    assert offer is not None and offer.id == fact.offer
    offer.legs.update(zip(fact.legs, fact.operators, strict=True))


def _offer_ended(state: State, fact: OfferEnded, at: Instant) -> None:
    call = _call_of_offer(state, fact.offer)
    call.offer = None
    if fact.operator is not None:
        call.operator = fact.operator
        operator = state.operators[fact.operator]
        operator.call, operator.incident = call.id, call.incident


def _operator_moved(state: State, fact: OperatorMoved, at: Instant) -> None:
    operator = state.operators[fact.operator]
    if fact.old in (operators.TALKING, operators.WRAP_UP):
        operator.idle_since = at
    operator.state, operator.since = fact.new, at
    operator.until = None if fact.until is None else Instant(fact.until)
    if fact.new == operators.TALKING:
        operator.rests_until = operator.refuses_until = None
        operator.refusals = 0
    if fact.new in operators.FREE:
        _unbind_operator(state, operator)


def _unbind_operator(state: State, operator: OperatorState) -> None:
    call = None if operator.call is None else state.calls.get(operator.call)
    if call is not None and call.operator == operator.id:
        call.operator = None
    incident = None if operator.incident is None else state.incidents.get(operator.incident)
    if incident is not None and incident.operator == operator.id:
        incident.operator = None
    operator.call = operator.incident = None


def _operator_rests(state: State, fact: OperatorRests, at: Instant) -> None:
    operator = state.operators[fact.operator]
    operator.missed_at = at
    if fact.firm:
        operator.refuses_until = Instant(fact.until)
        operator.refusals += 1
    else:
        operator.rests_until = Instant(fact.until)
        operator.refusals = 0


def _rest_ended(state: State, fact: RestEnded, at: Instant) -> None:
    operator = state.operators[fact.operator]
    if operator.rests_until is not None and operator.rests_until <= at:
        operator.rests_until = None
    if operator.refuses_until is not None and operator.refuses_until <= at:
        operator.refuses_until = None


def _seat_changed(state: State, fact: SeatChanged, at: Instant) -> None:
    operator = state.operators[fact.operator]
    operator.reachable, operator.seat = fact.reachable, fact.kind
    if fact.reachable:
        operator.refuses_until, operator.refusals = None, 0


def _code_used(state: State, fact: CodeUsed, at: Instant) -> None:
    operator = state.operators.get(fact.operator)
    for leg in () if operator is None else operator.legs:
        state.legs[leg].digits = ""


# ---- the rest -----------------------------------------------------------------------------------------------


def _point_changed(state: State, fact: PointChanged, at: Instant) -> None:
    state.points[fact.point] = fact.reachable


def _trunk_changed(state: State, fact: TrunkChanged, at: Instant) -> None:
    state.trunks[fact.trunk] = fact.reachable


def _alarm_raised(state: State, fact: AlarmRaised, at: Instant) -> None:
    state.alarms[fact.key] = fact.text


def _alarm_cleared(state: State, fact: AlarmCleared, at: Instant) -> None:
    state.alarms.pop(fact.key, None)


_CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {
    PlanAdopted: _plan_adopted,
    IncidentOpened: _incident_opened,
    IncidentRejoined: _incident_rejoined,
    IncidentMoved: _incident_moved,
    LadderStepTaken: _ladder_step_taken,
    RouteTried: _route_tried,
    RouteAwaited: _route_awaited,
    CallOpened: _call_opened,
    CallMoved: _call_moved,
    CallBackAwaited: _call_back_awaited,
    CallShaped: _call_shaped,
    CallHeld: _call_held,
    LegCreated: _leg_created,
    LegMoved: _leg_moved,
    LineChanged: _line_changed,
    DigitHeard: _digit_heard,
    OfferMade: _offer_made,
    OfferWidened: _offer_widened,
    OfferEnded: _offer_ended,
    OperatorMoved: _operator_moved,
    OperatorRests: _operator_rests,
    RestEnded: _rest_ended,
    SeatChanged: _seat_changed,
    CodeUsed: _code_used,
    PointChanged: _point_changed,
    TrunkChanged: _trunk_changed,
    AlarmRaised: _alarm_raised,
    AlarmCleared: _alarm_cleared,
}
