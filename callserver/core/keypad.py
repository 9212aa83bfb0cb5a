"""Keys that are sent to a device: by which profile, how, and when it must be known what came of them."""

from typing import TYPE_CHECKING

from callserver.core.effects import Keys
from callserver.core.facts import DigitsSent, DigitsSettled
from callserver.core.instant import later
from callserver.core.lookup import incident_of, plan_of
from callserver.core.state import Leg, State
from dialplans.model import Profile

if TYPE_CHECKING:
    from callserver.core.decision import Decision

KNOWN_MS = 8_000
"""How long after the last key it must be known what came of them: a request that nobody replies to takes that long."""


def profile_of_leg(state: State, leg: Leg) -> Profile | None:
    """What kind of device a point's leg ends at, under its incident's plan; None once the incident is gone."""
    call = state.calls[leg.call]
    if call.incident not in state.incidents:
        return None
    plan = plan_of(state, incident_of(state, call))
    point = plan.points.get(leg.party)
    return None if point is None else plan.profiles[point.profile]


def send(d: "Decision", leg: Leg, profile: Profile, digits: str, why: str, by: str) -> Keys:
    """Records that keys are sent; what the shell is to be ordered."""
    lasting_ms = len(digits) * (profile.digit_length_ms + profile.digit_gap_ms)
    d.record(DigitsSent(leg.id, digits, why, by, later(d.now, lasting_ms + KNOWN_MS)))
    return Keys(digits, profile.dtmf == "info", profile.digit_length_ms, profile.digit_gap_ms)


def farewell(d: "Decision", leg: Leg) -> Keys | None:
    """What the device is told before we end its call, where its profile wants that."""
    profile = profile_of_leg(d.state, leg)
    if profile is None or not profile.on_end:
        return None
    if leg.sending:
        d.record(DigitsSettled(leg.id, leg.sending, False, "the call was ended meanwhile"))
    return send(d, leg, profile, profile.on_end, "end", "plan")
