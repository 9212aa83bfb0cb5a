"""The proof: from every press a seat or the last resort rings within a stated time, and rings again until somebody answers.

It runs the core itself, for every matter in every world of `worlds`; docs/proof.md says why these are all.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from callserver.planning import doubts
from callserver.planning.inquiry import GIVES_UP, NOBODY, ONE_TRUNK, PAUSE, REFUSED, UNBOUNDED, Inquiry, inquire
from callserver.planning.quotient import Matter, Press, matter_of, point_as, presses_of
from callserver.planning.story import clock, tell
from callserver.planning.timeline import Changes, changes
from callserver.planning.trial import Course, run
from callserver.planning.verdict import Hole, PressClass, Verdict, Worst
from dialplans.model import Answer, Plan, Priority, Profile

YEAR = datetime.timedelta(days=366)
_NS = 1_000_000_000
SILENCE = "silence"
"""A hole of a class: its device gives up before anything rings."""

_WORDS: Mapping[str, str] = {
    REFUSED: "the press is refused",
    NOBODY: "nothing ever rings",
    UNBOUNDED: "the last resort is never reached",
    PAUSE: "the last resort stops ringing",
    GIVES_UP: "with every line dead, the last resort is not even tried any more",
}

Progress = Callable[[int, int, int], None]
"""Told (matters done, matters, runs)."""


@dataclass(frozen=True, slots=True)
class _Alike:
    """Presses of one class."""

    press: Press
    points: tuple[str, ...]
    matter: Matter
    inquiry: Inquiry


def prove(plan: Plan, now_utc_ns: int, within_ms: int | None = None, progress: Progress | None = None) -> Verdict:
    """The verdict on a plan, for a year from that moment. `within_ms`: what the first ring may take at most."""
    alike = _inquire(plan, now_utc_ns, progress)
    known = _changes(plan, now_utc_ns)
    inquiries = list({id(one.inquiry): one.inquiry for one in alike}.values())
    points = {id(one): _points(each for each in alike if each.inquiry is one) for one in inquiries}
    holes = [hole for one in inquiries for hole in _holes(plan, one, points[id(one)])]
    holes += [hole for one in alike for hole in _too_late(plan, one, within_ms)]
    holes += doubts.empty_offers(plan, inquiries, points)
    classes = tuple(_class(plan, one) for one in alike)
    warnings = doubts.warnings(plan, inquiries, classes, known, now_utc_ns)
    return Verdict(plan.name, tuple(_merged(holes)), tuple(warnings), classes, sum(one.runs for one in inquiries))


def _inquire(plan: Plan, now_utc_ns: int, progress: Progress | None) -> list[_Alike]:
    classes: dict[Press, list[str]] = {}
    for press in presses_of(plan):
        classes.setdefault(replace(press, point="", button=""), []).append(press.point)
    known = _changes(plan, now_utc_ns)
    matters = {kind: matter_of(plan, kind) for kind in classes}
    done: dict[Matter, Inquiry] = {}
    runs = 0

    def tick() -> None:
        nonlocal runs
        runs += 1
        if progress is not None and runs % 100 == 0:
            progress(len(done), len(set(matters.values())), runs)

    for kind, points in classes.items():
        if matters[kind] not in done:
            matter = matters[kind]
            done[matter] = inquire(plan, matter, replace(kind, point=points[0]), known, now_utc_ns, tick)
    return [
        _Alike(replace(kind, point=points[0]), tuple(dict.fromkeys(points)), matters[kind], done[matters[kind]])
        for kind, points in classes.items()
    ]


def _changes(plan: Plan, now_utc_ns: int) -> dict[str, Changes]:
    """The changes of all hours, over a year and over every holiday that the plan names."""
    now = datetime.datetime.fromtimestamp(now_utc_ns // _NS, datetime.UTC)
    days = [datetime.date.fromisoformat(day) for day in plan.holidays]
    last = max([now.date() + YEAR, *(day + datetime.timedelta(days=3) for day in days)])
    until = int(datetime.datetime.combine(last, datetime.time(), datetime.UTC).timestamp()) * _NS
    return {name: changes(plan, name, now_utc_ns, until) for name in plan.hours}


def _points(alike: Iterable[_Alike]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point for one in alike for point in one.points))


# ---- holes --------------------------------------------------------------------------------------------------


def _holes(plan: Plan, inquiry: Inquiry, points: tuple[str, ...]) -> list[Hole]:
    """Where nothing rings at all, the lesser holes of the same matter are left for when that is mended."""
    found = inquiry.holes
    kinds = [kind for kind in found if kind in (REFUSED, NOBODY, ONE_TRUNK, GIVES_UP) or NOBODY not in found]
    return [Hole(kind, _what(kind, found[kind]), points, tell(plan, found[kind])) for kind in kinds]


def _what(kind: str, course: Course) -> str:
    if kind == ONE_TRUNK:
        return f"when trunk {course.trial.lines[0][0]} is dead, nothing is left of the last resort"
    if kind == UNBOUNDED and course.end == "loop":
        return "it is handed over for ever, and the last resort is never reached"
    return _WORDS[kind]


def _too_late(plan: Plan, alike: _Alike, within_ms: int | None) -> list[Hole]:
    """The first ring comes after the device has given up, or later than was asked for."""
    course, limit = alike.inquiry.worst_first, limit_ms(plan.profiles[alike.press.profile])
    if course is None or course.first_ms is None or NOBODY in alike.inquiry.holes:
        return []
    told = _told(plan, alike, course)
    if limit is not None and course.first_ms >= limit:
        what = f"the device gives up after {clock(limit)}, and nothing has rung"
        return [Hole(SILENCE, what, alike.points, told)]
    if within_ms is not None and course.first_ms > within_ms:
        return [Hole("late", f"the first ring comes after {clock(course.first_ms)}, not {clock(within_ms)}", alike.points, told)]
    return []


def _merged(holes: Iterable[Hole]) -> list[Hole]:
    """Holes of one kind that are told by the same words, once, with the points of all."""
    found: dict[tuple[str, str], Hole] = {}
    for hole in holes:
        key = (hole.kind, hole.what)
        known = found.setdefault(key, hole)
        found[key] = replace(known, points=tuple(dict.fromkeys((*known.points, *hole.points))))
    return list(found.values())


# ---- classes ------------------------------------------------------------------------------------------------


def limit_ms(profile: Profile) -> int | None:
    """How long a device waits for a person by itself; None: for ever."""
    talk = profile.talk_limit_ms or None
    patience = min(profile.ring_limit_ms, profile.queue_limit_ms or profile.ring_limit_ms)
    if profile.answer is Answer.HUMAN or (profile.answer is Answer.AFTER and profile.answer_after_ms >= patience):
        return patience
    return talk


def _class(plan: Plan, alike: _Alike) -> PressClass:
    found = alike.inquiry
    return PressClass(
        _name(alike.press),
        alike.points,
        limit_ms(plan.profiles[alike.press.profile]),
        _worst(plan, alike, found.worst_first, "first_ms"),
        _worst(plan, alike, found.worst_last, "last_resort_ms"),
        _worst(plan, alike, found.worst_first_dead, "first_ms"),
        _worst(plan, alike, found.worst_last_dead, "last_resort_ms"),
        _worst(plan, alike, found.worst_quiet, "quiet_ms"),
    )


def _name(press: Press) -> str:
    skills = f", needs {' and '.join(press.skills)}" if press.skills else ""
    return f"{Priority(press.priority).name.lower()} in queue {press.queue}, device {press.profile}{skills}"


def _worst(plan: Plan, alike: _Alike, course: Course | None, what: str) -> Worst | None:
    ms = None if course is None else getattr(course, what)
    return None if course is None or ms is None else Worst(ms, _told(plan, alike, course))


def _told(plan: Plan, alike: _Alike, course: Course) -> tuple[str, ...]:
    """The story of a course as a point of this class lives it, with its device's own patience."""
    trial, press = course.trial, alike.press
    point = point_as(plan, press)
    others = {name: one for name, one in trial.plan.points.items() if name != trial.point}
    own = replace(trial.plan, points={point.id: point, **others})
    limit = limit_ms(plan.profiles[press.profile])
    return tell(plan, run(replace(trial, plan=own, point=point.id, limit_ms=limit, brief=False)))
