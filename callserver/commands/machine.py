"""Checks of the machine: disks, file modes, limits, ports, the clock; and of the service, if it runs."""

import ctypes
import os
import resource
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from callserver.commands.findings import Finding, fault, good, warning
from callserver.commands.serve import pid_of
from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync, status_from
from callserver.media.urgency import FIRST

GIB = 1 << 30
LEAST_FREE = 1 * GIB
WANTED_FREE = 10 * GIB  # some 90 hours of conversation: captures, compressed, and recordings
WANTED_FILES = 4_096  # two sockets a leg, four legs a call, each held twice
_NICEST = 20  # RLIMIT_NICE is written as 20 minus the niceness (getrlimit(2))
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_AHEAD_S = 5.0


def disks(config: Config) -> Iterator[Finding]:
    """Room where facts, captures and recordings go."""
    for name in ("data", "spool"):
        directory: Path = getattr(config.storage, name)
        free = shutil.disk_usage(_existing(directory)).free
        words = f"{name}: {free / GIB:.1f} GiB free for {directory}"
        if free < LEAST_FREE:
            yield fault("disk", words, "Make room now: facts and captures will be lost when it is full.")
        elif free < WANTED_FREE:
            yield warning("disk", words, f"Make room: {WANTED_FREE // GIB} GiB are wanted.")
        else:
            yield good("disk", words)


def modes(config: Config) -> Iterator[Finding]:
    """Nobody else may read what was said or who may sign in."""
    for name in ("data", "run", "spool"):
        directory: Path = getattr(config.storage, name)
        if not directory.exists():
            continue
        mode = stat.S_IMODE(directory.stat().st_mode)
        if mode & 0o077:
            yield fault("modes", f"{directory} has mode {mode:04o}: others may look in", f"Run chmod 700 {directory}.")
        elif not os.access(directory, os.W_OK):
            yield fault("modes", f"{directory} cannot be written by this user", "Run this as the user of the service.")
        else:
            yield good("modes", f"{directory} is closed to others")


def limits(_config: Config) -> Iterator[Finding]:
    """Open files that the supervisor may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < WANTED_FILES:
        yield warning("limits", f"a process may open {hard} files", f"Raise it (LimitNOFILE={WANTED_FILES} in the unit).")
    else:
        yield good("limits", "enough open files are allowed")


def ranks(config: Config) -> Iterator[Finding]:
    """Whether those who decide and those who carry sound go first when the cores are full."""
    pid = pid_of(config.storage.processes, "supervisor") if _runs(config) else 0
    if pid:
        first = os.getpriority(os.PRIO_PROCESS, pid) <= FIRST
    else:
        allowed = resource.getrlimit(resource.RLIMIT_NICE)[1]
        first = os.geteuid() == 0 or allowed in (resource.RLIM_INFINITY, *range(_NICEST - FIRST, 41))
    if first:
        yield good("ranks", "sound and decisions go before other work")
    else:
        what_to_do = f"Allow it (LimitNICE={FIRST} in the unit, --ulimit nice={_NICEST - FIRST} in a container)."
        yield warning("ranks", "sound may stutter while other work fills the cores: it may not go first", what_to_do)


def ports(config: Config) -> Iterator[Finding]:
    """The ports are free, or ours."""
    if _runs(config):
        yield good("ports", "held by the running service")
        return
    tls = config.web.tls
    wanted = (
        ("[sip] udp_port", socket.SOCK_DGRAM, config.sip.host, config.sip.udp_port),
        ("[sip] tcp_port", socket.SOCK_STREAM, config.sip.host, config.sip.tcp_port),
        ("[web] port", socket.SOCK_STREAM, config.web.host, config.web.port),
        *((("[sip] tls_port", socket.SOCK_STREAM, config.sip.host, config.sip.tls_port),) * config.sip.tls),
        *((("[web] https_port", socket.SOCK_STREAM, config.web.https_host or config.web.host, config.web.https_port),) * tls),
        ("[sip] rtp_ports", socket.SOCK_DGRAM, config.sip.media_host, config.sip.rtp_range[0]),
    )
    for key, kind, host, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                yield fault("ports", f"{key}: {host}:{port} cannot be bound ({error.strerror})", f"Choose another with {key}.")
            else:
                yield good("ports", f"{key}: {host}:{port} is free")


def clock(config: Config) -> Iterator[Finding]:
    """The clock is synchronised, and not behind what was already journalled."""
    last_s = _last_journalled_s(config)
    if last_s > time.time() + _AHEAD_S:
        what = f"the clock is {last_s - time.time():.0f} s behind the journal's last fact"
        yield fault("clock", what, "Set the clock (timedatectl) before the service runs.")
        return
    libc = ctypes.CDLL(None, use_errno=True)
    timex = ctypes.create_string_buffer(512)  # struct timex, modes 0: only read
    state = libc.adjtimex(timex)
    if state == _TIME_ERROR:
        yield warning("clock", "no time service keeps the clock", "Run systemd-timesyncd or chrony: recordings are evidence.")
    elif state < 0:
        yield warning("clock", "the kernel does not say whether the clock is synchronised", "Look at timedatectl.")
    else:
        yield good("clock", "synchronised")


def service(config: Config) -> Iterator[Finding]:
    """What the running service says of itself."""
    if not _runs(config):
        yield good("service", "does not run here")
        return
    try:
        status = status_from(ask_sync(config.storage.control_socket, Verb.STATUS))
    except (Unavailable, CommandRefused) as error:
        yield fault("service", f"runs, but its switchboard does not answer: {error}", "See its log.")
        return
    if not status.ready:
        yield fault("service", f"not ready: {'; '.join(status.reasons)}", "See its log.")
    else:
        yield good("service", f"ready, plan {status.plan} version {status.plan_version}")
    for alarm in status.alarms:
        yield warning("service", f"alarm {alarm.key}: {alarm.text}", "Look at it, or at the incident that it names.")


def _runs(config: Config) -> bool:
    pid = pid_of(config.storage.processes, "supervisor")
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _existing(directory: Path) -> Path:
    return next(path for path in (directory, *directory.parents) if path.exists())


def _last_journalled_s(config: Config) -> float:
    from callserver.commands.store import reading
    from callserver.store.engine import store_path
    from callserver.store.queries import journal_page

    if not store_path(config.storage.data).is_file():
        return 0.0
    with reading(config) as engine:
        rows = journal_page(engine, 1)
    return rows[0].utc_ns / 1e9 if rows else 0.0
