"""What the switchboard says of itself: the answer to `Verb.STATUS`, made from the core's state at the moment of asking."""

import os
from collections.abc import Iterable

from callserver.control import AlarmStatus, DiskStatus, OperatorStatus, PointStatus, QueueStatus, Status
from callserver.core.instant import MS, Instant
from callserver.core.state import Incident, State
from callserver.runtime.clock import Anchor
from dialplans.model import Plan

ON_DUTY = frozenset({"available", "offered", "talking", "wrap-up"})


def status(
    state: State,
    anchor: Anchor,
    version: str,
    started_utc_ns: int,
    figures: dict[str, float],
    disks: tuple[DiskStatus, ...] = (),
) -> Status:
    """The whole of it. Ready when a plan is in force."""
    plan = state.plans.get(state.plan_version)
    reasons = () if plan is not None else ("no plan is in force; name one with [plan] file",)
    now = anchor.now()
    counts = {
        "incidents_open": float(len(state.incidents)),
        "calls_live": float(len(state.calls)),
        "legs_live": float(len(state.legs)),
        "alarms": float(len(state.alarms)),
    }
    return Status(
        ready=plan is not None,
        reasons=reasons,
        version=version,
        pid=os.getpid(),
        started_utc_ns=started_utc_ns,
        plan=plan.name if plan is not None else "",
        plan_version=state.plan_version,
        facts=state.facts,
        figures=counts | figures,
        operators=tuple(_operators(state, plan, anchor)) if plan is not None else (),
        points=tuple(_points(state, plan)) if plan is not None else (),
        queues=tuple(_queues(state, plan, now)) if plan is not None else (),
        alarms=tuple(AlarmStatus(key, text) for key, text in state.alarms.items()),
        disks=disks,
    )


def _operators(state: State, plan: Plan, anchor: Anchor) -> Iterable[OperatorStatus]:
    for operator in plan.operators.values():
        known = state.operators.get(operator.id)  # type: ignore[call-overload]
        if known is None:
            yield OperatorStatus(operator.id, operator.name, operator.groups)
            continue
        yield OperatorStatus(
            id=operator.id,
            name=operator.name,
            groups=operator.groups,
            state=known.state,
            reachable=known.reachable,
            since_utc_ns=anchor.utc_of(known.since),
            call=known.call or "",
            incident=known.incident or "",
        )


def _points(state: State, plan: Plan) -> Iterable[PointStatus]:
    open_at = {incident.point: incident.id for incident in state.incidents.values()}
    for point in plan.points.values():
        reachable = state.points.get(point.id, False)  # type: ignore[call-overload]
        incident = open_at.get(point.id, "")  # type: ignore[call-overload]
        yield PointStatus(point.id, point.place, point.queue, point.profile, reachable, incident)


def _queues(state: State, plan: Plan, now: Instant) -> Iterable[QueueStatus]:
    for queue in plan.queues.values():
        incidents = [incident for incident in state.incidents.values() if incident.queue == queue.id]
        waiting = [incident for incident in incidents if incident.state == "waiting"]
        members = [known for known in state.operators.values() if _serves(plan, known.id, queue.groups)]
        yield QueueStatus(
            id=queue.id,
            waiting=len(waiting),
            longest_wait_ms=max((_waited_ms(incident, now) for incident in waiting), default=0),
            talking=sum(incident.state == "attended" for incident in incidents),
            operators_free=sum(known.state == "available" for known in members),
            operators_on_duty=sum(known.state in ON_DUTY for known in members),
        )


def _serves(plan: Plan, operator: str, groups: tuple[str, ...]) -> bool:
    known = plan.operators.get(operator)
    return known is not None and not set(groups).isdisjoint(known.groups)


def _waited_ms(incident: Incident, now: Instant) -> int:
    return (now - incident.waiting_since) // MS
