"""Calls: reading them, their timeline, and the verbs."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from callserver.control import Verb
from callserver.store import queries, retained, search
from callserver.web.acting import on_call
from callserver.web.api.filters import Filters, looked_for
from callserver.web.api.incidents import Before, Id, Limit
from callserver.web.api.models import (
    CallAnswer,
    CallInFull,
    Calls,
    DeletedAnswer,
    Done,
    FactAnswer,
    Facts,
    LegAnswer,
    RecordingAnswer,
)
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import service

router = APIRouter()


class Party(BaseModel):
    """Whom to bring in: one of the plan's parties."""

    model_config = ConfigDict(extra="forbid", strict=True)
    party: str = Field(min_length=1, max_length=128)


class Hold(BaseModel):
    """Whether the point is to wait on hold."""

    model_config = ConfigDict(extra="forbid", strict=True)
    on: bool


@router.get("/api/calls")
async def calls(request: Request, filters: Filters, limit: Limit = 50, before: Before = None) -> Calls:
    """Calls, newest first."""
    found = await looked_for(request, "calls", search.calls, filters, limit, before, lambda row: row.incident)
    return Calls(items=[CallAnswer.of(row, note) for row, note in found])


@router.get("/api/calls/{id}")
def call(request: Request, id: Id) -> CallInFull:
    """One call with its legs and what was recorded."""
    engine = service(request).engine
    row = queries.call(engine, id)
    if row is None:
        raise not_found("call", id)
    legs = [LegAnswer.of(leg) for leg in queries.legs_of(engine, id)]
    made = queries.recording(engine, id)
    recording = None
    if made is not None:
        recording = RecordingAnswer(
            files=dict(made.files),
            duration_ms=made.duration_ms,
            losses_ms=made.losses_ms,
            failures=made.failures,
            last_failure=made.last_failure,
        )
    note = search.notes(engine, [row.incident]).get(row.incident, "")
    deleted = DeletedAnswer.of(retained.deletion(engine, id))
    return CallInFull(**CallAnswer.of(row, note).model_dump(), legs=legs, recording=recording, deleted=deleted)


@router.get("/api/calls/{id}/timeline")
def timeline(request: Request, id: Id) -> Facts:
    """The facts of a call and of its incident, oldest first."""
    engine = service(request).engine
    if queries.call(engine, id) is None:
        raise not_found("call", id)
    return Facts(items=[FactAnswer.of(row) for row in queries.timeline_of_call(engine, id)])


@router.post("/api/calls/{id}/hangup")
async def hang_up(request: Request, id: Id) -> Done:
    """End a call's conversation: every leg. Its incident stays open until somebody closes it."""
    the = await on_call(request, id)
    await the.commands.ask(Verb.HANG_UP, {"call": id, "by": signed_in(request).user})
    return Done()


@router.post("/api/calls/{id}/escalate")
async def escalate(request: Request, id: Id, party: Party) -> Done:
    """Bring an outside party into a call; everybody hears everybody."""
    the = await on_call(request, id)
    adopted = await the.read(queries.plan)
    known = adopted[1].parties if adopted else {}
    if known and party.party not in known:
        names = ", ".join(known)
        raise ApiError(422, "unknown-party", f"The plan has no party {party.party!r}.", f"Choose one of: {names}.")
    await the.commands.ask(Verb.ESCALATE, {"call": id, "party": party.party, "by": signed_in(request).user})
    return Done()


@router.post("/api/calls/{id}/hold")
async def hold(request: Request, id: Id, hold: Hold) -> Done:
    """Put a conversation on hold, or take it up again."""
    the = await on_call(request, id)
    await the.commands.ask(Verb.HOLD, {"call": id, "on": hold.on, "by": signed_in(request).user})
    return Done()
