"""What each state of a call sounds like.

waiting        the point hears, again and again, the reassurance, or what the ladder's last step that says something says
  parked       it hears that somebody comes back, instead of all that
  interrupted  it hears that somebody else needs help at once, instead of all that
  transferred  it hears, while they alone are rung, that it is put through to others, instead of all that
calling-back   whoever waits for the point hears so, and each other; who called it without a press hears that instead
talking        all answered legs hear each other; a new operator is told the place once
  held         the point hears, again and again, that somebody is there; the others hear each other
  private      the same, while a colleague is asked
  group        points that were brought in hear and are heard as the call's own, and wait with it
wrap-up        the operator's leg is asked for the outcome, once
ending         nothing is ordered any more

In every conversation: who is muted hears the others and is not heard; who listens hears them too; who whispers is heard by the
operator alone. An outside party is told what it is about, once as it joins; one that has to accept by key hears that and
nothing else, until it does (`briefing`).
"""

from typing import Final

from callserver.core import briefing
from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.effects import ShapeCall
from callserver.core.facts import CallShaped, DirectionEnded
from callserver.core.fold_calls import ACCEPTED_PROMPT, PLACE_PROMPT, REFUSED_PROMPT
from callserver.core.lookup import incident_of, queue_of, steps_taken
from callserver.core.shape import Prompt, Shape
from callserver.core.state import Call, Leg, State
from callserver.core.views import NOBODY

CALL_OUT_PROMPT: Final = "call-out"
CALLING_BACK_PROMPT: Final = "calling-back"
CALLING_BACK_EVERY_MS = 10_000
HOLD_PROMPT: Final = "hold"
INTERRUPTED_PROMPT: Final = "interrupted"
HOLD_EVERY_MS = 20_000
OUTCOME_PROMPT: Final = "outcome"
PARKED_PROMPT: Final = "parked"
REASSURANCE_EVERY_MOST_MS = 60_000
TEXT_PROMPT: Final = "text:"
TRANSFER_PROMPT: Final = "transfer"


def wanted(state: State, call: Call) -> Shape:
    """The shape that the call should have now."""
    if call.state == calls.WAITING:
        return Shape((), (*_reassurance(state, call), *briefing.to_accept(state, call)))
    if call.state in calls.ATTENDED:
        return _conversation(state, call)
    if call.state == calls.WRAP_UP:
        people = tuple(leg.id for leg in calls.up(call, legs.OPERATOR))
        return Shape((), (Prompt(OUTCOME_PROMPT, people),) if people else ())
    return Shape()


def _conversation(state: State, call: Call) -> Shape:
    waits = calls.point_waits(call)
    apart = {legs.SUPERVISOR, *(legs.POINTS if waits else (legs.POINT,) if call.state == calls.CALLING_BACK else ())}
    joined = {leg.id for leg in calls.supervising(call, calls.JOIN, calls.PRIVATE)}
    seats = calls.up(call, *legs.POINTS, legs.OPERATOR, legs.OUTSIDE, legs.SUPERVISOR)
    people = [leg for leg in seats if leg.id in joined or leg.role not in apart]
    heard = [leg for leg in people if not leg.muted]
    also = [(one.id, leg.id) for leg in people if leg.muted for one in heard]
    also += [(one.id, leg.id) for leg in calls.supervising(call, calls.LISTEN, calls.WHISPER) for one in heard]
    whispering = [leg for leg in calls.supervising(call, calls.WHISPER) if not leg.muted]
    also += [(leg.id, one.id) for leg in whispering for one in calls.up(call, legs.OPERATOR)]
    talk = tuple(leg.id for leg in heard)
    return Shape(talk if len(talk) > 1 else (), (*_prompts(state, call, people), *_code_word(call)), tuple(also))


def _prompts(state: State, call: Call, people: list[Leg]) -> tuple[Prompt, ...]:
    """What plays in a conversation, besides what people say."""
    told = (*briefing.to_accept(state, call), *_held(call))
    if call.state == calls.CALLING_BACK and any(leg.role == legs.BROUGHT for leg in people):
        return (*briefing.to_join(state, call), *told)  # nothing is said over the talk with other points
    if call.state == calls.CALLING_BACK:
        lost = call.talked or not incident_of(state, call).called_by
        what = CALLING_BACK_PROMPT if lost else CALL_OUT_PROMPT
        alone = briefing.to_wait(state, call, what, CALLING_BACK_EVERY_MS) if len(people) == 1 else ()
        them = tuple(leg.id for leg in people)
        return (*(alone or ((Prompt(what, them, CALLING_BACK_EVERY_MS),) if them else ())), *told)
    told = (*briefing.to_join(state, call), *told)
    return told if calls.point_waits(call) else (*_whisper(state, call), *told)


def _code_word(call: Call) -> tuple[Prompt, ...]:
    """Whether a code was accepted, once for who pressed it in the conversation; the next digit ends it."""
    leg = None if call.code_word is None else call.legs.get(call.code_word[0])
    if leg is None or call.code_word is None or leg.state != legs.UP:
        return ()
    prompt = Prompt(call.code_word[1], (leg.id,))
    return (prompt,) if not call.code_said or prompt in call.shape.prompts else ()


def _held(call: Call) -> tuple[Prompt, ...]:
    """For the points that wait while others speak; the call's own that is called back is not there."""
    roles = (legs.BROUGHT,) if call.state == calls.CALLING_BACK else legs.POINTS
    points = tuple(leg.id for leg in calls.up(call, *roles)) if calls.point_waits(call) else ()
    return (Prompt(HOLD_PROMPT, points, HOLD_EVERY_MS),) if points else ()


def _reassurance(state: State, call: Call) -> tuple[Prompt, ...]:
    incident = incident_of(state, call)
    queue = queue_of(state, incident)
    point = calls.point_leg(call)
    if point is None or point.state not in (legs.EARLY, legs.UP):
        return ()
    every_ms = min(queue.reassurance_every_ms, REASSURANCE_EVERY_MOST_MS)
    said = next((step.say for step in reversed(steps_taken(state, incident)) if step.say), "")
    usual = f"{TEXT_PROMPT}{said}" if said else queue.reassurance
    transferred = incident.only not in ("", NOBODY) and not incident.called_by
    parked = INTERRUPTED_PROMPT if incident.interrupted else PARKED_PROMPT if incident.parked else ""
    name = parked or (TRANSFER_PROMPT if transferred else usual)
    return (Prompt(name, (point.id,), every_ms),)


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


def look(d: Decision) -> None:
    """Who was put through to somebody does not hear so any more when everybody is rung."""
    ended = [fact.incident for fact in d.facts if isinstance(fact, DirectionEnded)]
    for incident in [d.state.incidents[one] for one in ended if one in d.state.incidents]:
        if incident.call is not None and incident.call in d.state.calls:
            reshape(d, d.state.calls[incident.call])


def without_place(shape: Shape) -> Shape:
    """The shape for a successor of a worker: what is told once is not told twice, and who hears whom stays, one-way links too."""
    once = (PLACE_PROMPT, ACCEPTED_PROMPT, REFUSED_PROMPT)
    kept = tuple(prompt for prompt in shape.prompts if not prompt.name.startswith(once) and not briefing.is_once(prompt))
    return Shape(shape.talk, kept, shape.also)
