"""Conversations given away and taken: blind transfer, parking and picking up, a chosen caller, coming back to the police."""

from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import DialOperator
from callserver.core.ids import OperatorId, PartyId
from callserver.core.recovery import LOST_IN_RESTART
from callserver.core.state import Call, Incident
from dialplans.model import Priority
from tests.core.driver import BUSY, LOST, Driver
from tests.core.plans import CIVIC, POLICE, plan, with_queue


def conversation(*more: str) -> tuple[Driver, Incident, Call]:
    """Ann talks with p1; these operators are on duty besides."""
    run = Driver(None, "ann", *more)
    incident = run.talk()
    return run, incident, run.call(incident)


def playing(call: Call) -> set[str]:
    """The prompts that play."""
    return {prompt.name for prompt in call.shape.prompts}


# ---- transferred without asking -----------------------------------------------------------------------------------


def test_a_blind_transfer_rings_only_whom_it_names_and_keeps_the_place_in_the_order() -> None:
    run, incident, call = conversation("bob", "cat")
    since = incident.waiting_since
    run.after(5_000)
    run.do(ev.Transfer(call.id, "bob", "ann"))
    assert (run.rung(), run.hung_up()) == ({"bob"}, {"ann"})
    assert (incident.state, incident.waiting_since, run.operator("ann")) == ("waiting", since, "available")
    assert playing(call) == {"transfer"}
    run.answer("bob")
    assert (incident.operator, call.state) == ("bob", "talking")


def test_a_blind_transfer_to_a_group_rings_the_group() -> None:
    run, _, call = conversation("bob", "dan")
    run.do(ev.Transfer(call.id, "backup", "ann"))
    assert run.rung() == {"dan"}


def test_a_transfer_that_nobody_answers_rings_everybody() -> None:
    run, incident, call = conversation("bob", "cat")
    run.do(ev.Transfer(call.id, "bob", "ann"))
    run.gone()
    run.after(14_999)
    assert run.rung() == set()
    run.after(1)
    assert len(run.said(f.DirectionEnded)) == 1 and {"ann", "cat"} <= run.rung()
    assert incident.state == "waiting" and playing(call) == {"reassurance"}


def test_a_transfer_that_is_refused_rings_everybody_at_once() -> None:
    run, _, call = conversation("bob", "cat")
    run.do(ev.Transfer(call.id, "bob", "ann"))
    run.gone()
    run.end("bob", BUSY)
    assert run.rung() == {"ann", "cat"}


def test_a_transfer_rings_on_after_a_restart() -> None:
    run, incident, call = conversation("bob", "cat")
    run.do(ev.Transfer(call.id, "bob", "ann"))
    run.gone()
    run.end("bob", LOST_IN_RESTART)
    assert (run.rung(), incident.only, playing(call)) == ({"bob"}, "operator:bob", {"transfer"})


def test_the_ladder_goes_on_while_a_transfer_rings() -> None:
    run = Driver(None, "ann", "bob")
    incident = run.talk()
    run.do(ev.Transfer(run.call(incident).id, "bob", "ann"))
    run.after(10_000)
    assert incident.step == 1


@pytest.mark.parametrize(
    ("to", "why"), [("cat", "nobody of cat is on duty"), ("ann", "nobody of ann"), ("x", "no such operator")]
)
def test_a_transfer_needs_somebody_on_duty(to: str, why: str) -> None:
    run, incident, call = conversation("bob")
    run.do(ev.Transfer(call.id, to, "ann"))
    assert [why in fact.why for fact in run.said(f.Refused)] == [True]
    assert incident.state == "attended"


def test_a_call_with_the_police_in_it_is_not_given_away_blindly() -> None:
    run, incident, call = conversation("bob")
    run.do(ev.Escalate(call.id, PartyId("police"), "ann"))
    run.answer("police")
    run.do(ev.Transfer(call.id, "bob", "ann"), ev.ParkCall(call.id, "ann"))
    assert [type(fact) for fact in run.facts] == [f.Refused, f.Refused]
    assert incident.state == "attended"


def test_a_blind_transfer_to_an_outside_party_calls_it_while_the_point_is_told_so() -> None:
    run, incident, call = conversation("bob")
    since = incident.waiting_since
    run.do(ev.Transfer(call.id, "police", "ann"))
    assert (run.rung(), run.hung_up(), run.operator("ann")) == ({"police"}, {"ann"}, "available")
    assert (incident.state, incident.waiting_since, playing(call)) == ("waiting", since, {"transfer"})
    run.answer("police")
    assert (incident.state, incident.operator, call.state) == ("attended", None, "talking")


def test_a_party_to_whom_a_call_was_given_is_tried_by_all_of_its_routes_then_everybody_is_rung() -> None:
    run, incident, call = conversation("bob")
    run.do(ev.Transfer(call.id, "police", "ann"))
    run.gone()
    run.end("police", BUSY)
    assert run.rung() == {"police"} and playing(call) == {"transfer"}
    run.end("police", BUSY)
    assert {"ann", "bob"} <= run.rung() and playing(call) == {"reassurance"}
    assert [fact.reason for fact in run.said(f.DirectionEnded)] == ["route 2: busy (486)"]
    assert f"unreached:{incident.id}:police" in run.state.alarms


def test_a_party_that_must_accept_has_the_call_when_it_did_and_not_before() -> None:
    run = Driver(plan(parties={"police": replace(POLICE, accept="1"), "civic": CIVIC}), "ann")
    incident = run.talk()
    run.do(ev.Transfer(run.call(incident).id, "police", "ann"))
    leg = run.answer("police")
    assert incident.state == "waiting"
    run.do(ev.DigitPressed(leg, "1"))
    assert (incident.state, run.call(incident).state) == ("attended", "talking")


def test_a_direction_to_a_party_ends_in_any_case() -> None:
    """Though another party, which a step of the ladder wanted, has taken the place of the attempt."""
    run, incident, call = conversation("bob")
    run.do(ev.Transfer(call.id, "police", "ann"))
    run.gone()
    run.after(120_000)
    assert incident.only == "" and len(run.ever(f.DirectionEnded)) == 1


# ---- parked -------------------------------------------------------------------------------------------------------


def test_a_parked_call_rings_nobody_and_its_ladder_stands_still() -> None:
    run, incident, call = conversation("bob")
    run.do(ev.ParkCall(call.id, "ann"))
    assert (run.rung(), playing(call), run.operator("ann")) == (set(), {"parked"}, "available")
    run.gone()
    run.after(119_999)
    assert (run.rung(), incident.step, incident.state) == (set(), 0, "waiting")


def test_a_parked_call_rings_again_after_the_park_time_at_whom_it_was_parked_by_first() -> None:
    run = Driver(with_queue(plan(), "idle", park_recall_ms=30_000), "ann", "bob")
    incident = run.press("p3")
    run.answer("ann")
    run.gone()
    run.do(ev.ParkCall(run.call(incident).id, "ann"))
    run.gone()
    run.after(30_000)
    assert run.rung() == {"ann"} and incident.ladder_since == run.now
    assert playing(run.call(incident)) == {"parked"}


def test_a_parked_call_is_picked_up_by_anybody_of_the_plan() -> None:
    run, incident, call = conversation("dan")
    run.do(ev.ParkCall(call.id, "ann"))
    run.gone()
    run.do(ev.Take(incident.id, OperatorId("dan"), "dan"))
    assert run.rung() == {"dan"}
    run.answer("dan")
    assert (incident.operator, incident.only, incident.parked) == ("dan", "", False)


def test_a_picked_up_call_that_is_not_answered_stays_parked() -> None:
    run, incident, call = conversation("bob")
    run.do(ev.ParkCall(call.id, "ann"))
    run.gone()
    run.do(ev.Take(incident.id, OperatorId("bob"), "bob"))
    run.after(15_000)
    assert incident.only == "nobody" and call.offer is None


def test_a_press_ends_the_parking() -> None:
    run, incident, call = conversation("bob")
    run.do(ev.ParkCall(call.id, "ann"))
    run.gone()
    run.press()
    assert run.rung() == {"ann", "bob"} and incident.only == ""


@pytest.mark.parametrize("asked", [ev.LastResort, ev.ClimbLadder])
def test_whoever_asks_for_the_ladder_ends_the_parking(asked: type) -> None:
    steps = tuple(replace(step, when=("asked",)) for step in plan().ladders["ladder"].steps)
    run = Driver(plan(ladders={**plan().ladders, "ladder": replace(plan().ladders["ladder"], steps=steps)}), "ann")
    incident = run.talk()
    run.do(ev.ParkCall(run.call(incident).id, "ann"))
    run.do(asked(incident.id, "sue"))
    assert "police" in run.rung() and incident.only == ""


def test_a_parked_emergency_makes_no_room_for_itself() -> None:
    run = Driver(with_queue(plan(), "help", preempt_after_ms=1_000), "ann", "bob")
    incident = run.talk()
    run.do(ev.ParkCall(run.call(incident).id, "ann"))
    run.gone()
    run.do(ev.Pause(OperatorId("ann"), "", "ann"))
    run.press("p2")
    run.answer("bob")
    run.do(ev.Reclassify(run.state.incidents[run.state.open_by_point["p2"]].id, int(Priority.NORMAL), "sue"))  # type: ignore[index]
    run.after(60_000)
    assert run.ever(f.IncidentParked) == []


# ---- a chosen caller ------------------------------------------------------------------------------------------------


def test_a_chosen_caller_is_offered_before_those_who_wait_longer() -> None:
    run = Driver(None, "ann")
    run.do(ev.Pause(OperatorId("ann"), "", "ann"))
    first, second = run.press("p1"), run.press("p2")
    run.do(ev.Take(second.id, OperatorId("ann"), "ann"))
    assert [order.point for order in run.ordered(DialOperator)] == ["p2"]
    run.answer("ann")
    assert (first.state, second.state) == ("waiting", "attended")


def test_a_seat_that_rings_for_another_is_rung_for_the_chosen_one_when_that_leg_is_gone() -> None:
    run = Driver(None, "ann")
    first, second = run.press("p1"), run.press("p2")
    run.do(ev.Take(second.id, OperatorId("ann"), "ann"))
    assert run.hung_up() == {"ann"} and run.call(first).offer is None
    run.gone()
    assert [order.point for order in run.ordered(DialOperator)] == ["p2"]


def test_choosing_a_caller_ends_a_wrap_up() -> None:
    run = Driver(with_queue(plan(), "idle", wrap_up_cut=False), "ann")
    incident = run.talk()
    run.end("ann")
    run.gone()
    second = run.press("p3")
    run.do(ev.Take(second.id, OperatorId("ann"), "ann"))
    assert (incident.state, run.rung()) == ("unreviewed", {"ann"})


def test_a_chosen_caller_rings_beside_seats_that_ring_already() -> None:
    run = Driver(None, "ann", "dan")
    incident = run.press()
    run.do(ev.Take(incident.id, OperatorId("dan"), "dan"))
    assert run.rung() == {"dan"} and len(run.call(incident).offer.legs) == 2  # type: ignore[union-attr]


def test_who_talks_takes_no_other() -> None:
    run, _, _ = conversation()
    second = run.press("p2")
    run.do(ev.Take(second.id, OperatorId("ann"), "ann"))
    assert [type(fact) for fact in run.facts] == [f.Refused]


def test_what_somebody_has_cannot_be_taken() -> None:
    run, incident, _ = conversation("bob")
    run.do(ev.Take(incident.id, OperatorId("bob"), "bob"))
    assert [type(fact) for fact in run.facts] == [f.Refused]


# ---- coming back -------------------------------------------------------------------------------------------------------


def left_to_the_police() -> tuple[Driver, Incident, Call]:
    """The police alone have p1's call; ann and bob are free."""
    run, incident, call = conversation("bob")
    run.do(ev.Escalate(call.id, PartyId("police"), "ann"))
    run.answer("police")
    run.end("ann")
    return run, incident, call


def test_an_operator_comes_back_to_a_call_that_was_left_to_the_police() -> None:
    run, incident, call = left_to_the_police()
    run.do(ev.Take(incident.id, OperatorId("ann"), "ann"))
    assert run.rung() == {"ann"} and call.state == "talking"
    leg = run.answer("ann")
    assert (incident.state, incident.operator, call.operator, run.operator("ann")) == ("attended", "ann", "ann", "talking")
    assert set(call.shape.talk) == {leg, run.leg("p1"), run.leg("police")}
    run.end("police")
    assert call.state == "talking"


def test_who_does_not_come_back_leaves_the_call_as_it_was() -> None:
    run, incident, call = left_to_the_police()
    run.do(ev.Take(incident.id, OperatorId("bob"), "bob"))
    run.after(15_000)
    assert (call.offer, incident.state, call.state) == (None, "attended", "talking")


def test_the_police_lost_while_somebody_comes_back_goes_on_ringing_there() -> None:
    run, incident, call = left_to_the_police()
    run.do(ev.Take(incident.id, OperatorId("bob"), "bob"))
    run.end("police", LOST)
    assert incident.state == "waiting" and call.offer is not None
    run.answer("bob")
    assert incident.operator == "bob"


def test_the_police_hanging_up_while_somebody_comes_back_ends_the_call() -> None:
    run, incident, call = left_to_the_police()
    run.do(ev.Take(incident.id, OperatorId("bob"), "bob"))
    run.end("police")
    assert incident.state == "unreviewed" and call.state == "ending" and run.operator("bob") == "available"
