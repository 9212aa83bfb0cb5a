"""What facts of live call control change in the state; see `fold`."""

from collections.abc import Callable, Mapping
from typing import Any

from callserver.core import facts as f
from callserver.core import leg as legs
from callserver.core.call import TAKE_OVER
from callserver.core.ids import CallId, call_of_leg, incident_of_call
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.core.views import NOBODY


def _acceptance_awaited(state: State, fact: f.AcceptanceAwaited, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.accepted, leg.due = False, Instant(fact.until)


def _leg_accepted(state: State, fact: f.LegAccepted, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.accepted, leg.due = True, None


def _leg_muted(state: State, fact: f.LegMuted, at: Instant) -> None:
    state.legs[fact.leg].muted = fact.muted


def _mode_set(state: State, fact: f.ModeSet, at: Instant) -> None:
    state.calls[CallId(call_of_leg(fact.leg))].modes[fact.leg] = fact.mode


def _call_taken(state: State, fact: f.CallTaken, at: Instant) -> None:
    call, operator = state.calls[fact.call], state.operators[fact.operator]
    incident = state.incidents[call.incident]
    if call.modes.pop(fact.leg, TAKE_OVER) != TAKE_OVER:
        call.whispered = fact.leg  # was in the call, and knows the place
    state.legs[fact.leg].role = legs.OPERATOR
    call.operator = incident.operator = incident.last = operator.id
    call.held, incident.chosen = False, None
    operator.call, operator.incident = call.id, incident.id


def _call_parked(state: State, fact: f.CallParked, at: Instant) -> None:
    incident = state.incidents[state.calls[fact.call].incident]
    incident.parked, incident.prefers = True, fact.operator
    incident.only, incident.only_until = NOBODY, Instant(fact.until)


def _incident_directed(state: State, fact: f.IncidentDirected, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.only, incident.only_until = fact.only, Instant(fact.until)


def _direction_ended(state: State, fact: f.DirectionEnded, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    if incident.only == NOBODY:
        incident.ladder_since = at
    incident.only, incident.only_until = "", None


def _incident_chosen(state: State, fact: f.IncidentChosen, at: Instant) -> None:
    state.incidents[fact.incident].chosen = fact.operator
    state.operators[fact.operator].claimed = fact.incident


def _talk_limit_near(state: State, fact: f.TalkLimitNear, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.limit_near, leg.cut_at = True, Instant(fact.at)


def _digits_sent(state: State, fact: f.DigitsSent, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.sending, leg.sending_until = fact.digits, Instant(fact.until)
    leg.acknowledged = leg.acknowledged or fact.why == "acknowledge"


def _digits_settled(state: State, fact: f.DigitsSettled, at: Instant) -> None:
    leg = state.legs[fact.leg]
    leg.sending, leg.sending_until = "", None


def _group_called(state: State, fact: f.GroupCalled, at: Instant) -> None:
    incident = state.incidents[fact.incident]
    incident.group, incident.others = fact.group, fact.points


def _point_given_up(state: State, fact: f.PointGivenUp, at: Instant) -> None:
    call, incident = state.calls[fact.call], state.incidents.get(incident_of_call(fact.call))
    if fact.point not in call.missed:
        call.missed = (*call.missed, fact.point)
    if incident is not None:
        incident.others = tuple(one for one in incident.others if one != fact.point)


CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {
    f.AcceptanceAwaited: _acceptance_awaited,
    f.LegAccepted: _leg_accepted,
    f.LegMuted: _leg_muted,
    f.ModeSet: _mode_set,
    f.CallTaken: _call_taken,
    f.CallParked: _call_parked,
    f.IncidentDirected: _incident_directed,
    f.DirectionEnded: _direction_ended,
    f.IncidentChosen: _incident_chosen,
    f.TalkLimitNear: _talk_limit_near,
    f.DigitsSent: _digits_sent,
    f.DigitsSettled: _digits_settled,
    f.GroupCalled: _group_called,
    f.PointGivenUp: _point_given_up,
}
"""What each kind of fact does; for `fold.apply`."""
