"""From the text of a plan to a `Plan`, or to everything that is wrong with it. Pure: the text comes as an argument.

Three passes: TOML; each table by the literal keys of `dialplans.keys`; what the tables say of each other (`check`).
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from dialplans import keys as k
from dialplans import model
from dialplans.check import check
from dialplans.faults import Fault, PlanError
from dialplans.lines import Lines, Path
from dialplans.reading import Draft, Reading
from dialplans.values import Wrong, duration, ident, text

MAX_SERIES = 10_000

_SYNTAX_AT = re.compile(r"\(at line (\d+), column \d+\)")
_NUMBER_MARK = re.compile(r"%(0\d)?d")
_CODE = re.compile(r"\*[0-9*#]{1,8}")


def parse(text: str, name: str) -> model.Plan:
    """The plan that `text` (TOML) tells. `name` is the file's name, for faults.

    Raises `PlanError` with all faults at once.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError([_syntax(error, text, name)]) from error
    reading = Reading(name, Lines(text))
    draft = Draft()
    for section in _SECTIONS:
        if section in raw:
            _SECTIONS[section](reading, draft, raw[section])
    for section in raw:
        if section not in _SECTIONS:
            reading.fault((section,), f"unknown table '{section}'", f"Known are {', '.join(_SECTIONS)}")
    for sections, why in _NEEDED.items():
        if not any(raw.get(section) for section in sections):
            reading.fault((), f"there is no '{sections[0]}'", why)
    check(reading, draft)
    if reading.faults:
        raise PlanError(reading.faults)
    return _plan(draft)


def _syntax(error: tomllib.TOMLDecodeError, text: str, name: str) -> Fault:
    at = _SYNTAX_AT.search(str(error))
    line = int(at[1]) if at else text.count("\n") + 1
    what = _SYNTAX_AT.sub("", str(error)).strip()
    return Fault(name, line, f"This is no TOML: {what}", "See https://toml.io for how it is written; a key may stand only once")


def _plan(draft: Draft) -> model.Plan:
    groups = sorted({group for operator in draft.operators.values() for group in operator.groups})
    return model.Plan(
        points=draft.points,
        profiles=draft.profiles,
        operators=draft.operators,
        groups=tuple(groups),
        queues=draft.queues,
        ladders=draft.ladders,
        parties=draft.parties,
        trunks=draft.trunks,
        outcomes=draft.outcomes,
        outcome_digits=draft.outcome_digits,
        codes=draft.codes,
        **draft.plan,
    )


def _read_plan(reading: Reading, draft: Draft, raw: object) -> None:
    draft.plan = reading.fields(("plan",), raw, k.PLAN) or {}


def _read_profiles(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("profiles",), raw):
        draft.where["profiles", name] = path
        if (found := reading.fields(path, below, k.PROFILE)) is not None:
            answer = found.pop("answer", None)
            draft.profiles[name] = model.Profile(id=name, **_answer(reading, (*path, "answer"), answer), **found)


def _answer(reading: Reading, path: Path, raw: object) -> dict[str, Any]:
    """ "human", "at-once" or "after 5s"."""
    if raw is None:
        return {}
    if raw in ("human", "at-once"):
        return {"answer": model.Answer(raw)}
    if isinstance(raw, str) and raw.startswith("after "):
        try:
            return {"answer": model.Answer.AFTER, "answer_after_ms": duration()(raw.removeprefix("after "))}
        except Wrong as wrong:
            reading.fault(path, wrong.what, f"{wrong.instead}, as in 'after 5s'")
            return {}
    reading.fault(path, f"'answer' is {raw!r}", 'Write "human", "at-once" or, with a time of your own, "after 5s"')
    return {}


def _read_points(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("points",), raw):
        draft.where["points", name] = path
        if (found := reading.fields(path, below, k.POINT)) is not None:
            draft.points[name] = model.Point(id=name, **found)


def _read_point_series(reading: Reading, draft: Draft, raw: object) -> None:
    for path, below in reading.rows(("point_series",), raw):
        if (found := reading.fields(path, below, k.POINT_SERIES)) is not None:
            place = found.pop("place")
            for number, name in _series(reading, draft, path, found, "points"):
                draft.points[name] = model.Point(id=name, place=_numbered(place, number), **found)


def _read_operators(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("operators",), raw):
        draft.where["operators", name] = path
        if (found := reading.fields(path, below, k.OPERATOR)) is not None:
            draft.operators[name] = model.Operator(id=name, **found)


def _read_operator_series(reading: Reading, draft: Draft, raw: object) -> None:
    for path, below in reading.rows(("operator_series",), raw):
        if (found := reading.fields(path, below, k.OPERATOR_SERIES)) is not None:
            called = found.pop("name")
            for number, name in _series(reading, draft, path, found, "operators"):
                draft.operators[name] = model.Operator(id=name, name=_numbered(called, number), **found)


def _series(reading: Reading, draft: Draft, path: Path, found: dict[str, Any], section: str) -> list[tuple[int, str]]:
    """The numbers and ids of a series; takes its own keys out of `found` and notes its ids as known."""
    pattern, first, last = found.pop("id"), found.pop("first"), found.pop("last")
    if len(_NUMBER_MARK.findall(pattern)) != 1:
        reading.fault((*path, "id"), f"'{pattern}' holds no single %d", 'Write the number\'s place, such as "hp%05d"')
        return []
    if not first <= last < first + MAX_SERIES:
        reading.fault((*path, "last"), f"from {first} to {last} is no series", f"Count upwards, at most {MAX_SERIES} of them")
        return []
    names = [(number, _numbered(pattern, number)) for number in range(first, last + 1)]
    try:
        ident(names[0][1])
    except Wrong as wrong:
        reading.fault((*path, "id"), wrong.what, wrong.instead)
        return []
    fresh = []
    for number, name in names:
        if draft.knows(section, name):
            reading.fault((*path, "id"), f"'{name}' is there twice in {section}", "Give the series other numbers or another id")
        else:
            draft.where[section, name] = path
            fresh.append((number, name))
    return fresh


def _numbered(pattern: str, number: int) -> str:
    """`pattern` with its %d (or %05d) replaced."""
    return _NUMBER_MARK.sub(lambda mark: mark[0] % number, pattern)


def _read_queues(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("queues",), raw):
        draft.where["queues", name] = path
        if (found := reading.fields(path, below, k.QUEUE)) is not None:
            draft.queues[name] = model.Queue(id=name, **found)


def _read_ladders(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("ladders",), raw):
        draft.where["ladders", name] = path
        if (found := reading.fields(path, below, k.LADDER)) is not None:
            steps = []
            for at, step in reading.rows((*path, "steps"), found.pop("steps")):
                if (fields := reading.fields(at, step, k.STEP)) is not None:
                    steps.append(model.Step(**fields))
            draft.ladders[name] = model.Ladder(id=name, steps=tuple(steps), **found)


def _read_parties(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("parties",), raw):
        draft.where["parties", name] = path
        if (found := reading.fields(path, below, k.PARTY)) is not None:
            routes = []
            for at, route in reading.rows((*path, "routes"), found["routes"]):
                if (fields := reading.fields(at, route, k.ROUTE)) is not None:
                    routes.append(model.Route(**fields))
            draft.parties[name] = model.Party(id=name, name=found["name"], routes=tuple(routes))


def _read_trunks(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("trunks",), raw):
        draft.where["trunks", name] = path
        if (found := reading.fields(path, below, k.TRUNK)) is not None:
            draft.trunks[name] = model.Trunk(id=name, **found)


def _read_outcomes(reading: Reading, draft: Draft, raw: object) -> None:
    """An outcome is its spoken name alone, or a table with name and digit."""
    for name, path, below in reading.tables(("outcomes",), raw):
        draft.where["outcomes", name] = path
        found = reading.fields(path, {"name": below} if isinstance(below, str) else below, k.OUTCOME)
        if found is None:
            continue
        draft.outcomes[name] = found["name"]
        key = found.get("digit", "")
        if key and key in draft.outcome_digits:
            reading.fault(
                path, f"digit {key} already means '{draft.outcome_digits[key]}'", "Give each outcome a digit of its own"
            )
        elif key:
            draft.outcome_digits[key] = name


def _read_codes(reading: Reading, draft: Draft, raw: object) -> None:
    if not isinstance(raw, Mapping):
        reading.fault(("codes",), "codes is no table", 'Write [codes] with lines such as "*1" = "available"')
        return
    for code, meaning in raw.items():
        path = ("codes", code)
        if not _CODE.fullmatch(code):
            reading.fault(path, f"'{code}' is no code", 'Write a star and digits in quotes, such as "*1"')
            continue
        try:
            draft.codes[code] = text(meaning)
        except Wrong as wrong:
            reading.fault(path, wrong.what, 'Write "available", "pause" or "police:PARTY"')


_SECTIONS: Mapping[str, Callable[[Reading, Draft, object], None]] = {
    "plan": _read_plan,
    "profiles": _read_profiles,
    "points": _read_points,
    "point_series": _read_point_series,
    "operators": _read_operators,
    "operator_series": _read_operator_series,
    "queues": _read_queues,
    "ladders": _read_ladders,
    "parties": _read_parties,
    "trunks": _read_trunks,
    "outcomes": _read_outcomes,
    "codes": _read_codes,
}

_NEEDED: Mapping[tuple[str, ...], str] = {
    ("plan",): "Add the table [plan] with a name and a time zone",
    ("points", "point_series"): "Add a help point as [points.ID], or a [[point_series]]",
    ("profiles",): "Add what kind of device the points are, as [profiles.ID]",
    ("queues",): "Add a queue as [queues.ID]",
    ("ladders",): "Add a ladder as [ladders.ID]",
    ("parties",): "Add the outside party that is the last resort, as [parties.ID]",
}
"""Without these a press would end nowhere."""
