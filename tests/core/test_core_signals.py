"""What a device is told by keys: that a person is there, what an operator wants it to do, and that the call ends."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import EndLeg, Keys, SendDigits
from callserver.core.ids import LegId, PointId
from callserver.core.state import Call
from dialplans.model import Control, Plan, PointBye
from tests.core.driver import LOST, Driver
from tests.core.plans import plan

BEACON = {"beacon": Control("beacon", "Beacon on", "*71")}


def told(**changes: object) -> Plan:
    """A plan whose points are told by keys."""
    made = plan()
    profile = replace(made.profiles["human"], acknowledge="*", on_end="#", controls=BEACON, digit_gap_ms=500, **changes)  # type: ignore[arg-type]
    return replace(made, profiles={**made.profiles, "human": profile})


def talking(**changes: object) -> tuple[Driver, Call, LegId]:
    """Ann talks with p1, whose device was told so."""
    run = Driver(told(**changes), "ann")
    incident = run.talk()
    run.do(ev.DigitsDone(run.leg("p1"), "*"))
    return run, run.call(incident), run.leg("p1")


# ---- keys to a device -----------------------------------------------------------------------------------------------


def test_a_device_is_told_once_that_a_person_is_there() -> None:
    run = Driver(told(), "ann")
    run.press("p1")
    assert run.ordered(SendDigits) == []
    run.answer("ann")
    leg = run.leg("p1")
    assert run.ordered(SendDigits) == [SendDigits(leg, Keys("*", False, 120, 500))]
    assert [(fact.leg, fact.digits, fact.why, fact.by) for fact in run.said(f.DigitsSent)] == [(leg, "*", "acknowledge", "plan")]
    run.do(ev.DigitsDone(leg, "*"))
    assert run.said(f.DigitsSettled) == [f.DigitsSettled(leg, "*", True)]
    run.do(ev.Hold(run.state.legs[leg].call, True, "ann"), ev.Hold(run.state.legs[leg].call, False, "ann"))
    assert run.ordered(SendDigits) == []


def test_a_point_that_was_called_back_is_told_anew_in_its_new_call() -> None:
    run, _, _ = talking()
    run.end("p1", LOST)
    leg = run.answer("p1")
    assert [order.leg for order in run.ordered(SendDigits)] == [leg]


def test_a_point_that_was_brought_in_is_told_too() -> None:
    run = Driver(told(), "ann")
    call = run.call(run.talk("p2"))
    run.do(ev.BringPoint(call.id, PointId("p1"), "ann"))
    leg = run.answer("p1")
    assert [order.leg for order in run.ordered(SendDigits)] == [leg]


def test_a_device_is_told_before_we_end_its_call_and_not_when_it_ended_it() -> None:
    run, call, leg = talking()
    run.do(ev.HangUp(call.id, "ann"))
    assert [(order.leg, order.keys) for order in run.ordered(EndLeg) if order.keys] == [(leg, Keys("#", False, 120, 500))]
    assert [fact.why for fact in run.said(f.DigitsSent)] == ["end"]
    other, _, _ = talking(point_bye=PointBye.END)
    other.end("p1")
    assert other.said(f.DigitsSent) == []


def test_a_caller_who_was_not_answered_is_sent_no_keys_at_the_end() -> None:
    run = Driver(told(), "ann")
    incident = run.press("p1")
    run.do(ev.HangUp(run.call(incident).id, "sue"))
    assert run.said(f.DigitsSent) == []


def test_an_operator_has_the_device_do_what_its_profile_names() -> None:
    run, call, leg = talking(dtmf="info")
    run.do(ev.SendControl(call.id, "beacon", "ann"))
    assert run.ordered(SendDigits) == [SendDigits(leg, Keys("*71", True, 120, 500))]
    assert [(fact.why, fact.by) for fact in run.said(f.DigitsSent)] == [("control:beacon", "ann")]


@pytest.mark.parametrize("control", ["siren", ""])
def test_an_unknown_control_is_refused(control: str) -> None:
    run, call, _ = talking()
    run.do(ev.SendControl(call.id, control, "ann"))
    assert [fact.why for fact in run.said(f.Refused)] == [f"the device of p1 has no control {control}"]


def test_without_a_line_to_the_point_nothing_can_be_sent() -> None:
    run, call, _ = talking()
    run.end("p1", LOST)
    run.do(ev.SendControl(call.id, "beacon", "ann"))
    assert [fact.why for fact in run.said(f.Refused)] == ["no line to the point: nothing can be sent to it"]


def test_keys_are_not_sent_over_others() -> None:
    run, call, _ = talking()
    run.do(ev.SendControl(call.id, "beacon", "ann"), ev.SendControl(call.id, "beacon", "ann"))
    assert [fact.why for fact in run.said(f.Refused)] == ["keys are being sent to p1: wait a moment"]


def test_keys_whose_process_died_are_told_as_failed_and_not_sent_again() -> None:
    run, call, leg = talking()
    run.do(ev.SendControl(call.id, "beacon", "ann"))
    run.do(ev.WorkerLost(call.id, "killed"))
    assert run.said(f.DigitsSettled) == [f.DigitsSettled(leg, "*71", False, "the process that sent them was lost")]
    assert run.ordered(SendDigits) == []
    run.do(ev.DigitsDone(leg, "*71"))
    assert run.facts == []


def test_keys_that_go_by_info_do_not_mind_the_death_of_the_sounds_process() -> None:
    run, call, leg = talking(dtmf="info")
    run.do(ev.SendControl(call.id, "beacon", "ann"))
    run.do(ev.WorkerLost(call.id, "killed"))
    assert run.said(f.DigitsSettled) == []
    run.do(ev.DigitsDone(leg, "*71", "the device answered 415"))
    assert [(fact.whole, fact.why) for fact in run.said(f.DigitsSettled)] == [(False, "the device answered 415")]


def test_keys_of_which_nobody_says_what_came_are_told_as_failed() -> None:
    run, call, leg = talking()
    run.do(ev.SendControl(call.id, "beacon", "ann"))
    run.after(3 * 620 + 8_000 - 1)
    assert run.said(f.DigitsSettled) == []
    run.after(1)
    assert [fact.whole for fact in run.said(f.DigitsSettled)] == [False] and run.state.legs[leg].sending == ""


def test_keys_under_way_when_the_call_is_ended_are_told_as_not_known_to_be_whole() -> None:
    run, call, leg = talking()
    run.do(ev.SendControl(call.id, "beacon", "ann"), ev.HangUp(call.id, "ann"))
    assert run.said(f.DigitsSettled) == [f.DigitsSettled(leg, "*71", False, "the call was ended meanwhile")]
    assert [order.keys.digits for order in run.ordered(EndLeg) if order.keys] == ["#"]
