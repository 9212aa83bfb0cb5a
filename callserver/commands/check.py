"""`check`: a plan and a configuration, before they go live."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callserver.commands.output import FAULTS, MISUSE, ConfigOption, JsonOption, SetOption, fail, overrides, say, write_json

if TYPE_CHECKING:
    from callserver.commands.credentials import Missing
    from callserver.config import Config


def check(
    plan: Annotated[
        Path | None, typer.Argument(metavar="PLAN", help="A plan's file, alone. Default: the configuration and its plan.")
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a plan, or the configuration with its plan and credentials. 0: good, 1: faults, 2: nothing to check."""
    faults: list[str] = []
    missing: tuple[Missing, ...] = ()
    the = None
    if config is not None or plan is None:
        the, faults = _configuration(config, settings or [])
    if the is not None:
        from callserver.commands.certificate import tls_faults

        faults += tls_faults(the)
    file = plan or (the.plan.file if the else None)
    if file is None and not faults:
        fail("there is no plan to check: name one, or set [plan] file in the configuration", MISUSE)
    if plan is not None and not plan.is_file():
        fail(f"{plan}: there is no such file", MISUSE)
    if file is not None:
        broken = plan_faults(file)
        faults += broken
        if the is not None and not broken:
            from callserver.commands.credentials import missing_credentials
            from dialplans.load import load as load_plan

            missing, troubles = missing_credentials(load_plan(file), the)
            faults += troubles
    _report(faults, missing, file, as_json)
    if faults or missing:
        raise typer.Exit(FAULTS)


def plan_faults(file: Path) -> list[str]:
    """Everything that is wrong with a plan's file, one sentence each."""
    from dialplans.faults import PlanError
    from dialplans.load import load as load_plan

    try:
        load_plan(file)
    except PlanError as error:
        return [str(fault) for fault in error.faults]
    except OSError as error:
        return [f"{file}: {error.strerror}"]
    return []


def _configuration(file: Path | None, settings: list[str]) -> "tuple[Config | None, list[str]]":
    from callserver.config import ConfigError, load

    try:
        return load(file, overrides(settings)), []
    except ConfigError as error:
        return None, list(error.faults)


def _report(faults: list[str], missing: "tuple[Missing, ...]", file: Path | None, as_json: bool) -> None:
    if as_json:
        rows: list[dict[str, Any]] = [{"kind": one.kind, "id": one.id, "needs": one.needs} for one in missing]
        write_json({"good": not (faults or missing), "plan": str(file or ""), "faults": faults, "without_credentials": rows})
        return
    for fault in faults:
        say(fault)
    for one in missing:
        say(f"{one.kind} {one.id} has no {one.needs}: callserver users add, or a seed")
    if not faults and not missing:
        say(f"{file}: good")
