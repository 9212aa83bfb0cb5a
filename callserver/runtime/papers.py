"""The switchboard's way to the store's one writer: facts from the dispatcher, outer legs and bindings from the edge."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import msgspec

from callserver.core import fold
from callserver.core.facts import Fact
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.runtime.clock import Anchor
from callserver.sip.interface import LegRecord
from callserver.store.inbox import Appended
from callserver.store.writer import PATIENCE_S, Entry, JournalWriter

_RECORD = msgspec.msgpack.Decoder(LegRecord)


class Papers:
    """Implements `dispatcher.Journal` and `sip.interface.Storage`. Nothing here ever waits longer than PATIENCE_S."""

    def __init__(self, writer: JournalWriter, anchor: Callable[[], Anchor], run: str) -> None:
        self.writer, self.anchor, self.run = writer, anchor, run
        self._numbers = itertools.count(1)
        self._ids: dict[int, str] = {}  # id() of a noted fact -> the id that its sender gave it

    # ---- facts ------------------------------------------------------------------------------------------------

    def append_facts(self, facts: Sequence[Fact], instant: Instant) -> "Future[object]":
        """Queue facts for the next commit."""
        anchor = self.anchor()
        utc_ns = anchor.utc_of(instant)
        entries = [Entry(self._ids.pop(id(fact), "") or self._fresh_id(), fact, instant, utc_ns, anchor.number) for fact in facts]
        return self.writer.append(entries)  # type: ignore[return-value]

    def name(self, fact: Fact, fact_id: str) -> None:
        """A fact from another process keeps the id that its sender gave it: sent twice, it is journalled once."""
        self._ids[id(fact)] = fact_id

    def _fresh_id(self) -> str:
        return f"{self.run}-{next(self._numbers)}"

    def fold(self) -> tuple[State, int]:
        """The state of all that was journalled, and how many facts that were."""
        state = State()
        count = 0
        for row in self.writer.facts():
            fold.apply(state, row.fact, Instant(row.instant))
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
        return [_RECORD.decode(blob) for blob in self.writer.load_legs().values()]

    async def _kept(self, future: "Future[Appended]") -> None:
        await asyncio.wait([asyncio.wrap_future(future)], timeout=PATIENCE_S)
