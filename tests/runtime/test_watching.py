"""The watch as a process: it tells of a breach once, only when it has read all that was decided, and takes it back."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from callserver.control import CommandRefused, Unavailable, Verb
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import OperatorId
from callserver.core.instant import SECOND, Instant
from callserver.runtime import clock
from callserver.runtime.watching import Watching
from callserver.store.journal import Row
from tests.core.driver import Driver


class Service:
    """A switchboard with a journal, as the watch meets it."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.behind = 0  # so many facts are decided and not in the journal yet
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.there = True
        self.refuses = False
        self.extra: list[f.Fact] = []  # of the commands
        self.offset_ns = 0

    def facts(self) -> list[tuple[f.Fact, Instant]]:
        """The journal of a core that forgot a ladder, and what commands led to."""
        kept = [(fact, at) for fact, at in self.driver.journal if not _of_ladder(fact)]
        return [*kept, *((fact, self.driver.now) for fact in self.extra)]

    def rows(self, since: int) -> Iterable[Row]:
        facts = self.facts()
        known = facts[: len(facts) - self.behind]
        for number, (fact, at) in enumerate(known, 1):
            if number > since:
                yield Row(number, fact, at, 0, str(number))

    def anchor(self) -> clock.Anchor:
        """The driver's time, as if it were the machine's."""
        present = clock.first_anchor(None)
        return replace(present, offset_ns=self.driver.now - clock.boottime_ns() + self.offset_ns)

    def ask(self, verb: str, args: dict[str, Any]) -> dict[str, Any]:
        if not self.there:
            raise Unavailable("away")
        if verb == Verb.STATUS:
            return {"ready": True, "facts": len(self.facts())}
        self.asked.append((verb, args))
        if verb == Verb.RAISE_ALARM:
            self.extra.append(f.AlarmRaised(args["key"], args["text"]))
        if verb == Verb.CLEAR_ALARM:
            self.extra.append(f.AlarmCleared(args["key"], "gone"))
        if verb == Verb.LAST_RESORT and self.refuses:
            raise CommandRefused("refused", "it does not wait")
        return {}


@pytest.fixture
def forgetful() -> Service:
    """P1 waits and nobody is on duty; its ladder does not go up."""
    driver = Driver(None)
    driver.press()
    return Service(driver)


def _of_ladder(fact: f.Fact) -> bool:
    gone = (f.LadderStepTaken, f.RouteTried)
    return isinstance(fact, gone) or (isinstance(fact, f.LegCreated) and fact.role == "outside")


def watching(service: Service) -> Watching:
    """One that reads this service."""
    return Watching(service.rows, service.ask, service.anchor, pause=lambda seconds: None)


def look_later(watch: Watching, service: Service, seconds: float) -> None:
    """Looks now, and after so many seconds."""
    watch.look()
    service.offset_ns += int(seconds * SECOND)
    watch.clock = service.anchor()
    watch.look()


def test_a_breach_is_told_with_its_last_resort_once(forgetful: Service) -> None:
    watch = watching(forgetful)
    look_later(watch, forgetful, 2.5)
    assert [verb for verb, _ in forgetful.asked] == [Verb.RAISE_ALARM, Verb.LAST_RESORT]
    assert forgetful.asked[0][1]["key"] == "watch:late:i1"
    assert forgetful.asked[1][1]["incident"] == "i1" and forgetful.asked[1][1]["why"].startswith("the watch: p1")
    look_later(watch, forgetful, 10)
    assert len(forgetful.asked) == 2


def test_nothing_is_told_before_two_seconds(forgetful: Service) -> None:
    look_later(watching(forgetful), forgetful, 1.9)
    assert forgetful.asked == []


def test_nothing_is_told_while_facts_are_missing(forgetful: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were decided; the disk is slow. With the facts the trouble may be none."""
    monkeypatch.setattr("callserver.runtime.watching.FACTS_LIMIT_S", 0.0)
    watch = watching(forgetful)
    watch.look()
    forgetful.extra.append(f.PointChanged(f.PointId("p2"), True, ""))
    forgetful.behind = 1
    look_later(watch, forgetful, 2.5)
    assert forgetful.asked == []
    forgetful.behind = 0
    watch.look()
    assert [verb for verb, _ in forgetful.asked] == [Verb.RAISE_ALARM, Verb.LAST_RESORT]


def test_nothing_is_told_while_the_switchboard_is_away(forgetful: Service) -> None:
    """And the watch lives through it."""
    forgetful.there = False
    watch = watching(forgetful)
    look_later(watch, forgetful, 3)
    assert forgetful.asked == []
    forgetful.there = True
    watch.look()
    assert len(forgetful.asked) == 2


def test_trouble_that_is_over_is_cleared_also_by_a_successor(forgetful: Service) -> None:
    """A new watch knows from the journal what the old one raised."""
    look_later(watching(forgetful), forgetful, 2.5)
    forgetful.asked.clear()
    driver = forgetful.driver
    driver.do(ev.GiveOutcome(f.IncidentId("i1"), "helped", "sue"))
    successor = watching(forgetful)
    successor.look()
    assert forgetful.asked == [(Verb.CLEAR_ALARM, {"key": "watch:late:i1"})]
    successor.look()
    assert len(forgetful.asked) == 1


def test_a_refused_last_resort_does_not_stop_the_watch(forgetful: Service) -> None:
    """It may have been answered meanwhile."""
    forgetful.refuses = True
    watch = watching(forgetful)
    look_later(watch, forgetful, 2.5)
    watch.look()
    assert [verb for verb, _ in forgetful.asked] == [Verb.RAISE_ALARM, Verb.LAST_RESORT]


def test_a_good_journal_is_left_alone() -> None:
    """Nothing is asked of the switchboard, not even how many facts there are."""
    driver = Driver(None, "ann")
    driver.press()
    service = Service(driver)
    look_later(watching(service), service, 5)
    driver.answer("ann")
    driver.do(ev.Pause(OperatorId("ann"), "", "ann"))
    look_later(watching(service), service, 5)
    assert service.asked == []


def test_instants_that_the_switchboard_moved_on_are_followed() -> None:
    """A machine that booted in the past: its journal's instants lie ahead of the clock's file."""
    driver = Driver(None, "ann")
    driver.press()
    service = Service(driver)
    service.offset_ns = -3_600 * SECOND
    watch = watching(service)
    watch.look()
    assert watch.clock is not None and watch.clock.now() >= driver.now
