"""Drives the core through time, step by step, and remembers all that it said."""

from typing import TypeVar

from callserver.core import events as ev
from callserver.core.decide import handle, next_deadline
from callserver.core.effects import DialOperator, DialParty, DialPoint, Effect, EndLeg
from callserver.core.facts import Fact
from callserver.core.fold import fold
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId
from callserver.core.instant import MS, Instant
from callserver.core.state import Call, Incident, State
from callserver.core.termination import By, Class, Termination, from_status
from dialplans.model import Plan
from tests.core.plans import plan

BYE = Termination(Class.NORMAL, By.PARTY, "BYE")
LOST = Termination(Class.LOST, By.PARTY, "no reply")
CANCELLED = from_status(487, "cancelled")
BUSY = from_status(486, "busy")
GONE = from_status(480, "unreachable")

OneEffect = TypeVar("OneEffect", bound=Effect)
OneFact = TypeVar("OneFact", bound=Fact)


class Driver:
    """A core under test. `do` handles an event now; `after` lets time pass, waking the core as it asks for."""

    def __init__(self, loaded: Plan | None = None, *bound: str) -> None:
        self.state = State()
        self.now = Instant(1_000_000 * MS)
        self.journal: list[tuple[Fact, Instant]] = []
        self.effects: list[Effect] = []  # of the last step
        self.facts: list[Fact] = []
        self.pressed = 0
        self.do(ev.PlanLoaded(1, "digest", loaded or plan(), "admin"))
        for operator in bound:
            self.do(ev.SeatBound(OperatorId(operator), "sip"))

    # ---- steps ----------------------------------------------------------------------------------------------

    def do(self, *events: ev.Event) -> None:
        """Handles events at this instant; `facts` and `effects` are those of all of them."""
        self.facts, self.effects = [], []
        for event in events:
            facts, effects = handle(self.state, event, self.now)
            self.journal += [(fact, self.now) for fact in facts]
            self.facts += facts
            self.effects += effects
            assert fold(self.journal) == self.state

    def after(self, ms: int) -> None:
        """Lets time pass; `facts` and `effects` are those of all that happened on the way."""
        until = self.now + ms * MS
        facts: list[Fact] = []
        effects: list[Effect] = []
        while (deadline := next_deadline(self.state)) is not None and deadline <= until:
            self.now = max(deadline, self.now)
            self.do(ev.Woken())
            facts += self.facts
            effects += self.effects
        self.now, self.facts, self.effects = Instant(until), facts, effects

    # ---- people ---------------------------------------------------------------------------------------------

    def press(self, point: str = "p1") -> Incident:
        """A point presses; its incident."""
        self.pressed += 1
        self.do(ev.Pressed(PointId(point), f"d{self.pressed}", IncidentId(f"i{self.pressed}")))
        return self.state.incidents[self.state.open_by_point[PointId(point)]]

    def answer(self, party: str) -> LegId:
        """Whoever is dialled answers; the leg."""
        leg = self.leg(party)
        self.do(ev.LegAnswered(leg))
        return leg

    def end(self, party: str, termination: Termination = BYE) -> LegId:
        """A party's leg ends; the leg."""
        leg = self.leg(party)
        self.do(ev.LegEnded(leg, termination))
        return leg

    def gone(self, *parties: str) -> None:
        """The legs of these that were given up are over."""
        ours = Termination(Class.CANCELLED, By.US, "ended")
        ending = [leg for leg in self.state.legs.values() if leg.state == "ending" and (not parties or leg.party in parties)]
        self.do(*(ev.LegEnded(leg.id, ours) for leg in ending))

    def talk(self, point: str = "p1", operator: str = "ann") -> Incident:
        """A press that is answered; the losing legs are gone."""
        incident = self.press(point)
        self.answer(operator)
        self.gone()
        return incident

    # ---- what is there --------------------------------------------------------------------------------------

    def leg(self, party: str) -> LegId:
        """The newest live leg of somebody."""
        return [leg.id for leg in self.state.legs.values() if leg.party == party and leg.state != "ending"][-1]

    def call(self, incident: Incident) -> Call:
        """The incident's call."""
        assert incident.call is not None
        return self.state.calls[CallId(incident.call)]

    def operator(self, operator: str) -> str:
        """An operator's state."""
        return self.state.operators[OperatorId(operator)].state

    def ordered(self, kind: type[OneEffect]) -> list[OneEffect]:
        """The last step's effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def said(self, kind: type[OneFact]) -> list[OneFact]:
        """The last step's facts of one kind."""
        return [fact for fact in self.facts if isinstance(fact, kind)]

    def ever(self, kind: type[OneFact]) -> list[OneFact]:
        """All facts of one kind."""
        return [fact for fact, _ in self.journal if isinstance(fact, kind)]

    def rung(self) -> set[str]:
        """Whom the last step dialled."""
        seats = {str(order.operator) for order in self.ordered(DialOperator)}
        return seats | {str(one.party) for one in self.ordered(DialParty)} | {str(one.point) for one in self.ordered(DialPoint)}

    def hung_up(self) -> set[str]:
        """Whose legs the last step ended."""
        return {self.state.legs[order.leg].party for order in self.ordered(EndLeg)}
