"""The matrix's tables, held to the core alone: each shape and each fault without a service, in a fraction of a second."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from callserver.core import events as ev
from callserver.core.facts import ClockAnchored
from callserver.core.ids import IncidentId, LegId, OperatorId, PartyId, PointId
from callserver.core.instant import Instant
from callserver.core.recovery import reconcile
from callserver.core.state import Call, Incident
from dialplans.model import Plan, Point
from tests.core.driver import BYE, CANCELLED, LOST, Driver
from tests.core.plans import CIVIC, POLICE, plan
from tests.loopback.matrix import AFTER, BEFORE, CALLED_BACK, CELLS, OFFERED_ANEW, PROMPTS, Ears, roles_of, tells, words

NAMES = {"p6": "point", "p1": "point", "p2": "other", "ann": "operator", "bob": "colleague"}
NAMES |= {"police": "police", "civic": "police"}
ANN, BOB = OperatorId("ann"), OperatorId("bob")


def _plan() -> Plan:
    """Two points of one queue without wrap-up: p6's hanging up is meant, p1 is called back. One party has to accept by key."""
    points = {
        "p6": Point("p6", "Station", "none", "ends"),
        "p1": Point("p1", "Gate", "none", "human"),
        "p2": Point("p2", "Car park", "none", "ends"),
    }
    return plan(points=points, parties={"police": POLICE, "civic": replace(CIVIC, accept="1")})


@dataclass
class Play:
    """A core with one call in it."""

    run: Driver = field(default_factory=lambda: Driver(_plan(), "ann"))
    incident: Incident | None = None
    point: str = "p6"

    @property
    def call(self) -> Call:
        """The call."""
        assert self.incident is not None
        return self.run.call(self.incident)

    def leg(self, role: str) -> LegId:
        """Somebody's leg."""
        names = [name for name in self.run.state.legs.values() if NAMES[name.party] == role and name.state != "ending"]
        return names[-1].id

    def talk(self, point: str = "p6") -> None:
        """The point and ann."""
        self.point, self.incident = point, self.run.talk(point)

    def with_police(self, party: str = "police") -> None:
        """And the police."""
        self.talk()
        self.run.do(ev.Escalate(self.call.id, PartyId(party), "sue"))
        self.run.answer(party)

    def with_colleague(self, mode: str) -> None:
        """And bob, brought in."""
        self.talk()
        self.run.do(ev.SeatBound(BOB, "sip"), ev.Bring(self.call.id, BOB, mode, "sue"))
        self.run.answer("bob")

    def heard(self) -> Ears:
        """Who hears whom and which prompts, of those whose line is up or hears early media."""
        call = self.call
        found: dict[str, set[str]] = {leg.id: set() for leg in call.legs.values() if leg.state in ("up", "early")}
        names = {leg.id: NAMES[leg.party] for leg in call.legs.values()}
        links = [(one, other) for one in call.shape.talk for other in call.shape.talk if one != other]
        for said, hears in (*links, *call.shape.also):
            found[hears].add(names[said])
        for prompt in call.shape.prompts:
            for leg in prompt.to:
                found[leg] |= set(prompt.name.split("+")) & set(PROMPTS)
        return {names[leg]: frozenset(voices) for leg, voices in found.items()}


def _waiting(it: Play) -> None:
    it.incident = it.run.press("p6")


def _held(it: Play) -> None:
    it.with_police()
    it.run.do(ev.Hold(it.call.id, True, "sue"))


def _police_alone(it: Play) -> None:
    it.with_police()
    it.run.do(ev.Drop(it.call.id, it.leg("operator"), "sue"))
    it.run.gone()


def _muted(it: Play) -> None:
    it.with_police()
    it.run.do(ev.Mute(it.call.id, it.leg("police"), True, "sue"))


def _group(it: Play) -> None:
    it.talk()
    it.run.do(ev.BringPoint(it.call.id, PointId("p2"), "sue"))
    it.run.answer("p2")


def _parked(it: Play) -> None:
    it.talk()
    it.run.do(ev.ParkCall(it.call.id, "sue"))
    it.run.gone()


def _calling_back(it: Play) -> None:
    it.talk("p1")
    it.run.end("p1")


def _calling_out(it: Play) -> None:
    it.run.do(ev.CallOut(PointId("p6"), ANN, "sue", IncidentId("i9")))
    it.incident = it.run.state.incidents[IncidentId("i9")]
    it.run.answer("ann")


def _transferring(it: Play) -> None:
    it.talk()
    it.run.do(ev.SeatBound(BOB, "sip"), ev.Transfer(it.call.id, "bob", "sue"))
    it.run.gone()


MAKE: dict[str, Callable[[Play], None]] = {
    "waiting": _waiting,
    "talking": Play.talk,
    "held": _held,
    "three-way": Play.with_police,
    "police alone": _police_alone,
    "private": lambda it: it.with_colleague("private"),
    "muted": _muted,
    "parked": _parked,
    "calling back": _calling_back,
    "calling out": _calling_out,
    "accepting": lambda it: it.with_police("civic"),
    "transferring": _transferring,
    "listening": lambda it: it.with_colleague("listen"),
    "whispering": lambda it: it.with_colleague("whisper"),
    "joined": lambda it: it.with_colleague("join"),
    "group": _group,
}


def _restart(it: Play) -> None:
    """Unanswered lines do not outlive the switchboard; workers do."""
    state = it.run.state
    live = {leg.id for leg in state.legs.values() if leg.inbound or leg.state in ("up", "ending")}
    it.run.do(*reconcile(state, live, {it.call.id}), ev.Woken())


def _point_hangs_up(it: Play) -> None:
    if it.run.state.legs[it.leg("point")].state == "early":
        it.run.end(it.point, CANCELLED)
    else:
        it.run.end(it.point)


def _operator_vanishes(it: Play) -> None:
    it.run.end("ann", LOST)


STRIKE: dict[str, Callable[[Play], None]] = {
    "worker killed": lambda it: it.run.do(ev.WorkerLost(it.call.id, "killed")),
    "worker hangs": lambda it: it.run.do(ev.WorkerLost(it.call.id, "hung")),
    "switchboard killed": _restart,
    "disk stalls": lambda it: it.run.do(ev.Reclassify(it.call.incident, 3, "sue")),
    "journal refuses": lambda it: it.run.do(ev.Reclassify(it.call.incident, 3, "sue")),
    "archivist dies": lambda it: it.run.do(ev.ConditionRaised("process:archivist", "it ended")),
    "clock is set": lambda it: it.run.do(ev.Noted(ClockAnchored(2, "boot", 1, Instant(1), 3_600_000))),
    "point silent": lambda it: it.run.do(ev.LineSilent(it.leg("point"), 1_000), ev.LineSounding(it.leg("point"))),
    "seat gone": _operator_vanishes,
    "point hangs up": _point_hangs_up,
    "police hang up": lambda it: it.run.do(ev.LegEnded(it.leg("police"), BYE)),
}


@pytest.mark.parametrize("shape", BEFORE)
def test_the_core_makes_each_shape_as_the_table_says(shape: str) -> None:
    it = Play()
    MAKE[shape](it)
    assert {role: voices for role, voices in it.heard().items() if voices or role in BEFORE[shape]} == BEFORE[shape]


@pytest.mark.parametrize("cell", CELLS)
def test_the_core_answers_each_fault_as_the_table_says(cell: str) -> None:
    """Who hears whom afterwards, who is rung, and the story in the facts."""
    shape, _, fault = cell.partition(" x ")
    it = Play()
    MAKE[shape](it)
    since = len(it.run.journal)
    STRIKE[fault](it)
    if fault != "switchboard killed":
        it.run.gone()
    if AFTER[shape, fault] is OFFERED_ANEW:
        it.run.answer("bob")
    if AFTER[shape, fault] is CALLED_BACK:
        it.run.answer(it.point)
    expected = AFTER[shape, fault]
    said = [{**msgspec.to_builtins(fact), "kind": type(fact).__name__} for fact, _ in it.run.journal]
    roles = roles_of(said)
    story = [part for part in expected.story if part != "ServerStarted"]  # the service's own fact
    assert tells(story, [words(fact, roles) for fact in said[since:]])
    if fault != "point silent":  # the core does not hear: its shape keeps a line that is silent
        heard = it.heard() if it.incident is not None and it.incident.call is not None else {}
        assert {role: voices for role, voices in heard.items() if voices or role in expected.ears} == expected.ears
