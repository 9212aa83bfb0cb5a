"""Another sampling rate, by a windowed sinc: no resampler of a codec library, so that lengths are exact."""

from math import gcd

import numpy as np
from numpy.typing import NDArray

from audio.tones import Samples

_ZEROS = 24  # zero crossings on either side; 24 keep the alias of a voice band below -60 dB
_BLOCK = 1 << 14


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """The same sound at `to_hz`: round(length * to_hz / from_hz) samples, sample 0 at the same instant."""
    if from_hz == to_hz:
        return samples
    shared = gcd(from_hz, to_hz)
    up, down = to_hz // shared, from_hz // shared
    length = round(samples.size * up / down)
    bank, reach = _bank(up, down)
    padded = np.concatenate((np.zeros(reach, np.int16), samples, np.zeros(2 * reach + down, np.int16)))
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    out = np.zeros(length, np.int16)
    for phase in range(up):  # the outputs of one phase share one row of the bank
        at = np.arange(phase, length, up)
        start, row = at * down // up, bank[phase]
        for block in range(0, at.size, _BLOCK):
            cut = slice(block, block + _BLOCK)
            out[at[cut]] = np.clip(np.round(views[start[cut]] @ row), -32_768, 32_767)
    return out


def _bank(up: int, down: int) -> tuple[NDArray[np.float64], int]:
    """The filter's rows, one per phase of the output between two input samples, and how far they reach."""
    cut = min(1.0, up / down) * 0.97
    reach = int(np.ceil(_ZEROS / cut))
    offset = (np.arange(up) * down % up) / up
    distance = np.arange(-reach, reach + 1)[None, :] - offset[:, None]
    window = np.cos(np.pi * np.clip(distance / (reach + 1), -1, 1) / 2) ** 2
    rows = cut * np.sinc(cut * distance) * window
    return rows / rows.sum(axis=1, keepdims=True), reach
