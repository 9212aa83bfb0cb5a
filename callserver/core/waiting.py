"""The order of waiting incidents: by class, with bounded ageing.

An incident counts as if it had begun to wait `ageing_ms` of its plan later for each class below emergency. So the order of
two incidents is settled when both wait and never turns with time: who came more than (c - c') times the ageing after
an incident of a lower class never goes before it, and nobody else's coming can change that. Without ageing a class
goes strictly before the next.

An incident that lost its operator or that was pressed again keeps its first `waiting_since`, and so its place. The list is
kept in order as incidents come and go; nothing is sorted anew.
"""

from bisect import bisect_left, insort

from callserver.core.index import Rank
from callserver.core.instant import MS
from callserver.core.state import Incident, State

NEVER_MS = 100 * 366 * 86_400_000
"""The ageing of a plan that has none: a hundred years."""


def rank(state: State, incident: Incident) -> Rank:
    """The smaller goes first; the last part is the incident's id."""
    ageing_ms = state.plans[incident.plan_version].ageing_ms or NEVER_MS
    return (incident.waiting_since + incident.priority * ageing_ms * MS, incident.priority, incident.id)


def join(state: State, incident: Incident) -> None:
    """Puts an incident of the state in its place."""
    insort(state.waiting, incident.id, key=lambda other: rank(state, state.incidents[other]))


def leave(state: State, incident: Incident) -> None:
    """Takes an incident out of the order; what its rank depends on must not have changed since it joined."""
    place = bisect_left(state.waiting, rank(state, incident), key=lambda other: rank(state, state.incidents[other]))
    assert state.waiting[place] == incident.id, "the order of waiting is broken"
    del state.waiting[place]
