"""The order of waiting incidents: class of priority, then how long they wait.

An incident that lost its operator or that was pressed again keeps its first `waiting_since`, and so stands at the head of its
class. The list is kept in order as incidents come and go; nothing is sorted anew.
"""

from bisect import insort

from callserver.core.ids import IncidentId
from callserver.core.state import Incident, State


def rank(incident: Incident) -> tuple[int, int, IncidentId]:
    """The smaller goes first."""
    return (incident.priority, incident.waiting_since, incident.id)


def join(state: State, incident: Incident) -> None:
    """Puts an incident of the state in its place."""
    insort(state.waiting, incident.id, key=lambda other: rank(state.incidents[other]))


def leave(state: State, incident: Incident) -> None:
    """Takes an incident out of the order."""
    state.waiting.remove(incident.id)
