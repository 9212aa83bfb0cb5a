"""Breath and taps: to be heard, told from each other, and the same every time."""

import numpy as np
import pytest

from audio.levels import clipped, rms_dbfs, silences
from audio.sounds import breath, taps

RATE_HZ = 8_000


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


def test_sounds_are_the_same_every_time() -> None:
    assert np.array_equal(breath(RATE_HZ), breath(RATE_HZ))
    assert np.array_equal(taps(RATE_HZ, 3), taps(RATE_HZ, 3))
