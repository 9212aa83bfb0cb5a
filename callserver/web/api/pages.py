"""The pages for browsers: files of the package under `console/`, as they are, and nothing else.

They hold no data: what they show comes by the API, which asks who is there. Browsers ask each time whether a file is still the
same (ETag), so that an upgrade is taken at once.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from callserver.web.errors import ApiError
from callserver.web.ranges import inside

CONSOLE = Path(__file__).parent.parent / "console"

KINDS: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
}
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; media-src 'self' blob:; font-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
def console(request: Request) -> Response:
    """The operators' page."""
    return _page(request, "index.html")


@router.api_route("/replay", methods=["GET", "HEAD"])
def replay(request: Request) -> Response:
    """The auditors' page."""
    return _page(request, "replay.html")


@router.api_route("/console/{path:path}", methods=["GET", "HEAD"])
def file(request: Request, path: str) -> Response:
    """One file of the pages."""
    return _file(request, path)


def _page(request: Request, name: str) -> Response:
    """For browsers; a program that asks for JSON here is told that there is none."""
    accepted = request.headers.get("accept", "*/*")
    if "text/html" not in accepted and "*/*" not in accepted:
        raise _nothing()
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    kind = KINDS.get(Path(name).suffix)
    hidden = any(part.startswith(".") for part in name.split("/"))
    if kind is None or hidden or "\\" in name or "\0" in name:
        raise _nothing()
    directory: Path = request.app.state.console
    try:
        content = inside(directory, name).read_bytes()
    except (OSError, ValueError):  # not there, a directory, or out of ours
        raise _nothing() from None
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**HEADERS, "ETag": tag}
    if tag in [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=kind)


def _nothing() -> ApiError:
    return ApiError(404, "not-found", "There is nothing at this address.", "See /openapi.json for what there is.")
