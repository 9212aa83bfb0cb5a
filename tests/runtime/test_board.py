"""The board: the same items whether made whole or changed fact by fact, and nothing dearer for a longer queue."""

import random
from dataclasses import replace

import pytest

from callserver.core import events as ev
from callserver.core.facts import Fact
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PartyId, PointId
from callserver.feed import Item
from callserver.runtime.board import Board, touched
from callserver.runtime.clock import Anchor
from dialplans.model import Camera, Control, PointGroup, Priority, Step, When
from tests.core.driver import BYE, LOST, Driver
from tests.core.plans import plan

ANCHOR = Anchor(1, "boot", 0, 1_700_000_000_000_000_000, 0)


class Screen:
    """What a page has after the snapshot and every change."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.board = Board(lambda: ANCHOR, 0)
        self.items: dict[str, Item] = self.board.whole(driver.state)

    def take(self, facts: list[Fact]) -> dict[str, Item | None]:
        changes = self.board.changes(self.driver.state, facts)
        for key, item in changes.items():
            if item is None:
                self.items.pop(key, None)
            else:
                self.items[key] = item
        return changes


def test_a_press_shows_at_once_and_a_closed_incident_goes() -> None:
    """With place, class, who is rung; the point shows its open incident."""
    driver = Driver(None, "ann")
    screen = Screen(driver)
    incident = driver.press()
    screen.take(driver.facts)
    shown = screen.items[f"incident/{incident.id}"]
    assert (shown["state"], shown["class"], shown["call"]) == ("waiting", "emergency", "i1.1")
    assert screen.items["call/i1.1"]["offer"]["operators"] == ["ann"]
    assert screen.items["point/p1"]["incident"] == incident.id
    driver.answer("ann")
    screen.take(driver.facts)
    assert screen.items["operator/ann"]["incident"] == incident.id
    for step in (ev.HangUp(CallId("i1.1"), "ann"), ev.GiveOutcome(incident.id, "done", "ann")):
        driver.do(step)
        screen.take(driver.facts)
    driver.gone()
    screen.take(driver.facts)
    assert not [key for key in screen.items if key.startswith(("incident/", "call/"))]
    assert screen.items["point/p1"]["incident"] == ""


def test_a_point_says_whether_the_plan_expects_it_to_register() -> None:
    """By its profile: what was never heard of is a fault at one and none at another."""
    silent = replace(plan().profiles["ends"], expects_register=False)
    items = Screen(Driver(replace(plan(), profiles={**plan().profiles, "ends": silent}))).items
    said = {id: items[f"point/{id}"]["expects_register"] for id in ("p1", "p2", "p5")}
    assert said == {"p1": True, "p2": False, "p5": False}
    assert items["point/p2"]["reachable"] is None


def test_an_alarm_has_its_time_and_goes_when_it_is_cleared() -> None:
    """And it is the only thing that changed."""
    driver = Driver()
    screen = Screen(driver)
    driver.do(ev.ConditionRaised("disk:data", "the disk of data is full"))
    assert list(screen.take(driver.facts)) == ["alarm/disk:data"]
    assert screen.items["alarm/disk:data"]["raised_ms"] is not None
    driver.do(ev.ConditionCleared("disk:data"))
    assert screen.take(driver.facts) == {"alarm/disk:data": None}


def test_another_plan_takes_away_what_it_does_not_have_but_nobody_who_talks() -> None:
    """A point and an operator that are gone go from the screens; one in a conversation stays to its end."""
    driver = Driver(None, "ann", "bob")
    screen = Screen(driver)
    driver.press()
    driver.answer("ann")
    screen.take(driver.facts)
    smaller = replace(
        plan(),
        points={id: point for id, point in plan().points.items() if id != "p6"},
        operators={id: one for id, one in plan().operators.items() if id not in ("ann", "cat")},
    )
    driver.do(ev.PlanLoaded(driver.state.plan_version + 1, "other", smaller, "test"))
    screen.take(driver.facts)
    assert screen.items == Board(lambda: ANCHOR, 0).whole(driver.state)
    assert "point/p6" not in screen.items and "operator/cat" not in screen.items
    assert (screen.items["operator/ann"]["name"], screen.items["operator/ann"]["state"]) == ("Ann", "talking")


@pytest.mark.parametrize("seed", range(6))
def test_changes_lead_to_what_a_snapshot_shows(seed: int) -> None:
    """After every step of a random history."""
    chance = random.Random(seed)
    driver = Driver(None, "ann", "bob")
    screen = Screen(driver)
    for _ in range(60):
        _step(driver, chance)
        screen.take(driver.facts)
        driver.after(chance.choice((0, 200, 5_000, 40_000)))
        screen.take(driver.facts)
        assert screen.items == screen.board.whole(driver.state), f"seed {seed}"


def _step(driver: Driver, chance: random.Random) -> None:
    legs = [leg for leg in driver.state.legs.values() if leg.state != "ending"]
    dialled = [leg for leg in legs if leg.state in ("dialling", "ringing")]
    calls = list(driver.state.calls)
    wish = chance.randrange(10)
    if wish == 0 and legs:
        driver.do(ev.LegEnded(chance.choice(legs).id, chance.choice((BYE, LOST))))
    elif wish in (1, 2) and dialled:
        driver.do(ev.LegAnswered(chance.choice(dialled).id))
    elif wish == 3:
        driver.gone()
    elif wish == 4 and calls:
        driver.do(ev.Hold(chance.choice(calls), chance.random() < 0.5, "ann"))
    elif wish == 5 and calls:
        driver.do(ev.Escalate(chance.choice(calls), PartyId("police"), "ann"))
    elif wish == 6:
        operator = OperatorId(chance.choice(("ann", "bob")))
        driver.do(chance.choice((ev.SeatUnbound(operator, "gone"), ev.SeatBound(operator, "browser", "browser"))))
    elif wish == 7 and chance.random() < 0.3:
        driver.do(ev.PointReached(PointId(f"p{chance.randint(1, 3)}")))
    elif wish in (8, 9) and calls:
        driver.do(_control(driver, chance, chance.choice(calls)))
    else:
        driver.press(f"p{chance.randint(1, 3)}")


def _control(driver: Driver, chance: random.Random, call: CallId) -> ev.Event:
    """Something that a person may ask of a live call, whether it fits or not."""
    leg = chance.choice(list(driver.state.calls[call].legs) or [LegId(f"{call}.1")])
    who = OperatorId(chance.choice(("ann", "bob")))
    return chance.choice(
        (
            ev.Mute(call, leg, chance.random() < 0.7, "ann"),
            ev.Drop(call, leg, "ann"),
            ev.Bring(call, who, chance.choice(("listen", "whisper", "join", "private")), "ann"),
            ev.SetMode(call, leg, chance.choice(("private", "join", "listen")), "ann"),
            ev.TakeOver(call, who, "ann"),
            ev.Transfer(call, chance.choice(("bob", "backup")), "ann"),
            ev.ParkCall(call, "ann"),
            ev.Take(driver.state.calls[call].incident, who, "ann"),
            ev.CallOut(PointId(f"p{chance.randint(1, 6)}"), who, "ann", IncidentId(f"o{driver.now}")),
            ev.Renew(call, "ann"),
        )
    )


def test_who_was_brought_in_shows_with_name_and_part_and_who_is_muted() -> None:
    """A colleague to be asked, the caller muted; and nobody's item says more than the call's own."""
    driver = Driver(None, "ann", "bob")
    screen = Screen(driver)
    incident = driver.talk()
    call = driver.call(incident)
    driver.do(ev.Bring(call.id, OperatorId("bob"), "private", "ann"))
    screen.take(driver.facts)
    shown = {leg["party"]: leg for leg in screen.items[f"call/{call.id}"]["legs"]}["bob"]
    assert (shown["role"], shown["name"], shown["mode"], shown["state"]) == ("supervisor", "Bob", "private", "dialling")
    driver.answer("bob")
    screen.take(driver.facts)
    driver.do(ev.SetMode(call.id, driver.leg("bob"), "join", "ann"), ev.Mute(call.id, driver.leg("p1"), True, "ann"))
    screen.take(driver.facts)
    shown = {leg["party"]: leg for leg in screen.items[f"call/{call.id}"]["legs"]}
    assert [(shown[who]["mode"], shown[who]["muted"]) for who in ("p1", "ann", "bob")] == [
        ("", True),
        ("", False),
        ("join", False),
    ]
    driver.do(ev.TakeOver(call.id, OperatorId("bob"), "ann"))
    screen.take(driver.facts)
    assert screen.items[f"call/{call.id}"]["operator"] == "bob"
    assert screen.items == Board(lambda: ANCHOR, 0).whole(driver.state)


def test_a_parked_call_shows_when_it_is_recalled_and_a_transferred_one_for_whom_it_is() -> None:
    driver = Driver(None, "ann", "bob")
    screen = Screen(driver)
    incident = driver.talk()
    driver.do(ev.ParkCall(driver.call(incident).id, "ann"))
    screen.take(driver.facts)
    shown = screen.items[f"incident/{incident.id}"]
    recall_ms = ANCHOR.utc_of(driver.now) // 1_000_000 + driver.state.plans[1].queues[incident.queue].park_recall_ms
    assert (shown["parked"], shown["by_hand"], shown["only"], shown["recall_ms"]) == (True, True, "", recall_ms)
    driver.gone()
    driver.do(ev.Take(incident.id, OperatorId("ann"), "ann"))
    driver.answer("ann")
    screen.take(driver.facts)
    driver.do(ev.Transfer(driver.call(incident).id, "bob", "ann"))
    screen.take(driver.facts)
    shown = screen.items[f"incident/{incident.id}"]
    assert (shown["by_hand"], shown["only"]) == (False, "Bob") and shown["recall_ms"] is not None


def test_a_device_that_will_soon_end_the_call_shows_when() -> None:
    made = plan()
    limited = {id: replace(profile, talk_limit_ms=300_000) for id, profile in made.profiles.items()}
    driver = Driver(replace(made, profiles=limited), "ann")
    incident = driver.talk()
    screen = Screen(driver)
    ends_ms = ANCHOR.utc_of(driver.now) // 1_000_000 + 300_000
    driver.after(239_000)
    screen.take(driver.facts)
    key = f"call/{driver.call(incident).id}"
    assert [leg["limit_ms"] for leg in screen.items[key]["legs"]] == [None, None]
    driver.after(2_000)
    screen.take(driver.facts)
    assert [leg["limit_ms"] for leg in screen.items[key]["legs"]] == [ends_ms, None]


def test_a_change_touches_few_items_however_long_the_queue_is() -> None:
    """Two hundred wait; one more hang-up names its own incident, call, point, nobody else's."""
    driver = Driver()
    for number in range(6):
        driver.press(f"p{number % 6 + 1}")
    driver.end("p1")
    keys = {key for fact in driver.facts for key in touched(fact)}
    assert keys and all("i1" in key or key.startswith(("operator/", "alarm/")) for key in keys), keys


def test_an_incident_shows_its_cameras_its_order_and_whether_its_ladder_can_be_asked() -> None:
    """Once asked it cannot be asked again while it waits; besides a conversation it calls whom its steps call."""
    steps = (Step(5_000, ring_group="backup", when=(When.ASKED,)), Step(60_000, call_party="police"))
    short = replace(plan().ladders["short"], steps=(Step(60_000, call_party="police", when=(When.ASKED,)),))
    made = replace(
        plan(),
        ladders={"short": short, "ladder": replace(plan().ladders["ladder"], steps=steps)},
        points={**plan().points, "p1": replace(plan().points["p1"], cameras=("gate",), priority=Priority.NORMAL)},
        cameras={"gate": Camera("gate", "Gate, inside", "https://cameras.test/gate")},
        pauses={"meal": "Meal"},
    )
    driver = Driver(made, "ann", "bob")
    screen = Screen(driver)
    incident = driver.press()
    screen.take(driver.facts)
    shown = screen.items[f"incident/{incident.id}"]
    assert shown["cameras"] == [{"name": "Gate, inside", "url": "https://cameras.test/gate"}]
    assert shown["order_ms"] - shown["waiting_since_ms"] == 2 * made.ageing_ms
    assert (shown["can_ask"], shown["parked"], shown["steps"]) == (True, False, 2)
    driver.do(ev.ClimbLadder(incident.id, "ann"))
    screen.take(driver.facts)
    assert screen.items[f"incident/{incident.id}"]["can_ask"] is False
    driver.answer("ann")
    screen.take(driver.facts)
    assert screen.items[f"incident/{incident.id}"]["can_ask"] is False, (
        "its step rings a group, and nobody is rung besides a talk"
    )
    driver.gone()
    other = driver.press("p3")
    driver.answer("bob")
    screen.take(driver.facts)
    assert (other.state, screen.items[f"incident/{other.id}"]["can_ask"]) == ("attended", True)
    assert screen.items["service"]["pauses"] == [{"id": "meal", "name": "Meal"}]


def test_a_pause_is_shown_with_its_reason_in_the_plans_words() -> None:
    driver = Driver(replace(plan(), pauses={"meal": "Meal"}), "ann")
    screen = Screen(driver)
    driver.do(ev.Pause(OperatorId("ann"), "meal", "ann"))
    screen.take(driver.facts)
    assert (screen.items["operator/ann"]["state"], screen.items["operator/ann"]["reason"]) == ("paused", "Meal")
    driver.do(ev.MakeAvailable(OperatorId("ann"), "ann"))
    screen.take(driver.facts)
    assert screen.items["operator/ann"]["reason"] == ""


def test_a_call_shows_what_its_devices_can_be_told_who_was_brought_in_and_who_did_not_come() -> None:
    made = plan()
    profiles = {**made.profiles, "human": replace(made.profiles["human"], controls={"beacon": Control("beacon", "Beacon", "*7")})}
    groups = {"square": PointGroup("square", "Square", ("p1", "p2", "p3"))}
    driver = Driver(replace(made, profiles=profiles, point_groups=groups), "ann")
    screen = Screen(driver)
    assert screen.items["service"]["point_groups"] == [{"id": "square", "name": "Square", "points": ["p1", "p2", "p3"]}]
    for step in (
        lambda: driver.do(ev.CallGroup("square", OperatorId("ann"), "ann", IncidentId("i9"))),
        lambda: driver.answer("ann"),
        lambda: driver.answer("p1"),
        lambda: driver.answer("p2"),
        lambda: driver.end("p3", LOST),
        lambda: driver.do(ev.SendControl(CallId("i9.1"), "beacon", "ann")),
    ):
        step()
        screen.take(driver.facts)
    shown = screen.items["call/i9.1"]
    told = {leg["party"]: (leg["role"], leg["name"], leg["controls"], leg["sending"]) for leg in shown["legs"]}
    assert told["p1"] == ("point", "North gate", [{"id": "beacon", "name": "Beacon"}], True)
    assert told["p2"] == ("brought", "South gate", [], False)
    assert shown["missed"] == [{"point": "p3", "place": "Car park"}]
    assert screen.items["incident/i9"]["group"] == "Square"
