"""Long conversations as they are: turns, streets, faint and clipped voices, loss, an echo. No fault is seen in them."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from audio.speech import PROGRAM, NoSpeech, Voice, say
from audio.tones import Samples
from callserver.media import capture_format as cf
from callserver.media.protocol import Codec
from tests.archive.test_proving import OPERATOR, POINT, Talk
from tests.archive.wire import G722, PCMA, PCMU, Sender
from tests.audio.sounds import louder, mixed, noise

SECONDS = 90
ECHO_SHARE, ECHO_S, US_S = 0.1, 0.12, 0.04
SAID = (
    "Hello, this is the control room, how can I help you?",
    "There is a man lying on the ground next to the ticket machine.",
    "Yes, I can see you on the camera, please stay where you are.",
    "He is breathing, but he does not answer me.",
    "Help is on its way, it takes about five minutes.",
    "Please hurry, he is bleeding.",
)
RATES = {"PCMU": 8_000, "PCMA": 8_000, "G722": 16_000}

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def voice(rate_hz: int, pitch: int) -> list[Samples]:
    """One person's sentences."""
    try:
        return [say(text, Voice("en-gb", 145, pitch), rate_hz) for text in SAID]
    except NoSpeech:
        pytest.skip(f"{PROGRAM} is not installed")


def conversation(rate_hz: int, gain: float, street_dbfs: float, chance: Random) -> tuple[Samples, Samples]:
    """What a caller in a street says, with an echo of what it hears, and what an operator in a quiet room says."""
    caller = noise(rate_hz, SECONDS, street_dbfs, 0.5).astype(np.int32)
    operator = noise(rate_hz, SECONDS, -66, 0.3).astype(np.int32)
    voices, at_s, turn = (voice(rate_hz, 60), voice(rate_hz, 30)), 0.5, 0
    while at_s < SECONDS - 8:
        sentence = louder(chance.choice(voices[turn]), gain)
        begin = round(at_s * rate_hz)
        (caller, operator)[turn][begin : begin + sentence.size] += sentence
        at_s += sentence.size / rate_hz + chance.choice((-0.5, 0.2, 0.5, 1, 3, 9))
        turn ^= chance.random() < 0.8
    sides = [side.clip(-32_768, 32_767).astype(np.int16) for side in (caller, operator)]
    echo = np.concatenate((np.zeros(round(ECHO_S * rate_hz), np.int16), louder(sides[1], ECHO_SHARE)))[: sides[0].size]
    return mixed(sides[0], echo), sides[1]


@pytest.mark.parametrize("codec", [PCMU, PCMA, G722], ids=lambda codec: codec.name)
@pytest.mark.parametrize(
    ("gain", "street_dbfs", "loss"),
    [(1.0, -60, 0.0), (0.3, -40, 0.03), (2.5, -30, 0.05), (0.15, -50, 0.1), (6.0, -45, 0.0)],
    ids=["plain", "street", "loud street", "faint and lossy", "clipped"],
)
def test_both_sides_of_a_conversation_are_confirmed_once_and_never_doubted(
    tmp_path: Path, codec: Codec, gain: float, street_dbfs: float, loss: float
) -> None:
    chance = Random(7)
    caller, operator = conversation(RATES[codec.name], gain, street_dbfs, chance)
    talk = Talk(tmp_path, codec=codec)
    for number, (leg, said, sent) in enumerate(((POINT, caller, operator), (OPERATOR, operator, caller))):
        lost = [{frame for frame in range(SECONDS * 50) if chance.random() < loss} for _ in range(2)]
        talk.rows[leg] = Sender(codec, ssrc=number + 1, jitter_s=0.004).says(said, 0.0, lost[0])
        talk.rows[leg] += Sender(codec, ssrc=9, kind=cf.Kind.OUT).says(sent, US_S, lost[1])
    shown = talk.seconds(SECONDS - 2)
    assert sorted(talk.told()) == [("RecordingConfirmed", POINT, ""), ("RecordingConfirmed", OPERATOR, "")]
    assert {one.state for second in shown for one in second.values()} == {"listening", "quiet", "good"}
