"""Codecs between real telephones: both tones at both ends and on their sides of the recording, in the codec's own bandwidth."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.desk import legs_of, now_s
from tests.loopback.rtp_peer import RtpPeer
from tests.loopback.wire_desk import WireService, rate_of, wire
from tests.peers.ports import Ports
from tests.peers.tones import heard, strength

pytestmark = pytest.mark.real

POINT_HZ, OPERATOR_HZ = 440.0, 1000.0
_BARESIP = {"PCMU": "pcmu/8000/1", "PCMA": "pcma/8000/1", "G722": "g722/16000/1"}
_SHORT = [("PCMU", "PCMU"), ("PCMA", "PCMU"), ("G722", "G722"), ("G722", "PCMA")]
_ALL = [(point, operator) for point in _BARESIP for operator in _BARESIP if point == "G722" or operator != "G722"]
# A call whose point is narrowband offers its operators narrowband alone: a telephone with nothing but G.722 cannot take it.
_MATRIX = [pytest.param(*pair, marks=() if pair in _SHORT else pytest.mark.long) for pair in _ALL]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireService]:
    """One for all tests of this file."""
    with contextlib.closing(Ports()) as ports, WireService(tmp_path_factory.mktemp("codecs"), ports).serving() as service:
        yield service


def _talk(side: Any, rate: int, hz: float) -> float:
    """The strongest half second of a tone."""
    step = rate // 2
    return max((strength(side[at : at + step], hz, rate) for at in range(0, len(side) - step, step)), default=0.0)


@pytest.mark.parametrize(("point_codec", "operator_codec"), _MATRIX)
async def test_both_hear_each_other_and_the_recording_has_both(
    service: WireService, peers: Peers, point_codec: str, operator_codec: str
) -> None:
    """Tones at both ends; left the point's, right the operator's; 16 kHz when the point speaks G.722."""
    async with wire(service) as people:
        before = len(service.journal("SeatChanged"))
        options = {"server": service.server}
        operator = peers.baresip(
            "op1", password="secret-op1", codec=_BARESIP[operator_codec], hz=OPERATOR_HZ, answer="auto", **options
        ).start()
        point = peers.baresip("p1", password="secret-p1", codec=_BARESIP[point_codec], hz=POINT_HZ, **options).start()
        await eventually(lambda: people.seated("op1", before), 10)
        point.dial(service.help)
        await eventually(lambda: point.seen("CALL_ESTABLISHED"), 5)
        call = legs_of(service, "p1")[-1].rpartition(".")[0]
        await eventually(lambda: heard(operator.received_wav(), POINT_HZ) and heard(point.received_wav(), OPERATOR_HZ), 8)
        point.hangup()
        await eventually(operator.idle, 5)
        made = lambda: [fact for fact in service.journal("RecordingMade") if fact["call"] == call]  # noqa: E731
        await eventually(made, 15)
        _check(service.data / "recordings" / call / "call.flac", rate_of(point_codec))
        point.stop()
        operator.stop()


def _check(path: Path, rate_hz: int) -> None:
    samples, rate = soundfile.read(path, dtype="float64")
    left, right = samples[:, 0], samples[:, 1]
    assert rate == rate_hz
    assert _talk(left, rate, POINT_HZ) > 0.05 > 4 * _talk(left, rate, OPERATOR_HZ)
    assert _talk(right, rate, OPERATOR_HZ) > 0.05 > 4 * _talk(right, rate, POINT_HZ)


async def test_g722_carries_what_g711_cannot(service: WireService) -> None:
    """Tones of 5 and 6 kHz go from a G.722 point to a G.722 operator and back, and into the recording."""
    async with wire(service) as people:
        operator = await people.caller("op2", hz=6_000.0, codec="G722")
        await operator.register()
        point = await people.caller("p2", hz=5_000.0, codec="G722")
        call = await point.press()
        rung = await operator.request("INVITE")
        assert "G722/8000" in rung.body
        operator.reply(rung, 200, "OK", tag="wide", body=operator.sdp())
        operator.hear(rung)
        await point.begun(call, 200)
        point.in_dialog(call, "ACK")
        await eventually(lambda: point.hears(6_000.0) and operator.hears(5_000.0), 5)
        name = legs_of(service, "p2")[-1].rpartition(".")[0]
        assert await point.bye(call) == 200
        operator.reply(await operator.request("BYE"), 200, "OK")
        await eventually(lambda: [fact for fact in service.journal("RecordingMade") if fact["call"] == name], 15)
        samples, rate = soundfile.read(service.data / "recordings" / name / "call.flac", dtype="float64")
        assert rate == 16_000 and strength(samples[:, 0], 5_000.0, rate) > 0.02
        await operator.register(expires=0)


async def test_a_reinvite_may_change_the_codec(service: WireService) -> None:
    """From A-law to G.722 in the call: both go on hearing each other, and the recording's end has the new tone."""
    async with wire(service) as people:
        operator = await people.operator(3)
        point = await people.caller("p3", hz=POINT_HZ)
        call = await point.talk()
        await eventually(lambda: point.hears(operator.hz) and operator.hears(POINT_HZ), 5)
        began = now_s()
        await eventually(lambda: now_s() - began > 1, 3)
        old, point.sound, point.codec = point.sound, RtpPeer(700.0, "G722"), "G722"
        old.close()
        answer = await point.offers(call, "INVITE")
        assert "G722/8000" in answer.body
        point.hear(answer)
        await eventually(lambda: point.hears(operator.hz) and operator.hears(700.0), 5)
        changed = now_s()
        await eventually(lambda: now_s() - changed > 1, 3)
        assert point.hears(operator.hz) and operator.hears(700.0)
        name = legs_of(service, "p3")[-1].rpartition(".")[0]
        assert await point.bye(call) == 200
        await eventually(lambda: [fact for fact in service.journal("RecordingMade") if fact["call"] == name], 15)
        samples, rate = soundfile.read(service.data / "recordings" / name / "call.flac", dtype="float64")
        left = samples[:, 0]
        assert _talk(left[: len(left) // 2], rate, POINT_HZ) > 0.05
        assert _talk(left[len(left) // 2 :], rate, 700.0) > 0.05
        assert len(left) / rate > 2


@pytest.mark.parametrize(
    "audio",
    [
        "m=audio 40000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n",
        "m=audio 40000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n",
        "m=audio 40000 RTP/SAVP 8\r\na=rtpmap:8 PCMA/8000\r\n",
        "m=video 40000 RTP/AVP 31\r\n",
    ],
    ids=["G.729", "Opus", "SRTP", "video"],
)
async def test_an_offer_of_nothing_that_we_take_is_488(service: WireService, audio: str) -> None:
    """Refused at once, before an incident, a leg or a worker exists."""
    async with wire(service) as people:
        opened = len(service.journal("IncidentOpened"))
        point = await people.caller("p2")
        await point.invite(body=f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n{audio}")
        assert (await point.final("INVITE")).status == 488
        assert len(service.journal("IncidentOpened")) == opened
