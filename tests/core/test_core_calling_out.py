"""Calling a point out, and renewing a line that its device is about to cut."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.decide import next_deadline
from callserver.core.effects import DialPoint
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.state import Call, Incident
from dialplans.model import Plan, PointBye, Priority
from tests.core.driver import BUSY, BYE, LOST, Driver
from tests.core.plans import plan

FRESH = IncidentId("i9")


def called_out(*bound: str) -> tuple[Driver, Incident]:
    """Ann calls p1."""
    run = Driver(None, *(bound or ("ann",)))
    run.do(ev.CallOut(PointId("p1"), OperatorId("ann"), "ann", FRESH))
    return run, run.state.incidents[FRESH]


# ---- calling out ------------------------------------------------------------------------------------------------------


def test_the_operators_seat_rings_first_and_alone_then_the_point_is_called() -> None:
    run, incident = called_out("ann", "bob")
    assert run.rung() == {"ann"} and (incident.priority, incident.called_by) == (Priority.NORMAL, "ann")
    run.answer("ann")
    assert run.rung() == {"p1"} and run.call(incident).state == "calling-back"
    run.answer("p1")
    assert (run.call(incident).state, incident.operator) == ("talking", "ann")
    run.end("ann")
    assert incident.state == "wrap-up"


def test_the_point_is_called_with_the_header_that_makes_it_answer() -> None:
    made = plan()
    profiles = {**made.profiles, "human": replace(made.profiles["human"], auto_answer="call-info")}
    run = Driver(replace(made, profiles=profiles), "ann")
    run.do(ev.CallOut(PointId("p1"), OperatorId("ann"), "ann", FRESH))
    run.answer("ann")
    assert [order.auto_answer for order in run.ordered(DialPoint)] == ["call-info"]


def test_a_point_that_does_not_answer_is_left_to_be_reviewed_and_the_operator_is_free() -> None:
    run, incident = called_out()
    run.answer("ann")
    run.after(30_000)
    assert (incident.state, run.operator("ann")) == ("unreviewed", "available")
    assert run.state.alarms == {}


def test_a_point_that_is_busy_is_left_to_be_reviewed() -> None:
    run, incident = called_out()
    run.answer("ann")
    run.end("p1", BUSY)
    assert incident.state == "unreviewed"


@pytest.mark.parametrize("refuses", [True, False])
def test_an_operator_who_does_not_answer_calls_nobody(refuses: bool) -> None:
    run, incident = called_out("ann", "bob")
    if refuses:
        run.end("ann", BUSY)
    else:
        run.after(15_000)
    assert (incident.state, run.rung(), run.operator("bob")) == ("unreviewed", set(), "available")


def test_it_climbs_no_ladder_until_the_point_presses() -> None:
    run, incident = called_out()
    run.answer("ann")
    run.answer("p1")
    run.end("ann", LOST)
    run.after(60_000)
    assert (incident.state, incident.step, run.ever(f.LadderStepTaken)) == ("waiting", 0, [])
    run.press()
    run.after(30_000)
    assert incident.step == 3 and incident.called_by == ""


def test_a_point_that_hangs_up_while_it_waits_after_it_was_called_is_left_to_be_reviewed() -> None:
    run, incident = called_out()
    run.answer("ann")
    run.answer("p1")
    run.end("ann", LOST)
    run.end("p1", BYE)
    assert incident.state == "unreviewed"


def test_a_point_that_presses_while_it_is_called_is_an_incident_as_any_other() -> None:
    run, incident = called_out("ann", "bob")
    run.press()
    assert incident.called_by == "" and run.rung() == {"bob"}


def test_calling_a_point_that_waits_takes_it() -> None:
    run = Driver(None, "ann")
    run.do(ev.Pause(OperatorId("ann"), "", "ann"))
    incident = run.press()
    run.do(ev.CallOut(PointId("p1"), OperatorId("ann"), "ann", FRESH))
    assert run.rung() == {"ann"} and FRESH not in run.state.incidents and incident.state == "waiting"


def test_a_point_that_somebody_has_is_not_called() -> None:
    run = Driver(None, "ann", "bob")
    run.talk()
    run.do(ev.CallOut(PointId("p1"), OperatorId("bob"), "bob", FRESH), ev.CallOut(PointId("px"), OperatorId("bob"), "bob", FRESH))
    assert [type(fact) for fact in run.facts] == [f.Refused, f.Refused]


def test_a_point_that_is_not_there_yet_is_neither_given_away_nor_parked() -> None:
    run, incident = called_out("ann", "bob")
    run.answer("ann")
    call = run.call(incident)
    run.do(ev.Transfer(call.id, "bob", "ann"), ev.ParkCall(call.id, "ann"))
    assert [type(fact) for fact in run.facts] == [f.Refused, f.Refused] and call.state == "calling-back"


def test_the_last_resort_is_for_a_caller_who_waits_and_not_for_a_point_that_was_called() -> None:
    run, incident = called_out()
    run.do(ev.LastResort(FRESH, "somebody erred"))
    assert [type(fact) for fact in run.facts] == [f.Refused]
    run.answer("ann")
    run.answer("p1")
    run.end("ann", LOST)
    run.do(ev.LastResort(FRESH, "nobody rings"))
    assert "police" in run.rung() and incident.state == "waiting"


def test_an_operator_in_a_call_calls_nobody() -> None:
    run = Driver(None, "ann")
    run.talk("p2")
    run.do(ev.CallOut(PointId("p1"), OperatorId("ann"), "ann", FRESH))
    assert [type(fact) for fact in run.facts] == [f.Refused]


# ---- renewed ------------------------------------------------------------------------------------------------------------


def limited(limit_ms: int) -> Plan:
    """The point's device cuts its calls after so long."""
    made = plan()
    return replace(made, profiles={**made.profiles, "human": replace(made.profiles["human"], talk_limit_ms=limit_ms)})


def talking(limit_ms: int = 180_000) -> tuple[Driver, Incident, Call]:
    """Ann talks with such a point."""
    run = Driver(limited(limit_ms), "ann")
    incident = run.talk()
    return run, incident, run.call(incident)


@pytest.mark.parametrize(("limit_ms", "said_ms"), [(180_000, 120_000), (90_000, 45_000)])
def test_the_devices_limit_is_said_a_minute_ahead_and_once(limit_ms: int, said_ms: int) -> None:
    run, _, _ = talking(limit_ms)
    began = run.now
    run.after(said_ms - 1)
    assert run.said(f.TalkLimitNear) == []
    run.after(1)
    assert run.said(f.TalkLimitNear) == [f.TalkLimitNear(run.leg("p1"), began + limit_ms * 1_000_000)]
    run.after(limit_ms)
    assert run.said(f.TalkLimitNear) == [] and next_deadline(run.state) is None


def test_a_line_is_renewed_when_the_old_one_is_gone() -> None:
    run, incident, call = talking()
    old = run.leg("p1")
    run.do(ev.Renew(call.id, "ann"))
    assert (run.hung_up(), run.rung(), call.state) == ({"p1"}, set(), "calling-back")
    assert {prompt.name for prompt in call.shape.prompts} == {"calling-back"}
    run.gone()
    assert run.rung() == {"p1"}
    assert run.answer("p1") != old
    assert (call.state, incident.operator, run.operator("ann")) == ("talking", "ann", "talking")
    run.after(120_000)
    assert len(run.said(f.TalkLimitNear)) == 1


def test_a_line_whose_end_nobody_confirms_is_renewed_within_a_second() -> None:
    run, _, call = talking()
    run.do(ev.Renew(call.id, "ann"))
    run.after(1_000)
    assert run.rung() == {"p1"}
    run.gone()
    assert run.rung() == set()


def test_a_renewal_that_fails_is_tried_again_with_pauses() -> None:
    run, _, call = talking()
    run.do(ev.Renew(call.id, "ann"))
    run.gone()
    run.end("p1", BUSY)
    run.after(1_999)
    assert run.rung() == set()
    run.after(1)
    assert run.rung() == {"p1"}


@pytest.mark.parametrize(("ends_ms", "state"), [(179_000, "calling-back"), (100_000, "ending")])
def test_a_bye_at_the_devices_limit_is_the_devices_and_no_persons(ends_ms: int, state: str) -> None:
    made = limited(180_000)
    profiles = {**made.profiles, "human": replace(made.profiles["human"], point_bye=PointBye.END)}
    run = Driver(
        replace(made, profiles=profiles, queues={**made.queues, "help": replace(made.queues["help"], wrap_up_ms=0)}), "ann"
    )
    call = run.call(run.talk())
    run.after(ends_ms)
    run.end("p1", BYE)
    assert call.state == state


def test_only_a_talking_point_is_renewed() -> None:
    run = Driver(limited(180_000), "ann")
    incident = run.press()
    run.do(ev.Renew(run.call(incident).id, "ann"))
    assert [type(fact) for fact in run.facts] == [f.Refused]
