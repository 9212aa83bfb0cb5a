"""Tones: making them and finding them again, so that tests can tell who hears whom."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
"""Mono PCM of 16 bits, one axis."""

FULL_SCALE = 32_768.0


def tone(hz: float, duration_s: float, rate_hz: int, level_dbfs: float = -12.0, phase: float = 0.0) -> Samples:
    """A sine of `hz`, its peak at `level_dbfs`; `phase` in radians at its first sample."""
    count = round(duration_s * rate_hz)
    amplitude = 10.0 ** (level_dbfs / 20.0) * (FULL_SCALE - 1)
    angle = 2.0 * np.pi * hz / rate_hz * np.arange(count) + phase
    wave: Samples = np.round(amplitude * np.sin(angle)).astype(np.int16)
    return wave


def strength(samples: Samples, hz: float, rate_hz: int) -> float:
    """The amplitude of the component at `hz`, 0 to 1 of full scale (what Goertzel's filter gives, for any frequency).

    A Hann window keeps a loud neighbour out: at 0.2 s tones 20 Hz apart are told from each other. Empty samples have none.
    """
    if samples.size == 0:
        return 0.0
    window = np.hanning(samples.size + 2)[1:-1]
    turned = np.exp(-2j * np.pi * hz / rate_hz * np.arange(samples.size))
    return float(2.0 * abs(np.dot(samples * window, turned)) / window.sum() / FULL_SCALE)


def dominant(samples: Samples, rate_hz: int) -> float:
    """The frequency in Hz of the strongest component, 0.0 for digital silence. Better than a tenth of 1/duration."""
    if samples.size < 16 or not samples.any():
        return 0.0
    spectrum = np.abs(np.fft.rfft((samples - samples.mean()) * np.hanning(samples.size)))
    peak = int(np.argmax(spectrum))
    if not 0 < peak < spectrum.size - 1:
        return peak * rate_hz / samples.size
    left, middle, right = np.log(spectrum[peak - 1 : peak + 2] + 1e-12)
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return float((peak + shift) * rate_hz / samples.size)


def spans(samples: Samples, hz: float, rate_hz: int, above: float = 0.01, step_ms: int = 5) -> list[tuple[float, float]]:
    """When the component at `hz` is there: (start, end) in seconds, to about `step_ms`.

    The signal is looked at through a window of 4 steps; the span's edge is where half of the window holds the tone,
    so `above` is taken against the span's own strength too.
    """
    step = max(1, rate_hz * step_ms // 1000)
    width = 4 * step
    if samples.size < width:
        return []
    window = np.hanning(width + 2)[1:-1]
    turned = np.exp(-2j * np.pi * hz / rate_hz * np.arange(samples.size)) * samples / FULL_SCALE
    frames = np.lib.stride_tricks.sliding_window_view(turned, width)[::step]
    strengths = 2.0 * np.abs(frames @ window) / window.sum()
    limit = max(above, 0.5 * float(strengths.max()))
    there = np.concatenate(([False], strengths >= limit, [False])).astype(np.int8)
    starts = np.flatnonzero(np.diff(there) == 1)
    ends = np.flatnonzero(np.diff(there) == -1)
    half = step / 2 / rate_hz  # an edge lies between the window that has the tone and its neighbour
    middle = width / 2 / rate_hz
    return [
        (float(start * step / rate_hz + middle - half), float((end - 1) * step / rate_hz + middle + half))
        for start, end in zip(starts, ends, strict=True)
    ]
