"""What the archivist hears: shown while it is of now, listed for it to hear, and missed when it does not come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from callserver.archive.proving import Listed
from callserver.core import events as ev
from callserver.core.ids import CallId
from callserver.core.instant import SECOND, Instant
from callserver.runtime.board import Board
from callserver.runtime.levels import ALARM, Levels
from callserver.runtime.sound_records import LegSound
from tests.core.driver import Driver
from tests.core.plans import plan

GOOD = {"rms": -24, "peak": -9, "clipped": 0, "state": "good"}
OFFSET_NS = 5 * SECOND


@dataclass
class Clock:
    """An anchor whose present is the driver's."""

    driver: Driver
    offset_ns: int = OFFSET_NS

    def now(self) -> Instant:
        return self.driver.now

    def utc_of(self, instant: int) -> int:
        return instant


@dataclass
class Town:
    """A conversation, its levels and what was told of them."""

    driver: Driver = field(default_factory=lambda: Driver(plan(), "ann"))
    shown: list[str] = field(default_factory=list)
    posted: list[ev.Event] = field(default_factory=list)
    sounds: dict[str, LegSound] = field(default_factory=dict)
    muted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        clock: Any = Clock(self.driver)
        self.levels = Levels(
            lambda: self.driver.state, lambda: clock, self.show, self.posted.append, self.sounds, self.muted.__contains__
        )
        self.board = Board(lambda: clock, 0)
        self.board.levels = self.levels

    def show(self, keys: Iterable[str]) -> None:
        self.shown += keys

    def talk(self) -> CallId:
        incident = self.driver.press()
        self.driver.answer("ann")
        assert incident.call is not None
        return incident.call

    def listed(self, **levels: Any) -> list[Listed]:
        return msgspec.convert(self.levels.take(levels)["legs"], list[Listed])

    def seconds(self, count: int, hear: bool) -> None:
        for _ in range(count):
            self.driver.after(1000)
            if hear:
                self.levels.take({})
            self.levels.look()

    def item(self, call: str) -> Any:
        return self.board.item(self.driver.state, f"sound/{call}")


@pytest.fixture
def town() -> Town:
    return Town()


def test_only_legs_of_conversations_are_listed_with_the_boottime_from_which_they_sound(town: Town) -> None:
    town.driver.press()
    assert town.listed() == []
    town.driver.after(3000)
    town.driver.answer("ann")
    begun = town.driver.now - OFFSET_NS
    town.driver.after(500)
    assert [(one.leg, one.since_ns, one.sounding, one.expected) for one in town.listed()] == [
        ("i1.1.1", begun, True, True),
        ("i1.1.2", begun, True, True),
    ]


def test_whoever_is_on_hold_or_holds_by_the_device_or_is_muted_at_the_console_is_not_expected_to_sound(town: Town) -> None:
    call = town.talk()
    town.driver.do(ev.Hold(call, True, "ann"))
    assert [one.expected for one in town.listed()] == [False, False]
    town.driver.do(ev.Hold(call, False, "ann"))
    held: Any = type("Held", (), {"sends_nothing": lambda self: True})()
    town.sounds["i1.1.2"] = held
    assert [one.expected for one in town.listed()] == [True, False]
    town.sounds.clear()
    town.muted.add("i1.1.2")
    assert [one.expected for one in town.listed()] == [True, False]


def test_levels_are_shown_of_the_legs_of_a_conversation_and_are_gone_with_it(town: Town) -> None:
    call = town.talk()
    town.levels.take({"i1.1.1": GOOD, "elsewhere": GOOD})
    assert town.shown == [f"sound/{call}"]
    assert town.item(call)["legs"] == {"i1.1.1": {**GOOD, "why": ""}}
    assert town.item(call)["measured_ms"] == town.driver.now // 1_000_000
    town.driver.do(ev.HangUp(call, "ann"))
    assert town.item(call) is None
    assert town.board.changes(town.driver.state, town.driver.facts)[f"sound/{call}"] is None


def test_levels_that_are_old_are_not_shown_as_if_they_were_of_now(town: Town) -> None:
    call = town.talk()
    town.levels.take({"i1.1.1": GOOD})
    town.seconds(3, hear=False)
    assert town.item(call)["legs"]
    town.seconds(1, hear=False)
    assert (town.item(call)["measured_ms"], town.item(call)["legs"]) == (None, {})
    assert town.shown == [f"sound/{call}"] * 2
    town.levels.take({"i1.1.1": GOOD})
    assert town.item(call)["legs"]


def test_a_conversation_that_nobody_looks_at_for_ten_seconds_is_an_alarm_once(town: Town) -> None:
    town.levels.take({})
    town.posted.clear()
    town.seconds(60, hear=False)
    assert town.posted == []  # nobody talks
    town.talk()
    town.seconds(9, hear=False)
    assert town.posted == []
    town.seconds(20, hear=False)
    assert [type(event) for event in town.posted] == [ev.ConditionRaised]
    town.levels.take({})
    assert [(type(event), getattr(event, "key", "")) for event in town.posted[1:]] == [(ev.ConditionCleared, ALARM)]


def test_looking_each_second_is_no_alarm(town: Town) -> None:
    town.levels.take({})
    town.posted.clear()
    town.talk()
    town.seconds(60, hear=True)
    assert town.posted == []


def test_what_a_predecessor_raised_is_cleared_by_the_first_that_is_heard(town: Town) -> None:
    town.levels.take({})
    assert town.posted == [ev.ConditionCleared(ALARM)]


def test_levels_that_are_none_are_refused(town: Town) -> None:
    with pytest.raises(msgspec.ValidationError):
        town.levels.take({"i1.1.1": {"rms": "loud"}})
