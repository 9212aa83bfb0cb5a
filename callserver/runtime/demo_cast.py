"""Who plays in the demo: starts the phones of points and desks, each with its part."""

import time
from collections.abc import Mapping
from typing import Any

from callserver.runtime import street_stories as stories
from callserver.runtime.demo_history import OPERATOR, NightDesk
from callserver.runtime.demo_parts import LOOPBACK, NIGHT_PROFILE, POLICE, ROLES, Demo, is_lonely
from callserver.runtime.demo_phones import Setup, groups
from callserver.runtime.demo_sounds import script_of, silence_file, tone_file
from callserver.runtime.street_scene import Scene, rows_of, scene_of
from callserver.runtime.street_talk import Script
from callserver.store import queries
from callserver.store.engine import read_only

POINT_HZ, DESK_HZ = 440.0, 1_000.0
DESK_ANSWERS_MS = 700
OPERATOR_ANSWERS_MS = 900
LOOKS_AT = 50  # of the latest calls


def start_phones(demo: Demo) -> Scene:
    """The street's points, a cable's in one process, and the police desk; the scene in which they are."""
    assert demo.plan is not None
    sounds = demo.home / "sounds"
    sounds.mkdir(exist_ok=True)
    points = [demo.plan.points[name] for name in demo.simulated]
    tone = tone_file(sounds / "point.wav", POINT_HZ) if demo.tones else ""
    for row in rows_of(points):
        for passwords in groups({str(point.id): demo.passwords[point.id] for point in row}):
            scripts = {} if demo.tones else {user: (script_of(stories.POINTS[user], sounds),) for user in passwords}
            demo.phones.start(_setup(demo, passwords, play=tone, scripts=scripts))
    demo.phones.start(
        _setup(
            demo,
            {POLICE: ""},
            port=demo.police_port,
            play=tone_file(sounds / "desk.wav", DESK_HZ) if demo.tones else "",
            scripts={} if demo.tones else {POLICE: (script_of(stories.POLICE, sounds),)},
            desk=True,
            answer_ms=0 if demo.tones else DESK_ANSWERS_MS,
        )
    )
    return scene_of(points, {name: story.title for name, story in stories.POINTS.items()}, POLICE)


def start_night_desk(demo: Demo) -> None:
    """The night desk's points, which do not register, and its operator, who does."""
    assert demo.plan is not None
    sounds = demo.home / "sounds"
    points = {name: demo.passwords[name] for name, point in demo.plan.points.items() if point.profile == NIGHT_PROFILE}
    callers: dict[str, tuple[Script, ...]] = {}
    for call in stories.NIGHT:
        callers[call.point] = (*callers.get(call.point, ()), script_of(call.caller, sounds))
    answers = tuple(script_of(call.operator, sounds) for call in stories.NIGHT)
    demo.phones.start(_setup(demo, points, scripts=callers, registers=False))
    operator = {OPERATOR: demo.passwords[OPERATOR]}
    demo.phones.start(_setup(demo, operator, scripts={OPERATOR: answers}, desk=True, answer_ms=OPERATOR_ANSWERS_MS))


def night_desk(demo: Demo) -> NightDesk | None:
    """What the night desk will do; None where there have been calls before."""
    assert demo.plan is not None
    plan, engine = demo.plan, read_only(demo.data)
    if queries.calls(engine, limit=1):
        engine.dispose()
        return None
    night = {name for name, point in plan.points.items() if point.profile == NIGHT_PROFILE}
    digits = {outcome: digit for digit, outcome in plan.outcome_digits.items()}

    def busy() -> bool:
        return any(row.ended_utc_ns is None and row.point not in night for row in queries.calls(engine, limit=LOOKS_AT))

    return NightDesk(stories.NIGHT, digits, busy, time.monotonic())


def scene_page(demo: Demo) -> Mapping[str, Any]:
    """What the street's page needs to know once."""
    assert demo.plan is not None
    return {"title": demo.plan.name, "links": {role: demo.beside(role) for role in ROLES}, "lonely": is_lonely(demo)}


def _setup(demo: Demo, passwords: Mapping[str, str], **rest: Any) -> Setup:
    return Setup(passwords, demo.server, LOOPBACK, demo.help, silence_file(demo.home / "sounds" / "silence.wav"), **rest)
