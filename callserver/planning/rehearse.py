"""A rehearsal: one period under one plan or two, side by side, and who would have waited differently."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callserver.core.instant import Instant
from callserver.planning.figures import NEVER, Figures, Wait, Waits, figures
from callserver.planning.period import Period
from callserver.planning.sitting import Effort, Sitting
from dialplans.model import Plan

Progress = Callable[[str, int, int], None]  # (which run, milliseconds done, of how many)

MOST_DIFFERENT = 20
NOTICED_MS = 250  # waits that differ by less are alike


@dataclass(frozen=True, slots=True)
class Run:
    """What came of the period: `name` is recorded, old or new. Nothing was run for what is recorded."""

    name: str
    waits: tuple[Wait, ...]
    rows: tuple[Figures, ...]
    other_alarms: int
    refused: int
    effort: Effort | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One incident that both plans had: how long it waited for an answer under each, in milliseconds or `NEVER`."""

    id: str
    point: str
    priority: int
    opened: Instant
    old_ms: float
    new_ms: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All that is shown. The last of `runs` is the new plan's."""

    period: Period
    zone: str
    runs: tuple[Run, ...]
    differences: tuple[Difference, ...]  # those with the greatest difference first, at most `MOST_DIFFERENT`
    sooner: int
    later: int
    told: tuple[str, ...]


def rehearse(
    period: Period,
    plan: Plan,
    before: Sequence[tuple[Instant, Plan]] = (),
    recorded: Waits | None = None,
    progress: Progress = lambda name, done, total: None,
) -> Rehearsal:
    """Runs the period under the plans in force `before` (none: no such run) and under `plan`. Raises `sitting.Endless`."""
    runs = [] if recorded is None else [_told(recorded)]
    if before:
        runs.append(_run("old", period, before, progress))
    runs.append(_run("new", period, ((period.begins, plan),), progress))
    pairs = _pairs(runs[-2], runs[-1]) if before else []
    differing = sorted((one for one in pairs if _size(one) >= NOTICED_MS), key=_size, reverse=True)
    return Rehearsal(
        period=period,
        zone=plan.time_zone,
        runs=tuple(runs),
        differences=tuple(differing[:MOST_DIFFERENT]),
        sooner=sum(one.new_ms < one.old_ms for one in differing),
        later=sum(one.new_ms > one.old_ms for one in differing),
        told=(*period.told, *_unknown(period, plan)),
    )


def _told(waits: Waits) -> Run:
    return Run("recorded", tuple(waits.all.values()), tuple(figures(waits.all.values())), waits.alarms, waits.refused)


def _run(name: str, period: Period, plans: Sequence[tuple[Instant, Plan]], progress: Progress) -> Run:
    waits = Waits()
    effort = Sitting(period, plans, waits.take).run(lambda done, total: progress(name, done, total))
    known = tuple(waits.all.values())
    return Run(name, known, tuple(figures(known)), waits.alarms, waits.refused, effort)


def _pairs(before: Run, after: Run) -> list[Difference]:
    old = {wait.id: wait for wait in before.waits}
    return [
        Difference(new.id, new.point, new.priority, new.opened, _length(old[new.id]), _length(new))
        for new in after.waits
        if new.id in old
    ]


def _length(wait: Wait) -> float:
    return NEVER if wait.answer_ms is None else wait.answer_ms


def _size(one: Difference) -> float:
    return 0.0 if one.new_ms == one.old_ms else abs(one.new_ms - one.old_ms)


def _unknown(period: Period, plan: Plan) -> list[str]:
    """What the new plan does not know of the period, and the period not of the new plan."""
    told = []
    for point in sorted({press.point for press in period.presses} - set(plan.points)):
        count = sum(press.point == point for press in period.presses)
        told.append(f"point {point} is not in the plan: its presses are left out ({count})")
    for operator in sorted(period.operators - set(plan.operators)):
        told.append(f"operator {operator} was there and is not in the plan: not rung")
    for operator in sorted(set(plan.operators) - period.operators):
        told.append(f"operator {operator} of the plan was never there: counted as off duty")
    missing: dict[str, int] = {}
    for press in period.presses:
        if press.point in plan.points and press.outcome and press.outcome not in plan.outcomes:
            missing[press.outcome] = missing.get(press.outcome, 0) + 1
    for outcome, count in sorted(missing.items()):
        told.append(f"outcome {outcome} is not in the plan: incidents close with its first ({count})")
    for point, button in sorted({(press.point, press.button) for press in period.presses if press.button}):
        known = plan.points.get(point)
        if known is not None and all(button != one.id for one in known.buttons):
            told.append(f"button {button} of point {point} is not in the plan: a press of the point itself")
    return told
