"""The web service on a real listening socket, pages that speak WebSocket, and a scripted switchboard at the feed's other end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from callserver import feed
from callserver.web.main import Server, settings
from callserver.web.sessions import COOKIE
from tests.eventually import eventually
from tests.web.desk import OPERATOR, Desk

WITHIN_S = 5.0
BOARD: Mapping[str, feed.Item] = {
    "service": {"version": "1", "plan": "darlington"},
    f"operator/{OPERATOR}": {"id": OPERATOR, "name": "Anna Example", "state": "off"},
    "incident/a": {"id": "a", "state": "waiting"},
}


@dataclass
class Peer:
    """The switchboard's end: listens, notes what is said, says what it is told to."""

    path: Path
    heard: list[feed.Message] = field(default_factory=list)
    watched: int = 0
    deaf: bool = False  # it hangs: what comes is not read
    board: dict[str, feed.Item] = field(default_factory=lambda: dict(BOARD))
    epoch: str = "e1"
    number: int = 10
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> None:
        """Listen, as a new run of the switchboard does."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def stop(self) -> None:
        """As it dies: every connection is cut and nobody listens."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def say(self, message: feed.Message) -> None:
        """To every connection."""
        for writer in self._writers:
            writer.write(feed.frame(message))

    def raw(self, data: bytes) -> None:
        """What is no message."""
        for writer in self._writers:
            writer.write(data)

    def change(self, items: Mapping[str, feed.Item | None], number: int | None = None) -> None:
        """The board changes."""
        self.number = self.number + 1 if number is None else number
        for key, item in items.items():
            if item is None:
                self.board.pop(key, None)
            else:
                self.board[key] = item
        self.say(feed.Changes(self.number, 0, items))

    def of(self, kind: type[feed.Message]) -> list[Any]:
        """What was heard of a kind."""
        return [one for one in self.heard if isinstance(one, kind)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        frames = feed.Frames()
        try:
            while data := await reader.read(65_536):
                await eventually(lambda: not self.deaf, WITHIN_S)
                for message in frames.feed(data):
                    self.heard.append(message)
                    if isinstance(message, feed.Watch):
                        self.watched += 1
                        self._writers.append(writer)
                        writer.write(feed.frame(feed.Snapshot(self.epoch, self.number, 0, dict(self.board))))
        except OSError:
            return
        finally:
            writer.transport.abort()


class Page:
    """One WebSocket of a browser; what it was told so far stands in `told`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.told: list[dict[str, Any]] = []
        self._reading = asyncio.ensure_future(self._read())

    async def say(self, kind: str, **more: Any) -> None:
        """Send one message."""
        await self.connection.send(json.dumps({"type": kind, **more}))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What it was told of a type."""
        return [one for one in self.told if one["type"] == kind]

    async def hears(self, kind: str, count: int = 1, within_s: float = WITHIN_S) -> dict[str, Any]:
        """The message of this type that makes it `count`."""
        await eventually(lambda: len(self.of(kind)) >= count, within_s)
        return self.of(kind)[count - 1]

    async def ended(self, within_s: float = WITHIN_S) -> int | None:
        """The code with which it was closed."""
        await asyncio.wait_for(self.connection.wait_closed(), within_s)
        return self.connection.close_code

    async def close(self) -> None:
        """The page goes."""
        await self.connection.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self.connection:
                self.told.append(json.loads(text))


@dataclass
class Wire:
    """The service as browsers reach it."""

    desk: Desk
    port: int
    peer: Peer
    pages: list[Page] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Of our own pages."""
        return f"http://127.0.0.1:{self.port}"

    async def cookie(self, role: str) -> str:
        """Of a new session."""
        async with self.desk.signed_in(role) as client:
            return client.cookies[COOKIE]

    async def connect(self, path: str, cookie: str = "", **more: Any) -> Page:
        """Open a WebSocket with a session's cookie, by default from our own page."""
        headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie else {}
        named = {"origin": self.origin, "additional_headers": headers, "proxy": None, **more}
        page = Page(await connect(f"ws://127.0.0.1:{self.port}{path}", **named))
        self.pages.append(page)
        return page

    async def watcher(self, role: str = "supervisor", epoch: str = "", number: int = 0) -> Page:
        """A page that watches the board."""
        page = await self.connect("/api/live", await self.cookie(role))
        await page.say("watch", epoch=epoch, number=number)
        return page

    async def seat(self, cookie: str = "", seat: str = "") -> Page:
        """An operator's page that wants to be the seat."""
        page = await self.connect("/api/seat", cookie or await self.cookie("operator"))
        await page.say("open", seat=seat)
        return page

    async def heard_of_board(self) -> None:
        """Wait until the service has a board."""
        await eventually(lambda: self.desk.app.state.service.present.board.epoch, WITHIN_S)


@asynccontextmanager
async def listening(desk: Desk, peer: Peer) -> AsyncIterator[Wire]:
    """The app of a desk on a free loopback port; its lifespan is the desk's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(settings(desk.app, lifespan="off"))
        serving = asyncio.ensure_future(server.serve([listener]))
        await eventually(lambda: server.started, WITHIN_S)
        wire = Wire(desk, listener.getsockname()[1], peer)
        try:
            yield wire
        finally:
            await asyncio.gather(*(page.close() for page in wire.pages))
            server.should_exit = True
            await serving
