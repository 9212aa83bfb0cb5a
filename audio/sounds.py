"""Sounds that are neither speech nor tone: a breath, knuckles on a metal plate. The same every time they are made."""

import numpy as np

from audio.tones import FULL_SCALE, Samples

_SEED = 11
_BREATH_S, _BREATH_BAND_HZ, _BREATH_LEVEL = 1.1, (350.0, 1800.0), 0.09
_HUSH_LEVEL = 10 ** (-63 / 20)
_TAP_S, _TAP_HZ, _TAP_FADES_S, _TAP_LEVEL = 0.34, (190.0, 410.0, 1130.0), 0.035, 0.45


def breath(rate_hz: int, times: int = 2) -> Samples:
    """Somebody breathes in and out, `times` times."""
    count = round(_BREATH_S * rate_hz)
    noise = np.random.default_rng(_SEED).standard_normal(2 * count * times)
    spectrum = np.fft.rfft(noise)
    hz = np.fft.rfftfreq(noise.size, 1.0 / rate_hz)
    low, high = _BREATH_BAND_HZ
    spectrum[(hz < low) | (hz > high)] = 0.0
    air = np.fft.irfft(spectrum, noise.size)
    swell = np.sin(np.pi * np.arange(count) / count) ** 2
    both = np.concatenate((0.6 * swell, swell))  # out is louder than in
    return _samples(air / np.abs(air).max() * np.tile(both, times) * _BREATH_LEVEL * 3)


def hush(rate_hz: int) -> Samples:
    """A second in which nobody speaks: -63 dBFS of noise, which the logarithmic codecs of the telephone keep."""
    noise = np.random.default_rng(_SEED).standard_normal(rate_hz)
    return _samples(noise * _HUSH_LEVEL)


def taps(rate_hz: int, times: int) -> Samples:
    """Knuckles on the point's plate, `times` times in an even row."""
    at = np.arange(round(_TAP_S * rate_hz)) / rate_hz
    ring = sum((np.sin(2.0 * np.pi * hz * at) / (number + 1) for number, hz in enumerate(_TAP_HZ)), np.zeros(at.size))
    return _samples(np.tile(_TAP_LEVEL * ring * np.exp(-at / _TAP_FADES_S), times))


def _samples(wave: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Samples:
    made: Samples = np.round(wave * (FULL_SCALE - 1)).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return made
