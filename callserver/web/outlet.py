"""What is to be sent to one page: a bounded queue and the one task that empties it.

A page that does not keep up is closed (1013, try again later) and comes back by itself; the others do not wait for it.
`serve` ends with the first of: the page is gone, its reader is done, or the outlet was closed from this side.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

MISUSED = 1008
LATER = 1013
SIGNED_OUT = 4401
NOT_ALLOWED = 4403

MOST_MESSAGES = 500
MOST_CHARACTERS = 8 << 20
CLOSE_WITHIN_S = 5.0


class Outlet:
    """See the module."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque()
        self._size = 0
        self._wake = asyncio.Event()
        self._closing: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()

    def put(self, text: str) -> None:
        """Send it in its turn. Closes a page that has too much waiting."""
        if self._closing.done():
            return
        if len(self._waiting) >= MOST_MESSAGES or self._size + len(text) > MOST_CHARACTERS:
            self._waiting.clear()
            self.close(LATER, "the page does not keep up")
            return
        self._waiting.append(text)
        self._size += len(text)
        self._wake.set()

    def close(self, code: int, why: str) -> None:
        """End the connection when what waits is sent, within `CLOSE_WITHIN_S`. The first reason stands."""
        if not self._closing.done():
            self._closing.set_result((code, why))
            self._wake.set()

    async def serve(self, websocket: WebSocket, read: Awaitable[None]) -> None:
        """Send and read until either ends; the page is gone afterwards."""
        writing = asyncio.ensure_future(self._write(websocket))
        reading = asyncio.ensure_future(read)
        try:
            either: set[asyncio.Future[Any]] = {writing, reading, self._closing}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._closing.done():
                await self._close(websocket, writing, *self._closing.result())
        finally:
            self._closing.cancel()
            for task in (writing, reading):
                task.cancel()
            ended = await asyncio.gather(writing, reading, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception) and not isinstance(error, WebSocketDisconnect):
                raise error

    async def _write(self, websocket: WebSocket) -> None:
        while True:
            while self._waiting:
                text = self._waiting.popleft()
                self._size -= len(text)
                try:
                    await websocket.send_text(text)
                except RuntimeError:  # the server has closed it already: too long a message, or no answer to its ping
                    return
            if self._closing.done():
                return
            self._wake.clear()
            await self._wake.wait()

    @staticmethod
    async def _close(websocket: WebSocket, writing: asyncio.Future[None], code: int, why: str) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # gone meanwhile, or does not take even this
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await writing
                await websocket.close(code, why)
