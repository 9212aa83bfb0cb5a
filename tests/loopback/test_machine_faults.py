"""What happens to the machine under calls: processes hang, or die again and again, the clock is set, everything dies at once."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audio.tracks import read_sound
from tests.eventually import eventually
from tests.loopback.desk import Conversation, Desk, desk, legs_of, missing_packets, now_s
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import strength
from tests.loopback.rules import WallClock
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POLICE = ["sip:police@127.0.0.1:9"]
HUNG = {"web": (2.0, 5.0), "watch": (5.0, 15.0), "archivist": (10.0, 30.0)}  # told after so many seconds, ended after so many
LATE_S = 2.5
HOUR_MS = 3_600_000


async def _pass(seconds: float) -> None:
    began = time.monotonic()
    await eventually(lambda: time.monotonic() - began > seconds, seconds + 1)


async def _verified(service: Service) -> None:
    verify = [sys.executable, "-m", "callserver", "verify", "--config", str(service.directory / "callserver.toml")]
    checked = await asyncio.to_thread(subprocess.run, verify, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


# ---- processes that hang ------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.long
async def test_web_watch_and_archivist_that_hang_are_told_of_and_replaced(tmp_path: Path, ports: Ports) -> None:
    """All three stopped at once: each is an alarm and has a successor in its time, and the call and the next do not notice."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            old, at = {name: service.pid(name) for name in HUNG}, now_s()
            for pid in old.values():
                os.kill(pid, signal.SIGSTOP)
            await people.talk(2)
            replaced: dict[str, float] = {}
            await eventually(lambda: _replaced(service, old, replaced, at), 35, 0.1)
            for name, (told_s, ended_s) in HUNG.items():
                alarms = [fact for fact in service.journal("AlarmRaised") if fact["key"] == f"process:{name}"]
                assert alarms[0]["text"] == f"{name} does not answer"
                assert told_s - 1.0 < alarms[0]["utc"] / 1e9 - at < told_s + LATE_S, name
                assert ended_s - 1.0 < replaced[name] < ended_s + LATE_S, name
            service.wait_ready()
            assert talk.both_hear() and talk.point.sequence_lost(at) == 0
            assert await talk.point.call.bye() == 200
            await eventually(lambda: service.journal("RecordingMade"), 20)
            await eventually(lambda: not _ringing(service), 10)


def _replaced(service: Service, old: dict[str, int], replaced: dict[str, float], since_s: float) -> bool:
    for name, pid in old.items():
        if service.pid(name) not in (0, pid):
            replaced.setdefault(name, now_s() - since_s)
    return len(replaced) == len(old)


def _ringing(service: Service) -> set[str]:
    """Alarms of processes that ring, by the journal."""
    found: set[str] = set()
    for fact in service.journal():
        if fact["kind"] in ("AlarmRaised", "AlarmCleared") and fact["key"].startswith("process:"):
            (found.add if fact["kind"] == "AlarmRaised" else found.discard)(fact["key"])
    return found


# ---- the archivist dies again and again -----------------------------------------------------------------------------


def _signs(service: Service, call: str) -> Iterator[bool]:
    """How far the archivist has come with a call, from the disk: each is true later than the one before."""
    made, captures = service.data / "recordings" / call, service.data / "captures" / call.rpartition(".")[0] / call
    yield made.exists()
    yield any(made.glob("*.flac"))
    yield (made / "call.flac").exists()
    yield (made / "call.peaks").exists()
    yield any(captures.glob("*.gz"))


@pytest.mark.real
@pytest.mark.timeout(180)
async def test_an_archivist_killed_five_times_at_its_work_makes_one_recording(tmp_path: Path, ports: Ports) -> None:
    """kill -9 at each stage that the disk shows: one fact, every file as it says, nothing lost and nothing left lying about."""
    with running(tmp_path / "s", ports, plan_text(POLICE)) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            call = service.journal("CallOpened")[-1]["call"]
            await _pass(4)
            assert await talk.point.call.bye() == 200
            for stage in range(5):
                await eventually(lambda stage=stage: list(_signs(service, call))[stage], 30, 0.001)  # type: ignore[misc]
                pid = service.pid("archivist")
                os.kill(pid, signal.SIGKILL)
                await eventually(lambda pid=pid: service.pid("archivist") not in (0, pid), 10)  # type: ignore[misc]
            await eventually(lambda: service.journal("RecordingMade"), 30)
            await _pass(3)
            (made,) = service.journal("RecordingMade")
            folder = service.data / "recordings" / call
            assert {path.name for path in folder.iterdir()} == {name.rpartition("/")[2] for name in made["files"]}
            captures = service.data / "captures" / call.rpartition(".")[0] / call
            assert {path.suffix for path in captures.iterdir()} == {".gz"}
            assert not [path for path in captures.iterdir() if path.name.startswith(".")]
            assert missing_packets(service.data, legs_of(service, "p1")[0]) <= 2
            _holds_both(service, made, talk)
            await _verified(service)


def _holds_both(service: Service, made: dict[str, Any], talk: Conversation) -> None:
    """The recording for listening has the point on its left and the operator on its right."""
    samples, rate_hz = read_sound(
        next(service.data / "recordings" / name for name in made["files"] if name.endswith("call.flac"))
    )
    assert strength(samples[:, 0], talk.point.hz, rate_hz) > 0.1, "the point is not heard"
    assert strength(samples[:, 1], talk.operator.hz, rate_hz) > 0.1, "the operator is not heard"


# ---- the clock is set -----------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize("step_ms", [HOUR_MS, -HOUR_MS], ids=["ahead", "back"])
async def test_a_clock_that_is_set_by_an_hour_moves_no_deadline(tmp_path: Path, ports: Ports, step_ms: int) -> None:
    """In a talk, an offer and a ladder at once: nothing rings or ends early or late, and the recording is made in its time."""
    clock = WallClock(tmp_path / "clock").ahead(0)
    plan = plan_text([f"sip:police@127.0.0.1:{(port := ports.take())}"], police_after="14s", ring_timeout="9s", route_ring="20s")
    service = Service(tmp_path / "s", ports, plan, environment=clock.environment())
    try:
        service.start()
        async with desk(service) as people:
            talk = await people.talk(1)
            officers = await _officers(people, port)
            ringing = await people.phone("op2", 1080.0, answer_after_s=None)
            await people.on_duty(ringing)
            waiting = await people.phone("p2", 520.0)
            pressing = waiting.pressing(60)
            pressed_s = now_s()
            await eventually(ringing.rang, 3)
            with service.client() as signed_in:
                clock.ahead(step_ms)
                await eventually(lambda: abs(_step(service) - step_ms) < 100, 4)
                await _pass(2)
                assert (ringing.rang(), officers.rang(), talk.both_hear()) == (1, 0, True)
                assert signed_in.get("/api/incidents").status_code == 200
            await eventually(lambda: [f for f in service.journal("OfferEnded") if f["result"] == "rung-out"], 10)
            assert 8 < now_s() - pressed_s < 11, "the offer's time"
            await eventually(officers.rang, 10)
            assert 13 < now_s() - pressed_s < 16.5, "the ladder's time"
            await pressing
            await eventually(lambda: waiting.hears(officers.hz) and officers.hears(waiting.hz), 5)
            assert await talk.point.call.bye() == 200
            await eventually(lambda: service.journal("RecordingMade"), 12)
            _is_told_by_both_clocks(service, talk, step_ms)
            await _verified(service)
    finally:
        service.stop()


async def _officers(people: Desk, port: int) -> Phone:
    """The police at their port."""
    phone = Phone("police", ("127.0.0.1", 9), 1_600.0, port=port)
    people.phones.append(await phone.open())
    return phone


def _step(service: Service) -> int:
    return int(service.journal("ClockAnchored")[-1]["step_ms"])


def _is_told_by_both_clocks(service: Service, talk: Conversation, step_ms: int) -> None:
    """Rows in the order of their instants; the UTC of those after the step goes with the clock; the sound has its length."""
    rows = service.journal()
    assert all(a["at"] <= b["at"] for a, b in itertools.pairwise(rows))
    assert len([row for row in rows if row["kind"] == "ClockAnchored"]) == 2
    assert abs(rows[-1]["utc"] / 1e6 - (time.time_ns() / 1e6 + step_ms)) < 20_000
    gap_ms = ((rows[-1]["utc"] - rows[0]["utc"]) - (rows[-1]["at"] - rows[0]["at"])) / 1e6
    assert abs(gap_ms - step_ms) < 500
    (made,) = service.journal("RecordingMade")
    heard_s = talk.point.rtp.heard[-1].at_s - talk.point.rtp.heard[0].at_s
    assert abs(made["duration_ms"] / 1000 - heard_s) < 1 and made["losses_ms"] < 100, made
    _holds_both(service, made, talk)


# ---- everything dies at once ----------------------------------------------------------------------------------------


def _kill_everything(service: Service) -> None:
    """As a machine that loses its power, but for the disks."""
    assert service.process is not None
    for pid in [row["pid"] for row in service.processes()]:
        os.kill(pid, signal.SIGKILL)
    service.process.wait()


@pytest.mark.real
async def test_a_restart_of_all_in_a_three_way_call_brings_its_people_together(tmp_path: Path, ports: Ports) -> None:
    """One incident, opened when it was; the lines of before are ended, and the recording has what was said up to the cut."""
    port = ports.take()
    with running(tmp_path / "s", ports, plan_text([f"sip:police@127.0.0.1:{port}"])) as service:
        async with desk(service) as people:
            officers = await _officers(people, port)
            talk = await people.talk(1)
            with service.client() as client:
                reply = client.post(f"/api/calls/{service.journal('CallOpened')[-1]['call']}/escalate", json={"party": "police"})
                assert reply.status_code < 300, reply.text
            await eventually(lambda: all(phone.hears(officers.hz) for phone in (talk.point, talk.operator)), 8)
            await _pass(2)
            (opened,) = service.journal("IncidentOpened")
            old, said_s = officers.call, now_s() - talk.point.rtp.heard[0].at_s
            _kill_everything(service)
            service.start()
            await eventually(lambda: old.state == "ended", 10)
            await eventually(talk.both_hear, 15)
            (again,) = service.journal("IncidentOpened")
            assert (again["incident"], again["at"], again["utc"]) == (opened["incident"], opened["at"], opened["utc"])
            await _pass(1)
            assert await talk.point.call.bye() == 200
            await eventually(lambda: service.journal("RecordingMade"), 20)
            (made,) = service.journal("RecordingMade")
            assert missing_packets(service.data, legs_of(service, "p1")[0]) <= 2
            assert made["duration_ms"] / 1000 > said_s + 0.5, made
            _three_are_heard(service, made, people, before_s=said_s)
            await _verified(service)


def _three_are_heard(service: Service, made: dict[str, Any], people: Desk, before_s: float) -> None:
    """In a file of each one's own, until the cut."""
    whose = {fact["leg"]: fact["party"] for fact in service.journal("LegCreated")}
    first = {party: leg for leg, party in reversed(whose.items())}
    for phone in people.phones:
        samples, rate_hz = read_sound(service.data / "recordings" / made["call"] / f"{first[phone.user]}.flac")
        last_second = samples[int((before_s - 1.2) * rate_hz) : int((before_s - 0.2) * rate_hz), 0]
        assert strength(last_second, phone.hz, rate_hz) > 0.1, f"{phone.user} is not heard before the cut"


@pytest.mark.real
async def test_a_restart_of_all_in_a_wrap_up_leaves_the_incident_open(tmp_path: Path, ports: Ports) -> None:
    """Its recording is made, its incident can be closed, and nobody is rung for it."""
    with running(tmp_path / "s", ports, plan_text(POLICE, wrap_up="60s")) as service:
        async with desk(service) as people:
            talk = await people.talk(1)
            await _pass(1)
            assert await talk.point.call.bye() == 200
            await eventually(lambda: [f for f in service.journal("OperatorMoved") if f["new"] == "wrap-up"], 5)
            rang = talk.operator.rang() + talk.point.rang()
            _kill_everything(service)
            service.start()
            await eventually(lambda: service.journal("RecordingMade"), 20)
            assert talk.operator.rang() + talk.point.rang() == rang
            (incident,) = {fact["incident"] for fact in service.journal("IncidentOpened")}
            with service.client() as client:
                assert [one["id"] for one in client.get("/api/incidents?open=true").json()["items"]] == [incident]
                reply = client.post(f"/api/incidents/{incident}/close", json={"outcome": "safe", "note": ""})
                assert reply.status_code < 300, reply.text
            await eventually(lambda: [f for f in service.journal("IncidentMoved") if f["new"] == "closed"], 5)
            assert missing_packets(service.data, legs_of(service, "p1")[0]) <= 2
            await _verified(service)
