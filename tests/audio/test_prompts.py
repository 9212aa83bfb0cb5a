"""The shipped phrases are whole, calm in level and made by the script that is shipped with them."""

import shutil
from pathlib import Path

import pytest

from audio.levels import clipped, rms_dbfs
from audio.prompts import HERE, RATE_HZ, phrases
from audio.prompts.make import make
from audio.speech import NoSpeech, say
from audio.tracks import read_sound

SPOKEN = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


def test_every_phrase_of_the_manifest_is_there_and_no_other_file() -> None:
    assert {phrase.name for phrase in phrases()} == {"reassurance", "calling-back", "outcome", "accepted", "refused"}
    assert all(phrase.whole() for phrase in phrases())
    assert {phrase.path() for phrase in phrases()} == set(HERE.rglob("*.flac"))


@pytest.mark.parametrize("phrase", phrases(), ids=lambda phrase: phrase.name)
def test_a_phrase_is_clear_and_short(phrase: object) -> None:
    samples, rate_hz = read_sound(phrase.path())  # type: ignore[attr-defined]
    assert (rate_hz, samples.shape[1]) == (RATE_HZ, 1)
    assert 0.4 < len(samples) / rate_hz < 7
    assert -30 < rms_dbfs(samples[:, 0]) < -18
    assert clipped(samples[:, 0]) == 0


@SPOKEN
def test_the_script_makes_them_from_their_texts(tmp_path: Path) -> None:
    shutil.copy(HERE / "manifest.toml", tmp_path)
    made = make(tmp_path)
    assert [phrase.name for phrase in made] == [phrase.name for phrase in phrases()]
    assert made == phrases(tmp_path)
    assert all(phrase.whole(tmp_path) for phrase in made)


@SPOKEN
def test_a_text_cannot_become_an_option() -> None:
    assert say("--version", "en", 16_000).size > 4000


def test_speech_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoSpeech, match="not installed"):
        say("Hello", "en", 16_000)
