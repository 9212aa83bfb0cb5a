"""How loud, how clipped, how silent."""

import numpy as np

from audio.tones import FULL_SCALE, Samples

SILENCE_DBFS = -60.0
FLOOR_DBFS = -120.0


def rms_dbfs(samples: Samples) -> float:
    """The root mean square in dB of full scale (a full sine is -3); `FLOOR_DBFS` for digital silence or nothing."""
    if samples.size == 0:
        return FLOOR_DBFS
    return _dbfs(float(np.sqrt(np.mean(np.square(samples.astype(np.float64))))))


def peak_dbfs(samples: Samples) -> float:
    """The highest sample in dB of full scale."""
    return _dbfs(float(np.max(np.abs(samples.astype(np.int32))))) if samples.size else FLOOR_DBFS


def clipped(samples: Samples, run: int = 3) -> int:
    """How many samples lie in runs of at least `run` at full scale: a single one may be honest, a run is not."""
    full = np.concatenate(([False], np.abs(samples.astype(np.int32)) >= FULL_SCALE - 1, [False])).astype(np.int8)
    edges = np.diff(full)
    lengths = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    return int(lengths[lengths >= run].sum())


def silent(samples: Samples, below_dbfs: float = SILENCE_DBFS) -> bool:
    """Whether there is nothing to be heard."""
    return rms_dbfs(samples) < below_dbfs


def silences(
    samples: Samples, rate_hz: int, longer_than_ms: int = 100, below_dbfs: float = SILENCE_DBFS
) -> list[tuple[int, int]]:
    """Stretches (first sample, sample after the last) in which every 10 ms are silent, longer than `longer_than_ms`."""
    block = rate_hz // 100
    count = samples.size // block
    power = np.mean(np.square(samples[: count * block].astype(np.float64).reshape(count, block)), axis=1)
    quiet = np.concatenate(([False], np.sqrt(power) < FULL_SCALE * 10.0 ** (below_dbfs / 20.0), [False])).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(quiet) == 1), np.flatnonzero(np.diff(quiet) == -1)
    return [(int(a) * block, int(b) * block) for a, b in zip(starts, ends, strict=True) if (b - a) * 10 > longer_than_ms]


def _dbfs(value: float) -> float:
    return max(FLOOR_DBFS, 20.0 * float(np.log10(value / FULL_SCALE))) if value > 0 else FLOOR_DBFS
