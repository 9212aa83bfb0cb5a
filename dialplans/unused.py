"""What a plan may say and hardly means: things that nobody uses. Warnings, no faults: a plan may be half rebuilt."""

from collections.abc import Callable, Iterator

from dialplans.check import ENGLISH
from dialplans.reading import Draft, Reading
from dialplans.sections import CODES_IN_TALK, TEXT


def unused(reading: Reading, draft: Draft) -> None:
    """Note as warnings what stands in a plan without any effect."""
    for section, uses in _USES.items():
        used = set(uses(draft))
        for where, name in draft.where:
            if where == section and name not in used:
                reading.warn(draft.where[where, name], f"nobody uses '{name}' of {section}", "Take it out, or name it somewhere")
    _tiers(reading, draft)
    _holidays(reading, draft)
    _languages(reading, draft)
    _codes(reading, draft)


def _tiers(reading: Reading, draft: Draft) -> None:
    for name, queue in draft.queues.items():
        path = (*draft.where["queues", name], "tiers")
        rung = set(queue.groups)
        for index, tier in enumerate(queue.tiers):
            for group in tier.groups:
                if group in rung:
                    what = f"group '{group}' is rung before this tier already"
                    reading.warn(
                        (*reading.row(path, index), "groups"), what, "Take it out of the tier, or out of the earlier ones"
                    )
            rung.update(tier.groups)


def _holidays(reading: Reading, draft: Draft) -> None:
    asked = [(name, span) for name, hours in draft.hours.items() for span in hours.spans if span.holidays != "as-usual"]
    if asked and not draft.plan.get("holidays"):
        name, span = asked[0]
        what = f"hours '{name}' say '{span.holidays}' of holidays, and the plan has none"
        reading.warn(draft.where["hours", name], what, "Add their dates to 'holidays' in [plan]")


def _languages(reading: Reading, draft: Draft) -> None:
    languages = sorted({point.language for point in draft.points.values()} - {ENGLISH})
    for name, words in draft.texts.items():
        for language in languages:
            if language not in words:
                what = f"text '{name}' has no '{language}', which points speak"
                reading.warn(draft.where["texts", name], what, f"Add {language}, else the English words are read")


def _codes(reading: Reading, draft: Draft) -> None:
    """In a conversation a code acts with its last digit, so a longer one that begins like it is never heard whole."""
    pressed = sorted(code for code, meaning in draft.codes.items() if meaning in CODES_IN_TALK or ":" in meaning)
    for code in pressed:
        short = next((one for one in pressed if one != code and code.startswith(one)), None)
        if short is not None:
            what = f"code {code} cannot be pressed in a conversation: {short} acts before its end"
            reading.warn(("codes", code), what, "Give it digits that do not begin with another code")


def _hours(draft: Draft) -> Iterator[str]:
    yield from (group.hours for group in draft.about_groups.values())
    yield from (hours for queue in draft.queues.values() for hours, _ in queue.ladders)
    yield from (step.hours for ladder in draft.ladders.values() for step in ladder.steps)
    yield from (party.hours for party in draft.parties.values())


def _queues(draft: Draft) -> Iterator[str]:
    yield from (point.queue for point in draft.points.values())
    yield from (button.queue for point in draft.points.values() for button in point.buttons)
    yield from (step.hand_to for ladder in draft.ladders.values() for step in ladder.steps)


def _ladders(draft: Draft) -> Iterator[str]:
    for queue in draft.queues.values():
        yield queue.ladder
        yield from (ladder for _, ladder in queue.ladders)


def _texts(draft: Draft) -> Iterator[str]:
    yield from (step.say for ladder in draft.ladders.values() for step in ladder.steps)
    yield from (queue.reassurance.removeprefix(TEXT) for queue in draft.queues.values())


def _notices(draft: Draft) -> Iterator[str]:
    yield from (each for ladder in draft.ladders.values() for step in ladder.steps for each in step.notify)
    yield from (each for queue in draft.queues.values() for each in queue.overdue_notify)


_USES: dict[str, Callable[[Draft], Iterator[str]]] = {
    "hours": _hours,
    "profiles": lambda draft: (point.profile for point in draft.points.values()),
    "queues": _queues,
    "ladders": _ladders,
    "trunks": lambda draft: (route.trunk for party in draft.parties.values() for route in party.routes),
    "cameras": lambda draft: (camera for point in draft.points.values() for camera in point.cameras),
    "nuisance": lambda draft: (point.nuisance for point in draft.points.values()),
    "notices": _notices,
    "texts": _texts,
}
"""What of the draft names things of a section. Parties are not among them: an operator may call any."""
