"""What kind of sound this is, told by its shape alone: silence of a machine, noise, the wrong codec, a copy of another sound.

Every limit here was chosen with the sounds of tests/audio/test_texture.py: speech, tones and noises of a street in three codecs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.tones import FULL_SCALE, Samples

DEAD_SWING = 10  # of a frame; a G.722 decoder's idling is 5 to 8, the faintest microphone's noise 14, A-law's least step 16
FRAME_S = 0.02
COPY_SPAN_S = 1.0
_FLAT_FRAMES = 31  # each second
_BAND = (200.0, 0.44)  # Hz; share of the sampling rate: what lies outside, filters of devices cut off
_LEVEL_FLOOR = 1e-3
_HOLLOW_SHARE = 0.25  # of the root mean square

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a sound is another one: `share` 0 to 1 of it, `louder_db` than that other one, so many seconds behind it."""

    share: float
    louder_db: float
    behind_s: float


def swing(samples: Samples) -> int:
    """The distance between the lowest and the highest sample; 0 for nothing."""
    return int(samples.max()) - int(samples.min()) if samples.size else 0


def dead_share(samples: Samples, rate_hz: int) -> float:
    """The share of 20 ms frames in which nothing but a machine's silence is: a constant, give or take a codec's smallest step."""
    frames = _frames(samples, rate_hz)
    if not len(frames):
        return 1.0
    return float(np.mean(np.ptp(frames.astype(np.int32), axis=1) <= DEAD_SWING))


def flatness(samples: Samples, rate_hz: int) -> float:
    """The spectrum's flatness, 0 for a tone to 1 for white noise: the geometric by the arithmetic mean of its power."""
    width = 1 << int(np.log2(rate_hz / _FLAT_FRAMES))
    frames = samples[: samples.size // width * width].reshape(-1, width)
    if not len(frames):
        return 0.0
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(width), axis=1)) ** 2, axis=0)
    hz = np.fft.rfftfreq(width, 1.0 / rate_hz)
    power = power[(hz > _BAND[0]) & (hz < _BAND[1] * rate_hz)] + 1e-9
    return float(np.exp(np.mean(np.log(power))) / np.mean(power))


def evenness(payload: bytes) -> float:
    """How far the bytes are from all being equally frequent: about 1 for what is random (encrypted), far more for any sound.

    It is the chi-square statistic by its degrees of freedom; loud noise in G.722 comes down to 6 in a second, speech is above 20.
    """
    if not payload:
        return 0.0
    counts = np.bincount(np.frombuffer(payload, np.uint8), minlength=256)
    expected = len(payload) / 256
    return float(np.sum((counts - expected) ** 2) / expected / 255)


def hollowness(samples: Samples) -> float:
    """The share of samples near zero, against the root mean square: a fifth of noise, more of speech; none of what a law's
    wrong table makes of silence."""
    wave = samples.astype(np.float64)
    middle = np.sqrt(np.mean(wave**2)) if wave.size else 0.0
    return float(np.mean(np.abs(wave) < _HOLLOW_SHARE * middle)) if middle else 1.0


def roughness(samples: Samples) -> float:
    """The power of the steps between neighbours against the sound's own: small for what is smooth, 2 for noise; 0 for silence."""
    wave = samples.astype(np.float64)
    wave -= wave.mean() if wave.size else 0.0
    power = float(np.sum(wave**2))
    return float(np.sum(np.diff(wave) ** 2)) / power if power else 0.0


def likeness(sound: Samples, other: Samples, rate_hz: int, from_s: float = -np.inf) -> Likeness | None:
    """How much the loudest second of `other` is found in `sound`, at least `from_s` behind; None where there is nothing to find.

    How far behind is reckoned from where both begin. What repeats itself, as a tone does, is found at each of its periods.
    """
    span = round(COPY_SPAN_S * rate_hz)
    if min(sound.size, other.size) < span:
        return None
    cut = _loudest(other.astype(np.float64), span)
    place = other[cut : cut + span].astype(np.float64)
    place -= place.mean()
    wave = sound.astype(np.float64)
    own, theirs = float(np.sum(place**2)), _energies(wave, span)
    if own / span < 1.0 or float(theirs.max()) / span < 1.0:
        return None
    size = 1 << int(np.ceil(np.log2(wave.size + span)))
    product = np.fft.irfft(np.fft.rfft(wave, size) * np.conj(np.fft.rfft(place, size)), size)[: wave.size - span + 1]
    shares = np.abs(product) / np.sqrt(own * np.maximum(theirs, own * 1e-6))
    first = max(0, round(cut + from_s * rate_hz)) if np.isfinite(from_s) else 0
    if first >= shares.size:
        return None
    at = first + int(np.argmax(shares[first:]))
    level = 10.0 * np.log10(max(float(theirs[at]), _LEVEL_FLOOR) / own)
    return Likeness(min(1.0, float(shares[at])), float(level), (at - cut) / rate_hz)


def halved(samples: Samples) -> Samples:
    """At half the rate, neighbours averaged: good enough to compare sounds, not to listen to."""
    pairs = samples[: samples.size // 2 * 2].astype(np.int32).reshape(-1, 2)
    made: Samples = (pairs.sum(axis=1) >> 1).astype(np.int16)
    return made


def full_share(samples: Samples, full: int) -> float:
    """The share of samples at full scale, `full` or beyond (a codec's highest value, up to 32,767)."""
    return float(np.mean(np.abs(samples.astype(np.int32)) >= min(full, int(FULL_SCALE) - 1))) if samples.size else 0.0


def _frames(samples: Samples, rate_hz: int) -> Samples:
    width = round(FRAME_S * rate_hz)
    frames: Samples = samples[: samples.size // width * width].reshape(-1, width)
    return frames


def _energies(wave: Floats, span: int) -> Floats:
    """Of each stretch of `span` samples, about its mean."""
    sums = np.concatenate((np.zeros(1), np.cumsum(wave)))
    squares = np.concatenate((np.zeros(1), np.cumsum(wave**2)))
    of_sum: Floats = sums[span:] - sums[:-span]
    of_squares: Floats = squares[span:] - squares[:-span]
    return np.maximum(of_squares - of_sum**2 / span, 0.0)


def _loudest(wave: Floats, span: int) -> int:
    return int(np.argmax(_energies(wave, span)))
