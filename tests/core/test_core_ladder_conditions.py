"""What makes a ladder go up before its time: of the moment, or kept once it happened."""

import pytest

from callserver.core import events as ev
from callserver.core.effects import DialParty
from callserver.core.facts import ConditionMet, LadderStepTaken, NoticeOrdered, Refused
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.state import Incident
from callserver.core.termination import By, Class, Termination
from dialplans.model import Ladder, Notice, Plan, Step, When
from tests.core.driver import BUSY, BYE, GONE, LOST, Driver
from tests.core.plans import plan, with_queue


def with_steps(*steps: Step, queue: str = "none", **changes: object) -> Plan:
    """The plan whose queue `none` climbs these steps, and the police after an hour."""
    ladder = Ladder("own", (*steps, Step(3_600_000, call_party="police")))
    return with_queue(plan(ladders={**plan().ladders, "own": ladder}, **changes), queue, ladder="own")


def civic_when(*conditions: str, **changes: object) -> Plan:
    return with_steps(Step(1_800_000, call_party="civic", when=conditions), **changes)


def called(driver: Driver) -> list[str]:
    return [order.party for order in driver.ordered(DialParty)]


def steps(driver: Driver) -> list[str]:
    return [fact.reason for fact in driver.said(LadderStepTaken)]


def met(driver: Driver) -> list[tuple[str, str]]:
    return [(fact.condition, fact.why) for fact in driver.said(ConditionMet)]


def hear(driver: Driver, party: str, keys: str) -> None:
    driver.do(*(ev.DigitPressed(driver.leg(party), key) for key in keys))


def up(driver: Driver, incident: Incident) -> None:
    """The point's leg is answered: only from an answered line anything is heard."""
    assert driver.state.legs[driver.leg(incident.point)].state == "up"


# ---- of the moment ----------------------------------------------------------------------------------------------


def test_all_busy_is_met_when_everybody_on_duty_talks() -> None:
    driver = Driver(civic_when(When.ALL_BUSY), "ann", "bob")
    driver.talk("p1", "ann")
    driver.press("p6")
    assert called(driver) == []  # bob rings
    driver.answer("bob")
    driver.gone()
    driver.press("p5")
    waits = driver.press("p4")
    assert waits.queue == "idle"
    assert called(driver) == []  # its ladder has no such step
    driver = Driver(civic_when(When.ALL_BUSY), "ann")
    driver.talk("p1", "ann")
    driver.press("p6")
    assert steps(driver) == ["step 1: everybody busy under plan v1"]
    assert called(driver) == ["civic"]


def test_all_busy_is_not_met_while_a_seat_rings_or_is_about_to_be_free() -> None:
    driver = Driver(civic_when(When.ALL_BUSY), "ann")
    driver.press("p1")
    driver.press("p6")
    assert called(driver) == []
    driver.end("ann", BUSY)  # ann rests for two seconds, and is not busy
    assert called(driver) == []


def test_all_busy_is_not_met_where_nobody_is_on_duty() -> None:
    driver = Driver(civic_when(When.ALL_BUSY))
    driver.press("p6")
    assert called(driver) == []


def test_a_queue_over_its_size_takes_the_step_for_each_that_waits() -> None:
    made = with_queue(civic_when(When.OVER_SIZE), "none", most_waiting=1)
    points = {**made.points, **{f"q{n}": made.points["p6"] for n in range(3)}}
    driver = Driver(plan(queues=made.queues, ladders=made.ladders, points=points), "ann")
    driver.talk("p1", "ann")
    driver.press("q0")
    assert called(driver) == []
    driver.press("q1")
    assert steps(driver) == ["step 1: too many wait under plan v1"] * 2


def test_a_queue_without_a_size_is_never_over_it() -> None:
    driver = Driver(civic_when(When.OVER_SIZE), "ann")
    driver.talk("p1", "ann")
    driver.press("p6")
    assert called(driver) == []


@pytest.mark.parametrize("key", ["journal", "journal:slow", "disk:data", "process:archivist", "sound:i9.1", "rtp:ports"])
def test_a_fault_of_the_machine_is_degraded(key: str) -> None:
    driver = Driver(civic_when(When.DEGRADED), "ann")
    driver.press("p6")
    driver.do(ev.ConditionRaised(key, "trouble"))
    assert steps(driver) == ["step 1: the machine is in trouble under plan v1"]


@pytest.mark.parametrize("key", ["journal:holes", "internal:core", "prompt:hold", "point:p2", "diskette"])
def test_an_alarm_that_is_no_fault_of_the_machine_or_stays_is_not_degraded(key: str) -> None:
    driver = Driver(civic_when(When.DEGRADED), "ann")
    driver.press("p6")
    driver.do(ev.ConditionRaised(key, "trouble"))
    assert steps(driver) == []


def test_a_fault_that_is_gone_is_not_degraded() -> None:
    driver = Driver(civic_when(When.DEGRADED), "ann")
    driver.do(ev.ConditionRaised("disk:data", "full"), ev.ConditionCleared("disk:data"))
    driver.press("p6")
    assert steps(driver) == []


def test_the_steps_before_the_last_one_whose_condition_is_met_are_taken_on_the_way() -> None:
    driver = Driver(
        with_steps(
            Step(1_000_000, ring_group="backup"),
            Step(1_100_000, call_party="civic", when=(When.NOBODY,)),
            Step(1_200_000, ring_group="main", when=(When.DEGRADED, When.NOBODY)),
            Step(1_300_000, ring_group="main"),
        )
    )
    driver.press("p6")
    nobody = "nobody on duty under plan v1"
    assert steps(driver) == [f"step 1: {nobody}", f"step 2: {nobody}", f"step 3: {nobody}"]


# ---- kept -------------------------------------------------------------------------------------------------------


def test_the_loss_of_the_seat_that_had_the_call_is_kept() -> None:
    driver = Driver(civic_when(When.SEAT_DEAD), "ann", "bob")
    driver.talk("p6", "ann")
    driver.end("ann", LOST)
    assert met(driver) == [("seat-dead", "ann had the call: no reply")]
    assert steps(driver) == ["step 1: the seat was lost under plan v1"]
    assert "bob" in driver.rung()


def test_the_loss_of_a_ringing_seat_is_kept_and_a_refusal_is_none() -> None:
    driver = Driver(civic_when(When.SEAT_DEAD), "ann", "bob")
    driver.press("p6")
    driver.end("ann", BUSY)
    assert called(driver) == []
    driver.end("bob", GONE)
    assert met(driver) == [("seat-dead", "bob rang: unreachable (480)")]
    assert called(driver) == ["civic"]


def test_a_seat_that_is_unbound_while_it_rings_is_lost() -> None:
    driver = Driver(civic_when(When.SEAT_DEAD), "ann", "bob")
    driver.press("p6")
    driver.do(ev.SeatUnbound(OperatorId("ann"), "expired"))
    assert met(driver) == [("seat-dead", "ann rang: expired")]


def test_our_own_restart_is_no_lost_seat() -> None:
    driver = Driver(civic_when(When.SEAT_DEAD), "ann", "bob")
    driver.talk("p6", "ann")
    driver.end("ann", Termination(Class.LOST, By.US, "lost in a restart"))
    assert met(driver) == []


def test_a_kept_condition_is_forgotten_with_the_wait() -> None:
    driver = Driver(civic_when(When.SEAT_DEAD), "ann", "bob")
    incident = driver.talk("p6", "ann")
    driver.end("ann", LOST)
    driver.answer("bob")
    assert incident.met == ("seat-dead",)
    driver.gone()
    driver.end("bob", Termination(Class.LOST, By.US, "lost in a restart"))
    assert (incident.state, incident.met, incident.step) == ("waiting", (), 0)


def test_a_waiting_caller_who_is_silent_for_five_seconds_is_kept() -> None:
    driver = Driver(with_queue(civic_when(When.CALLER_SILENT), "idle", ladder="own"), "ann")
    up(driver, driver.press("p3"))
    driver.do(ev.LineSilent(driver.leg("p3"), 4_900))
    assert called(driver) == []
    driver.do(ev.LineSounding(driver.leg("p3")), ev.LineSilent(driver.leg("p3"), 5_000))
    assert met(driver) == [("caller-silent", "silent for 5 s")]
    assert called(driver) == ["civic"]


def test_a_silent_operator_is_no_silent_caller() -> None:
    driver = Driver(civic_when(When.CALLER_SILENT), "ann")
    driver.talk("p6", "ann")
    driver.do(ev.LineSilent(driver.leg("p6"), 8_000), ev.LineSilent(driver.leg("ann"), 8_000))
    assert met(driver) == []


def test_digits_of_a_waiting_caller_are_kept_when_they_belong_together() -> None:
    driver = Driver(with_queue(civic_when("digits:55"), "idle", ladder="own"), "ann")
    driver.press("p3")
    hear(driver, "p3", "5")
    driver.after(3_100)
    hear(driver, "p3", "5")
    assert met(driver) == []
    hear(driver, "p3", "5")
    assert met(driver) == [("digits:55", "pressed 55")]
    assert steps(driver) == ["step 1: the caller pressed 55 under plan v1"]


@pytest.mark.parametrize("keys", ["*5*", "#", "1234567890123456"])
def test_all_the_digits_that_a_plan_may_name_can_be_pressed(keys: str) -> None:
    driver = Driver(with_queue(civic_when(f"digits:{keys}"), "idle", ladder="own"), "ann")
    driver.press("p3")
    hear(driver, "p3", "9" + keys[:-1])
    assert called(driver) == []
    hear(driver, "p3", keys[-1])
    assert called(driver) == ["civic"]


def test_other_digits_and_those_of_an_operator_change_nothing() -> None:
    driver = Driver(with_queue(civic_when("digits:55"), "idle", ladder="own"), "ann")
    driver.talk("p3", "ann")
    hear(driver, "p3", "55")
    hear(driver, "ann", "55")
    assert met(driver) == []
    driver.end("ann", LOST)
    hear(driver, "p3", "1")
    assert (met(driver), called(driver)) == ([], [])


def test_a_condition_that_the_ladder_does_not_name_is_not_journalled() -> None:
    driver = Driver(civic_when(When.DEGRADED), "ann", "bob")
    driver.talk("p6", "ann")
    driver.end("ann", LOST)
    assert met(driver) == []


# ---- asked for --------------------------------------------------------------------------------------------------


def test_who_asks_for_the_ladder_gets_its_step_at_once() -> None:
    driver = Driver(civic_when(When.ASKED), "ann")
    incident = driver.press("p6")
    driver.do(ev.ClimbLadder(incident.id, "sue"))
    assert met(driver) == [("asked", "asked by sue")]
    assert steps(driver) == ["step 1: asked for under plan v1"]
    driver.do(ev.ClimbLadder(incident.id, "sue"))
    assert (len(driver.said(Refused)), called(driver)) == (1, [])


def test_asking_for_what_the_ladder_does_not_have_is_refused() -> None:
    driver = Driver(civic_when(When.DEGRADED), "ann")
    incident = driver.press("p6")
    driver.do(ev.ClimbLadder(incident.id, "sue"), ev.ClimbLadder(IncidentId("i9"), "sue"))
    assert [fact.about for fact in driver.said(Refused)] == ["i1", "i9"]
    driver.answer("ann")
    driver.do(ev.ClimbLadder(incident.id, "ann"))
    assert [fact.why for fact in driver.said(Refused)] == ["its ladder has no step for being asked"]


NOTICE = {"city": Notice("city", url="https://city.example/hook")}


def test_in_a_conversation_the_asked_steps_call_and_tell_while_the_ladder_stands() -> None:
    made = with_steps(
        Step(900_000, ring_group="backup", when=(When.ASKED,)),
        Step(1_000_000, call_party="civic", notify=("city",), when=(When.ASKED,)),
        notices=NOTICE,
    )
    driver = Driver(made, "ann", "dan")
    incident = driver.talk("p6", "ann")
    driver.do(ev.ClimbLadder(incident.id, "ann"))
    assert called(driver) == ["civic"]
    assert [fact.text for fact in driver.said(NoticeOrdered)] == ["Station: step 2: asked by ann under plan v1"]
    assert (incident.state, incident.step, driver.rung()) == ("attended", 0, {"civic"})
    driver.answer("civic")
    assert set(driver.call(incident).shape.talk) == {driver.leg("p6"), driver.leg("ann"), driver.leg("civic")}


@pytest.mark.parametrize("called_as_a_number", [True, False])
def test_the_ladder_code_asks_for_it_from_a_telephone(called_as_a_number: bool) -> None:
    driver = Driver(civic_when(When.ASKED, codes={"*7": "ladder"}), "ann")
    driver.talk("p6", "ann")
    if called_as_a_number:
        driver.do(ev.CodeDialled(OperatorId("ann"), "*7", "d9"))
    else:
        hear(driver, "ann", "*7")
    assert called(driver) == ["civic"]
    assert driver.ever(ConditionMet) == []


def test_the_ladder_code_is_refused_outside_of_a_conversation() -> None:
    driver = Driver(civic_when(When.ASKED, codes={"*7": "ladder"}), "ann")
    driver.press("p6")
    driver.do(ev.CodeDialled(OperatorId("ann"), "*7", "d9"))
    assert called(driver) == []
    driver.answer("ann")
    driver.end("ann", BYE)
    driver.do(ev.CodeDialled(OperatorId("ann"), "*7", "d9"))
    assert called(driver) == []


# ---- the watch's last resort ------------------------------------------------------------------------------------


def test_the_last_resort_takes_every_step_at_once() -> None:
    driver = Driver(None, "ann")
    incident = driver.press("p1")
    driver.do(ev.LastResort(incident.id, "the watch found no offer"))
    found = "the watch found no offer under plan v1"
    assert steps(driver) == [f"step 1: {found}", f"step 2: {found}", f"step 3: {found}"]
    assert called(driver) == ["civic", "police"]
    driver.do(ev.LastResort(incident.id, "again"))
    assert called(driver) == []  # it rings


def test_at_the_end_of_a_ladder_where_nobody_rings_the_last_party_is_called_once_more() -> None:
    driver = Driver()
    incident = driver.press("p6")
    driver.end("police", GONE)
    driver.end("police", GONE)
    driver.do(ev.LastResort(incident.id, "nobody rings"))
    assert steps(driver) == ["step 1: nobody rings under plan v1"]
    assert called(driver) == ["police"]


def test_the_last_resort_of_what_does_not_wait_is_refused() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p1", "ann")
    driver.do(ev.LastResort(incident.id, "why"), ev.LastResort(IncidentId("i9"), "why"))
    assert (len(driver.said(Refused)), called(driver)) == (2, [])


def test_a_press_that_joins_a_waiting_incident_keeps_its_ladder_where_it_is() -> None:
    driver = Driver(civic_when(When.ASKED), "ann")
    incident = driver.press("p6")
    driver.do(ev.ClimbLadder(incident.id, "sue"))
    driver.do(ev.Pressed(PointId("p6"), "d9", IncidentId("i9")))
    assert (incident.step, incident.met) == (1, ("asked",))
