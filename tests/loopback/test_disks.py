"""People before papers: a disk that stalls or is full never stops a call, and nothing journalled is lost."""

import asyncio
import contextlib
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.loopback.desk import desk, legs_of, missing_packets, now_s
from tests.loopback.disks import freezable_disk, frozen, small_disk
from tests.loopback.service import plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]


@pytest.mark.real
async def test_a_capture_disk_that_stalls_ten_seconds_makes_no_gap(tmp_path: Path, ports: Ports) -> None:
    """Sound flows both ways as if nothing were; the packets of those seconds are filed afterwards."""
    data = tmp_path / "s" / "data"
    with freezable_disk(data / "captures", tmp_path / "disk.img") as disk:
        with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
            async with desk(service) as people:
                talk = await people.talk(1)
                at = now_s()
                with frozen(disk):
                    await eventually(lambda: now_s() - at > 10.0, 12, 0.1)
                    assert talk.both_hear()
                lost = talk.point.sequence_lost(at) + talk.operator.sequence_lost(at)
                gaps = [b.at_s - a.at_s for a, b in itertools.pairwise(talk.point.rtp.heard) if a.at_s > at]
                assert (lost, talk.point.tone_holes(talk.operator.hz, at)) == (0, [])
                assert max(gaps) < 0.1
                await talk.point.call.bye()
                await eventually(lambda: service.journal("RecordingMade"), 20)
                assert missing_packets(service.data, legs_of(service, "p1")[0]) <= 2


@pytest.mark.real
async def test_a_full_journal_disk_loses_no_fact(tmp_path: Path, ports: Ports) -> None:
    """With the disk full a press is answered and ended; when there is room again its facts are in the journal, in order."""
    with small_disk(tmp_path / "s" / "data", 48) as disk:
        with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
            async with desk(service) as people:
                operator = await people.phone("op1", 1000.0)
                await people.on_duty(operator)
                point = await people.phone("p1", 440.0)
                ballast = disk / "ballast"
                _fill(ballast)
                await point.press()
                await eventually(lambda: point.hears(1000.0) and operator.hears(440.0), 5)
                await eventually(lambda: any(a["key"] == "journal" for a in _alarms(service)), 10)
                await point.call.bye()
                await eventually(lambda: operator.call.state == "ended", 5)
                assert not service.journal("IncidentOpened"), "the disk was not full"
                ballast.unlink()
                await eventually(lambda: [f for f in service.journal("CallMoved") if f["new"] == "ended"], 10)
                kinds = [fact["kind"] for fact in service.journal()]
                assert kinds.index("IncidentOpened") < kinds.index("OfferMade") < kinds.index("OfferEnded")
                assert kinds.count("IncidentOpened") == 1
                await eventually(lambda: not any(a["key"] == "journal" for a in _alarms(service)), 10)
                verify = [sys.executable, "-m", "callserver", "verify", "--config", str(tmp_path / "s" / "callserver.toml")]
                checked = await asyncio.to_thread(subprocess.run, verify, capture_output=True, text=True, check=False)
                assert checked.returncode == 0, checked.stdout + checked.stderr


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 12))


def _alarms(service: object) -> list[dict[str, str]]:
    with service.client() as client:  # type: ignore[attr-defined]
        return list(client.get("/api/alarms").json()["items"])
