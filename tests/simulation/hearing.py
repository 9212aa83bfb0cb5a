"""Who must hear whom, worked out pair by pair, without the core's own way of making a shape; and that nobody waits in silence."""

from callserver.core.facts import (
    CallParked,
    DirectionEnded,
    Fact,
    IncidentChosen,
    IncidentMoved,
    IncidentRejoined,
    LadderStepTaken,
    LegAccepted,
)
from callserver.core.state import Call, Incident, Leg, State
from tests.simulation.invariants import hold

SPEAKING = ("join", "private")


class Hearing:
    """Watches shapes and the facts of live control of one run."""

    def __init__(self) -> None:
        self.accepted: set[str] = set()
        self.parked: set[str] = set()
        self.chosen: dict[str, set[str]] = {}  # by incident: who wanted it

    def take(self, facts: list[Fact], state: State) -> None:
        """The facts of one decision."""
        for fact in facts:
            if isinstance(fact, LegAccepted):
                self.accepted.add(fact.leg)
            elif isinstance(fact, CallParked):
                self.parked.add(state.calls[fact.call].incident)
            elif isinstance(fact, DirectionEnded | IncidentRejoined) or (
                isinstance(fact, IncidentMoved) and fact.new != "waiting"
            ):
                self.parked.discard(fact.incident)
            elif isinstance(fact, IncidentChosen):
                self.chosen.setdefault(fact.incident, set()).add(fact.operator)
            elif isinstance(fact, LadderStepTaken):
                hold(fact.incident not in self.parked, f"{fact.incident} is parked and climbs its ladder")
                called = fact.incident in state.incidents and state.incidents[fact.incident].called_by
                hold(not called or "erred" in fact.reason, f"{fact.incident} was called, pressed nothing and climbs a ladder")

    def check(self, state: State) -> None:
        """Every call."""
        for call in state.calls.values():
            if call.state in ("talking", "calling-back"):
                self._conversation(state, call)
            if call.state in ("waiting", "talking", "calling-back"):
                incident = state.incidents[call.incident]
                for leg in call.legs.values():
                    self._hears_something(state, incident, call, leg)
                self._parking(state, incident, call)

    def _conversation(self, state: State, call: Call) -> None:
        told = {(one, other) for one in call.shape.talk for other in call.shape.talk if one != other} | set(call.shape.also)
        people = [leg for leg in call.legs.values() if leg.state == "up" and self._is_part(state, call, leg)]
        wanted = {(one.id, other.id) for one in people for other in people if one != other and _hears(call, people, one, other)}
        hold(told == wanted, f"{call.id}: who hears whom is {sorted(told)}, not {sorted(wanted)}")
        joined = [leg for leg in people if leg.role == "supervisor" and call.modes[leg.id] in SPEAKING]
        hold(not joined or any(leg.role == "operator" for leg in people), f"{call.id} has a colleague in it and no operator")

    def _is_part(self, state: State, call: Call, leg: Leg) -> bool:
        """A party that must accept is part of the call only when the journal says that it did."""
        parties = state.plans[state.incidents[call.incident].plan_version].parties
        must = leg.role == "outside" and bool(parties[leg.party].accept)
        return not must or leg.id in self.accepted

    def _hears_something(self, state: State, incident: Incident, call: Call, leg: Leg) -> None:
        if leg.role not in ("point", "outside", "brought") or leg.state not in ("early", "up"):
            return
        if leg.role == "point" and call.state == "calling-back":
            return  # a line that is dialled anew
        by_others = leg.id in call.shape.talk or leg.id in {other for _, other in call.shape.also}
        played = any(leg.id in prompt.to for prompt in call.shape.prompts)
        muted = any(other.muted for other in call.legs.values() if other.id != leg.id)
        points = [one.id for one in call.legs.values() if one.role == "point" and one.state != "ending"]
        newest = leg.role != "point" or leg.id == points[-1]
        hold(by_others or played or muted or not newest, f"{leg.id} of {incident.id} ({call.state}) hears nothing: {call.shape}")

    def _parking(self, state: State, incident: Incident, call: Call) -> None:
        if incident.id not in self.parked or call.offer is None:
            return
        rung = set(call.offer.legs.values())
        hold(rung <= self.chosen.get(incident.id, set()), f"{incident.id} is parked, and {rung} are rung")


def _hears(call: Call, people: list[Leg], who: Leg, whom_by: Leg) -> bool:
    """Whether `who` is heard by `whom_by`."""
    if who.muted or not _speaks(call, people, who):
        return who.role == "supervisor" and not who.muted and _mode(call, who) == "whisper" and whom_by.role == "operator"
    return _speaks(call, people, whom_by) or (whom_by.role == "supervisor" and _mode(call, whom_by) in ("listen", "whisper"))


def _mode(call: Call, leg: Leg) -> str:
    return call.modes.get(leg.id, "") if leg.role == "supervisor" else ""


def _speaks(call: Call, people: list[Leg], leg: Leg) -> bool:
    """Whether a leg takes part in the talk, muted or not."""
    if leg.role == "supervisor":
        return _mode(call, leg) in SPEAKING
    asked = any(_mode(call, other) == "private" for other in people)
    waits = call.held or asked
    return not (waits and leg.role in ("point", "brought")) and not (leg.role == "point" and call.state == "calling-back")
