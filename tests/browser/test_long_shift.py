"""A seat that nobody calls for a while: still fit, still warm, and the first call after it is heard at once."""

from pathlib import Path

import pytest

from tests.browser.console import console
from tests.eventually import eventually
from tests.loopback.desk import desk, now_s
from tests.loopback.service import plan_text, running
from tests.peers.ports import Ports

QUIET_S = 75.0


@pytest.mark.real
@pytest.mark.long
async def test_an_idle_seat_stays_fit_and_is_warm_when_a_call_comes(tmp_path: Path, ports: Ports) -> None:
    """Through many rounds of ICE consent (RFC 7675); both directions within two seconds of the answer."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"], wrap_up="0s")) as service:
        async with desk(service) as people, console(service, tmp_path, "op1", 700.0) as seat:
            await seat.on_duty()
            began = now_s()
            await eventually(lambda: now_s() - began > QUIET_S, QUIET_S + 5, 0.5)
            changes = [fact["reachable"] for fact in service.journal("SeatChanged") if fact["operator"] == "op1"]
            assert changes == [True], "the seat was lost while nobody called"
            point = await people.phone("p1", 440.0)
            pressing = point.pressing()
            await seat.page.get_by_role("button", name="Answer").wait_for()
            await seat.press("Space")
            await eventually(lambda: point.hears(700.0), 2)
            await eventually(lambda: seat.hears_tone(440.0), 2)
            await pressing
