"""The time of day for the core: which of a plan's hours are open, and when that turns.

The core keeps instants; UTC is an instant plus the offset of the newest clock anchor. What is open is always asked of
`dialplans.hours` for the very moment of a decision. While something waits, the next turn of its plan's hours is a deadline:
it stands in the state (fact HoursTurned), so that a turn is used up by being journalled. A clock that was set is a turn too.
"""

from callserver.core.decision import Decision
from callserver.core.facts import HoursTurned
from callserver.core.instant import Instant
from callserver.core.lookup import plan_of
from callserver.core.state import HoursOpen, State
from callserver.core.views import IncidentView, WorldView
from dialplans import hours
from dialplans.model import Plan


def utc_ns(state: WorldView, now: Instant) -> int:
    """UTC at an instant, by the newest anchor."""
    return now + state.utc_offset_ns


def is_open(state: WorldView, incident: IncidentView, hours_id: str, now: Instant) -> bool:
    """Whether these hours of the incident's plan are open now; "" always is."""
    return hours.is_open(plan_of(state, incident), hours_id, utc_ns(state, now))


def opens_at(state: WorldView, incident: IncidentView, hours_id: str, now: Instant) -> Instant | None:
    """When these hours of the incident's plan open or close next; None: never."""
    at = hours.next_change(plan_of(state, incident), hours_id, utc_ns(state, now))
    return None if at is None else Instant(at - state.utc_offset_ns)


def clock(state: WorldView, incident: IncidentView, at: Instant) -> str:
    """What a clock at the site shows at an instant, such as `14-05`."""
    return hours.clock(plan_of(state, incident), utc_ns(state, at))


def next_at(state: State) -> Instant | None:
    """The next turn that something waits for."""
    if not state.waiting:
        return None
    turns = [known.until_utc_ns for known in state.hours.values() if known.until_utc_ns is not None]
    return Instant(min(turns) - state.utc_offset_ns) if turns else None


def keep(d: Decision, plan_version: int) -> bool:
    """Journals which hours of a plan are open where that is not known for this moment; whether it was not."""
    plan = d.state.plans[plan_version]
    if not plan.hours or _holds(d.state.hours.get(plan_version), utc_ns(d.state, d.now)):
        return False
    d.record(_turned(plan_version, plan, utc_ns(d.state, d.now)))
    return True


def run_due(d: Decision) -> bool:
    """Whether hours turned while something waits: then every ladder and every seat is to be looked at again."""
    if not d.state.waiting:
        return False
    turned = [version for version in list(d.state.hours) if keep(d, version)]
    return bool(turned)


def _holds(known: HoursOpen | None, at_utc_ns: int) -> bool:
    """Whether what was found once is still so; before it was found (the clock was set back) nothing is known."""
    if known is None or at_utc_ns < known.since_utc_ns:
        return False
    return known.until_utc_ns is None or at_utc_ns < known.until_utc_ns


def _turned(plan_version: int, plan: Plan, at_utc_ns: int) -> HoursTurned:
    turns = [hours.next_change(plan, known, at_utc_ns) for known in plan.hours]
    return HoursTurned(
        plan_version,
        tuple(known for known in plan.hours if hours.is_open(plan, known, at_utc_ns)),
        min((at for at in turns if at is not None), default=None),
    )
