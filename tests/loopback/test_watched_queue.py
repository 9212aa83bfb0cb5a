"""The watch and the heartbeat in the running service: a core that does not offer, and a switchboard that hangs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.loopback.desk import desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

FORGETFUL = """
import callserver.core.offers
callserver.core.offers.deal = lambda d: None
"""


def _alarms(service: Service, kind: str = "AlarmRaised") -> list[dict[str, Any]]:
    return [fact for fact in service.journal(kind) if fact["key"].startswith("watch:")]


@pytest.fixture
def forgetful(tmp_path: Path, ports: Ports) -> Iterator[tuple[Service, int]]:
    """A service whose core offers nothing to anybody, and the port of its police."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(FORGETFUL)
    port = ports.take()
    plan = plan_text([f"sip:police@127.0.0.1:{port}"], route_ring="20s")
    service = Service(tmp_path / "s", ports, plan, environment={"PYTHONPATH": str(tmp_path / "broken")})
    try:
        yield service.start(), port
    finally:
        service.stop()


@pytest.mark.real
async def test_a_call_that_nobody_is_offered_reaches_the_police_within_seconds(forgetful: tuple[Service, int]) -> None:
    """The ladder would have called them after a minute; the watch does not wait for it, and says why."""
    service, port = forgetful
    async with desk(service) as people:
        police = Phone("police", service.server, 1200.0, port=port)
        people.phones.append(await police.open())
        operator = await people.phone("op1", 1000.0)
        await people.on_duty(operator)
        point = await people.phone("p1", 440.0)
        pressing = point.pressing()
        began = now_s()
        await eventually(police.rang, 8)
        assert now_s() - began < 5.0
        await pressing
        await eventually(lambda: police.hears(point.hz) and point.hears(police.hz), 5)
        (alarm,) = _alarms(service)
        assert alarm["key"].startswith("watch:unoffered:") and "op1" in alarm["text"]
        reasons = [fact["reason"] for fact in service.journal("LadderStepTaken")]
        assert len(reasons) == 1 and "the watch: p1 waits without an offer" in reasons[0]
        await eventually(lambda: _alarms(service, "AlarmCleared"), 5)
        assert operator.rang() == 0


@pytest.mark.real
async def test_a_switchboard_that_hangs_is_replaced_and_calls_go_on(tmp_path: Path, ports: Ports) -> None:
    """Stopped in its tracks: an alarm, a successor within seven seconds, and a press sent meanwhile is served."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"])) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            second = await people.phone("op2", 1200.0)
            await people.on_duty(second)
            presser = await people.phone("p2", 600.0)
            old, at = service.pid("switchboard"), now_s()
            os.kill(old, signal.SIGSTOP)
            pressing = presser.pressing()
            await eventually(lambda: service.pid("switchboard") not in (0, old), 9)
            assert 4.5 < now_s() - at < 8.0
            await pressing
            await eventually(lambda: second.hears(presser.hz) and presser.hears(second.hz), 6)
            assert talk.both_hear() and talk.point.sequence_lost(at) == 0
            trouble = [fact for fact in service.journal("AlarmRaised") if fact["key"] == "process:switchboard"]
            assert ["did not answer" in fact["text"] for fact in trouble] == [True]
            await eventually(lambda: [f for f in service.journal("AlarmCleared") if f["key"] == "process:switchboard"], 6)
            assert _alarms(service) == []


@pytest.mark.real
async def test_a_watch_that_dies_is_started_again_and_stays_quiet(tmp_path: Path, ports: Ports) -> None:
    """Through a whole call, with a restart of the switchboard in it, it finds nothing."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"])) as service:
        async with desk(service) as people:
            old = service.pid("watch")
            os.kill(old, signal.SIGKILL)
            talk = await people.talk(1)
            await eventually(lambda: service.pid("watch") not in (0, old), 5)
            os.kill(service.pid("switchboard"), signal.SIGKILL)
            waiting = await people.phone("p2", 600.0)
            pressing = waiting.pressing()
            await eventually(lambda: len(service.journal("IncidentOpened")) == 2, 8)
            assert await talk.operator.call.bye() == 200
            await pressing
            await eventually(lambda: talk.operator.hears(waiting.hz), 8)
            assert _alarms(service) == []
