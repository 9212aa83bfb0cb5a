"""A storm's text: the presses of a stretch of time that never was, told by rates, shares and lengths. Pure.

`parse` gives a `Storm` or all faults with their lines. What it means for a plan is made in `weather`.
Change together: the tables here, docs/rehearse.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callserver.planning.chance import Spread
from callserver.planning.period import CALL_BACK_ANSWERED_MS, PARTY_ANSWERS_MS, SEAT_ANSWERS_MS
from dialplans import values as v
from dialplans.faults import Fault, PlanError
from dialplans.keys import Key, Keys
from dialplans.lines import Path
from dialplans.reading import Reading
from dialplans.sources import gather
from dialplans.values import Wrong

LONGEST_MS = 31 * v.DAY_MS
_GLOB = re.compile(r"[A-Za-z0-9._*?\[\]-]{1,64}")
_A_LENGTH = 'Write "2m", { mean = "2m" }, { median = "2m", factor = 1.8 } or { from = "1m", to = "3m" }'


class StormError(ValueError):
    """The text is no storm, or none for this plan. `faults` holds everything that was found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@v.reader()
def _length(value: object) -> Spread:
    if isinstance(value, str):
        return Spread("exactly", v.milliseconds(value))
    keys = set(value) if isinstance(value, Mapping) else set()
    if isinstance(value, Mapping) and keys == {"mean"}:
        return Spread("mean", v.milliseconds(value["mean"]))
    if isinstance(value, Mapping) and keys == {"median", "factor"}:
        return Spread("median", v.milliseconds(value["median"]), _number(1.0, 10.0)(value["factor"]))
    if isinstance(value, Mapping) and keys == {"from", "to"}:
        low, high = v.milliseconds(value["from"]), v.milliseconds(value["to"])
        if low <= high:
            return Spread("from", low, high)
    raise Wrong(f"{value!r} is no length of time", _A_LENGTH)


def _number(low: float, high: float) -> v.Reader:
    @v.reader()
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise Wrong(f"{value!r} is no number from {low:g} to {high:g}", f"Write a number from {low:g} to {high:g}")
        return float(value)

    return read


@v.reader()
def _patterns(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and _GLOB.fullmatch(one) for one in value):
        raise Wrong(f"{value!r} is no list of ids", 'Write a list of ids or patterns, such as ["dl-*"]')
    return tuple(value)


@v.reader()
def _local_time(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime) or found.tzinfo is not None:
        raise Wrong(f"{value!r} is no local time", 'Write day and time of the plan\'s time zone, such as "2026-06-06T20:00"')
    return found


_SEAT = Spread("exactly", SEAT_ANSWERS_MS)
_PARTY = Spread("exactly", PARTY_ANSWERS_MS)
_CALL_BACK = Spread("exactly", CALL_BACK_ANSWERED_MS)

_SHARE = Key(_number(0.0, 1.0))
_LENGTH = Key(_length)
_FROM_START = v.duration(0, LONGEST_MS)

STORM: Keys = {
    "name": Key(v.text),
    "start": Key(_local_time, required=True),
    "duration": Key(v.duration(60_000, LONGEST_MS), required=True, field="duration_ms"),
    "seed": Key(v.integer(0, 1_000_000_000)),
}
PEOPLE: Keys = {
    "on_duty": Key(_patterns),
    "answer": _LENGTH,
    "unanswered": _SHARE,
    "party_answer": _LENGTH,
    "party_unanswered": _SHARE,
    "call_back": _LENGTH,
    "call_back_unanswered": _SHARE,
}
_CALLER: Keys = {
    "talk": _LENGTH,
    "outcome": Key(v.ident),
    "outcome_after": Key(_length),
    "patience": _LENGTH,
    "silent": _SHARE,
}
_WHERE: Keys = {
    "points": Key(_patterns),
    "queue": Key(v.ident),
    "class": Key(v.choice(v.PRIORITIES), field="priority"),
    "button": Key(v.ident),
}
_WHILE: Keys = {"from": Key(_FROM_START, field="from_ms"), "until": Key(_FROM_START, field="until_ms")}
_AT: Keys = {"at": Key(_FROM_START, required=True, field="at_ms"), "back_after": Key(_FROM_START, field="back_after_ms")}
_WHO: Keys = {"operators": Key(_patterns), "share": _SHARE}
_RATE = Key(_number(0.001, 100_000.0), required=True)

ARRIVALS: Keys = {"per_hour": _RATE, **_WHERE, **_WHILE, **_CALLER}
MASS: Keys = {
    "at": Key(_FROM_START, required=True, field="at_ms"),
    "presses": Key(v.integer(1, 10_000), required=True),
    "over": Key(v.duration(1_000, LONGEST_MS), field="over_ms"),
    "around": Key(v.ident),
    "nearest": Key(v.integer(1, 1_000)),
    **_WHERE,
    **_CALLER,
}
PRANKS: Keys = {
    "per_hour": _RATE,
    "presses": Key(v.integer(1, 100)),
    "every": _LENGTH,
    **_WHERE,
    **_WHILE,
    **_CALLER,
}
LEAVE: Keys = {**_AT, **_WHO}
SEATS_DEAD: Keys = {**_AT, **_WHO}
TRUNKS_LOST: Keys = {**_AT, "trunks": Key(_patterns)}

TABLES: Mapping[str, Keys] = {"storm": STORM, "people": PEOPLE}
ROWS: Mapping[str, Keys] = {
    "arrivals": ARRIVALS,
    "mass": MASS,
    "pranks": PRANKS,
    "leave": LEAVE,
    "seats_dead": SEATS_DEAD,
    "trunks_lost": TRUNKS_LOST,
}


@dataclass(frozen=True, slots=True)
class People:
    """How the people of a storm are."""

    on_duty: tuple[str, ...] = ("*",)
    answer: Spread = _SEAT
    unanswered: float = 0.0  # share of a press's seats to which nobody comes
    party_answer: Spread = _PARTY
    party_unanswered: float = 0.0
    call_back: Spread = _CALL_BACK
    call_back_unanswered: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a storm: which kind, where it stands in the text, what its keys say."""

    kind: str
    line: int
    says: Mapping[str, Any]

    def length(self, name: str, usual_ms: int) -> Spread:
        """A length, where the row says none: exactly `usual_ms`."""
        found = self.says.get(name, Spread("exactly", usual_ms))
        assert isinstance(found, Spread)
        return found


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm as it is written."""

    file: str
    name: str
    start: datetime  # local, of the plan's time zone
    duration_ms: int
    seed: int = 1
    people: People = field(default_factory=People)
    people_line: int = 1
    entries: tuple[Entry, ...] = ()


def parse(text: str, name: str) -> Storm:
    """The storm that `text` (TOML) tells; `name` is its file's, for faults. Raises `StormError` with all of them."""
    try:
        merged = gather(name, text, _nothing)
    except PlanError as error:
        raise StormError(error.faults) from error
    reading, raw = Reading(merged), merged.raw
    for section in raw:
        if section not in TABLES and section not in ROWS:
            reading.fault((section,), f"unknown table '{section}'", f"Known are {', '.join((*TABLES, *ROWS))}")
    whole = reading.fields(("storm",), raw.get("storm", {}), STORM)
    people = reading.fields(("people",), raw.get("people", {}), PEOPLE)
    entries = [entry for kind, keys in ROWS.items() for entry in _entries(reading, kind, keys, raw.get(kind, []))]
    if not any(entry.kind in ("arrivals", "mass", "pranks") for entry in entries) and not reading.faults:
        reading.fault((), "nobody presses in this storm", "Add [[arrivals]], [[mass]] or [[pranks]]")
    if reading.faults or whole is None or people is None:
        raise StormError(reading.faults)
    whole.setdefault("name", name)
    return Storm(file=name, people=People(**people), people_line=merged.place(("people",))[1], entries=tuple(entries), **whole)


def _nothing(path: str) -> str:
    raise Wrong(f"'{path}' cannot be included", "A storm stands in one file")


def _entries(reading: Reading, kind: str, keys: Keys, raw: object) -> list[Entry]:
    found = []
    for path, below in reading.rows((kind,), raw):
        says = reading.fields(path, below, keys)
        if says is not None:
            _contradictions(reading, path, says)
            found.append(Entry(kind, reading.merged.place(path)[1], says))
    return found


def _contradictions(reading: Reading, path: Path, says: Mapping[str, Any]) -> None:
    if "operators" in says and "share" in says:
        reading.fault((*path, "share"), "both 'operators' and 'share' say who it is", "Write one of them")
    if says.get("until_ms", LONGEST_MS + 1) <= says.get("from_ms", 0):
        reading.fault((*path, "until"), "'until' is not after 'from'", "Both are lengths from the storm's start")
