"""The watch and the call-back list: what nobody has is on it, somebody's, and not late in silence."""

from collections.abc import Callable

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import OperatorId
from tests.core.driver import Driver
from tests.core.test_core_owners import gone, left_to_review, quiet
from tests.core.test_watch import keys, watched


def hung_up(driver: Driver) -> None:
    gone(driver)


def reviewed(driver: Driver) -> None:
    left_to_review(driver)


def passed(driver: Driver) -> None:
    left_to_review(driver)
    driver.do(ev.Pause(OperatorId("ann"), "", "ann"))


def left_to_the_room(driver: Driver) -> None:
    passed(driver)
    driver.do(ev.Pause(OperatorId("bob"), "", "bob"))


def lost(driver: Driver) -> None:
    left_to_review(driver)
    driver.do(ev.SeatUnbound(OperatorId("ann"), "gone"))


def told(story: Callable[[Driver], None]) -> Driver:
    driver = Driver(quiet(), "ann", "bob")
    story(driver)
    return driver


@pytest.mark.parametrize("story", [hung_up, reviewed, passed, left_to_the_room, lost])
def test_nothing_is_found_in_a_good_journal(story: Callable[[Driver], None]) -> None:
    """For forty minutes in which nobody does anything more, past every time."""
    driver = told(story)
    for _ in range(80):
        watch = watched(driver)
        assert watch.check(driver.now) == [] and watch.unfit == 0
        driver.after(30_000)


@pytest.mark.parametrize("story", [hung_up, reviewed])
def test_what_is_with_nobody_and_not_on_the_list_is_found(story: Callable[[Driver], None]) -> None:
    found = keys(told(story), lambda fact: isinstance(fact, f.IncidentListed | f.OwnerNamed))
    assert found == ["watch:unlisted:i1"]


def test_what_is_nobodys_while_somebody_is_on_duty_is_found() -> None:
    assert keys(told(reviewed), lambda fact: isinstance(fact, f.OwnerNamed)) == ["watch:ownerless:i1"]


def test_what_is_nobodys_without_the_alarm_is_found() -> None:
    silent = lambda fact: isinstance(fact, f.AlarmRaised)  # noqa: E731
    assert keys(told(left_to_the_room), silent) == ["watch:ownerless:i1"]
    assert keys(told(left_to_the_room), lambda _: False) == []


def test_an_owner_who_is_away_is_found_after_a_minute() -> None:
    driver = told(lost)
    assert keys(driver, lambda _: False, 61_000) == [] and keys(driver, lambda _: False, 62_100) == ["watch:ownerless:i1"]


@pytest.mark.parametrize(("story", "after_ms"), [(hung_up, 300_000), (reviewed, 1_780_000), (passed, 120_000)])
def test_what_is_late_in_silence_is_found(story: Callable[[Driver], None], after_ms: int) -> None:
    """The journal of a core that did nothing more."""
    driver = told(story)
    assert keys(driver, lambda _: False, after_ms - 100) == []
    assert keys(driver, lambda _: False, after_ms + 2_100) == ["watch:overdue:i1"]
