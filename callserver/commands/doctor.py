"""`doctor`: is this machine fit to run the service? Each check looks at one thing and says what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from callserver.commands.findings import Finding, Level
from callserver.commands.output import FAULTS, ConfigOption, JsonOption, SetOption, configured, say, write_json

if TYPE_CHECKING:
    from callserver.config import Config

Check = Callable[["Config"], Iterator[Finding]]

_MARKS = {Level.GOOD: "good   ", Level.WARNING: "warning", Level.FAULT: "FAULT  "}


def doctor(config: ConfigOption = None, settings: SetOption = None, as_json: JsonOption = False) -> None:
    """Check the machine, the installation and the running service. 1 when there is a fault."""
    from callserver.commands import certificate, evidence, keeping, machine, software

    the = configured(config, settings)
    checks: tuple[Check, ...] = (
        software.pjsip,
        software.speech,
        software.prompts,
        software.credentials,
        machine.disks,
        machine.modes,
        machine.limits,
        machine.ranks,
        machine.ports,
        certificate.tls,
        certificate.sip_tls,
        evidence.evidence,
        keeping.site_key,
        keeping.backups,
        keeping.retention,
        keeping.forecast,
        machine.clock,
        machine.service,
    )
    findings = [finding for check in checks for finding in check(the)]
    faults = sum(finding.level is Level.FAULT for finding in findings)
    if as_json:
        write_json({"good": not faults, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            say(f"{_MARKS[finding.level]} {finding.check}: {finding.what}")
            if finding.what_to_do:
                say(f"        {finding.what_to_do}")
        say(f"{faults} faults" if faults else "no faults")
    if faults:
        raise typer.Exit(FAULTS)
