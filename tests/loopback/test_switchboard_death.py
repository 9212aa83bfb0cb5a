"""The switchboard is killed in a conversation: sound goes on, what was sent meanwhile is served, and times stay true."""

import itertools
import os
import signal
from pathlib import Path

import pytest

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import desk, legs_of, now_s
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]


def _kill_switchboard(service: Service) -> int:
    pid = service.pid("switchboard")
    os.kill(pid, signal.SIGKILL)
    return pid


@pytest.mark.real
async def test_audio_goes_on_and_a_press_and_a_bye_are_served(tmp_path: Path, ports: Ports) -> None:
    """A press and a BYE by UDP, sent while nobody decides."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            second = await people.phone("op2", 1200.0)
            await people.on_duty(second)
            presser = await people.phone("p2", 600.0)
            at = now_s()
            old = _kill_switchboard(service)
            pressing = presser.pressing()  # its INVITE waits in the kernel, or is retransmitted
            await pressing
            await eventually(lambda: second.hears(presser.hz) and presser.hears(second.hz), 5)
            assert service.pid("switchboard") not in (0, old)
            assert talk.both_hear()
            lost = talk.point.sequence_lost(at) + talk.operator.sequence_lost(at)
            assert (lost, talk.point.tone_holes(talk.operator.hz, at), talk.operator.rang()) == (0, [], 1)
            _kill_switchboard(service)
            assert await talk.point.call.bye() == 200
            await eventually(lambda: talk.operator.call.state == "ended", 5)
            await eventually(lambda: service.journal("RecordingMade"), 20)
            assert len(legs_of(service, "p1")) == 1
            _times_are_true(service)


def _times_are_true(service: Service) -> None:
    """Instants never run backwards, and the UTC of a row agrees with the clock of this machine."""
    rows = service.journal()
    assert all(a["at"] <= b["at"] for a, b in itertools.pairwise(rows))
    assert abs(rows[-1]["utc"] / 1e9 - now_s()) < 60
    gap = (rows[-1]["utc"] - rows[0]["utc"]) - (rows[-1]["at"] - rows[0]["at"])
    assert abs(gap) < 50_000_000


@pytest.mark.real
async def test_a_press_and_a_bye_by_tcp_are_served(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """The same with baresip over TCP, whose connection outlives the process that read it."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        point = peers.baresip("p1", password="secret-p1", transport="tcp", server=service.server).start()
        operator = peers.baresip("op1", password="secret-op1", transport="tcp", server=service.server, answer="auto", hz=1000.0)
        operator.start()
        await eventually(lambda: point.registered() and operator.registered(), 10)
        await eventually(lambda: service.journal("SeatChanged"), 5)
        _kill_switchboard(service)
        point.dial(service.help)
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 10)
        await eventually(lambda: [f for f in service.journal("CallMoved") if f["new"] == "talking"], 5)
        _kill_switchboard(service)
        point.hangup()
        await eventually(operator.idle, 10)
        await eventually(lambda: [f for f in service.journal("CallMoved") if f["new"] == "ended"], 10)
        assert not [f for f in service.journal("LegMoved") if (f["termination"] or {}).get("kind") == "lost"]


@pytest.mark.real
async def test_a_seat_that_rang_through_the_restart_can_answer(tmp_path: Path, ports: Ports) -> None:
    """Killed while a seat rings: the answer afterwards completes the call, nobody is rung twice."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            operator = await people.phone("op1", 1000.0, answer_after_s=None)
            await people.on_duty(operator)
            point = await people.phone("p1", 440.0)
            pressing = point.pressing()
            await eventually(lambda: operator.rang() and len(point.rtp.heard) > 10, 5)
            old = _kill_switchboard(service)
            operator.call.answer()
            await pressing
            await eventually(lambda: operator.hears(point.hz) and point.hears(operator.hz), 5)
            assert operator.rang() == 1
            assert service.pid("switchboard") != old


@pytest.mark.real
async def test_switchboard_and_worker_killed_together(tmp_path: Path, ports: Ports) -> None:
    """Both at once: the conversation is back by itself."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            _kill_switchboard(service)
            os.kill(talk.worker, signal.SIGKILL)
            at = now_s()
            await eventually(lambda: now_s() - at > 0.5, 2)
            await eventually(talk.both_hear, 6)
            assert talk.operator.rang() == 1
            assert len(talk.lines()) == 2


@pytest.mark.real
async def test_web_and_archivist_are_started_again(tmp_path: Path, ports: Ports) -> None:
    """Killed web and archivist processes are back, and the call does not notice."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            at = now_s()
            pids = [service.pid(name) for name in ("web", "archivist")]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            await eventually(lambda: not {service.pid(n) for n in ("web", "archivist")} & {0, *pids}, 5)
            service.wait_ready()
            assert talk.both_hear()
            assert talk.point.sequence_lost(at) == 0


@pytest.mark.real
async def test_sigterm_ends_everything(tmp_path: Path, ports: Ports) -> None:
    """Within six seconds nothing of the service is left."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            await people.talk(1)
            pids = [row["pid"] for row in service.processes()]
            began = now_s()
            assert service.stop() == 0
            assert now_s() - began < 6.0
            await eventually(lambda: not any(_alive(pid) for pid in pids), 2)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
