"""The result of a search as a file for a spreadsheet: made whole, journalled with its digest, and only then sent."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Engine

from callserver.core.facts import SearchExported
from callserver.store import search
from callserver.store.queries import CallRow, IncidentRow
from callserver.web.api.filters import Asked, Filters, too_long
from callserver.web.csv_text import MARK, lines_of
from callserver.web.errors import ApiError
from callserver.web.gate import signed_in
from callserver.web.looked import canonical
from callserver.web.service import service
from callserver.web.shelf import shelf
from callserver.web.times import rfc3339
from dialplans.model import Priority

MOST_ROWS = 100_000
PAGE = 1_000
COLUMNS = (
    *("id", "incident", "point", "place", "class", "state", "began", "began_local", "answered", "answered_local"),
    *("ended", "ended_local", "waited_s", "lasted_s", "operator", "operator_name", "outcome", "outcome_name", "note"),
)
_CHUNK = 256 * 1024
_IN_MEMORY = 4 * 1024 * 1024  # what is larger waits on the disk

router = APIRouter()

Rows = Iterator[tuple[object, ...]]
RowsOf = Callable[[Engine, search.Wanted, search.Names], Rows]


@dataclass(frozen=True, slots=True)
class _Made:
    """A file that is ready to be sent, from its beginning."""

    file: BinaryIO
    rows: int
    cut: bool
    digest: str


@router.get("/api/calls.csv", response_class=Response)
async def calls(request: Request, filters: Filters) -> Response:
    """Calls that fit as CSV (RFC 4180), newest first."""
    return await _taken(request, "calls", filters, _of_calls)


@router.get("/api/incidents.csv", response_class=Response)
async def incidents(request: Request, filters: Filters) -> Response:
    """Incidents that fit as CSV (RFC 4180), newest first."""
    return await _taken(request, "incidents", filters, _of_incidents)


async def _taken(request: Request, of: str, filters: Asked, rows_of: RowsOf) -> Response:
    the, found_by = service(request), shelf(request)
    names = await found_by.names(the) or search.Names()
    async with found_by.lists:
        try:
            made = await asyncio.to_thread(_made, rows_of(the.engine, filters.at(the.now_s(), names), names))
        except search.SearchTooLong as error:
            raise too_long() from error
        except OSError as error:
            raise ApiError(
                503, "no-room", "There is no room for the list now.", "Look at the disk (callserver doctor)."
            ) from error
    try:
        what = canonical(filters.given)
        await the.notes.journalled(SearchExported(signed_in(request).user, of, what, made.rows, made.digest))
    except BaseException:
        made.file.close()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{of}.csv"',
        "X-SHA256": made.digest,
        "X-Rows": str(made.rows),
        "X-Cut": "true" if made.cut else "false",
    }
    return StreamingResponse(_sent(made.file), media_type="text/csv; charset=utf-8", headers=headers)


async def _sent(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


def _made(rows: Rows) -> _Made:
    """The whole file, which has no name: nobody else finds it, and it goes with the process."""
    file: BinaryIO = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # type: ignore[assignment]  # noqa: SIM115 - closed when it was sent
    digest, count, cut = hashlib.sha256(), 0, False

    def write(text: str) -> None:
        file.write(text.encode())
        digest.update(text.encode())

    write(MARK + lines_of([COLUMNS]))
    for row in rows:
        if count == MOST_ROWS:
            cut = True
            write(lines_of([(f"There is more: these are the newest {MOST_ROWS}. Narrow the search down.",)]))
            break
        write(lines_of([row]))
        count += 1
    file.seek(0)
    return _Made(file, count, cut, digest.hexdigest())


def _of_calls(engine: Engine, wanted: search.Wanted, names: search.Names) -> Rows:
    before = None
    while page := search.calls(engine, wanted, names, PAGE, before):
        notes = search.notes(engine, [row.incident for row in page])
        for row in page:
            times = (row.started_utc_ns, row.answered_utc_ns, row.ended_utc_ns)
            wait_ended = row.answered_utc_ns or row.ended_utc_ns
            yield _cells(row, row.incident, times, wait_ended, names, notes.get(row.incident, ""))
        before = page[-1].number


def _of_incidents(engine: Engine, wanted: search.Wanted, names: search.Names) -> Rows:
    before = None
    while page := search.incidents(engine, wanted, names, PAGE, before):
        notes = search.notes(engine, [row.id for row in page])
        for row in page:
            times = (row.opened_utc_ns, row.answered_utc_ns, row.closed_utc_ns)
            wait_ended = row.answered_utc_ns or (None if row.state == "waiting" else row.changed_utc_ns)
            yield _cells(row, row.id, times, wait_ended, names, notes.get(row.id, ""))
        before = page[-1].number


def _cells(
    row: CallRow | IncidentRow,
    incident: str,
    times: tuple[int, int | None, int | None],
    wait_ended: int | None,
    names: search.Names,
    note: str,
) -> tuple[object, ...]:
    zone, (began, _, ended) = ZoneInfo(names.time_zone), times
    class_name = None if row.priority is None else Priority(row.priority).name.lower()
    said = [part for time in times for part in (rfc3339(time), _local(time, zone))]
    return (
        *(row.id, incident, row.point, names.points.get(row.point), class_name, row.state, *said),
        *(_seconds(began, wait_ended), _seconds(began, ended)),
        *(row.operator, _name(names.operators, row.operator), row.outcome, _name(names.outcomes, row.outcome), note),
    )


def _name(names: Mapping[str, str], id: str | None) -> str | None:
    return None if id is None else names.get(id)


def _local(utc_ns: int | None, zone: ZoneInfo) -> str | None:
    """Time of day at the plan's place, to the second, with its offset."""
    return None if utc_ns is None else datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC).astimezone(zone).isoformat(" ")


def _seconds(began: int, ended: int | None) -> str | None:
    return None if ended is None else f"{(ended - began) / 1e9:.1f}"
