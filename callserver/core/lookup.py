"""What an incident's frozen plan says: short ways to the plan's values."""

from collections.abc import Iterable

from callserver.core.ids import OperatorId, PointId
from callserver.core.state import Call, Incident, State
from callserver.core.views import IncidentView, WorldView
from dialplans.model import Ladder, Plan, Point, Profile, Queue, Step


def plan_of(state: WorldView, incident: IncidentView) -> Plan:
    """The plan under which the incident was opened."""
    return state.plans[incident.plan_version]


def queue_of(state: WorldView, incident: IncidentView) -> Queue:
    """The queue in which the incident waits."""
    return state.plans[incident.plan_version].queues[incident.queue]


def ladder_of(state: WorldView, incident: IncidentView) -> Ladder:
    """The incident's ladder."""
    plan = plan_of(state, incident)
    return plan.ladders[incident.ladder or plan.queues[incident.queue].ladder]


def steps_taken(state: WorldView, incident: IncidentView) -> list[Step]:
    """The steps that the ladder has taken in this wait, the oldest first, without those that were passed over."""
    if not incident.step:
        return []
    steps = ladder_of(state, incident).steps[: incident.step]
    return [step for number, step in enumerate(steps, 1) if number not in incident.passed]


def ring_ms_of(state: WorldView, incident: IncidentView, seats: Iterable[OperatorId]) -> int:
    """How long an offer to these seats rings: as the newest step that rings a group of theirs says, else as the queue says."""
    plan = plan_of(state, incident)
    groups = {group for seat in seats for group in plan.operators[seat].groups}
    said = (step.ring_ms for step in reversed(steps_taken(state, incident)) if step.ring_group in groups)
    return next(said, 0) or queue_of(state, incident).ring_timeout_ms


def point_of(state: WorldView, incident: IncidentView) -> Point:
    """The help point that pressed."""
    return plan_of(state, incident).points[incident.point]


def profile_of(state: WorldView, incident: IncidentView) -> Profile:
    """What kind of device pressed."""
    return plan_of(state, incident).profiles[point_of(state, incident).profile]


def incident_of(state: State, call: Call) -> Incident:
    """The incident of a call that is not ending (an ending call's may be closed and gone)."""
    return state.incidents[call.incident]


def open_incident(state: State, point: PointId) -> Incident | None:
    """The incident that a press of this point would join."""
    known = state.open_by_point.get(point)
    return None if known is None else state.incidents[known]
