"""Orders that cannot be performed: each becomes something that the core knows of."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from callserver.core import effects
from callserver.core.events import ConditionCleared, ConditionRaised, Event, LegEnded, NoticeDone
from callserver.core.events_control import Bring, CallOut
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId
from callserver.core.instant import INSTANT_ZERO
from callserver.core.shape import Prompt, Shape
from callserver.core.state import Leg, State
from callserver.core.termination import Class
from callserver.runtime.perform import Performer
from callserver.runtime.seats import Seats
from callserver.sip.interface import LocalMedia
from dialplans.model import MediaSource, Notice
from tests.core.driver import Driver

LEG, CALL = LegId("i.1.1"), CallId("i.1")
LOCAL = LocalMedia("127.0.0.1", 6_000, 6_001, 1, 1, 1, 1)


@dataclass
class Edge:
    """The edge as far as a failure needs it."""

    live: set[str] = field(default_factory=set)
    ended: list[tuple[str, int]] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    broken: bool = False

    def adopt(self, dialog: str, leg: str) -> bool:
        return False

    def live_legs(self) -> set[str]:
        return self.live

    def end(self, leg: str, status: int, reason: str) -> None:
        if self.broken:
            raise AssertionError("the edge is broken too")
        self.ended.append((leg, status))

    def dial(self, leg: str, *more: object) -> None:
        self.dialled.append(leg)


@dataclass
class Sound:
    """Likewise."""

    legs: dict[str, Any] = field(default_factory=dict)
    full: bool = False
    removed: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)

    def open_leg(self, leg: str, role: str, source: str) -> LocalMedia:
        if self.full:
            raise OSError("no free port pair")
        self.roles[leg] = role
        return LOCAL

    def place(self, leg: str, language: str) -> None:
        self.placed.append(leg)

    def shape(self, call: str, shape: Shape) -> None:
        self.told.append(("shape", call))

    def codecs(self, call: str, preferred: str) -> tuple[str, ...]:
        return ("PCMA",)

    def remove(self, leg: str) -> None:
        self.removed.append(leg)

    def revive_later(self, call: str, why: str) -> None:
        self.told.append(("later", call))

    def replace_worker(self, call: str, why: str) -> None:
        self.told.append(("replace", call))


class Stage:
    """A performer and what it posts."""

    def __init__(self) -> None:
        self.edge, self.sound, self.posted, self.notified = Edge(), Sound(), list[Event](), list[effects.Notify]()
        self.seats = Seats(None, self.sound, self.posted.append, lambda seat, message: None, lambda operator: "")  # type: ignore[arg-type]
        self.performer = Performer(self.edge, self.sound, self.seats, None, State, self.posted.append, self.notified.append)  # type: ignore[arg-type]

    def endings(self) -> list[tuple[str, Class]]:
        return [(event.leg, event.termination.kind) for event in self.posted if isinstance(event, LegEnded)]


OF_LEGS = [
    effects.AdoptPress("d", LEG),
    effects.StartMedia(LEG, MediaSource.SDP),
    effects.AnswerLeg(LEG),
    effects.DialOperator(LEG, OperatorId("op1"), PointId("p1"), "Place"),
    effects.DialPoint(LEG, PointId("p1"), MediaSource.SDP),
    effects.EndLeg(LEG, "over", 480),
]


@pytest.mark.parametrize("order", OF_LEGS, ids=lambda order: type(order).__name__)
@pytest.mark.parametrize("state", ["gone", "live", "live, and the edge is broken"])
def test_a_broken_order_of_a_leg_ends_it(order: effects.Effect, state: str) -> None:
    """Its dialog is ended and tells of it; where there is none, or that breaks too, the core is told at once. Sound is freed."""
    stage = Stage()
    stage.edge.live = set() if state == "gone" else {LEG}
    stage.edge.broken = "broken" in state
    stage.performer.failed(order, "a mistake")
    assert [event.key for event in stage.posted if isinstance(event, ConditionRaised)] == ["internal:order"]
    assert stage.sound.removed == [LEG]
    if state == "live":
        assert stage.edge.ended == [(LEG, 500)] and stage.endings() == []
    else:
        assert stage.endings() == [(LEG, Class.INTERNAL)]


def test_a_broken_order_of_a_call_has_its_worker_replaced() -> None:
    """Now, or after a pause when that was what broke; a call that is over needs none."""
    stage = Stage()
    for order in (effects.ShapeCall(CALL, Shape()), effects.ReviveCall(CALL, Shape()), effects.CloseCall(CALL)):
        stage.performer.failed(order, "a mistake")
    assert stage.sound.told == [("replace", CALL), ("later", CALL)]


def test_other_broken_orders_are_alarmed() -> None:
    """They have no leg."""
    stage = Stage()
    stage.performer.failed(effects.RefusePress("d", 403, "no"), "a mistake")
    assert [type(event) for event in stage.posted] == [ConditionRaised]


def test_a_press_whose_caller_is_gone_is_told() -> None:
    """The incident goes on without that leg."""
    stage = Stage()
    stage.performer(effects.AdoptPress("d", LEG))
    assert stage.endings() == [(LEG, Class.INTERNAL)]


def test_no_port_ends_the_leg_and_alarms_until_there_is_one() -> None:
    """The next leg that has ports ends the alarm, once."""
    stage = Stage()
    dial = effects.DialPoint(LEG, PointId("p1"), MediaSource.SDP)
    stage.edge.last_contact = lambda user: ""  # type: ignore[attr-defined]
    stage.sound.full = True
    stage.performer(dial)
    assert stage.endings() == [(LEG, Class.INTERNAL)] and stage.edge.dialled == []
    stage.sound.full = False
    stage.performer(dial)
    stage.performer(dial)
    conditions = [type(event) for event in stage.posted if isinstance(event, ConditionRaised | ConditionCleared)]
    assert conditions == [ConditionRaised, ConditionCleared]


def test_whoever_only_listens_or_is_only_told_something_is_placed_too() -> None:
    """Before the shape is ordered, each once."""
    stage = Stage()
    legs = [LegId(f"i.1.{number}") for number in range(1, 5)]
    shape = Shape(legs[:2], (Prompt("hold", (legs[3],)),), ((legs[0], legs[2]), (legs[1], legs[2])))  # type: ignore[arg-type]
    stage.performer(effects.ShapeCall(CALL, shape))
    assert stage.sound.placed == legs and stage.sound.told == [("shape", CALL)]


def test_a_seat_that_is_brought_in_is_dialled_as_what_it_is() -> None:
    """The recording says who is heard on a leg by its role."""
    state = State()
    for number, role in ((1, "operator"), (2, "supervisor")):
        leg = LegId(f"i.1.{number}")
        state.legs[leg] = Leg(leg, CALL, role, "op1", False, "dialling", INSTANT_ZERO)
    stage = Stage()
    stage.performer.state = lambda: state
    for leg in state.legs:
        stage.performer(effects.DialOperator(leg, OperatorId("op1"), PointId("p1"), "Place"))
    assert stage.sound.roles == {"i.1.1": "operator", "i.1.2": "supervisor"}
    assert stage.edge.dialled == list(state.legs)


def test_a_browser_is_told_why_it_rings() -> None:
    """An offer has no reason; who is brought in learns how and by whom, and who calls a point that it is that."""
    driver = Driver(None, "ann", "bob")
    stage, rung = Stage(), list[tuple[str, str, str, bool]]()
    stage.performer.state = lambda: driver.state
    stage.seats.serves = lambda operator: True  # type: ignore[method-assign]
    stage.seats.ring = lambda operator, leg, ring, role="": rung.append(  # type: ignore[method-assign]
        (role, ring["mode"], ring["with"], ring["called_out"])
    )
    incident = driver.press()
    stage.performer(driver.ordered(effects.DialOperator)[0])
    driver.answer("ann")
    driver.gone()
    driver.do(Bring(driver.call(incident).id, OperatorId("bob"), "private", "ann"))
    stage.performer(driver.ordered(effects.DialOperator)[0])
    driver.end("bob")
    driver.do(CallOut(PointId("p3"), OperatorId("bob"), "bob", IncidentId("fresh")))
    stage.performer(driver.ordered(effects.DialOperator)[0])
    assert rung == [("operator", "", "", False), ("supervisor", "private", "ann", False), ("operator", "", "", True)]


def test_a_notice_is_passed_on_and_one_that_cannot_be_is_settled() -> None:
    """So that nobody waits for what nobody tells."""
    stage = Stage()
    order = effects.Notify("i1.n1", Notice("duty", to="duty@site.test"), IncidentId("i1"), PointId("p1"), "Place", "text")
    stage.performer(order)
    stage.performer.failed(order, "broken")
    assert stage.notified == [order]
    assert NoticeDone("i1.n1", False, "an internal error: broken") in stage.posted
