"""What must hold after every step of the simulated service, checked without the core's own rules of eligibility."""

from callserver.core.facts import Fact, IncidentMoved, IncidentOpened, OutcomeRecorded, Refused
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.state import Incident, OperatorState, State
from tests.simulation.edge import Edge

UNOFFERED_MOST = 2 * SECOND
SLACK = 3 * SECOND


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
        self.waits_since: dict[str, Instant] = {}
        self.unoffered_since: dict[str, Instant] = {}
        self.nobody_since: dict[str, Instant] = {}

    def restart(self, now: Instant) -> None:
        """The switchboard was away: what must be done soon counts from its return."""
        self.unoffered_since = {}
        self.nobody_since = {}
        self.waits_since = {known: max(since, Instant(now - 600 * SECOND)) for known, since in self.waits_since.items()}

    def take(self, facts: list[Fact], now: Instant) -> None:
        """The facts of one step."""
        for fact in facts:
            if isinstance(fact, IncidentOpened):
                self.opened.add(fact.incident)
                self.waits_since[fact.incident] = now
            elif isinstance(fact, IncidentMoved):
                self.waits_since.pop(fact.incident, None)
                if fact.new == "waiting":
                    self.waits_since[fact.incident] = now
            elif isinstance(fact, OutcomeRecorded):
                self.closed.add(fact.incident)
            elif isinstance(fact, Refused) and fact.event not in ("LegRang",):
                hold("cannot become" not in fact.why, f"the core asked for an illegal move: {fact}")

    def check(self, state: State, edge: Edge, now: Instant, back_since: Instant) -> None:
        """Every invariant."""
        self._incidents(state)
        self._operators(state, edge)
        self._calls(state, edge)
        for known in state.waiting:
            incident = state.incidents[known]
            self._offered(state, edge, incident, now)
            self._last_resort(state, edge, incident, now, back_since)

    def _incidents(self, state: State) -> None:
        hold(self.opened == self.closed | set(state.incidents), "an incident is lost")
        waiting = {incident.id for incident in state.incidents.values() if incident.state == "waiting"}
        hold(sorted(waiting) == sorted(state.waiting), "the order of waiting is wrong")
        hold(set(self.waits_since) == waiting, "an incident waits without a fact")
        for incident in state.incidents.values():
            call = None if incident.call is None else state.calls[incident.call]
            if incident.state == "waiting":
                hold(call is not None and call.state == "waiting", f"{incident.id} waits without a waiting call")
            if incident.state == "attended":
                hold(call is not None and call.state in ("talking", "calling-back"), f"{incident.id} is attended by nobody")
            if incident.state == "wrap-up":
                operator = state.operators[incident.operator] if incident.operator else None
                hold(operator is not None and operator.state == "wrap-up", f"{incident.id} is wrapped up by nobody")

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

    def _calls(self, state: State, edge: Edge) -> None:
        for call in state.calls.values():
            up = [leg for leg in call.legs.values() if leg.state == "up"]
            if call.state == "talking":
                roles = {leg.role for leg in up}
                hold("point" in roles and len(roles) > 1, f"{call.id} talks with {roles}")
                hearing = {leg.id for leg in up if not (call.held and leg.role == "point")}
                hearing = hearing if len(hearing) > 1 else set()
                hold(set(call.shape.talk) == hearing, f"{call.id} does not hear each other: {call.shape}")
                hold(not call.held or "operator" in roles, f"{call.id} is on hold and nobody can end it")
                hold(not call.held or call.shape.prompts != (), f"{call.id} is on hold in silence")
            if call.state == "calling-back":
                trying = call.call_back_at is not None or any(leg.role == "point" for leg in call.legs.values())
                hold(trying and any(leg.role != "point" for leg in up), f"{call.id} calls back in vain")
            if call.offer is not None:
                hold(call.state == "waiting" and bool(call.offer.legs), f"{call.id} is offered while {call.state}")
            hold(
                call.state != "ending" or all(leg.state == "ending" for leg in call.legs.values()),
                f"{call.id} ends but a leg stays",
            )
            if call.id in edge.workers and call.state != "ending":
                hold(edge.shapes.get(call.id, call.shape) == call.shape, f"{call.id} sounds otherwise than it should")

    # ---- promises with time ---------------------------------------------------------------------------------

    def _offered(self, state: State, edge: Edge, incident: Incident, now: Instant) -> None:
        call = state.calls[incident.call] if incident.call else None
        unoffered = call is None or call.offer is None
        idle = unoffered and any(_could_ring(state, edge, incident, one, now) for one in state.operators.values())
        since = self.unoffered_since.setdefault(incident.id, now) if idle else None
        if since is None:
            self.unoffered_since.pop(incident.id, None)
        else:
            hold(now - since <= UNOFFERED_MOST, f"{incident.id} waits without an offer while a seat is free")

    def _last_resort(self, state: State, edge: Edge, incident: Incident, now: Instant, back_since: Instant) -> None:
        plan = state.plans[incident.plan_version]
        ladder = plan.ladders[plan.queues[incident.queue].ladder]
        last = ladder.steps[-1]
        on_duty = any(_on_duty(state, incident, one) for one in state.operators.values())
        if on_duty or not last.at_once_when_nobody:
            self.nobody_since.pop(incident.id, None)
        nobody = None if on_duty else self.nobody_since.setdefault(incident.id, now)
        late = now - self.waits_since[incident.id] > last.after_ms * MS + SLACK
        alone = nobody is not None and now - nobody > SLACK
        if (late or alone) and now - back_since > SLACK:
            rings = any(edge.dialogs.get(leg) for leg in edge.dialled.get(incident.id, ()))
            pause = incident.route_at is not None and incident.route_at - now <= ladder.retry_ms * MS
            hold(rings or pause, f"{incident.id} waits and its last resort does not ring")


def _groups(state: State, incident: Incident) -> set[str]:
    plan = state.plans[incident.plan_version]
    queue = plan.queues[incident.queue]
    return set(queue.groups) | {step.ring_group for step in plan.ladders[queue.ladder].steps[: incident.step]}


def _in_plan(state: State, incident: Incident, operator: OperatorState, groups: set[str]) -> bool:
    frozen, present = state.plans[incident.plan_version], state.plans[state.plan_version]
    known = frozen.operators.get(operator.id)
    return known is not None and operator.id in present.operators and bool(groups & set(known.groups))


def _could_ring(state: State, edge: Edge, incident: Incident, operator: OperatorState, now: Instant) -> bool:
    return (
        operator.reachable
        and operator.state == "available"
        and (operator.refuses_until is None or operator.refuses_until <= now)
        and not any(leg.party == operator.id for leg in edge.dialogs.values())
        and _in_plan(state, incident, operator, _groups(state, incident))
    )


def _on_duty(state: State, incident: Incident, operator: OperatorState) -> bool:
    groups = set(state.plans[incident.plan_version].queues[incident.queue].groups)
    return operator.reachable and operator.state not in ("off", "paused") and _in_plan(state, incident, operator, groups)
