"""What must hold after every step of the simulated service, whatever the time; `promises` has what is promised by time."""

from callserver.core.facts import Fact, IncidentMoved, IncidentOpened, OutcomeRecorded, Refused
from callserver.core.instant import SECOND, Instant
from callserver.core.state import State
from tests.simulation.edge import Edge

LEGS_MOST = 4
MINUTE = 60 * SECOND
HAVING = {"operator", "outside"}
"""The roles of those who can have a call."""


class Broken(AssertionError):
    """An invariant does not hold."""


def hold(condition: bool, text: str) -> None:
    """Raises `Broken` with the text unless the condition holds."""
    if not condition:
        raise Broken(text)


class Invariants:
    """Watches facts and state of one run."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.closed: set[str] = set()

    def take(self, facts: list[Fact], now: Instant) -> None:
        """The facts of one step."""
        for fact in facts:
            if isinstance(fact, IncidentOpened):
                self.opened.add(fact.incident)
            elif isinstance(fact, OutcomeRecorded):
                self.closed.add(fact.incident)
            elif isinstance(fact, IncidentMoved):
                hold(fact.new != "closed" or fact.incident in self.closed, f"{fact.incident} was closed by nobody")
            elif isinstance(fact, Refused) and fact.event not in ("LegRang",):
                hold("cannot become" not in fact.why, f"the core asked for an illegal move: {fact}")

    def check(self, state: State, edge: Edge, now: Instant, lagging: bool) -> None:
        """Every invariant. `lagging`: orders wait for the journal's disk, so the edge is behind."""
        self._incidents(state)
        self._list(state, now)
        self._operators(state, edge)
        self._calls(state, edge, lagging)
        doubted = {key.partition(":")[2] for key in state.alarms if key.startswith("recorded:")}
        hold(doubted <= set(state.legs), "an alarm tells of the recording of a leg that is over")

    def _incidents(self, state: State) -> None:
        hold(self.opened == self.closed | set(state.incidents), "an incident is lost")
        waiting = {incident.id for incident in state.incidents.values() if incident.state == "waiting"}
        hold(sorted(waiting) == sorted(state.waiting), "the order of waiting is wrong")
        for incident in state.incidents.values():
            call = None if incident.call is None else state.calls[incident.call]
            if incident.state == "waiting":
                hold(call is not None and call.state == "waiting", f"{incident.id} waits without a waiting call")
            if incident.state == "attended":
                hold(call is not None and call.state in ("talking", "calling-back"), f"{incident.id} is attended by nobody")
            if incident.state == "wrap-up":
                operator = state.operators[incident.operator] if incident.operator else None
                hold(operator is not None and operator.state == "wrap-up", f"{incident.id} is wrapped up by nobody")

    def _list(self, state: State, now: Instant) -> None:
        """An open incident that nobody talks in has an owner who is there, or is the room's with an alarm."""
        for incident in state.incidents.values():
            call = None if incident.call is None else state.calls[incident.call]
            there = call is not None and any(leg.role == "point" and leg.state != "ending" for leg in call.legs.values())
            alone = incident.state == "unreviewed" or (incident.state == "waiting" and not there and not incident.called_by)
            hold(bool(incident.listed) or not alone, f"{incident.id} is with nobody, and not on the call-back list")
            hold(not incident.listed or call is None or call.state != "talking", f"{incident.id} is listed while they talk")
            mine = state.owned.get(incident.owner or "", set())
            hold((incident.id in mine) == bool(incident.listed), f"{incident.id} is in the wrong list")
            owner = None if incident.owner is None else state.operators.get(incident.owner)
            if not incident.listed or incident.operator is not None:
                continue
            if owner is None:
                hold(incident.owner is None, f"{incident.owner} owns {incident.id} and is gone")
                hold(f"unowned:{incident.id}" in state.alarms, f"{incident.id} is nobody's and nobody is told")
            else:
                away = owner.away_since is not None and now - owner.away_since >= MINUTE
                hold(owner.state != "paused" and not away, f"{owner.id} owns {incident.id} and is {owner.state}")

    def _operators(self, state: State, edge: Edge) -> None:
        ringing = [operator for call in state.calls.values() if call.offer for operator in call.offer.legs.values()]
        hold(len(ringing) == len(set(ringing)), "an operator is in two offers")
        for operator in state.operators.values():
            mine = [leg for leg in edge.dialogs.values() if leg.party == operator.id]
            hold(sum(leg.up for leg in mine) <= 1, f"{operator.id} is in two calls")
            hold(
                (operator.state == "offered") == (operator.id in ringing), f"{operator.id} is {operator.state}, offers: {ringing}"
            )
            if operator.state == "talking":
                hold(bool(operator.legs) and operator.call in state.calls, f"{operator.id} talks to nobody")
            if operator.state == "wrap-up":
                incident = state.incidents.get(operator.incident) if operator.incident else None
                hold(incident is not None and incident.state == "wrap-up", f"{operator.id} wraps up nothing")

    def _calls(self, state: State, edge: Edge, lagging: bool) -> None:
        for call in state.calls.values():
            up = [leg for leg in call.legs.values() if leg.state == "up" and leg.accepted]
            if call.state == "talking":
                roles = {leg.role for leg in up}
                hold("point" in roles and bool(roles & HAVING), f"{call.id} talks with {roles}")
                hold(not call.held or "operator" in roles, f"{call.id} is on hold and nobody can end it")
                hold(not call.held or call.shape.prompts != (), f"{call.id} is on hold in silence")
            if call.state == "calling-back":
                trying = call.call_back_at is not None or any(leg.role == "point" for leg in call.legs.values())
                hold(trying and any(leg.role in HAVING for leg in up), f"{call.id} calls back in vain")
            named = [leg for leg in call.legs.values() if leg.state != "ending" and leg.role != "point"]
            carried = 1 + min(1, sum(leg.role == "operator" for leg in named)) + sum(leg.role != "operator" for leg in named)
            hold(carried <= LEGS_MOST, f"{call.id} has {carried} legs, the point's place among them")
            if call.offer is not None:
                alone = call.state in ("talking", "calling-back") and not any(leg.role == "operator" for leg in up)
                hold((call.state == "waiting" or alone) and bool(call.offer.legs), f"{call.id} is offered while {call.state}")
            hold(
                call.state != "ending" or all(leg.state == "ending" for leg in call.legs.values()),
                f"{call.id} ends but a leg stays",
            )
            if call.id in edge.workers and call.state != "ending" and not lagging:
                hold(edge.shapes.get(call.id, call.shape) == call.shape, f"{call.id} sounds otherwise than it should")
