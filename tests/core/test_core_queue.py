"""The order of waiting: by class with bounded ageing, whatever comes when."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.core import events as ev
from callserver.core.ids import OperatorId, PointId
from callserver.core.state import Incident
from dialplans.model import Ladder, Plan, Point, Priority, Step
from tests.core.driver import Driver
from tests.core.plans import plan

MINUTE = 60_000
QUIET = {"quiet": Ladder("quiet", (Step(86_400_000, call_party="police"),))}


def many(classes: list[Priority], ageing_ms: int) -> Plan:
    """A point for each class; its presses end with the operator's hanging up, without wrap-up and without a ladder in the way."""
    made = plan()
    queues = {"none": replace(made.queues["none"], ladder="quiet")}
    points = {f"p{n:02}": Point(f"p{n:02}", f"Place {n}", "none", "ends", kind) for n, kind in enumerate(classes)}
    return replace(made, points=points, queues=queues, ladders={**made.ladders, **QUIET}, ageing_ms=ageing_ms)


def served(driver: Driver) -> list[Incident]:
    """The waiting incidents in the order in which ann, who comes only now, gets them."""
    order = []
    driver.do(ev.SeatBound(OperatorId("ann"), "sip"))
    while driver.state.waiting:
        leg = driver.leg("ann")
        incident = driver.state.incidents[driver.state.calls[driver.state.legs[leg].call].incident]
        order.append(incident)
        driver.answer("ann")
        driver.end("ann")
        driver.gone()
    return order


@settings(max_examples=60, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.sampled_from(Priority), st.integers(0, 12)), min_size=2, max_size=7),
    ageing_min=st.sampled_from([0, 1, 3, 10]),
)
def test_nobody_goes_before_who_came_that_much_earlier(arrivals: list[tuple[Priority, int]], ageing_min: int) -> None:
    """For any arrivals: the more urgent first, but whoever waited (c - c') times the ageing longer; within a class by time."""
    driver = Driver(many([kind for kind, _ in arrivals], ageing_min * MINUTE))
    for number, (_, pause) in enumerate(arrivals):
        driver.after(pause * MINUTE)
        driver.press(f"p{number:02}")
    order = served(driver)
    assert len(arrivals) == len(order)
    for first, then in combinations(order, 2):
        later_ms = (first.waiting_since - then.waiting_since) // 1_000_000
        if first.priority == then.priority:
            assert later_ms <= 0
        elif ageing_min == 0:
            assert first.priority < then.priority
        else:
            assert later_ms <= (then.priority - first.priority) * ageing_min * MINUTE


@pytest.mark.parametrize("ageing_ms", [0, 10 * MINUTE])
def test_an_emergency_behind_fifty_pranks_is_offered_next(ageing_ms: int) -> None:
    driver = Driver(many([Priority.NORMAL] * 50 + [Priority.EMERGENCY], ageing_ms))
    for number in range(51):
        driver.press(f"p{number:02}")
    driver.do(ev.SeatBound(OperatorId("ann"), "sip"))
    assert driver.state.incidents[driver.state.calls[driver.state.legs[driver.leg("ann")].call].incident].point == "p50"


def test_a_lower_class_goes_first_when_it_waited_longer_than_the_ageing_makes_up_for() -> None:
    driver = Driver(many([Priority.NORMAL, Priority.EMERGENCY], 10 * MINUTE))
    driver.press("p00")
    driver.after(20 * MINUTE + 1)
    driver.press("p01")
    assert [one.point for one in served(driver)] == ["p00", "p01"]


def test_each_incident_ages_by_the_plan_that_it_was_opened_under() -> None:
    driver = Driver(many([Priority.NORMAL, Priority.EMERGENCY], 10 * MINUTE))
    driver.press("p00")
    driver.do(ev.PlanLoaded(2, "two", many([Priority.NORMAL, Priority.EMERGENCY], 0), "admin"))
    driver.after(30 * MINUTE)
    driver.press("p01")
    assert [one.point for one in served(driver)] == ["p00", "p01"]


def test_another_class_changes_the_place_at_once() -> None:
    driver = Driver(many([Priority.HIGH, Priority.NORMAL], 0))
    driver.press("p00")
    low = driver.press("p01")
    driver.do(ev.Reclassify(low.id, int(Priority.EMERGENCY), "sue"))
    assert [driver.state.incidents[one].point for one in driver.state.waiting] == ["p01", "p00"]
    assert PointId("p01") == served(driver)[0].point
