"""Facts on their way to the store: ids, and a fold that misses nothing under way."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from callserver.core.facts import AlarmRaised, ClockAnchored, LegMoved, SignedIn
from callserver.core.ids import LegId
from callserver.core.instant import Instant
from callserver.runtime.clock import Anchor
from callserver.runtime.first import migrate
from callserver.runtime.papers import Papers
from callserver.sip.interface import LegRecord
from callserver.store import writer as store_writer
from callserver.store.commit import Committed
from callserver.store.engine import open_store
from callserver.store.writer import JournalWriter

ANCHOR = Anchor(1, "boot", 0, 0, 0)


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[Papers]:
    """Papers over a real store."""
    engine = open_store(tmp_path)
    migrate(engine)
    engine.dispose()
    writer = JournalWriter(tmp_path, patience_s=30.0)
    writer.start()
    yield Papers(writer, lambda: ANCHOR, "run")
    writer.close()


def test_a_fact_sent_twice_is_journalled_once_and_others_each_time(papers: Papers) -> None:
    """By the sender's id; our own facts have ids of their own."""
    fact = SignedIn("op1", True, "127.0.0.1")
    for _ in range(2):
        papers.append_facts([fact], Instant(1), "sender-1").result(5)
        papers.append_facts([fact], Instant(1)).result(5)
    assert papers.fold()[1] == 3


def test_a_fold_waits_for_what_is_under_way(papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that takes its time: its facts are in the folded state."""
    begun, go_on = threading.Event(), threading.Event()
    real = store_writer.commit

    def slow(*args: object) -> Committed:
        begun.set()
        go_on.wait(5)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store_writer, "commit", slow)
    papers.append_facts([AlarmRaised("a", "first")], Instant(1))
    assert begun.wait(5)
    papers.append_facts([AlarmRaised("b", "second")], Instant(2))
    threading.Timer(0.1, go_on.set).start()
    state, count = papers.fold()
    assert (set(state.alarms), count) == ({"a", "b"}, 2)


def test_a_fold_knows_the_last_anchor(papers: Papers) -> None:
    """So that a successor does not journal it again."""
    papers.append_facts([ClockAnchored(4, "boot", 1, 1, 0)], Instant(1))
    papers.fold()
    assert papers.anchored == ("boot", 4)


def test_a_hole_in_the_journal_stops_nobody(papers: Papers) -> None:
    """A fact about a leg that was never journalled is passed over and counted; what follows is folded."""
    lost = LegMoved(LegId("i.1.1"), "early", "up", "its first facts were lost with a disk")
    papers.append_facts([lost, AlarmRaised("a", "after it")], Instant(7))
    state, count = papers.fold()
    assert (set(state.alarms), count, papers.unfit, papers.last_instant) == ({"a"}, 2, 1, 7)


def test_a_stored_leg_that_cannot_be_read_hides_no_other(papers: Papers) -> None:
    """A switchboard that could not start for it would never start."""
    papers.writer.put_leg("bad", b"\xc1").result(5)
    good = LegRecord("good", True, None, None, b"blob")
    papers.writer.put_leg("good", msgspec.msgpack.encode(good)).result(5)
    assert papers.legs() == [good]
