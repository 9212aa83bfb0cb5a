"""An operator calls a point: an incident that nobody pressed for.

The operator's seat rings first, alone, then the point is called, with the header that makes it answer by itself where its
profile has one. Nobody is in need until the point presses: its incident climbs no ladder, and one that comes to nothing is
left to be reviewed. A press makes it an incident as any other, from the foot of its ladder.
"""

from callserver.core import conversation, duty, giving, moment, press
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.events import CallOut, Take
from callserver.core.facts import DirectionEnded, IncidentChosen, IncidentDirected, IncidentOpened
from callserver.core.ids import OperatorId
from callserver.core.instant import later
from callserver.core.lookup import open_incident, queue_of
from callserver.core.state import Incident
from callserver.core.views import OPERATOR
from dialplans import hours
from dialplans.model import Priority


def call_out(d: Decision, event: CallOut) -> None:
    """A person asks for it. A point that waits is taken instead; one that somebody has is left alone."""
    incident = open_incident(d.state, event.point)
    plan = d.state.plans.get(d.state.plan_version)
    if incident is not None and incident.state == incidents.WAITING:
        giving.take(d, Take(incident.id, event.operator, event.by))
    elif incident is not None:
        d.refuse(event.point, f"its incident {incident.id} is {incident.state}")
    elif plan is None or event.point not in plan.points:
        d.refuse(event.point, "no such point in the plan")
    elif event.fresh in d.state.incidents:
        d.refuse(event.fresh, "this incident exists")
    elif _may_call(d, event):
        _open(d, event)


def _may_call(d: Decision, event: CallOut) -> bool:
    operator = duty.known(d, event.operator)
    if operator is None:
        return False
    if any(d.state.legs[leg].state != legs.ENDING for leg in operator.legs):
        d.refuse(event.operator, "the seat is in a call")
        return False
    return duty.become_available(d, event.operator, f"calls {event.point}")


def _open(d: Decision, event: CallOut) -> None:
    version = d.state.plan_version
    point = d.state.plans[version].points[event.point]
    priority = max(point.priority, Priority.NORMAL)
    ladder = hours.ladder_at(d.state.plans[version], point.queue, moment.utc_ns(d.state, d.now))
    why = f"called by {event.operator}"
    d.record(IncidentOpened(event.fresh, event.point, point.queue, int(priority), version, ladder, "", why, event.operator))
    incident = d.state.incidents[event.fresh]
    press.open_call(d, incident)
    ring_alone(d, incident, event.operator, event.by)


def ring_alone(d: Decision, incident: Incident, operator: OperatorId, by: str) -> None:
    """The seat of who wants the point called rings first, and no other."""
    until = later(d.now, queue_of(d.state, incident).ring_timeout_ms)
    d.record(IncidentDirected(incident.id, f"{OPERATOR}{operator}", until, by))
    d.record(IncidentChosen(incident.id, operator, by))


def look(d: Decision) -> None:
    """A point is not called when who wanted that does not answer."""
    ended = [fact.incident for fact in d.facts if isinstance(fact, DirectionEnded)]
    for incident in [d.state.incidents[one] for one in ended if one in d.state.incidents]:
        call = None if incident.call is None else d.state.calls[incident.call]
        if incident.state == incidents.WAITING and incident.called_by and call is not None and not call.talked:
            conversation.over(d, call, f"{incident.called_by} did not answer", keep_operator=False)
