"""An operator at a browser: on duty by a word of their own, no telephone habits at the end, and a call on hold."""

from callserver.core import events as ev
from callserver.core.facts import CallHeld, Refused, SeatChanged
from callserver.core.ids import CallId, OperatorId, PartyId
from callserver.core.shape import Prompt
from tests.core.driver import BYE, LOST, Driver

ANN = OperatorId("ann")


def at_browser() -> Driver:
    """Ann has a browser and wants calls."""
    driver = Driver()
    driver.do(ev.SeatBound(ANN, "browser", "browser"))
    driver.do(ev.MakeAvailable(ANN, "ann"))
    return driver


def test_a_proven_browser_is_not_yet_a_wish_for_calls() -> None:
    """The operator says so; a telephone's registration is enough."""
    driver = Driver()
    driver.do(ev.SeatBound(ANN, "browser", "browser"))
    assert (driver.operator("ann"), driver.state.operators[ANN].reachable) == ("off", True)
    driver.do(ev.MakeAvailable(ANN, "ann"))
    assert driver.operator("ann") == "available"


def test_going_from_browser_to_telephone_is_one_seat_that_changed() -> None:
    """And a repeated word of the same seat is no news."""
    driver = at_browser()
    driver.do(ev.SeatBound(ANN, "sip:ann@192.0.2.5"))
    assert [(fact.kind, fact.reachable) for fact in driver.said(SeatChanged)] == [("softphone", True)]
    driver.do(ev.SeatBound(ANN, "sip:ann@192.0.2.5"))
    assert driver.said(SeatChanged) == []


def test_a_browser_keeps_no_leg_for_the_outcome() -> None:
    """It is given on the screen; nobody is recorded after the call."""
    driver = at_browser()
    incident = driver.talk("p2")
    driver.end("p2", BYE)
    assert (incident.state, driver.operator("ann"), driver.hung_up()) == ("wrap-up", "wrap-up", {"ann"})
    driver.gone()
    assert driver.state.calls == {}
    driver.do(ev.GiveOutcome(incident.id, "done", "ann", "a note"))
    assert driver.operator("ann") == "available" and driver.state.incidents == {}


def test_a_lost_browser_gives_the_call_back_to_the_queue_and_its_return_ends_the_rest() -> None:
    """Who comes back is offered the call at once, if nobody has it."""
    driver = at_browser()
    incident = driver.talk()
    driver.do(ev.SeatUnbound(ANN, "nothing comes from the browser any more"))
    assert (driver.operator("ann"), incident.state) == ("talking", "attended")
    driver.end("ann", LOST)
    assert (driver.operator("ann"), incident.state) == ("off", "waiting")
    driver.do(ev.SeatBound(ANN, "browser", "browser"))
    driver.do(ev.MakeAvailable(ANN, "ann"))
    assert "ann" in driver.rung()


def test_on_hold_the_point_hears_that_somebody_is_there_and_the_others_hear_each_other() -> None:
    """The operator may speak with the police alone; taken back, all three hear each other."""
    driver = at_browser()
    driver.talk()
    call = CallId("i1.1")
    driver.do(ev.Hold(call, True, "ann"))
    assert [(fact.held, fact.by) for fact in driver.said(CallHeld)] == [(True, "ann")]
    point, ann = driver.leg("p1"), driver.leg("ann")
    assert driver.state.calls[call].shape.talk == ()
    assert driver.state.calls[call].shape.prompts == (Prompt("hold", (point,), 20_000),)
    driver.do(ev.Escalate(call, PartyId("police"), "ann"))
    driver.answer("police")
    police = driver.leg("police")
    assert driver.state.calls[call].shape.talk == (ann, police)
    driver.do(ev.Hold(call, False, "ann"))
    assert driver.state.calls[call].shape.talk == (point, ann, police)


def test_an_operator_who_leaves_to_the_police_leaves_nobody_on_hold() -> None:
    """The two who stay hear each other."""
    driver = at_browser()
    driver.talk()
    call = CallId("i1.1")
    driver.do(ev.Escalate(call, PartyId("police"), "ann"))
    driver.answer("police")
    driver.do(ev.Hold(call, True, "ann"))
    driver.end("ann", BYE)
    assert not driver.state.calls[call].held
    assert driver.state.calls[call].shape.talk == (driver.leg("p1"), driver.leg("police"))
    driver.do(ev.Hold(call, True, "sue"))
    assert [fact.why for fact in driver.said(Refused)] == ["no operator talks in this call"]


def test_a_call_is_not_held_twice_nor_where_nobody_talks_nor_for_ever() -> None:
    """Repeating it is no news; it ends with the conversation."""
    driver = at_browser()
    incident = driver.press()
    driver.do(ev.Hold(CallId("i1.1"), True, "ann"))
    assert [fact.why for fact in driver.said(Refused)] == ["no operator talks in this call"]
    driver.answer("ann")
    driver.do(ev.Hold(CallId("i1.1"), True, "ann"), ev.Hold(CallId("i1.1"), True, "ann"))
    assert len(driver.said(CallHeld)) == 1
    driver.end("ann", LOST)
    assert incident.state == "waiting" and not driver.call(incident).held
