"""Who is rung for a waiting call, in which order, and what becomes of an offer."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core.effects import AnswerLeg, DialOperator, EndLeg, ShapeCall
from callserver.core.facts import OfferEnded, OfferMade, OfferWidened, OperatorRests
from callserver.core.ids import OperatorId
from callserver.core.shape import Prompt, Shape
from callserver.core.termination import from_status
from dialplans.model import Priority
from tests.core.driver import BUSY, GONE, LOST, Driver
from tests.core.plans import operators, plan, with_queue


def ended(driver: Driver) -> list[str]:
    return [fact.result for fact in driver.said(OfferEnded)]


def test_ring_all_rings_every_eligible_seat_and_shows_the_point() -> None:
    driver = Driver(None, "ann", "bob", "dan")
    driver.press()
    assert {"ann", "bob"} == driver.rung()
    assert {("p1", "North gate")} == {(order.point, order.place) for order in driver.ordered(DialOperator)}
    assert [fact.why for fact in driver.said(OfferMade)] == ["ring-all of queue help"]


def test_a_group_added_by_the_ladder_rings_at_once_in_the_same_offer() -> None:
    driver = Driver(None, "ann", "dan")
    driver.press()
    driver.after(10_000)
    assert {"dan"} == driver.rung()
    assert len(driver.said(OfferWidened)) == 1


def test_the_first_answer_wins_and_the_others_are_told() -> None:
    driver = Driver(None, "ann", "bob", "cat")
    incident = driver.press()
    legs = {who: driver.leg(who) for who in ("p1", "ann", "bob", "cat")}
    driver.do(ev.LegRang(legs["bob"]), ev.LegAnswered(legs["bob"]))
    assert {(legs["ann"], "answered elsewhere"), (legs["cat"], "answered elsewhere")} == {
        (order.leg, order.reason) for order in driver.ordered(EndLeg)
    }
    assert ended(driver) == ["accepted"]
    assert (incident.state, incident.operator) == ("attended", "bob")
    assert [AnswerLeg(legs["p1"])] == driver.ordered(AnswerLeg)
    talk = Shape((legs["p1"], legs["bob"]), (Prompt("place:p1", (legs["bob"],)),))
    assert [talk] == [order.shape for order in driver.ordered(ShapeCall)]
    assert tuple(driver.operator(who) for who in ("ann", "bob", "cat")) == ("available", "talking", "available")


def test_a_queue_may_leave_the_place_unspoken() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p5")
    assert driver.call(incident).shape.prompts == ()


def test_a_second_answer_that_crosses_is_ended_and_changes_nothing_else() -> None:
    driver = Driver(None, "ann", "bob")
    incident = driver.press()
    late = driver.leg("bob")
    driver.answer("ann")
    driver.do(ev.LegAnswered(late))
    assert [late] == [order.leg for order in driver.ordered(EndLeg)]
    assert (incident.operator, driver.operator("bob")) == ("ann", "available")


def test_a_losing_seat_is_not_rung_before_its_leg_is_gone() -> None:
    driver = Driver(None, "ann", "bob")
    driver.press("p1")
    driver.answer("ann")
    driver.press("p2")
    assert set() == driver.rung()
    driver.gone("bob")
    assert {"bob"} == driver.rung()


def test_longest_idle_rings_one_seat_after_the_other_and_starves_nobody() -> None:
    driver = Driver(None, "ann", "bob", "cat")
    driver.press("p3")
    for _ in range(5):
        driver.after(10_000)
        driver.gone()
    rung = [fact.operators[0] for fact in driver.ever(OfferMade)]
    assert rung[:3] == ["ann", "bob", "cat"]
    assert {"ann", "bob", "cat"} == set(rung[3:])


def test_longest_idle_prefers_who_talked_least_lately() -> None:
    driver = Driver(None, "ann", "bob")
    driver.talk("p5", "ann")
    driver.after(1_000)
    driver.end("p5")
    driver.gone()
    driver.press("p3")
    assert {"bob"} == driver.rung()


def test_an_offer_that_rings_out_rests_its_seats_and_is_made_again_at_once() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.after(15_000)
    assert "rung-out" in ended(driver)
    assert [fact.operator for fact in driver.said(OperatorRests)] == ["ann"]
    driver.gone()
    assert {"ann"} == driver.rung()  # resting, but nobody else is free


def test_a_resting_seat_is_passed_over_while_another_is_free_and_joins_when_it_rested() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.after(14_000)
    driver.do(ev.SeatBound(OperatorId("bob"), "sip"))
    assert {"bob"} == driver.rung()
    driver.after(1_000)
    driver.do(ev.SeatBound(OperatorId("cat"), "sip"))
    assert {"cat"} == driver.rung()
    driver.gone()
    assert set() == driver.rung()
    driver.after(5_000)
    assert {"ann", "bob"} == {order.operator for order in driver.ordered(DialOperator)}


def test_a_refusing_seat_leaves_the_offer_and_is_rung_again_later_and_later() -> None:
    driver = Driver(None, "ann")
    driver.press("p6")
    rests = []
    for _ in range(5):
        driver.end("ann", BUSY)
        assert ended(driver) == ["refused"]
        fact = driver.said(OperatorRests)[0]
        rests.append((fact.until - driver.now) // 1_000_000)
        driver.after(rests[-1] - 1)
        assert "ann" not in driver.rung()
        driver.after(1)
        assert {"ann"} <= driver.rung() | {leg.party for leg in driver.state.legs.values()}
    assert rests == [2_000, 4_000, 8_000, 16_000, 16_000]


def test_one_refusal_leaves_the_others_ringing() -> None:
    driver = Driver(None, "ann", "bob")
    incident = driver.press()
    driver.end("ann", GONE)
    assert ended(driver) == []
    offer = driver.call(incident).offer
    assert offer is not None and {"bob"} == set(offer.legs.values())


def test_a_telephone_that_rings_out_by_itself_rests_softly() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.end("ann", from_status(408, "no answer"))
    assert {"ann"} == driver.rung()


def test_calls_wait_in_order_of_priority_then_time() -> None:
    points = plan().points
    driver = Driver(plan(points={**points, "p2": replace(points["p2"], priority=Priority.INFORMATION)}))
    for point in ("p2", "p1", "p6"):
        driver.press(point)
        driver.after(10)
    assert driver.state.waiting == ["i2", "i3", "i1"]
    driver.do(ev.SeatBound(OperatorId("ann"), "sip"))
    assert {"p1"} == {order.point for order in driver.ordered(DialOperator)}


def test_several_waiting_calls_share_the_free_seats_and_the_first_gets_the_rest() -> None:
    driver = Driver(None)
    driver.press("p1")
    driver.press("p2")
    fewer = with_queue(plan(), "help", ring_timeout_ms=15_000)
    driver.do(ev.PlanLoaded(2, "same seats", fewer, "admin"))
    for who in ("ann", "bob", "cat"):
        driver.do(ev.SeatBound(OperatorId(who), "sip"))
    shown = {}
    for call in driver.state.calls.values():
        assert call.offer is not None
        shown[call.incident] = set(call.offer.legs.values())
    assert {"i1": {"ann", "cat"}, "i2": {"bob"}} == shown


def test_a_call_that_lost_its_operator_goes_to_the_head_of_its_class() -> None:
    driver = Driver(None, "ann")
    first = driver.talk("p1")
    driver.press("p2")
    driver.end("ann", LOST)
    assert [first.id, "i2"] == driver.state.waiting
    driver.after(2_000)
    assert {"p1"} == {order.point for order in driver.ordered(DialOperator)}


def test_a_press_with_one_free_seat_among_many_busy_ones_rings_it_at_once() -> None:
    driver = Driver(None, "ann", "bob")
    driver.talk("p1", "ann")
    driver.press("p2")
    assert {"bob"} == driver.rung()


def test_an_operator_of_a_new_plan_is_not_eligible_for_an_old_incident() -> None:
    driver = Driver()
    driver.press("p1")
    made = plan()
    driver.do(ev.PlanLoaded(2, "v2", replace(made, operators={**made.operators, **operators("eve")}), "admin"))
    driver.do(ev.SeatBound(OperatorId("eve"), "sip"))
    assert set() == driver.rung()
    driver.press("p2")
    assert {"eve"} == driver.rung()
