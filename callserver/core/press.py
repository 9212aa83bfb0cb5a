"""A point's press: a new incident, or one more leg of the open one.

Every press of a known point gets a leg. The newest leg is the point's; an older one is ended, for the device has plainly
given it up.
"""

from callserver.core import call as calls
from callserver.core import classes, conversation, giving, ladder, moment, sound
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.effects import AdoptPress, RefusePress, StartMedia
from callserver.core.events import Pressed
from callserver.core.facts import CallOpened, IncidentOpened, IncidentRejoined, LegCreated
from callserver.core.ids import call_id, leg_id
from callserver.core.instant import later
from callserver.core.lookup import open_incident, point_of, profile_of
from callserver.core.state import Call, Incident
from dialplans import hours
from dialplans.model import Answer, Plan


def pressed(d: Decision, event: Pressed) -> None:
    """An authenticated INVITE of a point."""
    incident = open_incident(d.state, event.point)
    if incident is not None:
        _rejoin(d, incident, event)
        return
    plan = d.state.plans.get(d.state.plan_version)
    if plan is None or event.point not in plan.points:
        d.refuse(event.point, "no such point in the plan")
        d.order(RefusePress(event.dialog, 403, "Unknown point"))
    elif event.fresh in d.state.incidents:
        d.refuse(event.fresh, "this incident exists")
        d.order(RefusePress(event.dialog, 500, "Try again"))
    else:
        _open(d, plan, event)


def _open(d: Decision, plan: Plan, event: Pressed) -> None:
    point = plan.points[event.point]
    button = classes.button_of(point, event.button)
    queue = classes.queue_at_press(point, button)
    priority, why = classes.at_press(d, plan, point, button)
    ladder = hours.ladder_at(plan, queue, moment.utc_ns(d.state, d.now))
    version = d.state.plan_version
    d.record(IncidentOpened(event.fresh, event.point, queue, int(priority), version, ladder, event.button, why))
    _add_leg(d, open_call(d, d.state.incidents[event.fresh]), event.dialog)


def open_call(d: Decision, incident: Incident) -> Call:
    """The next call of an incident, without a leg."""
    call = call_id(incident.id, incident.calls_made + 1)
    d.record(CallOpened(call, incident.id, incident.point))
    return d.state.calls[call]


def _rejoin(d: Decision, incident: Incident, event: Pressed) -> None:
    d.record(IncidentRejoined(incident.id, incident.point, f"press {incident.presses + 1} while {incident.state}"))
    d.clear_alarm(incidents.call_back_alarm(incident), "the point pressed")
    giving.end(d, incident, "the point pressed again")
    call = None if incident.call is None else d.state.calls[incident.call]
    if incident.state == incidents.WRAP_UP:
        call = _resume(d, incident, call)
    _take_urgency(d, incident, event.button)
    assert call is not None, "a call lives while its incident waits or is attended"
    for old in list(calls.live(call, legs.POINT)):
        legs.end(d, old, "the point pressed again")
    _add_leg(d, call, event.dialog)


def _take_urgency(d: Decision, incident: Incident, pressed: str) -> None:
    """A press may make the incident more urgent, and a more urgent button's queue takes it over."""
    button = classes.button_of(point_of(d.state, incident), pressed)
    queue = classes.moves_to(d, incident, button)
    classes.pressed_again(d, incident, button)
    if queue:
        ladder.hand_over(d, incident, queue, f"button {pressed} was pressed")


def _resume(d: Decision, incident: Incident, call: Call | None) -> Call:
    """A press in wrap-up: the operator whose leg still stands has it at once, else it waits again."""
    reason = "pressed again in wrap-up"
    operator = None if incident.operator is None else d.state.operators[incident.operator]
    if call is not None and call.state == calls.WRAP_UP and operator is not None:
        operators.move(d, operator, operators.TALKING, reason)
        incidents.move(d, incident, incidents.ATTENDED, reason, operator.id)
        calls.move(d, call, calls.TALKING, reason)
        return call
    if operator is not None:
        operators.release(d, operator, reason)
    incidents.move(d, incident, incidents.WAITING, reason)
    return open_call(d, incident)


def _add_leg(d: Decision, call: Call, dialog: str) -> None:
    """Takes the press in: 180, media, and 200 where the profile or a human wants it."""
    incident = d.state.incidents[call.incident]
    profile = profile_of(d.state, incident)
    due = later(d.now, profile.answer_after_ms) if profile.answer is Answer.AFTER else None
    created = leg_id(call.id, call.legs_made + 1)
    d.record(LegCreated(created, call.id, legs.POINT, incident.point, inbound=True, due=due))
    leg = d.state.legs[created]
    d.order(AdoptPress(dialog, leg.id))
    d.order(StartMedia(leg.id, profile.media_source))
    legs.move(d, leg, legs.EARLY, "adopted")
    if incident.state == incidents.ATTENDED:
        conversation.answer(d, leg, "somebody is there")
        if call.state == calls.CALLING_BACK:
            calls.move(d, call, calls.TALKING, "pressed while called back")
    elif profile.answer is Answer.AT_ONCE:
        conversation.answer(d, leg, "profile answers at once")
    sound.reshape(d, call)
