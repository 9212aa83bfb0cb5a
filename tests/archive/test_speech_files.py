"""Prompt files for the call workers: made once, made again when their source changes, somebody's recording left alone."""

import shutil
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from audio.levels import rms_dbfs
from audio.prompts import phrases
from audio.tracks import read_sound
from callserver.archive import speech
from dialplans.load import shipped
from dialplans.model import Point

SPOKEN = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")
PIER = Point("pier", "Pier, by the ice house", "q", "p")


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.wav")}


def test_every_shipped_phrase_is_laid_out_for_the_workers(tmp_path: Path) -> None:
    assert speech.phrases_for({"en"}, tmp_path) == []
    for phrase in (phrase for phrase in phrases() if phrase.language == "en"):
        with wave.open(str(tmp_path / "en" / f"{phrase.name}.wav")) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        made, _ = read_sound(tmp_path / "en" / f"{phrase.name}.wav")
        source, _ = read_sound(phrase.path())
        assert (made == source).all()


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    speech.phrases_for({"en"}, tmp_path)
    before = stamps(tmp_path / "en")
    speech.phrases_for({"en"}, tmp_path)
    assert stamps(tmp_path / "en") == before


def test_each_language_has_its_own_phrases(tmp_path: Path) -> None:
    assert speech.phrases_for({"cy", "en"}, tmp_path) == []
    for phrase in phrases():
        made, _ = read_sound(tmp_path / phrase.language / f"{phrase.name}.wav")
        source, _ = read_sound(phrase.path())
        assert (made == source).all(), phrase


def test_what_a_language_lacks_is_told_and_english_takes_its_place(tmp_path: Path) -> None:
    missing = speech.phrases_for({"pl"}, tmp_path)
    names = [phrase.name for phrase in phrases() if phrase.language == "en"]
    assert [each.split(":")[0] for each in missing] == [f"pl/{name}" for name in names]
    speech.phrases_for({"en"}, tmp_path)
    for name in names:
        assert (tmp_path / "pl" / f"{name}.wav").read_bytes() == (tmp_path / "en" / f"{name}.wav").read_bytes()
    assert speech.phrases_for({"pl"}, tmp_path) == missing, "the English stopgap must not pass for a recording"


def test_a_recording_cures_what_a_language_lacks(tmp_path: Path) -> None:
    speech.phrases_for({"pl"}, tmp_path)
    own = tmp_path / "pl" / "hold.wav"
    own.write_bytes(b"a recording in Polish")
    assert "pl/hold" not in [each.split(":")[0] for each in speech.phrases_for({"pl"}, tmp_path)]
    assert own.read_bytes() == b"a recording in Polish"


def test_a_recorded_place_stays(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    own = tmp_path / "en" / "place-pier.wav"
    own.write_bytes(b"the harbour master's own voice")
    assert speech.places_for([PIER], tmp_path) == []
    assert own.read_bytes() == b"the harbour master's own voice"


def test_somebodys_recording_stays(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    own = tmp_path / "en" / "reassurance.wav"
    own.write_bytes(b"a recording of our own")
    assert speech.phrases_for({"en"}, tmp_path) == []
    assert own.read_bytes() == b"a recording of our own"


@SPOKEN
def test_places_are_spoken_and_follow_their_text(tmp_path: Path) -> None:
    file = tmp_path / "en" / "place-pier.wav"
    assert speech.places_for([PIER], tmp_path) == []
    first, rate_hz = read_sound(file)
    assert rate_hz == 16_000
    assert rms_dbfs(first[:, 0]) > -35
    kept = file.stat().st_mtime_ns
    speech.places_for([PIER], tmp_path)
    assert file.stat().st_mtime_ns == kept
    speech.places_for([replace(PIER, place="Pier, by the lighthouse at its far end")], tmp_path)
    second, _ = read_sound(file)
    assert len(second) > len(first)


@SPOKEN
def test_a_whole_plan_has_all_its_speech(tmp_path: Path) -> None:
    plan = shipped("darlington")
    assert speech.materialise(plan, tmp_path) == []
    assert {f"place-{point}.wav" for point in plan.points} < {path.name for path in (tmp_path / "en").iterdir()}


def test_without_espeak_the_places_are_missing_and_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert speech.places_for([PIER], tmp_path) == ["en/place-pier: espeak-ng is not installed"]


@SPOKEN
def test_the_english_voice_reads_where_a_language_has_none(tmp_path: Path) -> None:
    assert speech.places_for([replace(PIER, language="xx"), PIER], tmp_path) == []
    assert (tmp_path / "xx" / "place-pier.wav").read_bytes() == (tmp_path / "en" / "place-pier.wav").read_bytes()


@SPOKEN
def test_a_welsh_point_has_a_welsh_voice(tmp_path: Path) -> None:
    welsh = replace(PIER, language="cy", place="Y Pier, wrth y cwt rhew")
    plan = shipped("darlington")
    whole = replace(plan, points={**plan.points, welsh.id: welsh}, texts={})
    assert speech.materialise(whole, tmp_path) == []
    assert (tmp_path / "cy" / "place-pier.wav").is_file() and (tmp_path / "cy" / "reassurance.wav").is_file()


@SPOKEN
def test_a_kill_between_index_and_file_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    speech.places_for([PIER], tmp_path)
    moved = replace(PIER, place="Harbour")
    write = speech.write_aside

    def killed(path: Path, content: bytes) -> None:
        if path.suffix == ".wav":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(speech, "write_aside", killed)
    with pytest.raises(KeyboardInterrupt):
        speech.places_for([moved], tmp_path)
    monkeypatch.setattr(speech, "write_aside", write)
    old = (tmp_path / "en" / "place-pier.wav").read_bytes()
    speech.places_for([moved], tmp_path)
    assert (tmp_path / "en" / "place-pier.wav").read_bytes() != old


@SPOKEN
def test_the_plans_texts_are_spoken_in_every_language_that_they_are_written_in(tmp_path: Path) -> None:
    """A language that a text lacks hears the English one and is told; other words are spoken anew, and only they."""
    texts = {"soon": {"en": "Somebody is coming.", "cy": "Mae rhywun yn dod."}, "far": {"en": "It will take a while."}}
    missing = speech.texts_for(texts, {"en", "cy"}, tmp_path)
    assert missing == ["cy/text-far: the plan has no words for it in this language"]
    soon, stopgap = tmp_path / "cy" / "text-soon.wav", tmp_path / "cy" / "text-far.wav"
    assert soon.read_bytes() != (tmp_path / "en" / "text-soon.wav").read_bytes()
    assert stopgap.read_bytes() == (tmp_path / "en" / "text-far.wav").read_bytes()
    before = stamps(tmp_path / "cy")
    changed = {**texts, "soon": {**texts["soon"], "cy": "Mae rhywun ar y ffordd."}}
    speech.texts_for(changed, {"en", "cy"}, tmp_path)
    after = stamps(tmp_path / "cy")
    assert {name for name in after if after[name] != before[name]} == {"text-soon.wav"}


@SPOKEN
def test_a_recording_of_a_text_stays(tmp_path: Path) -> None:
    """Whatever the plan says later."""
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "text-soon.wav").write_bytes(b"somebody's voice")
    assert speech.texts_for({"soon": {"en": "Soon."}}, {"en"}, tmp_path) == []
    assert (tmp_path / "en" / "text-soon.wav").read_bytes() == b"somebody's voice"


@SPOKEN
def test_places_are_spoken_in_the_languages_in_which_parties_are_told_of_them(tmp_path: Path) -> None:
    """As they are written: of a Welsh place there are a Welsh and an English reading, where an English party is told of it."""
    plan = shipped("darlington")
    welsh = replace(PIER, language="cy", place="Y Pier, wrth y cwt rhew")
    whole = replace(plan, points={**plan.points, welsh.id: welsh}, texts={})
    assert speech.materialise(whole, tmp_path) == []
    both = [(tmp_path / language / "place-pier.wav").read_bytes() for language in ("cy", "en")]
    assert both[0] != both[1]
