"""A device that vanishes without a word: its leg ends as lost, and whoever is left is not left alone."""

from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.loopback.desk import desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.service import plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]


def _unplug(phone: Phone) -> None:
    """No sound, no signalling, and nothing is heard."""
    phone.ua.dead = True
    phone.rtp.muted = True


@pytest.mark.real
async def test_an_operator_who_vanishes_is_replaced(tmp_path: Path, ports: Ports) -> None:
    """The caller is offered to the next seat within ten seconds, and the vanished one is not rung first."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            second = await people.phone("op2", 1200.0)
            await people.on_duty(second)
            _unplug(talk.operator)
            at = now_s()
            await eventually(lambda: second.hears(talk.point.hz) and talk.point.hears(second.hz), 15)
            assert now_s() - at < 12.0
            assert len(service.journal("IncidentOpened")) == 1
            lost = [f for f in service.journal("LegMoved") if (f["termination"] or {}).get("kind") == "lost"]
            assert len(lost) == 1
            await talk.point.call.bye()


@pytest.mark.real
async def test_a_silent_device_that_answers_keeps_its_call(tmp_path: Path, ports: Ports) -> None:
    """Silence alone is no end: a muted point stays in the conversation, with an alarm."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            talk.point.rtp.muted = True
            await eventually(lambda: any(f["key"].startswith("silent:") for f in service.journal("AlarmRaised")), 15)
            assert talk.point.hears(talk.operator.hz)
            talk.point.rtp.muted = False
            await eventually(talk.both_hear, 5)
            await eventually(lambda: any(f["key"].startswith("silent:") for f in service.journal("AlarmCleared")), 5)
            await talk.point.call.bye()
