"""The quality sample: which calls of a month are looked at again, and what the sheets on them say together.

Of each operator the same number of answered calls is drawn, each equally likely: those with the smallest SHA-256 of the month's
seed, a `|` and the call's id. So whoever has the journal draws the same, on any machine. Nothing here is part of the state that
decides on calls.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from callserver.core import facts as f
from callserver.core.desk import person

PREFIX = "quality:"
SEEDS, SHEETS = f"{PREFIX}seed:", f"{PREFIX}sheet:"
"""How the ids of the rows begin, so that they are found at once among millions."""

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that was filled in. UTC ns."""

    fact: f.CallScored
    utc_ns: int


@dataclass(frozen=True, slots=True)
class Mean:
    """Of one criterion: the mean share of the points that there were to have, 0 to 1, and over how many calls."""

    share: float
    calls: int


@dataclass(frozen=True, slots=True)
class OfOperator:
    """The sample of one operator: how many calls were answered, and which are drawn, in the order of the draw. Those that were
    passed over have no sound any more, or never had."""

    operator: str
    answered: int
    drawn: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What is reported of one operator."""

    operator: str
    answered: int
    drawn: int
    scored: int
    passed: int
    means: Mapping[str, Mean]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The calls drawn, in the order of the draw; those before the last of them that were passed over; whether more are wanted."""

    drawn: tuple[str, ...]
    passed: tuple[str, ...]
    short: bool


def seed_id(month: str) -> str:
    """What the row with a month's seed is called: there is one."""
    return f"{SEEDS}{month}"


def sheet_id(call: str, fresh: str) -> str:
    """What the row with a sheet is called; `fresh` tells it from others on the same call."""
    return f"{SHEETS}{call}:{fresh}"


def month_of(utc_ns: int, zone: str) -> str:
    """The month in which a moment lies, by the clocks of a place: `2026-11`."""
    return datetime.fromtimestamp(utc_ns // _SECOND_NS, ZoneInfo(zone)).strftime("%Y-%m")


def begin_of(month: str, zone: str) -> int:
    """UTC ns at which a month begins there. Raises ValueError for what is no month."""
    year, dash, number = month.partition("-")
    if not (dash and len(year) == 4 and len(number) == 2 and (year + number).isascii() and (year + number).isdigit()):
        raise ValueError(f"{month!r} is no month: write it as 2026-11")
    return int(datetime(int(year), int(number), 1, tzinfo=ZoneInfo(zone)).timestamp()) * _SECOND_NS


def neighbour(month: str, step: int) -> str:
    """The month so many after, or before where `step` is negative."""
    count = int(month[:4]) * 12 + int(month[5:7]) - 1 + step
    return f"{count // 12:04d}-{count % 12 + 1:02d}"


def ordered(seed: str, calls: Iterable[tuple[str, str]]) -> dict[str, list[tuple[bytes, str]]]:
    """(operator, call) as operator -> (digest, call): sorted, a list is the order in which its calls are drawn.

    `seed` is hex. The lists are not sorted here, for of a hundred thousand calls two are wanted.
    """
    begun = hashlib.sha256(f"{seed}|".encode())
    found: dict[str, list[tuple[bytes, str]]] = {}
    for operator, call in calls:
        digest = begun.copy()
        digest.update(call.encode())
        found.setdefault(operator, []).append((digest.digest(), call))
    return found


def chosen(order: Sequence[str], wanted: int, gone: Collection[str], scored: Collection[str]) -> Chosen:
    """The first `wanted` calls of an order that can be heard or were scored; one that was scored stays drawn for good.

    `gone` are those of which there is no sound any more, or never was.
    """
    drawn: list[str] = []
    passed: list[str] = []
    for call in order:
        if call in scored or (call not in gone and len(drawn) < wanted):
            drawn.append(call)
        elif len(drawn) < wanted:
            passed.append(call)
    return Chosen(tuple(drawn), tuple(passed), len(drawn) < wanted)


def objection(by: str, people: Iterable[str]) -> str:
    """Why `by` may not fill in the sheet of a call in which these people were, in words; "" where they may."""
    own = person(by) in {person(one) for one in people}
    return "whoever was in the call does not judge it; another supervisor or auditor does" if own else ""


def fault_of(scores: Mapping[str, int], most: Mapping[str, int]) -> str:
    """What is wrong with points, given the most of each criterion there is; "" for nothing."""
    if not scores:
        return "no criterion has points"
    for criterion, points in scores.items():
        if criterion not in most:
            return f"there is no criterion {criterion!r}"
        if not 0 <= points <= most[criterion]:
            return f"{criterion} has points from 0 to {most[criterion]}"
    return ""


def means(sheets: Iterable[f.CallScored]) -> dict[str, Mean]:
    """By criterion, over the sheet that counts of each call."""
    shares: dict[str, list[float]] = {}
    for sheet in sheets:
        for criterion, points in sheet.scores.items():
            shares.setdefault(criterion, []).append(points / sheet.most[criterion])
    return {criterion: Mean(sum(found) / len(found), len(found)) for criterion, found in shares.items()}


def report(operators: Iterable[OfOperator], sheets: Mapping[str, Sequence[Sheet]]) -> list[Line]:
    """A line for each operator, in the order of the sample: a handful of calls makes no ranking."""
    lines = []
    for one in operators:
        last = [sheets[call][-1].fact for call in one.drawn if sheets.get(call)]
        lines.append(Line(one.operator, one.answered, len(one.drawn), len(last), len(one.passed), means(last)))
    return lines
