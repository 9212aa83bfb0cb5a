"""Several points in one call: a group that an operator calls, and one more point brought into a conversation."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import DialPoint
from callserver.core.ids import IncidentId, OperatorId, PartyId, PointId
from callserver.core.state import Call, Incident
from dialplans.model import Plan, PointGroup
from tests.core.driver import BUSY, BYE, LOST, Driver
from tests.core.plans import plan
from tests.core.test_core_control import both, hears

FRESH = IncidentId("i9")
ALL = ("ann", "p1", "p2", "p3")


def square() -> Plan:
    """Three points that are called as one."""
    return replace(plan(), point_groups={"square": PointGroup("square", "Square", ("p1", "p2", "p3"))})


def called(*bound: str) -> tuple[Driver, Incident]:
    """Ann calls the group, and her seat rings."""
    run = Driver(square(), *(bound or ("ann",)))
    run.do(ev.CallGroup("square", OperatorId("ann"), "ann", FRESH))
    return run, run.state.incidents[FRESH]


def together() -> tuple[Driver, Incident, Call]:
    """All of the group talk with ann."""
    run, incident = called("ann", "bob")
    for party in ALL:
        run.answer(party)
    return run, incident, run.call(incident)


def everybody(*parties: str) -> set[tuple[str, str]]:
    """All of these hear each other."""
    return {(one, other) for one in parties for other in parties if one != other}


def playing(call: Call) -> dict[str, set[str]]:
    """What plays, and to whom."""
    return {one.name: {call.legs[leg].party for leg in one.to} for one in call.shape.prompts}


# ---- calling a group ------------------------------------------------------------------------------------------------


def test_the_operators_seat_rings_first_then_all_points_of_the_group_are_called_in_one_call() -> None:
    run, incident = called("ann", "bob")
    assert run.rung() == {"ann"} and (incident.point, incident.group, incident.called_by) == ("p1", "square", "ann")
    run.answer("ann")
    assert run.rung() == {"p1", "p2", "p3"}
    assert {run.state.legs[order.leg].call for order in run.ordered(DialPoint)} == {incident.call}


def test_each_point_hears_and_is_heard_as_it_answers() -> None:
    run, incident = called()
    run.answer("ann")
    call = run.call(incident)
    run.answer("p2")
    assert hears(call) == both(("ann", "p2")) and playing(call) == {}
    run.answer("p1")
    run.answer("p3")
    assert hears(call) == everybody(*ALL) and call.state == "talking"


def test_a_point_that_does_not_come_is_told_at_once_and_the_others_go_on() -> None:
    run, incident = called()
    run.answer("ann")
    run.answer("p1")
    run.end("p2", BUSY)
    assert run.said(f.PointGivenUp) == [f.PointGivenUp(run.call(incident).id, PointId("p2"), "busy (486)")]
    run.after(30_000)
    assert [fact.point for fact in run.said(f.PointGivenUp)] == ["p3"] and run.call(incident).missed == ("p2", "p3")
    assert hears(run.call(incident)) == both(("ann", "p1"))


def test_the_first_point_that_does_not_answer_is_called_again_while_others_talk() -> None:
    run, incident = called()
    run.answer("ann")
    run.answer("p2")
    run.end("p1", BUSY)
    assert (incident.state, hears(run.call(incident))) == ("attended", both(("ann", "p2")))
    run.after(2_000)
    assert run.rung() == {"p1"}
    run.answer("p1")
    assert run.call(incident).state == "talking"


def test_a_group_of_which_nobody_answers_is_left_to_be_reviewed() -> None:
    run, incident = called()
    run.answer("ann")
    run.after(70_000)
    assert (incident.state, run.operator("ann")) == ("unreviewed", "available")


def test_points_with_an_incident_of_their_own_are_left_out() -> None:
    run = Driver(square())
    run.press("p1")
    run.do(ev.SeatBound(OperatorId("bob"), "sip"), ev.SeatBound(OperatorId("ann"), "sip"))
    run.answer("bob")
    run.gone()
    run.do(ev.CallGroup("square", OperatorId("ann"), "ann", FRESH))
    assert [fact.point for fact in run.said(f.PointGivenUp)] == ["p1"]
    run.answer("ann")
    assert run.rung() == {"p2", "p3"}


def test_a_group_that_is_not_in_the_plan_is_refused() -> None:
    run = Driver(square(), "ann")
    run.do(ev.CallGroup("circle", OperatorId("ann"), "ann", FRESH))
    assert [fact.why for fact in run.said(f.Refused)] == ["no such group of points in the plan"]


def test_a_press_before_the_operator_is_there_makes_it_an_incident_as_any_other() -> None:
    run, incident = called()
    run.press("p1")
    run.answer("ann")
    assert run.rung() == set() and incident.called_by == ""


def test_a_call_of_a_group_is_full() -> None:
    run, _, call = together()
    run.do(
        ev.Escalate(call.id, PartyId("police"), "ann"),
        ev.BringPoint(call.id, PointId("p4"), "ann"),
        ev.Bring(call.id, OperatorId("bob"), "join", "ann"),
    )
    assert [fact.why for fact in run.said(f.Refused)] == ["a call carries 4 legs"] * 3


# ---- one more point -------------------------------------------------------------------------------------------------


def brought() -> tuple[Driver, Incident, Call]:
    """Ann and p1 talk, and p2 was brought in."""
    run = Driver(None, "ann", "bob")
    incident = run.talk()
    run.do(ev.BringPoint(run.call(incident).id, PointId("p2"), "ann"))
    assert run.rung() == {"p2"}
    run.answer("p2")
    return run, incident, run.call(incident)


def test_a_point_is_brought_into_a_conversation() -> None:
    _, _, call = brought()
    assert hears(call) == everybody("ann", "p1", "p2")


def test_a_brought_point_is_muted_and_dropped_and_the_talk_goes_on() -> None:
    run, _, call = brought()
    run.do(ev.Mute(call.id, run.leg("p2"), True, "ann"))
    assert hears(call) == both(("ann", "p1")) | {("ann", "p2"), ("p1", "p2")}
    run.do(ev.Drop(call.id, run.leg("p2"), "ann"))
    assert run.hung_up() == {"p2"} and hears(call) == both(("ann", "p1"))


def test_a_brought_point_waits_as_the_calls_own_does() -> None:
    run, _, call = brought()
    run.do(ev.Hold(call.id, True, "ann"))
    assert hears(call) == set() and playing(call) == {"hold": {"p1", "p2"}}


def test_a_brought_point_that_hangs_up_ends_nothing() -> None:
    run, incident, call = brought()
    run.end("p2", BYE)
    assert (incident.state, call.state, run.rung()) == ("attended", "talking", set())


def test_while_others_talk_the_calls_own_point_is_called_back_whatever_its_profile_says() -> None:
    run = Driver(None, "ann")
    incident = run.talk("p2")
    run.do(ev.BringPoint(run.call(incident).id, PointId("p1"), "ann"))
    run.answer("p1")
    run.end("p2", BYE)
    assert run.rung() == {"p2"} and hears(run.call(incident)) == both(("ann", "p1"))


def test_a_brought_point_that_presses_has_an_incident_of_its_own() -> None:
    run, _, call = brought()
    other = run.press("p2")
    assert other.point == "p2" and other.state == "waiting" and hears(call) == everybody("ann", "p1", "p2")


def test_when_nobody_has_the_call_any_more_a_brought_point_is_let_go_and_the_caller_waits() -> None:
    run, incident, _ = brought()
    run.end("ann", LOST)
    assert run.hung_up() == {"p2"} and incident.state == "waiting"


def test_a_call_with_other_points_is_neither_parked_nor_given_away_blindly() -> None:
    run, _, call = brought()
    run.do(ev.ParkCall(call.id, "ann"), ev.Transfer(call.id, "bob", "ann"))
    assert [type(fact) for fact in run.facts] == [f.Refused, f.Refused]


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ("p1", "it is the call's own point"),
        ("p2", "is in the call already"),
        ("x", "no such point"),
        ("p3", "incident of its own"),
    ],
)
def test_a_point_that_cannot_be_brought_is_refused_with_a_reason(point: str, why: str) -> None:
    run, _, call = brought()
    run.press("p3")
    run.do(ev.BringPoint(call.id, PointId(point), "ann"))
    assert [why in fact.why for fact in run.said(f.Refused)] == [True]


def test_the_place_of_a_lost_point_is_kept_in_a_full_call() -> None:
    run, _, call = brought()
    run.do(ev.BringPoint(call.id, PointId("p4"), "ann"))
    run.answer("p4")
    run.end("p1", LOST)
    run.do(ev.Bring(call.id, OperatorId("bob"), "join", "ann"))
    assert [fact.why for fact in run.said(f.Refused)] == ["a call carries 4 legs"]
