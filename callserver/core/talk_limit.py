"""Devices that end their calls by themselves after a while (`Profile.talk_limit_ms`): said a minute ahead, and renewed.

To renew is to end the point's leg and to call the point back at once, at a moment that somebody picks: the same operator, the
same incident, a new line. The device is dialled when the old line is gone, for one that has a single line is busy until
then; it is not waited for long. A BYE that comes at the limit is the device's and no person's: the point is called back,
whatever its profile says of a BYE.
"""

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core import sound
from callserver.core.decision import Decision
from callserver.core.events import Renew
from callserver.core.facts import CallBackAwaited, TalkLimitNear
from callserver.core.instant import SECOND, Instant, later
from callserver.core.lookup import incident_of, profile_of
from callserver.core.state import Call, Leg, State

AHEAD_MS = 60_000
CUT_EARLY_NS = 2 * SECOND  # a device's clock begins when it sends its INVITE or hears our 200
OLD_LINE_MOST_MS = 1_000
"""How long a renewal waits for the old line's end before it dials."""


def near_at(state: State, call: Call, leg: Leg) -> Instant | None:
    """When it is to be said of a leg that its device will end it: a minute ahead, for short limits half of it; None: never."""
    if leg.role != legs.POINT or leg.state != legs.UP or leg.limit_near or call.state == calls.ENDING:
        return None
    limit_ms = profile_of(state, incident_of(state, call)).talk_limit_ms
    return later(leg.since, max(limit_ms - AHEAD_MS, limit_ms // 2)) if limit_ms > 0 else None


def run_due(d: Decision, call: Call, leg: Leg) -> None:
    """Says it."""
    limit_ms = profile_of(d.state, incident_of(d.state, call)).talk_limit_ms
    d.record(TalkLimitNear(leg.id, later(leg.since, limit_ms)))


def is_cut(leg: Leg, now: Instant) -> bool:
    """Whether a leg that ends now was ended by its device's limit, and not by a person."""
    return leg.cut_at is not None and now >= leg.cut_at - CUT_EARLY_NS


def renew(d: Decision, event: Renew) -> None:
    """A person picks the moment."""
    call = d.state.calls.get(event.call)
    point = None if call is None else calls.point_leg(call)
    if call is None or call.state != calls.TALKING or point is None or point.state != legs.UP:
        d.refuse(event.call, "no point talks in this call")
        return
    reason = f"renewed by {event.by}"
    legs.end(d, point, reason)
    calls.move(d, call, calls.CALLING_BACK, reason)
    d.record(CallBackAwaited(call.id, later(d.now, OLD_LINE_MOST_MS), 1, reason))
    sound.reshape(d, call)


def is_renewed(call: Call) -> bool:
    """Whether a renewed call waits for the end of the point's old line: the one first attempt that is awaited."""
    return call.state == calls.CALLING_BACK and call.call_back_at is not None and call.call_back_attempt == 1
