"""Breath, taps and a hush: to be heard, told from each other, and the same every time."""

from collections.abc import Callable

import numpy as np
import pytest

from audio import g711, texture
from audio.levels import clipped, rms_dbfs, silences
from audio.sounds import breath, hush, taps
from audio.tones import Samples

RATE_HZ = 8_000
Encode, Decode = Callable[[Samples], bytes], Callable[[bytes], Samples]


@pytest.mark.parametrize("times", [1, 2, 4])
def test_taps_can_be_counted(times: int) -> None:
    sound = taps(RATE_HZ, times)
    blocks = np.abs(sound.astype(np.int32)).reshape(times, -1)
    loud, quiet = blocks[:, :400].max(axis=1), blocks[:, -400:].max(axis=1)
    assert (loud > 8_000).all() and (quiet < 300).all()
    assert clipped(sound) == 0


def test_a_breath_is_soft_and_comes_in_waves() -> None:
    sound = breath(RATE_HZ, 2)
    assert -45 < rms_dbfs(sound) < -20
    assert len(silences(sound, RATE_HZ, 20, -48.0)) >= 3
    assert clipped(sound) == 0


@pytest.mark.parametrize("law", [(g711.encode_ulaw, g711.decode_ulaw), (g711.encode_alaw, g711.decode_alaw)])
def test_a_hush_is_quiet_and_no_machines_silence_on_a_telephone_line(law: tuple[Encode, Decode]) -> None:
    encode, decode = law
    heard = decode(encode(hush(RATE_HZ)))
    assert -66 < rms_dbfs(heard) < -58
    assert texture.dead_share(heard, RATE_HZ) == 0.0
    assert texture.dead_share(np.zeros(RATE_HZ, np.int16), RATE_HZ) == 1.0


def test_sounds_are_the_same_every_time() -> None:
    assert np.array_equal(breath(RATE_HZ), breath(RATE_HZ))
    assert np.array_equal(taps(RATE_HZ, 3), taps(RATE_HZ, 3))
