"""Events, facts and orders: nothing that breaks or is slow stops what follows."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest

from callserver.core import decide
from callserver.core.effects import CloseCall, Effect, EndLeg
from callserver.core.events import ConditionCleared, ConditionRaised, Event, Noted, Woken
from callserver.core.facts import AlarmRaised, Fact, Refused, SignedIn
from callserver.core.ids import CallId, LegId
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.runtime import dispatcher
from callserver.runtime.dispatcher import Dispatcher
from tests.eventually import eventually

Rule = Callable[[State, Event, Instant], tuple[list[Fact], list[Effect]]]


@dataclass
class Bench:
    """A dispatcher with a scripted core, a journal that is slow at will, and what came of it."""

    slow: bool = False
    futures: list["Future[object]"] = field(default_factory=list)
    journal: list[tuple[Fact, str]] = field(default_factory=list)
    performed: list[Effect] = field(default_factory=list)
    failed: list[tuple[Effect, str]] = field(default_factory=list)
    refolds: int = 0

    def append_facts(self, facts: Sequence[Fact], instant: Instant, first_id: str = "") -> "Future[object]":
        future: Future[object] = Future()
        self.journal += [(fact, first_id if at == 0 else "") for at, fact in enumerate(facts)]
        self.futures.append(future)
        if not self.slow:
            future.set_result(None)
        return future

    def perform(self, order: Effect) -> None:
        if isinstance(order, EndLeg) and order.reason == "breaks":
            raise ValueError("broken order")
        self.performed.append(order)

    def refold(self) -> State:
        self.refolds += 1
        return State()

    def made(self) -> Dispatcher:
        tell = lambda order, why: self.failed.append((order, why))  # noqa: E731
        return Dispatcher(State(), self, lambda: Instant(1), self.perform, tell, self.refold)


def _end(name: str) -> EndLeg:
    return EndLeg(LegId(name), "test", 480)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Callable[[Rule], None]:
    """Puts a script in the core's place."""

    def put(rule: Rule) -> None:
        monkeypatch.setattr(decide, "handle", rule)

    return put


def _one_order_each(state: State, event: Event, now: Instant) -> tuple[list[Fact], list[Effect]]:
    if isinstance(event, ConditionRaised | ConditionCleared):
        return [AlarmRaised(event.key, type(event).__name__)], []
    assert isinstance(event, Noted) and isinstance(event.fact, SignedIn)
    if event.fact.user == "breaks":
        raise KeyError("no such thing")
    return [event.fact], [_end(event.fact.user)]


def _event(name: str, id: str = "") -> Noted:
    return Noted(SignedIn(name, True, "127.0.0.1"), id)


async def test_an_order_that_breaks_stops_neither_its_batch_nor_the_next() -> None:
    """It is handed to `failed`, once; the others are performed in order."""
    bench = Bench()
    made = bench.made()
    broken = EndLeg(LegId("b"), "breaks", 480)
    made.order([_end("a"), broken, CloseCall(CallId("c"))])
    made.order([_end("d")])
    assert bench.performed == [_end("a"), CloseCall(CallId("c")), _end("d")]
    assert bench.failed == [(broken, "broken order")]


async def test_an_event_that_breaks_the_core_stops_no_other(core: Callable[[Rule], None]) -> None:
    """The state is folded anew, an alarm is raised, the asker gets a refusal, the events behind it are handled."""
    bench = Bench()
    core(_one_order_each)
    made = bench.made()
    asked = made.ask(_event("breaks"))
    made.post(_event("next"))
    (refused,) = await asyncio.wait_for(asked, 1)
    assert isinstance(refused, Refused)
    await eventually(lambda: bench.performed == [_end("next")], 1)
    assert bench.refolds == 1
    assert [fact.key for fact, _ in bench.journal if isinstance(fact, AlarmRaised)] == ["internal:core"]


async def test_a_journal_that_cannot_be_folded_stops_nothing(core: Callable[[Rule], None]) -> None:
    """Then the state in doubt is gone on with."""
    bench = Bench()
    core(_one_order_each)
    made = bench.made()

    def unreadable() -> State:
        raise OSError("the disk is gone")

    made.refold = unreadable
    made.post(_event("breaks"))
    made.post(_event("next"))
    await eventually(lambda: bench.performed == [_end("next")], 1)


async def test_a_deadline_that_breaks_the_core_is_not_tried_at_once_for_ever(
    core: Callable[[Rule], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One try, then a pause, though the deadline is past."""
    woken = []

    def rule(state: State, event: Event, now: Instant) -> tuple[list[Fact], list[Effect]]:
        if isinstance(event, Woken):
            woken.append(event)
            raise ValueError("again and again")
        return _one_order_each(state, event, now)

    core(rule)
    monkeypatch.setattr(decide, "next_deadline", lambda state: Instant(0))
    bench = Bench()
    made = bench.made()
    made.post(Woken())
    await eventually(lambda: bench.refolds == 1, 1)
    for _ in range(50):
        made.post(_event("other"))
        await asyncio.wait_for(made.ask(_event("another")), 1)
    assert len(woken) == 1


async def test_orders_wait_for_their_facts_in_order(core: Callable[[Rule], None]) -> None:
    """A later batch whose facts are on disk first does not overtake."""
    bench = Bench(slow=True)
    core(_one_order_each)
    made = bench.made()
    made.post(_event("a"))
    made.post(_event("b"))
    await eventually(lambda: len(bench.futures) == 2, 1)
    bench.futures[1].set_result(None)
    assert await _turns() is None and bench.performed == []
    bench.futures[0].set_result(None)
    await eventually(lambda: bench.performed == [_end("a"), _end("b")], 1)


async def _turns() -> None:
    for _ in range(5):
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(done.set_result, None)
        await done


async def test_people_before_papers(core: Callable[[Rule], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """After the limit the orders are performed though nothing is on disk; an alarm says so, and ends with the slowness."""
    monkeypatch.setattr(dispatcher, "PAPERS_LIMIT_S", 0.02)
    bench = Bench(slow=True)
    core(_one_order_each)
    made = bench.made()
    asked = made.ask(_event("a"))
    made.post(_event("b"))
    await asyncio.wait_for(asked, 1)
    await eventually(lambda: bench.performed == [_end("a"), _end("b")], 1)
    bench.slow = False
    made.post(_event("c"))
    await eventually(lambda: bench.performed[-1] == _end("c"), 1)
    told = [fact.text for fact, _ in bench.journal if isinstance(fact, AlarmRaised)]
    assert told == ["ConditionRaised", "ConditionCleared"]


async def test_the_senders_id_goes_with_its_fact_only(core: Callable[[Rule], None]) -> None:
    """And not with what the core says instead of it."""
    bench = Bench()

    def rule(state: State, event: Event, now: Instant) -> tuple[list[Fact], list[Effect]]:
        assert isinstance(event, Noted) and isinstance(event.fact, SignedIn)
        return ([Refused("Noted", "x", "no")] if event.fact.user == "refused" else [event.fact]), []

    core(rule)
    made = bench.made()
    await made.ask(_event("refused", "id-1"))
    await made.ask(_event("taken", "id-2"))
    assert [id for _, id in bench.journal] == ["", "id-2"]


async def test_an_asker_that_went_away_is_no_trouble(core: Callable[[Rule], None]) -> None:
    """A cancelled question is handled all the same."""
    bench = Bench()
    core(_one_order_each)
    made = bench.made()
    made.ask(_event("a")).cancel()
    await made.ask(_event("b"))
    assert bench.performed == [_end("a"), _end("b")]
