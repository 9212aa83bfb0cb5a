"""The call-back list: each open incident that nobody has is somebody's, with a clock, and is handed on."""

from callserver.core import events as ev
from callserver.core.effects import AnswerCode, DialPoint, Notify
from callserver.core.facts import (
    AlarmRaised,
    CallBackBegun,
    IncidentListed,
    IncidentUnlisted,
    OwnerAcknowledged,
    OwnerNamed,
    Refused,
)
from callserver.core.ids import IncidentId, OperatorId
from callserver.core.instant import later
from callserver.core.recovery import reconcile
from callserver.core.state import Incident
from dialplans.model import Group, Hours, Notice, Plan
from tests.core.driver import BUSY, BYE, Driver
from tests.core.plans import plan, with_queue

ANN, BOB, CAT = OperatorId("ann"), OperatorId("bob"), OperatorId("cat")


def quiet(**changes: object) -> Plan:
    """A plan whose queue `idle` has its last resort late, so that nothing else happens for an hour."""
    made = plan()
    ladder = made.ladders["short"]
    late = type(ladder)("short", (type(ladder.steps[0])(7_200_000, call_party="police"),))
    return with_queue(plan(ladders={**made.ladders, "short": late}, **changes), "idle", ring_timeout_ms=600_000)


def gone(driver: Driver, point: str = "p3") -> Incident:
    """A caller who pressed and hung up."""
    incident = driver.press(point)
    driver.end(point, BYE)
    return incident


def left_to_review(driver: Driver, operator: str = "ann") -> Incident:
    """A conversation that is over, without an outcome."""
    incident = driver.talk("p3", operator)
    driver.end("p3", BYE)
    driver.end(operator, BYE)
    driver.gone()
    driver.after(20_000)
    assert incident.state == "unreviewed"
    return incident


def give(driver: Driver, incident: Incident, to: str, by: str = "sue") -> None:
    """By hand."""
    driver.do(ev.GiveOwner(incident.id, to, by))


# ---- on the list and off it ---------------------------------------------------------------------------------------


def test_a_caller_who_hangs_up_is_on_the_list_with_an_owner_and_a_clock() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = driver.press("p3")
    assert incident.listed == ""
    driver.after(7_000)
    driver.end("p3", BYE)
    assert (incident.listed, incident.listed_since, incident.overdue_at) == ("call-back", driver.now, later(driver.now, 300_000))
    assert incident.owner in (ANN, BOB) and driver.state.owned == {str(incident.owner): {incident.id}}
    assert driver.said(OwnerNamed)[0].by == "rule" and incident.acknowledge_by is None
    assert incident.state == "waiting" and driver.call(incident).offer is not None, "and is offered as before"


def test_who_presses_again_is_off_the_list() -> None:
    driver = Driver(quiet(), "ann")
    incident = gone(driver)
    driver.press("p3")
    assert (incident.listed, incident.owner, driver.state.owned) == ("", None, {})
    assert [fact.incident for fact in driver.said(IncidentUnlisted)] == [incident.id]


def test_who_calls_back_owns_it_and_it_leaves_the_list_only_when_the_point_answers() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = gone(driver)
    since = incident.listed_since
    driver.after(5_000)
    other = next(leg.party for leg in driver.state.legs.values() if leg.role == "operator")
    driver.answer(other)
    assert (incident.state, incident.listed, incident.owner, incident.listed_since) == ("attended", "call-back", other, since)
    driver.answer("p3")
    assert (incident.listed, incident.attempts[-1].operator, incident.attempts[-1].result) == ("", other, "answered")


def test_a_call_back_in_vain_leaves_it_listed_with_its_attempts() -> None:
    driver = Driver(quiet(), "ann")
    incident = gone(driver)
    since = incident.listed_since
    driver.answer("ann")
    for _ in range(5):
        driver.end("p3", BUSY)
        driver.after(30_000)
    assert (incident.state, incident.listed, incident.listed_since, incident.owner) == ("unreviewed", "call-back", since, ANN)
    assert [(one.operator, one.result) for one in incident.attempts] == [(ANN, "busy (486)")] * 5


def test_what_was_spoken_about_and_not_closed_is_to_be_reviewed_by_who_had_it() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver, next(iter(driver.state.operators)))
    assert (incident.listed, incident.owner) == ("review", ANN)
    assert incident.overdue_at == later(incident.listed_since, 1_800_000)


def test_what_the_plan_closes_is_never_listed() -> None:
    driver = Driver(None, "ann")
    driver.talk("p5")
    driver.end("ann", BYE)
    driver.gone()
    assert not driver.ever(IncidentListed)


def test_closing_takes_it_off_the_list_and_ends_its_alarms() -> None:
    driver = Driver(quiet(), "ann")
    incident = left_to_review(driver)
    driver.after(1_900_000)
    assert f"overdue:{incident.id}" in driver.state.alarms
    driver.do(ev.GiveOutcome(incident.id, "helped", "ann"))
    assert driver.state.owned == {} and driver.state.incidents == {} and not driver.state.alarms


# ---- whose ----------------------------------------------------------------------------------------------------------


def test_the_owner_is_who_owns_least() -> None:
    driver = Driver(quiet(points=plan().points), "ann", "bob", "cat")
    owners = []
    for point in ("p3", "p4"):
        owners.append(gone(driver, point).owner)
    driver.do(ev.CallOut(plan().points["p6"].id, CAT, "cat", IncidentId("x")))  # type: ignore[arg-type]
    assert len(set(owners)) == 2


def test_with_nobody_on_duty_it_is_the_rooms_with_an_alarm_until_somebody_comes() -> None:
    driver = Driver(quiet())
    incident = gone(driver)
    assert (incident.owner, driver.state.owned) == (None, {"": {incident.id}})
    assert "Car park" in driver.state.alarms[f"unowned:{incident.id}"]
    driver.do(ev.SeatBound(ANN, "sip"))
    assert incident.owner == ANN and f"unowned:{incident.id}" not in driver.state.alarms
    assert incident.acknowledge_by is not None, "it was passed, and is to be acknowledged"


def test_somebody_of_another_queue_does_not_get_it() -> None:
    driver = Driver(quiet(), "dan")
    assert gone(driver).owner is None


def test_who_is_on_duty_outside_of_a_groups_hours_owns_all_the_same() -> None:
    """They are not rung, but they are there."""
    never = Hours("never", ())
    made = quiet(hours={"never": never}, about_groups={"main": Group("main", hours="never")})
    assert gone(Driver(made, "ann")).owner == ANN


# ---- the clock --------------------------------------------------------------------------------------------------------


def test_past_its_time_there_is_an_alarm_and_a_notice() -> None:
    made = with_queue(quiet(notices={"duty": Notice("duty", url="http://a")}), "idle", overdue_notify=("duty",))
    driver = Driver(made, "ann")
    incident = gone(driver)
    driver.after(299_999)
    assert f"overdue:{incident.id}" not in driver.state.alarms
    driver.after(1)
    assert "past its time" in driver.state.alarms[f"overdue:{incident.id}"]
    assert [order.notice.id for order in driver.ordered(Notify)] == ["duty"]
    driver.after(600_000)
    assert len([fact for fact in driver.ever(AlarmRaised) if fact.key.startswith("overdue:")]) == 1, "said once"


def test_the_times_are_the_queues() -> None:
    driver = Driver(with_queue(quiet(), "idle", call_back_within_ms=10_000), "ann")
    incident = gone(driver)
    driver.after(10_000)
    assert f"overdue:{incident.id}" in driver.state.alarms


# ---- passing ----------------------------------------------------------------------------------------------------------


def test_who_pauses_passes_everything_to_whom_they_name() -> None:
    driver = Driver(quiet(), "ann", "bob", "cat")
    incident = left_to_review(driver)
    driver.do(ev.Pause(ANN, "", "ann", "cat"))
    assert (incident.owner, driver.operator("ann")) == (CAT, "paused")
    assert incident.acknowledge_by == later(driver.now, 120_000)


def test_who_pauses_without_naming_anybody_passes_to_the_next_on_duty() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    driver.do(ev.Pause(ANN, "", "ann"))
    assert incident.owner == BOB and "ann is paused" in driver.said(OwnerNamed)[0].why


def test_nobody_pauses_by_naming_somebody_who_is_not_there() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    for nobody in ("cat", "ann", "zoe"):
        driver.do(ev.Pause(ANN, "", "ann", nobody))
        assert driver.said(Refused) and (driver.operator("ann"), incident.owner) == ("available", ANN)


def test_the_last_one_who_goes_leaves_it_to_the_room_with_an_alarm_and_a_notice() -> None:
    made = with_queue(quiet(notices={"duty": Notice("duty", url="http://a")}), "idle", overdue_notify=("duty",))
    driver = Driver(made, "ann")
    incident = left_to_review(driver)
    driver.do(ev.Pause(ANN, "", "ann"))
    assert incident.owner is None and f"unowned:{incident.id}" in driver.state.alarms
    assert [order.notice.id for order in driver.ordered(Notify)] == ["duty"]
    driver.do(ev.SeatBound(BOB, "sip"))
    assert incident.owner == BOB


def test_the_telephones_code_passes_everything_and_says_so() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    driver.do(ev.CodeDialled(ANN, "*2", "d"))
    assert incident.owner == BOB
    assert driver.ordered(AnswerCode) == [AnswerCode("d", True, "items-passed")]
    driver.do(ev.CodeDialled(ANN, "*1", "e"), ev.CodeDialled(ANN, "*2", "f"))
    assert driver.ordered(AnswerCode) == [AnswerCode("e", True), AnswerCode("f", True)], "there is nothing to pass any more"


def test_the_last_one_who_goes_by_telephone_hears_that_it_is_left() -> None:
    driver = Driver(quiet(), "ann")
    left_to_review(driver)
    driver.do(ev.CodeDialled(ANN, "*2", "d"))
    assert driver.ordered(AnswerCode) == [AnswerCode("d", True, "items-left")]


def test_a_lost_seat_keeps_its_own_for_a_minute_and_then_passes_it() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    driver.do(ev.SeatUnbound(ANN, "gone"))
    driver.after(59_999)
    assert incident.owner == ANN
    driver.after(1)
    assert incident.owner == BOB


def test_a_seat_that_comes_back_within_the_minute_keeps_its_own() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    driver.do(ev.SeatUnbound(ANN, "gone"))
    driver.after(50_000)
    driver.do(ev.SeatBound(ANN, "sip"))
    driver.after(120_000)
    assert incident.owner == ANN


def test_a_plan_without_the_owner_passes_what_they_own() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    without = quiet(operators={known: one for known, one in plan().operators.items() if known != "ann"})
    driver.do(ev.PlanLoaded(2, "other", without, "admin"))
    assert incident.owner == BOB


def test_what_was_passed_is_acknowledged_one_or_all_or_there_is_an_alarm() -> None:
    driver = Driver(quiet(), "ann", "bob")
    first = left_to_review(driver)
    driver.do(ev.Pause(ANN, "", "ann"))
    driver.after(120_000)
    key = f"unacknowledged:{first.id}"
    assert "bob" in driver.state.alarms[key]
    driver.do(ev.Acknowledge(BOB, first.id, "bob"))
    assert key not in driver.state.alarms and first.acknowledge_by is None
    assert [OwnerAcknowledged(first.id, BOB, "bob")] == driver.said(OwnerAcknowledged)
    driver.do(ev.Acknowledge(BOB, None, "bob"))
    assert not driver.facts, "it was acknowledged already"


def test_nobody_acknowledges_what_is_not_theirs() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    driver.do(ev.Acknowledge(BOB, incident.id, "bob"))
    assert driver.said(Refused) and not driver.said(OwnerAcknowledged)


def test_it_is_given_by_hand_and_taken_by_who_gives_it_to_themselves() -> None:
    driver = Driver(quiet(), "ann", "bob", "cat")
    incident = left_to_review(driver)
    give(driver, incident, "cat")
    assert incident.owner == CAT and incident.acknowledge_by is not None
    give(driver, incident, "bob", by="bob")
    assert incident.owner == BOB and incident.acknowledge_by is None, "who takes it has seen it"
    give(driver, incident, "")
    assert incident.owner == ANN, "the next by the rule is who had it last"


def test_it_is_given_to_nobody_who_is_not_on_duty() -> None:
    driver = Driver(quiet(), "ann")
    incident = left_to_review(driver)
    for nobody in ("bob", "zoe", ""):
        give(driver, incident, nobody)
        assert driver.said(Refused) and incident.owner == ANN


# ---- calling back ---------------------------------------------------------------------------------------------------


def test_what_is_to_be_reviewed_is_called_back_in_the_same_incident() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    driver.do(ev.CallBack(incident.id, BOB, "bob"))
    assert driver.said(CallBackBegun) and driver.rung() == {"bob"}
    driver.answer("bob")
    assert [order.point for order in driver.ordered(DialPoint)] == ["p3"] and incident.owner == BOB
    driver.answer("p3")
    assert (incident.state, incident.listed, len(driver.state.incidents)) == ("attended", "", 1)
    driver.do(ev.Pressed(incident.point, "again", IncidentId("i9")))
    assert set(driver.state.incidents) == {incident.id}, "a press joins it"


def test_a_call_back_of_what_is_to_be_reviewed_that_fails_leaves_it_as_it_was() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = left_to_review(driver)
    since = incident.listed_since
    driver.do(ev.CallBack(incident.id, ANN, "ann"))
    driver.answer("ann")
    driver.end("p3", BUSY)
    driver.gone()
    assert (incident.state, incident.listed, incident.listed_since, incident.owner) == ("unreviewed", "review", since, ANN)
    assert [one.result for one in incident.attempts] == ["busy (486)"]


def test_who_waits_on_the_list_is_taken_to_be_called_back() -> None:
    driver = Driver(quiet(), "ann", "bob")
    incident = gone(driver)
    driver.do(ev.CallBack(incident.id, BOB, "bob"))
    driver.answer("bob")
    assert incident.state == "attended" and [order.point for order in driver.ordered(DialPoint)] == ["p3"]


def test_a_point_with_a_newer_incident_is_not_called_back_for_the_old_one() -> None:
    driver = Driver(quiet(), "ann", "bob")
    old = left_to_review(driver)
    new = driver.press("p3")
    driver.do(ev.CallBack(old.id, BOB, "bob"))
    assert new.id in driver.said(Refused)[0].why and old.state == "unreviewed"


# ---- restarts -------------------------------------------------------------------------------------------------------


def test_after_the_host_restarts_every_open_incident_is_on_the_list_with_its_owner_and_its_times() -> None:
    driver = Driver(quiet(), "ann", "bob")
    reviewed = left_to_review(driver)
    talking = driver.press("p4")
    driver.end(next(leg.party for leg in driver.state.legs.values() if leg.role == "operator"), BUSY)
    driver.answer("ann")
    since, owner = reviewed.listed_since, reviewed.owner
    driver.after(5_000)
    driver.do(*reconcile(driver.state, set(), set()), ev.Woken())
    for operator in (ANN, BOB):
        driver.do(ev.SeatUnbound(operator, "not registered yet"))
    assert (reviewed.listed, reviewed.listed_since, reviewed.owner) == ("review", since, owner)
    assert (talking.state, talking.listed, talking.owner) == ("waiting", "call-back", ANN), "who had it last, lost a moment ago"
    driver.do(ev.SeatBound(ANN, "sip"))
    driver.after(180_000)
    assert (reviewed.owner, talking.listed_since) == (owner, later(talking.opened, 5_000))
