"""What class an incident has, and what raises or lowers it."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.facts import IncidentHandedOver, IncidentOpened, IncidentReclassified, Refused
from callserver.core.ids import IncidentId, PointId
from dialplans.model import Button, Hours, Nuisance, Plan, Priority, Span
from tests.core.driver import Driver
from tests.core.plans import plan, with_queue

BUTTONS = (
    Button("sos", Priority.EMERGENCY, header="Alert-Info: sos"),
    Button("info", Priority.INFORMATION, user="info", queue="none"),
    Button("again", Priority.HIGH, digit="5"),
)
NUISANCE = Nuisance("pranks", ("false",), 2, 3_600_000, Priority.NORMAL)


def town(**of_queue: object) -> Plan:
    made = with_queue(plan(), "help", **of_queue)
    points = {**made.points, "p1": replace(made.points["p1"], buttons=BUTTONS, priority=Priority.NORMAL)}
    points["p2"] = replace(points["p2"], nuisance="pranks")
    return replace(made, points=points, nuisance={"pranks": NUISANCE})


def press(driver: Driver, button: str = "", point: str = "p1") -> IncidentId:
    driver.pressed += 1
    driver.do(ev.Pressed(PointId(point), f"d{driver.pressed}", IncidentId(f"i{driver.pressed}"), button))
    return driver.state.open_by_point[PointId(point)]


def prank(driver: Driver) -> None:
    """An incident of p2 that is closed as a false alarm."""
    incident = press(driver, point="p2")
    driver.do(ev.HangUp(driver.call(driver.state.incidents[incident]).id, "sue"))
    driver.gone()
    driver.do(ev.GiveOutcome(incident, "false", "sue"))


@pytest.mark.parametrize(
    ("button", "priority", "queue"),
    [("", Priority.NORMAL, "help"), ("sos", Priority.EMERGENCY, "help"), ("info", Priority.INFORMATION, "none")],
)
def test_a_button_has_its_own_class_and_queue(button: str, priority: Priority, queue: str) -> None:
    driver = Driver(town())
    press(driver, button)
    (opened,) = driver.said(IncidentOpened)
    assert (opened.priority, opened.queue, opened.button) == (priority, queue, button)


def test_a_button_that_the_plan_does_not_know_is_the_points_press() -> None:
    driver = Driver(town())
    press(driver, "unknown")
    (opened,) = driver.said(IncidentOpened)
    assert (opened.priority, opened.queue) == (Priority.NORMAL, "help")


def test_a_more_urgent_button_raises_the_class_and_takes_the_waiting_incident_to_its_queue() -> None:
    driver = Driver(town())
    incident = driver.state.incidents[press(driver, "info")]
    press(driver, "sos")
    assert (incident.priority, incident.queue) == (Priority.EMERGENCY, "help")
    assert len(driver.said(IncidentHandedOver)) == 1


def test_a_less_urgent_button_changes_nothing() -> None:
    driver = Driver(town())
    incident = driver.state.incidents[press(driver, "sos")]
    press(driver, "info")
    assert (incident.priority, incident.queue, incident.presses) == (Priority.EMERGENCY, "help", 2)


def test_a_digit_that_is_a_button_sets_the_class() -> None:
    driver = Driver(town())
    incident = driver.state.incidents[press(driver)]
    driver.do(ev.DigitPressed(driver.leg("p1"), "7"))
    assert driver.said(IncidentReclassified) == []
    driver.do(ev.DigitPressed(driver.leg("p1"), "5"))
    assert [(fact.old, fact.new) for fact in driver.said(IncidentReclassified)] == [(Priority.NORMAL, Priority.HIGH)]
    assert incident.priority == Priority.HIGH


def test_presses_raise_the_class_by_one_once() -> None:
    driver = Driver(town(raise_after_presses=3))
    incident = driver.state.incidents[press(driver)]
    press(driver)
    assert incident.priority == Priority.NORMAL
    press(driver)
    assert incident.priority == Priority.HIGH
    press(driver)
    assert incident.priority == Priority.HIGH


def test_a_silent_caller_who_waits_is_raised_once_where_the_queue_says_so() -> None:
    for wanted, expected in ((True, Priority.HIGH), (False, Priority.NORMAL)):
        driver = Driver(town(raise_when_silent=wanted))
        incident = driver.state.incidents[press(driver)]
        driver.do(ev.LineSilent(driver.leg("p1"), 4_000))
        assert incident.priority == Priority.NORMAL
        driver.do(ev.LineSilent(driver.leg("p1"), 5_000), ev.LineSilent(driver.leg("p1"), 10_000))
        assert incident.priority == expected


def test_an_emergency_is_not_raised() -> None:
    driver = Driver(town(raise_after_presses=2))
    press(driver, "sos")
    press(driver, "sos")
    assert driver.said(IncidentReclassified) == []


def test_mischief_again_and_again_lowers_the_class_and_never_refuses() -> None:
    driver = Driver(town())
    for _ in range(2):
        prank(driver)
    press(driver, point="p2")
    (opened,) = driver.said(IncidentOpened)
    assert (opened.priority, opened.why) == (Priority.NORMAL, "2 incidents were false lately")
    assert driver.said(Refused) == []


def test_mischief_is_forgotten_after_its_time() -> None:
    driver = Driver(town())
    prank(driver)
    driver.after(3_600_001)
    prank(driver)
    press(driver, point="p2")
    assert [fact.priority for fact in driver.said(IncidentOpened)] == [Priority.EMERGENCY]


def test_mischief_never_raises_a_class() -> None:
    made = town()
    points = {**made.points, "p2": replace(made.points["p2"], priority=Priority.INFORMATION)}
    driver = Driver(replace(made, points=points))
    for _ in range(2):
        prank(driver)
    press(driver, point="p2")
    assert [fact.priority for fact in driver.said(IncidentOpened)] == [Priority.INFORMATION]


def test_the_ladder_of_a_press_is_chosen_by_the_hours() -> None:
    always = Hours("always", (Span((0, 1, 2, 3, 4, 5, 6)),))
    made = replace(town(ladders=(("always", "short"),)), hours={"always": always})
    driver = Driver(made)
    press(driver)
    assert [fact.ladder for fact in driver.said(IncidentOpened)] == ["short"]


def test_a_class_that_is_none_is_refused() -> None:
    driver = Driver(town())
    incident = press(driver)
    driver.do(ev.Reclassify(incident, 9, "sue"))
    assert len(driver.said(Refused)) == 1
