"""A press becomes an incident, or joins the point's open one."""

import pytest

from callserver.core import events as ev
from callserver.core.effects import AdoptPress, AnswerLeg, EndLeg, RefusePress, ShapeCall, StartMedia
from callserver.core.facts import CallOpened, IncidentOpened, IncidentRejoined, Refused
from callserver.core.ids import IncidentId, LegId, PointId
from callserver.core.shape import Prompt, Shape
from dialplans.model import MediaSource
from tests.core.driver import BYE, CANCELLED, LOST, Driver
from tests.core.plans import plan, with_queue


def test_a_press_opens_incident_and_call_and_hears_the_reassurance() -> None:
    driver = Driver(None, "ann")
    incident = driver.press()
    leg = LegId("i1.1.1")
    assert (incident.state, incident.queue, incident.priority, incident.plan_version) == ("waiting", "help", 0, 1)
    assert [AdoptPress("d1", leg), StartMedia(leg, MediaSource.SDP_HOST)] == driver.effects[:2]
    assert [ShapeCall(driver.call(incident).id, Shape((), (Prompt("reassurance", (leg,), 20_000),)))] == driver.ordered(ShapeCall)
    assert driver.ordered(AnswerLeg) == []


def test_the_reassurance_comes_at_least_each_minute() -> None:
    driver = Driver(with_queue(plan(), "help", reassurance_every_ms=600_000))
    driver.press()
    assert driver.ordered(ShapeCall)[0].shape.prompts[0].every_ms == 60_000


def test_an_unknown_point_is_refused() -> None:
    driver = Driver()
    driver.do(ev.Pressed(PointId("stranger"), "d9", IncidentId("i9")))
    assert [RefusePress("d9", 403, "Unknown point")] == driver.effects
    assert [Refused("Pressed", "stranger", "no such point in the plan")] == driver.facts
    assert driver.state.incidents == {}


def test_an_incident_id_is_not_used_twice() -> None:
    driver = Driver()
    driver.press("p1")
    driver.do(ev.Pressed(PointId("p2"), "d9", IncidentId("i1")))
    assert driver.ordered(RefusePress)[0].status == 500


@pytest.mark.parametrize("termination", [CANCELLED, BYE, LOST])
def test_hanging_up_while_waiting_ends_nothing(termination: object) -> None:
    driver = Driver(None, "ann")
    incident = driver.press()
    driver.end("p1", termination)  # type: ignore[arg-type]
    assert (incident.state, driver.call(incident).state) == ("waiting", "waiting")
    assert driver.operator("ann") == "offered"
    driver.after(31_000)
    assert incident.step == 3


def test_a_second_press_while_waiting_replaces_the_leg_and_keeps_the_place_in_the_order() -> None:
    driver = Driver(None, "ann")
    incident = driver.press()
    since, first = incident.waiting_since, driver.leg("p1")
    driver.after(1_000)
    assert incident is driver.press()
    assert (len(driver.state.incidents), incident.presses) == (1, 2)
    assert [IncidentRejoined(incident.id, incident.point, "press 2 while waiting")] == driver.said(IncidentRejoined)
    assert [first] == [order.leg for order in driver.ordered(EndLeg)]
    assert since == incident.waiting_since
    assert (driver.leg("p1"),) == driver.call(incident).shape.prompts[0].to
    driver.gone("p1")
    assert driver.call(incident).state == "waiting"


def test_a_press_in_a_conversation_joins_it_and_is_answered_at_once() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    old = driver.leg("p1")
    driver.press()
    new = driver.leg("p1")
    assert [AnswerLeg(new)] == driver.ordered(AnswerLeg)
    assert [old] == [order.leg for order in driver.ordered(EndLeg)]
    assert {new, driver.leg("ann")} == set(driver.call(incident).shape.talk)
    driver.gone("p1")
    assert (incident.state, driver.call(incident).state) == ("attended", "talking")


def test_a_press_while_called_back_takes_the_place_of_the_call_back() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    driver.end("p1", LOST)
    assert driver.call(incident).state == "calling-back"
    outbound = driver.leg("p1")
    driver.press()
    assert [outbound] == [order.leg for order in driver.ordered(EndLeg)]
    assert driver.call(incident).state == "talking"


def test_a_press_in_wrap_up_gets_the_operator_whose_leg_still_stands() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2")
    assert (incident.state, driver.call(incident).state, driver.operator("ann")) == ("wrap-up", "wrap-up", "wrap-up")
    driver.press("p2")
    assert (incident.state, driver.call(incident).state, driver.operator("ann")) == ("attended", "talking", "talking")
    assert {driver.leg("p2"), driver.leg("ann")} == set(driver.call(incident).shape.talk)


def test_a_press_in_wrap_up_without_a_leg_waits_again_in_a_new_call() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p1")
    driver.end("ann")
    driver.gone()
    assert (incident.state, incident.call) == ("wrap-up", None)
    driver.press("p1")
    assert [fact.call for fact in driver.said(CallOpened)] == ["i1.2"]
    assert (incident.state, driver.operator("ann")) == ("waiting", "offered")
    assert incident.step == 0


def test_a_press_after_the_review_began_opens_a_new_incident() -> None:
    driver = Driver(None, "ann")
    driver.talk("p6")
    driver.end("p6")
    driver.gone()
    assert driver.state.incidents[IncidentId("i1")].state == "unreviewed"
    driver.press("p6")
    assert [fact.incident for fact in driver.said(IncidentOpened)] == ["i2"]


def test_a_profile_may_answer_at_once_or_after_a_while() -> None:
    driver = Driver()
    driver.press("p3")
    assert [AnswerLeg(driver.leg("p3"))] == driver.ordered(AnswerLeg)
    driver.press("p4")
    assert driver.ordered(AnswerLeg) == []
    driver.after(4_999)
    assert driver.ordered(AnswerLeg) == []
    driver.after(1)
    assert [AnswerLeg(driver.leg("p4"))] == driver.ordered(AnswerLeg)


def test_a_point_that_left_the_plan_can_still_join_its_open_incident() -> None:
    driver = Driver(None, "ann")
    incident = driver.press("p1")
    fewer = {known: point for known, point in plan().points.items() if known != "p1"}
    driver.do(ev.PlanLoaded(2, "other", plan(points=fewer), "admin"))
    assert incident is driver.press("p1")
