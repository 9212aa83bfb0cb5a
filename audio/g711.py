"""G.711 (ITU-T G.711) by tables: mu-law and A-law to 16-bit PCM and back, whole arrays at once."""

import numpy as np
from numpy.typing import NDArray

from audio.tones import Samples

Codes = NDArray[np.uint8]


def _ulaw_values() -> Samples:
    """G.711 table 2: code bits inverted; sign, 3 bits of segment, 4 of step; 14-bit values set to the left in 16 bits."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    value = ((step * 8 + 132) << segment) - 132
    return np.where(code & 0x80, -value, value).astype(np.int16)


def _alaw_values() -> Samples:
    """G.711 table 1: even bits inverted; sign 1 is positive; 13-bit values set to the left in 16 bits."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    value = np.where(segment == 0, step * 16 + 8, (step * 16 + 264) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, value, -value).astype(np.int16)


def _codes(values: Samples) -> Codes:
    """For each of 65,536 PCM values the code whose value is nearest (of two equally near, the smaller in amount)."""
    order = np.argsort(values, kind="stable")
    levels = values[order].astype(np.int32)
    pcm = np.arange(-32_768, 32_768, dtype=np.int32)
    above = np.clip(np.searchsorted(levels, pcm), 1, 255)
    low, high = levels[above - 1], levels[above]
    nearer_high = (high - pcm < pcm - low) | ((high - pcm == pcm - low) & (pcm < 0))
    return order[np.where(nearer_high, above, above - 1)].astype(np.uint8)


ULAW_VALUES = _ulaw_values()
ALAW_VALUES = _alaw_values()
_ULAW_CODES = _codes(ULAW_VALUES)
_ALAW_CODES = _codes(ALAW_VALUES)


def decode_ulaw(payload: bytes) -> Samples:
    """One sample per byte of PCMU."""
    return ULAW_VALUES[np.frombuffer(payload, np.uint8)]


def decode_alaw(payload: bytes) -> Samples:
    """One sample per byte of PCMA."""
    return ALAW_VALUES[np.frombuffer(payload, np.uint8)]


def encode_ulaw(samples: Samples) -> bytes:
    """One byte of PCMU per sample."""
    return _ULAW_CODES[samples.astype(np.int32) + 32_768].tobytes()


def encode_alaw(samples: Samples) -> bytes:
    """One byte of PCMA per sample."""
    return _ALAW_CODES[samples.astype(np.int32) + 32_768].tobytes()
