"""What is told of looking is noted, and starts nothing."""

import pytest

from callserver.core import events as ev
from callserver.core.facts import (
    ConfigurationRead,
    Downloaded,
    Fact,
    Played,
    RecordingSent,
    Searched,
    SearchExported,
)
from callserver.core.ids import CallId
from callserver.store.encoding import about
from tests.core.driver import Driver

CALL = CallId("i.1")
LOOKS: tuple[Fact, ...] = (
    Searched("anna", "calls", "point=p1&words=pier", 12),
    SearchExported("anna", "incidents", "", 3, "d" * 64),
    Played(CALL, "anna", ((0, 1000), (4000, 5000)), "complaint"),
    RecordingSent(CALL, "anna", ((0, 1000),), ((0, 4096),), 9000),
    Downloaded("anna", "leg", "d" * 64, CALL, leg="i.1.1"),
    ConfigurationRead("a" * 64, "b" * 64, ("web.port",)),
)


@pytest.mark.parametrize("fact", LOOKS, ids=lambda fact: type(fact).__name__)
def test_a_look_is_noted_and_changes_nothing(fact: Fact) -> None:
    driver = Driver()
    before = driver.state.alarms.copy()
    driver.do(ev.Noted(fact, "look"))
    assert (driver.facts, driver.state.alarms) == ([fact], before)


def test_looks_at_a_call_stand_in_its_timeline_and_others_in_none() -> None:
    assert [about(fact) for fact in LOOKS] == [
        (None, None), (None, None), ("i", CALL), ("i", CALL), (None, CALL), (None, None)
    ]  # fmt: skip
