"""Listening: a call's FLAC, with ranges. Whoever listens says why, and the journal has it before the first byte goes out."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from callserver.config import ConfigError, site_keys
from callserver.core.facts import Downloaded, Listened
from callserver.core.ids import CallId, incident_of_call
from callserver.sealed import KeyMissing, opened, size_of
from callserver.store import queries
from callserver.web import ranges
from callserver.web.api.holds import require_sound
from callserver.web.api.incidents import Id
from callserver.web.errors import ApiError, ErrorAnswer, not_found
from callserver.web.gate import signed_in
from callserver.web.openings import Opening
from callserver.web.service import Service, service
from callserver.web.spans import Span

MEDIA_TYPE = "audio/flac"
REASON_MOST = 500
LISTENING = "call"  # the archivist's name for the stereo file; those of legs are named after them

router = APIRouter()

_ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "The whole file."},
    206: {"content": {MEDIA_TYPE: {}}, "description": "One range of it."},
    400: {"model": ErrorAnswer, "description": "No reason was given."},
    403: {"model": ErrorAnswer, "description": "A copy, not listening, and the site wants four eyes."},
    404: {"model": ErrorAnswer, "description": "No such call, leg, or recording yet."},
    410: {"model": ErrorAnswer, "description": "It was deleted; the words say when and by which rule."},
    416: {"model": ErrorAnswer, "description": "The range begins past the end."},
}


@router.get("/api/calls/{id}/recording", response_class=Response, responses=_ANSWERS)
async def recording(
    request: Request,
    id: Id,
    reason: Annotated[str, Query(max_length=REASON_MOST, description="Why you listen; it is journalled. Required.")] = "",
    leg: Annotated[str, Query(max_length=128, description="One leg alone. Default: left the point, right what it heard.")] = "",
) -> Response:
    """A call's recording as FLAC."""
    the = service(request)
    if not reason.strip():
        what_to_do = "Add ?reason= with a few words: why you listen. They are journalled with your name."
        raise ApiError(400, "reason-required", "A recording is not played without a reason.", what_to_do)
    _require_listening(the, request, leg)
    path = await file_of(the, id, leg)
    file = open_sound(the, path)
    size = size_of(file)
    try:
        wanted = ranges.span(request.headers.get("range"), size)
        opening = opening_of(request, id, reason, leg)
        await _journal(the, opening, path, wanted)
    except ranges.NotSatisfiable:
        file.close()
        headers = {"Content-Range": f"bytes */{size}"}
        raise ApiError(416, "no-such-range", f"The recording has {size} bytes.", "Ask for less.", headers) from None
    except BaseException:
        file.close()
        raise

    def told(sent: Span) -> None:
        the.sent.note(opening, path, size, sent, the.now_s())

    return _answer(file, wanted, f"{leg or id}.flac", told)


def opening_of(request: Request, call: str, reason: str, leg: str) -> Opening:
    """What whoever asks opens with this."""
    session = signed_in(request)
    return Opening(session.user, session.expires_s, call, reason.strip(), leg)


def open_sound(the: Service, path: Path) -> BinaryIO:
    """A file of a recording, decrypted where it lies encrypted. Raises `ApiError` with 503."""
    try:
        return opened(path, site_keys(the.config))
    except (KeyMissing, ConfigError) as error:
        raise without_key() from error
    except OSError as error:
        what_to_do = "Run callserver verify --files, and look for the disk."
        raise ApiError(503, "recording-unreadable", f"The recording cannot be read: {error.strerror}.", what_to_do) from error


def without_key() -> ApiError:
    """What is answered where the site's key is missing."""
    message = "The recording is encrypted, and the site's key is missing."
    return ApiError(503, "recording-encrypted", message, "Put the site's key back to where [storage] site_key_file says.")


def _require_listening(the: Service, request: Request, leg: str) -> None:
    """Where copies need a second person: players ask for ranges of the whole call, whoever wants the file as such does not."""
    if the.config.evidence.four_eyes and (leg or "range" not in request.headers):
        what_to_do = (
            "Listen in the replay; for a copy POST /api/calls/{id}/export, and have another supervisor or auditor approve it."
        )
        raise ApiError(403, "second-person-needed", "A copy of a recording needs a second person.", what_to_do)


def _answer(file: BinaryIO, wanted: ranges.Span, name: str, told: Callable[[Span], None]) -> Response:
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(wanted.length),
        "Content-Disposition": f'inline; filename="{name}"',
    }
    if wanted.partial:
        headers["Content-Range"] = wanted.content_range
    return Streamed(file, wanted, headers, told)


class Streamed(StreamingResponse):
    """A stretch of a file, which is closed whatever happens: players break off most answers, some before the first byte.

    `told` hears at the end which bytes were handed to the connection; a player that breaks off may have got a little less.
    """

    def __init__(
        self, file: BinaryIO, wanted: ranges.Span, headers: dict[str, str], told: Callable[[Span], None] = lambda sent: None
    ) -> None:
        super().__init__(ranges.read(file, wanted), 206 if wanted.partial else 200, headers, MEDIA_TYPE)
        self._file, self._told = file, told
        self._first = self._next = wanted.first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            await send(message)
            self._next += len(message.get("body", b""))

        try:
            await super().__call__(scope, receive, counted)
        finally:
            self._file.close()
            self._told((self._first, self._next))


async def file_of(the: Service, call: str, leg: str) -> Path:
    """Where a call's recording, or that of one leg, lies; the file may be gone all the same. Raises `ApiError` with 404."""
    if await the.read(queries.call, call) is None:
        raise not_found("call", call)
    await require_sound(the, call)
    made = await the.read(queries.recording, call)
    files = [name for name in (made.files if made else {}) if name.endswith(".flac")]
    if not files:
        why = f" The last try failed: {made.last_failure}." if made and made.last_failure else ""
        what_to_do = "It is made within a minute of the call's end; try again then."
        raise ApiError(404, "no-recording-yet", f"Call {call} has no recording yet.{why}", what_to_do)
    legs = [row.id for row in await the.read(queries.legs_of, call)]
    name = _chosen(files, legs, leg)
    if name is None:
        raise not_found("recording of leg", leg)
    return ranges.inside(the.config.storage.recordings, name)


def _chosen(files: list[str], legs: list[str], leg: str) -> str | None:
    """The file of one leg (named after it), or the one that is of no single leg: the stereo file for listening."""
    if leg:
        return next((name for name in files if leg in legs and Path(name).stem == leg), None)
    whole = [name for name in files if Path(name).stem not in legs]
    return min(whole, key=lambda name: (Path(name).stem != LISTENING, name), default=None)


async def _journal(the: Service, opening: Opening, path: Path, wanted: ranges.Span) -> None:
    """Every opening is journalled; later ranges of what the same session opened for the same reason are part of it. Players ask
    for ranges: whoever wants the file as such takes it away."""
    call, leg = CallId(opening.call), opening.leg
    if wanted.first == 0 or not the.openings.recent(opening, the.now_s()):
        await the.notes.journalled(Listened(call, opening.user, opening.reason, wanted.first, leg))
        the.openings.note(opening, the.now_s())
    if not wanted.partial:
        made = await the.read(queries.recording, opening.call)
        digest = (made.files if made else {}).get(f"{path.parent.name}/{path.name}", "")
        what = "leg" if leg else "recording"
        await the.notes.journalled(Downloaded(opening.user, what, digest, call, incident_of_call(call) or None, leg))
