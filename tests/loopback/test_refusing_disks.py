"""Disks that refuse in mid-call: people are served, an alarm rings, and what was kept elsewhere comes to its place."""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audio.tracks import read_sound
from tests.eventually import eventually
from tests.loopback.desk import Conversation, Desk, desk, legs_of, missing_packets, now_s
from tests.loopback.disks import full, immutable, refused, small_disk
from tests.loopback.rtp_peer import strength
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]
SPOOL_HAS_ROOM = 64 << 10


def _read_only(service: Service) -> contextlib.AbstractContextManager[None]:
    return immutable(service.data / "callserver.db", service.data / "callserver.db-wal")


REFUSE: dict[str, Callable[[Service], contextlib.AbstractContextManager[None]]] = {
    "journal refuses": lambda service: refused(service.pid("switchboard"), beyond=SPOOL_HAS_ROOM),
    "journal and spool refuse": lambda service: refused(service.pid("switchboard")),
    "journal is read-only": _read_only,
}


@contextlib.contextmanager
def _served(directory: Path, ports: Ports) -> Iterator[Service]:
    with running(directory / "s", ports, plan_text(POLICE)) as service:
        yield service


def _alarm(service: Service, key: str) -> str:
    """The text of an alarm that rings now; "" while it does not."""
    with service.client() as client:
        found = [alarm["text"] for alarm in client.get("/api/alarms").json()["items"] if alarm["key"] == key]
    return str(found[0]) if found else ""


async def _next_talk(people: Desk, number: int) -> Conversation:
    """Both were there before; they are brought together now."""
    point, operator = (phone for phone in people.phones if phone.user in (f"p{number}", f"op{number}"))
    await point.press()
    await eventually(lambda: point.hears(operator.hz) and operator.hears(point.hz), 5)
    return Conversation(point, operator)


@pytest.mark.real
@pytest.mark.parametrize("how", list(REFUSE))
async def test_a_journal_that_refuses_stops_no_call_and_loses_no_fact(tmp_path: Path, ports: Ports, how: str) -> None:
    """A conversation goes on, a press is answered, both end; then all of it is in the journal, in order, and the chain holds."""
    with _served(tmp_path, ports) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            point = await people.phone("p2", 520.0)
            operator = await people.phone("op2", 1080.0)
            await people.on_duty(operator)
            with REFUSE[how](service):
                before, at = service.journal(), now_s()
                second = await _next_talk(people, 2)
                await eventually(lambda: _alarm(service, "journal"), 5)
                if how == "journal is read-only":
                    await _replaced(service)
                assert await talk.operator.call.bye() == 200
                await eventually(lambda: talk.point.call.state == "ended", 5)
                assert await point.call.bye() == 200
                await eventually(lambda: operator.call.state == "ended", 5)
                assert talk.point.sequence_lost(at) + second.point.sequence_lost(at) == 0
                assert len(service.journal()) == len(before), "the journal was written"
            await eventually(lambda: len([f for f in service.journal("CallMoved") if f["new"] == "ended"]) == 2, 10)
            await eventually(lambda: not _alarm(service, "journal"), 10)
            await eventually(lambda: len(service.journal("RecordingMade")) == 2, 20)
            _is_whole(service)
            assert "Traceback" not in service.log_text()
            await _verified(tmp_path / "s")


async def _replaced(service: Service) -> None:
    """Another switchboard begins while nothing can be written: it knows what the spool has."""
    old = service.pid("switchboard")
    os.kill(old, signal.SIGKILL)
    await eventually(lambda: service.pid("switchboard") not in (0, old), 5)
    await eventually(lambda: _alarm(service, "journal"), 8)


def _is_whole(service: Service) -> None:
    """One row after the other, in the order of their instants, and of each press one story."""
    rows = service.journal()
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(a["at"] <= b["at"] for a, b in itertools.pairwise(rows))
    kinds = [row["kind"] for row in rows]
    assert (kinds.count("IncidentOpened"), kinds.count("OfferMade")) == (2, 2)
    second = len(kinds) - 1 - kinds[::-1].index("IncidentOpened")
    assert second < kinds.index("OfferMade", second) < kinds.index("OfferEnded", second)


async def _verified(directory: Path) -> None:
    verify = [sys.executable, "-m", "callserver", "verify", "--config", str(directory / "callserver.toml")]
    checked = await asyncio.to_thread(subprocess.run, verify, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


# ---- captures -----------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("how", ["refused", "full"])
async def test_captures_that_find_no_room_are_written_when_there_is_some(tmp_path: Path, ports: Ports, how: str) -> None:
    """From mid-call until after its end: sound flows, an alarm rings as long as it lasts; then a whole recording is made."""
    with contextlib.ExitStack() as stack:
        if how == "full":
            disk = stack.enter_context(small_disk(tmp_path / "s" / "data" / "captures", 2))
        service = stack.enter_context(_served(tmp_path, ports))
        async with desk(service) as people:
            talk = await people.talk(1)
            call = service.journal("CallOpened")[-1]["call"]
            with full(disk) if how == "full" else refused(talk.worker):
                at = now_s()
                await eventually(lambda: _alarm(service, f"capture:{call}"), 5)
                await eventually(lambda: now_s() - at > 3, 5)
                assert talk.both_hear()
                assert talk.point.sequence_lost(at) == 0 and talk.point.tone_holes(talk.operator.hz, at) == []
                assert await talk.point.call.bye() == 200
                long_s, at = now_s() - talk.point.rtp.heard[0].at_s, now_s()
                await eventually(lambda: [f for f in service.journal("CallMoved") if f["new"] == "ended"], 5)
                await eventually(lambda: now_s() - at > 5, 6)
                assert _alarm(service, f"capture:{call}"), "the alarm ended before the trouble"
                assert not service.journal("RecordingMade"), "a recording was made of half the captures"
            await eventually(lambda: service.journal("RecordingMade"), 30)
            (made,) = service.journal("RecordingMade")
            assert missing_packets(service.data, legs_of(service, "p1")[0]) <= 2
            assert abs(made["duration_ms"] / 1000 - long_s) < 1 and made["losses_ms"] < 100, made
            await eventually(lambda: not _alarm(service, f"capture:{call}"), 5)
            await _verified(tmp_path / "s")


@pytest.mark.real
async def test_what_was_never_written_is_told_by_the_recording(tmp_path: Path, ports: Ports) -> None:
    """The process that waits for room is killed: its successor writes on, and the recording says how much is missing."""
    with _served(tmp_path, ports) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            with refused(talk.worker):
                at = now_s()
                await eventually(lambda: now_s() - at > 2, 3)
                os.kill(talk.worker, signal.SIGKILL)
            await eventually(lambda: now_s() - at > 4 and talk.both_hear(), 8)
            assert await talk.point.call.bye() == 200
            await eventually(lambda: service.journal("RecordingMade"), 20)
            (made,) = service.journal("RecordingMade")
            assert 1_500 < made["losses_ms"] < 6_000, made  # of both who spoke
            assert "ms lost" in made["report"]
            await _verified(tmp_path / "s")


# ---- recordings ---------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("how", ["refused", "full"])
async def test_a_recording_that_finds_no_room_is_made_when_there_is_some(tmp_path: Path, ports: Ports, how: str) -> None:
    """An alarm tells why, calls go on, nobody has to do anything but make room; what is made then is whole, and made once."""
    with contextlib.ExitStack() as stack:
        if how == "full":
            disk = stack.enter_context(small_disk(tmp_path / "s" / "data" / "recordings", 2))
        service = stack.enter_context(_served(tmp_path, ports))
        async with desk(service) as people:
            talk = await people.talk(1)
            call = service.journal("CallOpened")[-1]["call"]
            at = now_s()
            await eventually(lambda: now_s() - at > 2, 3)
            with full(disk) if how == "full" else refused(service.pid("archivist")):
                assert await talk.point.call.bye() == 200
                await eventually(lambda: _alarm(service, f"recording:{call}"), 10)
                await people.talk(2)
                assert not service.journal("RecordingMade")
            await eventually(lambda: service.journal("RecordingMade"), 40)
            await eventually(lambda: not _alarm(service, f"recording:{call}"), 5)
            (made,) = service.journal("RecordingMade")
            files = [service.data / "recordings" / name for name in made["files"]]
            samples, rate_hz = read_sound(next(file for file in files if file.name == "call.flac"))
            assert (
                strength(samples[:, 0], talk.point.hz, rate_hz) > 0.1 and strength(samples[:, 1], talk.operator.hz, rate_hz) > 0.1
            )
            assert made["losses_ms"] < 100
            await _verified(tmp_path / "s")
