"""What microphones hear and devices send: speech, tones, the noises of rooms and streets, and what is no sound."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from audio.prompts import HERE, phrases
from audio.resample import resample
from audio.tones import FULL_SCALE, Samples, tone
from audio.tracks import read_sound

_SEED = 5


@cache
def speech(rate_hz: int, seconds: float) -> Samples:
    """The longest shipped phrases, one after the other."""
    known = sorted((phrase for phrase in phrases() if phrase.language == "en"), key=lambda phrase: phrase.name)
    parts: list[Samples] = []
    for phrase in known:
        samples, made_at_hz = read_sound(phrase.path(HERE))
        if len(samples) > 2 * made_at_hz:
            parts.append(resample(samples[:, 0], made_at_hz, rate_hz))
    whole = np.concatenate(parts)
    return np.resize(whole, round(seconds * rate_hz)).astype(np.int16)


def noise(rate_hz: int, seconds: float, level_dbfs: float, slope: float = 0.0, band: tuple[float, float] = (0, 1e9)) -> Samples:
    """Noise whose spectrum falls with the `slope`-th power of frequency: 0 white, 0.5 a street's, 1 wind and engines."""
    chance = np.random.default_rng(_SEED)
    spectrum = np.fft.rfft(chance.standard_normal(round(seconds * rate_hz)))
    hz = np.fft.rfftfreq(round(seconds * rate_hz), 1.0 / rate_hz)
    spectrum /= np.maximum(hz, 20.0) ** slope
    spectrum[(hz < band[0]) | (hz > band[1])] = 0.0
    wave = np.fft.irfft(spectrum, round(seconds * rate_hz))
    wave *= FULL_SCALE * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(wave**2))
    return np.round(wave).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def mixed(*sounds: Samples) -> Samples:
    """All at once, within 16 bits."""
    return np.sum([each.astype(np.int32) for each in sounds], axis=0).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def louder(samples: Samples, factor: float) -> Samples:
    """So many times as loud, clipped."""
    return np.round(samples * factor).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def honest(rate_hz: int, seconds: float = 3.0) -> Mapping[str, Samples]:
    """Sounds of living microphones, of which none may be taken for a fault."""
    said = speech(rate_hz, seconds)
    return {
        "speech": said,
        "whisper": louder(said, 1 / 25),
        "shout, clipped": louder(said, 12),
        "speech in a street": mixed(louder(said, 0.5), noise(rate_hz, seconds, -27, 0.5)),
        "street": noise(rate_hz, seconds, -30, 0.5),
        "wind": noise(rate_hz, seconds, -20, 1.0),
        "rain on the loudspeaker": noise(rate_hz, seconds, -25, 0.2, (300, 3400)),
        "hiss of a cheap amplifier": noise(rate_hz, seconds, -45),
        "quiet room": noise(rate_hz, seconds, -65, 0.3),
        "very quiet room": noise(rate_hz, seconds, -76, 0.3),
        "tone": tone(440, seconds, rate_hz),
        "loud high tone": tone(3000, seconds, rate_hz, -3),
        "faint tone": tone(1000, seconds, rate_hz, -30),
    }


def random_bytes(count: int) -> bytes:
    """What encryption, or a wrong port, looks like."""
    return np.random.default_rng(_SEED).integers(0, 256, count).astype(np.uint8).tobytes()
