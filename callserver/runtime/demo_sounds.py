"""Files of what the demo's people say, made once and kept: 8 kHz, 16 bits, mono. Where there is no espeak-ng, a tone speaks."""

import hashlib
import wave
from pathlib import Path

from audio.sounds import breath, hush, taps
from audio.speech import NoSpeech, Voice, say
from audio.tones import Samples, tone
from callserver.runtime import street_stories as stories
from callserver.runtime.street_stories import Line, Story
from callserver.runtime.street_talk import FIRST_PATIENCE_MS, PATIENCE_MS, REPLY_AFTER_MS, Act, Script

RATE_HZ = 8_000
_TONE_HZ, _TONE_S = 440.0, 2.0
_KEYS_MS = 400
_BYTES = 2
_HEAD_BYTES = 44


def script_of(story: Story, folder: Path) -> Script:
    """The story as something that can be played; its files lie in `folder`."""

    def acts(lines: tuple[Line, ...]) -> tuple[Act, ...]:
        return tuple(_act(line, story.voice, folder) for line in lines)

    return Script(
        acts(story.lines),
        acts(story.waiting),
        acts(story.after),
        None if story.again is None else _act(story.again, story.voice, folder),
        FIRST_PATIENCE_MS if story.first_ms is None else story.first_ms,
        PATIENCE_MS if story.patience_ms is None else story.patience_ms,
        REPLY_AFTER_MS if story.reply_ms is None else story.reply_ms,
    )


def tone_file(path: Path, hz: float) -> str:
    """Two seconds of a tone and four of silence, to be played again and again; its path."""
    write(path, tone(hz, _TONE_S, RATE_HZ))
    with wave.open(str(path), "rb") as made:
        sound = made.readframes(made.getnframes())
    _write_bytes(path, sound + bytes(_BYTES * RATE_HZ * 4))
    return str(path)


def silence_file(path: Path) -> str:
    """A second of a quiet street, so that a line that says nothing still sends; its path.

    No microphone in the open sends zeros: what does is muted or dead, and the archivist says so on the console.
    """
    write(path, hush(RATE_HZ))
    return str(path)


def write(path: Path, samples: Samples) -> None:
    """A WAV file, whole or not there."""
    _write_bytes(path, samples.astype("<i2").tobytes())


def _write_bytes(path: Path, sound: bytes) -> None:
    aside = path.with_suffix(".new")
    with wave.open(str(aside), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(_BYTES)
        out.setframerate(RATE_HZ)
        out.writeframes(sound)
    aside.replace(path)


def _act(line: Line, voice: Voice, folder: Path) -> Act:
    if line.hang_up:
        return Act(hang_up=True)
    if line.keys:
        return Act(keys=line.keys, length_ms=_KEYS_MS)
    what = f"{line.sound}\n{line.text}\n{voice.name}\n{voice.words_per_minute}\n{voice.pitch}"
    path = folder / f"{hashlib.sha256(what.encode()).hexdigest()[:16]}.wav"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(path, _samples(line, voice))
    length_ms = (path.stat().st_size - _HEAD_BYTES) * 1_000 // (_BYTES * RATE_HZ)
    return Act(line.text, str(path), length_ms)


def _samples(line: Line, voice: Voice) -> Samples:
    if line.sound == stories.BREATH:
        return breath(RATE_HZ)
    if line.sound in (stories.TAP, stories.TAPS):
        return taps(RATE_HZ, 1 if line.sound == stories.TAP else 2)
    try:
        return say(line.text, voice, RATE_HZ)
    except NoSpeech:
        return tone(_TONE_HZ, _TONE_S, RATE_HZ)
