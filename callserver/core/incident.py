"""The machine of an incident: what a press opens and a person closes.

    waiting -> attended | unreviewed | closed    offers and ladder run; a person may hang up or close a waiting one
    attended -> waiting                          the line to whoever had it was lost
    attended -> wrap-up | unreviewed | closed    the conversation is over (closed at once only where the plan says so)
    wrap-up -> waiting | attended                the point pressed again
    wrap-up -> unreviewed | closed               the time ended, or the outcome was given
    unreviewed -> closed                         a person gave the outcome; a press by then opens a new incident
    unreviewed -> waiting                        an operator calls the point back, and is the only one rung for it

A press joins an incident that is waiting, attended or in wrap-up. The plan's version is frozen into it at the press.
Change together: the table, `fold`'s IncidentMoved (ladder and order of waiting restart there), `press`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from callserver.core.facts import IncidentMoved, IncidentUnlisted, OutcomeRecorded
from callserver.core.ids import OperatorId
from callserver.core.instant import Instant
from callserver.core.state import Incident

if TYPE_CHECKING:
    from callserver.core.decision import Decision

WAITING: Final = "waiting"
ATTENDED: Final = "attended"
WRAP_UP: Final = "wrap-up"
UNREVIEWED: Final = "unreviewed"
CLOSED: Final = "closed"

MOVES: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({ATTENDED, UNREVIEWED, CLOSED}),
    ATTENDED: frozenset({WAITING, WRAP_UP, UNREVIEWED, CLOSED}),
    WRAP_UP: frozenset({WAITING, ATTENDED, UNREVIEWED, CLOSED}),
    UNREVIEWED: frozenset({WAITING, CLOSED}),
    CLOSED: frozenset(),
}

JOINABLE = frozenset({WAITING, ATTENDED, WRAP_UP})


def unanswered_alarm(incident: Incident) -> str:
    """The key of the alarm that nobody could be reached."""
    return f"unanswered:{incident.id}"


def waits_alarm(incident: Incident) -> str:
    """The key of the alarm that an incident waits for longer than its queue's longest wait."""
    return f"waits:{incident.id}"


def call_back_alarm(incident: Incident) -> str:
    """The key of the alarm that the point could not be called back."""
    return f"call-back:{incident.id}"


def unreached_alarm(incident: Incident, party: str) -> str:
    """The key of the alarm that an outside party could not be reached."""
    return f"unreached:{incident.id}:{party}"


def unowned_alarm(incident: Incident) -> str:
    """The key of the alarm that a listed incident is nobody's."""
    return f"unowned:{incident.id}"


def overdue_alarm(incident: Incident) -> str:
    """The key of the alarm that a listed incident is past its time."""
    return f"overdue:{incident.id}"


def unacknowledged_alarm(incident: Incident) -> str:
    """The key of the alarm that nobody has seen that a listed incident was passed."""
    return f"unacknowledged:{incident.id}"


def unlist(d: "Decision", incident: Incident, why: str) -> None:
    """Takes the incident off the call-back list, where it is on it."""
    if incident.listed:
        for key in (unowned_alarm(incident), overdue_alarm(incident), unacknowledged_alarm(incident)):
            d.clear_alarm(key, why)
        d.record(IncidentUnlisted(incident.id, why))


def move(
    d: "Decision", incident: Incident, new: str, reason: str, operator: OperatorId | None = None, until: Instant | None = None
) -> bool:
    """The one door: records the move, or refuses one that the table does not have."""
    if new not in MOVES[incident.state]:
        d.refuse(incident.id, f"incident is {incident.state}, cannot become {new}")
        return False
    if incident.state == WAITING:
        d.clear_alarm(unanswered_alarm(incident), reason)
        d.clear_alarm(waits_alarm(incident), reason)
    if new == CLOSED:
        unlist(d, incident, reason)
        d.clear_alarm(call_back_alarm(incident), reason)
        for party in d.state.plans[incident.plan_version].parties:
            d.clear_alarm(unreached_alarm(incident, party), reason)
    d.record(IncidentMoved(incident.id, incident.state, new, reason, operator, until))
    return True


def close(d: "Decision", incident: Incident, outcome: str, by: str, note: str = "") -> None:
    """Records the outcome and closes; its call must be ending or gone."""
    d.record(OutcomeRecorded(incident.id, outcome, by, note))
    move(d, incident, CLOSED, f"outcome {outcome} by {by}")
