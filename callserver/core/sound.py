"""What each state of a call sounds like.

waiting        the point hears, again and again, the reassurance, or what the ladder's last step that says something says
  parked       it hears that somebody comes back, instead of all that
calling-back   whoever waits for the point hears so, and each other
talking        all answered legs hear each other; a new operator is told the place once
  held         the point hears, again and again, that somebody is there; the others hear each other
wrap-up        the operator's leg is asked for the outcome, once
ending         nothing is ordered any more
"""

from typing import Final

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import ShapeCall
from callserver.core.facts import CallShaped
from callserver.core.fold_calls import PLACE_PROMPT
from callserver.core.lookup import incident_of, queue_of, steps_taken
from callserver.core.shape import Prompt, Shape
from callserver.core.state import Call, State

CALLING_BACK_PROMPT: Final = "calling-back"
CALLING_BACK_EVERY_MS = 10_000
HOLD_PROMPT: Final = "hold"
HOLD_EVERY_MS = 20_000
OUTCOME_PROMPT: Final = "outcome"
PARKED_PROMPT: Final = "parked"
REASSURANCE_EVERY_MOST_MS = 60_000
TEXT_PROMPT: Final = "text:"


def wanted(state: State, call: Call) -> Shape:
    """The shape that the call should have now."""
    if call.state == calls.WAITING:
        return _waiting(state, call)
    if call.state == calls.CALLING_BACK:
        people = tuple(leg.id for leg in calls.up(call, legs.OPERATOR, legs.OUTSIDE))
        prompts = (Prompt(CALLING_BACK_PROMPT, people, CALLING_BACK_EVERY_MS),) if people else ()
        return Shape(people if len(people) > 1 else (), prompts)
    if call.state == calls.TALKING and call.held:
        return _held(call)
    if call.state == calls.TALKING:
        talk = tuple(leg.id for leg in calls.up(call, legs.POINT, legs.OPERATOR, legs.OUTSIDE))
        return Shape(talk, _whisper(state, call))
    if call.state == calls.WRAP_UP:
        people = tuple(leg.id for leg in calls.up(call, legs.OPERATOR))
        return Shape((), (Prompt(OUTCOME_PROMPT, people),) if people else ())
    return Shape()


def _held(call: Call) -> Shape:
    people = tuple(leg.id for leg in calls.up(call, legs.OPERATOR, legs.OUTSIDE))
    points = tuple(leg.id for leg in calls.up(call, legs.POINT))
    prompts = (Prompt(HOLD_PROMPT, points, HOLD_EVERY_MS),) if points else ()
    return Shape(people if len(people) > 1 else (), prompts)


def _waiting(state: State, call: Call) -> Shape:
    incident = incident_of(state, call)
    queue = queue_of(state, incident)
    point = calls.point_leg(call)
    if point is None or point.state not in (legs.EARLY, legs.UP):
        return Shape()
    every_ms = min(queue.reassurance_every_ms, REASSURANCE_EVERY_MOST_MS)
    said = next((step.say for step in reversed(steps_taken(state, incident)) if step.say), "")
    usual = f"{TEXT_PROMPT}{said}" if said else queue.reassurance
    return Shape((), (Prompt(PARKED_PROMPT if incident.parked else usual, (point.id,), every_ms),))


def _whisper(state: State, call: Call) -> tuple[Prompt, ...]:
    """The place, once for an operator's leg; the prompt stays in the shape, so that a change of it does not cut the words."""
    incident = incident_of(state, call)
    operator = next(iter(calls.up(call, legs.OPERATOR)), None)
    if operator is None or not queue_of(state, incident).whisper_place:
        return ()
    prompt = Prompt(f"{PLACE_PROMPT}{incident.point}", (operator.id,))
    return (prompt,) if call.whispered != operator.id or prompt in call.shape.prompts else ()


def reshape(d: Decision, call: Call) -> None:
    """Orders the wanted shape where it is not the present one."""
    if call.state == calls.ENDING:
        return
    shape = wanted(d.state, call)
    if shape != call.shape:
        d.record(CallShaped(call.id, shape))
        d.order(ShapeCall(call.id, shape))


def without_place(shape: Shape) -> Shape:
    """The shape for a successor of a worker: a place told once is not told twice. Who hears whom stays, one-way links too."""
    kept = tuple(prompt for prompt in shape.prompts if prompt.every_ms or PLACE_PROMPT not in prompt.name)
    return Shape(shape.talk, kept, shape.also)
