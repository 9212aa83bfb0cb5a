"""`check`: a plan and a configuration, before they go live; and the proof that no press ends in silence."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callserver.commands.output import FAULTS, MISUSE, ConfigOption, JsonOption, SetOption, fail, overrides

if TYPE_CHECKING:
    from callserver.commands.checking import Report
    from callserver.config import Config

StrictOption = Annotated[bool, typer.Option("--strict", help="Leave with 1 for warnings too.")]
WithinOption = Annotated[
    str | None, typer.Option("--within", metavar="TIME", help='The longest time to the first ring, such as "1m30s".')
]
ProofOption = Annotated[bool, typer.Option("--proof/--no-proof", help="Whether the plan is proven, or only read.")]


def check(
    plan: Annotated[
        Path | None, typer.Argument(metavar="PLAN", help="A plan's file, alone. Default: the configuration and its plan.")
    ] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
    within: WithinOption = None,
    strict: StrictOption = False,
    proof: ProofOption = True,
    as_json: JsonOption = False,
) -> None:
    """Check and prove a plan, or the configuration with its plan and credentials. 0: good, 1: faults, 2: nothing to check."""
    from callserver.commands.checking import Report, read_plan, write

    found = Report()
    within_ms = None if within is None else _duration(within)
    the = _configuration(config, settings or [], found) if config is not None or plan is None else None
    file = plan or (the.plan.file if the else None)
    if file is None and not found.faults:
        fail("there is no plan to check: name one, or set [plan] file in the configuration", MISUSE)
    if plan is not None and not plan.is_file():
        fail(f"{plan}: there is no such file", MISUSE)
    if file is not None:
        found.file = file
        loaded = read_plan(file, found)
        if the is not None and loaded is not None:
            from callserver.commands.credentials import missing_credentials

            found.missing, troubles = missing_credentials(loaded, the)
            found.faults += troubles
        if loaded is not None and proof:
            found.prove(loaded, within_ms)
    write(found, as_json)
    if found.bad or (strict and found.doubtful):
        raise typer.Exit(FAULTS)


def plan_faults(file: Path) -> list[str]:
    """Everything that is wrong with a plan's file, one sentence each."""
    from callserver.commands.checking import Report, read_plan

    found = Report()
    read_plan(file, found)
    return found.faults


def _duration(text: str) -> int:
    from dialplans.values import Wrong, duration

    try:
        return int(duration()(text))
    except Wrong as error:
        fail(f"--within {text}: {error}", MISUSE)


def _configuration(file: Path | None, settings: list[str], found: "Report") -> "Config | None":
    from callserver.commands.certificate import sip_tls_faults, tls_faults
    from callserver.commands.keeping import site_key_faults
    from callserver.config import ConfigError, load

    try:
        the = load(file, overrides(settings))
    except ConfigError as error:
        found.faults += error.faults
        return None
    found.faults += tls_faults(the)
    found.faults += sip_tls_faults(the)
    found.faults += site_key_faults(the)
    return the
