"""The shipped phrases are whole, calm in level and made by the script that is shipped with them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from audio.levels import clipped, rms_dbfs
from audio.prompts import HERE, RATE_HZ, Phrase, made_by, phrases
from audio.prompts.make import make
from audio.speech import NoSpeech, Voice, say, version, voice_of
from audio.tracks import read_sound

SPOKEN = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


CLASSES = ("emergency", "high", "normal", "information")
NAMES = {
    *("reassurance", "calling-back", "hold", "parked", "interrupted", "outcome", "accepted", "refused", "transfer", "call-out"),
    *("items-passed", "items-left"),
    *("help-point-call", *(f"class-{urgency}" for urgency in CLASSES)),
    *(f"accept-{digit}" for digit in range(1, 10)),
    *(f"hour-{hour:02}" for hour in range(24)),
    *(f"minute-{minute:02}" for minute in range(60)),
}


def test_every_phrase_of_the_manifest_is_there_and_no_other_file() -> None:
    assert {(phrase.language, phrase.name) for phrase in phrases()} == {(each, name) for each in ("en", "cy") for name in NAMES}
    assert len(phrases()) == 2 * len(NAMES), "each once"
    assert all(phrase.whole() for phrase in phrases())
    assert {phrase.path() for phrase in phrases()} == set(HERE.rglob("*.flac"))


@pytest.mark.parametrize("phrase", phrases(), ids=lambda phrase: f"{phrase.language}-{phrase.name}")
def test_a_phrase_is_clear_and_short(phrase: Phrase) -> None:
    samples, rate_hz = read_sound(phrase.path())
    assert (rate_hz, samples.shape[1]) == (RATE_HZ, 1)
    assert 0.4 < len(samples) / rate_hz < 7
    assert -30 < rms_dbfs(samples[:, 0]) < -18
    assert clipped(samples[:, 0]) == 0


@SPOKEN
def test_the_script_makes_them_from_their_texts(tmp_path: Path) -> None:
    shutil.copy(HERE / "manifest.toml", tmp_path)
    made = make(tmp_path)
    assert made == phrases(tmp_path)
    assert all(phrase.whole(tmp_path) for phrase in made)
    assert made_by(tmp_path) == version()
    assert [(phrase.language, phrase.name, phrase.text) for phrase in made] == [
        (phrase.language, phrase.name, phrase.text) for phrase in phrases()
    ]


@SPOKEN
@pytest.mark.parametrize("phrase", phrases(), ids=lambda phrase: f"{phrase.language}-{phrase.name}")
def test_a_file_says_the_text_of_the_manifest(phrase: Phrase) -> None:
    if version() != made_by():
        pytest.skip(f"the files were made by {made_by()}, here is {version()}")
    samples, _ = read_sound(phrase.path())
    assert np.array_equal(say(phrase.text, voice_of(phrase.language), RATE_HZ), samples[:, 0])


@SPOKEN
def test_voices_differ() -> None:
    deep, high = (say("Hello", Voice("en-gb", pitch=pitch), 8_000) for pitch in (10, 90))
    assert deep.size != high.size or not np.array_equal(deep, high)


@SPOKEN
def test_a_text_cannot_become_an_option() -> None:
    assert say("--version", voice_of("en"), 16_000).size > 4000


def test_speech_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoSpeech, match="not installed"):
        say("Hello", voice_of("en"), 16_000)


def test_no_two_phrases_of_a_language_say_the_same() -> None:
    """Hours, minutes and digits are easily mixed up where they are written down."""
    spoken = [(phrase.language, phrase.text) for phrase in phrases()]
    assert sorted(set(spoken)) == sorted(spoken)


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [
        ("en", "hour-00", "at zero zero"),
        ("en", "hour-09", "at oh nine"),
        ("en", "hour-14", "at fourteen"),
        ("en", "minute-00", "hundred hours"),
        ("en", "minute-05", "oh five"),
        ("en", "minute-59", "fifty-nine"),
        ("en", "accept-1", "Press one to take the call."),
        ("cy", "hour-14", "am un deg pedwar"),
        ("cy", "hour-04", "am bedwar"),
        ("cy", "minute-05", "dim pump"),
        ("cy", "minute-45", "pedwar deg pump"),
        ("cy", "accept-9", "Pwyswch naw i gymryd yr alwad."),
    ],
)
def test_times_and_keys_are_said_as_people_say_them(language: str, name: str, text: str) -> None:
    assert text in [phrase.text for phrase in phrases() if (phrase.language, phrase.name) == (language, name)]
