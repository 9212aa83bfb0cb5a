"""What operators dial: service codes called from the telephone, and DTMF within a conversation.

    *1 / *2 (by the plan's `codes`)   available / pause, called as a number
    *5<digit>                         outcome of the incident in wrap-up, called as a number or as DTMF
    <digit>                           the same, as DTMF while the leg stands in wrap-up
    what the plan has for a conversation   called by who has it, or as DTMF in it; see `codes_in_talk`
    the plan's `pick-up`              takes whoever is parked longest, else who was left to the police, called as a number

Digits heard within three seconds of each other belong together; an operator's `*` begins anew. A code that was used
is forgotten. A waiting caller's digits may be what a step of the ladder waits for (`conditions`). A party accepts a call by
one, where the plan says so (`answers`).
"""

from typing import Final

from callserver.core import answers, classes, codes_in_talk, conditions, conversation, duty, giving, owners, sound
from callserver.core import call as calls
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.effects import AnswerCode
from callserver.core.events import CodeDialled, DigitPressed, Take
from callserver.core.facts import CodeUsed, DigitHeard, Refused
from callserver.core.ids import OperatorId
from callserver.core.lookup import incident_of, plan_of
from callserver.core.state import Call, Incident, Leg, OperatorState
from callserver.core.views import NOBODY

OUTCOME_CODE: Final = "*5"
AVAILABLE_CODE: Final = "available"
PAUSE_CODE: Final = "pause"
PICK_UP_CODE: Final = "pick-up"


def dialled(d: Decision, event: CodeDialled) -> None:
    """A code called as a number; the caller hears whether it was accepted."""
    operator = d.state.operators.get(event.operator)
    owned = frozenset(d.state.owned.get(event.operator, ()))
    accepted = False if operator is None else _use(d, operator, event.code)
    reason = "done" if accepted else "unknown code, or not possible now"
    d.record(CodeUsed(event.operator, event.code, accepted, reason))
    passes = accepted and operator is not None and operator.state == operators.PAUSED
    then = owners.farewell(d, owned) if passes else ""
    d.order(AnswerCode(event.dialog, accepted, then))


def _use(d: Decision, operator: OperatorState, code: str) -> bool:
    if code.startswith(OUTCOME_CODE) and len(code) == len(OUTCOME_CODE) + 1:
        incident = None if operator.incident is None else d.state.incidents.get(operator.incident)
        return incident is not None and _give_outcome(d, operator.id, incident, code[-1])
    meaning = d.state.plans[d.state.plan_version].codes.get(code, "")
    if meaning == AVAILABLE_CODE:
        return duty.become_available(d, operator.id, f"code {code}")
    if meaning == PAUSE_CODE:
        return duty.become_paused(d, operator.id, f"code {code}")
    if meaning == PICK_UP_CODE:
        return _pick_up(d, operator.id)
    call = None if operator.call is None else d.state.calls[operator.call]
    return call is not None and call.state in calls.ATTENDED and codes_in_talk.ask(d, call, operator.id, code, meaning)


def _refusals(d: Decision) -> int:
    return sum(isinstance(fact, Refused) for fact in d.facts)


def _pick_up(d: Decision, operator: OperatorId) -> bool:
    """The caller who is parked longest, else one who was left to an outside party."""
    parked = [one for one in d.state.incidents.values() if one.state == incidents.WAITING and one.only == NOBODY]
    left = [one for one in d.state.incidents.values() if one.call is not None and calls.left_outside(d.state.calls[one.call])]
    first = min(parked or left, key=lambda one: (one.since, one.id), default=None)
    refused = _refusals(d)
    if first is not None:
        giving.take(d, Take(first.id, operator, operator))
    return first is not None and _refusals(d) == refused


def _give_outcome(d: Decision, operator: OperatorId, incident: Incident, digit: str) -> bool:
    outcome = plan_of(d.state, incident).outcome_digits.get(digit)
    if outcome is None or incident.state != incidents.WRAP_UP:
        return False
    return conversation.give_outcome(d, incident, outcome, by=operator)


def digit(d: Decision, event: DigitPressed) -> None:
    """One DTMF digit."""
    leg = d.state.legs.get(event.leg)
    if leg is None or leg.state == legs.ENDING:
        d.refuse(event.leg, "no such leg")
        return
    d.record(DigitHeard(leg.id, event.digit))
    call = d.state.calls[leg.call]
    if leg.role in legs.SEATS and leg.state == legs.UP:
        _digits_of_operator(d, call, leg, OperatorId(leg.party), leg.digits)
        sound.reshape(d, call)
    elif leg.role == legs.OUTSIDE:
        answers.accepted(d, call, leg, event.digit)
    elif leg.role == legs.POINT:
        incident = d.state.incidents.get(call.incident)
        if incident is not None:
            conditions.pressed_digits(d, incident, leg.digits)
            classes.pressed_digit(d, incident, event.digit)


def _digits_of_operator(d: Decision, call: Call, leg: Leg, operator: OperatorId, digits: str) -> None:
    if call.state == calls.WRAP_UP:
        short = digits[-1] if not digits.startswith("*") else ""
        long = digits[-1] if digits.startswith(OUTCOME_CODE) and len(digits) == len(OUTCOME_CODE) + 1 else ""
        chosen = short or long
        if chosen and _give_outcome(d, operator, incident_of(d.state, call), chosen):
            d.record(CodeUsed(operator, digits, True, "done"))
    elif call.state in calls.ATTENDED:
        meaning = plan_of(d.state, incident_of(d.state, call)).codes.get(digits, "")
        if codes_in_talk.is_one(meaning):
            accepted = codes_in_talk.ask(d, call, operator, digits, meaning)
            d.record(CodeUsed(operator, digits, accepted, "done" if accepted else "not possible now", leg.id))
