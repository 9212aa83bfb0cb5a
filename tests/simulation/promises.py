"""What is promised to callers and operators by time and in order, checked by a reading of the plan of its own (`reading`)."""

from collections.abc import Collection, Iterator, Sequence

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import LegId, call_of_leg, incident_of_call
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.state import Incident, State
from dialplans.model import Priority, When
from tests.simulation.edge import Edge
from tests.simulation.invariants import hold
from tests.simulation.reading import (
    could_ring,
    is_free,
    ladder_of,
    last_of_queues,
    may_ring,
    nobody_at_work,
    rank,
    seats_in_the_way,
)

UNOFFERED_MOST = 2 * SECOND
SLACK = 3 * SECOND
CALLING = (ev.CallOut, ev.CallGroup)
ASKED = (
    ev.MakeAvailable,
    ev.Pause,
    ev.CodeDialled,
    ev.GiveOutcome,
    ev.DigitPressed,
    ev.HangUp,
    ev.Pressed,
    ev.LegEnded,
    ev.Take,
    ev.CallOut,
    ev.CallBack,
    ev.CallGroup,
)
"""What a person does, after which a wrap-up may end before its time."""


class Promises:
    """Watches facts and state of one run."""

    def __init__(self) -> None:
        self.foot_at: dict[str, Instant] = {}  # of the ladder that is climbed, by the facts
        self.point_of: dict[str, str] = {}
        self.outcomes: dict[str, list[tuple[Instant, str]]] = {}  # by point: when and with what its incidents closed
        self.hand_overs: dict[str, int] = {}
        self.unoffered_since: dict[str, Instant] = {}
        self.nobody_since: dict[str, Instant] = {}
        self.unrung_since: dict[str, Instant] = {}  # operators whose chosen incident does not ring there
        self.unsent_since: dict[str, Instant] = {}
        self.freed_for: dict[str, str] = {}  # by operator: the emergency for whose sake a talk was parked
        self.freed_by: set[str] = set()  # emergencies for which one was parked
        self.crowded_since: dict[str, Instant] = {}
        self.parked: set[str] = set()  # by a person, and nobody is to be rung
        self.called: set[str] = set()  # incidents of points that were called and have not pressed
        self.tried: dict[str, set[str]] = {}  # by incident: the parties of this round

    def restart(self, now: Instant) -> None:
        """The switchboard was away: what must be done soon counts from its return."""
        self.unoffered_since, self.crowded_since = {}, {}
        self.nobody_since = {}
        self.unrung_since = {}
        self.unsent_since = {}

    # ---- facts ----------------------------------------------------------------------------------------------

    def take(self, event: ev.Event, facts: Sequence[f.Fact], state: State, now: Instant) -> None:
        """The facts of one decision; `state` is the one that they led to."""
        if isinstance(event, ev.Pressed):
            self._pressed(event, facts, state)
        for fact in facts:
            if isinstance(fact, f.IncidentOpened):
                self._opened(fact, event, state, now)
            elif isinstance(fact, f.OutcomeRecorded):
                self.outcomes.setdefault(self.point_of[fact.incident], []).append((now, fact.outcome))
            elif isinstance(fact, f.IncidentMoved):
                self._moved(fact, now)
            elif isinstance(fact, f.DirectionEnded):
                if fact.incident in self.parked:
                    self.foot_at[fact.incident] = now
                self.parked.discard(fact.incident)
            elif isinstance(fact, f.CallParked):
                self.parked.add(incident_of_call(fact.call))
            elif isinstance(fact, f.CallBackBegun):
                self.called.add(fact.incident)
            elif isinstance(fact, f.IncidentRejoined):
                if fact.incident in self.called:
                    self.foot_at[fact.incident] = now
                self.called.discard(fact.incident)
            elif isinstance(fact, f.IncidentHandedOver):
                self._handed_over(fact, event, state, now)
            elif isinstance(fact, f.OfferMade | f.OfferWidened):
                self._rung(fact, state, now)
            elif isinstance(fact, f.IncidentParked):
                self._parked(fact, facts, state)
            elif isinstance(fact, f.RouteTried | f.RouteAwaited):
                self._routes(fact, state)
            elif isinstance(fact, f.OperatorMoved):
                self._operator_moved(fact, event, state, now)

    def _pressed(self, event: ev.Pressed, facts: Sequence[f.Fact], state: State) -> None:
        hold(event.point in state.open_by_point, f"the press of {event.point} opened nothing")
        made = [fact for fact in facts if isinstance(fact, f.LegCreated) and fact.role == "point" and fact.inbound]
        hold(len(made) == 1, f"the press of {event.point} has no leg")

    def _routes(self, fact: f.RouteTried | f.RouteAwaited, state: State) -> None:
        """A round is over when the party's fallbacks were tried too, those that are always open."""
        tried = self.tried.setdefault(fact.incident, set())
        if isinstance(fact, f.RouteTried):
            tried.add(fact.party)
            return
        parties, party, wanted = state.plans[state.incidents[fact.incident].plan_version].parties, str(fact.party), set()
        while party and party not in wanted:
            wanted.add(party)
            party = parties[party].fallback
        incident = state.incidents[fact.incident]
        if incident.state == "waiting" and incident.step >= len(ladder_of(state, incident).steps):
            hold(f"unanswered:{incident.id}" in state.alarms, f"the last resort of {incident.id} failed and nobody is told")
        missed = {one for one in wanted if not parties[one].hours} - tried
        hold(not missed, f"a round for {fact.incident} is over and {missed} were not tried")
        tried.clear()

    def _opened(self, fact: f.IncidentOpened, event: ev.Event, state: State, now: Instant) -> None:
        self.foot_at[fact.incident] = now
        if fact.called_by:
            self.called.add(fact.incident)
        self.point_of[fact.incident] = fact.point
        point = state.plans[fact.plan_version].points[fact.point]
        button = event.button if isinstance(event, ev.Pressed) else ""
        usual = next((one.priority for one in point.buttons if one.id == button), point.priority)
        nuisance = state.plans[fact.plan_version].nuisance.get(point.nuisance)
        if nuisance is not None:
            closed = [outcome for at, outcome in self.outcomes.get(fact.point, ()) if at >= now - nuisance.within_ms * MS]
            if sum(outcome in nuisance.outcomes for outcome in closed) >= nuisance.count:
                usual = max(usual, nuisance.priority)
        usual = max(point.priority, Priority.NORMAL) if isinstance(event, CALLING) else usual  # nobody made mischief
        hold(fact.priority == usual, f"{fact.incident} has class {fact.priority}, not {usual}")

    def _moved(self, fact: f.IncidentMoved, now: Instant) -> None:
        self.foot_at.pop(fact.incident, None)
        self.hand_overs.pop(fact.incident, None)
        self.tried.pop(fact.incident, None)
        if fact.new == "waiting":
            self.foot_at[fact.incident] = now
        else:
            self.parked.discard(fact.incident)

    def _handed_over(self, fact: f.IncidentHandedOver, event: ev.Event, state: State, now: Instant) -> None:
        self.foot_at[fact.incident] = now
        self.parked.discard(fact.incident)
        if isinstance(event, ev.Pressed):  # by another button
            self.hand_overs[fact.incident] = 0
            return
        self.hand_overs[fact.incident] = self.hand_overs.get(fact.incident, 0) + 1
        queues = state.plans[state.incidents[fact.incident].plan_version].queues
        hold(self.hand_overs[fact.incident] < len(queues), f"{fact.incident} is handed round")

    def _rung(self, fact: f.OfferMade | f.OfferWidened, state: State, now: Instant) -> None:
        call = next((call for call in state.calls.values() if call.offer is not None and call.offer.id == fact.offer), None)
        if call is None:
            return
        incident = state.incidents[call.incident]
        if incident.state == "attended":
            return  # somebody comes to the police
        before = list(self._unoffered(state, incident)) if isinstance(fact, f.OfferMade) else []
        for operator in fact.operators:
            chosen = incident.chosen == operator
            hold(
                chosen or may_ring(state, incident, operator, now),
                f"{operator} is rung for {incident.id} out of turn: tier, skill or hours",
            )
            passed = [other.id for other in before if may_ring(state, other, operator, now)]
            wanted = chosen or incident.prefers == operator or self.freed_for.pop(operator, "") == incident.id
            hold(not passed or wanted, f"{operator} is rung for {incident.id} before {passed}")

    def _unoffered(self, state: State, than: Incident) -> Iterator[Incident]:
        """Who waits before this one and is offered to nobody."""
        mine = rank(state, than)
        for known in state.waiting:
            incident = state.incidents[known]
            call = None if incident.call is None else state.calls[incident.call]
            if call is not None and call.offer is None and rank(state, incident) < mine:
                yield incident

    def _parked(self, fact: f.IncidentParked, facts: Sequence[f.Fact], state: State) -> None:
        incident, by = state.incidents[fact.incident], state.incidents[fact.by]
        self.freed_for[fact.operator] = fact.by
        hold(fact.by not in self.freed_by, f"two talks were parked for {fact.by}")
        self.freed_by.add(fact.by)
        hold(incident.state == "waiting", f"{incident.id} was parked and does not wait")
        hold(incident.priority >= Priority.NORMAL, f"{incident.id} of class {incident.priority} was parked")
        hold(by.priority == Priority.EMERGENCY and not by.parked, f"{incident.id} was parked for {by.id}, no emergency")
        assert incident.call is not None
        call = state.calls[incident.call]
        outside = any(leg.role == "outside" and leg.state == "up" for leg in call.legs.values())
        hold(not outside, f"{incident.id} was parked with an outside party in it")
        dropped = {one.leg for one in facts if isinstance(one, f.LegMoved) and one.new in ("ending", "ended")}
        points = [leg for leg in call.legs.values() if leg.role == "point"]
        hold(not any(leg.inbound and leg.id in dropped for leg in points), f"{incident.id} was dropped, not parked")
        prompts = [prompt.name for prompt in call.shape.prompts]
        told = any(name == "interrupted" or name.startswith("text:") for name in prompts)  # a step may say something else at once
        hold(told or all(leg.state != "up" for leg in points), f"{incident.id} was not told of it: {prompts}")

    def _operator_moved(self, fact: f.OperatorMoved, event: ev.Event, state: State, now: Instant) -> None:
        if fact.new == "paused" and not isinstance(event, ev.Pause | ev.CodeDialled):
            last_of = last_of_queues(state, fact.operator, now)
            hold(not last_of, f"{fact.operator} was the last one of {last_of} and was paused: {fact.reason}")
        if fact.old == "wrap-up" and fact.new != "talking" and not isinstance(event, ASKED):
            self._wrap_up_ended(fact, state, now)

    def _wrap_up_ended(self, fact: f.OperatorMoved, state: State, now: Instant) -> None:
        """By itself: at its time, or for an emergency."""
        urgent = any(state.incidents[known].priority == Priority.EMERGENCY for known in state.waiting)
        ended_by_clock = "without an outcome" in fact.reason
        hold(ended_by_clock or urgent, f"{fact.operator}'s wrap-up ended early: {fact.reason}")

    # ---- time -----------------------------------------------------------------------------------------------

    def check(self, state: State, edge: Edge, now: Instant, back_since: Instant, ordered: Collection[str]) -> None:
        """Every promise. `ordered`: legs whose orders wait for the journal's disk."""
        order = [rank(state, state.incidents[known]) for known in state.waiting]
        hold(order == sorted(order), f"the order of waiting is wrong: {order}")
        outside = (*(leg for leg, dialog in edge.dialogs.items() if dialog.role == "outside"), *ordered)
        rung = {incident_of_call(call_of_leg(LegId(leg))) for leg in outside}
        for known in state.waiting:
            incident = state.incidents[known]
            self._offered(state, edge, incident, now)
            self._room(state, incident, now)
            self._last_resort(state, incident, now, back_since, known in rung)
        self._chosen(state, edge, now)
        self._notices(state, edge, now)

    def _chosen(self, state: State, edge: Edge, now: Instant) -> None:
        """Whoever picked somebody is rung for them as soon as the seat is free."""
        for operator in state.operators.values():
            incident = state.incidents.get(operator.claimed) if operator.claimed else None
            frozen = incident is not None and operator.id in state.plans[incident.plan_version].operators
            if incident is None or incident.chosen != operator.id or not frozen or not is_free(edge, operator, now):
                self.unrung_since.pop(operator.id, None)
                continue
            waits = incident.state == "waiting" or (incident.state == "attended" and incident.operator is None)
            since = self.unrung_since.setdefault(operator.id, now)
            hold(
                not waits or now - since <= UNOFFERED_MOST, f"{incident.id} was chosen by {operator.id}, whose seat does not ring"
            )

    def _offered(self, state: State, edge: Edge, incident: Incident, now: Instant) -> None:
        call = state.calls[incident.call] if incident.call else None
        unoffered = call is None or call.offer is None
        idle = unoffered and any(could_ring(state, edge, incident, one, now) for one in state.operators.values())
        since = self.unoffered_since.setdefault(incident.id, now) if idle else None
        if since is None:
            self.unoffered_since.pop(incident.id, None)
        else:
            hold(now - since <= UNOFFERED_MOST, f"{incident.id} waits without an offer while a seat is free")

    def _room(self, state: State, incident: Incident, now: Instant) -> None:
        """An emergency that nobody is rung for gets the seat of a wrap-up at once, and of a lower talk after a while, once."""
        call = state.calls[incident.call] if incident.call else None
        unoffered = call is not None and call.offer is None and incident.priority == Priority.EMERGENCY
        seats = seats_in_the_way(state, incident, now, incident.id in self.freed_by) if unoffered else []
        since = self.crowded_since.setdefault(incident.id, now) if seats else None
        if since is None:
            self.crowded_since.pop(incident.id, None)
        else:
            hold(now - since <= SLACK, f"{incident.id} is an emergency and no room is made for it: {seats}")

    def _last_resort(self, state: State, incident: Incident, now: Instant, back_since: Instant, rings: bool) -> None:
        ladder, foot = ladder_of(state, incident), self.foot_at.get(incident.id)
        hold(foot is not None, f"{incident.id} waits without a fact")
        assert foot is not None
        last = ladder.steps[-1]
        alone = When.NOBODY in last.conditions and nobody_at_work(state, incident)
        since = self.nobody_since.setdefault(incident.id, now) if alone else None
        if since is None:
            self.nobody_since.pop(incident.id, None)
        if incident.id in self.parked or incident.id in self.called:
            until = incident.only_until
            hold(until is None or now - until <= SLACK or now - back_since <= SLACK, f"{incident.id} is kept past its time")
            self.nobody_since.pop(incident.id, None)
            return
        late = now - foot > last.after_ms * MS + SLACK or (since is not None and now - max(since, foot) > SLACK)
        if late and now - back_since > SLACK:
            pause = incident.route_at is not None and incident.route_at - now <= ladder.retry_ms * MS
            hold(bool(last.call_party) and (rings or pause), f"{incident.id} waits and its last resort does not ring")

    def _notices(self, state: State, edge: Edge, now: Instant) -> None:
        for known in [known for known in self.unsent_since if known not in state.notices or known in edge.notices]:
            del self.unsent_since[known]
        for known in state.notices:
            if known not in edge.notices:
                since = self.unsent_since.setdefault(known, now)
                hold(now - since <= SLACK, f"the notice {known} is on no way")
