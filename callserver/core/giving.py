"""Conversations given away and taken: blind transfer, parking, taking a chosen one, coming back to one left to the police.

    directed   only one operator or one group is rung for a while (`IncidentDirected`), or an outside party is called by its
               routes; then everybody is, as for any that waits. Refused or unanswered by them, it is everybody's at once
    parked     nobody is rung, and the ladder stands still, until somebody takes it, the point presses, or the time is over
    chosen     an operator's seat rings for this incident before all others, as soon as it is free; in an offer of its own, or
               beside those that ring already

Each of these is a wait with an end, and the caller hears something all the time.
"""

from callserver.core import call as calls
from callserver.core import conversation, duty, offers, outside
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.events import ParkCall, Take, Transfer
from callserver.core.facts import CallParked, DirectionEnded, IncidentChosen, IncidentDirected, PartyGivenUp
from callserver.core.ids import CallId, OperatorId
from callserver.core.instant import later
from callserver.core.lookup import incident_of, plan_of, queue_of
from callserver.core.state import Call, Incident
from callserver.core.views import GROUP, NOBODY, OPERATOR, PARTY


def end(d: Decision, incident: Incident, reason: str) -> None:
    """The incident is everybody's again, where it was not."""
    if incident.only:
        d.record(DirectionEnded(incident.id, reason))


def end_parking(d: Decision, incident: Incident, reason: str) -> None:
    """A parked incident rings again, as any that waits."""
    if incident.only == NOBODY:
        d.record(DirectionEnded(incident.id, reason))


def run_due(d: Decision, incident: Incident) -> None:
    """The time of a direction is over."""
    parked = incident.only == NOBODY
    end(d, incident, "the park time is over" if parked else f"{incident.only.partition(':')[2]} did not answer in time")


def _with_operator(d: Decision, known: CallId) -> Call | None:
    """A conversation that its operator may give away; else the event is refused."""
    call = d.state.calls.get(known)
    if call is None or call.state not in calls.ATTENDED or call.operator is None or not calls.up(call, legs.OPERATOR):
        d.refuse(known, "no operator talks in this call")
    elif incident_of(d.state, call).called_by and not call.talked:
        d.refuse(known, "the point was called and is not there yet")
    elif calls.up(call, legs.OUTSIDE):
        d.refuse(known, "an outside party is in the call: leave it to them, or bring a colleague in who takes over")
    elif any(calls.live(call, legs.BROUGHT)):
        d.refuse(known, "other points are in the call: drop them, or bring a colleague in who takes over")
    else:
        return call
    return None


def transfer(d: Decision, event: Transfer) -> None:
    """Blind: the operator is free at once, the incident keeps its place, and only `to` is rung for a while."""
    call = _with_operator(d, event.call)
    if call is None:
        return
    incident = incident_of(d.state, call)
    only = _named(d, incident, event.to)
    if only.startswith(PARTY):
        _to_party(d, call, event)
        return
    if not only or not _anybody(d, incident, only, call.operator):
        d.refuse(call.id, f"nobody of {event.to} is on duty" if only else f"no such operator or group: {event.to}")
        return
    until = later(d.now, queue_of(d.state, incident).ring_timeout_ms)
    d.record(IncidentDirected(incident.id, only, until, event.by))
    conversation.release(d, call, f"transferred to {event.to} by {event.by}")


def _named(d: Decision, incident: Incident, to: str) -> str:
    plan = plan_of(d.state, incident)
    if to in plan.operators:
        return f"{OPERATOR}{to}"
    if to in plan.groups:
        return f"{GROUP}{to}"
    return f"{PARTY}{to}" if to in plan.parties else ""


def _to_party(d: Decision, call: Call, event: Transfer) -> None:
    """The party is called by all of its routes while the point waits for it; who has the call by then is nobody."""
    incident, reason = incident_of(d.state, call), f"transferred to {event.to} by {event.by}"
    party = plan_of(d.state, incident).parties[event.to]
    until = later(d.now, outside.lasts_ms(d.state, incident, party))
    d.record(IncidentDirected(incident.id, f"{PARTY}{party.id}", until, event.by))
    conversation.release(d, call, reason)
    d.clear_alarm(incidents.unreached_alarm(incident, party.id), reason)
    outside.begin(d, call, party, reason)


def look(d: Decision) -> bool:
    """A party to whom an incident was given cannot be reached: it is everybody's again. Whether there is one."""
    given = [fact for fact in d.facts if isinstance(fact, PartyGivenUp)]
    vain = [fact for fact in given if (one := d.state.incidents.get(fact.incident)) and one.only == f"{PARTY}{fact.party}"]
    for fact in vain:
        end(d, d.state.incidents[fact.incident], fact.reason)
    return bool(vain)


def _anybody(d: Decision, incident: Incident, only: str, but: OperatorId | None) -> bool:
    """Whether somebody besides who has the call is on duty among those."""
    plan, present = plan_of(d.state, incident), d.state.plans[d.state.plan_version].operators
    known = [plan.operators[one.id] for one in d.state.operators.values() if operators.on_duty(one) and one.id in plan.operators]
    named = [one for one in known if only in (f"{OPERATOR}{one.id}", *(f"{GROUP}{group}" for group in one.groups))]
    return any(one.id != but and one.id in present for one in named)


def park(d: Decision, event: ParkCall) -> None:
    """The operator is free at once; the caller hears that somebody comes back."""
    call = _with_operator(d, event.call)
    if call is None or call.operator is None:
        return
    until = later(d.now, queue_of(d.state, incident_of(d.state, call)).park_recall_ms)
    d.record(CallParked(call.id, call.operator, until, event.by))
    conversation.release(d, call, f"parked by {event.by}")


# ---- taking -------------------------------------------------------------------------------------------------------


def take(d: Decision, event: Take) -> None:
    """An operator picks an incident that waits, or comes back to one that was left to an outside party."""
    incident = d.state.incidents.get(event.incident)
    call = None if incident is None or incident.call is None else d.state.calls.get(incident.call)
    if incident is None or call is None or not _takeable(incident, call):
        d.refuse(event.incident, "nobody waits in this incident, and no outside party alone has it")
    elif incident.state != incidents.WAITING and calls.full(call):
        d.refuse(event.incident, calls.full(call))
    elif make_ready(d, incident, event.operator, f"takes {incident.id}, asked by {event.by}"):
        d.record(IncidentChosen(incident.id, event.operator, event.by))


def _takeable(incident: Incident, call: Call) -> bool:
    return incident.state == incidents.WAITING or (incident.state == incidents.ATTENDED and calls.left_outside(call))


def make_ready(d: Decision, incident: Incident, who: OperatorId, reason: str) -> bool:
    """Lets an operator be rung for an incident: out of a pause, a wrap-up, another offer; False when refused."""
    operator = duty.known(d, who)
    if operator is None:
        return False
    if who not in plan_of(d.state, incident).operators:
        d.refuse(who, "no operator under the incident's plan")
        return False
    mine = [d.state.legs[leg] for leg in operator.legs if d.state.legs[leg].state != legs.ENDING]
    if any(leg.role == legs.SUPERVISOR or leg.call == incident.call for leg in mine):
        d.refuse(who, "the seat rings for it already, or is in a call")
        return False
    if operator.state == operators.OFFERED:
        offers.pull(d, operator, reason)
        operators.release(d, operator, reason)
        return True
    return duty.become_available(d, who, reason)
