"""The call-back list and the sheet for the next shift, made from the core's state at the moment of asking."""

from collections.abc import Iterable

from callserver.control import AlarmStatus, OperatorStatus, PointStatus
from callserver.control_handover import Handover, Listed, OpenIncident, Tried
from callserver.core import operator as operators
from callserver.core.instant import Instant
from callserver.core.lookup import point_of
from callserver.core.state import Incident, State
from callserver.runtime.clock import Anchor
from dialplans.model import Plan

MOST = 500
"""How many of a kind stand on the sheet: a message holds a megabyte."""


def handover(state: State, anchor: Anchor, now: Instant) -> Handover:
    """The whole sheet."""
    plan = state.plans.get(state.plan_version)
    listed = sorted((one for one in state.incidents.values() if one.listed), key=lambda one: (one.listed_since, one.id))
    others = [one for one in state.incidents.values() if not one.listed]
    alarms = (AlarmStatus(key, text) for key, text in list(state.alarms.items())[:MOST])
    return Handover(
        made_utc_ns=anchor.utc_of(now),
        plan="" if plan is None else plan.name,
        listed=len(listed),
        call_backs=tuple(_listed(state, anchor, plan, one) for one in listed[:MOST]),
        others=tuple(_open(state, anchor, one) for one in others[:MOST]),
        on_duty=() if plan is None else tuple(_on_duty(state, anchor, plan)),
        points=() if plan is None else tuple(_lost_points(state, plan))[:MOST],
        trunks=() if plan is None else tuple(one for one in plan.trunks if state.trunks.get(one) is False),
        alarms=tuple(alarms),
    )


def _listed(state: State, anchor: Anchor, plan: Plan | None, incident: Incident) -> Listed:
    owner = incident.owner or ""
    known = None if plan is None else plan.operators.get(owner)
    tried = (Tried(anchor.utc_of(one.at), one.operator or "", one.result) for one in incident.attempts)
    return Listed(
        id=incident.id,
        point=incident.point,
        place=point_of(state, incident).place,
        priority=incident.priority,
        queue=incident.queue,
        state=incident.state,
        cause=incident.listed,
        why=incident.listed_why,
        opened_utc_ns=anchor.utc_of(incident.opened),
        since_utc_ns=anchor.utc_of(incident.listed_since),
        due_utc_ns=0 if incident.overdue_at is None else anchor.utc_of(incident.overdue_at),
        owner=owner,
        owner_name=owner if known is None else known.name,
        acknowledge_by_utc_ns=0 if incident.acknowledge_by is None else anchor.utc_of(incident.acknowledge_by),
        attempts=tuple(tried),
    )


def _open(state: State, anchor: Anchor, incident: Incident) -> OpenIncident:
    place, opened = point_of(state, incident).place, anchor.utc_of(incident.opened)
    return OpenIncident(incident.id, incident.point, place, incident.state, opened, incident.operator or "")


def _on_duty(state: State, anchor: Anchor, plan: Plan) -> Iterable[OperatorStatus]:
    for known in state.operators.values():
        named = plan.operators.get(known.id)
        if named is not None and operators.on_duty(known):
            since = anchor.utc_of(known.since)
            yield OperatorStatus(known.id, named.name, named.groups, known.state, True, since)


def _lost_points(state: State, plan: Plan) -> Iterable[PointStatus]:
    for known, reachable in state.points.items():
        point = plan.points.get(known)
        if not reachable and point is not None:
            yield PointStatus(point.id, point.place, point.queue, point.profile)
