"""Legal holds, and what they forbid. The journal's order decides: a hold that stands before a deletion forbids it, one that comes
after it is told what is already gone by whoever placed it.
"""

from callserver.core.decision import Decision
from callserver.core.facts import HoldLifted, HoldPlaced, RecordingDeleted, TextsErased
from callserver.core.ids import IncidentId, incident_of_call

Retained = HoldPlaced | HoldLifted | RecordingDeleted | TextsErased


def review_alarm(hold: str) -> str:
    """The key of the alarm that a hold is to be reviewed."""
    return f"hold:{hold}"


def objection(d: Decision, fact: Retained) -> str:
    """Why the fact must not be journalled, in words; "" where it may."""
    if isinstance(fact, HoldPlaced):
        return f"there is a hold {fact.hold} already" if fact.hold in d.state.holds else ""
    if isinstance(fact, HoldLifted):
        return "" if d.state.holds.get(fact.hold) == fact.incident else f"incident {fact.incident} has no hold {fact.hold}"
    incident = incident_of_call(fact.call) if isinstance(fact, RecordingDeleted) else fact.incident
    return _in_the_way(d, incident) if incident else ""


def noted(d: Decision, fact: Retained) -> None:
    """A hold that is lifted needs no review, and of a call that was deleted no recording is made any more."""
    if isinstance(fact, HoldLifted):
        d.clear_alarm(review_alarm(fact.hold), "the hold is lifted")
    elif isinstance(fact, RecordingDeleted):
        d.clear_alarm(f"recording:{fact.call}", "its captures were deleted")


def _in_the_way(d: Decision, incident: IncidentId) -> str:
    if incident in d.state.incidents:
        return f"incident {incident} is still open"
    held = sorted(hold for hold, of in d.state.holds.items() if of == incident)
    return f"incident {incident} is held ({', '.join(held)})" if held else ""
