"""Any ladder that can be written: it never spins, takes its steps in order, and its last resort is never silent."""

import datetime
import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from callserver.core import events as ev
from callserver.core import leg as legs
from callserver.core.decide import next_deadline
from callserver.core.facts import ClockAnchored, LadderStepTaken
from callserver.core.ids import OperatorId
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.state import Incident
from dialplans.hours import is_open
from dialplans.model import DIGITS, Group, Hours, Ladder, Notice, Party, Plan, Point, Queue, Route, Span, Step, When
from tests.core.driver import BUSY, BYE, GONE, LOST, Driver
from tests.core.plans import operators, plan

QUEUES = ("red", "blue", "green")
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
WAKES_MOST = 40  # at one instant
START_UTC_NS = int(datetime.datetime(2026, 10, 24, 23, 50, tzinfo=datetime.UTC).timestamp()) * SECOND  # clocks go back soon

HOURS_IDS = st.sampled_from(["", "", "first", "second", "never"])
CONDITIONS = st.lists(st.sampled_from([*When, f"{DIGITS}55"]), max_size=2).map(tuple)
AFTER_MS = st.sampled_from([0, 0, 5_000, 20_000, 300_000])
MINUTES = st.one_of(st.integers(49, 60), st.integers(0, 1_439))  # it begins at ten to one

ACTIONS = st.one_of(
    st.just({}),
    st.just({"ring_group": "backup"}),
    st.just({"ring_group": "backup", "ring_ms": 3_000}),
    st.sampled_from(["police", "civic"]).map(lambda party: {"call_party": party}),
    st.sampled_from(QUEUES).map(lambda queue: {"hand_to": queue}),
)
EXTRAS = st.fixed_dictionaries(
    {
        "say": st.sampled_from(["", "soon"]),
        "notify": st.sampled_from([(), ("city",)]),
        "tries": st.sampled_from([1, 3]),
        "hours": HOURS_IDS,
        "when": CONDITIONS,
    }
)
STEPS = st.builds(lambda after_ms, action, extras: Step(after_ms, **action, **extras), AFTER_MS, ACTIONS, EXTRAS)
LAST_STEPS = st.builds(
    lambda after_ms, action, hours: Step(after_ms, **action, hours=hours),
    AFTER_MS,
    st.sampled_from([{"call_party": "police"}, {"call_party": "civic"}, *({"hand_to": queue} for queue in QUEUES)]),
    HOURS_IDS,
)


def in_time_order(steps: list[Step], last: Step) -> tuple[Step, ...]:
    ordered = sorted(steps, key=lambda step: step.after_ms)
    return (*ordered, replace(last, after_ms=max(one.after_ms for one in [last, *ordered])))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Three queues with drawn ladders, by day and by night; two parties with hours and fallbacks."""
    ladders = {
        name: Ladder(name, in_time_order(draw(st.lists(STEPS, max_size=3)), draw(LAST_STEPS)), draw(st.sampled_from([0, 4_000])))
        for name in (*QUEUES, "night")
    }
    queues = {
        name: Queue(name, ("main",), name, most_waiting=1, ladders=draw(st.sampled_from([(), (("first", "night"),)])))
        for name in QUEUES
    }
    routes = tuple(Route(f"sip:{trunk}", trunk, 6_000) for trunk in ("trunk-a", "trunk-b"))
    hours = {name: Hours(name, (Span(EVERY_DAY, draw(MINUTES), draw(MINUTES)),)) for name in ("first", "second")}
    fallbacks = st.sampled_from(["", "police", "civic"])
    return plan(
        operators=operators("ann") | operators("dan", group="backup"),
        about_groups={"main": Group("main", hours=draw(HOURS_IDS))},
        queues=queues,
        ladders=ladders,
        hours={**hours, "never": Hours("never", ())},
        notices={"city": Notice("city", url="https://city.example/")},
        parties={
            "police": Party("police", "Police", routes, draw(HOURS_IDS), draw(fallbacks)),
            "civic": Party("civic", "Civic", routes[:1], draw(HOURS_IDS), draw(fallbacks)),
        },
        points={f"p{n}": Point(f"p{n}", "Gate", queue, "human") for n, queue in enumerate(QUEUES)},
    )


def wake(driver: Driver, ms: int) -> None:
    """Lets time pass, and fails when the core asks to be woken at one instant again and again."""
    until, wakes = driver.now + ms * MS, 0
    while (deadline := next_deadline(driver.state)) is not None and deadline <= until:
        wakes = wakes + 1 if deadline <= driver.now else 0
        assert wakes < WAKES_MOST, f"woken {wakes} times at one instant: {driver.facts}"
        driver.now = max(deadline, driver.now)
        driver.do(ev.Woken())
    driver.now = Instant(until)


def act(driver: Driver, which: int) -> None:
    """One of the things that happen to an estate."""
    live = [leg for leg in driver.state.legs.values() if leg.role != legs.POINT and leg.state in ("dialling", "ringing")]
    if which <= 2:
        driver.press(f"p{which}")
    elif which == 3 and live:
        driver.do(ev.LegEnded(live[-1].id, BUSY))
    elif which == 4 and live:
        driver.do(ev.LegEnded(live[0].id, GONE))
    elif which == 5 and live:
        driver.do(ev.LegAnswered(live[-1].id))
    elif which == 6:
        driver.do(ev.Pause(OperatorId("ann"), "", "ann"), ev.SeatUnbound(OperatorId("dan"), "gone"))
    elif which == 7:
        driver.do(ev.MakeAvailable(OperatorId("ann"), "ann"), ev.SeatBound(OperatorId("dan"), "sip"))
    elif which == 8:
        talking = [leg for leg in driver.state.legs.values() if leg.role == legs.OPERATOR and leg.state == "up"]
        driver.do(*(ev.LegEnded(leg.id, LOST if leg.party == "ann" else BYE) for leg in talking))
    elif which == 9:
        driver.do(ev.TrunkLost("trunk-a", "no reply"), ev.ConditionRaised("disk:data", "full"))
    elif which == 10:
        driver.do(*(ev.ClimbLadder(incident, "sue") for incident in list(driver.state.incidents)))
    elif which == 11:
        driver.do(*(ev.LastResort(incident, "the watch") for incident in list(driver.state.waiting)))
    else:
        driver.gone()


def check(driver: Driver) -> None:
    """What holds between two events."""
    for known in driver.state.waiting:
        last_resort_rings(driver, driver.state.incidents[known])


def last_resort_rings(driver: Driver, incident: Incident) -> None:
    """At the end of a ladder that ends with a party and was not passed over, somebody rings or a round is awaited."""
    made = driver.state.plans[incident.plan_version]
    steps = made.ladders[incident.ladder or made.queues[incident.queue].ladder].steps
    assert incident.step <= len(steps)
    utc_ns = driver.now + driver.state.utc_offset_ns
    assert len(steps) not in incident.passed or not is_open(made, steps[-1].hours, utc_ns), incident
    if incident.step == len(steps) and steps[-1].call_party and len(steps) not in incident.passed:
        rings = any(
            leg.role == legs.OUTSIDE and leg.state in legs.UNANSWERED_OUTBOUND for leg in driver.call(incident).legs.values()
        )
        assert rings or (incident.route_at is not None and incident.route_at > driver.now), incident


@settings(max_examples=150, deadline=None)
@given(plans(), st.lists(st.tuples(st.integers(0, 12), st.sampled_from([0, 1_000, 7_000, 31_000, 150_000])), max_size=14))
def test_no_ladder_spins_or_falls_silent(made: Plan, happenings: list[tuple[int, int]]) -> None:
    driver = Driver(made, "ann")
    driver.do(ev.Noted(ClockAnchored(1, "boot", START_UTC_NS, driver.now, 0)))
    driver.press("p0")
    check(driver)
    for which, ms in happenings:
        act(driver, which)
        check(driver)
        wake(driver, ms)
        check(driver)
    taken = [fact for fact in driver.ever(LadderStepTaken) if fact.incident == "i1"]
    assert all(later.step in (1, earlier.step, earlier.step + 1) for earlier, later in itertools.pairwise(taken))
