"""The report of `check`: what was found, and how it is written for people and for programs."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from callserver.commands.output import say, write_json

if TYPE_CHECKING:
    from callserver.commands.credentials import Missing
    from callserver.planning.verdict import Doubt, Hole, PressClass, Verdict, Worst
    from dialplans.model import Plan

PATIENCE_S = 1.0
NAMES_MOST = 6


@dataclass(slots=True)
class Report:
    """Everything that `check` finds, in the order in which it looks."""

    file: Path | None = None
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # of the text; those of the proof stand in the verdict
    missing: "tuple[Missing, ...]" = ()
    verdict: "Verdict | None" = None
    took_s: float = 0.0

    @property
    def bad(self) -> bool:
        """Whether something must be mended."""
        return bool(self.faults or self.missing or (self.verdict is not None and self.verdict.holes))

    @property
    def doubtful(self) -> bool:
        """Whether something should be looked at."""
        return bool(self.warnings or (self.verdict is not None and self.verdict.warnings))

    def prove(self, plan: "Plan", within_ms: int | None) -> None:
        """Proves the plan for the coming year, with a line on standard error when it takes longer than a second."""
        from callserver.planning.proof import prove

        started = time.monotonic()
        shown = False

        def progress(done: int, matters: int, runs: int) -> None:
            nonlocal shown
            if time.monotonic() - started > PATIENCE_S:
                shown = True
                typer.echo(f"\rproving: {done} of {matters} kinds of presses, {runs} runs", nl=False, err=True)

        self.verdict = prove(plan, time.time_ns(), within_ms, progress)
        self.took_s = time.monotonic() - started
        if shown:
            typer.echo("", err=True)


def read_plan(file: Path, found: Report) -> "Plan | None":
    """The plan in a file; its faults and warnings go into the report."""
    from dialplans.faults import PlanError
    from dialplans.load import loaded

    try:
        read = loaded(file)
    except PlanError as error:
        found.faults += [str(fault) for fault in error.faults]
        return None
    except OSError as error:
        found.faults.append(f"{file}: {error.strerror}")
        return None
    found.warnings += [str(fault) for fault in read.warnings]
    return read.plan


def write(found: Report, as_json: bool) -> None:
    """The report, to standard output."""
    if as_json:
        write_json(_rows(found))
        return
    for fault in found.faults:
        say(fault)
    for one in found.missing:
        say(f"{one.kind} {one.id} has no {one.needs}: callserver users add, or a seed")
    if found.verdict is not None:
        _tell(found.verdict, found.took_s)
    for warning in found.warnings:
        say(f"warning: {warning}")
    if not found.bad:
        say(f"{found.file}: good")


def _rows(found: Report) -> dict[str, Any]:
    rows = {
        "good": not found.bad,
        "plan": str(found.file or ""),
        "faults": found.faults,
        "warnings": found.warnings,
        "without_credentials": [{"kind": one.kind, "id": one.id, "needs": one.needs} for one in found.missing],
    }
    if found.verdict is not None:
        rows["proof"] = {**asdict(found.verdict), "good": found.verdict.good, "took_s": round(found.took_s, 3)}
    return rows


# ---- the proof, for people ----------------------------------------------------------------------------------


def _tell(verdict: "Verdict", took_s: float) -> None:
    for hole in verdict.holes:
        _hole(hole)
    for one in verdict.classes:
        _class(one)
    for doubt in verdict.warnings:
        say(f"warning: {_doubt(doubt)}")
    say("Assumed: " + "; ".join(verdict.assumptions) + ".")
    outcome = f"{len(verdict.holes)} holes" if verdict.holes else "every press rings somebody, until somebody answers"
    say(f"{verdict.plan}: {outcome} ({verdict.runs} runs in {took_s:.1f} s)")


def _hole(hole: "Hole") -> None:
    say(f"HOLE: {hole.what} ({_names(hole.points)})")
    _indented(hole.story)


def _class(one: "PressClass") -> None:
    say(f"{one.name} ({_names(one.points)})")
    if one.first is not None and one.last_resort is not None:
        say(f"  a seat or the last resort rings within {_time(one.first)}, the last resort within {_time(one.last_resort)}")
        if one.first_with_dead_lines is not None and one.last_resort_with_dead_lines is not None:
            first, last = _time(one.first_with_dead_lines), _time(one.last_resort_with_dead_lines)
            say(f"  with dead lines, one route of the last resort working: {first} and {last}")
        if one.quiet is not None:
            say(f"  until somebody answers it is never quiet for longer than {_time(one.quiet)}")
        say("  the longest way to the last resort:")
        _indented(one.last_resort.story)


def _doubt(doubt: "Doubt") -> str:
    return f"{doubt.what} ({_names(doubt.points)})" if doubt.points else doubt.what


def _time(worst: "Worst") -> str:
    from callserver.planning.story import clock

    return clock(worst.ms)


def _names(points: tuple[str, ...]) -> str:
    shown = ", ".join(points[:NAMES_MOST])
    more = len(points) - NAMES_MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _indented(lines: Iterable[str]) -> None:
    for line in lines:
        say(f"    {line}")
