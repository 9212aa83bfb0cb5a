"""The present: points, operators, queues, alarms; and the journal's pages."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from callserver.control import Verb
from callserver.store import queries
from callserver.web.api import models
from callserver.web.api.incidents import Before, Id
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.searched import tell_search
from callserver.web.service import service
from callserver.web.times import rfc3339
from dialplans.model import Plan

MOST_POINTS_OPEN = 10_000
AUDIT_PAGE = 1_000

router = APIRouter()


class Reason(BaseModel):
    """Why an operator pauses: one of the plan's reasons, where it has some, or none. `to`: who gets what is theirs on the
    call-back list; empty: the next on duty."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reason: str = Field(default="", max_length=200)
    to: str = Field(default="", max_length=64)


@router.get("/api/points")
def points(request: Request) -> models.Points:
    """All points of the plan with their reachability and open incident."""
    engine = service(request).engine
    plan = _plan(request)
    known = {row.id: row for row in queries.points(engine)}
    open_at = {row.point: row.id for row in queries.incidents(engine, MOST_POINTS_OPEN, open_only=True)[::-1]}
    items = []
    for point in plan.points.values() if plan else ():
        row = known.get(point.id)
        items.append(
            models.PointAnswer(
                id=point.id,
                place=point.place,
                queue=point.queue,
                priority=int(point.priority),
                latitude=point.latitude,
                longitude=point.longitude,
                reachable=row.reachable if row else None,
                reachable_why=row.reachable_why if row else None,
                reachable_since=rfc3339(row.reachable_utc_ns) if row else None,
                incident=open_at.get(point.id),
            )
        )
    return models.Points(items=items)


@router.get("/api/operators")
def operators(request: Request) -> models.Operators:
    """All operators of the plan with their state."""
    plan = _plan(request)
    known = {row.id: row for row in queries.operators(service(request).engine)}
    items = []
    for operator in plan.operators.values() if plan else ():
        row = known.get(operator.id)
        items.append(
            models.OperatorAnswer(
                id=operator.id,
                name=operator.name,
                groups=list(operator.groups),
                state=row.state if row else None,
                state_reason=row.state_reason if row else None,
                since=rfc3339(row.state_utc_ns) if row else None,
                reachable=row.reachable if row else None,
            )
        )
    return models.Operators(items=items)


@router.post("/api/operators/{id}/available")
async def available(request: Request, id: Id) -> models.Done:
    """Make an operator available. Ends a pause; cuts a wrap-up short."""
    await _require_operator(request, id)
    await service(request).commands.ask(Verb.MAKE_AVAILABLE, {"operator": id, "by": signed_in(request).user})
    return models.Done()


@router.post("/api/operators/{id}/pause")
async def pause(request: Request, id: Id, reason: Reason | None = None) -> models.Done:
    """Offer an operator no calls until made available again."""
    plan = await _require_operator(request, id)
    why = reason.reason if reason else ""
    if why and plan.pauses and why not in plan.pauses:
        names = ", ".join(plan.pauses)
        raise ApiError(422, "unknown-reason", f"The plan has no reason {why!r} for a pause.", f"Choose one of: {names}.")
    args = {"operator": id, "reason": why, "by": signed_in(request).user, "to": reason.to if reason else ""}
    await service(request).commands.ask(Verb.PAUSE, args)
    return models.Done()


@router.get("/api/queues")
def queues(request: Request) -> models.Queues:
    """All queues of the plan with who waits in them."""
    engine = service(request).engine
    plan = _plan(request)
    load = {row.id: row for row in queries.queues(engine)}
    free = {row.id for row in queries.operators(engine) if row.state == "available"}
    items = []
    for queue in plan.queues.values() if plan else ():
        row = load.get(queue.id)
        members = {one.id for one in plan.operators.values() if not set(one.groups).isdisjoint(queue.groups)} if plan else set()
        items.append(
            models.QueueAnswer(
                id=queue.id,
                groups=list(queue.groups),
                ladder=queue.ladder,
                strategy=queue.strategy.value,
                waiting=row.waiting if row else 0,
                oldest=rfc3339(row.oldest_utc_ns) if row else None,
                available=len(members & free),
            )
        )
    return models.Queues(items=items)


@router.get("/api/alarms")
async def alarms(request: Request) -> models.Alarms:
    """Alarms that nobody cleared, as the switchboard has them; without it, as the store had them last (`live` false)."""
    stored = await service(request).read(queries.alarms)
    raised = {row.key: rfc3339(row.raised_utc_ns) for row in stored}
    status = await service(request).status_or_none()
    texts = {row.key: row.text for row in stored} if status is None else {alarm.key: alarm.text for alarm in status.alarms}
    items = [models.AlarmAnswer(key=key, text=text, raised=raised.get(key)) for key, text in texts.items()]
    return models.Alarms(items=items, live=status is not None)


@router.get("/api/disks")
async def disks(request: Request) -> models.Disks:
    """The disks: what is free, how fast it goes, and when nothing will be left."""
    status = await service(request).status_or_none()
    items = []
    for disk in status.disks if status is not None else ():
        items.append(
            models.DiskAnswer(
                id=disk.id,
                free_bytes=disk.free_bytes,
                total_bytes=disk.total_bytes,
                bytes_per_hour=disk.bytes_per_hour,
                hours_left=disk.hours_left,
                measured=rfc3339(disk.measured_utc_ns) or "",
            )
        )
    return models.Disks(items=items)


@router.get("/api/audit")
async def audit(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=AUDIT_PAGE, description="How many.")] = 100,
    before: Before = None,
) -> models.Facts:
    """The journal, newest first."""
    rows = await service(request).read(queries.journal_page, limit, before)
    if before is None:
        tell_search(request, "journal", {}, len(rows))
    return models.Facts(items=[models.FactAnswer.of(row) for row in rows])


def _plan(request: Request) -> Plan | None:
    adopted = queries.plan(service(request).engine)
    return adopted[1] if adopted else None


async def _require_operator(request: Request, id: str) -> Plan:
    adopted = await service(request).read(queries.plan)
    if adopted is None or id not in adopted[1].operators:
        raise not_found("operator", id)
    return adopted[1]
