"""Outside parties: the routes by which the ladder or an operator tries to reach them.

A party's routes are tried one after the other, a failed or unanswered one followed by the next at once. Routes whose trunk
is known to be lost are passed over while another route's trunk is not. After the last route the party's `fallback` is
tried in the same way, and its fallback; a party outside of its hours is left out, and one without a reachable trunk comes
last. That is a round; hours that turn and trunks that are lost while somebody rings leave nobody out of it.

After a round: the ladder's last step alarms, pauses `retry_ms` and begins anew, for ever; another step with `tries` does
so until it had as many rounds; any other attempt alarms and is over. Only the newest attempt of an incident goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core import moment
from callserver.core.decision import Decision
from callserver.core.effects import DialParty
from callserver.core.facts import LegCreated, PartyGivenUp, RouteAwaited, RouteTried
from callserver.core.ids import PartyId, leg_id
from callserver.core.incident import WAITING, unanswered_alarm, unreached_alarm
from callserver.core.instant import Instant, later
from callserver.core.lookup import incident_of, ladder_of, plan_of, point_of
from callserver.core.state import Call, Incident, Leg, State
from dialplans.model import Party, Plan, Route, Step

ACCEPT_MS = 20_000
"""How long a party that answered is asked to accept, before the next route is tried."""

RETRY_LEAST_MS = 1_000
CLOSED_PAUSE_MOST_MS = 60_000
"""How long a last step pauses at most while its party and all fallbacks are outside of their hours."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Who was wanted and why: what the routes of one round have in common."""

    asked: Party
    step: int  # of the ladder; 0: a person wants it
    cycle: int
    reason: str
    by_force: bool = False


def party_of(state: State, incident: Incident, party: str) -> Party | None:
    """The party under the incident's plan."""
    return plan_of(state, incident).parties.get(party)


def chain(plan: Plan, party: Party) -> Iterator[Party]:
    """A party, its fallback, the fallback's fallback: each once."""
    seen: set[str] = set()
    known: Party | None = party
    while known is not None and known.id not in seen:
        yield known
        seen.add(known.id)
        known = plan.parties.get(known.fallback)


def in_progress(call: Call) -> bool:
    """Whether a party is being dialled."""
    return any(is_tried(leg) for leg in calls.live(call, legs.OUTSIDE))


def is_tried(leg: Leg) -> bool:
    """Whether a party's leg rings, or has not accepted what it answered."""
    return leg.state in legs.UNANSWERED_OUTBOUND or (leg.state == legs.UP and not leg.accepted)


def begin(d: Decision, call: Call, party: Party, reason: str, step: int = 0, by_force: bool = False) -> None:
    """Tries a party's first route, unless a route of it is being tried at this moment. `by_force`: whatever its hours."""
    incident = incident_of(d.state, call)
    leg = None if incident.route_leg is None else call.legs.get(incident.route_leg)
    if leg is None or leg.party != party.id or not is_tried(leg):
        _round(d, call, _Attempt(party, step, 1, reason, by_force))


def begin_again(d: Decision, incident: Incident) -> None:
    """The pause after a failed round is over: the next round."""
    assert incident.call is not None and incident.party is not None
    cycle = incident.cycle + 1
    step = len(ladder_of(d.state, incident).steps) if _for_ever(d.state, incident) else incident.route_step
    party = plan_of(d.state, incident).parties[incident.party]
    _round(d, d.state.calls[incident.call], _Attempt(party, step, cycle, f"round {cycle}: nobody answered the last one"))


def failed(d: Decision, call: Call, leg: Leg, why: str, same_route: bool = False) -> None:
    """A dialled leg of a party came to nothing: the next route, unless another attempt has begun meanwhile."""
    incident = d.state.incidents.get(call.incident)
    if incident is None or incident.route_leg != leg.id:
        return
    parties = plan_of(d.state, incident).parties
    start = incident.route if same_route else incident.route + 1
    reason = f"route {incident.route + 1}: {why}"
    attempt = _Attempt(parties[incident.asked or leg.party], incident.route_step, incident.cycle, reason)
    _try_from(d, call, attempt, parties[leg.party], start)


def lasts_ms(state: State, incident: Incident, party: Party) -> int:
    """How long one round of a party can last at most: each of its routes, and of its fallbacks', rings and is asked to accept."""
    routes = [route for known in chain(plan_of(state, incident), party) for route in known.routes]
    return sum(route.ring_timeout_ms + ACCEPT_MS for route in routes)


def give_up_ringing(d: Decision, call: Call, reason: str) -> None:
    """Ends the parties' legs that are not answered, or not accepted."""
    for leg in list(calls.live(call, legs.OUTSIDE)):
        if is_tried(leg):
            legs.end(d, leg, reason)


# ---- one round ------------------------------------------------------------------------------------------------


def _round(d: Decision, call: Call, attempt: _Attempt) -> None:
    order = _order(d, incident_of(d.state, call), attempt)
    if order:
        _try_from(d, call, _instead(attempt, order[0]), order[0], 0)
    else:
        _exhausted(d, incident_of(d.state, call), attempt)


def _order(d: Decision, incident: Incident, attempt: _Attempt) -> list[Party]:
    """Who is tried in a round, in this order."""
    all_of_them = list(chain(plan_of(d.state, incident), attempt.asked))
    found = [party for party in all_of_them if moment.is_open(d.state, incident, party.hours, d.now)]
    if attempt.by_force and not found:
        found = all_of_them
    return sorted(found, key=lambda party: not _reachable(d.state, party))


def _try_from(d: Decision, call: Call, attempt: _Attempt, party: Party, start: int) -> None:
    incident = incident_of(d.state, call)
    number = _next_route(d.state, party, start)
    if number is not None:
        _dial(d, call, attempt, party, number)
        return
    following = next(_left(d, incident, attempt, party), None)
    if following is not None:
        _try_from(d, call, _instead(attempt, following), following, 0)
    else:
        _exhausted(d, incident, attempt)


def _left(d: Decision, incident: Incident, attempt: _Attempt, party: Party) -> Iterator[Party]:
    """Who is still to be tried in the round. Who comes before this party and was closed may have opened: in the next round."""
    places = [known.id for known in chain(plan_of(d.state, incident), attempt.asked)]
    for known in _order(d, incident, attempt):
        later_on = places.index(known.id) > places.index(party.id)
        if known.routes and known.id not in incident.rung and (later_on or not known.hours or not _reachable(d.state, known)):
            yield known


def _instead(attempt: _Attempt, party: Party) -> _Attempt:
    if party.id == attempt.asked.id:
        return attempt
    return replace(attempt, reason=f"{attempt.reason}; {party.id} instead of {attempt.asked.id}")


def _dial(d: Decision, call: Call, attempt: _Attempt, party: Party, number: int) -> None:
    incident = incident_of(d.state, call)
    route = party.routes[number]
    _make_room(d, call)
    leg = leg_id(call.id, call.legs_made + 1)
    due = later(d.now, _ring_ms(d.state, incident, attempt, route))
    d.record(LegCreated(leg, call.id, legs.OUTSIDE, party.id, inbound=False, route=route.uri, due=due))
    asked = "" if attempt.asked.id == party.id else attempt.asked.id
    wanted = PartyId(party.id)
    d.record(RouteTried(incident.id, wanted, number, attempt.cycle, leg, attempt.reason, attempt.step, asked))
    d.order(DialParty(leg, wanted, route, incident.point, point_of(d.state, incident).place))


def _make_room(d: Decision, call: Call) -> None:
    """A call carries four legs: where as many ring, the party called first is given up for the one that is wanted now."""
    tried = [leg for leg in calls.live(call, legs.OUTSIDE) if is_tried(leg)]
    if tried and calls.full(call):
        legs.end(d, tried[0], "another party is called instead")


def _ring_ms(state: State, incident: Incident, attempt: _Attempt, route: Route) -> int:
    step = _step(state, incident, attempt.step)
    return step.ring_ms if step is not None and step.ring_ms else route.ring_timeout_ms


def _step(state: State, incident: Incident, number: int) -> Step | None:
    steps = ladder_of(state, incident).steps
    return steps[number - 1] if 0 < number <= len(steps) else None


def _live_routes(state: State, party: Party) -> list[int]:
    return [number for number, route in enumerate(party.routes) if state.trunks.get(route.trunk, True)]


def _reachable(state: State, party: Party) -> bool:
    return bool(_live_routes(state, party))


def _next_route(state: State, party: Party, start: int) -> int | None:
    usable = _live_routes(state, party) or range(len(party.routes))
    return next((number for number in usable if number >= start), None)


# ---- after a round --------------------------------------------------------------------------------------------


def _for_ever(state: State, incident: Incident) -> Step | None:
    """The last step of the incident's ladder, where it calls a party now."""
    steps = ladder_of(state, incident).steps
    taken = incident.state == WAITING and incident.step >= len(steps) and len(steps) not in incident.passed
    return steps[-1] if taken and steps[-1].call_party else None


def _exhausted(d: Decision, incident: Incident, attempt: _Attempt) -> None:
    text = f"{attempt.asked.name} cannot be reached for {incident.point}: {attempt.reason}"
    last, step = _for_ever(d.state, incident), _step(d.state, incident, attempt.step)
    somebody = bool(_order(d, incident, attempt))
    pause = later(d.now, max(ladder_of(d.state, incident).retry_ms, RETRY_LEAST_MS))
    if last is not None:
        d.alarm(unanswered_alarm(incident), text)
        at = pause if somebody else max(pause, _opening(d, incident, attempt))
        d.record(RouteAwaited(incident.id, PartyId(last.call_party), at))
    elif somebody and step is not None and attempt.cycle < step.tries:
        d.record(RouteAwaited(incident.id, PartyId(attempt.asked.id), pause))
    else:
        d.record(PartyGivenUp(incident.id, PartyId(attempt.asked.id), attempt.reason))
        d.alarm(unreached_alarm(incident, attempt.asked.id), text)


def _opening(d: Decision, incident: Incident, attempt: _Attempt) -> Instant:
    """When somebody of the chain may open; soon in any case."""
    parties = chain(plan_of(d.state, incident), attempt.asked)
    turns = [moment.opens_at(d.state, incident, party.hours, d.now) for party in parties]
    return min([later(d.now, CLOSED_PAUSE_MOST_MS), *(at for at in turns if at is not None)])
