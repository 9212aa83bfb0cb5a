"""Tones for real peers: each party plays its own, and a single-bin DFT tells who heard whom.

Stands on its own, so that the product's own tone measure (`audio.tones`) is judged by something else.
"""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HEARD = 0.05
"""A tone played at 0.3 of full scale counts as heard from this strength on: G.711, mixing and a resampler leave well over 0.2."""


def make_tone(path: Path, hz: float, seconds: float = 180.0, rate: int = 8000, level: float = 0.3) -> Path:
    """Write a mono 16-bit WAV with one tone at `level` of full scale. Returns `path`."""
    at = np.arange(int(seconds * rate)) / rate
    data = np.asarray(level * 32767 * np.sin(2 * np.pi * hz * at), dtype="<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body)) + body)
    return path


def read_wav(path: Path) -> tuple[NDArray[np.float64], int]:
    """Samples of a mono 16-bit WAV in [-1, 1] and the rate, all of them to the end of the file.

    The length in the header is not believed: files that are still being written say too little, and linphone writes its
    header last (until then it is taken as 44 octets and 8 kHz). ValueError when it is no such WAV.
    """
    raw = path.read_bytes()
    if raw[:44] == bytes(44):
        return np.frombuffer(raw[44 : len(raw) // 2 * 2], dtype="<i2") / 32768.0, 8000
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise ValueError("not a WAV file")
    at, rate = 12, 0
    while at + 8 <= len(raw):
        name, size = struct.unpack_from("<4sI", raw, at)
        if name == b"fmt ":
            _, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", raw, at + 8)
            if (channels, bits) != (1, 16):
                raise ValueError("not mono of 16 bits")
        if name == b"data":
            body = raw[at + 8 :]
            return np.frombuffer(body[: len(body) // 2 * 2], dtype="<i2") / 32768.0, rate
        at += 8 + size + size % 2
    raise ValueError("no data in the WAV file")


def strength(samples: NDArray[np.float64], hz: float, rate: int) -> float:
    """Amplitude of the tone `hz` in `samples`, as a fraction of full scale (a pure tone of 0.3 gives 0.3)."""
    if len(samples) == 0:
        return 0.0
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / rate)
    return float(2 * abs(np.dot(samples, turn)) / len(samples))


def tone_strength(wav: Path, hz: float, start_s: float = 0.0, length_s: float | None = None) -> float:
    """Strength of a tone in a stretch of a WAV; a negative `start_s` counts from the end. 0.0 where the stretch is empty."""
    samples, rate = read_wav(wav)
    first = int(start_s * rate) if start_s >= 0 else max(0, len(samples) + int(start_s * rate))
    last = len(samples) if length_s is None else first + int(length_s * rate)
    return strength(samples[first:last], hz, rate)


def heard(wav: Path, hz: float, last_s: float = 0.5) -> bool:
    """Whether the last `last_s` seconds of a WAV, that may still be growing, hold the tone throughout (each 50 ms of it)."""
    if not wav.exists() or wav.stat().st_size <= 44:
        return False
    samples, rate = read_wav(wav)
    if len(samples) < last_s * rate:
        return False
    return bool(np.all(tone_track(samples[-int(last_s * rate) :], hz, rate) > HEARD))


def tone_track(samples: NDArray[np.float64], hz: float, rate: int, window_s: float = 0.05) -> NDArray[np.float64]:
    """Strength of the tone in each window, one after the other."""
    size = int(window_s * rate)
    rows = samples[: len(samples) // size * size].reshape(-1, size)
    turn = np.exp(-2j * np.pi * hz * np.arange(size) / rate)
    return np.asarray(2 * np.abs(rows @ turn) / size, dtype=np.float64)


def loudest(samples: NDArray[np.float64], hz: float, rate: int) -> float:
    """Strength of the tone in the half second that has most of it, wherever that lies, to 50 ms; its end is looked at too."""
    size = rate // 2
    return max((strength(samples[at : at + size], hz, rate) for at in range(0, len(samples) - size + 1, rate // 20)), default=0.0)


def longest_absence_s(wav: Path, hz: float, start_s: float = 0.0, window_s: float = 0.02) -> float:
    """The longest time without the tone after its first sound past `start_s`, measured in windows of `window_s`.

    The file's own time: a peer that writes nothing while nothing arrives shows no absence, so look at the length too.
    """
    samples, rate = read_wav(wav)
    there = tone_track(samples[int(start_s * rate) :], hz, rate, window_s) > HEARD
    if not there.any():
        return len(there) * window_s
    first, last = int(np.argmax(there)), len(there) - int(np.argmax(there[::-1]))
    longest = run = 0
    for present in there[first:last]:
        run = 0 if present else run + 1
        longest = max(longest, run)
    return longest * window_s
