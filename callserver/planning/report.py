"""A rehearsal as rows for people and as plain values for programs."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from callserver.core.instant import MS, SECOND
from callserver.planning.figures import Figures, Wait, class_name, words
from callserver.planning.rehearse import Difference, Rehearsal, Run

HEAD = (
    *("", "plan", "incidents", "presses", "by seat", "outside", "nobody", "first ring", "95 %", "worst"),
    *("answer", "95 %", "worst", "in target", "hung up", "lost", "parked", "handed", "alarms"),
)
DIFFERENCES_HEAD = ("pressed", "point", "class", "old plan", "new plan")
_ORDER = {"all": 0, "class": 1, "queue": 2}


def table(rehearsal: Rehearsal) -> list[tuple[str, ...]]:
    """The rows below `HEAD`: all, each class, each queue; for each of them one row per run."""
    rows = []
    for of in _kinds(rehearsal):
        named = of
        for run in rehearsal.runs:
            row = next((row for row in run.rows if row.of == of), None)
            if row is not None:
                rows.append((named, run.name, *_cells(row)))
                named = ""
    return rows


def _kinds(rehearsal: Rehearsal) -> list[str]:
    """What rows are of: as the runs have them, classes by rank, queues by name."""
    found = {row.of: number for run in rehearsal.runs for number, row in reversed(list(enumerate(run.rows)))}
    classes = {f"class {class_name(number)}": number for number in range(16)}
    return sorted(found, key=lambda of: (_ORDER[of.partition(" ")[0]], classes.get(of, 0), of))


def _cells(row: Figures) -> tuple[str, ...]:
    share = f"{100 * row.in_target / row.incidents:.0f} %" if row.incidents else "-"
    lengths = [words(ms) for three in (row.ring, row.answer) for ms in three or (None, None, None)]
    counts = (row.hung_up, row.lost, row.parked, row.handed, row.alarms)
    people = (row.incidents, row.presses, row.by_seat, row.by_party, row.unanswered)
    return (*map(str, people), *lengths, share, *map(str, counts))


def differences(rehearsal: Rehearsal) -> list[tuple[str, ...]]:
    """The rows below `DIFFERENCES_HEAD`."""
    zone = ZoneInfo(rehearsal.zone)
    return [
        (local(one.opened, zone), one.point, class_name(one.priority), words(one.old_ms), words(one.new_ms))
        for one in rehearsal.differences
    ]


def count(number: int, one: str, more: str = "s") -> str:
    """A number of things: "1 press", "2 presses"."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}{more}"


def local(at_ns: int, zone: ZoneInfo) -> str:
    """An instant by the site's clocks, to the second."""
    return f"{datetime.fromtimestamp(at_ns // SECOND, UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def values(rehearsal: Rehearsal) -> dict[str, Any]:
    """All of it for JSON: times RFC 3339 UTC, lengths in milliseconds, null for a wait without an end."""
    period = rehearsal.period
    return {
        "name": period.name,
        "from": _rfc3339(period.begins),
        "until": _rfc3339(period.ends),
        "presses": len(period.presses),
        "sooner": rehearsal.sooner,
        "later": rehearsal.later,
        "told": list(rehearsal.told),
        "runs": [_run(run) for run in rehearsal.runs],
        "differences": [_difference(one) for one in rehearsal.differences],
    }


def _run(run: Run) -> dict[str, Any]:
    effort = None if run.effort is None else {"events": run.effort.events, "facts": run.effort.facts}
    return {
        "plan": run.name,
        "figures": [_figures(row) for row in run.rows],
        "other_alarms": run.other_alarms,
        "refused_presses": run.refused,
        "effort": effort,
        "incidents": [_wait(wait) for wait in run.waits],
    }


def _figures(row: Figures) -> Mapping[str, Any]:
    return {
        "of": row.of,
        "incidents": row.incidents,
        "presses": row.presses,
        "by_seat": row.by_seat,
        "by_party": row.by_party,
        "unanswered": row.unanswered,
        "first_ring_ms": _three(row.ring),
        "answer_ms": _three(row.answer),
        "in_target": row.in_target,
        "hung_up": row.hung_up,
        "lost": row.lost,
        "parked": row.parked,
        "handed": row.handed,
        "alarms": row.alarms,
    }


def _three(lengths: tuple[float, float, float] | None) -> Mapping[str, float | None] | None:
    if lengths is None:
        return None
    return dict(zip(("median", "p95", "worst"), map(_finite, lengths), strict=True))


def _finite(ms: float) -> float | None:
    return None if math.isinf(ms) else ms


def _wait(wait: Wait) -> Mapping[str, Any]:
    return {
        "id": wait.id,
        "point": wait.point,
        "queue": wait.queue,
        "class": class_name(wait.priority),
        "pressed": _rfc3339(wait.opened),
        "presses": wait.presses,
        "first_ring_ms": wait.ring_ms,
        "answer_ms": wait.answer_ms,
        "answered_by": wait.answered_by,
        "hung_up_ms": wait.hung_up_ms,
        "parked": wait.parked,
        "handed": wait.handed,
        "alarms": wait.alarms,
    }


def _difference(one: Difference) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "point": one.point,
        "class": class_name(one.priority),
        "pressed": _rfc3339(one.opened),
        "old_ms": _finite(one.old_ms),
        "new_ms": _finite(one.new_ms),
    }


def _rfc3339(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{at_ns % SECOND // MS:03d}Z"
