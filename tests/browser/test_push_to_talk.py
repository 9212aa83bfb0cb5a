"""Push to talk in a real browser: muted the caller hears nothing, and the operator while Space is held."""

from pathlib import Path

import pytest

from tests.browser.console import answered, console
from tests.eventually import eventually
from tests.loopback.desk import desk
from tests.loopback.service import plan_text, running
from tests.peers.ports import Ports

POINT_HZ, OPERATOR_HZ = 440.0, 700.0


@pytest.mark.real
async def test_the_operator_is_heard_while_space_is_held(tmp_path: Path, ports: Ports) -> None:
    """First muted by hand; then the box of the sound check is set, and the next call begins muted. The caller is heard always."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"], wrap_up="0s")) as service:
        async with desk(service) as people, console(service, tmp_path, "op1", OPERATOR_HZ) as seat:
            point = await answered(people, seat, POINT_HZ, 8)
            heard = lambda: point.hears(OPERATOR_HZ)  # noqa: E731
            await seat.press("m")
            await eventually(lambda: not heard(), 3)
            assert await seat.hears_tone(POINT_HZ)
            await seat.page.keyboard.down("Space")
            await eventually(heard, 3)
            await seat.page.keyboard.up("Space")
            await eventually(lambda: not heard(), 3)
            await point.call.bye()
            await eventually(lambda: service.journal("OperatorMoved")[-1]["new"] == "available", 5)
            await seat.press("s")
            await seat.page.get_by_label("Push to talk").check()
            await seat.page.get_by_role("button", name="Done").click()
            pressing = point.pressing()
            await seat.page.get_by_role("button", name="Answer").wait_for()
            await seat.press("Space")
            await pressing
            await seat.page.get_by_text("You are muted. Hold Space to speak.").first.wait_for()
            await eventually(lambda: seat.hears_tone(POINT_HZ), 5)
            assert not heard()
            await seat.page.keyboard.down("Space")
            await eventually(heard, 3)
            await seat.page.keyboard.up("Space")
            await eventually(lambda: not heard(), 3)
            assert seat.faults == []
            await point.call.bye()
