"""What a storm means for a plan: its presses and changes, drawn by its seed. Pure, and the same for the same seed.

Each row of the storm draws by itself, and so does each press, so that a row more or less changes no other's.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from callserver.core import events as ev
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.instant import MS, SECOND, Instant, later
from callserver.planning.chance import Chance, Spread
from callserver.planning.period import TALK_MS, Change, Doing, LinesLost, Period, Press
from callserver.planning.storm import Entry, Storm, StormError
from dialplans.faults import Fault
from dialplans.model import Button, Plan, Point

HOUR_MS = 3_600_000
PRESSES_MOST = 200_000
OUTCOME_AFTER_MS = 20_000
PRANK_EVERY_MS = 15_000
MASS_OVER_MS = 600_000
SILENT_MS = 10_000
DIGIT_MS = 2_000  # after the press, where a button is a digit
EARTH_M = 6_371_000


@dataclass(slots=True)
class _Sky:
    storm: Storm
    plan: Plan
    plans: Sequence[Plan]
    begins: Instant
    faults: list[Fault] = field(default_factory=list)
    pressed: list[tuple[int, str, str, Entry]] = field(default_factory=list)  # (ms from start, point, button, row)
    changes: list[Change | LinesLost] = field(default_factory=list)

    def fault(self, entry: Entry, what: str, instead: str) -> None:
        self.faults.append(Fault(self.storm.file, entry.line, what, instead))

    def at(self, ms: int) -> Instant:
        return later(self.begins, ms)


def generate(storm: Storm, plan: Plan, before: Plan | None = None) -> Period:
    """The storm over the points and operators of `plan` (and the operators of the plan `before`).

    Raises `StormError` for rows that fit nothing there.
    """
    local = storm.start.replace(tzinfo=ZoneInfo(plan.time_zone))
    begins = Instant(round((local - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND)
    sky = _Sky(storm, plan, [plan] if before is None else [plan, before], begins)
    on_duty = _on_duty(sky)
    for number, entry in enumerate(storm.entries):
        _MAKES[entry.kind](sky, entry, Chance(storm.seed, entry.kind, number), on_duty)
        if len(sky.pressed) > PRESSES_MOST:
            sky.fault(entry, f"more than {PRESSES_MOST:,} presses", "Write a shorter storm or a lower rate")
            break
    if sky.faults:
        raise StormError(sky.faults)
    sky.pressed.sort(key=lambda one: one[:3])
    people = [*on_duty, *(party for known in sky.plans for party in known.parties if party not in on_duty)]
    return Period(
        name=storm.name,
        begins=begins,
        ends=sky.at(storm.duration_ms),
        presses=tuple(_press(sky, number, people, *one) for number, one in enumerate(sky.pressed, 1)),
        changes=tuple(sorted(sky.changes, key=lambda one: one.at)),
        operators=frozenset(on_duty),
    )


def _on_duty(sky: _Sky) -> list[str]:
    known = list(dict.fromkeys(operator for plan in sky.plans for operator in plan.operators))
    seated = [operator for operator in known if _fits(operator, sky.storm.people.on_duty)]
    for operator in seated:
        sky.changes.append(Change(sky.begins, ev.SeatBound(OperatorId(operator), "storm")))
        sky.changes.append(Change(sky.begins, ev.MakeAvailable(OperatorId(operator), "storm")))
    for pattern in sky.storm.people.on_duty:
        if pattern != "*" and not any(fnmatchcase(operator, pattern) for operator in known):
            instead = f"Operators are {_some(known)}"
            sky.faults.append(Fault(sky.storm.file, sky.storm.people_line, f"no operator fits '{pattern}'", instead))
    return seated


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


# ---- where ---------------------------------------------------------------------------------------------------


def _where(sky: _Sky, entry: Entry) -> list[Point]:
    """The points that a row means, at least one; else a fault."""
    says, points = entry.says, list(sky.plan.points.values())
    for pattern in says.get("points", ()):
        if not any(fnmatchcase(point.id, pattern) for point in points):
            sky.fault(entry, f"no point fits '{pattern}'", f"Points are {_some([point.id for point in points])}")
            return []
    if says.get("queue", next(iter(sky.plan.queues))) not in sky.plan.queues:
        sky.fault(entry, f"there is no queue '{says['queue']}'", f"Queues are {_some(list(sky.plan.queues))}")
        return []
    found = [point for point in points if _is_meant(point, says)]
    if not found:
        sky.fault(
            entry, "no point fits all that this row says", "Ask for less: points, queue, class and button have to fit together"
        )
    return found


def _is_meant(point: Point, says: Mapping[str, object]) -> bool:
    button = _button(point, str(says.get("button", "")))
    priority = point.priority if button is None else button.priority
    queue = (button.queue if button is not None else "") or point.queue
    patterns = says.get("points", ("*",))
    assert isinstance(patterns, tuple)
    return (
        _fits(point.id, patterns)
        and says.get("queue", queue) == queue
        and says.get("priority", priority) == priority
        and (button is not None or "button" not in says)
    )


def _button(point: Point, wanted: str) -> Button | None:
    return next((button for button in point.buttons if button.id == wanted), None)


def _around(sky: _Sky, entry: Entry, chance: Chance) -> list[Point]:
    """The point of a mass incident and those nearest to it."""
    points = _where(sky, entry)
    wanted = entry.says.get("around")
    centre = next((point for point in points if point.id == wanted), None)
    if wanted is not None and centre is None and points:
        sky.fault(
            entry, f"'{wanted}' is none of the points that this row means", f"These are {_some([one.id for one in points])}"
        )
    if not points:
        return []
    middle = centre or chance.pick(points)
    return sorted(points, key=lambda point: _metres(middle, point))[: entry.says.get("nearest", 3)]


def _metres(one: Point, other: Point) -> float:
    """How far apart; points without a place stand behind all others."""
    if one is other:
        return -1.0
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return math.inf
    north = math.radians(other.latitude - one.latitude)
    east = math.radians(other.longitude - one.longitude) * math.cos(math.radians(one.latitude))
    return EARTH_M * math.hypot(north, east)


# ---- presses -------------------------------------------------------------------------------------------------


def _times(sky: _Sky, entry: Entry, chance: Chance) -> Iterable[int]:
    """Poisson arrivals, in milliseconds from the start."""
    end = min(entry.says.get("until_ms", sky.storm.duration_ms), sky.storm.duration_ms)
    at = float(entry.says.get("from_ms", 0))
    for _ in range(PRESSES_MOST + 1):
        at += chance.exponential(HOUR_MS / entry.says["per_hour"])
        if at >= end:
            return
        yield int(at)


def _arrivals(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> None:
    points = _where(sky, entry)
    for at in _times(sky, entry, chance) if points else ():
        _add(sky, at, chance.pick(points), entry)


def _mass(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> None:
    """Most press at the beginning: the times fall off exponentially over `over`."""
    points = _around(sky, entry, chance)
    over = entry.says.get("over_ms", MASS_OVER_MS)
    for _ in range(entry.says["presses"] if points else 0):
        at = chance.exponential(over / 3)
        _add(sky, entry.says["at_ms"] + int(at % over), chance.pick(points), entry)


def _pranks(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> None:
    points = _where(sky, entry)
    for at in _times(sky, entry, chance) if points else ():
        point = chance.pick(points)
        for _ in range(entry.says.get("presses", 5)):
            _add(sky, at, point, entry)
            at += entry.length("every", PRANK_EVERY_MS).draw(chance)


def _add(sky: _Sky, at: int, point: Point, entry: Entry) -> None:
    if at < sky.storm.duration_ms:
        sky.pressed.append((at, point.id, entry.says.get("button", ""), entry))


def _press(sky: _Sky, number: int, people: Sequence[str], at: int, point: str, button: str, entry: Entry) -> Press:
    chance, known = Chance(sky.storm.seed, "press", number), sky.storm.people
    patience = entry.says.get("patience")
    silent = chance.part() < entry.says.get("silent", 0.0)
    parties = {party for plan in sky.plans for party in plan.parties}
    pressed = _button(sky.plan.points[point], button)
    digit = "" if pressed is None else pressed.digit
    return Press(
        id=IncidentId(f"p{number}"),
        point=PointId(point),
        at=sky.at(at),
        button="" if digit else button,
        replies={one: _reply(sky, number, one, one in parties) for one in people},
        talk_ms=entry.length("talk", TALK_MS).draw(chance),
        outcome_ms=entry.length("outcome_after", OUTCOME_AFTER_MS).draw(chance),
        outcome=entry.says.get("outcome", ""),
        hangs_up_ms=None if patience is None else patience.draw(chance),
        back_ms=None if chance.part() < known.call_back_unanswered else known.call_back.draw(chance),
        doings=(
            *((Doing(DIGIT_MS, "digit", digit),) if digit else ()),
            *((Doing(SILENT_MS, "silent", str(SILENT_MS)),) if silent else ()),
        ),
    )


def _reply(sky: _Sky, number: int, who: str, is_party: bool) -> int | None:
    chance, people = Chance(sky.storm.seed, "reply", number, who), sky.storm.people
    length: Spread = people.party_answer if is_party else people.answer
    share = people.party_unanswered if is_party else people.unanswered
    return None if chance.part() < share else length.draw(chance)


# ---- seats and trunks ----------------------------------------------------------------------------------------


def _who(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> list[str]:
    if "operators" not in entry.says:
        return chance.some(on_duty, round(entry.says.get("share", 0.5) * len(on_duty)))
    for pattern in entry.says["operators"]:
        if not any(fnmatchcase(operator, pattern) for operator in on_duty):
            sky.fault(entry, f"no operator on duty fits '{pattern}'", f"On duty are {_some(on_duty)}")
    return [operator for operator in on_duty if _fits(operator, entry.says["operators"])]


def _leave(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> None:
    for operator in map(OperatorId, _who(sky, entry, chance, on_duty)):
        sky.changes.append(Change(sky.at(entry.says["at_ms"]), ev.Pause(operator, "left", "storm")))
        if "back_after_ms" in entry.says:
            back = sky.at(entry.says["at_ms"] + entry.says["back_after_ms"])
            sky.changes.append(Change(back, ev.MakeAvailable(operator, "storm")))


def _seats_dead(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> None:
    at = sky.at(entry.says["at_ms"])
    for operator in map(OperatorId, _who(sky, entry, chance, on_duty)):
        sky.changes.append(Change(at, ev.SeatUnbound(operator, "dead")))
        sky.changes.append(LinesLost(at, operator))
        if "back_after_ms" in entry.says:
            back = Instant(at + entry.says["back_after_ms"] * MS)
            sky.changes.append(Change(back, ev.SeatBound(operator, "storm")))
            sky.changes.append(Change(back, ev.MakeAvailable(operator, "storm")))


def _trunks_lost(sky: _Sky, entry: Entry, chance: Chance, on_duty: Sequence[str]) -> None:
    known = list(dict.fromkeys(trunk for plan in sky.plans for trunk in plan.trunks))
    patterns = entry.says.get("trunks", ("*",))
    for pattern in patterns:
        if pattern != "*" and not any(fnmatchcase(trunk, pattern) for trunk in known):
            sky.fault(entry, f"no trunk fits '{pattern}'", f"Trunks are {_some(known) or 'none'}")
    for trunk in known:
        if _fits(trunk, patterns):
            sky.changes.append(Change(sky.at(entry.says["at_ms"]), ev.TrunkLost(trunk, "lost in the storm")))
            if "back_after_ms" in entry.says:
                back = sky.at(entry.says["at_ms"] + entry.says["back_after_ms"])
                sky.changes.append(Change(back, ev.TrunkReached(trunk)))


_MAKES: Mapping[str, Callable[[_Sky, Entry, Chance, Sequence[str]], None]] = {
    "arrivals": _arrivals,
    "mass": _mass,
    "pranks": _pranks,
    "leave": _leave,
    "seats_dead": _seats_dead,
    "trunks_lost": _trunks_lost,
}
