"""The ladder: steps by time or at once, routes one after the other, the last resort for ever."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core.effects import AnswerLeg, DialParty
from callserver.core.facts import AlarmCleared, AlarmRaised, LadderStepTaken, OfferEnded, RouteAwaited, RouteTried
from callserver.core.ids import OperatorId
from callserver.core.termination import By, Class, Termination
from dialplans.model import Ladder, Party, Step
from tests.core.driver import BUSY, BYE, GONE, LOST, Driver
from tests.core.plans import plan


def steps(driver: Driver) -> list[str]:
    return [fact.reason for fact in driver.said(LadderStepTaken)]


def tried(driver: Driver) -> list[tuple[int, int, str]]:
    return [(fact.route, fact.cycle, fact.reason) for fact in driver.said(RouteTried)]


def uris(driver: Driver) -> list[str]:
    return [order.route.uri for order in driver.ordered(DialParty)]


def test_with_nobody_on_duty_the_last_resort_is_called_at_once_with_the_steps_between() -> None:
    driver = Driver(None, "dan")  # dan is in `backup`, not in the queue's own group
    driver.press("p1")
    nobody = "nobody on duty under plan v1"
    assert [f"step 1: {nobody}", f"step 2: {nobody}", f"step 3: {nobody}"] == steps(driver)
    assert uris(driver) == ["sip:civic@a", "sip:police@a"]
    assert "dan" in driver.rung()


def test_the_last_resort_is_called_as_soon_as_the_last_operator_leaves() -> None:
    driver = Driver(None, "ann")
    driver.press("p6")
    assert uris(driver) == []
    driver.do(ev.Pause(OperatorId("ann"), "break", "ann"))
    assert steps(driver) == ["step 1: nobody on duty under plan v1"]
    assert uris(driver) == ["sip:police@a"]


def test_an_operator_in_a_conversation_is_on_duty() -> None:
    driver = Driver(None, "ann")
    driver.talk("p1", "ann")
    driver.press("p6")
    assert steps(driver) == []


def test_steps_come_at_their_times() -> None:
    driver = Driver(None, "ann")
    driver.press("p1")
    driver.after(9_999)
    assert steps(driver) == []
    driver.after(1)
    assert steps(driver) == ["step 1: unanswered 10 s under plan v1"]
    driver.after(10_000)
    assert steps(driver) == ["step 2: unanswered 20 s under plan v1"]
    assert uris(driver) == ["sip:civic@a"]
    driver.after(10_000)
    assert steps(driver) == ["step 3: unanswered 30 s under plan v1"]
    assert uris(driver) == ["sip:police@a"]


def test_a_busy_route_is_followed_by_the_next_at_once() -> None:
    driver = Driver()
    driver.press("p6")
    driver.end("police", BUSY)
    assert tried(driver) == [(1, 1, "route 1: busy (486)")]
    assert uris(driver) == ["sip:police@b"]


def test_a_route_that_rings_in_vain_is_followed_by_the_next_at_once() -> None:
    driver = Driver()
    driver.press("p6")
    driver.do(ev.LegRang(driver.leg("police")))
    driver.after(20_000)
    assert tried(driver) == [(1, 1, "route 1: no answer")]
    driver.gone()
    assert tried(driver) == []  # the end of the leg that was given up is no second failure


def test_the_last_resort_goes_round_for_ever_and_alarms_once() -> None:
    driver = Driver()
    incident = driver.press("p6")
    for cycle in range(1, 30):
        driver.end("police", GONE)
        driver.end("police", BUSY)
        assert len(driver.said(RouteAwaited)) == 1
        driver.after(3_999)
        assert tried(driver) == []
        driver.after(1)
        assert [(0, cycle + 1, f"round {cycle + 1}: nobody answered the last one")] == tried(driver)
    assert [fact.key for fact in driver.ever(AlarmRaised)] == ["unanswered:i1"]
    driver.answer("police")
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["unanswered:i1"]
    assert incident.state == "attended"


def test_a_party_before_the_last_step_is_tried_once_round() -> None:
    driver = Driver(None, "ann")
    driver.press("p1")
    driver.after(20_000)
    driver.end("civic", BUSY)
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["unreached:i1:civic"]
    driver.after(9_000)
    assert uris(driver) == []
    driver.after(1_000)
    assert uris(driver) == ["sip:police@a"]


def test_a_last_step_to_a_party_that_rings_already_does_not_ring_it_twice_but_goes_on_for_ever() -> None:
    ladder = Ladder("short", (Step(5_000, call_party="police"), Step(10_000, call_party="police")), retry_ms=4_000)
    driver = Driver(plan(ladders={**plan().ladders, "short": ladder}))
    driver.press("p6")
    driver.after(10_000)
    assert uris(driver) == ["sip:police@a"]
    driver.end("police", BUSY)
    driver.end("police", BUSY)
    driver.after(4_000)
    assert uris(driver) == ["sip:police@a"]


def test_an_earlier_attempt_at_the_same_party_does_not_stop_the_last_step() -> None:
    """Police, then civic enforcement, then police for ever, while the first police leg still rings."""
    ladder = Ladder(
        "short", (Step(1_000, call_party="police"), Step(2_000, call_party="civic"), Step(3_000, call_party="police"))
    )
    driver = Driver(plan(ladders={**plan().ladders, "short": ladder}))
    driver.press("p6")
    driver.after(3_000)
    assert uris(driver) == ["sip:police@a", "sip:civic@a", "sip:police@a"]
    driver.end("police", BUSY)
    driver.end("police", BUSY)
    driver.after(5_000)
    assert uris(driver) == ["sip:police@a"]


def test_a_route_whose_trunk_is_lost_is_passed_over_unless_all_are() -> None:
    driver = Driver()
    driver.do(ev.TrunkLost("trunk-a", "no reply"))
    driver.press("p6")
    assert uris(driver) == ["sip:police@b"]
    driver.do(ev.TrunkLost("trunk-b", "no reply"))
    driver.press("p5")
    assert uris(driver) == ["sip:police@a"]


def test_a_route_lost_in_our_own_restart_is_tried_again_at_once() -> None:
    driver = Driver()
    driver.press("p6")
    driver.end("police", Termination(Class.LOST, By.US, "lost in a restart"))
    assert tried(driver) == [(0, 1, "route 1: lost in a restart")]


def test_the_party_that_answers_has_the_incident_and_the_seats_stop_ringing() -> None:
    driver = Driver(None, "ann")
    incident = driver.press("p6")
    driver.after(30_000)
    driver.gone()
    driver.answer("police")
    assert "withdrawn" in [fact.result for fact in driver.said(OfferEnded)]
    assert [AnswerLeg(driver.leg("p6"))] == driver.ordered(AnswerLeg)
    assert (incident.state, incident.operator, driver.operator("ann")) == ("attended", None, "available")
    assert {driver.leg("p6"), driver.leg("police")} == set(driver.call(incident).shape.talk)


def test_an_operator_who_answers_while_the_party_rings_stops_it() -> None:
    driver = Driver(None, "ann")
    incident = driver.press("p6")
    driver.after(30_000)
    driver.gone()
    driver.answer("ann")
    assert {"police"} == driver.hung_up()
    driver.gone()
    driver.after(60_000)
    assert (uris(driver), incident.state) == ([], "attended")


def test_a_party_that_answers_for_a_caller_who_hung_up_waits_while_the_point_is_called() -> None:
    driver = Driver()
    incident = driver.press("p6")
    driver.end("p6")
    driver.answer("police")
    assert {"p6"} == driver.rung()
    assert driver.call(incident).state == "calling-back"
    driver.answer("p6")
    assert {driver.leg("p6"), driver.leg("police")} == set(driver.call(incident).shape.talk)


def test_a_party_that_hangs_up_leaves_the_incident_to_be_reviewed() -> None:
    driver = Driver()
    incident = driver.press("p6")
    driver.answer("police")
    driver.end("police", BYE)
    assert ("unreviewed", {"p6"}) == (incident.state, driver.hung_up())


def test_a_party_whose_line_is_lost_leaves_a_waiting_incident_that_climbs_again() -> None:
    driver = Driver()
    incident = driver.press("p6")
    driver.answer("police")
    driver.end("police", LOST)
    assert (incident.state, uris(driver)) == ("waiting", ["sip:police@a"])


def test_a_ladder_is_frozen_at_the_press() -> None:
    driver = Driver(None, "ann")
    driver.press("p6")
    sooner = Ladder("short", (Step(1_000, call_party="civic"),))
    driver.do(ev.PlanLoaded(2, "v2", plan(ladders={**plan().ladders, "short": sooner}), "admin"))
    driver.after(29_999)
    assert uris(driver) == []
    driver.after(1)
    assert steps(driver) == ["step 1: unanswered 30 s under plan v1"]


def test_a_party_without_routes_alarms_and_is_not_silent() -> None:
    parties = {**plan().parties, "police": Party("police", "Police", ())}
    driver = Driver(plan(parties=parties))
    driver.press("p6")
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["unanswered:i1"]
    driver.after(4_000)
    assert len(driver.said(RouteAwaited)) == 1


def test_a_lost_operator_starts_the_ladder_anew() -> None:
    driver = Driver(None, "ann", "bob")
    incident = driver.talk("p6")
    driver.after(100_000)
    driver.end("ann", LOST)
    assert (incident.step, uris(driver)) == (0, [])
    driver.after(30_000)
    assert uris(driver) == ["sip:police@a"]


def test_a_retry_pause_of_nothing_is_still_a_pause() -> None:
    driver = Driver(plan(ladders={**plan().ladders, "short": replace(plan().ladders["short"], retry_ms=0)}))
    driver.press("p6")
    driver.end("police", GONE)
    driver.end("police", GONE)
    assert driver.said(RouteAwaited)[0].at - driver.now == 1_000_000_000
