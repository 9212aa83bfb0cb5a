"""A service that plays a part: serves the console's real files and says on its two WebSockets what a test wants it to say.

It takes the place of the web process where a test is about the page alone. What the page asked for and said is kept.
"""

import asyncio
import json
import mimetypes
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.console import boards
from tests.eventually import eventually_sync

CONSOLE = Path(__file__).resolve().parents[2] / "callserver" / "web" / "console"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
PASSWORD, LINK = "correct horse", "a-good-link"
Message = dict[str, Any]


class Stage:
    """What the service knows, and what the page did. Every method may be called from the test's own thread."""

    def __init__(self) -> None:
        self.person: Message | None = {"user": "mary", "role": "operator", "operator": "mary", "name": "Mary Webb"}
        self.signed_in = True
        self.items: Message = boards.town()
        self.fit = True
        self.live = True
        self.beating = True
        self.answering: dict[str, tuple[int, Message]] = {}
        self.asked: list[tuple[str, Message]] = []
        self.said: list[Message] = []
        self.watches: list[Message] = []
        self.number, self.epoch = 1, "e1"
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._boards: set[WebSocket] = set()
        self._seats: set[WebSocket] = set()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def put(self, items: Message) -> None:
        """A whole new board, as after a restart of the switchboard."""
        self.items, self.epoch = items, f"{self.epoch}+"
        self._run(self._send_snapshots())

    def change(self, items: Message) -> None:
        """Some items changed; None for what is gone."""
        self.items = {key: item for key, item in {**self.items, **items}.items() if item is not None}
        self.number += 1
        message = {"type": "changes", "number": self.number, "now_ms": boards.NOW_MS, "items": items}
        self._run(self._send(self._boards, message))

    def tell(self, message: Message) -> None:
        """Something for the page that is the seat."""
        self._run(self._send(self._seats, message))

    def drop(self, *, seat: bool = True, board: bool = True) -> None:
        """The connections break."""
        both = [*(self._seats if seat else ()), *(self._boards if board else ())]
        self._run(self._close(both))

    def told_by_page(self, kind: str) -> list[Message]:
        """What the page said of this type."""
        return [one for one in self.said if one.get("type") == kind]

    def _run(self, work: Any) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _send(self, sockets: set[WebSocket], message: Message) -> None:
        for one in list(sockets):
            await one.send_text(json.dumps(message))

    async def _send_snapshots(self) -> None:
        await self._send(self._boards, self._snapshot())

    async def _close(self, sockets: list[WebSocket]) -> None:
        for one in sockets:
            await one.close(1012)

    def _snapshot(self) -> Message:
        user = self.person or {"user": "", "role": ""}
        base = {"type": "snapshot", "epoch": self.epoch, "number": self.number, "now_ms": boards.NOW_MS, "items": self.items}
        return {**base, "user": user["user"], "role": user["role"]}

    async def _board(self, ws: WebSocket) -> None:
        await ws.accept()
        self.watches.append(await ws.receive_json())
        await ws.send_text(json.dumps(self._snapshot()))
        self._boards.add(ws)
        beats = asyncio.get_running_loop().create_task(self._beat(ws))
        await self._until_closed(ws, lambda _message: None)
        self._boards.discard(ws)
        beats.cancel()

    async def _beat(self, ws: WebSocket) -> None:
        """Once a second; the service's clock stands still, so that screenshots are the same each time."""
        while not await _passed(self._stopping, 1):
            if self.beating:
                await ws.send_text(
                    json.dumps({"type": "beat", "number": self.number, "now_ms": boards.NOW_MS, "live": self.live})
                )

    async def _seat(self, ws: WebSocket) -> None:
        await ws.accept()
        first = await ws.receive_json()
        self.said.append(first)
        await ws.send_json({"type": "opened", "seat": first["seat"] or "s-1"})
        await ws.send_json({"type": "fit", "fit": self.fit, "why": "" if self.fit else "no sound has come from the page yet"})
        self._seats.add(ws)
        await self._until_closed(ws, self.said.append)
        self._seats.discard(ws)

    async def _until_closed(self, ws: WebSocket, take: Callable[[Message], None]) -> None:
        try:
            while True:
                take(await ws.receive_json())
        except (WebSocketDisconnect, RuntimeError):
            return  # closed by the page, or by drop()

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.signed_in = False
            return Response(status_code=204)
        if request.method == "POST":
            given = await request.json()
            self.signed_in = given.get("password") == PASSWORD or given.get("token") == LINK
            if not self.signed_in:
                return _error(401, "wrong-password", "User and password do not fit.", "Check both and try again.")
        if not self.signed_in or self.person is None:
            return _error(401, "not-signed-in", "You are not signed in.", "Sign in.")
        return JSONResponse({**self.person, "expires": "2026-11-25T12:00:00Z"})

    async def _command(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append((request.url.path, body))
        status, answer = self.answering.get(request.url.path, (200, {"done": True}))
        return JSONResponse(answer, status)

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response((CONSOLE / Path(name).name).read_bytes(), media_type=kind, headers=headers)

    def app(self) -> Starlette:
        """The routes that the console uses."""
        return Starlette(
            routes=[
                Route("/", self._file),
                Route("/console/{name}", self._file),
                Route("/api/session", self._sign_in, methods=["GET", "POST", "DELETE"]),
                Route("/api/session/link", self._sign_in, methods=["POST"]),
                Route("/api/{rest:path}", self._command, methods=["POST"]),
                WebSocketRoute("/api/live", self._board),
                WebSocketRoute("/api/seat", self._seat),
            ]
        )

    def serve(self, server: uvicorn.Server, listener: socket.socket) -> None:
        """Run until the server is told to end."""

        async def run() -> None:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            await server.serve(sockets=[listener])

        asyncio.run(run())

    def stop_beats(self) -> None:
        """Nothing more is sent."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stopping.set)


async def _passed(event: asyncio.Event, within_s: float) -> bool:
    """Whether the event came within that time."""
    try:
        await asyncio.wait_for(event.wait(), within_s)
    except TimeoutError:
        return False
    return True


def _error(status: int, code: str, message: str, what_to_do: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "what_to_do": what_to_do}}, status)


@contextmanager
def staged() -> Iterator[Stage]:
    """A stage on a port of its own."""
    stage = Stage()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stage.port = listener.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(stage.app(), log_level="error", lifespan="off", ws="websockets-sansio"))
        thread = threading.Thread(target=stage.serve, args=(server, listener), name="stage")
        thread.start()
        try:
            eventually_sync(lambda: server.started, 10)
            yield stage
        finally:
            stage.stop_beats()
            server.should_exit = server.force_exit = True
            thread.join()
