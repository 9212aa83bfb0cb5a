"""What an outside party hears before it speaks: that a help point calls, from where, how urgently, since when; in its language.

A party whose plan wants a key (`Party.accept`) hears it with the key, again and again, and has or joins the call when it
presses that. Any other hears it once, as it joins; alone with a point that is being called back, again and again.
"""

from collections.abc import Iterator
from typing import Final

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core import moment
from callserver.core.fold_calls import BRIEFING_PROMPT, PLACE_PROMPT
from callserver.core.lookup import incident_of, plan_of, point_of
from callserver.core.shape import Prompt
from callserver.core.state import Call, Leg, State
from dialplans.model import Priority

EVERY_MS = 10_000
ACCEPT_PROMPT: Final = "accept-"
LANGUAGE: Final = "in:"
"""What the last word of a prompt begins with that is said in another language than the call's."""
JOINT: Final = "+"


def key_of(state: State, call: Call, leg: Leg) -> str:
    """The key by which the party of a leg accepts; "": its answer does."""
    party = plan_of(state, incident_of(state, call)).parties.get(leg.party)
    return "" if party is None else party.accept


def to_accept(state: State, call: Call) -> tuple[Prompt, ...]:
    """For those who answered and have not accepted."""
    asked = [leg for leg in calls.live(call, legs.OUTSIDE) if leg.state == legs.UP and not leg.accepted]
    return tuple(_prompt(state, call, leg, f"{ACCEPT_PROMPT}{key_of(state, call, leg)}", EVERY_MS) for leg in asked)


def to_join(state: State, call: Call) -> tuple[Prompt, ...]:
    """Once for those whose answer was enough; it stays in the shape, so that a change of that does not cut the words."""
    return tuple(_prompt(state, call, leg) for leg in _untold(state, call) if not _old(call, leg) or _is_playing(call, leg))


def to_wait(state: State, call: Call, what: str, every_ms: int) -> tuple[Prompt, ...]:
    """Again and again, with `what`, for one who was not told before and waits for the point."""
    told_here = [leg for leg in _untold(state, call) if not _old(call, leg) or _is_told(call, leg, what)]
    return tuple(_prompt(state, call, leg, what, every_ms) for leg in told_here)


def is_once(prompt: Prompt) -> bool:
    """Whether it is a briefing that is not repeated."""
    return prompt.name.startswith(BRIEFING_PROMPT) and not prompt.every_ms


def _untold(state: State, call: Call) -> Iterator[Leg]:
    return (leg for leg in calls.up(call, legs.OUTSIDE) if not key_of(state, call, leg))


def _old(call: Call, leg: Leg) -> bool:
    return leg.id in call.briefed


def _is_playing(call: Call, leg: Leg) -> bool:
    return any(prompt.to == (leg.id,) and is_once(prompt) for prompt in call.shape.prompts)


def _is_told(call: Call, leg: Leg, what: str) -> bool:
    return any(prompt.to == (leg.id,) and what in prompt.name.split(JOINT) for prompt in call.shape.prompts)


def _prompt(state: State, call: Call, leg: Leg, what: str = "", every_ms: int = 0) -> Prompt:
    """What it hears already is not said anew in other words because a clock was set."""
    incident = incident_of(state, call)
    words = (
        BRIEFING_PROMPT,
        f"{PLACE_PROMPT}{incident.point}",
        f"class-{Priority(incident.priority).name.lower()}",
        f"time:{moment.clock(state, incident, incident.opened)}",
        *((what,) if what else ()),
        *_in_language(state, call, leg),
    )
    prompt = Prompt(JOINT.join(words), (leg.id,), every_ms)
    same = (
        one for one in call.shape.prompts if one.to == prompt.to and one.every_ms == every_ms and _about(one) == _about(prompt)
    )
    return next(same, prompt)


def _in_language(state: State, call: Call, leg: Leg) -> tuple[str, ...]:
    """A party is told in its own language, whatever the point's is."""
    incident = incident_of(state, call)
    party = plan_of(state, incident).parties.get(leg.party)
    wanted = point_of(state, incident).language if party is None else party.language
    return () if wanted == point_of(state, incident).language else (f"{LANGUAGE}{wanted}",)


def _about(prompt: Prompt) -> tuple[str, ...]:
    """The words but class and time, which may change meanwhile."""
    return tuple(word for word in prompt.name.split(JOINT) if not word.startswith(("class-", "time:")))
