"""A person brings an outside party into a call, holds it, or ends it."""

from callserver.core import call as calls
from callserver.core import classes, conversation, outside, sound
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.events import DeviceHeld, Escalate, GiveOutcome, HangUp, Hold, Reclassify
from callserver.core.facts import CallHeld
from callserver.core.ids import PartyId
from callserver.core.lookup import incident_of, ladder_of
from callserver.core.state import Call
from dialplans.model import Priority


def escalate(d: Decision, event: Escalate) -> None:
    """A person asks for a party."""
    call = d.state.calls.get(event.call)
    if call is None:
        d.refuse(event.call, "no such call")
    else:
        bring_in(d, call, event.party, f"asked by {event.by}")


def bring_in(d: Decision, call: Call, wanted: PartyId, reason: str, step: int = 0) -> bool:
    """Dials the party while the talk goes on, for a ladder's step or (0) for a person; False when refused."""
    why = _obstacle(d, call, wanted)
    if why:
        d.refuse(call.id, why)
        return False
    incident = incident_of(d.state, call)
    party = outside.party_of(d.state, incident, wanted)
    assert party is not None
    d.clear_alarm(incidents.unreached_alarm(incident, party.id), reason)
    outside.begin(d, call, party, reason, step)
    return True


def _obstacle(d: Decision, call: Call, wanted: PartyId) -> str:
    if call.state in (calls.WRAP_UP, calls.ENDING):
        return f"call is {call.state}"
    incident = incident_of(d.state, call)
    if outside.party_of(d.state, incident, wanted) is None:
        return f"no such party: {wanted}"
    if incident.state == incidents.WAITING and incident.step >= len(ladder_of(d.state, incident).steps):
        return "the ladder is calling its last resort"
    if outside.in_progress(call):
        return "a party is being called"
    return calls.full(call)


def hang_up(d: Decision, event: HangUp) -> None:
    """A person ends a call's conversation, or lets a waiting call go."""
    call = d.state.calls.get(event.call)
    if call is None or call.state == calls.ENDING:
        d.refuse(event.call, "no such call, or it is ending")
    elif call.state == calls.WRAP_UP:
        conversation.end_wrap_up(d, incident_of(d.state, call), f"hung up by {event.by}")
    else:
        conversation.over(d, call, f"hung up by {event.by}", keep_operator=False)


def hold(d: Decision, event: Hold) -> None:
    """A person lets the point wait, or takes it back; what is so already is no news."""
    call = d.state.calls.get(event.call)
    if call is None or call.state != calls.TALKING or not calls.up(call, legs.OPERATOR):
        d.refuse(event.call, "no operator talks in this call")
    elif call.held != event.on:
        d.record(CallHeld(call.id, event.on, event.by))
        sound.reshape(d, call)


def device_held(d: Decision, event: DeviceHeld) -> None:
    """An operator's telephone was put on hold: the point, if it is with nobody else, is told that somebody is there.

    What other devices do with their lines is their own affair: who is left hears each other.
    """
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
        return
    call = d.state.calls[leg.call]
    mine = leg.role == legs.OPERATOR and leg.state == legs.UP and call.state == calls.TALKING
    others = any(one.id != leg.id for one in calls.up(call, legs.OPERATOR, legs.OUTSIDE)) or calls.supervising(call, calls.JOIN)
    if mine and not (event.on and others) and call.held != event.on:
        d.record(CallHeld(call.id, event.on, leg.party))
        sound.reshape(d, call)


def reclassify(d: Decision, event: Reclassify) -> None:
    """A person gives an incident another class; its place in the order changes at once."""
    incident = d.state.incidents.get(event.incident)
    if incident is None or event.priority not in tuple(Priority):
        d.refuse(event.incident, "no such incident, or no such class")
    else:
        classes.reclassify(d, incident, event.priority, f"by {event.by}")


def give_outcome(d: Decision, event: GiveOutcome) -> None:
    """A person closes an incident."""
    incident = d.state.incidents.get(event.incident)
    if incident is None:
        d.refuse(event.incident, "no such incident, or it is closed")
    else:
        conversation.give_outcome(d, incident, event.outcome, event.by, event.note)
