"""The web process's end of the feed (callserver.feed): connects to the switchboard, again and again for ever, and passes on.

What comes is taken at once into bounded places (board, outlets), so nothing piles up here; what goes to a switchboard that does
not read is bounded too, by giving the connection up.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from callserver.feed import Changes, Frames, Here, Message, Pulse, SeatTold, Snapshot, Watch, frame
from callserver.web.live import Live
from callserver.web.seats import Seats

RECONNECT_S = 0.1
LIVE_S = 1.5
MOST_UNSENT_BYTES = 4 << 20
_READ_BYTES = 65_536

log = structlog.get_logger()


class Feed:
    """See the module. `run` is the task; `live` and `seats` are told what comes."""

    def __init__(self, path: Path, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock_s = clock_s
        self._writer: asyncio.StreamWriter | None = None
        self._heard_s = float("-inf")

    @property
    def live(self) -> bool:
        """Whether the switchboard was heard within `LIVE_S`."""
        return self._writer is not None and self._clock_s() - self._heard_s < LIVE_S

    def say(self, message: Message) -> bool:
        """Send it; False while there is no switchboard. Nothing is kept for later."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return False
        if writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            log.warning("feed-given-up", why="the switchboard does not read")
            writer.transport.abort()
            return False
        writer.write(frame(message))
        return True

    async def run(self, live: Live, seats: Seats) -> None:
        """Keep the connection, for ever."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._path))
            except OSError:
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                self._writer = writer
                await self._serve(reader, live, seats)
                log.info("feed-ended")
            except (OSError, ValueError) as error:
                log.warning("feed-lost", why=str(error))
            finally:
                self._writer = None
                writer.transport.abort()
            await asyncio.sleep(RECONNECT_S)

    async def _serve(self, reader: asyncio.StreamReader, live: Live, seats: Seats) -> None:
        self.say(Watch())
        seats.reopen()
        frames = Frames()
        while data := await reader.read(_READ_BYTES):
            for message in frames.feed(data):
                self._heard_s = self._clock_s()
                if isinstance(message, Pulse):
                    self.say(Here())
                _take(message, live, seats)


def _take(message: Message, live: Live, seats: Seats) -> None:
    match message:
        case Snapshot():
            live.renewed(message)
        case Changes():
            live.changed(message)
        case SeatTold(seat, told):
            seats.told(seat, told)
        case Pulse():
            pass  # that it came is its meaning
        case _:
            raise ValueError(f"the switchboard said {type(message).__name__}, which is ours to say")
