"""What every WebSocket here has: a place in the list of open ones, an outlet, a pace, and an end when its session ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.websockets import WebSocket

from callserver.web.outlet import LATER, MISUSED, NOT_ALLOWED, SIGNED_OUT, Outlet
from callserver.web.sessions import COOKIE, Session

MAX_MESSAGE_BYTES = 256 << 10  # what is longer is closed with 1009 by the server
MOST_SOCKETS = 400
MOST_OF_A_SESSION = 24  # so that one browser takes nobody's place
FIRST_WITHIN_S = 10.0
PER_S = 50.0
AT_ONCE = 100.0
_TEXT_ONLY = 1003

_DECODER = msgspec.json.Decoder(dict[str, Any])

Find = Callable[[str], Awaitable[Session | None]]


@dataclass(eq=False, slots=True, frozen=True)
class _Open:
    token: str
    outlet: Outlet
    may_stay: Callable[[], bool]


class Sockets:
    """All that are open."""

    def __init__(self) -> None:
        self._open: set[_Open] = set()

    async def serve(
        self,
        websocket: WebSocket,
        read: Callable[[Outlet], Awaitable[None]],
        may_stay: Callable[[], bool] = lambda: True,
    ) -> None:
        """Accept the page and serve it until it is gone, `read` returns, its session ends, or it may not stay."""
        await websocket.accept()
        token = websocket.cookies.get(COOKIE, "")
        if len(self._open) >= MOST_SOCKETS or sum(one.token == token for one in self._open) >= MOST_OF_A_SESSION:
            await websocket.close(LATER, "too many pages are open")
            return
        outlet = Outlet()
        entry = _Open(token, outlet, may_stay)
        self._open.add(entry)
        try:
            await outlet.serve(websocket, read(outlet))
        finally:
            self._open.discard(entry)

    async def look(self, find: Find) -> None:
        """Close those whose session is over (4401) or who may not have this any more (4403)."""
        for entry in tuple(self._open):
            if await find(entry.token) is None:
                entry.outlet.close(SIGNED_OUT, "the session is over")
            elif not entry.may_stay():
                entry.outlet.close(NOT_ALLOWED, "not an operator of the plan any more")


class Pace:
    """`per_s` things a second, `at_once` at once. Time comes as an argument, in seconds."""

    def __init__(self, per_s: float, at_once: float) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._left = at_once
        self._at_s: float | None = None

    def keeps(self, now_s: float) -> bool:
        """Whether one more now is within the pace."""
        since_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._left = min(self._at_once, self._left + since_s * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def messages(websocket: WebSocket, outlet: Outlet) -> AsyncIterator[dict[str, Any]]:
    """The objects that a page sends. Ends when it is gone, and closes it when it is too fast, silent at first, or no JSON."""
    pace, loop = Pace(PER_S, AT_ONCE), asyncio.get_running_loop()
    limit_s: float | None = FIRST_WITHIN_S
    while True:
        try:
            async with asyncio.timeout(limit_s):
                event = await websocket.receive()
        except TimeoutError:
            outlet.close(MISUSED, f"no message within {FIRST_WITHIN_S:.0f} s")
            return
        limit_s = None
        if event["type"] == "websocket.disconnect":
            return
        text = event.get("text")
        if text is None:
            outlet.close(_TEXT_ONLY, "messages are text")
            return
        if not pace.keeps(loop.time()):
            outlet.close(MISUSED, "too many messages")
            return
        try:
            message = _DECODER.decode(text)
        except (ValueError, RecursionError):
            outlet.close(MISUSED, "a message is a JSON object")
            return
        yield message
