"""What ladders and parties must say: every step does something, the last never gives up, and fallbacks come to an end."""

from dialplans.lines import Path
from dialplans.model import Ladder, Step, When
from dialplans.names import named, staffed
from dialplans.reading import Draft, Reading

ACTIONS = "Write one of ring = GROUP, call = PARTY and hand_to = QUEUE"
LAST = "End with a step that has call = PARTY or hand_to = QUEUE: a press must never ring in vain for ever"


def check_ladders(reading: Reading, draft: Draft) -> None:
    """Note as faults whatever would leave a press without a next step, or an outside party without a way."""
    for name, ladder in draft.ladders.items():
        path = (*draft.where["ladders", name], "steps")
        if not ladder.steps:
            reading.fault(path, f"ladder '{name}' is empty", "Add [[ladders.ID.steps]]; the last must call an outside party")
            continue
        for index, step in enumerate(ladder.steps):
            at = reading.row(path, index)
            _step(reading, draft, at, step)
            if index and step.after_ms <= ladder.steps[index - 1].after_ms:
                reading.fault((*at, "after"), "a step does not come after the one before it", "Put the steps in time order")
        _last(reading, reading.row(path, len(ladder.steps) - 1), ladder)
        _over_size(reading, draft, path, ladder)
    _parties(reading, draft)


def _step(reading: Reading, draft: Draft, at: Path, step: Step) -> None:
    deeds = [deed for deed in (step.ring_group, step.call_party, step.hand_to) if deed]
    if len(deeds) > 1:
        reading.fault(at, "a step does one thing, and this does more", ACTIONS)
    if not deeds and not step.say and not step.notify:
        reading.fault(at, "a step does one thing, and this does nothing", f"{ACTIONS}, or say or notify")
    if step.ring_group:
        staffed(reading, draft, (*at, "ring"), step.ring_group)
    named(reading, draft, (*at, "call"), "parties", step.call_party)
    named(reading, draft, (*at, "hand_to"), "queues", step.hand_to)
    named(reading, draft, (*at, "say"), "texts", step.say)
    named(reading, draft, (*at, "hours"), "hours", step.hours)
    for notice in step.notify:
        named(reading, draft, (*at, "notify"), "notices", notice)
    if step.ring_ms and not step.ring_group and not step.call_party:
        reading.fault((*at, "ring_for"), "a step that rings nobody says how long", "Drop 'ring_for', or add ring or call")
    if step.tries > 1 and not step.call_party:
        reading.fault((*at, "tries"), "a step that calls no party says how often", "Drop 'tries', or add call = PARTY")


def _last(reading: Reading, at: Path, ladder: Ladder) -> None:
    last = ladder.steps[-1]
    if not last.call_party and not last.hand_to:
        reading.fault(at, f"the last step of ladder '{ladder.id}' calls no outside party and hands to no queue", LAST)
    if last.call_party and last.tries > 1:
        what = f"the last step of ladder '{ladder.id}' counts its tries, and goes on for ever"
        reading.fault((*at, "tries"), what, "Drop 'tries'")


def _over_size(reading: Reading, draft: Draft, path: Path, ladder: Ladder) -> None:
    """A condition on the number of waiting calls needs a queue that has a limit."""
    users = [each for each in draft.queues.values() if ladder.id in (each.ladder, *(own for _, own in each.ladders))]
    if not users or any(queue.most_waiting for queue in users):
        return
    for index, step in enumerate(ladder.steps):
        if When.OVER_SIZE in step.when:
            names = " and ".join(queue.id for queue in users)
            at = (*reading.row(path, index), "or_at_once_when")
            reading.fault(at, f"{names} can never be over size", "Add 'most_waiting' to the queue, or drop the condition")


def _parties(reading: Reading, draft: Draft) -> None:
    for name, party in draft.parties.items():
        path = draft.where["parties", name]
        if not party.routes:
            reading.fault(path, f"party '{name}' has no route", "Add [[parties.ID.routes]] with a uri")
        for index, route in enumerate(party.routes):
            named(reading, draft, (*reading.row((*path, "routes"), index), "trunk"), "trunks", route.trunk)
        named(reading, draft, (*path, "hours"), "hours", party.hours)
        named(reading, draft, (*path, "fallback"), "parties", party.fallback)
        if name in _after(draft, party.fallback):
            chain = " to ".join((name, *_after(draft, party.fallback)))
            reading.fault((*path, "fallback"), f"fallbacks come back to themselves: {chain}", "Leave the last without a fallback")


def _after(draft: Draft, name: str) -> tuple[str, ...]:
    """The parties from `name` on along their fallbacks, each once."""
    found: list[str] = []
    while name and name in draft.parties and name not in found:
        found.append(name)
        name = draft.parties[name].fallback
    return tuple(found)
