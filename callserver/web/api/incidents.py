"""Incidents: reading them, and closing one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from callserver.control import Verb
from callserver.store import queries, search
from callserver.web.api.filters import Filters, looked_for
from callserver.web.api.models import CallAnswer, Done, IncidentAnswer, IncidentInFull, Incidents
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import service
from dialplans.model import Priority

MAX_PAGE = 500

Id = Annotated[str, Path(min_length=1, max_length=128)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many.")]
Before = Annotated[int | None, Query(ge=1, le=2**53, description="`number` of the last item of the page before.")]

router = APIRouter()


class Outcome(BaseModel):
    """What the incident was. `outcome` is one of the plan's."""

    model_config = ConfigDict(extra="forbid", strict=True)
    outcome: str = Field(min_length=1, max_length=64)
    note: str = Field(default="", max_length=4000)


class NewClass(BaseModel):
    """Another class for an incident."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)
    name: Literal["emergency", "high", "normal", "information"] = Field(alias="class")


@router.get("/api/incidents")
async def incidents(request: Request, filters: Filters, limit: Limit = 50, before: Before = None) -> Incidents:
    """Incidents, newest first."""
    found = await looked_for(request, "incidents", search.incidents, filters, limit, before, lambda row: row.id)
    return Incidents(items=[IncidentAnswer.of(row, note) for row, note in found])


@router.get("/api/incidents/{id}")
def incident(request: Request, id: Id) -> IncidentInFull:
    """One incident with its calls."""
    engine = service(request).engine
    row = queries.incident(engine, id)
    if row is None:
        raise not_found("incident", id)
    note = search.notes(engine, [id]).get(id, "")
    calls = [CallAnswer.of(call, note) for call in queries.calls_of(engine, id)]
    return IncidentInFull(**IncidentAnswer.of(row, note).model_dump(), calls=calls)


@router.post("/api/incidents/{id}/class")
async def reclassify(request: Request, id: Id, wanted: NewClass) -> Done:
    """Give an incident another class: its place in the order changes at once."""
    the = service(request)
    await _require(request, id)
    args = {"incident": id, "priority": int(Priority[wanted.name.upper()]), "by": signed_in(request).user}
    await the.commands.ask(Verb.CLASSIFY, args)
    return Done()


@router.post("/api/incidents/{id}/climb")
async def climb(request: Request, id: Id) -> Done:
    """Ask for the step that the incident's ladder has for being asked."""
    await _require(request, id)
    await service(request).commands.ask(Verb.CLIMB, {"incident": id, "by": signed_in(request).user})
    return Done()


@router.post("/api/incidents/{id}/close")
async def close(request: Request, id: Id, outcome: Outcome) -> Done:
    """Close an incident with its outcome. Only a person can."""
    the = service(request)
    await _require(request, id)
    adopted = await the.read(queries.plan)
    known = adopted[1].outcomes if adopted else {}
    if known and outcome.outcome not in known:
        names = ", ".join(known)
        raise ApiError(422, "unknown-outcome", f"The plan has no outcome {outcome.outcome!r}.", f"Choose one of: {names}.")
    args = {"incident": id, "outcome": outcome.outcome, "note": outcome.note, "by": signed_in(request).user}
    await the.commands.ask(Verb.GIVE_OUTCOME, args)
    return Done()


async def _require(request: Request, id: str) -> None:
    if await service(request).read(queries.incident, id) is None:
        raise not_found("incident", id)
