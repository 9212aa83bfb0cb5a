"""What facts of plans, incidents and notices change in the state; see `fold`."""

from collections.abc import Callable, Mapping
from typing import Any

from callserver.core import facts as f
from callserver.core import fold_owners, waiting
from callserver.core import incident as incidents
from callserver.core import operator as operators
from callserver.core.ids import OperatorId, PartyId
from callserver.core.instant import Instant
from callserver.core.state import HoursOpen, Incident, NoticeDue, OperatorState, State

MISCHIEF_MOST = 20  # outcomes kept for each point


def _plan_adopted(state: State, fact: f.PlanAdopted, at: Instant) -> None:
    state.plan_version, state.plan_digest = fact.version, fact.digest
    state.plans[fact.version] = fact.plan
    used = {incident.plan_version for incident in state.incidents.values()} | {fact.version}
    used |= {notice.plan_version for notice in state.notices.values()}
    for version in [version for version in state.plans if version not in used]:
        _forget_plan(state, version)
    for known in fact.plan.operators:
        if known not in state.operators:
            state.operators[OperatorId(known)] = OperatorState(OperatorId(known), operators.OFF, at)
    for operator in list(state.operators.values()):
        if operator.id not in fact.plan.operators and operator.state in operators.FREE and not operator.legs:
            del state.operators[operator.id]  # one in a call stays, not eligible, until the next plan


def _forget_plan(state: State, version: int) -> None:
    del state.plans[version]
    state.hours.pop(version, None)


def _incident_opened(state: State, fact: f.IncidentOpened, at: Instant) -> None:
    incident = Incident(
        *(fact.incident, fact.point, fact.queue, fact.priority, fact.plan_version, incidents.WAITING, at, at, at),
        ladder_since=at,
        ladder=fact.ladder,
        called_by=fact.called_by,
    )
    state.incidents[incident.id] = incident
    state.open_by_point[incident.point] = incident.id
    waiting.join(state, incident)


def _incident_rejoined(state: State, fact: f.IncidentRejoined, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.presses += 1
    if incident.called_by:
        incident.called_by, incident.ladder_since = "", at
        incident.others = ()


def _incident_reclassified(state: State, fact: f.IncidentReclassified, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    waits = incident.state == incidents.WAITING
    if waits:
        waiting.leave(state, incident)
    incident.priority = fact.new
    if fact.cause:
        incident.raised = (*incident.raised, fact.cause)
    if waits:
        waiting.join(state, incident)


def _incident_handed_over(state: State, fact: f.IncidentHandedOver, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    waiting.leave(state, incident)
    incident.queue, incident.ladder = fact.queue, fact.ladder
    incident.only, incident.only_until = "", None
    _forget_routes(incident)
    _to_the_foot(incident, at)
    waiting.join(state, incident)


def _incident_parked(state: State, fact: f.IncidentParked, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.parked = incident.interrupted = True
    incident.prefers = fact.operator
    state.incidents[fact.by].preempted = fact.operator
    state.operators[fact.operator].claimed = fact.by


def _condition_met(state: State, fact: f.ConditionMet, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.met = (*incident.met, fact.condition)


def _incident_moved(state: State, fact: f.IncidentMoved, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    if incident.state == incidents.WAITING:
        waiting.leave(state, incident)
    incident.state, incident.since = fact.new, at
    incident.operator = fact.operator
    incident.last = fact.operator or incident.last
    incident.until = None if fact.until is None else Instant(fact.until)
    _forget_routes(incident)
    if fact.new == incidents.WAITING:
        _to_the_foot(incident, at)
        waiting.join(state, incident)
        state.open_by_point.setdefault(incident.point, incident.id)
    else:
        incident.parked, incident.interrupted, incident.prefers = False, False, None
        incident.only, incident.only_until, incident.chosen = "", None, None
    if fact.new not in incidents.JOINABLE:
        _leave_point(state, incident)
    if fact.new == incidents.CLOSED:
        _forget_incident(state, incident)


def _to_the_foot(incident: Incident, at: Instant) -> None:
    incident.step, incident.ladder_since = 0, at
    incident.met, incident.passed = (), ()


def _forget_routes(incident: Incident) -> None:
    incident.party = incident.asked = incident.route_at = incident.route_leg = None
    incident.route = incident.cycle = incident.route_step = 0
    incident.rung = ()


def _leave_point(state: State, incident: Incident) -> None:
    if state.open_by_point.get(incident.point) == incident.id:
        del state.open_by_point[incident.point]


def _forget_incident(state: State, incident: Incident) -> None:
    fold_owners.disown(state, incident)
    del state.incidents[incident.id]
    version = incident.plan_version
    if version != state.plan_version and not _plan_used(state, version):
        _forget_plan(state, version)


def _plan_used(state: State, version: int) -> bool:
    incidents_use = any(other.plan_version == version for other in state.incidents.values())
    return incidents_use or any(due.plan_version == version for due in state.notices.values())


def _outcome_recorded(state: State, fact: f.OutcomeRecorded, at: Instant) -> None:
    incident = state.incidents.get(fact.incident)
    if incident is not None:
        known = state.mischief.get(incident.point, ())
        state.mischief[incident.point] = (*known, (at, fact.outcome))[-MISCHIEF_MOST:]


def _notice_ordered(state: State, fact: f.NoticeOrdered, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.notices += 1
    due = NoticeDue(fact.id, fact.incident, fact.notice, fact.text, incident.plan_version, incident.point)
    state.notices[fact.id] = due


def _notice_settled(state: State, fact: f.NoticeSettled, at: Instant) -> None:
    state.notices.pop(fact.id, None)


def _ladder_step_taken(state: State, fact: f.LadderStepTaken, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.step = fact.step
    incident.passed = tuple(number for number in incident.passed if number != fact.step)
    if fact.passed:
        incident.passed = (*incident.passed, fact.step)


def _route_tried(state: State, fact: f.RouteTried, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    asked = PartyId(fact.asked) if fact.asked else fact.party
    if (incident.cycle, incident.route_step, incident.asked) != (fact.cycle, fact.step, asked):
        incident.rung = ()
    if fact.party not in incident.rung:
        incident.rung = (*incident.rung, fact.party)
    incident.party, incident.route, incident.cycle = fact.party, fact.route, fact.cycle
    incident.route_leg, incident.route_at = fact.leg, None
    incident.route_step, incident.asked = fact.step, asked


def _route_awaited(state: State, fact: f.RouteAwaited, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.party, incident.route_leg, incident.route_at = fact.party, None, Instant(fact.at)
    incident.rung = ()


def _party_given_up(state: State, fact: f.PartyGivenUp, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.route_leg = incident.route_at = None
    incident.rung = ()


def _hours_turned(state: State, fact: f.HoursTurned, at: Instant) -> None:
    state.hours[fact.plan_version] = HoursOpen(fact.open, at + state.utc_offset_ns, fact.until_utc_ns)


CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {
    f.PlanAdopted: _plan_adopted,
    f.IncidentOpened: _incident_opened,
    f.IncidentRejoined: _incident_rejoined,
    f.IncidentReclassified: _incident_reclassified,
    f.IncidentHandedOver: _incident_handed_over,
    f.IncidentParked: _incident_parked,
    f.ConditionMet: _condition_met,
    f.OutcomeRecorded: _outcome_recorded,
    f.HoursTurned: _hours_turned,
    f.NoticeOrdered: _notice_ordered,
    f.NoticeSettled: _notice_settled,
    f.IncidentMoved: _incident_moved,
    f.LadderStepTaken: _ladder_step_taken,
    f.RouteTried: _route_tried,
    f.RouteAwaited: _route_awaited,
    f.PartyGivenUp: _party_given_up,
}
"""What each kind of fact does; for `fold.apply`."""
