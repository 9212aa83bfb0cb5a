"""Room for emergencies: wrap-ups cut short, ringing seats taken over, talks parked and resumed; full queues and long waits."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.decide import next_deadline
from callserver.core.effects import ShapeCall
from callserver.core.facts import AlarmCleared, AlarmRaised, IncidentParked, OfferMade
from callserver.core.ids import OperatorId, PartyId, PointId
from dialplans.model import Plan, Priority, Step, Strategy
from tests.core.driver import Driver
from tests.core.plans import operators, plan, with_queue

PREEMPT_MS = 3_000


def town(**of_queue: object) -> Plan:
    """p1 is an emergency; low1 to low3 are of lower classes, in the same queue without wrap-up."""
    made = with_queue(plan(), "none", **{"preempt_after_ms": PREEMPT_MS, **of_queue})
    low = replace(made.points["p6"], priority=Priority.NORMAL)
    points = {
        "p1": replace(made.points["p1"], queue="none"),
        "p2": replace(made.points["p1"], id="p2", queue="none"),
        "high": replace(low, id="high", priority=Priority.HIGH),
        "low1": replace(low, id="low1"),
        "low2": replace(low, id="low2"),
        "info": replace(low, id="info", priority=Priority.INFORMATION),
    }
    return replace(made, points=points, operators=operators("ann", "bob"))


def parked(driver: Driver) -> list[tuple[str, str]]:
    return [(driver.state.incidents[fact.incident].point, fact.operator) for fact in driver.ever(IncidentParked)]


# ---- parking ----------------------------------------------------------------------------------------------------


def test_an_emergency_that_nobody_is_rung_for_parks_a_lower_talk_and_gets_its_seat() -> None:
    driver = Driver(town(), "ann")
    low = driver.talk("low1", "ann")
    leg = driver.leg("low1")
    urgent = driver.press("p1")
    driver.after(PREEMPT_MS - 1)
    assert parked(driver) == []
    driver.after(1)
    assert parked(driver) == [("low1", "ann")]
    assert (low.state, low.parked, low.prefers, urgent.preempted) == ("waiting", True, "ann", "ann")
    assert [order.shape.prompts[0].name for order in driver.ordered(ShapeCall)] == ["interrupted"]
    assert driver.state.legs[leg].state == "up"
    assert driver.hung_up() == {"ann"}
    driver.gone("ann")
    assert (driver.rung(), driver.call(urgent).offer is not None) == ({"ann"}, True)
    driver.answer("ann")
    assert urgent.operator == "ann"


def test_the_parked_caller_keeps_the_place_and_is_resumed_by_whoever_had_the_call() -> None:
    driver = Driver(town(), "ann")
    low = driver.talk("low1", "ann")
    since = low.waiting_since
    driver.after(10_000)
    urgent = driver.press("p1")
    driver.after(PREEMPT_MS)
    driver.gone("ann")
    driver.answer("ann")
    assert low.waiting_since == since
    driver.do(ev.HangUp(driver.call(urgent).id, "ann"))
    driver.gone()
    assert driver.rung() == {"ann"}
    driver.answer("ann")
    assert (low.state, low.operator, low.parked, low.prefers) == ("attended", "ann", False, None)


def test_whoever_had_the_parked_call_is_rung_first_and_others_may_have_it_too() -> None:
    driver = Driver(town(strategy=Strategy.LONGEST_IDLE), "ann")
    low = driver.talk("low1", "ann")
    driver.press("p1")
    driver.after(PREEMPT_MS)
    driver.do(ev.SeatBound(OperatorId("bob"), "sip"))
    assert driver.rung() == {"bob"}
    driver.gone("ann")
    assert driver.rung() == {"ann"}
    assert driver.call(low).offer is not None


def test_the_seat_goes_to_the_emergency_even_where_the_parked_call_has_aged_past_it() -> None:
    driver = Driver(replace(town(), ageing_ms=1_000), "ann")
    driver.talk("low1", "ann")
    driver.after(60_000)
    urgent = driver.press("p1")
    driver.after(PREEMPT_MS)
    driver.gone("ann")
    assert driver.call(urgent).offer is not None


def test_the_youngest_talk_of_the_lowest_class_is_parked() -> None:
    driver = Driver(replace(town(), operators=operators("ann", "bob", "cat")), "ann")
    driver.talk("info", "ann")
    for point, who in (("low1", "bob"), ("low2", "cat")):
        driver.do(ev.SeatBound(OperatorId(who), "sip"))
        driver.talk(point, who)
    driver.press("p1")
    driver.after(PREEMPT_MS)
    assert parked(driver) == [("info", "ann")]
    driver.gone()
    driver.answer("ann")
    driver.press("p2")
    driver.after(PREEMPT_MS)
    assert parked(driver)[1:] == [("low2", "cat")]


@pytest.mark.parametrize("point", ["high", "p2"])
def test_a_talk_of_emergency_or_high_class_is_never_parked(point: str) -> None:
    driver = Driver(town(), "ann")
    driver.talk(point, "ann")
    driver.press("p1")
    driver.after(60_000)
    assert parked(driver) == []


def test_a_talk_with_an_outside_party_is_never_parked() -> None:
    driver = Driver(town(), "ann")
    low = driver.talk("low1", "ann")
    driver.do(ev.Escalate(driver.call(low).id, PartyId("police"), "ann"))
    driver.press("p1")
    driver.after(PREEMPT_MS)
    assert parked(driver) == []


def test_nothing_is_parked_where_the_queue_does_not_say_so() -> None:
    driver = Driver(town(preempt_after_ms=None), "ann")
    driver.talk("low1", "ann")
    driver.press("p1")
    driver.after(600_000)
    assert parked(driver) == []


def test_one_talk_at_most_is_parked_for_an_emergency_whatever_becomes_of_the_offer() -> None:
    driver = Driver(town(), "ann", "bob")
    driver.talk("low1", "ann")
    driver.talk("low2", "bob")
    driver.press("p1")
    for _ in range(40):
        driver.after(5_000)
        driver.gone()
    assert len(parked(driver)) == 1


def test_a_parked_incident_parks_nobody_though_its_class_is_raised() -> None:
    driver = Driver(town(), "ann", "bob")
    low = driver.talk("low1", "ann")
    driver.talk("low2", "bob")
    driver.press("p1")
    driver.after(PREEMPT_MS)
    (first,) = parked(driver)
    raised = low if first[0] == "low1" else driver.state.incidents[driver.state.open_by_point["low2"]]  # type: ignore[index]
    driver.do(ev.Reclassify(raised.id, int(Priority.EMERGENCY), "sue"))
    driver.after(60_000)
    assert len(parked(driver)) == 1


def test_a_parked_incident_that_became_an_emergency_does_not_hide_those_behind_it() -> None:
    driver = Driver(town(), "ann", "bob")
    driver.talk("low1", "ann")
    driver.talk("low2", "bob")
    driver.press("p1")
    driver.after(PREEMPT_MS)
    ((point, seat),) = parked(driver)
    hidden = driver.state.incidents[driver.state.open_by_point[PointId(point)]]
    driver.gone()
    driver.answer(seat)
    driver.do(ev.Reclassify(hidden.id, int(Priority.EMERGENCY), "sue"))
    driver.press("p2")
    driver.after(PREEMPT_MS)
    assert len(parked(driver)) == 2


def test_a_free_seat_is_used_before_anything_is_parked() -> None:
    driver = Driver(town(), "ann", "bob")
    driver.talk("low1", "ann")
    driver.press("p1")
    assert driver.rung() == {"bob"}
    driver.after(PREEMPT_MS)
    assert parked(driver) == []


def test_a_seat_that_rings_for_somebody_behind_is_taken_before_a_talk_is_parked() -> None:
    driver = Driver(town(), "ann", "bob")
    driver.talk("low1", "ann")
    driver.press("low2")
    urgent = driver.press("p1")
    driver.after(PREEMPT_MS)
    assert parked(driver) == []
    driver.gone("bob")
    assert (driver.rung(), driver.call(urgent).offer is not None) == ({"bob"}, True)


# ---- wrap-up ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("point", "cut"), [("p1", True), ("low2", False), ("high", False)])
def test_a_wrap_up_is_cut_short_for_an_emergency_alone(point: str, cut: bool) -> None:
    driver = Driver(town(wrap_up_ms=60_000), "ann")
    first = driver.talk("low1", "ann")
    driver.end("ann")
    driver.gone()
    assert driver.operator("ann") == "wrap-up"
    driver.press(point)
    assert (driver.rung() == {"ann"}, first.state == "unreviewed") == (cut, cut)


def test_a_wrap_up_is_not_cut_where_the_queue_says_so_or_a_seat_is_free() -> None:
    for made, bound in ((town(wrap_up_ms=60_000, wrap_up_cut=False), ["ann"]), (town(wrap_up_ms=60_000), ["ann", "bob"])):
        driver = Driver(made, *bound)
        driver.talk("low1", "ann")
        driver.end("ann")
        driver.gone()
        driver.press("p1")
        assert driver.operator("ann") == "wrap-up"


def test_one_wrap_up_is_cut_for_one_emergency_the_oldest() -> None:
    driver = Driver(town(wrap_up_ms=60_000), "ann", "bob")
    for point, who in (("low1", "ann"), ("low2", "bob")):
        driver.talk(point, who)
    for who in ("bob", "ann"):
        driver.end(who)
        driver.gone()
        driver.after(1_000)
    driver.press("p1")
    assert (driver.rung(), driver.operator("ann")) == ({"bob"}, "wrap-up")


def test_a_wrap_up_at_the_telephone_is_cut_and_the_seat_rings_when_its_leg_is_gone() -> None:
    driver = Driver(town(wrap_up_ms=60_000), "ann")
    driver.talk("low1", "ann")
    driver.end("low1")
    assert driver.operator("ann") == "wrap-up"
    driver.press("p1")
    assert (driver.hung_up(), driver.operator("ann")) == ({"ann"}, "available")
    driver.gone()
    assert driver.rung() == {"ann"}


def test_a_seat_whose_leg_does_not_end_is_not_waited_for() -> None:
    driver = Driver(town(wrap_up_ms=60_000), "ann", "bob")
    for point, who in (("low1", "ann"), ("low2", "bob")):
        driver.talk(point, who)
    driver.end("low1")
    driver.end("bob")
    driver.gone()
    driver.press("p1")
    assert (driver.operator("ann"), driver.operator("bob")) == ("available", "wrap-up")
    driver.after(1_999)
    assert driver.rung() == set()
    driver.after(1)
    assert driver.rung() == {"bob"}


# ---- alarms -----------------------------------------------------------------------------------------------------


def test_more_than_most_waiting_is_an_alarm_until_it_is_no_more() -> None:
    driver = Driver(town(most_waiting=1))
    driver.press("low1")
    assert driver.said(AlarmRaised) == []
    second = driver.press("low2")
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["full:none"]
    driver.do(ev.HangUp(driver.call(second).id, "sue"))
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["full:none"]


def test_the_alarm_of_a_full_queue_goes_with_the_limit() -> None:
    driver = Driver(town(most_waiting=1))
    driver.press("low1")
    driver.press("low2")
    driver.do(ev.PlanLoaded(2, "two", town(), "admin"))
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["full:none"]


def test_a_wait_longer_than_the_longest_is_an_alarm_once_until_somebody_answers() -> None:
    driver = Driver(town(longest_wait_ms=20_000), "ann")
    incident = driver.press("low1")
    driver.after(19_999)
    assert "waits" not in {fact.key.partition(":")[0] for fact in driver.said(AlarmRaised)}
    driver.after(40_000)
    assert [fact.key for fact in driver.said(AlarmRaised) if fact.key.startswith("waits")] == [f"waits:{incident.id}"]
    driver.gone()
    driver.after(5_000)
    driver.answer("ann")
    assert f"waits:{incident.id}" in [fact.key for fact in driver.said(AlarmCleared)]


def test_a_caller_who_waited_long_is_an_alarm_as_soon_as_a_stricter_queue_has_it() -> None:
    made = with_queue(town(), "idle", longest_wait_ms=20_000)
    steps = (Step(30_000, hand_to="idle"),)
    driver = Driver(replace(made, ladders={**made.ladders, "short": replace(made.ladders["short"], steps=steps)}))
    driver.press("low1")
    driver.after(30_000)
    assert [fact.key for fact in driver.said(AlarmRaised) if fact.key.startswith("waits")] == ["waits:i1"]
    assert (next_deadline(driver.state) or driver.now + 1) > driver.now


def test_every_offer_of_a_parked_incident_is_a_new_one() -> None:
    driver = Driver(town(), "ann")
    driver.talk("low1", "ann")
    driver.press("p1")
    driver.after(PREEMPT_MS)
    driver.gone("ann")
    assert len({fact.offer for fact in driver.ever(OfferMade)}) == len(driver.ever(OfferMade))
