"""`rehearse`: what a plan would have done with presses that were, or with a storm of presses that never was."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import FAULTS, MISUSE, JsonOption, fail, say, table, write_json

if TYPE_CHECKING:
    from callserver.planning.figures import Waits
    from callserver.planning.period import Period
    from callserver.planning.rehearse import Progress, Rehearsal
    from dialplans.model import Plan

PLOT, REPORT = "waits.svg", "report.json"
BAR_PARTS = 400  # a bar is drawn anew no more often


_Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan's file that is to be tried.")]
_Against = Annotated[
    Path | None,
    typer.Option("--against", metavar="JOURNAL", help="A service's data directory, running or not: its presses once more."),
]
_Storm = Annotated[
    str | None,
    typer.Option("--storm", metavar="SPEC", help="A storm's file, or the name of one that comes with the package."),
]
_Before = Annotated[
    Path | None,
    typer.Option("--plan-before", metavar="FILE", help="The plan to compare with. Default: the journal's own."),
]
_Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="The journal from here on: a local day, or day and time.")
]
_Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="The journal up to here, without this time.")]
_Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Another seed than the storm's own.")]
_Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the plot and the report go.")]


def rehearse(
    plan: _Plan,
    against: _Against = None,
    storm: _Storm = None,
    plan_before: _Before = None,
    since: _Since = None,
    until: _Until = None,
    seed: _Seed = None,
    out: _Out = Path("rehearsal"),
    as_json: JsonOption = False,
) -> None:
    """Show who would have waited how long under a plan: replay a journal's presses, or a storm, in simulated time.

    Nothing is rung and nothing of the service is touched. 0: rehearsed, 1: a plan has faults, 2: nothing to rehearse.
    """
    if (against is None) == (storm is None):
        fail(f"name one of --against JOURNAL and --storm SPEC; storms that come with it: {', '.join(_shipped())}", MISUSE)
    tried = _plan(plan)
    before = None if plan_before is None else _plan(plan_before)
    waits: Waits | None = None
    with _progress(as_json) as progress:
        if storm is not None:
            period = _storm(storm, seed, tried, before)
        else:
            assert against is not None
            period, waits = _recorded(against, tried, since, until, progress)
        if not period.presses:
            fail(f"{against or storm}: nobody pressed in this time", MISUSE)
        started = time.perf_counter()
        done = _rehearsed(period, tried, before, waits, progress)
        took_s = time.perf_counter() - started
    _write(done, out)
    _report(done, out, took_s, as_json)


def _rehearsed(
    period: "Period", tried: "Plan", before: "Plan | None", waits: "Waits | None", progress: "Progress"
) -> "Rehearsal":
    from callserver.planning.rehearse import rehearse as run
    from callserver.planning.sitting import Endless

    earlier = period.plans if before is None else ((period.begins, before),)
    try:
        return run(period, tried, earlier, waits, progress)
    except Endless as error:
        fail(str(error), FAULTS)


# ---- what is read --------------------------------------------------------------------------------------------


def _plan(file: Path) -> "Plan":
    from dialplans.faults import PlanError
    from dialplans.load import load

    try:
        return load(file)
    except PlanError as error:
        fail(str(error), FAULTS)
    except OSError as error:
        fail(f"{file}: {error.strerror}", MISUSE)


def _shipped() -> list[str]:
    from importlib import resources

    names = [entry.name for entry in resources.files("callserver.planning").joinpath("storms").iterdir()]
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def _storm(spec: str, seed: int | None, plan: "Plan", before: "Plan | None") -> "Period":
    from dataclasses import replace
    from importlib import resources

    from callserver.planning.storm import StormError, parse
    from callserver.planning.weather import generate

    file = Path(spec)
    try:
        if file.is_file():
            text = file.read_bytes().decode("utf-8")
        elif spec in _shipped():
            text = resources.files("callserver.planning").joinpath("storms", f"{spec}.toml").read_text("utf-8")
        else:
            fail(f"{spec}: there is no such file, and no storm of this name; there are {', '.join(_shipped())}", MISUSE)
        storm = parse(text, spec)
        return generate(storm if seed is None else replace(storm, seed=seed), plan, before)
    except StormError as error:
        fail(str(error), MISUSE)
    except UnicodeDecodeError:
        fail(f"{spec}: the file is not in UTF-8. Save it as UTF-8.", MISUSE)
    except OSError as error:
        fail(f"{spec}: {error.strerror}", MISUSE)


def _recorded(place: Path, plan: "Plan", since: str | None, until: str | None, progress: "Progress") -> "tuple[Period, Waits]":
    from msgspec import DecodeError

    from callserver.commands.store import reading_in
    from callserver.planning.recorded import Recorded
    from callserver.store import journal
    from callserver.store.engine import FILE_NAME, store_path

    data = place.parent if place.name == FILE_NAME else place
    if not store_path(data).is_file():
        fail(f"{place}: there is no journal here; name the data directory of a service, which holds {FILE_NAME}", MISUSE)
    recorded = Recorded(_utc_ns("--since", since, plan.time_zone), _utc_ns("--until", until, plan.time_zone))
    with reading_in(data) as engine:
        total = journal.last_number(engine)
        try:
            for row in journal.read(engine):
                recorded.take(row.fact, row.instant, row.utc_ns)
                if row.number % 500 == 0:
                    progress("reading", row.number, total)
                if recorded.settled:
                    break
        except journal.UnknownKind as error:
            fail(f"{place}: {error}", FAULTS)
        except DecodeError as error:
            fail(f"{place}: the journal holds a row that cannot be read ({error}); callserver verify names it", FAULTS)
    return recorded.period(str(place)), recorded.waits


def _utc_ns(option: str, told: str | None, zone: str) -> int | None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    if told is None:
        return None
    try:
        found = datetime.fromisoformat(told)
    except ValueError:
        fail(f'{option} {told}: write a day or a day and a time, such as "2026-03-02" or "2026-03-02T20:00"', MISUSE)
    found = found if found.tzinfo is not None else found.replace(tzinfo=ZoneInfo(zone))
    return round(found.timestamp()) * 1_000_000_000


# ---- what is shown -------------------------------------------------------------------------------------------


@contextmanager
def _progress(quiet: bool) -> "Iterator[Progress]":
    """A bar for each part of the work on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda name, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description:>9}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    known: dict[str, tuple[TaskID, int]] = {}

    def tell(name: str, done: int, total: int) -> None:
        bar, told = known.get(name) or (bars.add_task(name, total=total), 0)
        if name not in known or done - told >= total / BAR_PARTS:
            bars.update(bar, completed=done)
            known[name] = (bar, done)

    with bars:
        yield tell


def _write(done: "Rehearsal", out: Path) -> None:
    import json

    from callserver.planning.plot import svg
    from callserver.planning.report import values

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / PLOT).write_text(svg(done), "utf-8")
        (out / REPORT).write_text(json.dumps(values(done), indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror}", FAULTS)


def _report(done: "Rehearsal", out: Path, took_s: float, as_json: bool) -> None:
    from zoneinfo import ZoneInfo

    from callserver.planning import report

    events = sum(run.effort.events for run in done.runs if run.effort is not None)
    if as_json:
        effort = {"events": events, "seconds": round(took_s, 3)}
        write_json({**report.values(done), "plot": str(out / PLOT), "effort": effort})
        return
    zone, period = ZoneInfo(done.zone), done.period
    begins, ends = report.local(period.begins, zone), report.local(period.ends, zone)
    say(f"{period.name}: {report.count(len(period.presses), 'press', 'es')} from {begins} to {ends}, {done.zone}\n")
    table(report.HEAD, report.table(done))
    for run in done.runs:
        if run.other_alarms:
            say(f"\n{report.count(run.other_alarms, 'alarm')} of no incident: {run.name}")
    if any(run.name == "old" for run in done.runs):
        say(f"\nAnswered sooner under the new plan: {report.count(done.sooner, 'incident')}; later: {done.later}")
    if done.differences:
        table(report.DIFFERENCES_HEAD, report.differences(done))
    for line in done.told:
        say(f"note: {line}")
    say(f"\n{out / PLOT}: the plot. {events:,} events in {took_s:.1f} s, {events / max(took_s, 1e-9):,.0f} events/s")
