"""Exports: packs, redactions and copies of recordings are asked for, approved where the site wants four eyes, and fetched."""

import asyncio
import hashlib
import uuid
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from callserver.core import desk as desks
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, incident_of_call
from callserver.sealed import size_of
from callserver.store import queries
from callserver.store.register import id_of, read_desk
from callserver.web import ranges
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.api.recording import Streamed, file_of, open_sound
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.service import Service, service
from callserver.web.times import rfc3339

REASON_MOST, SPANS_MOST, LONGEST_MS = 500, 200, 14 * 86_400_000
MOST_WAITING = 50  # for the archivist or a second person; a pack may have the size of an hour of sound
_WHAT_TO_DO = {
    desks.WAITING: "Another supervisor or auditor approves it within a day: in the replay, under Exports.",
    desks.QUEUED: "The archivist makes it; look again in a few seconds.",
    desks.READY: "Fetch it within a day.",
    desks.FAILED: "Look why, and ask for it anew.",
    desks.EXPIRED: "Its day is over; ask for it anew.",
}

router = APIRouter()

Reason = Annotated[str, Field(min_length=1, max_length=REASON_MOST, pattern=r"\S")]
Ms = Annotated[int, Field(ge=0, le=LONGEST_MS)]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Reason


class PackWish(_Wish):
    """Why, and whether with redacted sound in the place of the original."""

    redacted: bool = False


class RedactionWish(_Wish):
    """What is covered: `spans_ms` (from, to) of the recording, none: all of it; whom; with what."""

    spans_ms: list[tuple[Ms, Ms]] = Field(default_factory=list, max_length=SPANS_MOST)
    party: str = Field(default=desks.EVERYONE, min_length=1, max_length=128)
    cover: Literal["tone", "silence"] = "tone"
    alone: bool = Field(default=False, description="Leave open what earlier redactions of the call covered.")


class RecordingWish(_Wish):
    """Why a copy of the recording is taken away."""


class ExportAnswer(BaseModel):
    """How far an export is. `done` and `all` count files while it is made.

    Of a redaction `covered` says whom, what and with what, for whoever is to approve it.
    """

    id: str
    what: str
    incident: str
    call: str | None
    state: str
    what_to_do: str
    by: str
    reason: str
    covered: str | None
    asked: str | None
    approved_by: str | None
    needs_approval: bool
    made: str | None
    digest: str | None
    failed: str | None
    fetched: int
    done: int | None = None
    all: int | None = None


class Exports(BaseModel):
    """Newest first."""

    four_eyes: bool
    items: list[ExportAnswer]


@router.get("/api/exports")
async def exports(request: Request) -> Exports:
    """What was asked for, the newest hundred."""
    the = service(request)
    desk = await the.read(read_desk)
    progress = await asyncio.to_thread(_progress, the)
    items = [_answer(the, one, progress) for one in reversed(desk.exports.values())]
    return Exports(four_eyes=the.config.evidence.four_eyes, items=items[:100])


@router.post("/api/incidents/{id}/pack", status_code=202)
async def pack(request: Request, id: Id, wish: PackWish) -> ExportAnswer:
    """Ask for an evidence pack of an incident."""
    if await service(request).read(queries.incident, id) is None:
        raise not_found("incident", id)
    return await _ask(request, IncidentId(id), desks.PACK, wish.reason, redacted=wish.redacted)


@router.post("/api/calls/{id}/redaction", status_code=202)
async def redaction(request: Request, id: Id, wish: RedactionWish) -> ExportAnswer:
    """Ask for a redacted copy of a call's recording."""
    the = service(request)
    await file_of(the, id, "")
    legs = [row.id for row in await the.read(queries.legs_of, id)]
    if wish.party not in (desks.POINT, desks.OTHERS, desks.EVERYONE, *legs):
        raise ApiError(422, "unknown-party", f"There is no party {wish.party}.", "Write point, others, everyone or a leg's id.")
    if any(begin >= end for begin, end in wish.spans_ms):
        raise ApiError(422, "bad-span", "A span must end after it begins.", "Write [from, to] in milliseconds.")
    spans = tuple(sorted(wish.spans_ms))
    more = {"of": id, "spans": spans, "party": wish.party, "cover": wish.cover, "alone": wish.alone}
    return await _ask(request, incident_of_call(CallId(id)), desks.REDACTION, wish.reason, **more)


@router.post("/api/calls/{id}/export", status_code=202)
async def recording(request: Request, id: Id, wish: RecordingWish) -> ExportAnswer:
    """Ask for a copy of a call's recording to take away."""
    await file_of(service(request), id, "")
    return await _ask(request, incident_of_call(CallId(id)), desks.RECORDING, wish.reason, of=id)


@router.post("/api/exports/{id}/approve")
async def approve(request: Request, id: Id) -> Done:
    """Agree to what somebody else asked for."""
    the, who = service(request), signed_in(request)
    export = await _export(the, id)
    if why := desks.objection(export, who.user, _now_ns(the)):
        raise ApiError(403, "not-yours-to-approve", f"Export {id}: {why}.", "Ask another supervisor or auditor.")
    fact = f.ExportApproved(id, export.asked.incident, who.user)
    await the.notes.journalled(fact, id_of(fact, uuid.uuid4().hex))
    return Done()


@router.get("/api/exports/{id}/file", response_class=Response)
async def file(request: Request, id: Id) -> Response:
    """Take it away. Who does so is journalled before the first byte goes out."""
    the, who = service(request), signed_in(request)
    export = await _export(the, id)
    state = export.state(_now_ns(the), the.config.evidence.four_eyes)
    if state != desks.READY:
        status = {desks.WAITING: 403, desks.EXPIRED: 410}.get(state, 409)
        code = "second-person-needed" if state == desks.WAITING else f"export-{state}"
        raise ApiError(status, code, f"Export {id} is {state}{': ' * bool(export.failed)}{export.failed}.", _WHAT_TO_DO[state])
    if export.approved_by and who.user not in (export.asked.by, export.approved_by):
        what_to_do = "Who asked for it or approved it can fetch it; or ask for one of your own."
        raise ApiError(403, "not-yours", f"Export {id} is {export.asked.by}'s.", what_to_do)
    path, digest = await _file(the, export)
    if await asyncio.to_thread(_sum, the, path) != digest:
        what_to_do = "Run callserver verify; a pack is asked for anew."
        raise ApiError(409, "export-altered", f"The file of export {id} is not what the journal says.", what_to_do)
    file = None if path.suffix == ".zip" else open_sound(the, path)  # a pack is never encrypted
    fetched = f.ExportFetched(id, export.asked.incident, digest, who.user)
    try:
        await the.notes.journalled(fetched, id_of(fetched, uuid.uuid4().hex))
    except BaseException:
        if file is not None:
            file.close()
        raise
    name = f"{export.asked.of or export.asked.incident}-{export.asked.what}{path.suffix}"
    if file is None:
        return FileResponse(path, media_type="application/zip", filename=name, headers={"X-SHA256": digest})
    size = size_of(file)
    headers = {"X-SHA256": digest, "Content-Length": str(size), "Content-Disposition": f'attachment; filename="{name}"'}
    return Streamed(file, ranges.span(None, size), headers)


async def _ask(request: Request, incident: IncidentId, what: str, reason: str, **more: object) -> ExportAnswer:
    the = service(request)
    four_eyes, now_ns = the.config.evidence.four_eyes, _now_ns(the)
    states = [one.state(now_ns, four_eyes) for one in (await the.read(read_desk)).exports.values()]
    if sum(state in (desks.WAITING, desks.QUEUED) for state in states) >= MOST_WAITING:
        raise ApiError(429, "too-many-exports", "Too much is asked for and not made yet.", "Wait until some of it is made.")
    body = {"export": uuid.uuid4().hex[:12], "incident": incident, "what": what, "by": signed_in(request).user, **more}
    asked = msgspec.convert({**body, "reason": reason.strip(), "four_eyes": four_eyes}, f.ExportAsked)
    await the.notes.journalled(asked, id_of(asked))
    return _answer(the, desks.Export(asked, _now_ns(the)), {})


async def _export(the: Service, id: str) -> desks.Export:
    found = (await the.read(read_desk)).exports.get(id)
    if found is None:
        raise not_found("export", id)
    return found


async def _file(the: Service, export: desks.Export) -> tuple[Path, str]:
    """Where it lies, and its SHA-256. Raises `ApiError` with 404 where it is gone."""
    asked, recordings = export.asked, the.config.storage.recordings
    if asked.what == desks.PACK:
        path, digest = the.config.storage.data / desks.PACKS / f"{asked.export}.zip", export.digest
    elif asked.what == desks.RECORDING:
        path = await file_of(the, asked.of, "")
        made = await the.read(queries.recording, asked.of)
        digest = (made.files if made else {}).get(f"{path.parent.name}/{path.name}", "")
    else:
        made_of = (await the.read(read_desk)).redactions[asked.export]
        name = next(name for name in made_of.files if name.endswith("-call.flac"))
        path, digest = recordings / name, made_of.files[name]
    if not await asyncio.to_thread(path.is_file):
        raise ApiError(404, "export-gone", f"The file of export {asked.export} is gone.", "Ask for it anew.")
    return path, digest


def _sum(the: Service, path: Path) -> str:
    """SHA-256 of what is handed out. Raises `ApiError` where it cannot be read."""
    total = hashlib.sha256()
    with open_sound(the, path) as file:
        while part := file.read(ranges.PART_BYTES):
            total.update(part)
    return total.hexdigest()


def _answer(the: Service, export: desks.Export, progress: dict[str, tuple[int, int]]) -> ExportAnswer:
    asked, four_eyes = export.asked, the.config.evidence.four_eyes
    state = export.state(_now_ns(the), four_eyes)
    done, all = progress.get(asked.export, (None, None))
    return ExportAnswer(
        id=asked.export,
        what=asked.what,
        incident=asked.incident,
        call=asked.of or None,
        state=state,
        what_to_do=_WHAT_TO_DO[state],
        by=asked.by,
        reason=asked.reason,
        covered=desks.covered(asked) or None,
        asked=rfc3339(export.asked_utc_ns),
        approved_by=export.approved_by or None,
        needs_approval=four_eyes or asked.four_eyes,
        made=rfc3339(export.made_utc_ns or None),
        digest=export.digest or None,
        failed=export.failed or None,
        fetched=export.fetched,
        done=done,
        all=all,
    )


def _progress(the: Service) -> dict[str, tuple[int, int]]:
    """What the archivist tells of what it makes now; nothing where it makes nothing."""
    try:
        return msgspec.json.decode((the.config.storage.run / desks.PROGRESS).read_bytes(), type=dict[str, tuple[int, int]])
    except (OSError, msgspec.DecodeError):
        return {}


def _now_ns(the: Service) -> int:
    return round(the.now_s() * 1000) * 1_000_000
