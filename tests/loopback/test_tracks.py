"""One call through every kind of change: each party's voice is in its own track, at its times within 20 ms, and in no other."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from audio.peaks import unpack
from audio.tones import spans
from audio.tracks import read_sound
from callserver.control import Verb
from tests.eventually import eventually
from tests.loopback.desk import now_s
from tests.loopback.matrix import VOICES
from tests.loopback.matrix_faults import STRIKE
from tests.loopback.matrix_scene import MatrixService, Scene, scene
from tests.loopback.phone import Phone
from tests.peers.ports import Ports

NEAR_S = 0.02
BEEP_S, PAUSE_S = 0.4, 0.3
THROUGH_US_S = 0.15  # a voice on its way to another party
NS = 1e9

pytestmark = [pytest.mark.real, pytest.mark.long, pytest.mark.timeout(180)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[MatrixService]:
    with contextlib.closing(Ports()) as ports:
        made = MatrixService(tmp_path / "s", ports)
        made.write_prompts()
        with made.serving():
            yield made


async def _pass(seconds: float) -> None:
    since = now_s()
    await eventually(lambda: now_s() - since > seconds, seconds + 2)


async def beep(*phones: Phone) -> None:
    """One after the other says something, and is silent again."""
    for phone in phones:
        phone.rtp.payload = phone.rtp.tone
        await _pass(BEEP_S)
        phone.rtp.payload = phone.rtp.silence
        await _pass(PAUSE_S)


def beeps(phone: Phone, since_s: float, until_s: float) -> list[tuple[float, float]]:
    """(begin, end) of what a phone said in that time, UTC, by the packets that it sent."""
    said = [*phone.rtp.said, (until_s, phone.rtp.silence)]
    pairs = itertools.pairwise(said)
    return [(begin, end) for (begin, what), (end, _) in pairs if what is phone.rtp.tone and since_s <= begin < until_s]


class Recorded:
    """The files of a finished call; times are UTC."""

    def __init__(self, it: Scene, files: dict[str, str]) -> None:
        folder = it.service.data / "recordings"
        paths = {Path(name).name: folder / name for name in files}
        self.began_s = unpack(paths["call.peaks"].read_bytes()).began_utc_ns / NS
        self.tracks = {name.removesuffix(".flac"): read_sound(path) for name, path in paths.items() if path.suffix == ".flac"}

    def found(self, track: str, hz: float, side: int = 0) -> list[tuple[float, float]]:
        """When a tone is in a track."""
        samples, rate_hz = self.tracks[track]
        there = spans(np.ascontiguousarray(samples[:, side]), hz, rate_hz, above=0.05)
        return [(self.began_s + begin, self.began_s + end) for begin, end in there if end - begin > 0.05]


async def _through_every_change(it: Scene) -> None:
    """Waiting, talking, held, three-way, after a worker's death, called back, given to a colleague."""
    operator = await it.seat("operator", None)
    operator.rtp.payload = operator.rtp.silence
    point = await it.press("p5")
    await eventually(operator.rang, 5)
    await beep(point)
    operator.call.answer()
    await eventually(lambda: point.call.state == "up", 5)
    await beep(point, operator)
    await it.ask(Verb.HOLD, on=True)
    await beep(point, operator)
    await it.ask(Verb.HOLD, on=False)
    police = await Phone("police", ("127.0.0.1", 9), VOICES["police"], port=it.service.police).open()
    police.rtp.payload = police.rtp.silence
    it.phones["police"] = police
    it.people.phones.append(police)
    await it.ask(Verb.ESCALATE, party="police")
    await eventually(lambda: police.calls and police.call.state == "up", 5)
    await beep(point, operator, police)
    await it.ask(Verb.DROP, leg=it.leg("police"))
    await STRIKE["worker killed"](it)
    await beep(point, operator)
    calls = len(point.calls)
    assert await point.call.bye() == 200
    await eventually(lambda: len(point.calls) > calls and point.call.state == "up", 10)
    await beep(point, operator)
    colleague = await it.seat("colleague")
    colleague.rtp.payload = colleague.rtp.silence
    await it.ask(Verb.TRANSFER, to=colleague.user)
    await eventually(lambda: colleague.calls and colleague.call.state == "up", 10)
    await beep(point, colleague)


async def test_each_voice_is_in_its_own_track_at_its_times_and_in_no_other(service: MatrixService) -> None:
    async with scene(service) as it:
        await _through_every_change(it)
        call, phones = it.call, dict(it.phones)
    made = await eventually(lambda: [fact for fact in service.journal("RecordingMade") if fact["call"] == call], 20)
    assert isinstance(made, list)
    recorded = Recorded(it, made[0]["files"])
    by_user = {phone.user: phone for phone in phones.values()}
    ends = {fact["leg"]: fact["utc"] / NS for fact in service.journal("LegMoved") if fact["new"] == "ended"}
    counted = {phone.user: 0 for phone in phones.values()}
    for leg in [fact for fact in service.journal("LegCreated") if fact["call"] == call and fact["leg"] in recorded.tracks]:
        phone = by_user[leg["party"]]
        said = beeps(phone, leg["utc"] / NS, ends[leg["leg"]])
        counted[phone.user] += len(said)
        for hz in VOICES.values():
            found = recorded.found(leg["leg"], hz)
            assert len(found) == (len(said) if hz == phone.hz else 0), (leg["leg"], leg["party"], hz, found, said)
            if hz == phone.hz:
                assert found == [pytest.approx(span, abs=NEAR_S) for span in said], (leg["leg"], leg["party"])
    assert counted == {"p5": 7, phones["operator"].user: 5, "police": 1, phones["colleague"].user: 1}
    _heard_by_the_point(recorded, phones)


def _heard_by_the_point(recorded: Recorded, phones: dict[str, Phone]) -> None:
    """The listening file: left all that the point said, over both of its lines; right what it was sent, nothing while on hold."""
    point, operator = phones["point"], phones["operator"]
    left = [begin for begin, _ in recorded.found("call", point.hz)]
    assert left == pytest.approx([begin for begin, _ in beeps(point, 0, now_s())], abs=NEAR_S)
    assert recorded.found("call", point.hz, side=1) == []
    for phone, unheard in ((operator, {1}), (phones["police"], set()), (phones["colleague"], set())):
        said = [begin for number, (begin, _) in enumerate(beeps(phone, 0, now_s())) if number not in unheard]
        heard = [begin for begin, _ in recorded.found("call", phone.hz, side=1)]
        assert heard == pytest.approx(said, abs=THROUGH_US_S), phone.user
        assert recorded.found("call", phone.hz) == []
