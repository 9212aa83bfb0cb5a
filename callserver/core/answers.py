"""What it means that an outbound leg rang or was answered, by its role and by its call's state."""

from callserver.core import briefing, control, conversation, offers, outside, point_groups, sound
from callserver.core import call as calls
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import EndLeg
from callserver.core.events import LegAnswered, LegRang
from callserver.core.facts import AcceptanceAwaited, CallTaken, LegAccepted
from callserver.core.instant import later
from callserver.core.lookup import incident_of
from callserver.core.state import Call, Leg


def rang(d: Decision, event: LegRang) -> None:
    """180 or 183; a repeated one is no news."""
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
    elif leg.state != legs.RINGING:
        legs.move(d, leg, legs.RINGING, "the device rings")


def answered(d: Decision, event: LegAnswered) -> None:
    """200 of a leg that we dialled."""
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
    elif leg.state not in legs.UNANSWERED_OUTBOUND:
        d.refuse(leg.id, f"leg is {leg.state}, cannot be answered")
        if leg.state == legs.ENDING:  # the 200 crossed our CANCEL
            d.order(EndLeg(leg.id, "given up before the answer"))
    else:
        _take(d, d.state.calls[leg.call], leg)


def _take(d: Decision, call: Call, leg: Leg) -> None:
    legs.move(d, leg, legs.UP, "answered")
    if call.state in (calls.WRAP_UP, calls.ENDING):
        legs.end(d, leg, "the conversation is over")
    elif leg.role == legs.OPERATOR:
        _seat(d, call, leg)
    elif leg.role == legs.SUPERVISOR:
        control.brought(d, call, leg)
    elif leg.role == legs.OUTSIDE:
        _party(d, call, leg)
    elif leg.role == legs.BROUGHT:
        point_groups.answered(d, call, leg)
    else:
        calls.move(d, call, calls.TALKING, "the point answered the call back")
        sound.reshape(d, call)


def _seat(d: Decision, call: Call, leg: Leg) -> None:
    """An operator answered an offer: has a waiting incident, or one that was left to an outside party."""
    operator = offers.accept(d, call, leg)
    if incident_of(d.state, call).state == incidents.WAITING:
        conversation.attend(d, call, operator.id, f"answered by {operator.id}")
    else:
        d.record(CallTaken(call.id, leg.id, operator.id, f"{operator.id} came to the outside party"))
        sound.reshape(d, call)


def _party(d: Decision, call: Call, leg: Leg) -> None:
    """An outside party answered: it is asked to accept, where the plan wants that."""
    if briefing.key_of(d.state, call, leg):
        d.record(AcceptanceAwaited(leg.id, later(d.now, outside.ACCEPT_MS)))
        sound.reshape(d, call)
    else:
        _joins(d, call, leg)


def accepted(d: Decision, call: Call, leg: Leg, digit: str) -> None:
    """A key of a party that answered: the plan's one takes the call."""
    if not leg.accepted and leg.state == legs.UP and digit == briefing.key_of(d.state, call, leg):
        d.record(LegAccepted(leg.id, digit))
        _joins(d, call, leg)


def _joins(d: Decision, call: Call, leg: Leg) -> None:
    """It has a waiting incident, or joins the conversation."""
    if incident_of(d.state, call).state == incidents.WAITING:
        conversation.attend(d, call, None, f"answered by {leg.party}")
    else:
        sound.reshape(d, call)
