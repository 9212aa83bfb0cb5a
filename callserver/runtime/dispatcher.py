"""One inbox, one decider: events go in, facts go to the journal, then orders are performed.

Events are handled strictly one after another on the loop's thread. An event's orders are performed when its facts are on
disk, in the order of the events; when the journal takes longer than PAPERS_LIMIT_S they are performed all the same (people
before papers), the facts stand in the writer's spool, and an alarm rings. Neither an event that breaks the core nor an order that
cannot be performed stops what follows.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import structlog

from callserver.core import decide
from callserver.core.effects import Effect
from callserver.core.events import ConditionCleared, ConditionRaised, Event, Noted, Woken
from callserver.core.facts import Fact, Refused
from callserver.core.instant import SECOND, Instant
from callserver.core.state import State

PAPERS_LIMIT_S = 0.25
BROKEN_PAUSE_S = 1.0  # a deadline that breaks the core is tried again so much later, not at once for ever
log = structlog.get_logger()


class Journal(Protocol):
    """Where facts go; see store.journal."""

    def append_facts(self, facts: Sequence[Fact], instant: Instant, first_id: str = "") -> "Future[object]":
        """Queue facts for the next commit, in order. Never blocks. `first_id`: the id that the first one's sender gave it."""


@dataclass(slots=True)
class _Batch:
    """Orders that wait for their facts."""

    written: "Future[object] | None"
    orders: list[Effect]
    limit: float  # loop time
    asked: "asyncio.Future[list[Fact]] | None" = None
    facts: Sequence[Fact] = ()


class Dispatcher:
    """See the module."""

    def __init__(
        self,
        state: State,
        journal: Journal,
        now: Callable[[], Instant],
        perform: Callable[[Effect], None],
        failed: Callable[[Effect, str], None],
        refold: Callable[[], State],
        watched: Callable[[Sequence[Fact]], None] = lambda facts: None,
        renewed: Callable[[], None] = lambda: None,
    ) -> None:
        """`failed` tells the core what came of an order that could not be performed, by events; it must not raise.

        `watched` sees all facts as soon as the state has them, `renewed` is told of a state that was made anew.
        """
        self.state, self.journal, self.now = state, journal, now
        self.perform, self.failed, self.refold = perform, failed, refold
        self.watched, self.renewed = watched, renewed
        self.loop = asyncio.get_running_loop()
        self._inbox: deque[tuple[Event, asyncio.Future[list[Fact]] | None]] = deque()
        self._batches: deque[_Batch] = deque()
        self._draining = False
        self._timer: asyncio.TimerHandle | None = None
        self._papers_timer: asyncio.TimerHandle | None = None
        self._papers_slow = False
        self._broken_until = 0.0  # loop time

    def post(self, event: Event) -> None:
        """Take an event; it is handled in this turn of the loop or the next."""
        self._put(event, None)

    def ask(self, event: Event) -> "asyncio.Future[list[Fact]]":
        """Take an event and promise the facts that it led to; resolved when they are on disk or 250 ms later."""
        asked: asyncio.Future[list[Fact]] = self.loop.create_future()
        self._put(event, asked)
        return asked

    def _put(self, event: Event, asked: "asyncio.Future[list[Fact]] | None") -> None:
        self._inbox.append((event, asked))
        if not self._draining:
            self._draining = True
            self.loop.call_soon(self._drain)

    def order(self, orders: Sequence[Effect]) -> None:
        """Perform orders that no new fact stands behind (after a restart), behind those that wait."""
        self._batches.append(_Batch(None, list(orders), 0.0))
        self._release()

    def _drain(self) -> None:
        self._draining = False
        while self._inbox:
            self._handle(*self._inbox.popleft())
        self._release()
        self._arm()

    def _handle(self, event: Event, asked: "asyncio.Future[list[Fact]] | None") -> None:
        now = self.now()
        try:
            facts, orders = decide.handle(self.state, event, now)
            written = self._journalled(event, facts, now) if facts else None
            if facts:
                self.watched(facts)
        except Exception:  # the one broad catch: no event may stop the others
            log.exception("event.broke_the_core", event_kind=type(event).__name__)
            self._broken(event, asked)
            return
        if written is not None:
            written.add_done_callback(self._written)
        if written is not None or orders or asked is not None:
            self._batches.append(_Batch(written, list(orders), self.loop.time() + PAPERS_LIMIT_S, asked, list(facts)))

    def _journalled(self, event: Event, facts: Sequence[Fact], now: Instant) -> "Future[object]":
        named = isinstance(event, Noted) and facts[0] is event.fact
        return self.journal.append_facts(facts, now, event.id if named and isinstance(event, Noted) else "")

    def _broken(self, event: Event, asked: "asyncio.Future[list[Fact]] | None") -> None:
        """The state is in doubt: take it from the journal again, and have people know."""
        self._broken_until = self.loop.time() + BROKEN_PAUSE_S
        try:
            self.state = self.refold()
            self.renewed()
        except Exception:  # neither may this: a state in doubt serves people better than none
            log.exception("journal.not_folded")
        if not isinstance(event, ConditionRaised | ConditionCleared):
            self.post(ConditionRaised("internal:core", f"an internal error stopped {type(event).__name__}; see the log"))
        if asked is not None and not asked.done():
            asked.set_result([Refused(type(event).__name__, "", "an internal error; see the log")])

    def _written(self, _: "Future[object]") -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        """Perform what may be performed, in order."""
        while self._batches:
            batch = self._batches[0]
            if batch.written is not None and not batch.written.done():
                if self.loop.time() < batch.limit:
                    self._watch_papers(batch.limit)
                    return
                self._papers(slow=True)
            elif batch.written is not None:
                self._papers(slow=False)
            self._batches.popleft()
            for order in batch.orders:
                self._perform(order)
            if batch.asked is not None and not batch.asked.done():
                batch.asked.set_result(list(batch.facts))

    def _perform(self, order: Effect) -> None:
        log.debug("order", order=type(order).__name__, about=getattr(order, "leg", getattr(order, "call", "")))
        try:
            self.perform(order)
        except Exception as error:  # nor may an order stop those that follow
            log.exception("order.failed", order=type(order).__name__)
            self.failed(order, str(error) or type(error).__name__)

    def _papers(self, slow: bool) -> None:
        if slow != self._papers_slow:
            self._papers_slow = slow
            text = "the journal takes longer than 250 ms; calls go on, facts wait in memory and spool"
            self.post(ConditionRaised("journal:slow", text) if slow else ConditionCleared("journal:slow"))

    def _watch_papers(self, limit: float) -> None:
        if self._papers_timer is None or self._papers_timer.when() <= self.loop.time():
            self._papers_timer = self.loop.call_at(limit, self._papers_due)

    def _papers_due(self) -> None:
        self._papers_timer = None
        self._release()

    def _arm(self) -> None:
        """The only timer of all decisions."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = decide.next_deadline(self.state)
        if deadline is not None:
            delay_s = max(0.0, (deadline - self.now()) / SECOND, self._broken_until - self.loop.time())
            self._timer = self.loop.call_later(min(delay_s + 0.0005, 3600.0), self.post, Woken())
