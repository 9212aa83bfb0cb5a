"""What a point's device is told by keys: that a person is there, and what an operator wants it to do.

    acknowledge   once in each of the device's calls, when somebody hears it: its lamp says so
    controls      of its profile, by name: a beacon, a lamp, a door
    on end        before we end its call (`leg.end`); the shell waits a second for that at most

Keys go out once. What is not known to have gone out whole, because their process died or nobody replied, is told as that and
not sent again: a device that had half of them does what nobody can say.
"""

from collections.abc import Iterable

from callserver.core import call as calls
from callserver.core import keypad
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import SendDigits
from callserver.core.events import DigitsDone, SendControl
from callserver.core.facts import CallMoved, DigitsSettled, LegAccepted, LegMoved
from callserver.core.ids import CallId, call_of_leg
from callserver.core.state import Call, Leg


def look(d: Decision) -> None:
    """Tells a device that a person is there, where this decision brought them together."""
    for known in dict.fromkeys(_touched(d)):
        call = d.state.calls.get(known)
        if call is not None and call.state in calls.ATTENDED:
            _acknowledge(d, call)


def _touched(d: Decision) -> Iterable[CallId]:
    for fact in d.facts:
        if isinstance(fact, CallMoved):
            yield fact.call
        elif isinstance(fact, LegMoved | LegAccepted):
            yield call_of_leg(fact.leg)


def _acknowledge(d: Decision, call: Call) -> None:
    if not calls.up(call, legs.OPERATOR, legs.OUTSIDE):
        return
    for leg in calls.up(call, *legs.POINTS):
        profile = keypad.profile_of_leg(d.state, leg)
        if profile is not None and profile.acknowledge and not leg.acknowledged:
            d.order(SendDigits(leg.id, keypad.send(d, leg, profile, profile.acknowledge, "acknowledge", "plan")))


def send_control(d: Decision, event: SendControl) -> None:
    """A person wants the device of a point in the conversation to do something that its profile names."""
    call = d.state.calls.get(event.call)
    if call is None or call.state not in calls.ATTENDED:
        d.refuse(event.call, "no such call, or nobody talks in it")
        return
    leg = calls.point_leg(call) if event.leg is None else call.legs.get(event.leg)
    if leg is None or leg.role not in legs.POINTS or leg.state != legs.UP:
        d.refuse(event.call, "no line to the point: nothing can be sent to it")
        return
    profile = keypad.profile_of_leg(d.state, leg)
    control = None if profile is None else profile.controls.get(event.control)
    if profile is None or control is None:
        d.refuse(leg.id, f"the device of {leg.party} has no control {event.control}")
    elif leg.sending:
        d.refuse(leg.id, f"keys are being sent to {leg.party}: wait a moment")
    else:
        d.order(SendDigits(leg.id, keypad.send(d, leg, profile, control.digits, f"control:{control.id}", event.by)))


def done(d: Decision, event: DigitsDone) -> None:
    """What came of keys; no news where the leg is over, or something else was told already."""
    leg = d.state.legs.get(event.leg)
    if leg is not None and leg.sending == event.digits:
        d.record(DigitsSettled(leg.id, leg.sending, not event.why, event.why))


def run_due(d: Decision, leg: Leg) -> None:
    """Nobody said in time what came of them."""
    d.record(DigitsSettled(leg.id, leg.sending, False, "nobody said in time whether they went out"))


def worker_lost(d: Decision, call: Call) -> None:
    """The process that sent them is gone. Those that go by INFO are not its affair."""
    for leg in call.legs.values():
        profile = keypad.profile_of_leg(d.state, leg) if leg.sending else None
        if profile is not None and profile.dtmf != "info":
            d.record(DigitsSettled(leg.id, leg.sending, False, "the process that sent them was lost"))
