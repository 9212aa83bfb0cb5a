"""What the supervisor tells, turned into events: every clock anchor is one fact, troubles of processes are conditions."""

from dataclasses import asdict, replace
from types import SimpleNamespace

from callserver.core.events import ConditionCleared, ConditionRaised, Event, Noted
from callserver.core.facts import ClockAnchored
from callserver.runtime import clock, supervision
from callserver.runtime.switchboard import Switchboard


def _board(posted: list[Event]) -> Switchboard:
    """Only as much of one as news need."""
    board = Switchboard.__new__(Switchboard)
    board.anchor = clock.first_anchor(None)
    board.papers = SimpleNamespace(anchored=(board.anchor.boot, board.anchor.number))  # type: ignore[assignment]
    board.post = posted.append  # type: ignore[method-assign]
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
