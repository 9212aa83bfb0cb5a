"""Lines whose sound goes one way only: said at once, and mended where asking the device for its media anew can mend it.

    out   ours does not reach the device. It does not hear us, and nobody in the call would know
    in    the device's sound comes from where it may not come from, so that it is not taken (`Profile.media_source`)

An answered leg's device is sent a re-INVITE (`RenewMedia`): it may name another address, or begin to send and receive anew. Tried
each time that it is told, MOST times for a leg. It ends nothing: who is heard one way is heard.
"""

from typing import Final

from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import RenewMedia
from callserver.core.events_line import OneWay, OneWayOver
from callserver.core.facts_line import OneWayEnded, OneWayFound
from callserver.core.ids import LegId
from callserver.core.lookup import incident_of, plan_of, point_of
from callserver.core.state import Leg

OUT: Final = "out"
IN: Final = "in"
MOST: Final = 3
"""How often a leg's media are renewed for this."""


def alarm_of(leg: LegId, side: str) -> str:
    """The key of the alarm that a leg's sound does not go out, or in."""
    return f"one-way-{side}:{leg}"


def noticed(d: Decision, event: OneWay) -> None:
    """It is so, or still so."""
    leg = d.state.legs.get(event.leg)
    if leg is None or leg.state == legs.ENDING or event.side not in (OUT, IN):
        d.refuse(event.leg, "no such leg, or it is ending")
        return
    if event.reported and leg.role in legs.POINTS and not _is_believed(d, leg):
        return
    renew = leg.state == legs.UP and leg.renewals < MOST
    if renew or event.side not in leg.one_way:
        d.record(OneWayFound(leg.id, event.side, event.why, renew))
    d.alarm(alarm_of(leg.id, event.side), _words(d, leg, event))
    if renew:
        d.order(RenewMedia(leg.id))


def over(d: Decision, event: OneWayOver) -> None:
    """It is so no more; what was not so is no news."""
    leg = d.state.legs.get(event.leg)
    if leg is None:
        d.refuse(event.leg, "no such leg")
    elif event.side in leg.one_way:
        d.record(OneWayEnded(leg.id, event.side))
        d.clear_alarm(alarm_of(leg.id, event.side), "sound goes both ways again")


def ended(d: Decision, leg: Leg) -> None:
    """A leg is gone: nobody waits for its sound."""
    for side in (OUT, IN):
        d.clear_alarm(alarm_of(leg.id, side), "the leg ended")


def _is_believed(d: Decision, leg: Leg) -> bool:
    """Whether the plan lets the reports of this point's device count."""
    plan = plan_of(d.state, incident_of(d.state, d.state.calls[leg.call]))
    point = plan.points.get(leg.party)
    return point is None or plan.profiles[point.profile].trust_reports


def _words(d: Decision, leg: Leg, event: OneWay) -> str:
    incident = incident_of(d.state, d.state.calls[leg.call])
    who = f"the caller at {point_of(d.state, incident).place}" if leg.role == legs.POINT else leg.party
    deaf = "cannot hear us" if leg.role == legs.POINT else "cannot hear the call"
    return f"{who} {deaf if event.side == OUT else 'is not heard'}: {event.why}"
