"""Outside parties: the routes by which the ladder or an operator tries to reach them.

A party's routes are tried one after the other, a failed or unanswered one followed by the next at once. Routes whose trunk
is known to be lost are passed over while another route's trunk is not. After the last route: the ladder's last step
alarms, pauses `retry_ms` and begins anew, for ever; any other attempt alarms and is over.
"""

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import DialParty
from callserver.core.facts import LegCreated, RouteAwaited, RouteTried
from callserver.core.ids import PartyId, leg_id
from callserver.core.incident import WAITING, unanswered_alarm, unreached_alarm
from callserver.core.instant import later
from callserver.core.lookup import incident_of, ladder_of, plan_of, point_of
from callserver.core.state import Call, Incident, Leg, State
from dialplans.model import Party

RETRY_LEAST_MS = 1_000


def party_of(state: State, incident: Incident, party: str) -> Party | None:
    """The party under the incident's plan."""
    return plan_of(state, incident).parties.get(party)


def in_progress(call: Call) -> bool:
    """Whether a party is being dialled."""
    return any(leg.state in legs.UNANSWERED_OUTBOUND for leg in calls.live(call, legs.OUTSIDE))


def begin(d: Decision, call: Call, party: Party, reason: str) -> None:
    """Tries a party's first route, unless a route of it is being tried at this moment."""
    incident = incident_of(d.state, call)
    leg = None if incident.route_leg is None else call.legs.get(incident.route_leg)
    if leg is None or leg.party != party.id or leg.state not in legs.UNANSWERED_OUTBOUND:
        _try_from(d, call, party, 0, 1, reason)


def begin_again(d: Decision, incident: Incident) -> None:
    """The pause after a failed round is over: the next round."""
    assert incident.call is not None and incident.party is not None
    party = plan_of(d.state, incident).parties[incident.party]
    cycle = incident.cycle + 1
    _try_from(d, d.state.calls[incident.call], party, 0, cycle, f"round {cycle}: nobody answered the last one")


def failed(d: Decision, call: Call, leg: Leg, why: str, same_route: bool = False) -> None:
    """A dialled leg of a party came to nothing: the next route, unless another attempt has begun meanwhile."""
    incident = d.state.incidents.get(call.incident)
    if incident is None or incident.route_leg != leg.id:
        return
    party = plan_of(d.state, incident).parties[leg.party]
    start = incident.route if same_route else incident.route + 1
    _try_from(d, call, party, start, incident.cycle, f"route {incident.route + 1}: {why}")


def _try_from(d: Decision, call: Call, party: Party, start: int, cycle: int, reason: str) -> None:
    incident = incident_of(d.state, call)
    number = _next_route(d.state, party, start)
    if number is None:
        _exhausted(d, incident, party, reason)
        return
    route = party.routes[number]
    leg = leg_id(call.id, call.legs_made + 1)
    due = later(d.now, route.ring_timeout_ms)
    d.record(LegCreated(leg, call.id, legs.OUTSIDE, party.id, inbound=False, route=route.uri, due=due))
    d.record(RouteTried(incident.id, PartyId(party.id), number, cycle, leg, reason))
    d.order(DialParty(leg, PartyId(party.id), route, incident.point, point_of(d.state, incident).place))


def _next_route(state: State, party: Party, start: int) -> int | None:
    reachable = [number for number, route in enumerate(party.routes) if state.trunks.get(route.trunk, True)]
    usable = reachable or range(len(party.routes))
    return next((number for number in usable if number >= start), None)


def _exhausted(d: Decision, incident: Incident, party: Party, reason: str) -> None:
    ladder = ladder_of(d.state, incident)
    if incident.state == WAITING and incident.step >= len(ladder.steps):
        d.alarm(unanswered_alarm(incident), f"{party.name} cannot be reached for {incident.point}: {reason}")
        at = later(d.now, max(ladder.retry_ms, RETRY_LEAST_MS))
        d.record(RouteAwaited(incident.id, PartyId(party.id), at))
    else:
        d.alarm(unreached_alarm(incident, party.id), f"{party.name} cannot be reached for {incident.point}: {reason}")


def give_up_ringing(d: Decision, call: Call, reason: str) -> None:
    """Ends the parties' legs that are not answered."""
    for leg in list(calls.live(call, legs.OUTSIDE)):
        if leg.state in legs.UNANSWERED_OUTBOUND:
            legs.end(d, leg, reason)
