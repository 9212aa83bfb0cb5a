"""Plans, points, trunks, silent lines, lost workers, alarms, notes; and the way back after a restart."""

import pytest

from callserver.core import events as ev
from callserver.core.decide import next_deadline
from callserver.core.effects import AnswerLeg, CloseCall, EndLeg, ReviveCall, ShapeCall, StartMedia
from callserver.core.facts import (
    AlarmCleared,
    AlarmRaised,
    CallMoved,
    Fact,
    IncidentRejoined,
    LineChanged,
    Listened,
    PointChanged,
    RecordingFailed,
    RecordingMade,
    Refused,
    RouteTried,
    TrunkChanged,
    WorkerReplaced,
)
from callserver.core.fold import fold
from callserver.core.ids import CallId, IncidentId, LegId, PointId
from callserver.core.instant import Instant
from callserver.core.recovery import LOST_IN_RESTART, orders_outstanding, reconcile
from dialplans.model import MediaSource
from tests.core.driver import Driver
from tests.core.plans import plan


def alarms(driver: Driver) -> list[str]:
    return [fact.key for fact in driver.said(AlarmRaised)]


def cleared(driver: Driver) -> list[str]:
    return [fact.key for fact in driver.said(AlarmCleared)]


def test_a_plan_in_force_is_not_adopted_again_and_an_older_one_is_refused() -> None:
    driver = Driver()
    driver.do(ev.PlanLoaded(1, "digest", plan(), "admin"))
    assert driver.facts == []
    driver.do(ev.PlanLoaded(1, "other", plan(), "admin"))
    assert [Refused] == [type(fact) for fact in driver.facts]


def test_points_and_trunks_alarm_when_lost_and_once() -> None:
    driver = Driver()
    driver.do(ev.PointLost(PointId("p1"), "no reply"), ev.TrunkLost("trunk-a", "no reply"))
    assert alarms(driver) == ["point:p1", "trunk:trunk-a"]
    driver.do(ev.PointLost(PointId("p1"), "no reply"), ev.TrunkLost("trunk-a", "no reply"))
    assert driver.facts == []
    driver.do(ev.PointReached(PointId("p1")), ev.TrunkReached("trunk-a"))
    assert cleared(driver) == ["point:p1", "trunk:trunk-a"]
    assert [fact.reachable for fact in driver.facts if isinstance(fact, PointChanged | TrunkChanged)] == [True, True]
    driver.do(ev.PointLost(PointId("p9"), "no reply"))
    assert [Refused] == [type(fact) for fact in driver.facts]


def test_a_silent_point_is_an_alarm_after_ten_seconds_and_ends_nothing() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    leg = driver.leg("p1")
    driver.do(ev.LineSilent(leg, 1_000))
    assert ([LineChanged(leg, False, 1_000)], []) == (driver.facts, driver.effects)
    driver.do(ev.LineSilent(leg, 10_000))
    assert [f"silent:{leg}"] == alarms(driver)
    driver.do(ev.LineSounding(leg))
    assert ([f"silent:{leg}"], "attended") == (cleared(driver), incident.state)
    driver.do(ev.LineSilent(leg, 10_000))
    driver.end("p1")
    assert [f"silent:{leg}"] == cleared(driver)
    driver.do(ev.LineSilent(leg, 10_000), ev.LineSounding(leg))
    assert [Refused, Refused] == [type(fact) for fact in driver.facts]


def test_a_lost_worker_is_replaced_with_the_same_people_and_the_place_is_not_told_twice() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    call = driver.call(incident)
    assert len(call.shape.prompts) == 1
    driver.do(ev.WorkerLost(call.id, "killed"))
    assert [WorkerReplaced(call.id, "killed")] == driver.said(WorkerReplaced)
    revive = driver.ordered(ReviveCall)[0]
    assert ({driver.leg("p1"), driver.leg("ann")}, ()) == (set(revive.shape.talk), revive.shape.prompts)
    driver.do(ev.DigitPressed(driver.leg("ann"), "1"), ev.DigitPressed(driver.leg("p1"), "1"))
    assert revive.shape == call.shape


def test_a_lost_worker_while_waiting_goes_on_with_the_reassurance() -> None:
    driver = Driver()
    incident = driver.press()
    driver.do(ev.WorkerLost(driver.call(incident).id, "killed"))
    assert [prompt.name for order in driver.ordered(ReviveCall) for prompt in order.shape.prompts] == ["reassurance"]


def test_a_worker_that_nobody_needs_is_not_replaced() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.end("p1")
    for call in ("i1.1", "i9.1"):
        driver.do(ev.WorkerLost(CallId(call), "killed"))
        assert ([Refused], []) == ([type(fact) for fact in driver.facts], driver.effects)


def test_conditions_of_the_machine_are_alarms() -> None:
    driver = Driver()
    driver.do(ev.ConditionRaised("disk", "full"), ev.ConditionRaised("disk", "full"))
    assert alarms(driver) == ["disk"]
    driver.do(ev.ConditionCleared("disk"), ev.ConditionCleared("disk"))
    assert (cleared(driver), driver.state.alarms) == (["disk"], {})


def test_notes_of_others_are_journalled_but_decisions_of_others_are_not() -> None:
    driver = Driver()
    note = Listened(CallId("i1.1"), "sue", "complaint")
    driver.do(ev.Noted(note))
    assert [note] == driver.facts
    driver.do(ev.Noted(CallMoved(CallId("i1.1"), "waiting", "talking", "I say so")))
    assert [Refused] == [type(fact) for fact in driver.facts]
    driver.do(ev.Noted(RecordingFailed(CallId("i1.1"), "disk")))
    assert alarms(driver) == ["recording:i1.1"]
    driver.do(ev.Noted(RecordingMade(CallId("i1.1"), {}, {}, 1, 0)))
    assert cleared(driver) == ["recording:i1.1"]


def test_waking_too_early_does_nothing() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.do(ev.Woken())
    assert (driver.facts, driver.effects) == ([], [])


def test_nothing_to_wait_for_is_no_deadline() -> None:
    driver = Driver(None, "ann")
    assert None is next_deadline(driver.state)
    driver.press()
    assert Instant(driver.now + 10_000_000_000) == next_deadline(driver.state)


# ---- after a restart ----------------------------------------------------------------------------------------


def test_what_died_unseen_becomes_events() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    driver.press("p6")
    live = {driver.leg("p1"), driver.leg("ann")}
    dead = {leg for leg in driver.state.legs if leg not in live}
    assert dead
    events = reconcile(driver.state, live, set())
    assert {ev.LegEnded(leg, LOST_IN_RESTART) for leg in dead} == {one for one in events if isinstance(one, ev.LegEnded)}
    assert [ev.WorkerLost(driver.call(incident).id, "gone after a restart")] == [
        one for one in events if isinstance(one, ev.WorkerLost)
    ]
    assert reconcile(driver.state, set(driver.state.legs), {driver.call(incident).id, CallId("i2.1")}) == []


def test_seats_that_rang_in_a_restart_are_rung_again_at_once() -> None:
    driver = Driver(None, "ann", "bob")
    incident = driver.press()
    driver.do(*reconcile(driver.state, {driver.leg("p1")}, {driver.call(incident).id}))
    assert {"ann", "bob"} == driver.rung()


def test_a_press_lost_before_it_was_adopted_stays_an_incident() -> None:
    driver = Driver(None, "ann")
    incident = driver.press()
    driver.do(*reconcile(driver.state, set(), set()))
    assert incident.state == "waiting"
    driver.press()
    assert len(driver.said(IncidentRejoined)) == 1


def test_what_was_decided_is_ordered_again() -> None:
    driver = Driver(None, "ann", "bob")
    talking = driver.talk("p1", "ann")
    driver.press("p6")
    driver.answer("bob")
    driver.end("bob")
    early = driver.press("p2")
    call, legs = driver.call(talking), driver.state.legs
    orders = orders_outstanding(driver.state)
    assert AnswerLeg(driver.leg("p1")) in orders
    assert ShapeCall(call.id, call.shape) in orders
    assert StartMedia(driver.leg("p2"), MediaSource.SDP_HOST) in orders
    assert {leg.id for leg in legs.values() if leg.state == "ending"} == {one.leg for one in orders if isinstance(one, EndLeg)}
    assert early.call in {one.call for one in orders if isinstance(one, ShapeCall)}


def test_what_nobody_knows_of_is_ended_after_a_restart() -> None:
    driver = Driver()
    orders = orders_outstanding(driver.state, {LegId("i9.1.1")}, {CallId("i9.1")})
    assert [EndLeg(LegId("i9.1.1"), "unknown after a restart"), CloseCall(CallId("i9.1"))] == orders


def test_an_empty_shape_is_ordered_again_where_a_worker_lives() -> None:
    driver = Driver()
    incident = driver.press()
    driver.end("p1")
    call = driver.call(incident)
    assert [one for one in orders_outstanding(driver.state) if isinstance(one, ShapeCall)] == []
    assert [ShapeCall(call.id, call.shape)] == orders_outstanding(driver.state, (), {call.id})[-1:]


def test_a_fact_about_something_that_is_not_there_is_a_broken_journal() -> None:
    rows: list[tuple[Fact, Instant]] = [(CallMoved(CallId("i1.1"), "waiting", "talking", ""), Instant(1))]
    with pytest.raises(KeyError):
        fold(rows)


def test_the_same_events_give_the_same_facts() -> None:
    def told() -> list[tuple[Fact, Instant]]:
        driver = Driver(None, "ann", "bob")
        driver.talk("p1")
        driver.press("p2")
        driver.after(60_000)
        return driver.journal

    assert told() == told()
    assert [fact for fact, _ in told() if isinstance(fact, RouteTried)]
    assert IncidentId("i1") in fold(told()).incidents
