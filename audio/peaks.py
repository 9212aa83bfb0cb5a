"""Peaks: the shape of a recording, small enough to be drawn at once: the extremes of each fiftieth of a second.

A value is 8 bit, by a square-root law: 127 times the root of the sample's share of full scale, away from zero. So whatever is
not digital silence shows, a whisper at -40 dBFS is a tenth of full height, and folding keeps extremes as they are. Coarser
levels, each folded from four buckets of the one before, make the view of a whole hour as cheap as that of a minute.

A file of peaks is `MAGIC` (with the version), the head, then the levels from fine to coarse, each an array of
[bucket][side][lowest, highest]. What it says follows from the sound alone, so that making it again gives the same bytes.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.tones import Samples

VERSION = 1
MAGIC = b"CSPEAKS" + bytes([VERSION])
SUFFIX = ".peaks"
PER_S = 50
FOLD = 4
COARSE_ENOUGH = 1_000  # buckets; a coarser level is not made
FINER_THAN_WANTED = 8  # a view is taken from a level of at least so many buckets for each of its own
MOST_SIDES = 8
MOST_FRAMES = 1 << 34

_HEAD = struct.Struct("<QQIHH")  # began, UTC ns | frames | rate, Hz | buckets a second | sides
_READ_BUCKETS = 60 * PER_S
_LAW = np.ceil(127 * np.sqrt(np.arange(32_769) / 32_768)).astype(np.int8)

Level = NDArray[np.int8]  # (buckets, sides, 2)
View = list[list[tuple[int, int]]]  # for each side: (lowest, highest) of each bucket


@dataclass(frozen=True, slots=True)
class Peaks:
    """The shape of `frames` samples a side. `began_utc_ns` is when the first was heard, 0 where nobody knows."""

    frames: int
    rate_hz: int
    levels: tuple[Level, ...]
    began_utc_ns: int = 0

    @property
    def duration_ms(self) -> int:
        """How long the sound is."""
        return round(self.frames * 1000 / self.rate_hz)

    def view(self, width: int, from_ms: float = 0, to_ms: float | None = None) -> View:
        """Exactly `width` buckets of equal length from `from_ms` to `to_ms` (default: the end), for each side.

        Raises ValueError for a stretch that is empty or a width below 1. What lies outside of the sound is silence.
        """
        end_ms = float(self.duration_ms if to_ms is None else to_ms)
        if width < 1 or not 0 <= from_ms < end_ms:
            raise ValueError("a view has a width, and an end after its beginning")
        wanted = FINER_THAN_WANTED * width * self.duration_ms / (end_ms - from_ms)
        number = max((n for n, level in enumerate(self.levels) if len(level) >= wanted), default=0)
        per_ms = PER_S / 1000 / FOLD**number
        edges = np.floor(np.linspace(from_ms, end_ms, width + 1) * per_ms + 1e-9).astype(np.int64)
        return _between(self.levels[number], edges)


def peaks_of(tracks: Sequence[Samples], rate_hz: int, began_utc_ns: int = 0) -> Peaks:
    """The peaks of tracks of equal length. Raises ValueError for a rate of which `PER_S` is no part, or no sample."""
    if len({track.size for track in tracks}) != 1:
        raise ValueError("sides must be equally long")
    return _made([np.stack(tracks, axis=1)], rate_hz, began_utc_ns)


def peaks_of_file(path: Path, file: BinaryIO | None = None) -> Peaks:
    """The peaks of a sound file, read piece by piece: from the disk, or from `file` where it does not lie there as it is.

    Raises OSError for what is none, ValueError as `peaks_of` does.
    """
    try:
        with soundfile.SoundFile(file or path) as found:
            return _made(_pieces(found), int(found.samplerate), 0)
    except soundfile.LibsndfileError as error:
        raise OSError(f"{path.name} is no sound file: {error.error_string}") from error


def pack(peaks: Peaks) -> bytes:
    """The bytes of a file of peaks."""
    sides = peaks.levels[0].shape[1]
    head = _HEAD.pack(peaks.began_utc_ns, peaks.frames, peaks.rate_hz, PER_S, sides)
    return b"".join((MAGIC, head, *(level.tobytes() for level in peaks.levels)))


def unpack(content: bytes) -> Peaks:
    """What `pack` packed. Raises ValueError for anything else, another version included."""
    if content[: len(MAGIC)] != MAGIC or len(content) < len(MAGIC) + _HEAD.size:
        raise ValueError("no peaks of this version")
    began_utc_ns, frames, rate_hz, per_s, sides = _HEAD.unpack_from(content, len(MAGIC))
    if per_s != PER_S or not rate_hz or rate_hz % PER_S or not 0 < frames <= MOST_FRAMES or not 0 < sides <= MOST_SIDES:
        raise ValueError("peaks with a head that makes no sense")
    at, levels = len(MAGIC) + _HEAD.size, []
    counts = list(_counts(math.ceil(frames * PER_S / rate_hz)))
    if len(content) != at + sum(counts) * sides * 2:
        raise ValueError("peaks that are cut or too long")
    for count in counts:
        size = count * sides * 2
        levels.append(np.frombuffer(content, np.int8, size, at).reshape(count, sides, 2))
        at += size
    return Peaks(frames, rate_hz, tuple(levels), began_utc_ns)


def _made(pieces: Iterable[NDArray[np.int16]], rate_hz: int, began_utc_ns: int) -> Peaks:
    """`pieces` are (frames, sides), each but the last a whole number of buckets."""
    if rate_hz <= 0 or rate_hz % PER_S:
        raise ValueError(f"a rate of {rate_hz} Hz has no whole buckets")
    frames, parts = 0, []
    for piece in pieces:
        frames += len(piece)
        parts.append(_extremes(piece, rate_hz // PER_S))
    if not frames:
        raise ValueError("no sound has no peaks")
    return Peaks(frames, rate_hz, tuple(_folded(np.concatenate(parts))), began_utc_ns)


def _pieces(found: soundfile.SoundFile) -> Iterator[NDArray[np.int16]]:
    size = found.samplerate // PER_S * _READ_BUCKETS or 1
    while len(piece := found.read(size, dtype="int16", always_2d=True)):
        yield piece


def _extremes(piece: NDArray[np.int16], bucket: int) -> Level:
    starts = np.arange(0, len(piece), bucket)
    lowest = np.minimum.reduceat(piece, starts, axis=0)
    highest = np.maximum.reduceat(piece, starts, axis=0)
    return _by_law(np.stack((lowest, highest), axis=2))


def _by_law(samples: NDArray[np.int16]) -> Level:
    wide = samples.astype(np.int32)
    size: Level = _LAW[np.abs(wide)]
    return np.where(wide < 0, -size, size)


def _folded(level: Level) -> Iterator[Level]:
    counts = list(_counts(len(level)))
    yield level
    for _before, count in pairwise(counts):
        starts = np.arange(count) * FOLD
        lowest = np.minimum.reduceat(level[:, :, 0], starts, axis=0)
        highest = np.maximum.reduceat(level[:, :, 1], starts, axis=0)
        level = np.stack((lowest, highest), axis=2)
        yield level


def _counts(buckets: int) -> Iterator[int]:
    """How many buckets each level has, from fine to coarse."""
    yield buckets
    while buckets > COARSE_ENOUGH:
        buckets = math.ceil(buckets / FOLD)
        yield buckets


def _between(level: Level, edges: NDArray[np.int64]) -> View:
    """Extremes between neighbouring edges; a bucket narrower than one of the level's shows the one it lies in."""
    starts, end = edges[:-1], int(edges[-1])
    inside = starts < len(level)
    shown = level[: max(end, int(starts[-1]) + 1)]
    lowest = np.zeros((len(starts), level.shape[1]), np.int8)
    highest = lowest.copy()
    if inside.any():
        lowest[inside] = np.minimum.reduceat(shown[:, :, 0], starts[inside], axis=0)
        highest[inside] = np.maximum.reduceat(shown[:, :, 1], starts[inside], axis=0)
    return [list(zip(lowest[:, side].tolist(), highest[:, side].tolist(), strict=True)) for side in range(level.shape[1])]
