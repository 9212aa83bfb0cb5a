"""When nobody in the room answers, the police are called: at once, after the ladder's time, by the next route, for ever."""

from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.loopback.desk import desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports


def _uri(phone: Phone) -> str:
    return f"sip:{phone.user}@127.0.0.1:{phone.ua.port}"


async def _police(user: str, **options: object) -> Phone:
    return await Phone(user, ("127.0.0.1", 9), 1500.0, **options).open()  # type: ignore[arg-type]


def _reasons(service: Service, kind: str) -> list[str]:
    return [fact["reason"] for fact in service.journal(kind)]


@pytest.mark.real
async def test_nobody_on_duty_calls_the_police_at_once(tmp_path: Path, ports: Ports) -> None:
    """No operator is registered: the police answer, hear the point and are heard; the point's 200 comes only then."""
    police = await _police("police")
    with running(tmp_path / "s", ports, plan_text([_uri(police)])) as service:
        async with desk(service) as people:
            people.phones.append(police)
            point = await people.phone("p1", 440.0)
            at = now_s()
            call = await point.press()
            assert now_s() - at < 3.0
            assert call.t["200"] >= police.call.t["200_sent"]
            await eventually(lambda: point.hears(1500.0) and police.hears(440.0), 5)
            assert any("nobody on duty" in reason for reason in _reasons(service, "LadderStepTaken"))
            await call.bye()
            await eventually(lambda: police.call.state == "ended", 5)
            await eventually(lambda: [f for f in service.journal("IncidentMoved") if f["new"] == "unreviewed"], 5)
            with service.client() as client:
                (incident,) = client.get("/api/incidents").json()["items"]
                closed = client.post(f"/api/incidents/{incident['id']}/close", json={"outcome": "safe", "note": "all well"})
                assert closed.status_code < 300, closed.text
            assert [f["outcome"] for f in service.journal("OutcomeRecorded")] == ["safe"]


@pytest.mark.real
async def test_an_unanswered_press_reaches_the_police_after_the_ladders_time(tmp_path: Path, ports: Ports) -> None:
    """The seat rings in vain; after 3 s the police are called, and the reason is journalled."""
    police = await _police("police")
    with running(tmp_path / "s", ports, plan_text([_uri(police)], police_after="3s")) as service:
        async with desk(service) as people:
            people.phones.append(police)
            operator = await people.phone("op1", 1000.0, answer_after_s=None)
            await people.on_duty(operator)
            point = await people.phone("p1", 440.0)
            at = now_s()
            await point.press()
            assert 2.9 < now_s() - at < 6.0
            assert operator.rang() == 1
            await eventually(lambda: operator.call.state == "ended", 5)
            assert any("unanswered 3 s" in reason for reason in _reasons(service, "LadderStepTaken"))
            await point.call.bye()


@pytest.mark.real
async def test_busy_police_are_called_by_the_next_route_and_again_and_again(tmp_path: Path, ports: Ports) -> None:
    """First route busy, second unreachable, round after round with an alarm, until one answers."""
    busy = await _police("police", refuse=486)
    deaf = ports.take()
    with running(tmp_path / "s", ports, plan_text([_uri(busy), f"sip:second@127.0.0.1:{deaf}"], route_ring="1s")) as service:
        async with desk(service) as people:
            people.phones.append(busy)
            point = await people.phone("p1", 440.0)
            pressing = point.pressing()
            await eventually(lambda: max((f["cycle"] for f in service.journal("RouteTried")), default=0) >= 2, 15)
            tried = service.journal("RouteTried")
            assert [f["route"] for f in tried[:3]] == [0, 1, 0]
            assert "486" in tried[1]["reason"]
            assert any(f["key"].startswith("unanswered:") for f in service.journal("AlarmRaised"))
            busy.refuse = 0
            await pressing
            await eventually(lambda: point.hears(1500.0) and busy.hears(440.0), 5)
            assert any(f["key"].startswith("unanswered:") for f in service.journal("AlarmCleared"))
            await point.call.bye()


@pytest.mark.real
async def test_hanging_up_while_waiting_loses_nothing(tmp_path: Path, ports: Ports) -> None:
    """CANCEL does not end the incident: the seat rings on, and whoever answers is put through by calling the point back."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"])) as service:
        async with desk(service) as people:
            operator = await people.phone("op1", 1000.0, answer_after_s=None)
            await people.on_duty(operator)
            point = await people.phone("p1", 440.0)
            pressing = point.pressing()
            await eventually(operator.rang, 5)
            point.call.cancel()
            await eventually(lambda: [f for f in service.journal("LegMoved") if f["new"] == "ended"], 5)
            pressing.cancel()
            assert operator.call.state == "early", "the seat stopped ringing"
            operator.call.answer()
            await eventually(lambda: len(point.calls) == 2, 5)
            await eventually(lambda: point.hears(1000.0) and operator.hears(440.0), 5)
            assert len(service.journal("IncidentOpened")) == 1
            await operator.call.bye()


@pytest.mark.real
async def test_a_second_press_joins_the_open_incident(tmp_path: Path, ports: Ports) -> None:
    """Two presses of one point are one incident; the newer one is heard."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"])) as service:
        async with desk(service) as people:
            operator = await people.phone("op1", 1000.0, answer_after_s=None)
            await people.on_duty(operator)
            point = await people.phone("p1", 440.0)
            first = point.pressing()
            await eventually(operator.rang, 5)
            second = point.pressing()
            await eventually(lambda: service.journal("IncidentRejoined"), 5)
            operator.call.answer()
            await second
            await eventually(lambda: point.hears(1000.0) and operator.hears(440.0), 5)
            assert len(service.journal("IncidentOpened")) == 1
            first.cancel()
            await point.call.bye()


@pytest.mark.real
async def test_codes_digits_and_escalation_from_a_softphone(tmp_path: Path, ports: Ports) -> None:
    """`*2` pauses, `*1` makes available; the API brings in the police; an outcome over the API closes the incident."""
    police = await _police("police")
    with running(tmp_path / "s", ports, plan_text([_uri(police)], wrap_up="30s")) as service:
        async with desk(service) as people:
            people.phones.append(police)
            operator = await people.phone("op1", 1000.0)
            await people.on_duty(operator)
            for code, state in (("*2", "paused"), ("*1", "available")):
                dialled = await operator.ua.invite(f"sip:{code}@{service.server[0]}:{service.server[1]}", service.server)
                await eventually(lambda state=state: service.journal("OperatorMoved")[-1]["new"] == state, 5)
                await eventually(lambda dialled=dialled: dialled.state == "ended", 5)
            point = await people.phone("p1", 440.0)
            await point.press()
            await eventually(lambda: point.hears(1000.0) and operator.hears(440.0), 5)
            with service.client() as client:
                call = client.get("/api/calls?limit=1").json()["items"][0]["id"]
                asked = client.post(f"/api/calls/{call}/escalate", json={"party": "police"})
                assert asked.status_code < 300, asked.text
                await eventually(lambda: police.hears(440.0) and police.hears(1000.0), 5)
                await eventually(lambda: point.hears(1500.0) and operator.hears(1500.0), 5)
                await point.call.bye()
                await eventually(lambda: [f for f in service.journal("IncidentMoved") if f["new"] == "wrap-up"], 5)
                incident = service.journal("IncidentOpened")[0]["incident"]
                closed = client.post(f"/api/incidents/{incident}/close", json={"outcome": "safe", "note": ""})
                assert closed.status_code < 300, closed.text
            await eventually(lambda: service.journal("OperatorMoved")[-1]["new"] == "available", 5)
