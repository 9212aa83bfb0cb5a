"""What breaks under a conversation at a browser, each time while both talk: sound comes back by itself, or the call moves on."""

import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.browser.console import Console, answered, both_hear, console
from tests.eventually import eventually
from tests.loopback.desk import Desk, desk, now_s
from tests.loopback.phone import Phone
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POINT_HZ, OPERATOR_HZ, OTHER_HZ = 440.0, 700.0, 1000.0
HEARD_S = 6.0


@asynccontextmanager
async def talking(directory: Path, ports: Ports) -> AsyncIterator[tuple[Service, Desk, Phone, Console]]:
    """A point and an operator at Chromium who hear each other."""
    plan = plan_text(["sip:police@127.0.0.1:9"], wrap_up="60s", police_after="90s", strategy="longest-idle")
    with running(directory / "s", ports, plan) as service:
        async with desk(service) as people, console(service, directory, "op1", OPERATOR_HZ) as seat:
            point = await answered(people, seat, POINT_HZ, HEARD_S)
            yield service, people, point, seat


def restored_s(point: Phone, since_s: float) -> float:
    """From a fault until the point heard the operator again, by the kernel's stamps; 0 when there was no hole."""
    holes = [at + long - since_s for at, long in point.tone_holes(OPERATOR_HZ, since_s - 0.2) if at - since_s < 1.5]
    return max(holes, default=0.0)


def legs(service: Service) -> list[str]:
    """Every leg that the operator ever had."""
    return [fact["leg"] for fact in service.journal("LegCreated") if fact["role"] == "operator"]


@pytest.mark.real
async def test_processes_die_under_a_conversation_and_it_goes_on(tmp_path: Path, ports: Ports) -> None:
    """kill -9 of call worker, web process, switchboard and seat worker, one after the other: same people, same leg, no ring."""
    async with talking(tmp_path, ports) as (service, _, point, seat):
        (leg,) = legs(service)
        for name, within_s in (("call-worker", 0.5), ("web", 0.2), ("switchboard", 0.2), ("seat-worker", 3.0)):
            rows = [row for row in service.processes() if row["name"] == name and not row.get("spare")]
            assert len(rows) == 1, f"{name}: {rows}"
            at = now_s()
            os.kill(rows[0]["pid"], signal.SIGKILL)
            await eventually(lambda at=at: now_s() - at > 1.5, 3)  # type: ignore[misc]
            await both_hear(point, seat, HEARD_S)
            assert restored_s(point, at) < within_s, f"{name}: sound was back after {restored_s(point, at):.2f} s"
            await seat.page.get_by_text("Live", exact=True).wait_for(timeout=4000)
            await eventually(lambda at=at: now_s() - at > 3, 4)  # type: ignore[misc]
        assert legs(service) == [leg]
        assert [fact["new"] for fact in service.journal("OperatorMoved") if fact["operator"] == "op1"][-1] == "talking"


@pytest.mark.real
async def test_a_web_process_that_hangs_costs_no_conversation(tmp_path: Path, ports: Ports) -> None:
    """No page can be heard until it is replaced, which is not the pages' fault: same leg, no ring, and the page is live again."""
    async with talking(tmp_path, ports) as (service, _, point, seat):
        before, old, at = legs(service), service.pid("web"), now_s()
        os.kill(old, signal.SIGSTOP)
        await eventually(lambda: service.pid("web") not in (0, old), 9)
        await seat.page.get_by_text("Live", exact=True).wait_for(timeout=6000)
        await both_hear(point, seat, HEARD_S)
        assert [long for _, long in point.tone_holes(OPERATOR_HZ, at) if long > 0.1] == []
        await eventually(lambda: now_s() - at > 12, 13)
        await both_hear(point, seat, HEARD_S)
        assert legs(service) == before
        assert [fact["new"] for fact in service.journal("OperatorMoved") if fact["operator"] == "op1"][-1] == "talking"
        alarms = [fact["text"] for fact in service.journal("AlarmRaised") if fact["key"] == "process:web"]
        assert alarms[0] == "web does not answer"


@pytest.mark.real
async def test_a_page_that_is_loaded_anew_is_in_the_same_call(tmp_path: Path, ports: Ports) -> None:
    """Whether it is back in time for its leg or is offered the call again: nobody answers, both hear each other."""
    async with talking(tmp_path, ports) as (service, _, point, seat):
        incident = service.journal("IncidentOpened")[0]["incident"]
        await seat.page.reload()
        await both_hear(point, seat, 12)
        assert [fact["incident"] for fact in service.journal("IncidentOpened")] == [incident]
        await seat.page.get_by_role("button", name="Hold").wait_for()


@pytest.mark.real
@pytest.mark.parametrize("fault", ["killed", "frozen", "microphone"])
async def test_a_lost_seat_is_known_in_time_and_the_call_moves_on(tmp_path: Path, ports: Ports, fault: str) -> None:
    """Browser killed, tab frozen, microphone taken away: within 2.5 s of the fault the next seat rings, and then talks."""
    async with talking(tmp_path, ports) as (service, people, point, seat):
        other = await people.phone("op2", OTHER_HZ, answer_after_s=1.5)
        await people.on_duty(other)
        at = now_s()
        await _strike(seat, fault)
        await eventually(lambda: other.rang() == 1, 4)
        known_s = now_s() - at
        await eventually(lambda: point.hears(OTHER_HZ) and other.hears(POINT_HZ), 6)
        assert known_s < 2.5, f"the next seat rang after {known_s:.2f} s"
        shapes = [shape["shape"] for shape in service.journal("CallShaped")]
        assert any(prompt["name"] == "reassurance" for prompt in shapes[-2]["prompts"]), "the caller heard no reassurance"


async def _strike(seat: Console, fault: str) -> None:
    if fault == "killed":
        seat.kill()
    elif fault == "frozen":
        devtools = await seat.devtools()
        await devtools.send("Debugger.enable")
        await devtools.send("Debugger.pause")  # its scripts stand still; its sound engine goes on sending silence
    else:
        script = "() => window.spied.tracks.forEach((track) => { track.stop(); track.dispatchEvent(new Event('ended')); })"
        await seat.page.evaluate(script)


@pytest.mark.real
async def test_one_lost_packet_leaves_no_delay_and_little_gap(tmp_path: Path, ports: Ports) -> None:
    """Of the browser's stream on its way to the bridge: the point's ear misses less than 60 ms, and not a moment more later."""
    async with talking(tmp_path, ports) as (_, __, point, seat):
        await seat.page.evaluate(
            """async () => {
              const sender = window.spied.peers.at(-1).getSenders()[0];
              const parameters = sender.getParameters();
              parameters.encodings[0].active = false;
              await sender.setParameters(parameters);
              await new Promise((done) => setTimeout(done, 20));
              parameters.encodings[0].active = true;
              await sender.setParameters({ ...sender.getParameters(), encodings: parameters.encodings });
            }"""
        )
        at = now_s()
        await eventually(lambda: now_s() - at > 2, 3)
        holes = [long for _, long in point.tone_holes(OPERATOR_HZ, at + 0.5)]
        assert max(holes, default=0.0) < 0.06
        assert time.time() - point.rtp.heard[-1].at_s < 0.2
