"""The archivist's look at the disks: what it tells, what it keeps over restarts, and when an alarm rings."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.config import Config
from callserver.control import Verb
from callserver.runtime import space
from callserver.runtime.disks_told import DisksTold
from callserver.runtime.space import Space

HOUR_S = 3_600
GIB = 1 << 30


class Machine:
    """Disks of the test's size, and all that the switchboard is told."""

    def __init__(self, directory: Path) -> None:
        storage = {"data": str(directory / "data"), "run": str(directory / "run"), "spool": str(directory / "spool")}
        self.config = Config.model_validate({"storage": storage})
        for path in (self.config.storage.captures, self.config.storage.recordings, Path(self.config.storage.spool)):
            path.mkdir(parents=True)
        self.free: dict[int, int] = {1: 500 * GIB, 2: 900 * GIB}
        self.apart = {"spool": 2}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def disk(self, path: Path) -> tuple[int, int, int] | None:
        device = self.apart.get(path.name, 1)
        return (device, self.free[device], 1_000 * GIB) if path.is_dir() else None

    def ask(self, socket: object, verb: str, args: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        self.asked.append((verb, args))
        return {}

    def alarms(self) -> list[tuple[str, str]]:
        return [(verb, args["key"]) for verb, args in self.asked if verb in (Verb.RAISE_ALARM, Verb.CLEAR_ALARM)]

    def disks(self) -> dict[str, dict[str, Any]]:
        told = next(args for verb, args in reversed(self.asked) if verb == Verb.DISKS)
        return {disk["id"]: disk for disk in told["disks"]}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)
    monkeypatch.setattr(space, "_disk", made.disk)
    monkeypatch.setattr(space, "ask_sync", made.ask)
    return made  # type: ignore[return-value]


def test_every_directory_is_told_with_what_is_free_and_soon_with_its_hours(machine: Machine) -> None:
    looks = Space(machine.config)
    looks.look(0)
    assert list(machine.disks()) == ["data", "captures", "recordings", "spool"]
    assert machine.disks()["spool"] == {"id": "spool", "free_bytes": 900 * GIB, "total_bytes": 1_000 * GIB}
    machine.free[1] -= 2 * GIB
    looks.look(HOUR_S)
    assert machine.disks()["captures"]["bytes_per_hour"] == 2 * GIB
    assert machine.disks()["captures"]["hours_left"] == 249.0
    assert "hours_left" not in machine.disks()["spool"]


def test_what_is_known_outlives_the_process(machine: Machine) -> None:
    Space(machine.config).look(0)
    machine.free[1] -= GIB
    Space(machine.config).look(HOUR_S)
    assert machine.disks()["data"]["bytes_per_hour"] == GIB


def test_directories_of_one_disk_share_one_alarm_which_is_raised_once_and_cleared(machine: Machine) -> None:
    looks = Space(machine.config)
    looks.look(0)
    machine.asked.clear()
    machine.free[1] = 40 * GIB
    for second in (30, 60, 90):
        looks.look(second)
    assert machine.alarms() == [(Verb.RAISE_ALARM, "space:data")]
    machine.free[1] = 400 * GIB
    looks.look(120)
    looks.look(150)
    assert machine.alarms()[1:] == [(Verb.CLEAR_ALARM, "space:data")]


def test_an_alarm_of_a_predecessor_is_cleared_or_told_anew(machine: Machine) -> None:
    machine.free[2] = 50 * GIB
    Space(machine.config).look(0)
    assert machine.alarms() == [
        (Verb.CLEAR_ALARM, "space:data"),
        (Verb.CLEAR_ALARM, "space:spool"),
        (Verb.RAISE_ALARM, "space:spool"),
    ]


def test_a_directory_that_is_not_there_is_left_out(machine: Machine) -> None:
    os.rmdir(machine.config.storage.recordings)
    Space(machine.config).look(0)
    assert list(machine.disks()) == ["data", "captures", "spool"]


def test_figures_and_items_are_of_the_latest(machine: Machine) -> None:
    shown: list[str] = []
    told = DisksTold(shown.extend)
    Space(machine.config).look(7)
    told.take(list(machine.disks().values()))
    assert shown == ["disk/captures", "disk/data", "disk/recordings", "disk/spool"]
    assert told.figures()["disk_free_percent_spool"] == 90.0
    item = told.item("spool")
    assert item is not None
    assert (item["free_bytes"], item["hours_left"], item["measured_ms"]) == (900 * GIB, None, 7_000)
    assert told.item("cellar") is None


def test_the_real_disk_is_measured(tmp_path: Path) -> None:
    found = space._disk(tmp_path)
    assert found is not None
    assert 0 < found[1] <= found[2]
    assert space._disk(tmp_path / "none") is None
