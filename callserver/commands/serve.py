"""`serve`, `demo` and `restart`: starting the service and replacing a part of it."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from callserver.commands.output import FAULTS, ConfigOption, SetOption, configured, fail, say

if TYPE_CHECKING:
    from callserver.config import Config

RESTART_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.05


def serve(
    config: ConfigOption = None,
    settings: SetOption = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Serve HTTPS with this certificate (PEM), as [web] tls_cert.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key (PEM), as [web] tls_key.")] = None,
) -> None:
    """Run the service until SIGTERM or SIGINT. The plan and the certificate are checked first."""
    named = {"web.tls_cert": tls_cert, "web.tls_key": tls_key}
    the = configured(config, settings, {key: file for key, file in named.items() if file is not None})
    _check_plan(the)
    _check_certificate(the)
    handed_over = _prepare(the, config)
    command = [sys.executable, "-m", "callserver.runtime.supervisor", str(handed_over)]
    os.execv(sys.executable, command)  # so that the first process, which must never die, carries nothing of this one


def demo(
    sip_port: Annotated[int, typer.Option(min=1, max=65535, help="SIP over UDP and TCP.")] = 5060,
    web_port: Annotated[int, typer.Option(min=1, max=65535, help="The web service.")] = 8080,
    street_port: Annotated[int, typer.Option(min=1, max=65535, help="The page with the street.")] = 8090,
    rtp_ports: Annotated[str, typer.Option(metavar="LOW-HIGH", help="Ports of the sound.")] = "20000-29999",
    seat_ports: Annotated[str, typer.Option(metavar="LOW-HIGH", help="Ports of browsers' sound.")] = "30000-30499",
    directory: Annotated[Path, typer.Option(metavar="DIR", help="Where the demo keeps its things.")] = Path("var"),
    history: Annotated[bool, typer.Option(help="Make a few finished calls for the auditor at the first start.")] = True,
    tones: Annotated[bool, typer.Option("--tones", help="Points and police desk play tones, for measuring.")] = False,
    only_loopback: Annotated[
        bool, typer.Option("--only-loopback", help="Browsers' sound goes over 127.0.0.1 alone, not over every address.")
    ] = False,
) -> None:
    """Run the service on loopback with a street of simulated points to press at, and print links for every role."""
    from callserver.runtime.demo import run
    from callserver.runtime.demo_parts import Demo

    the = Demo(directory.resolve(), sip_port, web_port, street_port, rtp_ports, tones, history, seat_ports, only_loopback)
    raise typer.Exit(run(the))


def restart(
    what: Annotated[str, typer.Argument(metavar="switchboard|web|archivist|watch", help="The process to replace.")],
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Replace one process of the running service, as after an upgrade. Conversations go on."""
    if what not in ("switchboard", "web", "archivist", "watch"):
        raise typer.BadParameter("name switchboard, web, archivist or watch")
    the = configured(config, settings)
    storage, processes = the.storage, the.storage.processes
    old = pid_of(processes, what)
    if old == 0:
        fail(f"no {what} runs here: {processes} does not name one")
    if what == "switchboard":
        _check_plan(the)
    elif what == "web":
        _check_certificate(the)
    began_s = time.monotonic()
    try:
        os.kill(old, signal.SIGTERM)
    except OSError as error:
        fail(f"{what} (process {old}) cannot be stopped: {error.strerror}")
    new = _successor(processes, what, old)
    if what == "switchboard":
        _wait_for_answer(storage.control_socket)
    say(f"{what}: process {old} replaced by {new} in {time.monotonic() - began_s:.1f} s")


def _prepare(config: "Config", file: Path | None) -> Path:
    from callserver.config import file_of
    from callserver.runtime.first import hand_over, prepare_store

    try:
        handed_over = hand_over(config, file_of(file))
        prepare_store(config)
    except OSError as error:
        fail(f"{error.filename} cannot be made: {error.strerror}; choose another in [storage]")
    except ValueError as error:  # a store of a newer version, a seed file with faults
        fail(str(error), FAULTS)
    return handed_over


def pid_of(processes: Path, name: str) -> int:
    """The process of this name in the supervisor's list, 0 without one."""
    try:
        rows: list[dict[str, Any]] = json.loads(processes.read_text())
    except (OSError, ValueError):
        return 0
    return next((int(row["pid"]) for row in rows if row.get("name") == name), 0)


def _successor(processes: Path, name: str, old: int) -> int:
    deadline_s = time.monotonic() + RESTART_WITHIN_S
    while (new := pid_of(processes, name)) in (0, old):
        if time.monotonic() > deadline_s:
            fail(f"{name}: no successor within {RESTART_WITHIN_S:.0f} s; see the service's log")
        time.sleep(_LOOK_EVERY_S)
    return new


def _wait_for_answer(control_socket: Path) -> None:
    from callserver.control import Unavailable, Verb, ask_sync

    deadline_s = time.monotonic() + RESTART_WITHIN_S
    while True:
        try:
            ask_sync(control_socket, Verb.STATUS)
            return
        except Unavailable as error:
            if time.monotonic() > deadline_s:
                fail(f"switchboard: the successor does not answer: {error}")
            time.sleep(_LOOK_EVERY_S)


def _check_certificate(config: "Config") -> None:
    from callserver.commands.certificate import tls_faults

    faults = tls_faults(config)
    if faults:
        fail("\n".join(faults), FAULTS)


def _check_plan(config: "Config") -> None:
    if config.plan.file is None:
        return
    from callserver.commands.check import plan_faults

    faults = plan_faults(config.plan.file)
    if faults:
        fail("\n".join(faults), FAULTS)
