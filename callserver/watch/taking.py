"""How each kind of fact changes the watch's picture; kinds that are not named change nothing.

A fact about something that is not there raises LookupError: the journal has a hole.
"""

from collections.abc import Callable, Mapping
from typing import Any

from callserver.core import facts as f
from callserver.core.ids import CallId, LegId, OperatorId, call_of_leg
from callserver.core.instant import Instant
from callserver.core.views import NOBODY
from callserver.watch.picture import Picture, SeenCall, SeenIncident, SeenLeg, SeenOperator

_ON_THE_WAY = "waiting"
_SEATS = ("operator", "supervisor")
_NO_CALL = frozenset({"off", "available", "paused"})


def take(picture: Picture, fact: f.Fact, at: Instant) -> None:
    """Takes one fact into the picture, at the instant of its row."""
    change = _CHANGES.get(type(fact))
    if change is not None:
        change(picture, fact, at)


# ---- plans, time, alarms, notices -----------------------------------------------------------------------------


def _plan_adopted(picture: Picture, fact: f.PlanAdopted, at: Instant) -> None:
    picture.plans[fact.version] = fact.plan
    picture.plan_version = fact.version
    _forget_plans(picture)
    for known in fact.plan.operators:
        picture.operators.setdefault(OperatorId(known), SeenOperator(OperatorId(known), "off", at))
    for operator in list(picture.operators.values()):
        if operator.id not in fact.plan.operators and operator.state in _NO_CALL and not operator.legs:
            del picture.operators[operator.id]


def _forget_plans(picture: Picture) -> None:
    used = {incident.plan_version for incident in picture.incidents.values()} | {picture.plan_version}
    for version in [version for version in picture.plans if version not in used]:
        del picture.plans[version]


def _clock_anchored(picture: Picture, fact: f.ClockAnchored, at: Instant) -> None:
    picture.utc_offset_ns = fact.utc_ns - fact.instant_ns


def _server_started(picture: Picture, fact: f.ServerStarted, at: Instant) -> None:
    picture.back_since = at


def _alarm_raised(picture: Picture, fact: f.AlarmRaised, at: Instant) -> None:
    picture.alarms.add(fact.key)


def _alarm_cleared(picture: Picture, fact: f.AlarmCleared, at: Instant) -> None:
    picture.alarms.discard(fact.key)


def _notice_ordered(picture: Picture, fact: f.NoticeOrdered, at: Instant) -> None:
    picture.notices[fact.id] = (fact.incident, at)


def _notice_settled(picture: Picture, fact: f.NoticeSettled, at: Instant) -> None:
    picture.notices.pop(fact.id, None)


# ---- incidents --------------------------------------------------------------------------------------------------


def _incident_opened(picture: Picture, fact: f.IncidentOpened, at: Instant) -> None:
    seen = SeenIncident(fact.incident, fact.point, fact.queue, fact.plan_version, _ON_THE_WAY, at, at, fact.ladder)
    seen.called_by = fact.called_by
    seen.pressed = None if fact.called_by else at
    picture.incidents[fact.incident] = seen


def _incident_rejoined(picture: Picture, fact: f.IncidentRejoined, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.pressed = at
    if incident.called_by:
        incident.called_by, incident.ladder_since, incident.stepped = "", at, at


def _incident_moved(picture: Picture, fact: f.IncidentMoved, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    if fact.new == "closed":
        del picture.incidents[fact.incident]
        _forget_plans(picture)
        return
    incident.state, incident.changed, incident.operator = fact.new, at, fact.operator
    incident.until = None if fact.until is None else Instant(fact.until)
    incident.route_at = None
    if fact.new == _ON_THE_WAY:
        _at_the_foot(incident, at)
    else:
        incident.only, incident.only_until = "", None


def _incident_handed_over(picture: Picture, fact: f.IncidentHandedOver, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.queue, incident.ladder, incident.changed = fact.queue, fact.ladder, at
    incident.only, incident.only_until = "", None
    _at_the_foot(incident, at)


def _call_back_begun(picture: Picture, fact: f.CallBackBegun, at: Instant) -> None:
    picture.incidents[fact.incident].called_by = fact.operator


def _incident_listed(picture: Picture, fact: f.IncidentListed, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.listed, incident.overdue_at = at, Instant(fact.due)


def _incident_unlisted(picture: Picture, fact: f.IncidentUnlisted, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.listed = incident.overdue_at = incident.acknowledge_by = incident.owner = None
    incident.changed = at


def _owner_named(picture: Picture, fact: f.OwnerNamed, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.owner, incident.owner_since = fact.operator, at
    incident.acknowledge_by = None if fact.acknowledge_by is None else Instant(fact.acknowledge_by)


def _owner_acknowledged(picture: Picture, fact: f.OwnerAcknowledged, at: Instant) -> None:
    picture.incidents[fact.incident].acknowledge_by = None


def _at_the_foot(incident: SeenIncident, at: Instant) -> None:
    incident.step, incident.ladder_since, incident.stepped, incident.passed = 0, at, at, ()
    incident.met.clear()


def _call_parked(picture: Picture, fact: f.CallParked, at: Instant) -> None:
    incident = picture.incidents[picture.calls[fact.call].incident]
    incident.only, incident.only_until = NOBODY, Instant(fact.until)


def _incident_directed(picture: Picture, fact: f.IncidentDirected, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.only, incident.only_until = fact.only, Instant(fact.until)


def _direction_ended(picture: Picture, fact: f.DirectionEnded, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    if incident.only == NOBODY:
        incident.ladder_since = incident.stepped = at
    incident.only, incident.only_until, incident.changed = "", None, at


def _condition_met(picture: Picture, fact: f.ConditionMet, at: Instant) -> None:
    picture.incidents[fact.incident].met.setdefault(fact.condition, at)


def _ladder_step_taken(picture: Picture, fact: f.LadderStepTaken, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.step, incident.stepped = fact.step, at
    incident.passed = (*(one for one in incident.passed if one != fact.step), *((fact.step,) if fact.passed else ()))


def _route_tried(picture: Picture, fact: f.RouteTried, at: Instant) -> None:
    incident = picture.incidents[fact.incident]
    incident.route_at, incident.tried = None, at


def _party_given_up(picture: Picture, fact: f.PartyGivenUp, at: Instant) -> None:
    picture.incidents[fact.incident].route_at = None


def _route_awaited(picture: Picture, fact: f.RouteAwaited, at: Instant) -> None:
    picture.incidents[fact.incident].route_at = Instant(fact.at)


# ---- calls, legs and offers ---------------------------------------------------------------------------------------


def _call_opened(picture: Picture, fact: f.CallOpened, at: Instant) -> None:
    picture.calls[fact.call] = SeenCall(fact.call, fact.incident, _ON_THE_WAY, at)
    picture.incidents[fact.incident].call = fact.call


def _call_moved(picture: Picture, fact: f.CallMoved, at: Instant) -> None:
    call = picture.calls[fact.call]
    call.state, call.changed = fact.new, at
    if fact.new == "ended":
        del picture.calls[fact.call]
        incident = picture.incidents.get(call.incident)
        if incident is not None and incident.call == call.id:
            incident.call = None


def _leg_created(picture: Picture, fact: f.LegCreated, at: Instant) -> None:
    call = picture.calls[fact.call]
    leg = SeenLeg(fact.leg, fact.call, fact.role, fact.party, "arriving" if fact.inbound else "dialling", at)
    picture.legs[fact.leg] = call.legs[fact.leg] = leg
    if fact.role == "point" and fact.inbound:
        picture.incidents[call.incident].pressed = None
    operator = picture.operators.get(OperatorId(fact.party)) if fact.role in _SEATS else None
    if operator is not None:
        operator.legs, operator.changed = (*operator.legs, fact.leg), at


def _leg_moved(picture: Picture, fact: f.LegMoved, at: Instant) -> None:
    leg = picture.legs[fact.leg]
    call = picture.calls[leg.call]
    leg.state, leg.changed = fact.new, at
    if fact.new in ("ending", "ended"):
        call.ringing.pop(leg.id, None)
    if fact.new == "ended":
        del picture.legs[leg.id], call.legs[leg.id]
        operator = picture.operators.get(OperatorId(leg.party)) if leg.role in _SEATS else None
        if operator is not None:
            operator.legs, operator.changed = tuple(one for one in operator.legs if one != leg.id), at


def _acceptance_awaited(picture: Picture, fact: f.AcceptanceAwaited, at: Instant) -> None:
    leg = picture.legs[fact.leg]
    leg.accepted, leg.changed = False, at


def _leg_accepted(picture: Picture, fact: f.LegAccepted, at: Instant) -> None:
    leg = picture.legs[fact.leg]
    leg.accepted, leg.changed = True, at


def _call_taken(picture: Picture, fact: f.CallTaken, at: Instant) -> None:
    picture.legs[fact.leg].role = "operator"
    picture.incidents[picture.calls[fact.call].incident].operator = fact.operator


def _offer_made(picture: Picture, fact: f.OfferMade, at: Instant) -> None:
    call = picture.calls[fact.call]
    call.offer, call.offer_changed = fact.offer, at
    call.ringing = dict(zip(fact.legs, fact.operators, strict=True))


def _offer_widened(picture: Picture, fact: f.OfferWidened, at: Instant) -> None:
    call = picture.calls[CallId(call_of_leg(LegId(fact.offer)))]
    call.ringing.update(zip(fact.legs, fact.operators, strict=True))


def _offer_ended(picture: Picture, fact: f.OfferEnded, at: Instant) -> None:
    call = picture.calls[CallId(call_of_leg(LegId(fact.offer)))]
    call.offer, call.offer_changed = None, at
    call.ringing = {}


# ---- operators ----------------------------------------------------------------------------------------------------


def _operator_moved(picture: Picture, fact: f.OperatorMoved, at: Instant) -> None:
    operator = picture.operators[fact.operator]
    operator.state, operator.changed = fact.new, at
    operator.until = None if fact.until is None else Instant(fact.until)
    if fact.new == "talking":
        operator.refuses_until = None


def _operator_rests(picture: Picture, fact: f.OperatorRests, at: Instant) -> None:
    if fact.firm:
        operator = picture.operators[fact.operator]
        operator.refuses_until, operator.changed = Instant(fact.until), at


def _seat_changed(picture: Picture, fact: f.SeatChanged, at: Instant) -> None:
    operator = picture.operators[fact.operator]
    operator.reachable, operator.changed = fact.reachable, at
    if fact.reachable:
        operator.refuses_until = None


_CHANGES: Mapping[type, Callable[[Picture, Any, Instant], None]] = {
    f.PlanAdopted: _plan_adopted,
    f.ClockAnchored: _clock_anchored,
    f.ServerStarted: _server_started,
    f.AlarmRaised: _alarm_raised,
    f.AlarmCleared: _alarm_cleared,
    f.NoticeOrdered: _notice_ordered,
    f.NoticeSettled: _notice_settled,
    f.IncidentOpened: _incident_opened,
    f.IncidentRejoined: _incident_rejoined,
    f.IncidentMoved: _incident_moved,
    f.IncidentHandedOver: _incident_handed_over,
    f.CallBackBegun: _call_back_begun,
    f.IncidentListed: _incident_listed,
    f.IncidentUnlisted: _incident_unlisted,
    f.OwnerNamed: _owner_named,
    f.OwnerAcknowledged: _owner_acknowledged,
    f.ConditionMet: _condition_met,
    f.LadderStepTaken: _ladder_step_taken,
    f.RouteTried: _route_tried,
    f.RouteAwaited: _route_awaited,
    f.PartyGivenUp: _party_given_up,
    f.CallOpened: _call_opened,
    f.CallMoved: _call_moved,
    f.LegCreated: _leg_created,
    f.LegMoved: _leg_moved,
    f.AcceptanceAwaited: _acceptance_awaited,
    f.LegAccepted: _leg_accepted,
    f.CallTaken: _call_taken,
    f.CallParked: _call_parked,
    f.IncidentDirected: _incident_directed,
    f.DirectionEnded: _direction_ended,
    f.OfferMade: _offer_made,
    f.OfferWidened: _offer_widened,
    f.OfferEnded: _offer_ended,
    f.OperatorMoved: _operator_moved,
    f.OperatorRests: _operator_rests,
    f.SeatChanged: _seat_changed,
}
