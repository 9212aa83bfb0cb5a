"""Tells people by webhook or mail, beside the calls: a try runs in a thread of its own, and nothing here waits for one.

A notice is tried TRIES times with growing pauses; then `NoticeDone` says that it was given up and why. The core orders an
unsettled one again after a restart, so whoever is told may be told twice: its id is the same.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence

import structlog

from callserver.core.effects import Notify
from callserver.core.events import Event, NoticeDone
from callserver.media.urgency import LATER, rank

TRIES = 3
PAUSES_S = (2.0, 10.0)
TRY_LIMIT_S = 20.0  # each wait for the network inside it ends after 5 s
MOST_AT_ONCE = 8
MOST_WAITING = 500
log = structlog.get_logger()


class NotTold(Exception):
    """One try failed; the text says why, without secrets."""


class Notices:
    """See the module. `deliver(order)` tells in the thread that calls it and raises NotTold."""

    def __init__(
        self, deliver: Callable[[Notify], None], post: Callable[[Event], None], pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self._deliver, self._post, self._pauses_s = deliver, post, pauses_s
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def __call__(self, order: Notify) -> None:
        """Tell it; `NoticeDone` follows. One that is under way is not begun twice."""
        if order.id in self._under_way:
            return
        if len(self._under_way) >= MOST_WAITING:
            self._post(NoticeDone(order.id, False, f"{MOST_WAITING} notices wait already"))
            return
        task = asyncio.get_running_loop().create_task(self._tell(order))
        self._under_way[order.id] = task
        task.add_done_callback(lambda _: self._under_way.pop(order.id, None))

    async def stop(self) -> None:
        """Give up what is under way, unsettled: a successor is told to begin it again."""
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, order: Notify) -> None:
        why = ""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(self._pauses_s[number - 1])
            try:
                await self._try(order)
            except NotTold as error:
                why = str(error)
                log.warning("notice.not_told", notice=order.id, to=order.notice.id, number=number + 1, why=why)
                continue
            self._post(NoticeDone(order.id, True, f"told at try {number + 1}" if number else "told"))
            return
        self._post(NoticeDone(order.id, False, f"given up after {TRIES} tries: {why}"))

    async def _try(self, order: Notify) -> None:
        """One try; its thread has its place until it ends, even when nobody waits for it any more."""
        await self._room.acquire()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[str] = loop.create_future()

        def finish(why: str) -> None:
            self._room.release()
            if not done.done():
                done.set_result(why)

        def work() -> None:
            why = "an internal error; see the log"
            try:
                rank(LATER)
                self._deliver(order)
                why = ""
            except NotTold as error:
                why = str(error) or "no reason given"
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                    loop.call_soon_threadsafe(finish, why)

        threading.Thread(target=work, name="notice", daemon=True).start()
        try:
            why = await asyncio.wait_for(done, TRY_LIMIT_S)
        except TimeoutError as error:
            raise NotTold(f"no end within {TRY_LIMIT_S:.0f} s") from error
        if why:
            raise NotTold(why)
