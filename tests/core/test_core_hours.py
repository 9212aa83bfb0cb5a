"""The night in the core: steps, parties, groups and ladders by hours, and what happens when these turn while somebody waits."""

import datetime
import zoneinfo
from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.decide import next_deadline
from callserver.core.effects import DialParty
from callserver.core.facts import (
    AlarmCleared,
    AlarmRaised,
    ClockAnchored,
    HoursTurned,
    IncidentHandedOver,
    IncidentOpened,
    LadderStepTaken,
    RouteAwaited,
    RouteTried,
)
from callserver.core.ids import OperatorId
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.recovery import reconcile
from dialplans.model import Group, Hours, Ladder, Party, Plan, Queue, Span, Step, When
from tests.core.driver import BUSY, LOST, Driver
from tests.core.plans import CIVIC, POLICE, plan, with_queue

LONDON = zoneinfo.ZoneInfo("Europe/London")
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
HOURS = {
    "day": Hours("day", (Span(EVERY_DAY, 6 * 60, 22 * 60),)),
    "night": Hours("night", (Span(EVERY_DAY, 22 * 60, 6 * 60),)),
    "never": Hours("never", ()),
    "early": Hours("early", (Span(EVERY_DAY, 90, 105),)),  # 01:30 to 01:45
}
TEN = "2026-06-03T10:00"
MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def at(driver: Driver, text: str, fold: int = 0, anchor: int = 1) -> Driver:
    """Sets London's clocks to this time; `fold` 1: the second such time in the night that has it twice."""
    utc_ns = int(datetime.datetime.fromisoformat(text).replace(tzinfo=LONDON, fold=fold).timestamp()) * SECOND
    driver.do(ev.Noted(ClockAnchored(anchor, "boot", utc_ns, driver.now, 0)))
    return driver


def clock(driver: Driver) -> str:
    """What London's clocks show."""
    utc = datetime.datetime.fromtimestamp((driver.now + driver.state.utc_offset_ns) / SECOND, LONDON)
    return utc.isoformat(timespec="minutes")


def nightly(*steps: Step, **changes: object) -> Plan:
    """The plan with hours, whose queue `none` climbs these steps."""
    made = plan(hours=HOURS, **changes)
    return with_queue(replace(made, ladders={**made.ladders, "own": Ladder("own", steps)}), "none", ladder="own")


def called(driver: Driver) -> list[str]:
    return [order.party for order in driver.ordered(DialParty)]


def turned(driver: Driver) -> list[tuple[str, ...]]:
    return [fact.open for fact in driver.said(HoursTurned)]


LAST = Step(48 * HOUR_MS, call_party="police")


# ---- steps ------------------------------------------------------------------------------------------------------


def test_a_step_outside_of_its_hours_is_passed_over_and_nothing_of_it_is_done() -> None:
    made = nightly(Step(1_000, call_party="civic", say="soon", hours="night"), Step(2_000, ring_group="backup"), LAST)
    driver = at(Driver(made, "ann"), TEN)
    incident = driver.press("p6")
    driver.after(2_000)
    taken = driver.said(LadderStepTaken)
    assert [(fact.step, fact.passed) for fact in taken] == [(1, True), (2, False)]
    assert taken[0].reason == "step 1: unanswered 1 s under plan v1, passed over outside of hours night"
    assert (called(driver), driver.call(incident).shape.prompts[0].name) == ([], "reassurance")


def test_a_group_that_was_passed_over_is_not_rung() -> None:
    driver = at(Driver(nightly(Step(1_000, ring_group="backup", hours="night"), LAST), "dan"), TEN)
    driver.press("p6")
    driver.after(5_000)
    assert driver.rung() == set()


def test_a_condition_does_not_take_a_ladder_up_to_a_step_outside_of_its_hours() -> None:
    made = nightly(Step(60_000, ring_group="backup"), Step(90_000, call_party="civic", hours="night", when=(When.NOBODY,)), LAST)
    driver = at(Driver(made), TEN)
    driver.press("p6")
    assert driver.said(LadderStepTaken) == []
    driver = at(Driver(made), "2026-06-03T23:00")
    driver.press("p6")
    assert called(driver) == ["civic"]


def test_a_last_step_outside_of_its_hours_is_an_alarm_and_is_taken_when_they_open() -> None:
    driver = at(Driver(nightly(Step(30_000, call_party="police", hours="night")), "ann"), "2026-06-03T21:00")
    driver.press("p6")
    driver.after(30_000)
    assert [fact.passed for fact in driver.said(LadderStepTaken)] == [True]
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["unanswered:i1"]
    driver.after(59 * MINUTE_MS + 29_999)
    assert called(driver) == []
    driver.after(1)
    assert (called(driver), clock(driver)) == (["police"], "2026-06-03T22:00+01:00")
    assert [fact.reason for fact in driver.said(LadderStepTaken)] == ["step 1: its hours night began under plan v1"]
    driver.answer("police")
    assert [fact.key for fact in driver.said(AlarmCleared)] == ["unanswered:i1"]


def test_the_last_resort_of_the_watch_asks_for_no_hours() -> None:
    parties = {"police": replace(POLICE, hours="never"), "civic": CIVIC}
    driver = at(Driver(nightly(Step(30_000, call_party="police", hours="night"), parties=parties), "ann"), TEN)
    incident = driver.press("p6")
    driver.do(ev.LastResort(incident.id, "nobody cares"))
    assert called(driver) == ["police"]
    driver.end("police", BUSY)
    assert called(driver) == ["police"]


# ---- parties ----------------------------------------------------------------------------------------------------


def parties(**hours: str) -> dict[str, Party]:
    """Civic enforcement with the police as fallback, open in these hours."""
    return {
        "civic": replace(CIVIC, fallback="police", hours=hours.get("civic", "")),
        "police": replace(POLICE, hours=hours.get("police", "")),
    }


def test_outside_of_a_partys_hours_its_fallback_is_called() -> None:
    driver = at(Driver(nightly(Step(0, call_party="civic"), LAST, parties=parties(civic="day")), "ann"), TEN)
    driver.press("p6")
    assert called(driver) == ["civic"]
    driver = at(Driver(nightly(Step(0, call_party="civic"), LAST, parties=parties(civic="day")), "ann"), "2026-06-03T22:00")
    driver.press("p6")
    assert [(fact.party, fact.asked) for fact in driver.said(RouteTried)] == [("police", "civic")]
    assert driver.said(RouteTried)[0].reason == "step 1: unanswered 0 s under plan v1; police instead of civic"


def test_a_party_that_opens_is_called_from_the_next_round_on() -> None:
    driver = at(Driver(nightly(Step(0, call_party="civic"), parties=parties(civic="day"))), "2026-06-03T05:59:20")
    driver.press("p6")
    assert called(driver) == ["police"]
    driver.after(20_000)
    driver.gone()
    driver.after(20_000)
    assert (clock(driver), called(driver)) == ("2026-06-03T06:00+01:00", [])
    driver.after(5_000)
    assert [(fact.party, fact.cycle) for fact in driver.said(RouteTried)] == [("civic", 2)]


def test_a_last_party_outside_of_its_hours_alarms_and_is_called_as_soon_as_it_opens() -> None:
    made = nightly(Step(0, call_party="civic"), parties=parties(civic="day", police="day"))
    driver = at(Driver(made), "2026-06-03T05:00")
    driver.press("p6")
    assert [fact.key for fact in driver.said(AlarmRaised)] == ["unanswered:i1"]
    driver.after(59 * MINUTE_MS + 59_999)
    assert called(driver) == []
    assert len(driver.said(RouteAwaited)) == 59
    driver.after(1)
    assert called(driver) == ["civic"]


def test_a_step_with_tries_for_a_party_that_closes_meanwhile_does_not_go_on_for_ever() -> None:
    made = nightly(
        Step(0, call_party="civic", tries=9, ring_ms=60_000),
        LAST,
        parties={**plan().parties, "civic": replace(CIVIC, hours="day")},
    )
    driver = at(Driver(made, "ann"), "2026-06-03T21:59")
    driver.press("p6")
    driver.after(59_000)
    driver.end("civic", BUSY)
    driver.after(10_000)
    assert (called(driver), [fact.key for fact in driver.said(AlarmRaised)]) == ([], ["unreached:i1:civic"])
    driver.after(HOUR_MS)
    assert driver.said(RouteAwaited) == []


# ---- turns ------------------------------------------------------------------------------------------------------


def groups(**hours: str) -> dict[str, Group]:
    return {known: Group(known, hours=when) for known, when in hours.items()}


def test_a_caller_who_waits_across_ten_at_night_is_offered_to_the_night_shift_at_that_moment() -> None:
    made = with_queue(nightly(LAST), "none", groups=("main", "backup"))
    made = replace(made, about_groups=groups(main="day", backup="night"))
    driver = at(Driver(made, "dan"), "2026-06-03T21:58")
    driver.press("p6")
    assert (driver.rung(), turned(driver)) == (set(), [("day",)])
    driver.after(119_999)
    assert driver.rung() == set()
    driver.after(1)
    assert (driver.rung(), turned(driver)) == ({"dan"}, [("night",)])


def test_nobody_is_on_duty_from_the_moment_at_which_the_last_group_closes() -> None:
    made = nightly(Step(HOUR_MS, call_party="police", when=(When.NOBODY,)), about_groups=groups(main="day"))
    driver = at(Driver(made, "ann"), "2026-06-03T21:59")
    driver.press("p6")
    assert called(driver) == []
    driver.after(MINUTE_MS)
    assert called(driver) == ["police"]


def test_hours_are_a_deadline_only_while_somebody_waits_and_each_turn_is_journalled_once() -> None:
    driver = at(Driver(nightly(LAST), "ann"), TEN)
    assert next_deadline(driver.state) is None
    incident = driver.talk("p6", "ann")
    assert turned(driver) == []
    assert len(driver.ever(HoursTurned)) == 1
    assert next_deadline(driver.state) is None
    driver.after(24 * HOUR_MS)
    assert driver.said(HoursTurned) == []
    driver.do(ev.LegEnded(driver.leg("ann"), LOST), ev.SeatUnbound(OperatorId("ann"), "gone"))
    assert (incident.state, turned(driver)) == ("waiting", [("day",)])
    driver.after(24 * HOUR_MS)
    assert turned(driver) == [("night",), ("night", "early"), ("night",), ("day",)]


def test_a_plan_without_hours_journals_none() -> None:
    driver = at(Driver(None, "ann"), TEN)
    driver.press("p1")
    driver.after(20_000)
    assert driver.ever(HoursTurned) == []


@pytest.mark.parametrize(
    ("before", "after"), [("2026-06-03T21:00", "2026-06-03T23:00"), ("2026-06-03T07:00", "2026-06-03T05:00")]
)
def test_a_clock_that_is_set_is_a_turn_too(before: str, after: str) -> None:
    made = replace(nightly(LAST), about_groups=groups(main="night"))
    driver = at(Driver(made, "ann"), before)
    driver.press("p6")
    assert (driver.rung(), turned(driver)) == (set(), [("day",)])
    at(driver, after, anchor=2)
    assert (driver.rung(), turned(driver)) == ({"ann"}, [("night",)])


def test_after_a_restart_over_a_turn_the_first_wake_up_sees_it() -> None:
    made = replace(nightly(LAST), about_groups=groups(main="night"))
    driver = at(Driver(made, "ann"), "2026-06-03T21:59")
    driver.press("p6")
    driver.now = Instant(driver.now + 30 * MINUTE_MS * MS)
    driver.do(*reconcile(driver.state, set(driver.state.legs), set(driver.state.calls)), ev.Woken())
    assert driver.rung() == {"ann"}


def test_who_waits_under_an_old_plan_goes_by_its_hours() -> None:
    points = {**plan().points, "p7": plan().points["p6"]}
    made = replace(nightly(LAST, points=points), about_groups=groups(main="night"))
    driver = at(Driver(made, "ann"), "2026-06-03T21:00")
    driver.press("p6")
    late = {"night": Hours("night", (Span(EVERY_DAY, 23 * 60, 6 * 60),))}
    driver.do(ev.PlanLoaded(2, "v2", replace(made, hours=late), "admin"))
    driver.press("p7")
    driver.after(HOUR_MS)
    assert driver.rung() == {"ann"}
    assert [leg.call for leg in driver.state.legs.values() if leg.party == "ann"] == ["i1.1"]
    assert {fact.plan_version for fact in driver.ever(HoursTurned)} == {1, 2}


# ---- the night ladder, and the nights when clocks change --------------------------------------------------------


def two_ladders(**changes: object) -> Plan:
    """Queue `none`: by day the police after half an hour, in the night civic enforcement after ten seconds."""
    made = nightly(Step(1_800_000, call_party="police"), **changes)
    night = Ladder("by-night", (Step(10_000, call_party="civic"), Step(20_000, call_party="police")))
    made = replace(made, ladders={**made.ladders, "by-night": night})
    return with_queue(made, "none", ladders=(("night", "by-night"),))


def behind_a_gate(made: Plan) -> Plan:
    """The plan whose point p1 presses into a queue that hands to `none` at once."""
    return replace(
        made,
        ladders={**made.ladders, "gate": Ladder("gate", (Step(0, hand_to="none"),))},
        queues={**made.queues, "gate": Queue("gate", ("main",), "gate")},
        points={**made.points, "p1": replace(made.points["p1"], queue="gate")},
    )


AT_NIGHT = pytest.mark.parametrize(
    ("time", "fold", "ladder"),
    [
        ("2026-06-03T21:59", 0, "own"),
        ("2026-06-03T22:00", 0, "by-night"),
        ("2026-10-25T01:30", 0, "by-night"),
        ("2026-10-25T01:30", 1, "by-night"),
        ("2026-10-25T05:59", 0, "by-night"),
        ("2026-10-25T06:00", 0, "own"),
        ("2026-03-29T02:30", 0, "by-night"),
    ],
)


@AT_NIGHT
def test_a_press_takes_the_ladder_of_the_hour(time: str, fold: int, ladder: str) -> None:
    driver = at(Driver(two_ladders(), "ann"), time, fold)
    incident = driver.press("p6")
    assert (incident.ladder, [fact.ladder for fact in driver.said(IncidentOpened)]) == (ladder, [ladder])
    driver.after(10_000)
    assert called(driver) == (["civic"] if ladder == "by-night" else [])


def test_who_waits_across_ten_at_night_stays_on_the_ladder_of_the_press() -> None:
    driver = at(Driver(two_ladders(), "ann", "bob"), "2026-06-03T21:59:50")
    incident = driver.press("p6")
    driver.after(14_000)
    assert (called(driver), incident.ladder) == ([], "own")
    driver.answer("bob")
    driver.gone()
    driver.end("bob", LOST)
    driver.after(20_000)
    assert (incident.state, incident.ladder, called(driver)) == ("waiting", "own", [])


@AT_NIGHT
def test_a_hand_over_takes_the_ladder_of_the_hour(time: str, fold: int, ladder: str) -> None:
    driver = at(Driver(behind_a_gate(two_ladders()), "ann"), time, fold)
    incident = driver.press("p1")
    assert [fact.ladder for fact in driver.said(IncidentHandedOver)] == [ladder]
    assert (incident.queue, incident.ladder) == ("none", ladder)


def test_a_ladder_that_began_goes_on_when_its_hours_end() -> None:
    driver = at(Driver(behind_a_gate(two_ladders()), "ann"), "2026-06-03T05:59:55")
    driver.press("p1")
    driver.after(10_000)
    assert (called(driver), clock(driver)) == (["civic"], "2026-06-03T06:00+01:00")


@pytest.mark.parametrize(("fold", "minutes"), [(0, 75), (1, 15)])
def test_a_press_in_the_hour_that_comes_twice_waits_real_minutes(fold: int, minutes: int) -> None:
    """Pressed at 01:30 of the first or second pass: the step is due after 30 real minutes, the shift of 02:45 later."""
    late = {**HOURS, "late": Hours("late", (Span(EVERY_DAY, 165, 180),))}
    made = replace(nightly(Step(30 * MINUTE_MS, call_party="civic"), LAST), hours=late, about_groups=groups(backup="late"))
    made = with_queue(made, "none", groups=("main", "backup"))
    driver = at(Driver(made, "dan"), "2026-10-25T01:30", fold)
    driver.press("p6")
    driver.after(30 * MINUTE_MS - 1)
    assert called(driver) == []
    driver.after(1)
    assert called(driver) == ["civic"]
    driver.after((minutes + 30) * MINUTE_MS)
    assert "dan" in driver.rung()
    assert clock(driver) == "2026-10-25T02:45+00:00"


def test_hours_within_the_hour_that_comes_twice_open_twice() -> None:
    driver = at(Driver(nightly(LAST)), "2026-10-25T01:00")
    driver.press("p6")
    driver.after(2 * HOUR_MS)
    assert turned(driver) == [("night", "early"), ("night",), ("night", "early"), ("night",)]


def test_hours_within_the_hour_that_is_skipped_do_not_open() -> None:
    driver = at(Driver(replace(nightly(LAST), about_groups=groups(main="early")), "ann"), "2026-03-29T00:30")
    driver.press("p6")
    driver.after(3 * HOUR_MS)
    assert (driver.rung(), turned(driver)) == (set(), [])
