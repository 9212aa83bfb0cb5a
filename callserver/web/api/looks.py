"""Who looked: what people heard of recordings, as their page tells it, and the list of all looks for those who supervise."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from callserver.core.facts import Listened, Played
from callserver.core.ids import CallId
from callserver.store import queries
from callserver.store.looks import Wanted, looks
from callserver.web.api.incidents import Before, Id
from callserver.web.api.models import FactAnswer, Facts
from callserver.web.api.recording import REASON_MOST, opening_of
from callserver.web.errors import ApiError, not_found
from callserver.web.openings import Opening
from callserver.web.searched import tell_search
from callserver.web.sent import MOST_SPANS
from callserver.web.service import service
from callserver.web.spans import merged
from callserver.web.times import utc_ns

MOST_MS = 14 * 86_400_000
PAGE = 500
WHATS = Literal["signed-in", "searched", "listened", "heard", "taken", "exports", "accounts", "settings"]

router = APIRouter()

Place = Annotated[int, Field(ge=0, le=MOST_MS)]


class WhatWasHeard(BaseModel):
    """Spans of a recording in ms, each [from, to], under the reason for which it was opened. `leg`: of that leg's own file."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=REASON_MOST)
    leg: str = Field(default="", max_length=128)
    spans: list[tuple[Place, Place]] = Field(max_length=MOST_SPANS)


@router.post("/api/calls/{id}/played", status_code=204)
async def played(request: Request, id: Id, told: WhatWasHeard) -> None:
    """Tell what was heard of a recording that you opened. Spans are sorted, merged and cut to the recording's length."""
    the = service(request)
    if await the.read(queries.call, id) is None:
        raise not_found("call", id)
    opening = opening_of(request, id, told.reason, told.leg)
    if not (the.openings.known(opening) or await the.read(_journalled, opening)):
        what_to_do = "Open the recording for this reason first; only who listened tells what they heard."
        raise ApiError(403, "not-opened", f"You did not open the recording of call {id} for this reason.", what_to_do)
    made = await the.read(queries.recording, id)
    spans = merged(told.spans, made.duration_ms if made else 0)
    if spans:
        the.notes.soon(Played(CallId(id), opening.user, spans, opening.reason, opening.leg))


@router.get("/api/looks")
async def who_looked(
    request: Request,
    by: Annotated[str | None, Query(max_length=128, description="Who looked.")] = None,
    call: Annotated[str | None, Query(max_length=128, description="At which call.")] = None,
    what: Annotated[WHATS | None, Query(description="Which kind of look.")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Then or later (RFC 3339).")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Before then (RFC 3339).")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="How many.")] = 100,
    before: Before = None,
) -> Facts:
    """Who searched, listened, took something away or changed it, newest first. Asking this is a look too."""
    the = service(request)
    wanted = Wanted(by or None, call or None, what, utc_ns(since), utc_ns(until))
    rows = await the.read(looks, wanted, limit, before)
    if before is None:
        tell_search(request, "looks", {"by": by, "call": call, "what": what, "from": since, "to": until}, len(rows))
    return Facts(items=[FactAnswer.of(row) for row in rows])


def _journalled(engine: Engine, opening: Opening) -> bool:
    """Whether the journal has it, where a web process before this one told it."""
    facts = [row.fact for row in queries.timeline_of_call(engine, opening.call) if isinstance(row.fact, Listened)]
    wanted = (opening.user, opening.reason, opening.leg)
    return any((fact.by, fact.reason, fact.leg) == wanted for fact in facts)
