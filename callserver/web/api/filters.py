"""What lists of incidents and calls can be narrowed to: the query's parameters, and how they are carried out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime
from sqlalchemy import Engine

from callserver.store import search
from callserver.web.errors import ApiError
from callserver.web.service import Service, service
from callserver.web.shelf import shelf
from dialplans.model import Priority

Row = TypeVar("Row")
ClassName = Literal["emergency", "high", "normal", "information"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000
_MOST_NS = 2**63 - 1
_MOST_S = 10 * 366 * 86_400

Name = Annotated[str | None, Query(max_length=128)]
Seconds = Annotated[int | None, Query(ge=0, le=_MOST_S)]


def wanted(
    request: Request,
    begins_from: Annotated[AwareDatetime | None, Query(alias="from", description="Began then or later (RFC 3339).")] = None,
    begins_to: Annotated[AwareDatetime | None, Query(alias="to", description="Began before then (RFC 3339).")] = None,
    point: Name = None,
    operator: Name = None,
    outcome: Name = None,
    class_name: Annotated[ClassName | None, Query(alias="class", description="The class of the press.")] = None,
    state: Annotated[str | None, Query(max_length=32)] = None,
    open_only: Annotated[bool, Query(alias="open", description="Only what is not over.")] = False,
    min_wait_s: Seconds = None,
    max_wait_s: Seconds = None,
    min_length_s: Seconds = None,
    max_length_s: Seconds = None,
    q: Annotated[str, Query(max_length=200, description="Words; all must be found.")] = "",
) -> search.Wanted:
    """The filters of a list. A dependency."""
    words = tuple(dict.fromkeys(q.split()))
    if len(words) > search.MOST_WORDS:
        raise ApiError(422, "invalid", f"At most {search.MOST_WORDS} words are looked for.", "Leave some out.")
    return search.Wanted(
        now_utc_ns=round(service(request).now_s() * 1000) * 1_000_000,
        from_utc_ns=_utc_ns(begins_from),
        to_utc_ns=_utc_ns(begins_to),
        point=point or None,
        operator=operator or None,
        outcome=outcome or None,
        priority=None if class_name is None else int(Priority[class_name.upper()]),
        state=state or None,
        open_only=open_only,
        wait_at_least_ns=_ns(min_wait_s),
        wait_at_most_ns=_ns(max_wait_s),
        length_at_least_ns=_ns(min_length_s),
        length_at_most_ns=_ns(max_length_s),
        words=words,
    )


Filters = Annotated[search.Wanted, Depends(wanted)]


async def looked_for(
    the: Service,
    request: Request,
    find: Callable[[Engine, search.Wanted, search.Names, int, int | None], list[Row]],
    filters: search.Wanted,
    limit: int,
    before: int | None,
    incident_of: Callable[[Row], str],
) -> list[tuple[Row, str]]:
    """What was found with the note of each, away from the event loop; no more than a few searches run at once."""
    found_by = shelf(request)
    names = await found_by.names(the) or search.Names()
    async with found_by.searches:
        rows = await the.read(find, filters, names, limit, before)
    noted = await the.read(search.notes, [incident_of(row) for row in rows]) if rows else {}
    return [(row, noted.get(incident_of(row), "")) for row in rows]


def _utc_ns(time: datetime | None) -> int | None:
    """What the store can hold: times of other centuries are those of its first or last moment."""
    if time is None:
        return None
    return max(-_MOST_NS, min(_MOST_NS, (time - _EPOCH) // timedelta(microseconds=1) * 1000))


def _ns(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * _SECOND_NS
