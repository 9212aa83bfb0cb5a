"""Which seats ring: tiers, skills and strategies; and who is paused for letting offers ring out."""

from dataclasses import replace

from callserver.core import events as ev
from callserver.core.facts import AlarmCleared, AlarmRaised, OfferMade, OfferWidened, OperatorMoved, Refused
from callserver.core.ids import OperatorId
from dialplans.model import Operator, Plan, Strategy, Tier
from tests.core.driver import Driver
from tests.core.plans import operators, plan, with_queue


def with_skills(made: Plan, point: str, skill: str, *able: str) -> Plan:
    """The plan in which a point asks for a skill that these have."""
    points = {**made.points, point: replace(made.points[point], skills=(skill,))}
    people = {who: replace(known, skills=(skill,) if who in able else ()) for who, known in made.operators.items()}
    return replace(made, points=points, operators=people)


def misses(driver: Driver, times: int) -> None:
    """So many offers ring out."""
    for _ in range(times):
        driver.after(15_000)
        driver.gone()
        driver.after(5_000)


# ---- tiers and skills -------------------------------------------------------------------------------------------


def test_a_tier_rings_from_its_time_on_in_the_same_offer() -> None:
    driver = Driver(with_queue(plan(), "none", tiers=(Tier(4_000, ("backup",)),), ladder="short"), "ann", "dan")
    driver.press("p6")
    assert driver.rung() == {"ann"}
    driver.after(3_999)
    assert driver.rung() == set()
    driver.after(1)
    assert (driver.rung(), len(driver.said(OfferWidened))) == ({"dan"}, 1)


def test_a_tier_is_rung_when_nobody_of_the_first_groups_is_there() -> None:
    made = with_queue(plan(), "none", tiers=(Tier(4_000, ("backup",)),), ladder="short")
    driver = Driver(made, "dan")
    driver.press("p6")
    assert driver.rung() == set()  # dan is on duty for the queue, so nobody outside is called at once either
    driver.after(4_000)
    assert driver.rung() == {"dan"}
    assert [fact.why for fact in driver.said(OfferMade)] == ["ring-all of queue none, tier 1"]


def test_tiers_count_anew_from_when_the_incident_waits_again() -> None:
    driver = Driver(with_queue(plan(), "none", tiers=(Tier(4_000, ("backup",)),), ladder="short"), "ann", "dan")
    driver.talk("p6", "ann")
    driver.after(60_000)
    assert driver.rung() == set()


def test_a_seat_without_the_skill_that_the_point_asks_for_does_not_ring() -> None:
    driver = Driver(with_skills(plan(), "p1", "welsh", "bob"), "ann", "bob")
    driver.press("p1")
    assert driver.rung() == {"bob"}


def test_who_is_rung_by_the_ladder_needs_no_skill() -> None:
    driver = Driver(with_skills(plan(), "p1", "welsh", "bob"), "ann", "bob", "dan")
    driver.press("p1")
    driver.after(10_000)
    assert driver.rung() == {"dan"}


def test_nobody_is_on_duty_when_nobody_has_the_skill() -> None:
    driver = Driver(with_skills(plan(), "p1", "welsh"), "ann", "bob")
    driver.press("p1")
    assert "police" in driver.rung()


def calls_in_turn(driver: Driver, count: int) -> list[str]:
    """Who is rung, one at a time, and answers and hangs up, press after press."""
    rung = []
    for _ in range(count):
        driver.press("p6")
        (who,) = driver.rung()
        rung.append(who)
        driver.answer(who)
        driver.end(who)
        driver.gone()
    return rung


# ---- strategies ---------------------------------------------------------------------------------------------------


def test_round_robin_rings_the_next_in_the_plans_order_whoever_answered() -> None:
    driver = Driver(with_queue(plan(), "none", strategy=Strategy.ROUND_ROBIN), "cat", "bob", "ann")
    rung = calls_in_turn(driver, 4)
    assert rung == ["ann", "bob", "cat", "ann"]


def test_fewest_calls_rings_who_answered_least_since_coming_on_duty() -> None:
    driver = Driver(with_queue(plan(), "none", strategy=Strategy.FEWEST_CALLS), "ann", "bob")
    rung = calls_in_turn(driver, 3)
    driver.do(ev.SeatUnbound(OperatorId("ann"), "home"), ev.SeatBound(OperatorId("ann"), "back"))
    driver.press("p6")
    assert (rung, driver.rung()) == (["ann", "bob", "ann"], {"ann"})


# ---- offers that ring out ---------------------------------------------------------------------------------------


def test_who_lets_so_many_offers_ring_out_in_a_row_is_paused() -> None:
    driver = Driver(with_queue(plan(), "help", auto_pause_after=2), "ann", "bob")
    driver.do(ev.Pause(OperatorId("bob"), "", "bob"))
    driver.press()
    misses(driver, 1)
    driver.do(ev.MakeAvailable(OperatorId("bob"), "bob"))
    misses(driver, 1)
    assert (driver.operator("ann"), driver.operator("bob")) == ("paused", "offered")
    assert "let 2 offers ring out in a row" in [fact.reason for fact in driver.ever(OperatorMoved)]


def test_an_answer_in_between_begins_the_count_anew() -> None:
    driver = Driver(with_queue(plan(), "none", auto_pause_after=2), "ann", "bob")
    driver.press("p6")
    misses(driver, 1)
    driver.answer("ann")
    driver.end("ann")
    driver.gone()
    driver.press("p6")
    driver.after(15_000)
    assert driver.operator("ann") != "paused"


def test_the_last_one_on_duty_is_never_paused_and_that_is_an_alarm() -> None:
    driver = Driver(with_queue(plan(), "help", auto_pause_after=2), "ann", "bob")
    driver.press()
    misses(driver, 3)
    states = {driver.operator("ann"), driver.operator("bob")}
    assert "paused" in states and states != {"paused"}
    (left,) = [who for who in ("ann", "bob") if driver.operator(who) != "paused"]
    assert f"no-answer:{left}" in [fact.key for fact in driver.ever(AlarmRaised)]
    driver.gone()
    driver.answer(left)
    assert f"no-answer:{left}" in [fact.key for fact in driver.said(AlarmCleared)]


def test_the_last_one_with_a_skill_is_never_paused_though_others_are_there() -> None:
    made = with_queue(with_skills(plan(), "p1", "welsh", "bob"), "help", auto_pause_after=1)
    driver = Driver(made, "ann", "bob")
    driver.press("p1")
    misses(driver, 2)
    assert driver.operator("bob") != "paused"


def test_a_queue_without_a_rest_counts_offers_too() -> None:
    driver = Driver(with_queue(plan(), "help", auto_pause_after=1, rest_after_no_answer_ms=0), "ann", "bob")
    driver.press()
    driver.after(15_000)
    assert "paused" in {driver.operator("ann"), driver.operator("bob")}


# ---- pauses -----------------------------------------------------------------------------------------------------


def test_a_pause_has_one_of_the_plans_reasons_or_none() -> None:
    driver = Driver(replace(plan(), pauses={"break": "Break"}), "ann", "bob")
    driver.do(ev.Pause(OperatorId("ann"), "golf", "ann"))
    assert (driver.operator("ann"), len(driver.said(Refused))) == ("available", 1)
    driver.do(ev.Pause(OperatorId("ann"), "break", "ann"), ev.Pause(OperatorId("bob"), "", "bob"))
    assert (driver.operator("ann"), driver.operator("bob")) == ("paused", "paused")


def test_a_plan_without_reasons_takes_any() -> None:
    driver = Driver(replace(plan(), operators={**operators("ann"), "bob": Operator("bob", "Bob", ("main",))}), "ann")
    driver.do(ev.Pause(OperatorId("ann"), "golf", "ann"))
    assert driver.operator("ann") == "paused"
