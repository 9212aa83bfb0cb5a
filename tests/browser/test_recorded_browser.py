"""The recording of a conversation at a browser is proven while it goes on; who speaks into a dead microphone is told."""

from pathlib import Path

import pytest

from tests.browser.console import Console, console
from tests.eventually import eventually
from tests.loopback.desk import desk, legs_of, now_s
from tests.loopback.service import Service, plan_text, running
from tests.peers.ports import Ports

POINT_HZ, OPERATOR_HZ = 440.0, 700.0
WITHIN_S = 10.0
NS = 1e9
DEAD = """for (const track of spied.tracks) {
  track.enabled = false;
  Object.defineProperty(track, "enabled", { set() {}, configurable: true });
}"""
ALIVE = "for (const track of spied.tracks) { delete track.enabled; track.enabled = true; }"


async def _told(service: Service, kind: str, leg: str, since_s: float) -> None:
    def found() -> list[float]:
        return [fact["utc"] / NS for fact in service.journal(kind) if fact["leg"] == leg and fact["utc"] / NS > since_s]

    at_s = await eventually(found, WITHIN_S + 3, 0.1)
    assert isinstance(at_s, list) and at_s[0] - since_s <= WITHIN_S, (kind, at_s[0] - since_s)


async def _reads(seat: Console, *words: str) -> bool:
    shown = await seat.page.locator(".leg .loud").all_inner_texts()
    return [one.strip() for one in shown] == list(words)


@pytest.mark.real
@pytest.mark.long
async def test_a_microphone_that_dies_is_told_at_the_console_and_one_that_is_muted_there_is_not(
    tmp_path: Path, ports: Ports
) -> None:
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"])) as service:
        async with desk(service) as people, console(service, tmp_path, "op1", OPERATOR_HZ) as seat:
            await seat.on_duty()
            point = await people.phone("p1", POINT_HZ)
            point.pressing()
            await seat.page.get_by_role("button", name="Answer").wait_for(timeout=5000)
            await seat.press("Space")
            await eventually(lambda: seat.hears_tone(POINT_HZ), 5)
            began_s = now_s()
            mine = legs_of(service, "op1")[-1]
            for leg in (legs_of(service, "p1")[-1], mine):
                await _told(service, "RecordingConfirmed", leg, began_s - 1)
            await eventually(lambda: _reads(seat, "recorded", "recorded"), 3)
            died_s = now_s()
            await seat.page.evaluate(DEAD)
            await _told(service, "RecordingDoubtful", mine, died_s)
            await eventually(lambda: _reads(seat, "recorded", "dead silence"), 3)
            await seat.page.evaluate(ALIVE)
            await _told(service, "RecordingConfirmed", mine, now_s())
            await seat.press("m")
            muted_s = now_s()
            await eventually(lambda: now_s() - muted_s > WITHIN_S + 2, WITHIN_S + 4, 0.2)
            assert len(service.journal("RecordingDoubtful")) == 1
