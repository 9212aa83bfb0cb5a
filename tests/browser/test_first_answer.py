"""The first press answered in a browser: rung, heard both ways, held, the police brought in, ended, recorded and told."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from tests.browser.console import console
from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import desk, now_s
from tests.loopback.service import plan_text, running
from tests.peers.ports import Ports
from tests.peers.tones import loudest

POINT_HZ, OPERATOR_HZ, POLICE_HZ = 440.0, 700.0, 1200.0


@pytest.mark.real
async def test_a_press_is_answered_by_one_key_and_told_to_the_end(tmp_path: Path, ports: Ports, peers: Peers) -> None:
    """A baresip point and an operator at Chromium: every step by key, every voice by its tone, on its own side of the FLAC."""
    police_port = ports.take()
    with running(tmp_path / "s", ports, plan_text([f"sip:police@127.0.0.1:{police_port}"], wrap_up="60s")) as service:
        async with desk(service) as people:
            police = await people.phone("police", POLICE_HZ, register=False, port=police_port)
            point = peers.baresip("p1", password="secret-p1", server=service.server, answer="manual", hz=POINT_HZ).start()
            async with console(service, tmp_path, "op1", OPERATOR_HZ) as seat:
                await seat.on_duty()
                await eventually(point.registered, 10)
                point.dial(service.help)
                pressed = now_s()
                await seat.page.get_by_role("button", name="Answer").wait_for(timeout=3000)
                assert now_s() - pressed < 1.5, "the console did not ring within a second and a half"
                assert not point.seen("CALL_ESTABLISHED"), "the point was answered before a human was there"
                await seat.press("Space")
                await eventually(lambda: point.seen("CALL_ESTABLISHED"), 5)
                await eventually(lambda: seat.hears_tone(POINT_HZ), 5)
                await seat.press("h")
                await eventually(lambda: [f["held"] for f in service.journal("CallHeld")] == [True], 3)
                await eventually(seat.hears_nothing, 3)
                await seat.press("h")
                await eventually(lambda: seat.hears_tone(POINT_HZ), 3)
                await seat.press("p")
                await eventually(lambda: police.hears(OPERATOR_HZ) and police.hears(POINT_HZ), 5)
                began = now_s()
                await eventually(lambda: now_s() - began > 2, 4)
                await seat.hang_up()
                await seat.close_with("1")
                closed = await eventually(lambda: service.journal("OutcomeRecorded"), 5)
                assert isinstance(closed, list) and (closed[0]["outcome"], closed[0]["by"]) == ("safe", "op1")
                made = await eventually(lambda: service.journal("RecordingMade"), 20)
                await seat.page.get_by_text("Every incident has its outcome").wait_for()
            point.hangup()
            assert isinstance(made, list)
            _check_record(service.data / "recordings" / made[0]["call"] / "call.flac")
            received, rate = soundfile.read(point.received_wav(), dtype="float64")
            assert loudest(received, OPERATOR_HZ, rate) > 0.05


def _check_record(path: Path) -> None:
    """Left the point alone, right what it heard: operator and police."""
    samples, rate = soundfile.read(path, dtype="float64")
    left, right = samples[:, 0], samples[:, 1]
    assert loudest(left, POINT_HZ, rate) > 0.05 > 4 * loudest(left, OPERATOR_HZ, rate)
    for hz in (OPERATOR_HZ, POLICE_HZ):
        assert loudest(right, hz, rate) > 0.03 > 4 * loudest(left, hz, rate)
    assert 4 * loudest(right, POINT_HZ, rate) < 0.05


def _tone(hz: float, seconds: float) -> NDArray[np.float64]:
    return np.asarray(0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * 8000)) / 8000))


def test_the_tone_measure_can_fail() -> None:
    """Silence, too little and another tone are not taken for the tone."""
    assert loudest(np.zeros(8000), OPERATOR_HZ, 8000) < 0.001
    assert loudest(_tone(OPERATOR_HZ, 0.4), OPERATOR_HZ, 8000) == 0.0
    assert loudest(_tone(900, 1.0), OPERATOR_HZ, 8000) < 0.01


@pytest.mark.parametrize("before_s", [0.0, 0.26, 0.9, 1.49])
def test_the_tone_measure_finds_half_a_second_wherever_it_lies(before_s: float) -> None:
    """Whoever joins last is heard at the end of the recording alone."""
    samples = np.concatenate([np.zeros(int(before_s * 8000)), _tone(POLICE_HZ, 0.5)])
    assert loudest(samples, POLICE_HZ, 8000) > 0.25
