"""Checks of what is installed: the SIP engine, speech, prompts, credentials."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from callserver.commands.check import plan_faults
from callserver.commands.credentials import missing_credentials
from callserver.commands.findings import Finding, fault, good, warning
from callserver.config import Config
from dialplans.load import load as load_plan

PATCHED_SINCE = (2, 17)
COMPENSATIONS = (
    "it speaks with loopback only; SIP from outside ends in our own edge, which validates every message and SDP",
    "RTP from outside ends in the RTP front, which passes on packets of the negotiated shape and source alone",
    "each call has a process of its own, which is replaced when it dies; codecs other than G.711 and G.722 are off",
)
_ENGINE_WITHIN_S = 20.0
_VERSION = "import pjsua2; e = pjsua2.Endpoint(); e.libCreate(); print(e.libVersion().full, flush=True); import os; os._exit(0)"
_SHOWN = 8


def pjsip(_config: Config) -> Iterator[Finding]:
    """The version of pjsip inside pjsua2, asked in a process of its own (its asserts end the process)."""
    command = [sys.executable, "-c", _VERSION]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ENGINE_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield fault("pjsip", f"pjsua2 cannot be asked: {error}", "Install the package again with its dependencies.")
        return
    lines = done.stdout.split()
    version = lines[-1] if lines else ""
    if done.returncode or not version:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        yield fault("pjsip", f"pjsua2 does not start: {last}", "Install the package again with its dependencies.")
        return
    yield engine_finding(version)


def engine_finding(version: str) -> Finding:
    """What a version of pjsip means: security patches stand in `PATCHED_SINCE` and later."""
    floor = ".".join(map(str, PATCHED_SINCE))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers >= PATCHED_SINCE:
        return good("pjsip", f"version {version}")
    what = f"version {version} lacks the security patches of {floor}"
    compensations = "; ".join(COMPENSATIONS)
    return fault(
        "pjsip", what, f"Compensated for as long as: {compensations}. Better: install a pjsua2 built from {floor} or later."
    )


def speech(_config: Config) -> Iterator[Finding]:
    """The speech synthesiser, for place names and texts of the plan."""
    path = shutil.which("espeak-ng")
    if path is None:
        what_to_do = "apt-get install espeak-ng; until then a tone plays where a place name should be spoken."
        yield warning("speech", "espeak-ng is not installed", what_to_do)
    else:
        yield good("speech", path)


def prompts(_config: Config) -> Iterator[Finding]:
    """The shipped phrases are there and what the manifest means."""
    from audio.prompts import phrases

    every = phrases()
    broken = [f"{phrase.language}/{phrase.name}" for phrase in every if not phrase.whole()]
    if broken:
        what_to_do = "Make them with python -m audio.prompts.make, or put the recordings' SHA-256 into the manifest."
        yield fault("prompts", f"missing or altered: {_some(broken)}", what_to_do)
    else:
        yield good("prompts", f"{len(every)} phrases are whole")


def credentials(config: Config) -> Iterator[Finding]:
    """The plan reads, and everybody in it can prove who they are."""
    file = config.plan.file
    if file is None:
        yield warning("plan", "the configuration names no plan", "Set [plan] file, unless one was adopted before.")
        return
    faults = plan_faults(file)
    if faults:
        yield fault("plan", f"{file} has {len(faults)} faults, the first: {faults[0]}", f"Run callserver check {file}.")
        return
    yield good("plan", str(file))
    missing, troubles = missing_credentials(load_plan(file), config)
    for trouble in troubles:
        yield fault("credentials", trouble, "Correct it and run callserver check.")
    if missing:
        ids = _some([f"{one.kind} {one.id}" for one in missing])
        yield fault("credentials", f"{len(missing)} ids of the plan have none: {ids}", "Run callserver users add, or seed them.")
    elif not troubles:
        yield good("credentials", "every id of the plan has what it needs")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
