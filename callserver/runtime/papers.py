"""The switchboard's way to the store's one writer: facts from the dispatcher, outer legs and bindings from the edge."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait

import msgspec
import structlog

from callserver.core import fold
from callserver.core.facts import ClockAnchored, Fact
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.runtime.clock import Anchor
from callserver.sip.interface import LegRecord
from callserver.store.inbox import Appended
from callserver.store.writer import PATIENCE_S, Entry, JournalWriter

FOLD_LIMIT_S = 1.0  # what is under way goes to the spool after PATIENCE_S
_HOLES = (LookupError, AttributeError, AssertionError, TypeError, ValueError)
_RECORD = msgspec.msgpack.Decoder(LegRecord)
log = structlog.get_logger()


class Papers:
    """Implements `dispatcher.Journal` and `sip.interface.Storage`. Nothing here ever waits longer than PATIENCE_S."""

    def __init__(self, writer: JournalWriter, anchor: Callable[[], Anchor], run: str) -> None:
        self.writer, self.anchor, self.run = writer, anchor, run
        self.last_instant = 0  # the latest of the journal
        self.unfit = 0  # facts that the last fold could not take
        self.anchored = ("", 0)  # boot and number of the clock anchor that the journal has last
        self._numbers = itertools.count(1)
        self._under_way: deque[Future[Appended]] = deque()  # facts that may be neither in the journal nor in the spool yet

    # ---- facts ------------------------------------------------------------------------------------------------

    def append_facts(self, facts: Sequence[Fact], instant: Instant, first_id: str = "") -> "Future[object]":
        """Queue facts for the next commit. Another process' fact keeps the id that its sender gave it, `first_id`."""
        anchor = self.anchor()
        utc_ns = anchor.utc_of(instant)
        ids = [first_id or self._fresh_id(), *(self._fresh_id() for _ in facts[1:])]
        entries = [Entry(id, fact, instant, utc_ns, anchor.number) for id, fact in zip(ids, facts, strict=True)]
        future = self.writer.append(entries)
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft()
        self._under_way.append(future)
        return future  # type: ignore[return-value]

    def _fresh_id(self) -> str:
        return f"{self.run}-{next(self._numbers)}"

    def fold(self) -> tuple[State, int]:
        """The state of all that was journalled, and how many facts that were. What is under way is waited for, FOLD_LIMIT_S."""
        wait(self._under_way, FOLD_LIMIT_S)
        self.unfit = 0
        state = State()
        count = 0
        for row in self.writer.facts():
            self.last_instant = max(self.last_instant, row.instant)
            try:
                fold.apply(state, row.fact, Instant(row.instant))
            except _HOLES as error:  # a fact before it was lost with a disk; what is left serves people better than nothing
                self.unfit += 1
                log.error("fact.does_not_fit", id=row.id, fact=type(row.fact).__name__, error=repr(error))
            if isinstance(row.fact, ClockAnchored):
                self.anchored = (row.fact.boot, row.fact.anchor)
            count += 1
        return state, count

    # ---- the edge's own -----------------------------------------------------------------------------------------

    async def save_leg(self, record: LegRecord) -> None:
        """See sip.interface.Storage."""
        await self._kept(self.writer.put_leg(record.leg, msgspec.msgpack.encode(record)))

    def forget_leg(self, leg: str) -> None:
        """See sip.interface.Storage."""
        self.writer.delete_leg(leg)

    async def save_binding(self, user: str, blob: bytes) -> None:
        """See sip.interface.Storage."""
        await self._kept(self.writer.put_bindings(user, blob))

    def legs(self) -> list[LegRecord]:
        """Every stored outer leg."""
        legs = []
        for leg, blob in self.writer.load_legs().items():
            try:
                legs.append(_RECORD.decode(blob))
            except ValueError as error:
                log.error("leg.unreadable", leg=leg, error=str(error))
        return legs

    async def _kept(self, future: "Future[Appended]") -> None:
        await asyncio.wait([asyncio.wrap_future(future)], timeout=PATIENCE_S)
