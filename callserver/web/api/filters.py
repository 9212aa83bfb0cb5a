"""What lists of incidents and calls can be narrowed to: the query's parameters, and how they are carried out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ValidationError, validate_call
from sqlalchemy import Engine

from callserver.store import search
from callserver.web.errors import ApiError
from callserver.web.looked import canonical
from callserver.web.searched import tell_search
from callserver.web.service import Service, service
from callserver.web.shelf import shelf
from callserver.web.times import utc_ns
from dialplans.model import Priority

Row = TypeVar("Row")
ClassName = Literal["emergency", "high", "normal", "information"]

MOST_COUNTED = 1_000
_SECOND_NS = 1_000_000_000
_MOST_S = 10 * 366 * 86_400
MOST_DAYS = 10 * 366

Name = Annotated[str | None, Query(max_length=128)]
Time = AwareDatetime | date | None
Find = Callable[[Engine, search.Wanted, search.Names, int, int | None], list[Row]]
Counted = Callable[[Engine, search.Wanted, search.Names, int], int]
Seconds = Annotated[int | None, Query(ge=0, le=_MOST_S)]


class Count(BaseModel):
    """How many fit; `more` where there are more than those that were counted."""

    found: int
    more: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for; `given` is the same as it was written, without what was left out. Days are those of the plan's zone."""

    wanted: search.Wanted  # without its times
    begins: tuple[datetime | date | None, datetime | date | None]
    days: int | None
    given: Mapping[str, object]

    def at(self, now_s: float, names: search.Names) -> search.Wanted:
        """What the store is asked for now."""
        now_ns, zone = round(now_s * 1000) * 1_000_000, ZoneInfo(names.time_zone)
        begins_from, begins_to = self.begins
        if self.days is not None:
            begins_from = datetime.fromtimestamp(now_s, zone).date() - timedelta(days=self.days - 1)
        since, until = _moment(begins_from, 0, zone), _moment(begins_to, 1, zone)
        return replace(self.wanted, now_utc_ns=now_ns, from_utc_ns=utc_ns(since), to_utc_ns=utc_ns(until))


def asked(
    begins_from: Annotated[Time, Query(alias="from", description="Began then (RFC 3339) or on that day or later.")] = None,
    begins_to: Annotated[Time, Query(alias="to", description="Began before then (RFC 3339), or on that day or before.")] = None,
    days: Annotated[int | None, Query(ge=1, le=MOST_DAYS, description="Today and the days before it, so many in all.")] = None,
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
) -> Asked:
    """The filters of a list. A dependency."""
    given = {"from": begins_from, "to": begins_to, "days": days, "point": point, "operator": operator, "outcome": outcome}
    given |= {"class": class_name, "state": state, "open": open_only, "min_wait_s": min_wait_s, "max_wait_s": max_wait_s}
    given |= {"min_length_s": min_length_s, "max_length_s": max_length_s, "q": q}
    words = tuple(dict.fromkeys(q.split()))
    if len(words) > search.MOST_WORDS:
        raise ApiError(422, "invalid", f"At most {search.MOST_WORDS} words are looked for.", "Leave some out.")
    if days is not None and begins_from is not None:
        raise ApiError(422, "invalid", "Both days and from say when it began.", "Leave one of them out.")
    wanted = search.Wanted(
        now_utc_ns=0,
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
    return Asked(wanted, (begins_from, begins_to), days, given)


Filters = Annotated[Asked, Depends(asked)]


def of_query(query: str) -> Asked:
    """The filters that a query string gives. Raises `ApiError` for one that a list would refuse."""
    try:
        return _FROM_QUERY(**dict(parse_qsl(query, strict_parsing=bool(query))))
    except ValidationError as error:
        faults = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise _no_filters(faults) from error
    except ValueError as error:
        raise _no_filters(str(error)) from error


def _no_filters(faults: str) -> ApiError:
    return ApiError(422, "invalid", f"These are no filters of a list: {faults}", "See GET /api/calls for what there is.")


_FROM_QUERY: Callable[..., Asked] = validate_call(asked)


async def looked_for(
    request: Request,
    of: str,
    find: Find[Row],
    filters: Asked,
    limit: int,
    before: int | None,
    incident_of: Callable[[Row], str],
) -> list[tuple[Row, str]]:
    """What was found with the note of each, away from the event loop; no more than a few searches run at once.

    A first page that anything was asked of is journalled as a search of `of`, calls or incidents.
    """
    the, found_by = service(request), shelf(request)
    names = await found_by.names(the) or search.Names()
    async with found_by.searches:
        rows = await read_some(the, find, filters.at(the.now_s(), names), names, limit, before)
    if before is None and canonical(filters.given):
        tell_search(request, of, filters.given, len(rows))
    noted = await the.read(search.notes, [incident_of(row) for row in rows]) if rows else {}
    return [(row, noted.get(incident_of(row), "")) for row in rows]


async def counted(request: Request, find: Counted, filters: Asked) -> Count:
    """How many there are, to `MOST_COUNTED`."""
    the, found_by = service(request), shelf(request)
    names = await found_by.names(the) or search.Names()
    async with found_by.searches:
        try:
            found = await the.read(find, filters.at(the.now_s(), names), names, MOST_COUNTED + 1)
        except search.SearchTooLong as error:
            raise too_long() from error
    return Count(found=min(found, MOST_COUNTED), more=found > MOST_COUNTED)


async def read_some(
    the: Service, find: Find[Row], wanted: search.Wanted, names: search.Names, limit: int, before: int | None
) -> list[Row]:
    """A page from the store. Raises `ApiError` where that takes too long."""
    try:
        return await the.read(find, wanted, names, limit, before)
    except search.SearchTooLong as error:
        raise too_long() from error


def too_long() -> ApiError:
    """A search that was broken off."""
    what_to_do = "Look for a rarer word, or at fewer days."
    return ApiError(503, "search-too-long", "This search takes too long, and was broken off.", what_to_do)


def _moment(time: datetime | date | None, after: int, zone: ZoneInfo) -> datetime | None:
    """When a day begins, or the one `after` it; a time is itself."""
    if time is None or isinstance(time, datetime):
        return time
    if after and time == date.max:
        return None
    return datetime.combine(time + timedelta(days=after), datetime.min.time(), zone)


def _ns(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * _SECOND_NS
