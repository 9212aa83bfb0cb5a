"""The switchboard's end of the feed (see callserver.feed): the board to the web process, what pages of seats say and are told.

A reader that is too slow is cut off: it comes again and gets a snapshot. So is a web process that answered pulses and does not
any more: while it hangs no page of a seat can be heard, and a silence that is not the pages' may not cost their conversations.
Nothing here keeps a decision waiting.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import structlog

from callserver import feed
from callserver.control import bound
from callserver.core.facts import Fact
from callserver.core.state import State
from callserver.runtime.board import Board
from callserver.runtime.seats import Seats

MOST_CONNECTIONS = 4
MOST_UNSENT_BYTES = 32 << 20
HUNG_S = 0.8  # told of before the first page's beats are missed; see seat_fitness.BEAT_TALKING_NS
log = structlog.get_logger()


class FeedServer:
    """See the module. `state` is the core's, `utc_ms` the present."""

    def __init__(self, path: Path, board: Board, state: Callable[[], State], epoch: str, utc_ms: Callable[[], int]) -> None:
        self._path, self._board, self._state, self._epoch, self._utc_ms = path, board, state, epoch, utc_ms
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._heard_s: dict[asyncio.StreamWriter, float] = {}  # of who answers pulses: when it did last
        self._tasks: set[asyncio.Task[None]] = set()
        self._pulse: asyncio.TimerHandle | None = None
        self._beaten_s = 0.0  # when the last pulse went out
        self._facts: list[Fact] = []
        self.seats: Seats

    async def start(self) -> None:
        """Listen. A socket file that a dead predecessor left is replaced; any other file is a `FileExistsError`."""
        self._server = await asyncio.start_unix_server(self._accept, sock=bound(self._path))
        self._beat()

    async def stop(self) -> None:
        """Close every connection and take the socket file away."""
        if self._pulse is not None:
            self._pulse.cancel()
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    # ---- out --------------------------------------------------------------------------------------------------

    def watched(self, facts: Sequence[Fact]) -> None:
        """Facts that the state has just taken in; told together at the end of this turn of the loop."""
        if not self._facts:
            self._loop.call_soon(self._flush)
        self._facts += facts

    def _flush(self) -> None:
        facts, self._facts = self._facts, []
        changes = self._board.changes(self._state(), facts)
        if changes and self._writers:
            self._send(feed.Changes(self._state().facts, self._utc_ms(), changes))

    def show(self, keys: Iterable[str]) -> None:
        """These items are different now, though no fact says so."""
        state = self._state()
        items = {key: self._board.item(state, key) for key in keys}
        if items and self._writers:
            self._send(feed.Changes(state.facts, self._utc_ms(), items))

    def renewed(self) -> None:
        """The state was made anew: nobody may build on what was told before."""
        if self._writers:
            self._send(self._snapshot())

    def tell(self, seat: str, message: feed.Item) -> None:
        """For the page of a seat."""
        self._send(feed.SeatTold(seat, message))

    def _snapshot(self) -> feed.Snapshot:
        state = self._state()
        return feed.Snapshot(self._epoch, state.facts, self._utc_ms(), self._board.whole(state))

    def _beat(self) -> None:
        self._cut_hung()
        self._send(feed.Pulse(self._state().facts, self._utc_ms()))
        self._pulse = self._loop.call_later(feed.PULSE_S, self._beat)

    def _cut_hung(self) -> None:
        now_s = self._loop.time()
        if now_s - self._beaten_s < 2 * feed.PULSE_S:  # else we stood still ourselves
            for writer in [one for one, heard_s in self._heard_s.items() if now_s - heard_s > HUNG_S]:
                log.warning("feed.web_does_not_answer")
                del self._heard_s[writer]
                writer.transport.abort()
        self._beaten_s = now_s

    def _send(self, message: feed.Message) -> None:
        if not self._writers:
            return
        data = feed.frame(message)
        for writer in list(self._writers):
            if writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
                log.warning("feed.reader_too_slow")
                self._writers.discard(writer)
                writer.transport.abort()
            elif not writer.is_closing():
                writer.write(data)

    # ---- in ---------------------------------------------------------------------------------------------------

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= MOST_CONNECTIONS:
            writer.close()
            return
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = feed.Frames()
        try:
            while data := await reader.read(65_536):
                for message in frames.feed(data):
                    self._act(message, writer)
        except (ValueError, OSError) as error:
            log.warning("feed.connection_ended", error=str(error))
        finally:
            self._writers.discard(writer)
            self._heard_s.pop(writer, None)
            writer.close()
            if not self._writers:
                self.seats.pages_lost()

    def _act(self, message: feed.Message, writer: asyncio.StreamWriter) -> None:
        match message:
            case feed.Watch():
                writer.write(feed.frame(self._snapshot()))
                self._writers.add(writer)
            case feed.Here():
                self._heard_s[writer] = self._loop.time()
            case feed.SeatOpened():
                self.seats.opened(message.seat, message.operator)
            case feed.SeatSaid():
                self.seats.said(message.seat, message.message)
            case feed.SeatClosed():
                self.seats.closed(message.seat)
            case _:
                raise ValueError(f"{type(message).__name__} is not for a switchboard")
