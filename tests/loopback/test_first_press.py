"""A real intercom presses, a real softphone answers, each hears the other, and the recording holds both sides."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import now_s
from tests.loopback.service import plan_text, running
from tests.peers.ports import Ports
from tests.peers.tones import strength

POINT_HZ, OPERATOR_HZ = 440.0, 1000.0


def _sides(path: Path) -> tuple[Any, Any, int]:
    """Left and right of a stereo file, and its rate."""
    samples, rate = soundfile.read(path, dtype="float64")
    assert samples.ndim == 2, f"{path} is not stereo"
    return samples[:, 0], samples[:, 1], rate


def _talk(side: Any, rate: int, hz: float) -> float:
    """The strongest half second of a tone."""
    step = rate // 2
    return max(strength(side[at : at + step], hz, rate) for at in range(0, len(side) - step, step))


@pytest.mark.real
@pytest.mark.parametrize(
    ("transport", "phone"),
    [("udp", "baresip"), pytest.param("tcp", "linphone")],
)
async def test_a_press_is_answered_heard_and_recorded(
    tmp_path: Path, ports: Ports, peers: Peers, transport: str, phone: str
) -> None:
    """Points by UDP and TCP, operators at baresip and linphone: tones at both ends and on their own side of the FLAC."""
    with running(tmp_path / "s", ports, plan_text(["sip:police@127.0.0.1:9"], wrap_up="0s")) as service:
        options = {"server": service.server, "answer": "manual"}
        point = peers.baresip("p1", password="secret-p1", transport=transport, hz=POINT_HZ, **options).start()
        make = peers.baresip if phone == "baresip" else peers.linphone
        operator = make("op1", password="secret-op1", transport=transport, hz=OPERATOR_HZ, **options).start()
        await eventually(point.registered, 10)
        await eventually(operator.registered, 10)
        await eventually(lambda: any(f["operator"] == "op1" for f in service.journal("SeatChanged")), 5)
        point.dial(service.help)
        ringing = (lambda: operator.seen("CALL_INCOMING")) if phone == "baresip" else operator.ringing
        await eventually(ringing, 5)
        assert not point.seen("CALL_ESTABLISHED"), "the point was answered before a human was there"
        operator.answer()
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 5)
        await eventually(lambda: [f for f in service.journal("CallMoved") if f["new"] == "talking"], 5)
        talking = service.journal("CallMoved")[-1]["utc"]
        await eventually(lambda: now_s() - talking / 1e9 > 3, 6)
        point.hangup()
        made = await eventually(lambda: service.journal("RecordingMade"), 20)
        await eventually(lambda: operator.idle() if phone == "baresip" else operator.ended(), 5)
        for peer, hz in ((operator, POINT_HZ), (point, OPERATOR_HZ)):
            samples, rate = soundfile.read(peer.received_wav(), dtype="float64")
            assert _talk(samples, rate, hz) > 0.05, f"{peer.user} did not hear {hz} Hz"
        assert isinstance(made, list)
        call = made[0]["call"]
        left, right, rate = _sides(service.data / "recordings" / call / "call.flac")
        assert _talk(left, rate, POINT_HZ) > 0.05 > 4 * _talk(left, rate, OPERATOR_HZ)
        assert _talk(right, rate, OPERATOR_HZ) > 0.05 > 4 * _talk(right, rate, POINT_HZ)
        with service.client("auditor") as client:
            refused = client.get(f"/api/calls/{call}/recording")
            assert refused.status_code == 400, refused.text
            sent = client.get(f"/api/calls/{call}/recording", params={"reason": "test of the recording"})
            assert sent.status_code == 200
            assert sent.content == (service.data / "recordings" / call / "call.flac").read_bytes()
        assert [f["by"] for f in service.journal("Listened")] == ["auditor"]


def test_the_tone_measure_can_fail() -> None:
    """Silence and another tone are not taken for the tone."""
    other = 0.3 * np.sin(2 * np.pi * 700 * np.arange(8000) / 8000)
    assert _talk(np.zeros(8000), 8000, POINT_HZ) < 0.001
    assert _talk(other, 8000, POINT_HZ) < 0.01
