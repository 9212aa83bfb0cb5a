"""Five hundred calls through all shapes leave nothing; a worker that dies between three parties is replaced, twenty times."""

import contextlib
import os
import signal
import sqlite3
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.eventually import eventually
from tests.loopback.desk import HOLE_AFTER_S, now_s
from tests.loopback.matrix import BEFORE, VOICES
from tests.loopback.matrix_scene import MAKE, MatrixService, Scene, scene
from tests.peers.ports import Ports

pytestmark = [pytest.mark.real, pytest.mark.long]

CALLS, WARM = 500, 150
"""What is kept of what is over (the last messages of 300 legs, the names of 2,000 changes) is full after the first ones."""
LISTEN_EVERY = 4  # not a divisor of the number of shapes, so that each is listened to
MB_A_PROCESS = 2.5
LINGER_S = 80.0  # a device that is gone is asked for 32 s, and a dialog that is over is known for 32 s more
KILLS = 20


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MatrixService]:
    with contextlib.closing(Ports()) as ports:
        service = MatrixService(tmp_path / "s", ports)
        service.write_prompts()
        with service.serving():
            yield service


class _Held(NamedTuple):
    """What the service's lasting processes hold; `resident_mb` by name and pid."""

    processes: int
    descriptors: int
    resident_mb: dict[str, float]
    rtp_ports: int


def _held(service: MatrixService) -> _Held:
    rows = [row for row in service.processes() if row["name"] != "call-worker"]
    resident = {f"{row['name']} {row['pid']}": _resident_mb(row["pid"]) for row in rows}
    descriptors = sum(len(os.listdir(f"/proc/{row['pid']}/fd")) for row in rows)
    return _Held(len(service.processes()), descriptors, resident, len(service.bound_ports()))


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)


def _stored_legs(service: MatrixService) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{service.data / 'callserver.db'}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM outer_legs").fetchone()[0])


async def _calls(service: MatrixService, numbers: Iterable[int]) -> None:
    shapes = tuple(BEFORE)
    for number in numbers:
        shape = shapes[number % len(shapes)]
        async with scene(service) as it:
            await MAKE[shape](it)
            if number < len(shapes) or number % LISTEN_EVERY == 0:
                await it.hear(BEFORE[shape])


async def _quiet(service: MatrixService) -> _Held:
    """When recordings are made and all spares are there."""
    calls = len(service.journal("CallOpened"))
    await eventually(lambda: len(service.journal("RecordingMade")) == calls, 30, 0.2)
    await eventually(lambda: len(service.workers(spare=True)) >= 3, 10)
    return _held(service)


@pytest.mark.timeout(3_600)
async def test_five_hundred_calls_of_all_shapes_leave_nothing(service: MatrixService) -> None:
    """Descriptors, processes, each one's memory, ports and stored dialogs are after them what they were after the first ones."""
    began = time.monotonic()
    await _calls(service, range(WARM))
    before = await _quiet(service)
    await _calls(service, range(WARM, CALLS))
    after = await _quiet(service)
    print(f"after {WARM} calls {before}, after {CALLS} {after}; {(time.monotonic() - began) / CALLS:.2f} s a call")
    assert after.rtp_ports == before.rtp_ports == 0
    assert after.processes <= before.processes
    assert after.descriptors <= before.descriptors + 8, "a page or a client more or less, and not one a call"
    grown = {name: mb - before.resident_mb.get(name, 0.0) for name, mb in after.resident_mb.items()}
    assert {name: mb for name, mb in grown.items() if mb > MB_A_PROCESS} == {}, (
        f"MB more after {CALLS - WARM} calls; all: {grown}"
    )
    await eventually(lambda: _stored_legs(service) == 0, LINGER_S, 0.5)
    assert service.left_behind() == {}


@pytest.mark.timeout(240)
async def test_a_worker_that_dies_between_three_parties_is_replaced_twenty_times(service: MatrixService) -> None:
    """All three hear both others again within 100 ms at p95; nobody is rung, no SIP is sent."""
    async with scene(service) as it:
        await it.with_police()
        await it.hear(BEFORE["three-way"])
        messages = _messages(it)
        times = [await _kill(it) for _ in range(KILLS)]
        assert _messages(it) == messages, "SIP was sent for a rescue"
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"kill -9 in a three-way call: {sorted(round(t * 1000) for t in times)} ms, p95 {p95 * 1000:.0f} ms")
        assert p95 <= 0.100 * (1.0 if os.getloadavg()[0] < 2.0 else 4.0)
    await it.recorded({"point", "operator", "police"})


async def _kill(it: Scene) -> float:
    """One death and its rescue: seconds until each hears both others again."""
    began = now_s()
    await eventually(lambda: now_s() - began > 0.7, 2)
    (worker,) = it.service.workers()
    at = now_s()
    os.kill(worker, signal.SIGKILL)
    await eventually(lambda: it.service.workers() and worker not in it.service.workers(), 5)
    await eventually(lambda: now_s() - at > 0.7, 2)
    await it.hear(BEFORE["three-way"])
    worst = 0.0
    for role, heard in BEFORE["three-way"].items():
        for voice in heard:
            holes = it.phones[role].tone_holes(VOICES[voice], at - 0.2)
            worst = max([worst, *(begin + long - at for begin, long in holes if begin - at < HOLE_AFTER_S)])
    return worst


def _messages(it: Scene) -> int:
    """SIP messages of the three so far, without the service's questions whether they are there."""
    return sum(1 for phone in it.phones.values() for _, way, line in phone.sip if way == "<" and not line.startswith("OPTIONS"))
