"""The whole service stops and starts again with people waiting and talking; and fifty calls later nothing is left of them."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.loopback.desk import Desk, desk
from tests.loopback.phone import Phone
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]
CALLS = 50


def _moved(service: Service, kind: str, new: str) -> list[dict[str, Any]]:
    return [fact for fact in service.journal(kind) if fact["new"] == new]


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _bound_udp(service: Service) -> int:
    """How many UDP sockets stand on the service's RTP ports."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    ports = [int(row[1].rpartition(":")[2], 16) for row in rows]
    return sum(service.rtp_first <= port < service.rtp_first + 120 for port in ports)


def _socket_files(service: Service) -> int:
    return len(list((service.run / "workers").iterdir()))


def _alarms(service: Service) -> set[str]:
    raised: set[str] = set()
    for fact in service.journal():
        if fact["kind"] == "AlarmRaised":
            raised.add(fact["key"])
        elif fact["kind"] == "AlarmCleared":
            raised.discard(fact["key"])
    return raised


async def _ringing(people: Desk) -> tuple[Phone, Phone, Any]:
    """A seat rings, in vain as yet; the point hears the prompt."""
    operator = await people.phone("op1", 1000.0, answer_after_s=None)
    await people.on_duty(operator)
    point = await people.phone("p1", 440.0)
    pressing = point.pressing(30)
    await eventually(lambda: operator.rang() and len(point.rtp.heard) > 10, 5)
    return operator, point, pressing


@pytest.mark.real
@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_a_waiting_incident_outlives_the_whole_service(tmp_path: Path, ports: Ports, how: str) -> None:
    """Stopped or killed while a seat rings: the incident is offered again, and accepting calls the point back."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            operator, point, pressing = await _ringing(people)
            incidents = [fact["incident"] for fact in service.journal("IncidentOpened")]
            if how == "stopped":
                assert service.stop() == 0
            else:
                assert service.process is not None
                pids = [row["pid"] for row in service.processes()]
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                service.process.wait()
            rang = operator.rang()
            service.start()
            await eventually(lambda: operator.rang() > rang, 8)
            point.answer_after_s = 0.05
            called = len(point.calls)
            operator.call.answer()
            await eventually(lambda: len(point.calls) > called, 8)
            await eventually(lambda: operator.hears(point.hz) and point.hears(operator.hz), 8)
            pressing.cancel()
            assert [fact["incident"] for fact in service.journal("IncidentOpened")] == incidents
            assert not [key for key in _alarms(service) if key.startswith("internal:")]
            assert "event.broke_the_core" not in service.log_text() and "Traceback" not in service.log_text()


@pytest.mark.real
async def test_a_conversation_cut_by_a_full_restart_is_taken_up_again(tmp_path: Path, ports: Ports) -> None:
    """Everything killed in mid-talk: the incident is open still, its people are brought together without a new press."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            point, operator = talk.point, talk.operator
            for pid in [row["pid"] for row in service.processes()]:
                os.kill(pid, signal.SIGKILL)
            assert service.process is not None
            service.process.wait()
            service.start()
            await eventually(lambda: operator.rang() + point.rang() >= 2, 10)
            await eventually(talk.both_hear, 15)
            assert len(service.journal("IncidentOpened")) == 1
            assert len(service.journal("ServerStarted")) == 2
            assert len(service.journal("ClockAnchored")) == 2
            assert "Traceback" not in service.log_text()


@pytest.mark.real
@pytest.mark.timeout(240)
async def test_fifty_calls_leave_nothing(tmp_path: Path, ports: Ports) -> None:
    """Descriptors, RTP ports, socket files and workers return to where they began; the journal has no open end."""
    with running(tmp_path / "s", ports, plan_text(POLICE), spares=2) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            await talk.point.call.bye()
            await _at_rest(service, 1)
            before = {name: _descriptors(service.pid(name)) for name in ("supervisor", "switchboard")}
            for _ in range(CALLS):
                await talk.point.press()
                await talk.point.call.bye()
            await _at_rest(service, CALLS + 1)
            after = {name: _descriptors(service.pid(name)) for name in before}
            assert all(after[name] <= before[name] + 2 for name in before), (before, after)
            await eventually(lambda: _alarms(service) == set(), 10)  # of a prompt that was not made yet, too
            assert len(_moved(service, "CallMoved", "ended")) == CALLS + 1


async def _at_rest(service: Service, calls: int) -> None:
    """All calls are over and only the spares are left: two for calls, one for a browser."""
    await eventually(lambda: len(_moved(service, "CallMoved", "ended")) == calls, 10)
    await eventually(lambda: not service.workers() and len(service.workers(spare=True)) == 2, 15, 0.1)
    await eventually(lambda: _bound_udp(service) == 0 and _socket_files(service) == 3, 5, 0.1)  # a seat worker waits too


@pytest.mark.real
async def test_the_templates_death_stops_neither_calls_nor_new_workers(tmp_path: Path, ports: Ports) -> None:
    """Killed twice: a conversation goes on, an alarm rings and ends, the next press has a worker, no zombie is left."""
    with running(tmp_path / "s", ports, plan_text(POLICE), spares=2) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            for _ in range(2):
                old = service.pid("template")
                os.kill(old, signal.SIGKILL)
                await eventually(lambda old=old: service.pid("template") not in (0, old), 10)  # type: ignore[misc]
            for pid in service.workers(spare=True):
                os.kill(pid, signal.SIGKILL)
            assert talk.both_hear()
            await people.talk(2)
            assert talk.both_hear()
            key = "process:template"
            assert key in [fact["key"] for fact in service.journal("AlarmRaised")]
            await eventually(lambda: key not in _alarms(service), 5)
            await talk.point.call.bye()
            await eventually(lambda: _zombies_of(service.pid("supervisor")) == 0, 5)


@pytest.mark.real
async def test_a_killed_switchboard_is_known(tmp_path: Path, ports: Ports) -> None:
    """Its death is an alarm of its successor, which ends by itself; the clock's anchor is the same, and no fact again."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        os.kill(service.pid("switchboard"), signal.SIGKILL)
        key = "process:switchboard"
        await eventually(lambda: key in [fact["key"] for fact in service.journal("AlarmRaised")], 10)
        await eventually(lambda: key not in _alarms(service), 10)
        assert (len(service.journal("ServerStarted")), len(service.journal("ClockAnchored"))) == (2, 1)


def _zombies_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    states = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] for child in children]
    return states.count("Z")
