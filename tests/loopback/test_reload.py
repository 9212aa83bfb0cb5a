"""Another plan under a service that runs: who is new may press, who is gone finishes talking, and SIGHUP is enough."""

import os
import signal
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.loopback.desk import desk
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]


def _without(text: str, *ids: str) -> str:
    """The plan without these points and operators."""
    parts = text.split("\n\n")
    return "\n\n".join(part for part in parts if not any(f"[points.{id}]" in part or f"[operators.{id}]" in part for id in ids))


def _adopted(service: Service) -> list[tuple[int, str]]:
    return [(fact["version"], fact["by"]) for fact in service.journal("PlanAdopted")]


@pytest.mark.real
async def test_a_conversation_outlives_the_plan_that_has_neither_of_its_ends(tmp_path: Path, ports: Ports) -> None:
    """SIGHUP to the service; the point may not press again, others may, and the screens lose what is gone."""
    text = plan_text(POLICE)
    with running(tmp_path / "s", ports, text) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            other = await people.phone("op2", 1200.0)
            await people.on_duty(other)
            said = talk.messages()
            (service.directory / "plan.toml").write_text(_without(text, "p1", "op1"))
            os.kill(service.pid("supervisor"), signal.SIGHUP)
            await eventually(lambda: _adopted(service)[1:] == [(2, "root@SIGHUP")], 30)
            assert talk.both_hear() and talk.messages() == said
            with service.client() as client:
                assert "p1" not in [point["id"] for point in client.get("/api/points").json()["items"]]
                told = client.get("/api/plans/2").json()
            gone = [change["where"] for change in told["changes"] if change["new"] is None]
            assert gone == ["points.p1", "operators.op1"] and told["files"][0]["name"] == "plan.toml"
            presser = await people.phone("p2", 600.0)
            await presser.pressing()
            await eventually(lambda: other.hears(presser.hz) and presser.hears(other.hz), 5)
            assert talk.both_hear()
            assert await talk.point.call.bye() == 200
            await eventually(lambda: talk.operator.call.state == "ended", 5)
            assert not [fact for fact in service.journal("AlarmRaised") if fact["key"].startswith("plan:")]


@pytest.mark.real
async def test_a_plan_with_a_hole_rings_and_a_restart_does_not_let_it_in(tmp_path: Path, ports: Ports) -> None:
    """The alarm goes when the file is good again."""
    text = plan_text(POLICE)
    with running(tmp_path / "s", ports, text) as service:
        file = service.directory / "plan.toml"
        await eventually(lambda: list((service.data / "plans").glob("*.json")), 30)  # the first plan is proven
        office = '\n[[hours.office]]\ndays = ["mon"]\nfrom = "08:00"\nuntil = "08:01"\n'
        file.write_text(text.replace('call = "police"', 'call = "police"\nhours = "office"') + office)
        os.kill(service.pid("switchboard"), signal.SIGHUP)
        await eventually(lambda: _alarms(service) == ["plan:refused"], 30)
        old = service.pid("switchboard")
        os.kill(old, signal.SIGKILL)
        await eventually(lambda: service.pid("switchboard") not in (0, old) and len(service.journal("ServerStarted")) == 2, 10)
        assert _alarms(service) == ["plan:refused"]
        file.write_text(text)
        os.kill(service.pid("supervisor"), signal.SIGHUP)
        await eventually(lambda: _alarms(service) == [], 30)
        assert _adopted(service) == [(1, "start")]


def _alarms(service: Service) -> list[str]:
    """The keys that are raised about plans."""
    raised: dict[str, None] = {}
    for fact in service.journal():
        if fact["kind"] == "AlarmRaised":
            raised[fact["key"]] = None
        elif fact["kind"] == "AlarmCleared":
            raised.pop(fact["key"], None)
    return [key for key in raised if key.startswith("plan:")]
