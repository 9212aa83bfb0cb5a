"""The archivist's look at the disks: how much is free, how fast it goes, and when nothing will be left; see archive.forecast.

Samples are kept over restarts in `DATA/space.json`. The switchboard looks at its own two disks besides, and tells when one is all
but full (runtime.watchers); this tells days before that.
"""

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import structlog

from audio.tracks import write_aside
from callserver.archive import forecast
from callserver.archive.forecast import Limits, Sample
from callserver.config import Config
from callserver.control import CommandRefused, DiskStatus, Unavailable, Verb, ask_sync

LOOK_EVERY_S = 30.0
SAMPLE_EVERY_S = 900
TIMEOUT_S = 5.0
FILE = "space.json"
log = structlog.get_logger()


class Space:
    """Looks for ever; `look` is one."""

    def __init__(self, config: Config) -> None:
        storage = config.storage
        self._socket = storage.control_socket
        self._limits = Limits(storage.alarm_hours, storage.alarm_percent)
        self._file = Path(storage.data) / FILE
        self._places = places(config)
        self._samples = _load(self._file)
        self._raised: dict[str, str | None] = {}  # None: a predecessor may have raised it
        self.worked_s = time.monotonic()

    def serve(self) -> None:
        """For ever."""
        while True:
            self.worked_s = time.monotonic()
            try:
                self.look(int(time.time()))
            except (Unavailable, CommandRefused) as error:
                log.warning("space.not_told", error=str(error))
            time.sleep(LOOK_EVERY_S)

    def look(self, utc_s: int) -> None:
        """At all of them. Raises `Unavailable` or `CommandRefused` when the switchboard does not take it."""
        found = {name: disk for name, path in self._places.items() if (disk := _disk(path)) is not None}
        self._sample(utc_s, found)
        told = [self._status(name, utc_s, *disk[1:]) for name, disk in found.items()]
        self._ask(Verb.DISKS, {"disks": msgspec.to_builtins(told)})
        sharing: dict[int, list[str]] = defaultdict(list)
        for name, disk in found.items():
            sharing[disk[0]].append(name)
        for names in sharing.values():
            self._judge(names, *found[names[0]][1:])

    def _sample(self, utc_s: int, found: Mapping[str, tuple[int, int, int]]) -> None:
        due = [name for name in found if not self._known(name) or utc_s - self._known(name)[-1].utc_s >= SAMPLE_EVERY_S]
        for name in due:
            _, free, total = found[name]
            self._samples[name] = forecast.kept(self._known(name), Sample(utc_s, total - free))
        if due:
            try:
                write_aside(self._file, msgspec.json.encode(self._samples))
            except OSError as error:  # what is known goes on being known here
                log.warning("space.not_kept", error=str(error))

    def _known(self, name: str) -> Sequence[Sample]:
        return self._samples.get(name, [])

    def _status(self, name: str, utc_s: int, free: int, total: int) -> DiskStatus:
        rate = forecast.bytes_per_hour(self._known(name))
        left = forecast.hours_left(free, rate)
        hours = None if left is None else round(left, 1)
        return DiskStatus(name, free, total, None if rate is None else round(rate), hours, utc_s * 1_000_000_000)

    def _judge(self, names: Sequence[str], free: int, total: int) -> None:
        """One alarm for each disk, under the name of the first directory on it."""
        key = f"space:{names[0]}"
        known = self._raised.get(key)
        rate = forecast.bytes_per_hour(self._known(names[0]))
        text = forecast.trouble(names, free, total, rate, self._limits, bool(known))
        if bool(text) == bool(known) and known is not None:
            return  # the figures in the text are not told anew with each look
        if known != "":
            self._ask(Verb.CLEAR_ALARM, {"key": key})
        if text:
            self._ask(Verb.RAISE_ALARM, {"key": key, "text": text})
        self._raised[key] = text

    def _ask(self, verb: str, args: Mapping[str, Any]) -> None:
        ask_sync(self._socket, verb, args, TIMEOUT_S)


def places(config: Config) -> Mapping[str, Path]:
    """The directories whose disks are looked at."""
    storage = config.storage
    return {"data": storage.data, "captures": storage.captures, "recordings": storage.recordings, "spool": storage.spool}


def foretold(config: Config) -> list[tuple[list[str], float | None, str]]:
    """Of each disk from the samples that are kept: directories on it, hours until it is full (None: it does not fill), and what
    is wrong with that in words. Nothing of a disk that was not measured for an hour."""
    known = _load(Path(config.storage.data) / FILE)
    sharing: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for name, path in places(config).items():
        if known.get(name) and (disk := _disk(path)) is not None:
            sharing[disk[0]].append((name, *disk[1:]))
    limits, found = Limits(config.storage.alarm_hours, config.storage.alarm_percent), []
    for members in sharing.values():
        names, (first, free, total) = [name for name, *_ in members], members[0]
        rate = forecast.bytes_per_hour(known[first])
        if rate is not None:
            text = forecast.trouble(names, free, total, rate, limits, False)
            found.append((names, forecast.hours_left(free, rate), text))
    return found


def _disk(path: Path) -> tuple[int, int, int] | None:
    """(device, bytes free for us, bytes in all); None for a directory that is not there or cannot be asked."""
    try:
        found = os.statvfs(path)
        return os.stat(path).st_dev, found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    except OSError as error:
        log.warning("space.not_measured", path=str(path), error=str(error))
        return None


def _load(path: Path) -> dict[str, list[Sample]]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, list[Sample]])
    except (OSError, msgspec.DecodeError):
        return {}
