"""The watch and live control: what is kept, parked, called out or asked for a key is not missed, and not forgotten either."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, OperatorId, PartyId, PointId
from callserver.core.instant import MS, Instant
from tests.core.driver import LOST, Driver
from tests.core.plans import plan
from tests.core.test_watch import breaches, keys, watched

FRESH = IncidentId("i9")


def talk(driver: Driver) -> CallId:
    """Ann talks with p1; the call."""
    return driver.call(driver.talk()).id


def parked(driver: Driver) -> None:
    driver.do(ev.ParkCall(talk(driver), "ann"))
    driver.gone()


def transferred(driver: Driver) -> None:
    driver.do(ev.Transfer(talk(driver), "bob", "ann"))
    driver.gone()


def called_out(driver: Driver) -> None:
    driver.do(ev.CallOut(PointId("p1"), OperatorId("ann"), "ann", FRESH))


def called_out_and_lost(driver: Driver) -> None:
    called_out(driver)
    driver.answer("ann")
    driver.answer("p1")
    driver.do(ev.Pause(OperatorId("bob"), "", "bob"))
    driver.end("ann", LOST)
    driver.do(ev.SeatUnbound(OperatorId("ann"), "gone"))


def asked_for_a_key(driver: Driver) -> None:
    driver.do(ev.Pause(OperatorId("ann"), "", "ann"), ev.Pause(OperatorId("bob"), "", "bob"))
    driver.press()
    driver.answer("police")


def listened_to(driver: Driver) -> None:
    driver.do(ev.Bring(talk(driver), OperatorId("bob"), "listen", "sue"))
    driver.answer("bob")
    driver.press("p2")


def taken_over(driver: Driver) -> None:
    driver.do(ev.TakeOver(talk(driver), OperatorId("bob"), "sue"))
    driver.answer("bob")
    driver.gone()


def come_back_to(driver: Driver) -> None:
    call = talk(driver)
    driver.do(ev.Escalate(call, PartyId("police"), "ann"))
    driver.answer("police")
    driver.do(ev.DigitPressed(driver.leg("police"), "1"))
    driver.end("ann")
    driver.do(ev.Take(IncidentId("i1"), OperatorId("bob"), "bob"))


STORIES = [parked, transferred, called_out, called_out_and_lost, asked_for_a_key, listened_to, taken_over, come_back_to]


def told(story: Callable[[Driver], None]) -> Driver:
    """A story that happened; the police accept by key."""
    driver = Driver(plan(parties={**plan().parties, "police": replace(plan().parties["police"], accept="1")}), "ann", "bob")
    story(driver)
    return driver


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_found_in_a_good_journal(story: Callable[[Driver], None]) -> None:
    """For three minutes in which nobody does anything more."""
    driver = told(story)
    for _ in range(180):
        watch = watched(driver)
        assert watch.check(driver.now) == [] and watch.unfit == 0
        driver.after(1_000)
        driver.gone()


@pytest.mark.parametrize(("story", "after_ms"), [(parked, 120_000), (transferred, 15_000)])
def test_a_caller_who_is_kept_past_the_time_is_found(story: Callable[[Driver], None], after_ms: int) -> None:
    """The journal of a core that forgot it then."""
    driver = told(story)
    assert "watch:unoffered:i1" not in keys(driver, lambda _: False, after_ms)
    watch = watched(driver)
    driver.now = Instant(driver.now + (after_ms + 1) * MS)
    watch.check(driver.now)
    assert "watch:unoffered:i1" in [one.key for one in breaches(watch, driver.now, 2_100)]


def test_a_party_that_has_not_accepted_attends_nobody() -> None:
    driver = told(asked_for_a_key)
    driver.do(ev.DigitPressed(driver.leg("police"), "1"))
    assert keys(driver, lambda fact: isinstance(fact, f.LegAccepted)) == ["watch:unowned:i1"]


def test_a_listener_attends_nobody() -> None:
    driver = told(listened_to)
    assert "watch:unowned:i1" in keys(driver, lambda fact: isinstance(fact, f.LegMoved) and fact.leg == driver.leg("ann"))
