"""How the service is: alive, ready, in figures. None of these needs a session."""

import asyncio
import hmac
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from callserver.store import queries
from callserver.version import VERSION
from callserver.web import metrics
from callserver.web.errors import ApiError, ErrorAnswer
from callserver.web.service import Service, service

STORE_WITHIN_S = 2.0

router = APIRouter()


class Alive(BaseModel):
    """The web process answers."""

    alive: bool
    version: str


class Ready(BaseModel):
    """Whether a press would be served as planned, else why not."""

    ready: bool
    reasons: list[str]


@router.get("/healthz")
async def healthz() -> Alive:
    """The process lives. Looks at no disk, database or other process."""
    return Alive(alive=True, version=VERSION)


@router.get("/readyz", response_model=Ready, responses={503: {"model": ErrorAnswer, "description": "Not ready."}})
async def readyz(request: Request) -> Any:
    """Whether a press would be served: switchboard, plan and store."""
    the = service(request)
    status = await the.status_or_none()
    reasons = ["the switchboard does not answer"] if status is None else list(status.reasons)
    if await _counts(the) is None:
        reasons.append("the store cannot be read")
    ready = not reasons and status is not None and status.ready
    if ready:
        return Ready(ready=True, reasons=[])
    words = "; ".join(reasons) or "the switchboard is not ready"
    error = {"code": "not-ready", "message": f"Not ready: {words}.", "what_to_do": "Run callserver doctor."}
    return JSONResponse({"ready": False, "reasons": reasons, "error": error}, 503)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def figures(request: Request) -> Response:
    """Figures for Prometheus."""
    the = service(request)
    if the.metrics_token:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {the.metrics_token}".encode()):
            what_to_do = "Send Authorization: Bearer with the token of [web] metrics_token_file."
            raise ApiError(401, "token-required", "The figures want a token.", what_to_do, {"WWW-Authenticate": "Bearer"})
    by_state, status = await asyncio.gather(_counts(the), the.status_or_none())
    return Response(metrics.page(the.counts, by_state, status, _own(the)), media_type=metrics.CONTENT_TYPE)


def _own(the: Service) -> dict[str, tuple[str, int]]:
    return {
        "facts_waiting": ("Facts that wait for the switchboard.", the.notes.waiting),
        "pages": ("Pages that watch the board.", len(the.present.live)),
        "seats": ("Pages that are seats.", len(the.present.seats)),
        "feed_live": ("Whether the switchboard's feed is heard.", int(the.present.feed.live)),
    }


async def _counts(the: Service) -> dict[str, dict[str, int]] | None:
    try:
        return await asyncio.wait_for(the.read(queries.counts), STORE_WITHIN_S)
    except (SQLAlchemyError, TimeoutError):
        return None
