"""Operators: seats, pauses, service codes, DTMF."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.effects import AnswerCode
from callserver.core.facts import CodeUsed, DigitHeard, OfferEnded, OutcomeRecorded, Refused, SeatChanged
from callserver.core.ids import OperatorId, PartyId
from tests.core.driver import LOST, Driver
from tests.core.plans import plan

ANN = OperatorId("ann")


def refused(driver: Driver) -> bool:
    return any(isinstance(fact, Refused) for fact in driver.facts)


def test_a_registered_seat_is_available_and_an_unregistered_one_off() -> None:
    driver = Driver()
    assert driver.operator("ann") == "off"
    driver.do(ev.SeatBound(ANN, "sip"))
    assert (driver.operator("ann"), len(driver.said(SeatChanged))) == ("available", 1)
    driver.do(ev.SeatBound(ANN, "sip"))
    assert driver.facts == []
    driver.do(ev.SeatUnbound(ANN, "expired"))
    assert driver.operator("ann") == "off"


def test_an_operator_may_have_to_ask_for_calls() -> None:
    made = plan()
    asks = {**made.operators, "ann": replace(made.operators["ann"], available_when_registered=False)}
    driver = Driver(replace(made, operators=asks), "ann")
    assert driver.operator("ann") == "off"
    driver.do(ev.MakeAvailable(ANN, "ann"))
    assert driver.operator("ann") == "available"


def test_nobody_is_available_without_a_seat() -> None:
    driver = Driver()
    driver.do(ev.MakeAvailable(ANN, "ann"))
    assert (refused(driver), driver.operator("ann")) == (True, "off")


@pytest.mark.parametrize("event", [ev.SeatBound(OperatorId("x"), "sip"), ev.MakeAvailable(OperatorId("x"), "x")])
def test_strangers_are_refused(event: ev.Event) -> None:
    driver = Driver()
    driver.do(event)
    assert refused(driver)
    driver.do(ev.SeatUnbound(OperatorId("x"), "gone"), ev.Pause(OperatorId("x"), "", "x"))
    assert [Refused, Refused] == [type(fact) for fact in driver.facts]


def test_a_pause_outlives_a_lost_registration() -> None:
    driver = Driver(None, "ann")
    driver.do(ev.Pause(ANN, "tea", "ann"))
    driver.do(ev.SeatUnbound(ANN, "expired"), ev.SeatBound(ANN, "sip"))
    assert driver.operator("ann") == "paused"
    driver.do(ev.MakeAvailable(ANN, "ann"))
    assert driver.operator("ann") == "available"


def test_pausing_while_a_call_rings_takes_the_seat_out_of_the_offer() -> None:
    driver = Driver(None, "ann", "bob")
    incident = driver.press()
    driver.do(ev.Pause(ANN, "tea", "ann"))
    offer = driver.call(incident).offer
    assert ({"ann"}, "paused") == (driver.hung_up(), driver.operator("ann"))
    assert offer is not None and {"bob"} == set(offer.legs.values())


def test_a_seat_that_is_lost_while_it_rings_ends_the_offer_with_the_last_one() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.do(ev.SeatUnbound(ANN, "expired"))
    assert ([fact.result for fact in driver.said(OfferEnded)], driver.operator("ann")) == (["withdrawn"], "off")
    assert "police" in driver.rung()


@pytest.mark.parametrize(("event", "state"), [(ev.MakeAvailable(ANN, "ann"), "available"), (ev.Pause(ANN, "", "ann"), "paused")])
def test_a_wrap_up_can_be_cut_short(event: ev.Event, state: str) -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2")
    driver.do(event)
    assert ("unreviewed", state, {"ann"}) == (incident.state, driver.operator("ann"), driver.hung_up())


@pytest.mark.parametrize("event", [ev.MakeAvailable(ANN, "ann"), ev.Pause(ANN, "", "ann")])
def test_in_a_conversation_nobody_comes_or_goes(event: ev.Event) -> None:
    driver = Driver(None, "ann")
    driver.talk()
    driver.do(event)
    assert (refused(driver), driver.operator("ann")) == (True, "talking")


@pytest.mark.parametrize(
    ("code", "accepted", "state"),
    [
        ("*1", True, "available"),
        ("*2", True, "paused"),
        ("*7", False, "available"),
        ("*51", False, "available"),
        ("*9", False, "available"),
    ],
)
def test_service_codes(code: str, accepted: bool, state: str) -> None:
    driver = Driver(None, "ann")
    driver.do(ev.CodeDialled(ANN, code, "d1"))
    assert [AnswerCode("d1", accepted)] == driver.effects
    assert [(code, accepted)] == [(fact.code, fact.accepted) for fact in driver.said(CodeUsed)]
    assert state == driver.operator("ann")


def test_a_strangers_code_is_answered_too() -> None:
    driver = Driver()
    driver.do(ev.CodeDialled(OperatorId("x"), "*1", "d1"))
    assert [AnswerCode("d1", False)] == driver.effects


def test_an_outcome_is_given_by_code_in_wrap_up() -> None:
    driver = Driver(None, "ann")
    driver.talk()
    driver.end("ann")
    driver.do(ev.CodeDialled(ANN, "*59", "d1"))
    assert [AnswerCode("d1", False)] == driver.ordered(AnswerCode)
    driver.do(ev.CodeDialled(ANN, "*51", "d2"))
    assert [AnswerCode("d2", True)] == driver.ordered(AnswerCode)
    assert [(fact.outcome, fact.by) for fact in driver.said(OutcomeRecorded)] == [("helped", "ann")]


def test_a_code_within_a_conversation_brings_the_police_in() -> None:
    driver = Driver(None, "ann")
    driver.talk()
    leg = driver.leg("ann")
    driver.do(ev.DigitPressed(leg, "*"))
    assert [DigitHeard(leg, "*")] == driver.facts
    driver.do(ev.DigitPressed(leg, "9"))
    assert ({"police"}, "") == (driver.rung(), driver.state.legs[leg].digits)
    driver.do(ev.CodeDialled(ANN, "*9", "d1"))
    assert [AnswerCode("d1", False)] == driver.ordered(AnswerCode)  # it is being called


def with_codes() -> Driver:
    """Ann and bob are on duty, with codes for live calls."""
    return Driver(plan(codes={"*4": "hold", "*6": "park", "*7": "pick-up", "*8": "renew"}), "ann", "bob")


def press(driver: Driver, digits: str) -> None:
    """Ann presses keys in the conversation."""
    leg = driver.leg("ann")
    for digit in digits:
        driver.do(ev.DigitPressed(leg, digit))


def test_a_code_holds_the_caller_and_takes_it_back() -> None:
    driver = with_codes()
    call = driver.call(driver.talk())
    press(driver, "*4")
    assert call.held and [fact.accepted for fact in driver.said(CodeUsed)] == [True]
    press(driver, "*4")
    assert not call.held


def test_a_code_parks_the_caller_and_another_picks_up_who_is_parked_longest() -> None:
    driver = with_codes()
    first = driver.talk()
    press(driver, "*6")
    driver.gone()
    driver.after(1_000)
    second = driver.talk("p2")
    press(driver, "*6")
    driver.gone()
    assert {first.only, second.only} == {"nobody"}
    driver.do(ev.CodeDialled(OperatorId("bob"), "*7", "d1"))
    assert ([AnswerCode("d1", True)], {"bob"}) == (driver.ordered(AnswerCode), driver.rung())
    driver.answer("bob")
    assert (first.operator, second.only) == ("bob", "nobody")


def test_a_code_picks_up_who_was_left_to_the_police() -> None:
    driver = with_codes()
    incident = driver.talk()
    driver.do(ev.Escalate(driver.call(incident).id, PartyId("police"), "ann"))
    driver.answer("police")
    driver.end("ann")
    driver.do(ev.CodeDialled(OperatorId("bob"), "*7", "d1"))
    driver.answer("bob")
    assert incident.operator == "bob"


def test_a_code_renews_the_line() -> None:
    driver = with_codes()
    driver.talk()
    press(driver, "*8")
    assert driver.hung_up() == {"p1"}


def test_a_code_that_is_not_possible_now_is_refused() -> None:
    driver = with_codes()
    driver.do(ev.CodeDialled(ANN, "*7", "d1"), ev.CodeDialled(ANN, "*6", "d2"))
    assert driver.ordered(AnswerCode) == [AnswerCode("d1", False), AnswerCode("d2", False)]
    call = driver.call(driver.talk())
    driver.end("p1", LOST)
    press(driver, "*4")
    assert not call.held and [fact.accepted for fact in driver.said(CodeUsed)] == [False]


def test_digits_far_apart_do_not_belong_together() -> None:
    driver = Driver(None, "ann")
    driver.talk()
    driver.do(ev.DigitPressed(driver.leg("ann"), "*"))
    driver.after(3_001)
    driver.do(ev.DigitPressed(driver.leg("ann"), "9"))
    assert set() == driver.rung()


def test_the_long_outcome_code_works_as_dtmf_too() -> None:
    driver = Driver(None, "ann")
    driver.talk("p2")
    driver.end("p2")
    for digit in "*5":
        driver.do(ev.DigitPressed(driver.leg("ann"), digit))
        assert driver.said(OutcomeRecorded) == []
    driver.do(ev.DigitPressed(driver.leg("ann"), "1"))
    assert [fact.outcome for fact in driver.said(OutcomeRecorded)] == ["helped"]


def test_digits_of_a_point_are_journalled_and_mean_nothing() -> None:
    driver = Driver(None, "ann")
    driver.talk("p2")
    driver.do(*(ev.DigitPressed(driver.leg("p2"), digit) for digit in "*9"))
    assert (len(driver.said(DigitHeard)), driver.effects) == (2, [])


def test_an_operator_who_leaves_the_plan_ends_the_conversation_and_is_not_rung_again() -> None:
    driver = Driver(None, "ann")
    driver.talk("p6")
    others = {known: one for known, one in plan().operators.items() if known != "ann"}
    driver.do(ev.PlanLoaded(2, "v2", plan(operators=others), "admin"))
    assert driver.operator("ann") == "talking"
    driver.end("ann")
    driver.press("p6")
    assert {"police"} == driver.rung()
    driver.do(ev.PlanLoaded(3, "v3", plan(operators=others), "admin"))
    assert ANN not in driver.state.operators
