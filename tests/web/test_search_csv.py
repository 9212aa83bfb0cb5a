"""A search as a file: what a spreadsheet reads, what is journalled before it is sent, and where it is cut."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator

import httpx
import pytest

from callserver.config import Config
from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from callserver.web.api import search_csv
from callserver.web.csv_text import lines_of
from tests.eventually import eventually
from tests.replay import many
from tests.web.desk import CALL, INCIDENT, OPERATOR, POINT, Desk, opened, user_of

NOTE = '=HYPERLINK("http://evil.test"),\nsays "Jürgen"'


@pytest.fixture
async def auditor(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in; the incident has a note that a spreadsheet would take for a formula."""
    engine = open_store(desk.config.storage.data)
    fact = f.OutcomeRecorded(IncidentId(INCIDENT), "medical", OPERATOR, NOTE)
    assert commit(engine, [append_op("noted", fact, 0, 1_772_366_500_000_000_000, 1)]).projection_fault == ""
    engine.dispose()
    async with desk.signed_in("auditor") as client:
        yield client


def read(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def test_a_spreadsheet_reads_it(auditor: httpx.AsyncClient) -> None:
    """UTF-8 with its mark, CRLF, one line for each call, times in UTC and of the place, and no cell that is a formula."""
    answer = await auditor.get("/api/calls.csv", params={"q": "evil"})
    assert answer.content.startswith(b"\xef\xbb\xbfid,incident,point,place,class,") and answer.content.endswith(b"\r\n")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="calls.csv"'
    (row,) = read(answer)
    wanted = {
        "id": CALL,
        "incident": INCIDENT,
        "point": POINT,
        "class": "emergency",
        "state": "ended",
        "began": "2026-03-01T12:00:05.000Z",
        "began_local": "2026-03-01 12:00:05+00:00",
        "waited_s": "3.0",
        "lasted_s": "11.0",
        "operator": OPERATOR,
        "outcome": "medical",
        "note": f"'{NOTE}",
    }
    assert wanted == {key: row[key] for key in wanted}


async def test_who_took_what_is_journalled_first(auditor: httpx.AsyncClient, desk: Desk) -> None:
    """With the digest of the very bytes."""
    answer = await auditor.get("/api/incidents.csv", params={"class": "emergency", "q": "evil"})
    (told,) = desk.switchboard.noted("SearchExported")
    digest = hashlib.sha256(answer.content).hexdigest()
    assert told == {"by": user_of("auditor"), "of": "incidents", "what": "class=emergency&q=evil", "rows": 1, "digest": digest}
    assert (answer.headers["x-sha256"], answer.headers["x-rows"], answer.headers["x-cut"]) == (digest, "1", "false")


async def test_nothing_is_sent_while_it_cannot_be_journalled(auditor: httpx.AsyncClient, desk: Desk) -> None:
    await desk.server.stop()
    answer = await auditor.get("/api/calls.csv")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "switchboard-unavailable")
    assert b"HYPERLINK" not in answer.content


async def test_a_list_that_is_too_long_is_cut_and_says_so(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the header and in its last line; every row before it is there once."""
    many.fill(config.storage.data, 70, 1_000)
    monkeypatch.setattr(search_csv, "MOST_ROWS", 60)
    monkeypatch.setattr(search_csv, "PAGE", 7)
    async with opened(config) as desk, desk.signed_in("supervisor") as client:
        answer = await client.get("/api/calls.csv", params={"q": "bulk-0"})
        told = desk.switchboard.noted("SearchExported")[0]
    rows = read(answer)
    assert [row["id"] for row in rows[:-1]] == [many.call_of(n) for n in range(69, 9, -1)]
    assert rows[-1]["id"] == "There is more: these are the newest 60. Narrow the search down."
    assert (answer.headers["x-cut"], answer.headers["x-rows"], told["rows"]) == ("true", "60", 60)


async def test_filters_are_those_of_the_list(auditor: httpx.AsyncClient) -> None:
    assert read(await auditor.get("/api/calls.csv", params={"point": "elsewhere"})) == []
    assert (await auditor.get("/api/calls.csv", params={"class": "moon"})).status_code == 422


async def test_searches_are_told_once_with_their_filters(auditor: httpx.AsyncClient, desk: Desk) -> None:
    """Not what lists everything, and no page but the first."""
    for query in ("", "?q=evil", "?q=evil&limit=7", "?q=evil&before=5", "?q=evil"):
        await auditor.get(f"/api/calls{query}")
    await eventually(lambda: desk.app.state.service.notes.waiting == 0, 5)
    assert desk.switchboard.noted("Searched") == [{"by": user_of("auditor"), "of": "calls", "what": "q=evil", "found": 1}]


WIDE = ("\uff1d1", "\uff0b1", "\uff0d1", "\uff201")


@pytest.mark.parametrize("cell", ["=1+1", "+44", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", *WIDE])
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    """One piece for every list that leaves as CSV."""
    assert lines_of([(cell, "a")]).lstrip('"').startswith("'" + cell[0])


def test_cells_that_are_none_are_empty_and_numbers_stay_numbers() -> None:
    assert lines_of([(None, -3, "a,b")]) == ',-3,"a,b"\r\n'
