"""Several points in one call: an operator calls a group of them, or brings one more into a conversation.

The first of the group that has no incident of its own is the call's point and is called as any (`calling_out`). The others are
called as soon as the operator is there; each hears and is heard by all, can be muted and dropped, and hears the reassurance
while the call's point is on hold. A point that does not come is told at once, and whoever talks goes on; the call's own point is
called again for as long as others talk. A press of any of them is a press: of the call's own point it joins the call, of
another it is an incident of its own.
"""

from callserver.core import call as calls
from callserver.core import calling_out, sound
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import DialPoint
from callserver.core.events import BringPoint, CallGroup, CallOut
from callserver.core.facts import CallMoved, GroupCalled, LegCreated, PointGivenUp
from callserver.core.ids import PointId, leg_id
from callserver.core.instant import later
from callserver.core.lookup import incident_of, open_incident, plan_of
from callserver.core.state import Call, Incident, Leg

RING_MS = 30_000


def call_group(d: Decision, event: CallGroup) -> None:
    """A person calls a group; points that have an incident of their own are left out."""
    plan = d.state.plans.get(d.state.plan_version)
    group = None if plan is None else plan.point_groups.get(event.group)
    if group is None:
        d.refuse(event.group, "no such group of points in the plan")
        return
    free = [PointId(point) for point in group.points if open_incident(d.state, PointId(point)) is None]
    if not free:
        d.refuse(event.group, "each of its points has an open incident")
        return
    calling_out.call_out(d, CallOut(free[0], event.operator, event.by, event.fresh))
    incident = open_incident(d.state, free[0])
    if incident is None:  # refused
        return
    d.record(GroupCalled(incident.id, group.id, tuple(free[1:])))
    assert incident.call is not None
    for point in group.points:
        if PointId(point) not in free:
            d.record(PointGivenUp(incident.call, PointId(point), "has an incident of its own"))


def look(d: Decision) -> None:
    """The operator who called a group is there: now its other points are called."""
    for fact in [fact for fact in d.facts if isinstance(fact, CallMoved)]:
        call = d.state.calls.get(fact.call)
        if call is not None and call.state in calls.ATTENDED:
            _call_others(d, call, incident_of(d.state, call))


def _call_others(d: Decision, call: Call, incident: Incident) -> None:
    for point in incident.others:
        why = _obstacle(d, call, incident, point)
        if why:
            d.record(PointGivenUp(call.id, point, why))
        else:
            _dial(d, call, incident, point)


def bring_point(d: Decision, event: BringPoint) -> None:
    """A person calls one more point into a conversation, which goes on meanwhile."""
    call = d.state.calls.get(event.call)
    if call is None or call.state not in calls.ATTENDED:
        d.refuse(event.call, "no such call, or nobody talks in it")
        return
    incident = incident_of(d.state, call)
    why = _obstacle(d, call, incident, event.point)
    if why:
        d.refuse(event.point, why)
    else:
        _dial(d, call, incident, event.point)


def _obstacle(d: Decision, call: Call, incident: Incident, point: PointId) -> str:
    own = open_incident(d.state, point)
    if point not in plan_of(d.state, incident).points:
        return "no such point in the plan"
    if point == incident.point:
        return "it is the call's own point"
    if own is not None:
        return f"has an incident of its own, {own.id}"
    if any(leg.party == point for leg in calls.live(call, legs.BROUGHT)):
        return "is in the call already, or is being called"
    return calls.full(call)


def _dial(d: Decision, call: Call, incident: Incident, point: PointId) -> None:
    plan = plan_of(d.state, incident)
    profile = plan.profiles[plan.points[point].profile]
    leg = leg_id(call.id, call.legs_made + 1)
    d.record(LegCreated(leg, call.id, legs.BROUGHT, point, inbound=False, due=later(d.now, RING_MS)))
    d.order(DialPoint(leg, point, profile.media_source, profile.auto_answer))


def answered(d: Decision, call: Call, leg: Leg) -> None:
    """A point that was called into a conversation answered."""
    if call.state not in calls.ATTENDED:
        legs.end(d, leg, "nobody talks any more")
    sound.reshape(d, call)


def given_up(d: Decision, call: Call, leg: Leg, why: str) -> None:
    """It did not come."""
    d.record(PointGivenUp(call.id, PointId(leg.party), why))
