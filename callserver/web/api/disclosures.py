"""The register of disclosures, and requests for access with their month."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from callserver.core import desk as desks
from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.store import queries
from callserver.store.register import id_of, read_desk
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.csv_text import MARK, lines_of
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import service
from callserver.web.shelf import shelf
from callserver.web.taken import tell_taken
from callserver.web.times import rfc3339

COLUMNS = ("id", "at", "incident", "what", "digest", "recipient", "legal_basis", "why", "by")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

router = APIRouter()

Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewDisclosure(_Entry):
    """What was handed out. `export` names what was handed out, where it was made here: its digest is then taken from there."""

    incident: str = Field(min_length=1, max_length=128)
    what: Words
    recipient: Words
    legal_basis: Words
    why: str = Field(default="", max_length=500)
    export: str = Field(default="", max_length=64)


class NewRequest(_Entry):
    """Who asks what is held of them, and when that came; default: now."""

    subject: Words
    received: AwareDatetime | None = None


class Answer(_Entry):
    """How a request was answered."""

    how: Literal["given", "refused", "nothing-held"]
    note: str = Field(default="", max_length=2000)


class DisclosureAnswer(BaseModel):
    """An entry. Texts that were erased are empty."""

    id: str
    at: str | None
    incident: str
    what: str
    digest: str
    recipient: str
    legal_basis: str
    why: str
    by: str


class RequestAnswer(BaseModel):
    """A request for access. `state` is open, due (within seven days), late or answered."""

    id: str
    subject: str
    received: str | None
    due: str | None
    state: str
    answered: str | None
    how: str | None
    note: str | None
    by: str


class Disclosures(BaseModel):
    """Newest first."""

    items: list[DisclosureAnswer]


class Requests(BaseModel):
    """What is due first comes first, what was answered last."""

    items: list[RequestAnswer]


class Made(BaseModel):
    """The name of what was entered."""

    id: str


@router.get("/api/disclosures")
async def disclosures(request: Request) -> Disclosures:
    """The register."""
    desk = await service(request).read(read_desk)
    return Disclosures(items=[_disclosure(one) for one in reversed(desk.disclosures.values())])


@router.get("/api/disclosures.csv", response_class=Response)
async def as_csv(request: Request) -> Response:
    """The register as CSV (RFC 4180), oldest first."""
    desk = await service(request).read(read_desk)
    headers = {"Content-Disposition": 'attachment; filename="disclosures.csv"'}
    content = MARK + csv_of(desk)
    await tell_taken(request, "disclosures", content)
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.post("/api/disclosures")
async def disclose(request: Request, entry: NewDisclosure) -> Made:
    """Enter something that was handed out."""
    the = service(request)
    if await the.read(queries.incident, entry.incident) is None:
        raise not_found("incident", entry.incident)
    digest = await _digest(request, entry) if entry.export else ""
    words = (entry.recipient.strip(), entry.legal_basis.strip(), entry.why.strip(), signed_in(request).user)
    fact = f.DisclosureMade(uuid.uuid4().hex[:12], IncidentId(entry.incident), entry.what.strip(), digest, *words)
    await the.notes.journalled(fact, id_of(fact))
    return Made(id=fact.disclosure)


@router.get("/api/access-requests")
async def requests(request: Request) -> Requests:
    """Requests for access."""
    the = service(request)
    now_ns = round(the.now_s() * 1000) * 1_000_000
    desk = await the.read(read_desk)
    ordered = sorted(desk.access.values(), key=lambda one: (one.answered is not None, one.asked.due_utc_ns))
    return Requests(items=[_request(one, now_ns) for one in ordered])


@router.post("/api/access-requests")
async def ask(request: Request, entry: NewRequest) -> Made:
    """Enter a request; its month begins when it was received."""
    the = service(request)
    now_ns = round(the.now_s() * 1000) * 1_000_000
    received_ns = now_ns if entry.received is None else (entry.received - _EPOCH) // timedelta(microseconds=1) * 1000
    if not 0 < received_ns <= now_ns:
        raise ApiError(422, "not-received-yet", "A request is received in the past.", "Give the time at which it came.")
    name, user = uuid.uuid4().hex[:12], signed_in(request).user
    plan = await shelf(request).names(the)
    zone = ZoneInfo(plan.time_zone) if plan else UTC
    fact = f.AccessAsked(name, received_ns, desks.due(received_ns, zone), entry.subject.strip(), user)
    await the.notes.journalled(fact, id_of(fact))
    return Made(id=name)


@router.post("/api/access-requests/{id}/answer")
async def answer(request: Request, id: Id, entry: Answer) -> Done:
    """Enter how a request was answered."""
    the = service(request)
    found = (await the.read(read_desk)).access.get(id)
    if found is None:
        raise not_found("request for access", id)
    if found.answered is not None:
        raise ApiError(409, "answered", f"Request {id} is answered already.", "Look at the list.")
    fact = f.AccessAnswered(id, entry.how, entry.note.strip(), signed_in(request).user)
    await the.notes.journalled(fact, id_of(fact))
    return Done()


async def _digest(request: Request, entry: NewDisclosure) -> str:
    """That of the export which was handed out. Raises `ApiError` where there is none such of this incident."""
    desk = await service(request).read(read_desk)
    export = desk.exports.get(entry.export)
    if export is None or export.asked.incident != entry.incident:
        raise not_found("export of this incident", entry.export)
    redaction = desk.redactions.get(entry.export)
    listening = [sum for name, sum in (redaction.files if redaction else {}).items() if name.endswith("-call.flac")]
    return export.digest or next(iter(listening), "")


def csv_of(desk: desks.Desk) -> str:
    """The register's lines."""
    return lines_of((COLUMNS, *(tuple(_disclosure(entry).model_dump().values()) for entry in desk.disclosures.values())))


def _disclosure(entry: desks.Disclosure) -> DisclosureAnswer:
    fact = entry.fact
    return DisclosureAnswer(
        id=fact.disclosure,
        at=rfc3339(entry.utc_ns),
        incident=fact.incident,
        what=fact.what,
        digest=fact.digest,
        recipient=fact.recipient,
        legal_basis=fact.legal_basis,
        why=fact.why,
        by=fact.by,
    )


def _request(one: desks.Access, now_ns: int) -> RequestAnswer:
    answered = one.answered
    open_state = "late" if now_ns >= one.asked.due_utc_ns else "due" if one.alarm(now_ns) else "open"
    return RequestAnswer(
        id=one.asked.request,
        subject=one.asked.subject,
        received=rfc3339(one.asked.received_utc_ns),
        due=rfc3339(one.asked.due_utc_ns),
        state="answered" if answered else open_state,
        answered=rfc3339(one.answered_utc_ns or None),
        how=answered.how if answered else None,
        note=answered.note if answered else None,
        by=one.asked.by,
    )
