"""Plans: every version with what it said and what changed, and the wish for the file to be read anew."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from callserver.control import PLAN_TIMEOUT_S, CommandRefused, Verb
from callserver.store import plan_history, plan_texts
from callserver.web.api import models
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import service
from dialplans.difference import differences

router = APIRouter()

Version = Annotated[int, Path(ge=1, le=2**53)]
Against = Annotated[int | None, Query(ge=1, le=2**53, description="What it is compared with. Default: the version before.")]


@router.get("/api/plans")
def plans(request: Request) -> models.Plans:
    """All versions, newest first. The first is in force."""
    rows = plan_history.versions(service(request).engine)
    return models.Plans(items=[models.PlanAnswer.of(row) for row in rows])


@router.get("/api/plans/{id}")
def plan(request: Request, id: Version, against: Against = None) -> models.PlanInFull:
    """One version as it was written, and what it changed."""
    the = service(request)
    found = plan_history.version(the.engine, id)
    other = plan_history.before(the.engine, id) if against is None else against
    old = None if other is None else plan_history.version(the.engine, other)
    if found is None or (against is not None and old is None):
        raise not_found("plan of version", str(id if found is None else against))
    row, meant = found
    texts = plan_texts.find(the.config.storage.data, row.digest)
    changes = () if old is None else differences(old[1], meant)
    return models.PlanInFull(
        **models.PlanAnswer.of(row).model_dump(),
        name=meant.name,
        files=[models.PlanFile(name=one.name, text=one.text) for one in texts],
        against=other,
        changes=[models.PlanChange(where=one.where, old=one.old, new=one.new) for one in changes],
    )


@router.post("/api/plans/reload")
async def reload(request: Request) -> models.PlanReloaded:
    """Read the plan's file, prove it and put it in force for new incidents; a plan with a fault changes nothing."""
    try:
        done = await service(request).commands.ask(Verb.RELOAD_PLAN, {"by": signed_in(request).user}, PLAN_TIMEOUT_S)
    except CommandRefused as refusal:
        if refusal.code != "plan-refused":
            raise
        what_to_do = "Correct the file, then ask again; the plan in force stays."
        raise ApiError(422, "plan-refused", refusal.message, what_to_do) from refusal
    return models.PlanReloaded(**done)
