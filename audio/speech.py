"""Speech by espeak-ng, a program of the system that may be missing."""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audio.levels import peak_dbfs
from audio.resample import resample
from audio.tones import FULL_SCALE, Samples
from audio.tracks import read_sound

PROGRAM = "espeak-ng"
VOICES = {"en": "en-gb"}  # languages whose voice has another name
WORDS_PER_MINUTE = 145
USUAL_PITCH = 50  # of 0 to 99
PEAK_DBFS = -6.0
LIMIT_S = 30.0

_LEAD_S = 0.05


class NoSpeech(Exception):
    """The phrase could not be spoken: no program, no voice of this language, or it failed."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: `name` as espeak-ng knows it (`en-gb+f3`), `pitch` 0 to 99."""

    name: str
    words_per_minute: int = WORDS_PER_MINUTE
    pitch: int = USUAL_PITCH


def voice_of(language: str) -> Voice:
    """The voice in which prompts of this language are spoken."""
    return Voice(VOICES.get(language, language))


def version() -> str:
    """`espeak-ng` and its version, "" without it."""
    program = shutil.which(PROGRAM)
    if program is None:
        return ""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=False).stdout
    number = told.partition(":")[2].split()
    return f"{PROGRAM} {number[0]}" if number else ""


def say(text: str, voice: Voice, rate_hz: int) -> Samples:
    """The text spoken, at an even level, silence at its ends cut to 50 ms. Raises `NoSpeech`."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise NoSpeech(f"{PROGRAM} is not installed")
    with tempfile.TemporaryDirectory(prefix="callserver-speech-") as folder:
        file = Path(folder) / "phrase.wav"
        order = [program, "-v", voice.name, "-s", str(voice.words_per_minute), "-p", str(voice.pitch)]
        order += ["-w", str(file), "--stdin"]
        try:
            done = subprocess.run(order, input=text.encode(), capture_output=True, timeout=LIMIT_S, check=False)
        except (subprocess.TimeoutExpired, OSError) as error:
            raise NoSpeech(f"{PROGRAM} failed: {error}") from error
        if done.returncode or not file.exists():
            raise NoSpeech(f"{PROGRAM} failed: {done.stderr.decode(errors='replace').strip()}")
        samples, made_at_hz = read_sound(file)
    return _trimmed(_even(resample(samples[:, 0], made_at_hz, rate_hz)), rate_hz)


def _even(samples: Samples) -> Samples:
    gain = 10.0 ** ((PEAK_DBFS - peak_dbfs(samples)) / 20.0) if samples.any() else 1.0
    loud: Samples = np.round(samples * gain).clip(-FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return loud


def _trimmed(samples: Samples, rate_hz: int) -> Samples:
    heard = np.flatnonzero(np.abs(samples.astype(np.int32)) > FULL_SCALE / 256)
    if heard.size == 0:
        return samples
    lead = round(_LEAD_S * rate_hz)
    return samples[max(0, int(heard[0]) - lead) : int(heard[-1]) + lead]
