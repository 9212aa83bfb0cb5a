"""From the answer to the outcome: hanging up, calling back, losing, escalating, wrapping up."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.effects import AnswerLeg, CloseCall, DialPoint, EndLeg
from callserver.core.facts import AlarmRaised, CallBackAwaited, IncidentMoved, OutcomeRecorded, Refused
from callserver.core.ids import CallId, IncidentId, OperatorId, PartyId, PointId
from callserver.core.shape import Prompt
from tests.core.driver import BUSY, BYE, GONE, LOST, Driver
from tests.core.plans import plan


def outcomes(driver: Driver) -> list[tuple[str, str]]:
    return [(fact.outcome, fact.by) for fact in driver.said(OutcomeRecorded)]


# ---- the operator hangs up ----------------------------------------------------------------------------------


def test_the_operators_hanging_up_ends_the_point_and_begins_the_wrap_up() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    driver.end("ann")
    assert {"p1"} == driver.hung_up()
    assert (incident.state, incident.operator, driver.operator("ann")) == ("wrap-up", "ann", "wrap-up")
    driver.gone()
    assert [CloseCall(CallId("i1.1"))] == driver.ordered(CloseCall)
    driver.after(59_999)
    assert incident.state == "wrap-up"
    driver.after(1)
    assert (incident.state, driver.operator("ann")) == ("unreviewed", "available")


def test_without_wrap_up_the_operator_is_free_at_once() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p6")
    driver.end("ann")
    assert (incident.state, driver.operator("ann")) == ("unreviewed", "available")


def test_the_plan_may_close_the_incident() -> None:
    driver = Driver(None, "ann")
    driver.talk("p5")
    driver.end("p5")
    assert outcomes(driver) == [("done", "plan")]
    assert ({}, {"ann"}) == (driver.state.incidents, driver.hung_up())
    assert driver.operator("ann") == "talking"  # until the leg has ended
    driver.gone()
    assert (driver.operator("ann"), driver.state.calls) == ("available", {})


# ---- the point hangs up -------------------------------------------------------------------------------------


def test_the_points_hanging_up_asks_the_operator_for_the_outcome() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2")
    leg = driver.leg("ann")
    assert (Prompt("outcome", (leg,)),) == driver.call(incident).shape.prompts
    driver.do(ev.DigitPressed(leg, "7"))
    assert outcomes(driver) == []
    driver.do(ev.DigitPressed(leg, "2"))
    assert outcomes(driver) == [("false", "ann")]
    assert ({"ann"}, "available") == (driver.hung_up(), driver.operator("ann"))
    driver.gone()
    assert driver.state.calls == {}


def test_hanging_up_without_an_outcome_leaves_the_incident_unreviewed() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2")
    driver.end("ann")
    assert (incident.state, driver.operator("ann"), driver.state.calls) == ("unreviewed", "available", {})


def test_the_end_of_the_wrap_up_ends_the_operators_leg() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2")
    driver.after(60_000)
    assert ("unreviewed", "available", {"ann"}) == (incident.state, driver.operator("ann"), driver.hung_up())


def test_a_point_that_is_not_to_end_a_call_is_called_back_with_the_same_operator() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p1")
    driver.end("p1", BYE)
    assert [PointId("p1")] == [order.point for order in driver.ordered(DialPoint)]
    assert (Prompt("calling-back", (driver.leg("ann"),), 10_000),) == driver.call(incident).shape.prompts
    driver.answer("p1")
    assert {driver.leg("p1"), driver.leg("ann")} == set(driver.call(incident).shape.talk)
    assert driver.call(incident).shape.prompts == ()  # the place was told before


def test_a_lost_line_calls_back_whatever_the_profile_says() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2", LOST)
    assert driver.call(incident).state == "calling-back"


def test_accepting_a_caller_who_hung_up_calls_the_point() -> None:
    driver = Driver(None, "ann")
    incident = driver.press("p1")
    driver.end("p1")
    driver.answer("ann")
    assert ({"p1"}, "attended") == (driver.rung(), incident.state)
    driver.answer("p1")
    assert [f"place:{incident.point}"] == [prompt.name for prompt in driver.call(incident).shape.prompts]


def test_calling_back_is_tried_five_times_with_growing_pauses_then_wrapped_up() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p1")
    driver.end("p1", LOST)
    for pause_ms in (2_000, 5_000, 10_000, 30_000):
        driver.end("p1", BUSY)
        assert [pause_ms] == [(fact.at - driver.now) // 1_000_000 for fact in driver.said(CallBackAwaited)]
        driver.after(pause_ms - 1)
        assert set() == driver.rung()
        driver.after(1)
        assert {"p1"} == driver.rung()
    driver.end("p1", GONE)
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["call-back:i1"]
    assert (incident.state, driver.call(incident).state) == ("wrap-up", "wrap-up")


def test_a_call_back_that_rings_in_vain_is_given_up() -> None:
    driver = Driver(None, "ann")
    driver.talk("p1")
    driver.end("p1", LOST)
    driver.after(30_000)
    assert [fact.attempt for fact in driver.said(CallBackAwaited)] == [2]
    driver.gone("p1")
    assert driver.said(CallBackAwaited) == []


def test_a_point_that_registers_is_called_back_at_once() -> None:
    driver = Driver(None, "ann")
    driver.talk("p1")
    driver.end("p1", LOST)
    driver.end("p1", GONE)
    driver.do(ev.PointReached(PointId("p1")))
    assert {"p1"} == driver.rung()
    driver.after(2_000)
    assert set() == driver.rung()


# ---- lines are lost -----------------------------------------------------------------------------------------


def test_a_lost_operator_leaves_the_point_waiting_with_reassurance_and_a_new_offer() -> None:
    driver = Driver(None, "ann", "bob")
    incident = driver.talk("p1")
    driver.end("ann", LOST)
    assert ("waiting", None, {"bob"}) == (incident.state, incident.operator, driver.rung())
    assert [prompt.name for prompt in driver.call(incident).shape.prompts] == ["reassurance"]
    point = driver.leg("p1")
    driver.answer("bob")
    assert {point, driver.leg("bob")} == set(driver.call(incident).shape.talk)
    assert driver.ordered(AnswerLeg) == []  # it was answered before


def test_a_lost_operator_while_calling_back_gives_the_call_back_up() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p1")
    driver.end("p1", LOST)
    driver.end("ann", LOST)
    assert ("waiting", {"p1"}) == (driver.call(incident).state, driver.hung_up())


# ---- others on the call -------------------------------------------------------------------------------------


def escalated(driver: Driver) -> None:
    driver.do(ev.Escalate(CallId("i1.1"), PartyId("police"), "sue"))


def test_a_party_joins_the_conversation_when_it_answers() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    before = driver.call(incident).shape
    escalated(driver)
    assert ({"police"}, before) == (driver.rung(), driver.call(incident).shape)
    driver.answer("police")
    assert {driver.leg(who) for who in ("p1", "ann", "police")} == set(driver.call(incident).shape.talk)


def test_an_escalation_tries_every_route_once_and_alarms() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    escalated(driver)
    driver.end("police", BUSY)
    assert {"police"} == driver.rung()
    driver.end("police", BUSY)
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["unreached:i1:police"]
    assert (incident.state, incident.route_at) == ("attended", None)
    escalated(driver)
    assert {"police"} == driver.rung()


def test_the_operator_may_leave_a_call_to_the_party() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    escalated(driver)
    driver.answer("police")
    driver.end("ann")
    assert (incident.state, incident.operator, driver.operator("ann")) == ("attended", None, "available")
    assert {driver.leg("p1"), driver.leg("police")} == set(driver.call(incident).shape.talk)
    driver.end("police")
    assert incident.state == "unreviewed"


def test_the_party_may_leave_a_call_to_the_operator() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    escalated(driver)
    driver.answer("police")
    driver.end("police", LOST)
    assert (incident.state, driver.call(incident).state) == ("attended", "talking")


@pytest.mark.parametrize("when", ["unknown call", "unknown party", "being called", "wrap-up", "last resort", "full"])
def test_an_escalation_that_makes_no_sense_is_refused(when: str) -> None:
    driver = Driver(None, *(() if when == "last resort" else ("ann",)))
    call, party = CallId("i1.1"), PartyId("police")
    if when == "last resort":
        driver.press("p1")
    else:
        driver.talk("p2")
    if when == "unknown call":
        call = CallId("i9.1")
    elif when == "unknown party":
        party = PartyId("army")
    elif when == "being called":
        driver.do(ev.Escalate(call, PartyId("civic"), "sue"))
    elif when == "wrap-up":
        driver.end("p2")
    elif when == "full":
        for one in ("civic", "police"):
            driver.do(ev.Escalate(call, PartyId(one), "sue"))
            driver.answer(one)
    driver.do(ev.Escalate(call, party, "sue"))
    assert [Refused] == [type(fact) for fact in driver.facts]
    assert set() == driver.rung()


# ---- persons end things -------------------------------------------------------------------------------------


def test_hanging_up_a_conversation_ends_every_leg_and_wraps_up() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    escalated(driver)
    driver.do(ev.HangUp(CallId("i1.1"), "sue"))
    assert {"p1", "ann", "police"} == driver.hung_up()
    assert (incident.state, driver.operator("ann")) == ("wrap-up", "wrap-up")
    driver.gone()
    assert driver.state.calls == {}


def test_only_a_person_lets_a_waiting_call_go() -> None:
    driver = Driver(None, "ann")
    incident = driver.press()
    driver.do(ev.HangUp(CallId("i1.1"), "sue"))
    assert ("unreviewed", {"p1", "ann"}) == (incident.state, driver.hung_up())
    assert [fact.reason for fact in driver.said(IncidentMoved)] == ["hung up by sue"]
    driver.do(ev.HangUp(CallId("i1.1"), "sue"))
    assert [Refused] == [type(fact) for fact in driver.facts]


def test_hanging_up_in_wrap_up_is_the_operators_hanging_up() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p2")
    driver.end("p2")
    driver.do(ev.HangUp(CallId("i1.1"), "sue"))
    assert (incident.state, driver.operator("ann")) == ("unreviewed", "available")


def give(driver: Driver, outcome: str = "helped") -> None:
    driver.do(ev.GiveOutcome(IncidentId("i1"), outcome, "sue", "note"))


@pytest.mark.parametrize("state", ["waiting", "wrap-up", "unreviewed"])
def test_a_person_closes_an_incident_with_an_outcome(state: str) -> None:
    driver = Driver(None, "ann")
    if state == "waiting":
        driver.press()
    else:
        driver.talk()
        driver.end("ann")
        driver.gone()
        driver.after(60_000 if state == "unreviewed" else 0)
    assert state == driver.state.incidents[IncidentId("i1")].state
    give(driver)
    assert [OutcomeRecorded(IncidentId("i1"), "helped", "sue", "note")] == driver.said(OutcomeRecorded)
    driver.gone()
    assert (
        driver.state.incidents,
        driver.state.calls,
        driver.state.open_by_point,
        driver.operator("ann"),
    ) == ({}, {}, {}, "available")


def test_nobody_closes_an_incident_over_which_somebody_talks() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk()
    give(driver)
    assert ([Refused], "attended") == ([type(fact) for fact in driver.facts], incident.state)


def test_an_unknown_outcome_and_an_unknown_incident_are_refused() -> None:
    driver = Driver(None, "ann")
    driver.press()
    give(driver, "whatever")
    assert [Refused] == [type(fact) for fact in driver.facts]
    driver.do(ev.GiveOutcome(IncidentId("i9"), "helped", "sue"))
    assert [Refused] == [type(fact) for fact in driver.facts]


def test_an_old_plan_is_dropped_with_its_last_incident() -> None:
    driver = Driver(None, "ann")
    driver.press()
    driver.do(ev.PlanLoaded(2, "v2", plan(), "admin"))
    assert {1, 2} == set(driver.state.plans)
    give(driver)
    assert {2} == set(driver.state.plans)


# ---- signals that fit nothing -------------------------------------------------------------------------------


def test_signals_about_unknown_legs_are_refused() -> None:
    driver = Driver(None, "ann")
    driver.talk()
    gone = driver.end("ann")
    for event in (ev.LegRang(gone), ev.LegAnswered(gone), ev.LegEnded(gone, BYE), ev.DigitPressed(gone, "1")):
        driver.do(event)
        assert [Refused(type(event).__name__, gone, "no such leg")] == driver.facts
        assert driver.effects == []


def test_an_inbound_or_answered_leg_cannot_be_answered() -> None:
    driver = Driver(None, "ann")
    driver.talk()
    for who in ("p1", "ann"):
        driver.do(ev.LegAnswered(driver.leg(who)))
        assert ([Refused], []) == ([type(fact) for fact in driver.facts], driver.ordered(EndLeg))


def test_a_seat_that_is_unbound_in_a_conversation_goes_on_talking() -> None:
    driver = Driver(None, "ann")
    incident = driver.talk("p6")
    driver.do(ev.SeatUnbound(OperatorId("ann"), "expired"))
    assert (driver.operator("ann"), incident.state) == ("talking", "attended")
    driver.end("ann")
    assert driver.operator("ann") == "off"


def test_a_call_back_names_the_header_that_makes_the_device_answer_by_itself() -> None:
    made = plan()
    profiles = {**made.profiles, "human": replace(made.profiles["human"], auto_answer="call-info")}
    driver = Driver(replace(made, profiles=profiles), "ann")
    driver.talk("p1", "ann")
    driver.end("p1", LOST)
    assert [order.auto_answer for order in driver.ordered(DialPoint)] == ["call-info"]
    driver = Driver(made, "ann")
    driver.talk("p1", "ann")
    driver.end("p1", LOST)
    assert [order.auto_answer for order in driver.ordered(DialPoint)] == ["both"]
