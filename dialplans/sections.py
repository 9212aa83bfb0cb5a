"""Each table of a plan, read by its keys into the draft. What tables say of each other is for `check`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from dialplans import keys as k
from dialplans import model
from dialplans.lines import Path
from dialplans.reading import Draft, Reading
from dialplans.series import numbered, series
from dialplans.values import Wrong, duration, language, text

TEXT = "text:"
"""A prompt of this beginning is a text of the plan."""

TLS_PORT = 5061
_CODE = re.compile(r"\*[0-9*#]{1,8}")
CODES_IN_TALK = ("ladder", "hold", "park", "renew", "mute", "join", "hand-over", "take-over", "drop", "leave")
CODES = ("available", "pause", "pick-up", *CODES_IN_TALK)
CODES_FOR = {"police": ("parties",), "transfer": ("operators", "groups", "parties"), "ask": ("operators", "groups")}
"""Codes that name somebody, as in `ask:ann`, and the tables that may have it."""
CODE_MEANINGS = "Write " + ", ".join(f'"{code}"' for code in CODES) + ', "police:PARTY", "transfer:WHOM" or "ask:WHOM"'


def _read_plan(reading: Reading, draft: Draft, raw: object) -> None:
    draft.plan = reading.fields(("plan",), raw, k.PLAN) or {}


def _read_hours(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("hours",), raw):
        draft.where["hours", name] = path
        spans = []
        for at, row in reading.rows(path, below):
            if (found := reading.fields(at, row, k.HOURS)) is not None:
                if "days" in found and found.get("holidays") == "only":
                    what = "a stretch of holidays alone names days of the week"
                    reading.fault((*at, "days"), what, "Drop 'days', or write another 'holidays'")
                spans.append(model.Span(**{"days": tuple(range(7)), **found}))
        if below == []:
            reading.fault(path, f"hours '{name}' are never open", f"Add [[hours.{name}]] with days, from and until")
        draft.hours[name] = model.Hours(name, tuple(spans))


def _read_profiles(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("profiles",), raw):
        draft.where["profiles", name] = path
        if (found := reading.fields(path, below, k.PROFILE)) is not None:
            answer = _answer(reading, (*path, "answer"), found.pop("answer", None))
            found["controls"] = _controls(reading, path, found)
            draft.profiles[name] = model.Profile(id=name, **answer, **found)


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


def _controls(reading: Reading, profile: Path, found: dict[str, Any]) -> dict[str, model.Control]:
    controls: dict[str, model.Control] = {}
    for name, path, below in reading.tables((*profile, "controls"), found.get("controls", {})):
        if (fields := reading.fields(path, below, k.CONTROL)) is not None:
            controls[name] = model.Control(id=name, **fields)
    return controls


def _read_points(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("points",), raw):
        draft.where["points", name] = path
        if (found := reading.fields(path, below, k.POINT)) is not None:
            draft.points[name] = model.Point(id=name, **found | {"buttons": _buttons(reading, path, found)})


def _read_point_series(reading: Reading, draft: Draft, raw: object) -> None:
    for path, below in reading.rows(("point_series",), raw):
        if (found := reading.fields(path, below, k.POINT_SERIES)) is not None:
            place = found.pop("place")
            found["buttons"] = _buttons(reading, path, found)
            for number, name in series(reading, draft, path, found, "points"):
                draft.points[name] = model.Point(id=name, place=numbered(place, number), **found)


def _buttons(reading: Reading, point: Path, found: dict[str, Any]) -> tuple[model.Button, ...]:
    buttons: list[model.Button] = []
    for name, path, below in reading.tables((*point, "buttons"), found.get("buttons", {})):
        fields = reading.fields(path, below, k.BUTTON)
        if fields is None:
            continue
        told_by = [key for key in ("user", "header", "digit") if key in fields]
        if len(told_by) != 1:
            what = f"button '{name}' is told by {' and '.join(told_by) or 'nothing'}"
            reading.fault(path, what, "Write exactly one of user, header and digit")
            continue
        if "digit" in fields and "queue" in fields:
            what = f"button '{name}' is a digit, which is pressed when the call has its queue"
            reading.fault((*path, "queue"), what, "Drop 'queue', or tell the button by user or header")
        sign = (told_by[0], fields[told_by[0]])
        twin = next((each.id for each in buttons if getattr(each, sign[0]) == sign[1]), None)
        if twin is not None:
            reading.fault((*path, sign[0]), f"button '{twin}' has this {sign[0]} already", "Give each button one of its own")
        buttons.append(model.Button(id=name, **fields))
    return tuple(buttons)


def _read_operators(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("operators",), raw):
        draft.where["operators", name] = path
        if (found := reading.fields(path, below, k.OPERATOR)) is not None:
            draft.operators[name] = model.Operator(id=name, **found)


def _read_operator_series(reading: Reading, draft: Draft, raw: object) -> None:
    for path, below in reading.rows(("operator_series",), raw):
        if (found := reading.fields(path, below, k.OPERATOR_SERIES)) is not None:
            called = found.pop("name")
            for number, name in series(reading, draft, path, found, "operators"):
                draft.operators[name] = model.Operator(id=name, name=numbered(called, number), **found)


def _read_queues(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("queues",), raw):
        draft.where["queues", name] = path
        if (found := reading.fields(path, below, k.QUEUE)) is not None:
            tiers = [model.Tier(**row) for row in reading.built((*path, "tiers"), found.pop("tiers", []), k.TIER)]
            ladders = reading.built((*path, "ladders"), found.pop("ladders", []), k.QUEUE_LADDER)
            by_hours = tuple((row["hours"], row["ladder"]) for row in ladders)
            if "reassurance" in found:
                found["reassurance"] = _spoken(draft, found["reassurance"])
            draft.queues[name] = model.Queue(id=name, tiers=tuple(tiers), ladders=by_hours, **found)


def _spoken(draft: Draft, name: str) -> str:
    """The prompt of that name: a text of the plan, else a phrase."""
    return f"{TEXT}{name}" if draft.knows("texts", name) else name


def _read_ladders(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("ladders",), raw):
        draft.where["ladders", name] = path
        if (found := reading.fields(path, below, k.LADDER)) is not None:
            steps = [model.Step(**row) for row in reading.built((*path, "steps"), found.pop("steps"), k.STEP)]
            draft.ladders[name] = model.Ladder(id=name, steps=tuple(steps), **found)


def _read_parties(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("parties",), raw):
        draft.where["parties", name] = path
        if (found := reading.fields(path, below, k.PARTY)) is not None:
            routes = [model.Route(**row) for row in reading.built((*path, "routes"), found.pop("routes"), k.ROUTE)]
            draft.parties[name] = model.Party(id=name, routes=tuple(routes), **found)


def _read_notices(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("notices",), raw):
        draft.where["notices", name] = path
        if (found := reading.fields(path, below, k.NOTICE)) is not None:
            if len(found) != 1 and isinstance(below, Mapping) and len(set(below) & set(k.NOTICE)) != 1:
                reading.fault(path, f"notice '{name}' goes {'two ways' if found else 'nowhere'}", "Write either webhook or mail")
            draft.notices[name] = model.Notice(id=name, **found)


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


def _read_texts(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("texts",), raw):
        draft.where["texts", name] = path
        if name in PHRASES:
            reading.fault(path, f"'{name}' is a phrase that comes with the service", "Give the text another id")
        draft.texts[name] = words = {}
        for spoken, said in reading.pairs(path, below, 'Write a line for each language, such as en = "Please wait"'):
            try:
                words[language(spoken)] = text(said)
            except Wrong as wrong:
                reading.fault((*path, spoken), wrong.what, wrong.instead)


def _read_pauses(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, said in reading.tables(("pauses",), raw):
        draft.where["pauses", name] = path
        try:
            draft.pauses[name] = text(said)
        except Wrong as wrong:
            reading.fault(path, wrong.what, wrong.instead)


def _read_codes(reading: Reading, draft: Draft, raw: object) -> None:
    for code, meaning in reading.pairs(("codes",), raw, 'Write [codes] with lines such as "*1" = "available"'):
        path = ("codes", code)
        if not _CODE.fullmatch(code):
            reading.fault(path, f"'{code}' is no code", 'Write a star and digits in quotes, such as "*1"')
            continue
        if code.startswith("*5") and len(code) == 3:
            reading.fault(path, f"'{code}' says an outcome, whatever a plan says", "Take a code that does not begin with *5")
        try:
            draft.codes[code] = text(meaning)
        except Wrong as wrong:
            reading.fault(path, wrong.what, CODE_MEANINGS)


def _simple(section: str, keys: k.Keys, kind: Callable[..., Any]) -> Callable[[Reading, Draft, object], None]:
    """What reads a section whose tables are each one value of the model and nothing more."""

    def read(reading: Reading, draft: Draft, raw: object) -> None:
        built: dict[str, Any] = getattr(draft, "about_groups" if section == "groups" else section)
        for name, path, below in reading.tables((section,), raw):
            draft.where[section, name] = path
            if (found := reading.fields(path, below, keys)) is not None:
                built[name] = kind(id=name, **found)

    return read


def _read_trunks(reading: Reading, draft: Draft, raw: object) -> None:
    for name, path, below in reading.tables(("trunks",), raw):
        draft.where["trunks", name] = path
        if (found := reading.fields(path, below, k.TRUNK)) is None:
            continue
        if found.get("transport") == "tls":
            found.setdefault("port", TLS_PORT)
        elif "ca" in found:
            reading.fault((*path, "ca"), "without TLS there is no certificate to look at", 'Write transport = "tls", or no ca')
        if found.get("register") and not found.get("user"):
            reading.fault((*path, "register"), f"nobody registers at trunk '{name}'", "Add its user")
        draft.trunks[name] = model.Trunk(id=name, **found)


PHRASES = (
    *("reassurance", "calling-back", "outcome", "accepted", "refused", "hold", "parked", "interrupted"),
    *("transfer", "call-out"),
    *("items-passed", "items-left"),
    *("help-point-call", "class-emergency", "class-high", "class-normal", "class-information"),
    *(f"accept-{digit}" for digit in range(1, 10)),
    *(f"hour-{hour:02}" for hour in range(24)),
    *(f"minute-{minute:02}" for minute in range(60)),
)
"""The spoken phrases that come with the service (audio/prompts)."""

SECTIONS: Mapping[str, Callable[[Reading, Draft, object], None]] = {
    "plan": _read_plan,
    "hours": _read_hours,
    "profiles": _read_profiles,
    "points": _read_points,
    "point_series": _read_point_series,
    "point_groups": _simple("point_groups", k.POINT_GROUP, model.PointGroup),
    "operators": _read_operators,
    "operator_series": _read_operator_series,
    "groups": _simple("groups", k.GROUP, model.Group),
    "texts": _read_texts,
    "queues": _read_queues,
    "ladders": _read_ladders,
    "parties": _read_parties,
    "trunks": _read_trunks,
    "cameras": _simple("cameras", k.CAMERA, model.Camera),
    "nuisance": _simple("nuisance", k.NUISANCE, model.Nuisance),
    "notices": _read_notices,
    "outcomes": _read_outcomes,
    "pauses": _read_pauses,
    "codes": _read_codes,
}
"""What reads each table, in the order in which they are read; `texts` before the queues that name them."""

NEEDED: Mapping[tuple[str, ...], str] = {
    ("plan",): "Add the table [plan] with a name and a time zone",
    ("points", "point_series"): "Add a help point as [points.ID], or a [[point_series]]",
    ("profiles",): "Add what kind of device the points are, as [profiles.ID]",
    ("queues",): "Add a queue as [queues.ID]",
    ("ladders",): "Add a ladder as [ladders.ID]",
    ("parties",): "Add the outside party that is the last resort, as [parties.ID]",
}
"""Without these a press would end nowhere."""
