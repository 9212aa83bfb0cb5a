"""From the first human on a call to its end: attend, call back, lose, be over, wrap up.

These are the rules that couple call, incident and operator; each moves the machines through their doors.
"""

from typing import Final

from callserver.core import call as calls
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import offers, outside, sound
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.effects import AnswerLeg, DialPoint
from callserver.core.facts import CallBackAwaited, CallHeld, LegCreated, LegMuted
from callserver.core.ids import OperatorId, leg_id
from callserver.core.instant import later
from callserver.core.lookup import incident_of, plan_of, profile_of, queue_of
from callserver.core.state import Call, Incident, Leg, OperatorState

CALL_BACK_RING_MS = 30_000
CALL_BACK_PAUSES_MS: Final = (2_000, 5_000, 10_000, 30_000)  # before the second, third, ... attempt


def attend(d: Decision, call: Call, operator: OperatorId | None, reason: str) -> None:
    """A human has the waiting incident: ladder and offers stop, the point is answered or called back."""
    incident = incident_of(d.state, call)
    offers.withdraw(d, call, reason)
    incidents.move(d, incident, incidents.ATTENDED, reason, operator)
    outside.give_up_ringing(d, call, reason)
    connect(d, call, reason)


def connect(d: Decision, call: Call, reason: str) -> None:
    """Brings the point to whoever has the call."""
    point = calls.point_leg(call)
    if point is None:
        calls.move(d, call, calls.CALLING_BACK, reason)
        dial_point(d, call)
    elif point.state not in legs.UNANSWERED_OUTBOUND:
        answer(d, point, reason)
        calls.move(d, call, calls.TALKING, reason)
    sound.reshape(d, call)


def answer(d: Decision, leg: Leg, reason: str) -> None:
    """200 for an inbound leg that has none yet."""
    if leg.state in legs.UNANSWERED_INBOUND and legs.move(d, leg, legs.UP, reason):
        d.order(AnswerLeg(leg.id))


# ---- calling back -------------------------------------------------------------------------------------------


def call_back(d: Decision, call: Call, reason: str) -> None:
    """The point is gone from a conversation that is not over: it is called, whoever has the call waits."""
    calls.move(d, call, calls.CALLING_BACK, reason)
    dial_point(d, call)
    sound.reshape(d, call)


def dial_point(d: Decision, call: Call) -> None:
    """One attempt to reach the point."""
    incident = incident_of(d.state, call)
    leg = leg_id(call.id, call.legs_made + 1)
    due = later(d.now, CALL_BACK_RING_MS)
    d.record(LegCreated(leg, call.id, legs.POINT, incident.point, inbound=False, due=due))
    profile = profile_of(d.state, incident)
    d.order(DialPoint(leg, incident.point, profile.media_source, profile.auto_answer))


def call_back_failed(d: Decision, call: Call, why: str) -> None:
    """The attempt came to nothing: a pause and the next, or the end of trying. It goes on for as long as other points talk."""
    done, others = call.call_back_attempt, any(calls.live(call, legs.BROUGHT))
    if incident_of(d.state, call).called_by and not call.talked and not others:
        _not_reached(d, call, f"the point was called in vain: {why}")
        return
    if done <= len(CALL_BACK_PAUSES_MS) or others:
        at = later(d.now, CALL_BACK_PAUSES_MS[min(done, len(CALL_BACK_PAUSES_MS)) - 1])
        d.record(CallBackAwaited(call.id, at, done + 1, f"attempt {done}: {why}"))
        return
    incident = incident_of(d.state, call)
    d.alarm(incidents.call_back_alarm(incident), f"{incident.point} was called back {done} times in vain: {why}")
    over(d, call, f"the point could not be called back: {why}", keep_operator=True)


def _not_reached(d: Decision, call: Call, reason: str) -> None:
    """The point that an operator called does not answer: nobody is in need, and there is nothing to wrap up."""
    incident = incident_of(d.state, call)
    operator = None if call.operator is None else d.state.operators[call.operator]
    calls.give_up(d, call, reason)
    incidents.move(d, incident, incidents.UNREVIEWED, reason)
    if operator is not None and operator.state == operators.TALKING:
        operators.release(d, operator, reason)


# ---- lost and over ------------------------------------------------------------------------------------------


def wait_again(d: Decision, call: Call, reason: str) -> None:
    """Nobody has the call any more without anybody having ended it: back to the head of its class."""
    incident = incident_of(d.state, call)
    for leg in list(calls.live(call, *legs.POINTS, legs.SUPERVISOR)):
        if leg.role != legs.POINT or leg.state in legs.UNANSWERED_OUTBOUND:
            legs.end(d, leg, reason)
    calls.move(d, call, calls.WAITING, reason)
    leave_open(d, call, reason)
    incidents.move(d, incident, incidents.WAITING, reason)
    sound.reshape(d, call)


def left_alone(d: Decision, call: Call, reason: str) -> None:
    """Who had the call is lost: it waits again, unless nobody is in need, because its point was called and never reached."""
    if incident_of(d.state, call).called_by and not call.talked:
        _not_reached(d, call, reason)
    else:
        wait_again(d, call, reason)


def leave_open(d: Decision, call: Call, reason: str) -> None:
    """Who could take the point off hold and end a mute is gone: everybody hears everybody."""
    if call.held:
        d.record(CallHeld(call.id, False, reason))
    for leg in call.legs.values():
        if leg.muted and leg.state != legs.ENDING:
            d.record(LegMuted(leg.id, False, reason))


def release(d: Decision, call: Call, reason: str) -> None:
    """Gives a conversation back to the queue: its operator's leg ends, and the operator is free."""
    operator = None if call.operator is None else d.state.operators[call.operator]
    wait_again(d, call, reason)
    for leg in list(calls.live(call, legs.OPERATOR)):
        legs.end(d, leg, reason)
    if operator is not None and operator.state == operators.TALKING:
        operators.release(d, operator, reason)


def over(d: Decision, call: Call, reason: str, keep_operator: bool) -> None:
    """The conversation is over: close by the plan, wrap up, or leave the incident to be reviewed.

    `keep_operator`: the leg of an operator at a telephone stays for the outcome by DTMF, as long as the wrap-up lasts.
    """
    incident = incident_of(d.state, call)
    queue = queue_of(d.state, incident)
    operator = None if call.operator is None else d.state.operators.get(call.operator)
    attended = incident.state == incidents.ATTENDED
    offers.withdraw(d, call, reason)
    if attended and operator is not None and queue.wrap_up_ms > 0 and queue.closed_by != "plan":
        _wrap_up(d, call, operator, reason, keep_operator)
        return
    calls.give_up(d, call, reason)
    if attended and queue.closed_by == "plan":
        incidents.close(d, incident, queue.plan_outcome, "plan")
    else:
        incidents.move(d, incident, incidents.UNREVIEWED, reason)
    if operator is not None:
        free_without_leg(d, operator, call, reason)


def _wrap_up(d: Decision, call: Call, operator: OperatorState, reason: str, keep_operator: bool) -> None:
    incident = incident_of(d.state, call)
    until = later(d.now, queue_of(d.state, incident).wrap_up_ms)
    incidents.move(d, incident, incidents.WRAP_UP, reason, operator.id, until)
    operators.move(d, operator, operators.WRAP_UP, reason, until)
    if keep_operator and operator.seat != operators.BROWSER and calls.up(call, legs.OPERATOR):
        for leg in list(calls.live(call, *legs.POINTS, legs.OUTSIDE, legs.SUPERVISOR)):
            legs.end(d, leg, reason)
        calls.move(d, call, calls.WRAP_UP, reason)
        sound.reshape(d, call)
    else:
        calls.give_up(d, call, reason)


def free_without_leg(d: Decision, operator: OperatorState, call: Call, reason: str) -> None:
    """Frees the call's operator as soon as the operator's leg is gone; `endings` does it when it goes later."""
    if operator.state == operators.TALKING and operator.call == call.id and not operator.legs:
        operators.release(d, operator, reason)


def end_wrap_up(d: Decision, incident: Incident, reason: str, outcome: str = "", by: str = "", note: str = "") -> None:
    """Ends a wrap-up: closed with an outcome, else unreviewed. The operator is free at once."""
    operator = None if incident.operator is None else d.state.operators.get(incident.operator)
    _finish(d, incident, reason, outcome, by, note)
    if operator is not None and operator.state == operators.WRAP_UP:
        operators.release(d, operator, reason)


def _finish(d: Decision, incident: Incident, reason: str, outcome: str, by: str, note: str) -> None:
    call = None if incident.call is None else d.state.calls.get(incident.call)
    if call is not None:
        calls.give_up(d, call, reason)
    if outcome:
        incidents.close(d, incident, outcome, by, note)
    else:
        incidents.move(d, incident, incidents.UNREVIEWED, reason)


def pause_in_wrap_up(d: Decision, operator: OperatorState, reason: str) -> None:
    """An operator in wrap-up wants a pause: the incident is left to be reviewed."""
    incident = None if operator.incident is None else d.state.incidents.get(operator.incident)
    if incident is not None and incident.state == incidents.WRAP_UP:
        _finish(d, incident, reason, "", "", "")
    operators.move(d, operator, operators.PAUSED, reason)


# ---- by a person --------------------------------------------------------------------------------------------


def give_outcome(d: Decision, incident: Incident, outcome: str, by: str, note: str = "") -> bool:
    """A person says what the incident was; it closes, unless somebody still talks. False when refused."""
    if outcome not in plan_of(d.state, incident).outcomes:
        d.refuse(incident.id, f"unknown outcome {outcome}")
        return False
    if incident.state == incidents.ATTENDED:
        d.refuse(incident.id, "somebody still has the call")
        return False
    reason = f"outcome {outcome} by {by}"
    if incident.state == incidents.WAITING:
        assert incident.call is not None
        offers.withdraw(d, d.state.calls[incident.call], reason)
    end_wrap_up(d, incident, reason, outcome, by, note)
    return True
