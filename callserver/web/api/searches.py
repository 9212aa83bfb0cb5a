"""How much a search finds, and searches that people keep under a name: everybody their own, a supervisor one for all."""

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError

from callserver.store import saved, search
from callserver.web.api.filters import Count, Filters, counted, of_query
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.roles import Role
from callserver.web.service import Service, service
from callserver.web.times import rfc3339

A = TypeVar("A")
T = TypeVar("T")
NAME_MOST, QUERY_MOST = 80, 1_000

router = APIRouter()


class NewSearch(BaseModel):
    """A search to keep. `filters` is the query of `GET /api/calls` or `/api/incidents`, without `limit` and `before`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: Annotated[str, Field(min_length=1, max_length=NAME_MOST, pattern=r"\S")]
    of: Literal["calls", "incidents"]
    filters: str = Field(default="", max_length=QUERY_MOST)
    shared: bool = False


class SearchAnswer(BaseModel):
    """A search that was kept, and by whom; `mine` where that is who asks."""

    id: str
    name: str
    of: str
    filters: str
    shared: bool
    by: str
    mine: bool
    saved: str | None


class Searches(BaseModel):
    """Yours and those that are shared, by name. `may_share`: whether you can share one."""

    may_share: bool
    most: int
    items: list[SearchAnswer]


@router.get("/api/count/calls")
async def calls(request: Request, filters: Filters) -> Count:
    """How many calls a search finds, counted to a thousand."""
    return await counted(request, search.count_calls, filters)


@router.get("/api/count/incidents")
async def incidents(request: Request, filters: Filters) -> Count:
    """How many incidents a search finds, counted to a thousand."""
    return await counted(request, search.count_incidents, filters)


@router.get("/api/searches")
async def searches(request: Request) -> Searches:
    """What you find under a name."""
    the, who = service(request), signed_in(request)
    found = await the.read(saved.visible, who.user)
    items = [_answer(one, who.user) for one in found]
    return Searches(may_share=who.role == Role.SUPERVISOR, most=saved.MOST, items=items)


@router.post("/api/searches", status_code=201)
async def save(request: Request, new: NewSearch) -> SearchAnswer:
    """Keep a search; one of yours with the same name is replaced."""
    the, who = service(request), signed_in(request)
    if new.shared and who.role != Role.SUPERVISOR:
        raise ApiError(403, "not-allowed", "Only a supervisor shares a search with all.", "Keep it for yourself.")
    of_query(new.filters)
    now_ns = round(the.now_s() * 1000) * 1_000_000
    name = " ".join(new.name.split())
    kept = saved.SavedSearch(uuid.uuid4().hex[:12], who.user, name, new.of, new.filters, new.shared, now_ns)
    try:
        id = await _changed(the, saved.save, kept)
    except saved.TooMany as error:
        what_to_do = "Take one away first."
        raise ApiError(409, "too-many-searches", f"You have {saved.MOST} searches already.", what_to_do) from error
    return _answer(kept, who.user).model_copy(update={"id": id})


@router.delete("/api/searches/{id}")
async def forget(request: Request, id: Id) -> Done:
    """Take a search away: one of yours, or as a supervisor one that is shared."""
    the, who = service(request), signed_in(request)
    found = next((one for one in await the.read(saved.visible, who.user) if one.id == id), None)
    if found is None:
        raise not_found("search", id)
    if found.user != who.user and who.role != Role.SUPERVISOR:
        raise ApiError(403, "not-yours", f"This search is {found.user}'s.", f"Ask {found.user} or a supervisor.")
    await _changed(the, saved.forget, id)
    return Done()


async def _changed(the: Service, change: Callable[[Path, A], T], what: A) -> T:
    try:
        return await asyncio.to_thread(change, the.config.storage.data, what)
    except (SQLAlchemyError, OSError) as error:
        what_to_do = "Look at the disk (callserver doctor), then try again. Searching goes on."
        raise ApiError(503, "store-unwritable", "The store cannot be written now.", what_to_do) from error


def _answer(kept: saved.SavedSearch, user: str) -> SearchAnswer:
    return SearchAnswer(
        id=kept.id,
        name=kept.name,
        of=kept.of,
        filters=kept.what,
        shared=kept.shared,
        by=kept.user,
        mine=kept.user == user,
        saved=rfc3339(kept.saved_utc_ns),
    )
