"""The quality sample: which calls of a month are drawn, their sheets, and what the sheets say together.

For supervisors and auditors, and of their own calls for nobody. Listening to a drawn call asks for a reason like any other.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from callserver.config import Config
from callserver.core import quality as q
from callserver.core.facts import CallScored
from callserver.core.ids import CallId
from callserver.store import queries, sampling
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.csv_text import MARK, lines_of
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import service
from callserver.web.shelf import shelf
from callserver.web.taken import tell_taken
from callserver.web.times import rfc3339

MONTH = r"^20\d\d-(0[1-9]|1[0-2])$"
MOST_PASSED = 5  # of each operator, by name; all are counted
COLUMNS = ("month", "operator", "answered", "drawn", "scored", "passed_over")

router = APIRouter()

Month = Annotated[str, Query(pattern=MONTH, description="Which month, 2026-11. Default: the last that is over.")]


class CriterionAnswer(BaseModel):
    """What is judged, and the most points of it."""

    id: str
    text: str
    max: int


class SheetAnswer(BaseModel):
    """A sheet that was filled in. A criterion that did not arise is left out; a comment that was erased is empty."""

    by: str
    at: str | None
    scores: Mapping[str, int]
    most: Mapping[str, int]
    comment: str


class DrawnAnswer(BaseModel):
    """A drawn call. `state` is to-do or done; passed: it has no sound any more, so the next one was drawn."""

    call: str
    operator: str
    point: str
    started: str | None
    answered: str | None
    ended: str | None
    outcome: str | None
    state: str
    sheets: list[SheetAnswer]


class MeanAnswer(BaseModel):
    """The mean share of the points that there were to have, 0 to 1, over so many calls."""

    share: float
    calls: int


class LineAnswer(BaseModel):
    """One operator. `passed_over`: calls that were drawn and have no sound any more."""

    operator: str
    answered: int
    drawn: int
    scored: int
    passed_over: int
    means: Mapping[str, MeanAnswer]


class SampleAnswer(BaseModel):
    """A month's sample. `drawn` false: nobody knows yet which calls it will be, it is drawn after `end`.

    `seed` is the hash of `row`; `doubt` says what is wrong with it, "" for nothing.
    """

    month: str
    zone: str
    begin: str | None
    end: str | None
    drawn: bool
    calls_per_operator: int
    row: int | None
    seed: str | None
    doubt: str
    criteria: list[CriterionAnswer]
    lines: list[LineAnswer]
    items: list[DrawnAnswer]


class SheetsAnswer(BaseModel):
    """The sheet of one call. `refused`: why whoever asks may not fill it in, "" where they may."""

    call: str
    month: str
    drawn: bool
    refused: str
    criteria: list[CriterionAnswer]
    sheets: list[SheetAnswer]


class NewSheet(BaseModel):
    """Points by criterion; one that did not arise is left out."""

    model_config = ConfigDict(extra="forbid")

    scores: dict[str, int] = Field(min_length=1, max_length=20)
    comment: str = Field(default="", max_length=2000)


@router.get("/api/quality")
async def month(request: Request, month: Month = "") -> SampleAnswer:
    """A month's sample, what was found, and what is still to be done."""
    sample, sheets = await _sample(request, month)
    the = service(request)
    wanted = [(call, call in one.drawn) for one in sample.operators for call in (*one.drawn, *one.passed[:MOST_PASSED])]
    rows = await the.read(sampling.calls, [call for call, _drawn in wanted])
    return SampleAnswer(
        month=sample.month,
        zone=sample.zone,
        begin=rfc3339(sample.begin_utc_ns),
        end=rfc3339(sample.end_utc_ns),
        drawn=sample.seed is not None,
        calls_per_operator=sample.seed.calls_per_operator if sample.seed else the.config.quality.calls_per_operator,
        row=sample.seed.row if sample.seed else None,
        seed=sample.seed.seed if sample.seed else None,
        doubt=sample.doubt,
        criteria=_criteria(the.config),
        lines=[_line(one) for one in q.report(sample.operators, sheets)],
        items=[_item(rows[call], drawn, sheets.get(call, ())) for call, drawn in wanted],
    )


@router.get("/api/quality.csv", response_class=Response)
async def as_csv(request: Request, month: Month = "") -> Response:
    """The report of a month as CSV (RFC 4180)."""
    sample, sheets = await _sample(request, month)
    headers = {"Content-Disposition": f'attachment; filename="quality-{sample.month}.csv"'}
    content = MARK + csv_of(sample, sheets, service(request).config)
    await tell_taken(request, "quality", content)
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/api/calls/{id}/sheet")
async def sheet(request: Request, id: Id) -> SheetsAnswer:
    """The sheet of a call: whether it is drawn, and what was found."""
    the = service(request)
    month, drawn, people = await _standing(request, id)
    sheets = await the.read(sampling.sheets, id)
    return SheetsAnswer(
        call=id,
        month=month,
        drawn=drawn,
        refused=q.objection(signed_in(request).user, people),
        criteria=_criteria(the.config),
        sheets=[_sheet(one) for one in sheets.get(id, ())],
    )


@router.post("/api/calls/{id}/sheet")
async def score(request: Request, id: Id, sheet: NewSheet) -> Done:
    """Fill in the sheet of a drawn call. A second one adds to the first; the last one counts."""
    the, user = service(request), signed_in(request).user
    month, drawn, people = await _standing(request, id)
    if why := q.objection(user, people):
        raise ApiError(403, "own-call", f"This is your call: {why}.", "Leave it to them.")
    if not drawn:
        message = f"Call {id} is not in the sample of {month}, or has no sound any more."
        raise ApiError(409, "not-drawn", message, "Score the calls that GET /api/quality names: others would bend the figures.")
    most = {one.id: one.max for one in the.config.quality.judged}
    if fault := q.fault_of(sheet.scores, most):
        raise ApiError(422, "bad-points", f"The points do not fit the sheet: {fault}.", "GET /api/calls/{id}/sheet tells it.")
    told = {criterion: most[criterion] for criterion in sheet.scores}
    fact = CallScored(CallId(id), month, user, sheet.scores, told, sheet.comment.strip())
    await the.notes.journalled(fact, q.sheet_id(id, uuid.uuid4().hex))
    return Done()


def csv_of(sample: sampling.Sample, sheets: Mapping[str, Sequence[q.Sheet]], config: Config) -> str:
    """The report: of each criterion the mean in percent, and over how many calls."""
    lines = q.report(sample.operators, sheets)
    criteria = criteria_of(lines, config)
    rows: list[list[object]] = [[*COLUMNS, *(name for one in criteria for name in (f"{one}_percent", f"{one}_calls"))]]
    for line in lines:
        means = [line.means.get(criterion) for criterion in criteria]
        cells = [cell for mean in means for cell in ((round(mean.share * 100), mean.calls) if mean else (None, 0))]
        rows.append([sample.month, line.operator, line.answered, line.drawn, line.scored, line.passed, *cells])
    return lines_of(rows)


def criteria_of(lines: Sequence[q.Line], config: Config) -> list[str]:
    """Those of the sheet, and behind them those of older sheets."""
    judged = [one.id for one in config.quality.judged]
    return judged + sorted({criterion for line in lines for criterion in line.means} - set(judged))


def sample_of(engine: Engine, month: str, zone: str) -> tuple[sampling.Sample, dict[str, list[q.Sheet]]]:
    """A month's sample, and all sheets that there are."""
    sheets = sampling.sheets(engine)
    return sampling.sample(engine, month, zone, sheets), sheets


async def _sample(request: Request, month: str) -> tuple[sampling.Sample, dict[str, list[q.Sheet]]]:
    the = service(request)
    zone = await _zone(request)
    month = month or q.neighbour(q.month_of(round(the.now_s()) * 1_000_000_000, zone), -1)
    async with shelf(request).searches:
        return await the.read(sample_of, month, zone)


async def _zone(request: Request) -> str:
    names = await shelf(request).names(service(request))
    return names.time_zone if names else "UTC"


async def _standing(request: Request, id: str) -> tuple[str, bool, set[str]]:
    """Of a call: (its month, whether it is drawn, the operators who were in it). Raises `ApiError` with 404."""
    the = service(request)
    row = await the.read(queries.call, id)
    if row is None:
        raise not_found("call", id)
    month = await the.read(sampling.month_of_call, row.number, await _zone(request))
    sample, _sheets = await _sample(request, month)
    drawn = any(id in one.drawn for one in sample.operators)
    people = await the.read(sampling.people_of, id)
    return month, drawn, people | ({row.operator} if row.operator else set())


def _criteria(config: Config) -> list[CriterionAnswer]:
    return [CriterionAnswer(id=one.id, text=one.text, max=one.max) for one in config.quality.judged]


def _line(line: q.Line) -> LineAnswer:
    means = {criterion: MeanAnswer(share=mean.share, calls=mean.calls) for criterion, mean in line.means.items()}
    return LineAnswer(
        operator=line.operator,
        answered=line.answered,
        drawn=line.drawn,
        scored=line.scored,
        passed_over=line.passed,
        means=means,
    )


def _item(row: queries.CallRow, drawn: bool, own: Sequence[q.Sheet]) -> DrawnAnswer:
    return DrawnAnswer(
        call=row.id,
        operator=row.operator or "",
        point=row.point,
        started=rfc3339(row.started_utc_ns),
        answered=rfc3339(row.answered_utc_ns),
        ended=rfc3339(row.ended_utc_ns),
        outcome=row.outcome,
        state="passed" if not drawn else "done" if own else "to-do",
        sheets=[_sheet(one) for one in own],
    )


def _sheet(sheet: q.Sheet) -> SheetAnswer:
    fact = sheet.fact
    return SheetAnswer(by=fact.by, at=rfc3339(sheet.utc_ns), scores=fact.scores, most=fact.most, comment=fact.comment)
