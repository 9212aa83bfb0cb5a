"""From a prompt's name to what it says: its pieces, their files, and several files as one WAV.

`+` joins names that are said one after the other, and `time:14-05` is two of them, `hour-14` and `minute-05`. `in:cy` as the last
word has all of them said in another language than the call's. A player for each
file would be started at its predecessor's end by a loop that looks every 20 ms, so words would stumble: they are made
one sound before it plays. Recordings may differ in rate and channels: the few follow the many, for that costs time.
"""

import io
import wave
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

JOINT = "+"
LANGUAGE = "in:"
SPOKEN = ("place:", "text:")  # made of the plan's words
TIME = "time:"
SAMPLE_BYTES = 2


def pieces_of(name: str) -> tuple[str, ...]:
    """The names of which a prompt is made, in their order."""
    pieces: list[str] = []
    for piece in name.split(JOINT):
        hour, dash, minute = piece.removeprefix(TIME).partition("-")
        is_time = piece.startswith(TIME) and dash
        pieces.extend((f"hour-{hour}", f"minute-{minute}") if is_time else (piece,))
    return tuple(pieces)


def language_of(name: str) -> tuple[str, str]:
    """A prompt's name without the language that its last word asks for, and that; "": the call's."""
    said, _, last = name.rpartition(JOINT)
    return (said, last.removeprefix(LANGUAGE)) if said and last.startswith(LANGUAGE) else (name, "")


def file_of(directory: Path, name: str) -> Path | None:
    """A piece's file: `place:x` is `place-x.wav`, `text:x` `text-x.wav`. None for a name that could leave the directory."""
    plain = name.replace(":", "-", 1) if name.startswith(SPOKEN) else name
    if not plain or "/" in plain or plain.startswith(".") or "\0" in plain:
        return None
    return directory / f"{plain}.wav"


def length_ms(file: Path) -> int:
    """How long a WAV plays, at least 1. Raises OSError, EOFError or wave.Error for what is none."""
    with wave.open(str(file)) as sound:
        return max(1, int(sound.getnframes() * 1_000 / sound.getframerate()))


def joined(files: Sequence[Path]) -> tuple[bytes, frozenset[Path]]:
    """These WAV files of 16-bit PCM as one of one channel, and those of them that could not be read and are left out.

    Most of them give the rate. No bytes when nothing could be read.
    """
    unread: set[Path] = set()
    pieces: list[tuple[array[int], int]] = []
    for file in files:
        try:
            pieces.append(_read(file))
        except (OSError, EOFError, wave.Error):
            unread.add(file)
    if not pieces:
        return b"", frozenset(unread)
    (rate_hz, _), *_ = Counter(piece_hz for _, piece_hz in pieces).most_common(1)
    samples = array("h")
    for piece, piece_hz in pieces:
        samples.extend(piece if piece_hz == rate_hz else _at_rate(piece, piece_hz, rate_hz))
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(SAMPLE_BYTES)
        sound.setframerate(rate_hz)
        sound.writeframes(samples.tobytes())
    return out.getvalue(), frozenset(unread)


def _read(file: Path) -> tuple["array[int]", int]:
    """The first channel's samples and their rate."""
    with wave.open(str(file)) as sound:
        if sound.getsampwidth() != SAMPLE_BYTES or not sound.getframerate():
            raise wave.Error("not of 16 bits, or without a rate")
        data = sound.readframes(sound.getnframes())
        samples = array("h", data[: len(data) // SAMPLE_BYTES * SAMPLE_BYTES])  # a file cut short may end in half a sample
        return samples[:: sound.getnchannels()], sound.getframerate()


def _at_rate(samples: "array[int]", from_hz: int, to_hz: int) -> "array[int]":
    """Another rate by straight lines: enough for speech, and rare."""
    last = len(samples) - 1
    made = array("h")
    for number in range(len(samples) * to_hz // from_hz):
        whole, part = divmod(number * from_hz, to_hz)
        here, there = samples[whole], samples[min(whole + 1, last)]
        made.append(here + (there - here) * part // to_hz)
    return made
