"""Legal holds: what an incident is kept for, by whom, and until somebody looks again. What was deleted, in words."""

import datetime
import secrets
from typing import Annotated, Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from callserver.core.facts import HoldLifted, HoldPlaced
from callserver.core.facts_retention import REQUEST
from callserver.core.ids import IncidentId
from callserver.store import queries, retained
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import Service, service
from callserver.web.times import rfc3339

WHY_MOST = 500
LONGEST_DAYS = 3_650
_ID_BYTES = 6

router = APIRouter()

Why = Annotated[str, Field(min_length=1, max_length=WHY_MOST, description="A few words; they are journalled.")]


class NewHold(BaseModel):
    """A hold, and the day (UTC) on which somebody is to look whether it is still needed."""

    model_config = ConfigDict(extra="forbid")
    why: Why
    review: datetime.date


class Release(BaseModel):
    """Which hold is over, and why."""

    model_config = ConfigDict(extra="forbid", strict=True)
    hold: str = Field(min_length=1, max_length=64)
    why: str = Field(default="", max_length=WHY_MOST)


class Placed(BaseModel):
    """The hold. `late`: calls whose recordings had been deleted by then."""

    hold: str
    late: list[str]


class HoldAnswer(BaseModel):
    """A hold; `lifted` and `lifted_by` are null while it stands."""

    hold: str
    incident: str
    by: str
    placed: str
    review: str
    why: str
    lifted: str | None
    lifted_by: str | None

    @classmethod
    def of(cls, row: retained.HoldRow) -> Self:
        """From the store's row."""
        return cls(
            hold=row.id,
            incident=row.incident,
            by=row.placed_by,
            placed=rfc3339(row.placed_utc_ns) or "",
            review=rfc3339(row.review_utc_ns) or "",
            why=row.why,
            lifted=rfc3339(row.lifted_utc_ns),
            lifted_by=row.lifted_by,
        )


class Holds(BaseModel):
    """Oldest first."""

    items: list[HoldAnswer]


@router.get("/api/holds")
async def standing(request: Request) -> Holds:
    """The holds that stand, on whichever incident."""
    return Holds(items=[HoldAnswer.of(row) for row in await service(request).read(retained.standing)])


@router.get("/api/incidents/{id}/holds")
async def of_incident(request: Request, id: Id) -> Holds:
    """All holds of an incident that ever were."""
    the = await _the(request, id)
    return Holds(items=[HoldAnswer.of(row) for row in await the.read(retained.holds, id)])


@router.post("/api/incidents/{id}/hold")
async def place(request: Request, id: Id, wanted: NewHold) -> Placed:
    """Hold an incident: nothing of it is deleted or erased until the hold is lifted."""
    the = await _the(request, id)
    today = datetime.datetime.fromtimestamp(the.now_s(), datetime.UTC).date()
    if not today < wanted.review <= today + datetime.timedelta(days=LONGEST_DAYS):
        what_to_do = "Name a day from tomorrow on, within ten years: an alarm rings then."
        raise ApiError(422, "no-review-date", f"A hold cannot be reviewed on {wanted.review}.", what_to_do)
    review = datetime.datetime.combine(wanted.review, datetime.time(), datetime.UTC)
    hold = secrets.token_hex(_ID_BYTES)
    fact = HoldPlaced(hold, IncidentId(id), signed_in(request).user, int(review.timestamp()) * 1_000_000_000, wanted.why.strip())
    await the.notes.journalled(fact)
    calls = await the.read(queries.calls_of, id)
    late = [call.id for call in calls if await the.read(retained.deletion, call.id) is not None]
    return Placed(hold=hold, late=late)


@router.post("/api/incidents/{id}/release")
async def release(request: Request, id: Id, wanted: Release) -> Done:
    """Lift a hold. What is older than its days goes within the hour, unless another hold stands."""
    the = await _the(request, id)
    await the.notes.journalled(HoldLifted(wanted.hold, IncidentId(id), signed_in(request).user, wanted.why.strip()))
    return Done()


async def require_sound(the: Service, call: str) -> None:
    """410 for a call whose recording was deleted, with the day and the rule."""
    row = await the.read(retained.deletion, call)
    if row is not None:
        day = (rfc3339(row.deleted_utc_ns) or "")[:10]
        by = f"on request, by {row.deleted_by}" if row.rule == REQUEST else f"by the rule {row.rule!r}"
        what_to_do = "The timeline stays. What was disclosed before is in the hands of whoever got it."
        raise ApiError(410, "recording-deleted", f"The recording was deleted on {day} {by}.", what_to_do)


async def _the(request: Request, id: str) -> Service:
    the = service(request)
    if await the.read(queries.incident, id) is None:
        raise not_found("incident", id)
    return the
