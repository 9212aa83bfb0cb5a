"""What a step does: rings for its own time, says, tells, hands over; and the parties with their rounds and fallbacks."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core.effects import DialParty, EndLeg, Notify, ShapeCall
from callserver.core.facts import (
    AlarmCleared,
    AlarmRaised,
    IncidentHandedOver,
    LadderStepTaken,
    NoticeSettled,
    OfferEnded,
    OfferMade,
    PartyGivenUp,
    Refused,
    RouteAwaited,
    RouteTried,
)
from callserver.core.fold import fold
from callserver.core.ids import PartyId
from callserver.core.instant import MS
from callserver.core.recovery import orders_outstanding
from callserver.core.state import Incident
from dialplans.model import Ladder, Notice, Party, Plan, Queue, Route, Step, When
from tests.core.driver import BUSY, GONE, Driver
from tests.core.plans import CIVIC, POLICE, operators, plan, with_queue

CITY = {"city": Notice("city", to="desk@city.example")}


def with_steps(*steps: Step, last: Step | None = None, retry_ms: int = 5_000, **changes: object) -> Plan:
    """The plan whose queue `none` climbs these steps, and then the police (or another last step)."""
    ladder = Ladder("own", (*steps, last or Step(3_600_000, call_party="police")), retry_ms)
    made = plan(**changes)
    return with_queue(replace(made, ladders={**made.ladders, "own": ladder}), "none", ladder="own")


def uris(driver: Driver) -> list[str]:
    return [order.route.uri for order in driver.ordered(DialParty)]


def raised(driver: Driver) -> list[str]:
    return [fact.key for fact in driver.said(AlarmRaised)]


def heard(driver: Driver, incident: Incident) -> list[str]:
    return [prompt.name for prompt in driver.call(incident).shape.prompts]


def rings_ms(driver: Driver) -> list[int]:
    return [(offer.until - driver.now) // MS for offer in driver.said(OfferMade)]


# ---- ring, say, tell --------------------------------------------------------------------------------------------


def test_a_group_that_a_step_rings_rings_as_long_as_the_step_says() -> None:
    driver = Driver(with_steps(Step(1_000, ring_group="backup", ring_ms=40_000)), "dan")
    driver.press("p6")
    driver.after(1_000)
    assert [(offer.until - offer_at) // MS for offer, offer_at in offers(driver)] == [40_000]
    driver.after(39_999)
    assert driver.said(OfferEnded) == []
    driver.after(1)
    assert [fact.reason for fact in driver.said(OfferEnded)] == ["unanswered 40 s"]


def offers(driver: Driver) -> list[tuple[OfferMade, int]]:
    return [(fact, at) for fact, at in driver.journal if isinstance(fact, OfferMade)]


def test_the_queues_own_seats_ring_as_long_as_the_queue_says_whatever_the_step_says() -> None:
    driver = Driver(with_steps(Step(0, ring_group="backup", ring_ms=40_000)), "ann")
    driver.press("p6")
    assert rings_ms(driver) == [15_000]


def test_a_caller_hears_what_the_newest_step_says_instead_of_the_reassurance() -> None:
    driver = Driver(with_steps(Step(1_000, say="busy"), Step(2_000, ring_group="backup"), Step(3_000, say="soon")), "ann")
    incident = driver.press("p6")
    assert heard(driver, incident) == ["reassurance"]
    driver.after(1_000)
    assert [prompt.name for order in driver.ordered(ShapeCall) for prompt in order.shape.prompts] == ["text:busy"]
    driver.after(1_000)
    assert heard(driver, incident) == ["text:busy"]
    driver.after(1_000)
    assert [(prompt.name, prompt.every_ms) for prompt in driver.call(incident).shape.prompts] == [("text:soon", 20_000)]


def test_a_caller_who_waits_again_hears_the_reassurance_again() -> None:
    driver = Driver(with_queue(with_steps(Step(1_000, say="busy")), "none", reassurance="text:help"), "ann", "bob")
    incident = driver.press("p6")
    driver.after(1_000)
    assert heard(driver, incident) == ["text:busy"]
    driver.answer("ann")
    driver.gone()
    driver.end("ann", GONE)
    assert (incident.state, heard(driver, incident)) == ("waiting", ["text:help"])


def test_a_step_tells_somebody_once_and_again_after_a_restart_until_it_is_settled() -> None:
    driver = Driver(with_steps(Step(1_000, notify=("city",)), notices=CITY), "ann")
    incident = driver.press("p6")
    driver.after(1_000)
    told = Notify("i1.n1", CITY["city"], incident.id, incident.point, "Station", "Station: step 1: unanswered 1 s under plan v1")
    assert driver.ordered(Notify) == [told]
    assert [order for order in orders_outstanding(fold(driver.journal)) if isinstance(order, Notify)] == [told]
    driver.do(ev.NoticeDone("i1.n1", True, "250 accepted"))
    assert [order for order in orders_outstanding(fold(driver.journal)) if isinstance(order, Notify)] == []


def test_a_notice_that_could_not_be_delivered_is_an_alarm_until_one_is() -> None:
    driver = Driver(with_steps(Step(0, notify=("city",)), Step(1_000, notify=("city",)), notices=CITY), "ann")
    driver.press("p6")
    driver.after(1_000)
    driver.do(ev.NoticeDone("i1.n1", False, "no reply"), ev.NoticeDone("i1.n1", False, "no reply"))
    assert raised(driver) == ["notice:city"]
    assert [len(driver.said(NoticeSettled)), len(driver.said(Refused))] == [1, 1]
    driver.do(ev.NoticeDone("i1.n2", True, "200"))
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["notice:city"]


def test_a_notice_outlives_its_incident_and_the_plan() -> None:
    driver = Driver(with_steps(Step(0, notify=("city",)), notices=CITY), "ann")
    incident = driver.press("p6")
    driver.do(ev.GiveOutcome(incident.id, "false", "sue"))
    driver.gone()
    driver.do(ev.PlanLoaded(2, "v2", plan(), "admin"))
    assert incident.id not in driver.state.incidents
    assert [order.id for order in orders_outstanding(driver.state) if isinstance(order, Notify)] == ["i1.n1"]
    driver.do(ev.NoticeDone("i1.n1", True, "200"))
    assert (driver.state.notices, list(driver.state.plans)) == ({}, [1, 2])
    driver.do(ev.PlanLoaded(3, "v3", plan(), "admin"))
    assert list(driver.state.plans) == [3]


# ---- hand over --------------------------------------------------------------------------------------------------


def two_rooms(**steps: Step) -> Plan:
    """Queue `none` with group main hands to `other` with group far, by these first steps; each ends with the police."""
    made = plan(operators=operators("ann", "bob") | operators("eve", group="far"), groups=("main", "backup", "far"))
    police = Step(300_000, call_party="police")
    ladders = {name: Ladder(name, (steps[name], police) if name in steps else (police,)) for name in ("near", "far")}
    queues = {
        **made.queues,
        "none": replace(made.queues["none"], ladder="near"),
        "other": Queue("other", ("far",), "far", reassurance="far-away"),
    }
    return replace(made, ladders={**made.ladders, **ladders}, queues=queues)


def test_a_hand_over_takes_the_offer_back_and_rings_the_other_queue_at_the_foot_of_its_ladder() -> None:
    driver = Driver(two_rooms(near=Step(10_000, hand_to="other")), "ann", "eve")
    incident = driver.press("p6")
    first = incident.waiting_since
    driver.after(10_000)
    assert [fact.result for fact in driver.said(OfferEnded)] == ["withdrawn"]
    assert "eve" in driver.rung()
    handed = driver.said(IncidentHandedOver)
    assert [(one.queue, one.ladder, one.left) for one in handed] == [("other", "far", "none")]
    assert handed[0].reason == "step 1: unanswered 10 s under plan v1: to queue other"
    assert (incident.queue, incident.step, incident.ladder_since, incident.waiting_since) == ("other", 0, driver.now, first)
    assert heard(driver, incident) == ["far-away"]
    driver.gone()
    driver.after(60_000)
    assert "ann" not in driver.rung()
    driver.after(300_000)
    assert uris(driver)[:1] == ["sip:police@a"]


def test_a_party_that_rings_at_a_hand_over_may_still_answer_but_is_not_followed_up() -> None:
    made = two_rooms(near=Step(20_000, hand_to="other"))
    near = Ladder("near", (Step(15_000, call_party="police"), *made.ladders["near"].steps))
    driver = Driver(replace(made, ladders={**made.ladders, "near": near}), "ann")
    incident = driver.press("p6")
    driver.after(20_000)
    assert (incident.queue, driver.leg("police") in driver.state.legs) == ("other", True)
    driver.end("police", BUSY)
    assert uris(driver) == []
    driver.after(300_000)
    assert uris(driver)[:1] == ["sip:police@a"]


def test_queues_that_hand_to_each_other_at_once_do_not_spin_and_alarm() -> None:
    driver = Driver(two_rooms(near=Step(0, hand_to="other"), far=Step(0, hand_to="none")), "ann", "eve")
    incident = driver.press("p6")
    assert [fact.queue for fact in driver.said(IncidentHandedOver)] == ["other"]
    assert (incident.queue, incident.step, driver.rung()) == ("other", 1, {"eve"})
    assert raised(driver) == ["unanswered:i1"]
    driver.after(299_000)
    assert len(driver.ever(IncidentHandedOver)) == 1
    driver.after(1_000)
    assert "sip:police@a" in uris(driver)


def test_queues_that_hand_to_each_other_with_time_between_go_round_and_each_rings() -> None:
    driver = Driver(two_rooms(near=Step(10_000, hand_to="other"), far=Step(10_000, hand_to="none")), "ann", "eve")
    driver.press("p6")
    rung = []
    for _ in range(4):
        driver.after(10_000)
        rung.append(sorted(driver.rung()))
        driver.gone()
    assert rung == [["eve"], ["ann"], ["eve"], ["ann"]]
    assert [fact.key for fact in driver.ever(AlarmRaised)] == []


def test_a_hand_over_when_nobody_is_on_duty_looks_at_the_other_queues_people() -> None:
    nobody = (When.NOBODY,)
    made = two_rooms(near=Step(60_000, hand_to="other", when=nobody), far=Step(60_000, hand_to="none", when=nobody))
    driver = Driver(made, "eve")
    incident = driver.press("p6")
    assert (incident.queue, driver.rung()) == ("other", {"eve"})
    driver = Driver(made)
    incident = driver.press("p6")
    assert (incident.queue, incident.step, raised(driver)) == ("other", 1, ["unanswered:i1"])


def test_a_ladder_may_end_with_a_hand_over() -> None:
    made = two_rooms()
    near = Ladder("near", (Step(5_000, hand_to="other"),))
    driver = Driver(replace(made, ladders={**made.ladders, "near": near}))
    driver.press("p6")
    driver.after(305_000)
    assert uris(driver)[0] == "sip:police@a"


def test_the_last_resort_of_the_watch_goes_through_a_hand_over_to_the_party_behind_it() -> None:
    driver = Driver(two_rooms(near=Step(20_000, hand_to="other")), "ann")
    incident = driver.press("p6")
    driver.do(ev.LastResort(incident.id, "no offer"))
    assert (incident.queue, uris(driver)) == ("other", ["sip:police@a"])


# ---- parties ----------------------------------------------------------------------------------------------------


def fallback(**changes: object) -> dict[str, Party]:
    """Civic enforcement, whose fallback is the police."""
    return {"police": POLICE, "civic": replace(CIVIC, fallback="police", **changes)}  # type: ignore[arg-type]


def tried(driver: Driver) -> list[tuple[str, int, int, str]]:
    return [(fact.party, fact.route, fact.cycle, fact.asked) for fact in driver.said(RouteTried)]


def test_after_a_partys_routes_its_fallback_is_tried_in_the_same_round() -> None:
    driver = Driver(with_steps(Step(0, call_party="civic"), parties=fallback()), "ann")
    driver.press("p6")
    driver.end("civic", BUSY)
    assert tried(driver) == [("police", 0, 1, "civic")]
    assert [fact.reason for fact in driver.said(RouteTried)] == ["route 1: busy (486); police instead of civic"]
    driver.end("police", BUSY)
    assert tried(driver) == [("police", 1, 1, "civic")]
    driver.end("police", BUSY)
    assert raised(driver) == ["unreached:i1:civic"]


def test_the_last_step_goes_through_party_and_fallback_for_ever_and_alarms_after_the_first_round() -> None:
    driver = Driver(with_steps(last=Step(0, call_party="civic"), parties=fallback()), "ann")
    driver.press("p6")
    for cycle in range(1, 8):
        driver.end("civic", BUSY)
        assert raised(driver) == []
        driver.end("police", BUSY)
        driver.end("police", BUSY)
        assert raised(driver) == (["unanswered:i1"] if cycle == 1 else [])
        assert [fact.party for fact in driver.said(RouteAwaited)] == ["civic"]
        driver.after(5_000)
        assert tried(driver) == [("civic", 0, cycle + 1, "")]
    driver.answer("civic")
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["unanswered:i1"]


def test_a_party_without_a_reachable_trunk_comes_after_its_fallback() -> None:
    parties = {
        "police": replace(POLICE, routes=(Route("sip:police@b", "trunk-b"),)),
        "civic": replace(CIVIC, fallback="police"),
    }
    driver = Driver(with_steps(last=Step(0, call_party="civic"), parties=parties), "ann")
    driver.do(ev.TrunkLost("trunk-a", "no reply"))
    driver.press("p6")
    assert tried(driver) == [("police", 0, 1, "civic")]
    driver.end("police", BUSY)
    assert tried(driver) == [("civic", 0, 1, "")]
    driver.end("civic", BUSY)
    driver.after(5_000)
    assert tried(driver) == [("police", 0, 2, "civic")]


def test_fallbacks_that_come_back_to_themselves_are_tried_once_in_a_round() -> None:
    parties = {"police": replace(POLICE, fallback="civic"), "civic": replace(CIVIC, fallback="police")}
    driver = Driver(with_steps(last=Step(0, call_party="civic"), parties=parties), "ann")
    driver.press("p6")
    driver.end("civic", BUSY)
    driver.end("police", BUSY)
    driver.end("police", BUSY)
    assert len(driver.said(RouteAwaited)) == 1


def test_an_operator_who_brings_in_a_party_gets_its_fallback_too() -> None:
    driver = Driver(plan(parties=fallback()), "ann")
    incident = driver.talk("p1", "ann")
    driver.do(ev.Escalate(driver.call(incident).id, PartyId("civic"), "ann"))
    driver.end("civic", BUSY)
    assert tried(driver) == [("police", 0, 1, "civic")]
    driver.answer("police")
    assert set(driver.call(incident).shape.talk) == {driver.leg("p1"), driver.leg("ann"), driver.leg("police")}


def test_a_step_with_tries_goes_through_the_routes_so_often_and_then_alarms() -> None:
    driver = Driver(with_steps(Step(0, call_party="civic", tries=3)), "ann")
    driver.press("p6")
    for cycle in (2, 3):
        driver.end("civic", BUSY)
        assert (len(driver.said(RouteAwaited)), raised(driver)) == (1, [])
        driver.after(5_000)
        assert tried(driver) == [("civic", 0, cycle, "")]
    driver.end("civic", BUSY)
    assert (driver.said(RouteAwaited), raised(driver)) == ([], ["unreached:i1:civic"])
    assert [(fact.party, fact.reason) for fact in driver.said(PartyGivenUp)] == [("civic", "route 1: busy (486)")]


def test_the_rounds_of_a_step_end_when_a_later_step_calls_somebody_else() -> None:
    driver = Driver(with_steps(Step(0, call_party="civic", tries=5), last=Step(3_000, call_party="police")), "ann")
    driver.press("p6")
    driver.end("civic", BUSY)
    driver.after(3_000)
    assert tried(driver) == [("police", 0, 1, "")]
    driver.after(10_000)
    assert driver.said(RouteTried) == []


def test_a_steps_own_ring_time_holds_for_each_of_the_partys_routes() -> None:
    driver = Driver(with_steps(Step(0, call_party="civic", ring_ms=3_000), parties=fallback()), "ann")
    driver.press("p6")
    driver.after(2_999)
    assert driver.ordered(EndLeg) == []
    driver.after(1)
    assert tried(driver) == [("police", 0, 1, "civic")]
    driver.gone()
    driver.after(3_000)
    assert tried(driver) == [("police", 1, 1, "civic")]


def test_an_older_journal_without_the_wanted_party_folds_to_the_same_attempt() -> None:
    driver = Driver()
    driver.press("p6")
    older = [
        (replace(fact, step=0, asked="") if isinstance(fact, RouteTried) else fact, at)
        for fact, at in driver.journal
        if not isinstance(fact, LadderStepTaken) or fact.step
    ]
    incident = next(iter(fold(older).incidents.values()))
    assert (incident.party, incident.asked, incident.route_step) == ("police", "police", 0)
