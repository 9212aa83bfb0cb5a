"""Tracks: frames laid on one timeline, written to FLAC so that a file is either whole or not there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from audio.disk import DISK, Disk
from audio.tones import Samples

_BLOCK = 1 << 16


@dataclass(slots=True)
class Track:
    """Sound on a timeline that begins at sample 0 and grows as frames are laid; where nothing is laid there is silence."""

    rate_hz: int
    length: int = 0  # samples from 0 to the end of the last frame
    _samples: Samples = field(default_factory=lambda: np.zeros(0, np.int16))

    def lay(self, at: int, frame: Samples) -> None:
        """Put `frame` at sample `at`. What lies there already is added to, within 16 bits; what is before 0 is cut off."""
        if at < 0:
            frame, at = frame[-at:], 0
        end = at + frame.size
        self._grow(end)
        there = self._samples[at:end]
        if at < self.length and there.any():
            frame = np.clip(there.astype(np.int32) + frame, -32_768, 32_767).astype(np.int16)
        self._samples[at:end] = frame
        self.length = max(self.length, end)

    def make_room(self, length: int) -> None:
        """For so many samples at once: growing by and by has the track in memory twice. What is not laid costs no memory."""
        self._grow(length)

    def samples(self, length: int | None = None) -> Samples:
        """All samples, filled up with silence (or cut) to `length`."""
        if length is None:
            return self._samples[: self.length]
        self._grow(length)
        return self._samples[:length]

    def _grow(self, needed: int) -> None:
        if needed > self._samples.size:
            more = np.zeros(max(needed, 2 * self._samples.size), np.int16)
            more[: self.length] = self._samples[: self.length]
            self._samples = more


class _Carried:
    """A file for libsndfile to write into. What the disk refuses is kept in `failure`: libsndfile knows nothing of why."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failure = self.failure or error
            return 0

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # what was buffered is written first
            self.failure = self.failure or error
            return -1

    def tell(self) -> int:
        return self._file.tell()


def write_flac(path: Path, tracks: Sequence[Samples], rate_hz: int, disk: Disk = DISK, comment: str = "") -> None:
    """Write the tracks (equally long) side by side in one FLAC file: aside, synced, read back and compared, then renamed.

    `comment` goes into the file as its comment of that name (RFC 9639 section 8.6).
    Raises ValueError for tracks of different length and OSError when what was written does not read back the same.
    """
    frames = {track.size for track in tracks}
    if len(frames) != 1:
        raise ValueError("tracks of one file must be equally long")
    disk.make_directory(path.parent)
    aside = path.with_name(f".{path.name}.part")
    with disk.create(aside) as file:
        _encode(_Carried(file), path.name, tracks, rate_hz, comment)
    if not reads_back(aside, tracks, rate_hz):
        raise OSError(f"{path.name} does not read back as it was written")
    disk.keep(aside, path)


def _encode(file: _Carried, name: str, tracks: Sequence[Samples], rate_hz: int, comment: str) -> None:
    try:
        with soundfile.SoundFile(file, "w", rate_hz, len(tracks), "PCM_16", format="FLAC") as out:
            if comment:
                out.comment = comment
            for start in range(0, tracks[0].size, _BLOCK):
                out.write(np.stack([track[start : start + _BLOCK] for track in tracks], axis=1))
    except soundfile.LibsndfileError as error:
        raise file.failure or OSError(f"{name} cannot be written: {error.error_string}") from error
    if file.failure is not None:
        raise file.failure


def reads_back(path: Path, tracks: Sequence[Samples], rate_hz: int) -> bool:
    """Whether the file holds exactly these tracks."""
    at = 0
    try:
        with soundfile.SoundFile(path) as found:
            if (found.samplerate, found.channels, found.frames) != (rate_hz, len(tracks), tracks[0].size):
                return False
            while (block := found.read(_BLOCK, dtype="int16", always_2d=True)).size:
                if any(not np.array_equal(block[:, number], track[at : at + len(block)]) for number, track in enumerate(tracks)):
                    return False
                at += len(block)
    except soundfile.LibsndfileError:
        return False
    return at == tracks[0].size


def read_sound(path: Path, file: BinaryIO | None = None) -> tuple[NDArray[np.int16], int]:
    """All samples of a sound file, (frames, tracks), and its rate in Hz; from `file` where it does not lie there as it is.

    Raises OSError for what is none.
    """
    try:
        samples, rate_hz = soundfile.read(file or path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise OSError(f"{path.name} is no sound file: {error.error_string}") from error
    return samples, int(rate_hz)


def write_aside(path: Path, content: bytes, disk: Disk = DISK) -> None:
    """Write a small file so that it is either whole or not there: aside, synced, renamed. Its directory must exist."""
    aside = path.with_name(f".{path.name}.part")
    with disk.create(aside) as out:
        out.write(content)
    disk.keep(aside, path)
