"""What facts of the call-back list change in the state, and what others tell of it: who is away, who was called; see `fold`."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from callserver.core import facts as f
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.instant import INSTANT_ZERO, Instant
from callserver.core.state import Attempt, Call, Incident, Leg, OperatorState, State

ATTEMPTS_MOST = 12  # kept for each incident
ANSWERED = "answered"
ROOM = ""
"""Whose key of `State.owned` those incidents have that are nobody's."""


def disown(state: State, incident: Incident) -> None:
    """The incident is in nobody's list."""
    mine = state.owned.get(incident.owner or ROOM)
    if mine is not None:
        mine.discard(incident.id)
        if not mine:
            del state.owned[incident.owner or ROOM]


def note_duty(operator: OperatorState, at: Instant) -> None:
    """Remembers since when an operator is not on duty."""
    if operators.on_duty(operator):
        operator.away_since = None
    elif operator.away_since is None:
        operator.away_since = at


def tried(state: State, leg: Leg, call: Call) -> None:
    """The point is being called."""
    if not leg.inbound:
        incident = state.incidents[call.incident]
        incident.attempts = (*incident.attempts, Attempt(leg.id, leg.since, call.operator))[-ATTEMPTS_MOST:]


def tried_with(state: State, leg: Leg, call: Call, fact: f.LegMoved) -> None:
    """What came of calling the point: the first end or answer of the leg."""
    incident = state.incidents.get(call.incident)
    if incident is None or fact.new == legs.RINGING:
        return
    result = ANSWERED if fact.new == legs.UP else fact.reason
    incident.attempts = tuple(
        replace(one, result=result) if one.leg == leg.id and not one.result else one for one in incident.attempts
    )


def _incident_listed(state: State, fact: f.IncidentListed, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    if not incident.listed:
        state.owned.setdefault(ROOM, set()).add(incident.id)
    incident.listed, incident.listed_since, incident.listed_why = fact.cause, at, fact.why
    incident.overdue_at = Instant(fact.due)


def _incident_unlisted(state: State, fact: f.IncidentUnlisted, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    disown(state, incident)
    incident.listed = incident.listed_why = ""
    incident.listed_since = incident.owner_since = INSTANT_ZERO
    incident.owner = incident.overdue_at = incident.acknowledge_by = None


def _owner_named(state: State, fact: f.OwnerNamed, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    disown(state, incident)
    incident.owner, incident.owner_since = fact.operator, at
    incident.acknowledge_by = None if fact.acknowledge_by is None else Instant(fact.acknowledge_by)
    state.owned.setdefault(incident.owner or ROOM, set()).add(incident.id)


def _owner_acknowledged(state: State, fact: f.OwnerAcknowledged, at: Instant) -> None:
    state.incidents[fact.incident].acknowledge_by = None


def _call_back_begun(state: State, fact: f.CallBackBegun, at: Instant) -> None:
    state.incidents[fact.incident].called_by = fact.operator


CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {
    f.IncidentListed: _incident_listed,
    f.IncidentUnlisted: _incident_unlisted,
    f.OwnerNamed: _owner_named,
    f.OwnerAcknowledged: _owner_acknowledged,
    f.CallBackBegun: _call_back_begun,
}
"""What each kind of fact does; for `fold.apply`."""
