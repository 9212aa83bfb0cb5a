"""Too many wait, or somebody waits too long: alarms by what the plan says of a queue."""

from callserver.core import incident as incidents
from callserver.core import pools
from callserver.core.decision import Decision
from callserver.core.instant import Instant, later
from callserver.core.lookup import queue_of
from callserver.core.state import Incident, State

_FULL = "full"


def full_alarm(queue: str) -> str:
    """The key of the alarm that more wait in a queue than it is meant for."""
    return f"{_FULL}:{queue}"


def look(d: Decision) -> None:
    """Raises and clears the alarms of the sizes of queues, by the plan in force."""
    plan = d.state.plans.get(d.state.plan_version)
    limits = {} if plan is None else {one.id: one.most_waiting for one in plan.queues.values() if one.most_waiting > 0}
    for queue, most in limits.items():
        count = pools.waiting_in(d.state, queue, d.now)
        if count > most:
            d.alarm(full_alarm(queue), f"{count} wait in queue {queue}, which is meant for {most}")
        else:
            d.clear_alarm(full_alarm(queue), f"{count} wait")
    for key in sorted(pools.alarms(d.state, _FULL)):
        if key.partition(":")[2] not in limits:
            d.clear_alarm(key, "the plan has no such limit any more")


def next_at(state: State, incident: Incident) -> Instant | None:
    """When a waiting incident has waited too long; None when that is said already, or no matter."""
    longest_ms = queue_of(state, incident).longest_wait_ms
    said = incidents.waits_alarm(incident) in state.alarms
    return later(incident.since, longest_ms) if longest_ms > 0 and not said else None


def run_due(d: Decision, incident: Incident) -> None:
    """Says that a waiting incident waits too long, where it does."""
    at = next_at(d.state, incident)
    if at is not None and at <= d.now:
        waits = f"{incident.point} waits for more than {queue_of(d.state, incident).longest_wait_ms / 1000:g} s"
        d.alarm(incidents.waits_alarm(incident), f"{waits} in queue {incident.queue}")
