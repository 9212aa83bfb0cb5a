"""Outside parties are told what it is about, and may have to accept by key before they have or join a call."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.effects import DialParty
from callserver.core.ids import OperatorId, PartyId
from callserver.core.state import Call, Incident
from tests.core.driver import Driver
from tests.core.plans import CIVIC, POLICE, plan
from tests.core.test_core_control import both, hears

PLAN = plan(parties={"police": replace(POLICE, accept="1"), "civic": CIVIC})


def asked(loaded: object = PLAN) -> tuple[Driver, Incident, Call]:
    """Ann talks with p1 and asks the police in."""
    run = Driver(loaded, "ann")  # type: ignore[arg-type]
    incident = run.talk()
    run.do(ev.Escalate(run.call(incident).id, PartyId("police"), "ann"))
    return run, incident, run.call(incident)


def told(call: Call, party: str) -> list[tuple[str, int]]:
    """What a party is played, and how often it begins anew."""
    return [(one.name, one.every_ms) for one in call.shape.prompts for leg in one.to if call.legs[leg].party == party]


# ---- accepting by key ----------------------------------------------------------------------------------------------


def test_a_party_that_answered_hears_what_it_is_about_and_is_in_no_talk() -> None:
    run, _, call = asked()
    run.answer("police")
    assert told(call, "police") == [("help-point-call+place:p1+class-emergency+time:01-16+accept-1", 10_000)]
    assert hears(call) == both(("ann", "p1"))


def test_the_key_makes_it_part_of_the_call() -> None:
    run, _, call = asked()
    leg = run.answer("police")
    run.do(ev.DigitPressed(leg, "7"))
    assert hears(call) == both(("ann", "p1"))
    run.do(ev.DigitPressed(leg, "1"))
    assert run.said(f.LegAccepted) == [f.LegAccepted(leg, "1")]
    assert hears(call) == both(("ann", "p1"), ("ann", "police"), ("p1", "police")) and told(call, "police") == []


def test_an_answering_machine_is_not_a_police_officer() -> None:
    run, _, _ = asked()
    run.answer("police")
    run.after(19_999)
    assert run.rung() == set()
    run.after(1)
    assert [order.route.uri for order in run.ordered(DialParty)] == ["sip:police@b"]


def test_a_party_that_hangs_up_without_accepting_is_followed_by_the_next_route() -> None:
    run, _, call = asked()
    run.answer("police")
    run.end("police")
    assert [order.route.uri for order in run.ordered(DialParty)] == ["sip:police@b"] and call.state == "talking"


def test_the_last_resort_has_the_call_only_when_it_accepted() -> None:
    run = Driver(PLAN)
    incident = run.press()
    leg = run.answer("police")
    assert incident.state == "waiting"
    run.do(ev.SeatBound(OperatorId("ann"), "sip"))
    assert run.rung() == {"ann"}
    run.do(ev.DigitPressed(leg, "1"))
    assert incident.state == "attended" and run.operator("ann") == "available"


def test_the_last_resort_that_never_accepts_is_called_by_its_routes_for_ever() -> None:
    run = Driver(PLAN)
    run.press()
    for _ in range(4):
        run.answer("police")
        run.after(20_000)
        run.gone()
        run.after(5_000)
    assert [fact.route for fact in run.ever(f.RouteTried) if fact.party == "police"] == [0, 1, 0, 1, 0]
    assert len(run.ever(f.RouteAwaited)) == 2


def test_an_operator_who_answers_first_lets_a_party_go_that_has_not_accepted() -> None:
    run = Driver(PLAN)
    run.press()
    run.answer("police")
    run.do(ev.SeatBound(OperatorId("ann"), "sip"))
    run.answer("ann")
    assert "police" in run.hung_up()


def test_asking_for_a_party_twice_while_it_has_not_accepted_is_refused() -> None:
    run, _, call = asked()
    run.answer("police")
    run.do(ev.Escalate(call.id, PartyId("civic"), "ann"))
    assert [fact.why for fact in run.said(f.Refused)] == ["a party is being called"]


def test_a_restart_asks_for_the_key_until_the_same_moment() -> None:
    run, _, call = asked()
    run.answer("police")
    run.after(10_000)
    run.do(ev.WorkerLost(call.id, "killed"))
    assert told(call, "police") != []
    run.after(10_000)
    assert run.rung() == {"police"}


def test_a_party_is_told_in_its_own_language_whatever_the_points_is() -> None:
    welsh = replace(PLAN.points["p1"], language="cy")
    for party, said in (("en", "+accept-1+in:en"), ("cy", "+accept-1")):
        parties = {"police": replace(POLICE, accept="1", language=party), "civic": CIVIC}
        run, _, call = asked(replace(PLAN, points={**PLAN.points, "p1": welsh}, parties=parties))
        run.answer("police")
        assert told(call, "police") == [(f"help-point-call+place:p1+class-emergency+time:01-16{said}", 10_000)]


# ---- told while it joins --------------------------------------------------------------------------------------------


def test_a_party_without_a_key_is_told_once_as_it_joins() -> None:
    run, _, call = asked(plan())
    run.answer("police")
    assert told(call, "police") == [("help-point-call+place:p1+class-emergency+time:01-16", 0)]
    assert hears(call) == both(("ann", "p1"), ("ann", "police"), ("p1", "police"))
    run.do(ev.Hold(call.id, True, "ann"))
    assert len(told(call, "police")) == 1  # a change of the shape does not cut the words
    run.do(ev.WorkerLost(call.id, "killed"))
    run.do(ev.Hold(call.id, False, "ann"))
    assert told(call, "police") == []


def test_a_party_alone_with_a_point_that_is_called_back_is_told_again_and_again() -> None:
    run = Driver()
    incident = run.press()
    run.end("p1")
    run.answer("police")
    call = run.call(incident)
    assert call.state == "calling-back"
    assert told(call, "police") == [("help-point-call+place:p1+class-emergency+time:01-16+calling-back", 10_000)]
    run.answer("p1")
    assert told(call, "police") == [] and hears(call) == both(("p1", "police"))
