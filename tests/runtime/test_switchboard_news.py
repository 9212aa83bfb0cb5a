"""What the supervisor tells, turned into events: every clock anchor is one fact, troubles of processes are conditions."""

import asyncio
from dataclasses import asdict, replace
from types import SimpleNamespace

from callserver.core.events import ConditionCleared, ConditionRaised, Event, Noted
from callserver.core.facts import ClockAnchored
from callserver.core.state import State
from callserver.runtime import clock, supervision
from callserver.runtime.accounts import Accounts
from callserver.runtime.plans import PlanRefused
from callserver.runtime.switchboard import Switchboard
from tests.core.plans import operators, plan
from tests.eventually import eventually


def _board(posted: list[Event]) -> Switchboard:
    """Only as much of one as news need."""
    board = Switchboard.__new__(Switchboard)
    board.anchor = clock.first_anchor(None)
    board.papers = SimpleNamespace(anchored=(board.anchor.boot, board.anchor.number))  # type: ignore[assignment]
    board.post = posted.append  # type: ignore[method-assign]
    board.feed = SimpleNamespace(renewed=lambda: board.feed.anchors.append(board.anchor.number), anchors=[])  # type: ignore[assignment]
    return board


def test_a_new_anchor_is_journalled_once() -> None:
    """With the id by which a successor's would be the same fact; instants go on."""
    posted: list[Event] = []
    board = _board(posted)
    before = board.anchor.now()
    stepped = replace(board.anchor, number=board.anchor.number + 1, utc_ns=board.anchor.utc_ns + 60_000_000_000, step_ms=60_000)
    news = supervision.Anchored(**asdict(stepped))
    for _ in range(2):
        board._told(news)
    (noted,) = posted
    assert isinstance(noted, Noted) and isinstance(noted.fact, ClockAnchored)
    assert (noted.fact.anchor, noted.fact.step_ms, noted.id) == (2, 60_000, f"anchor:{stepped.boot}:2")
    assert board.anchor.number == 2 and board.anchor.now() >= before


def test_screens_are_told_all_times_anew_after_a_step() -> None:
    """By the new anchor: who waits since ten would be shown to wait an hour longer."""
    board = _board([])
    board._told(supervision.Anchored(**asdict(replace(board.anchor, number=2, step_ms=3_600_000))))
    assert board.feed.anchors == [2]  # type: ignore[attr-defined]


def test_an_anchor_that_the_journal_has_is_no_news() -> None:
    """As a switchboard's successor is told it."""
    posted: list[Event] = []
    board = _board(posted)
    board._told(supervision.Anchored(**asdict(board.anchor)))
    assert posted == []


def test_troubles_of_processes_are_conditions() -> None:
    """Raised and cleared under the process' name."""
    posted: list[Event] = []
    board = _board(posted)
    board._told(supervision.ChildTrouble("web", "web ended with -9"))
    board._told(supervision.ChildTrouble("web", "web runs again", cleared=True))
    assert posted == [ConditionRaised("process:web", "web ended with -9"), ConditionCleared("process:web")]


def test_another_plan_is_followed_by_all_that_is_not_the_cores() -> None:
    """Who may speak, who is there, trunks; alarms about points and trunks that are gone are cleared, others stay."""
    posted: list[Event] = []
    board = _board(posted)
    old, new = (
        plan(),
        replace(plan(), name="new", points={"p1": plan().points["p1"]}, trunks={}, operators=operators("ann", "eve")),
    )
    alarms = {"point:p1": "", "point:p2": "", "trunk:trunk-a": "", "disk:data": ""}
    state = State(plan_version=2, plans={2: new}, alarms=alarms)
    told: list[object] = []
    board.dispatcher = SimpleNamespace(state=state)  # type: ignore[assignment]
    board.accounts = Accounts(old, {}, {})
    users = ("ann", "eve", "p1", "p2")
    board.edge = SimpleNamespace(plan_changed=lambda is_new: told.extend(filter(is_new, users)))  # type: ignore[assignment]
    board.seats = SimpleNamespace(tell_fit=lambda: told.append("seats"))  # type: ignore[assignment]
    for _ in range(2):
        board._follow_plan()
    assert board.accounts.plan is new
    assert told == ["eve", "p2", "seats"], "p2 is nobody now, which is new too"
    assert posted == [ConditionCleared("point:p2"), ConditionCleared("trunk:trunk-a")]


async def test_a_wish_for_the_plan_becomes_a_reload_and_a_refusal_stops_nothing() -> None:
    """By SIGHUP to the supervisor; an error of ours beside the calls rings."""
    posted: list[Event] = []
    board = _board(posted)
    board.loop, board._tasks, board.config = asyncio.get_running_loop(), set(), SimpleNamespace(plan=SimpleNamespace(file="p"))  # type: ignore[assignment]
    asked: list[str] = []
    looked: list[str] = []

    async def look() -> None:
        looked.append("certificate")

    board.certificate = SimpleNamespace(look=look)  # type: ignore[assignment]

    async def reload(by: str) -> None:
        asked.append(by)
        assert looked == len(asked) * ["certificate"], "the certificate's files are read too"
        raise PlanRefused(("a fault",)) if len(asked) == 1 else RuntimeError("ours")

    board.plans = SimpleNamespace(reload=reload)  # type: ignore[assignment]
    for _ in range(2):
        board._told(supervision.ReloadWanted())
        await eventually(lambda: not board._tasks, 5)
    assert asked == ["root@SIGHUP"] * 2
    assert [event.key for event in posted if isinstance(event, ConditionRaised)] == ["internal:beside"]
