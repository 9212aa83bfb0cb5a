"""The web app: routes, roles, errors and headers put together. Reads the store, asks the switchboard, decides nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute, APIWebSocketRoute
from sqlalchemy import Engine

from callserver.config import Config
from callserver.control import CommandClient, CommandRefused, Unavailable
from callserver.version import VERSION
from callserver.web import errors
from callserver.web.api import (
    call_backs,
    calls,
    desk,
    disclosures,
    health,
    holds,
    incidents,
    live,
    live_calls,
    looks,
    pages,
    plans,
    quality,
    recording,
    replay,
    search_csv,
    searches,
    seat,
    session,
    state,
)
from callserver.web.gate import gate
from callserver.web.guard import Guard
from callserver.web.notes import Notes
from callserver.web.present import Present
from callserver.web.roles import check_complete
from callserver.web.sent import tell_rest, tell_sent
from callserver.web.service import Service
from callserver.web.sessions import Sessions

SESSIONS_FILE = "web-sessions.json"
LAST_WORDS_S = 0.5  # in which the process tells, when it ends, what was sent

_ROOMS = (
    health,
    session,
    incidents,
    calls,
    call_backs,
    live_calls,
    recording,
    looks,
    replay,
    holds,
    state,
    plans,
    live,
    seat,
    pages,
    desk,
    disclosures,
    quality,
    searches,
    search_csv,
)
_ROUTERS = tuple(room.router for room in _ROOMS)
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})
_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": errors.ErrorAnswer, "description": "Refused; the body says why and what to do."},
    "5XX": {"model": errors.ErrorAnswer, "description": "Not possible now; the body says why and what to do."},
}


def create_app(
    config: Config,
    engine: Engine,
    commands: CommandClient,
    *,
    metrics_token: str = "",
    now_s: Callable[[], float] = time.time,
    console: Path = pages.CONSOLE,
) -> FastAPI:
    """The app on a read-only engine and a client of the command socket; both stay the caller's, but `commands` is closed."""
    run_dir = config.storage.run
    present = Present(run_dir, config.storage.feed_socket, now_s)
    the = Service(config, engine, commands, Sessions(run_dir / SESSIONS_FILE), Notes(commands), present, metrics_token, now_s)
    app = FastAPI(
        title="callserver",
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(gate)],
        responses=_ERRORS,
        lifespan=_lifespan,
    )
    app.state.service = the
    app.state.console = console
    app.add_api_route("/openapi.json", _openapi, methods=["GET"], include_in_schema=False)
    check_complete(_served([app.router, *_ROUTERS]))
    for router in _ROUTERS:
        app.include_router(router)
    errors.install(app)
    app.add_middleware(Guard, origins=config.web.origins)
    app.middleware("http")(_counted)
    return app


def _served(routers: Iterable[APIRouter]) -> list[tuple[str, str]]:
    routes = [route for router in routers for route in router.routes]
    made = [route for route in routes if isinstance(route, APIRoute)]
    plain = [(method, route.path) for route in made for method in (route.methods or set()) - {"HEAD"}]  # goes as GET
    return plain + [("WS", route.path) for route in routes if isinstance(route, APIWebSocketRoute)]


async def _openapi(request: Request) -> dict[str, Any]:
    """The description of all this, for integrators."""
    described: dict[str, Any] = request.app.openapi()
    return described


async def _counted(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    status = 500
    try:
        response = await call_next(request)
        status = response.status_code
    finally:
        method = request.method if request.method in _METHODS else "other"
        request.app.state.service.counts.requests.labels(method, str(status)).inc()
    return response


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    the: Service = app.state.service
    telling = asyncio.get_running_loop().create_task(the.notes.run())
    sent = asyncio.get_running_loop().create_task(tell_sent(the.sent, the.config, the.now_s, the.notes.soon))
    running = (telling, sent, *the.present.tasks(the.session))
    for task in running:
        task.add_done_callback(_ended)
    try:
        yield
    finally:
        with contextlib.suppress(TimeoutError, Unavailable, CommandRefused):
            async with asyncio.timeout(LAST_WORDS_S):
                await tell_rest(the.sent, the.config, the.notes.journalled)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await the.commands.close()


def _ended(task: asyncio.Task[None]) -> None:
    """One that fails takes the process with it, which is started anew: screens that show the past are worse than none."""
    if not task.cancelled() and (error := task.exception()) is not None:
        asyncio.get_running_loop().call_exception_handler({"message": "the web process cannot go on", "exception": error})
        raise SystemExit(1)
