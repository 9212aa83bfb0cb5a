"""What is live in the web process, put together: the board, those who watch it, the seats, the feed that tells of them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from callserver.web.board import Board
from callserver.web.feed import Feed
from callserver.web.live import Live
from callserver.web.seats import SeatIds, Seats
from callserver.web.sockets import Find, Sockets

BEAT_S = 1.0
LOOK_S = 1.0
SEAT_KEY_FILE = "web-seats.key"


class Present:
    """See the module. `tasks` are those that run with the app."""

    def __init__(self, run_dir: Path, feed_socket: Path, now_s: Callable[[], float]) -> None:
        self.board = Board()
        self.live = Live(self.board, lambda: int(now_s() * 1000))
        self.feed = Feed(feed_socket)
        self.seats = Seats(self.feed.say)
        self.seat_ids = SeatIds(run_dir / SEAT_KEY_FILE)
        self.sockets = Sockets()

    def tasks(self, find: Find) -> tuple[asyncio.Task[None], ...]:
        """Start what runs for ever; cancel them at the end. `find` looks up a session by its cookie."""
        loop = asyncio.get_running_loop()
        running = (self.feed.run(self.live, self.seats), self._beats(), self._looks(find))
        return tuple(loop.create_task(one) for one in running)

    async def _beats(self) -> None:
        try:
            while True:
                await asyncio.sleep(BEAT_S)
                self.live.beat(self.feed.live)
        finally:
            self.live.close()

    async def _looks(self, find: Find) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.sockets.look(find)
