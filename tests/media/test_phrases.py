"""A prompt's pieces, and several files as one: in their order, nothing between, what cannot be read left out."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from audio.tones import spans, tone
from callserver.media.call_worker.phrases import joined, language_of, length_ms, pieces_of

LOW_HZ, HIGH_HZ = 500.0, 1_500.0


def written(path: Path, hz: float, rate_hz: int = 16_000, channels: int = 1, ms: int = 300) -> Path:
    samples = np.repeat(tone(hz, ms / 1_000, rate_hz), channels)
    if channels == 2:
        samples[1::2] = 0
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def read(sound: bytes) -> tuple[np.ndarray, int]:
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("hold", ("hold",)),
        ("place:hp-1", ("place:hp-1",)),
        ("time:14-05", ("hour-14", "minute-05")),
        ("time:later", ("time:later",)),
        (
            "help-point-call+place:p1+class-emergency+time:00-00",
            ("help-point-call", "place:p1", "class-emergency", "hour-00", "minute-00"),
        ),
        ("a+", ("a", "")),
    ],
)
def test_a_name_is_made_of_pieces(name: str, pieces: tuple[str, ...]) -> None:
    assert pieces_of(name) == pieces


def test_files_follow_each_other_to_the_sample(tmp_path: Path) -> None:
    low, high = written(tmp_path / "low.wav", LOW_HZ), written(tmp_path / "high.wav", HIGH_HZ)
    sound, unread = joined([low, high, low])
    samples, rate_hz = read(sound)
    assert (rate_hz, unread) == (16_000, frozenset())
    expected = (tone(LOW_HZ, 0.3, 16_000), tone(HIGH_HZ, 0.3, 16_000), tone(LOW_HZ, 0.3, 16_000))
    assert np.array_equal(samples, np.concatenate(expected))


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (44_100, 1), (16_000, 2), (48_000, 2)])
def test_a_recording_of_another_rate_keeps_its_pitch_and_length(tmp_path: Path, rate_hz: int, channels: int) -> None:
    """Of two channels the first is played."""
    first, other = written(tmp_path / "a.wav", LOW_HZ), written(tmp_path / "b.wav", HIGH_HZ, rate_hz, channels)
    samples, made_hz = read(joined([first, other])[0])
    assert (made_hz, samples.size) == (16_000, 9_600)
    assert spans(samples, HIGH_HZ, 16_000) == [pytest.approx((0.3, 0.6), abs=0.03)]


def test_one_recording_of_another_rate_follows_the_many(tmp_path: Path) -> None:
    """Also when it comes first: words that are converted cost time of a thread that serves calls."""
    own = written(tmp_path / "own.wav", HIGH_HZ, 48_000)
    kept = written(tmp_path / "kept.wav", LOW_HZ)
    samples, rate_hz = read(joined([own, kept, kept])[0])
    assert rate_hz == 16_000
    assert np.array_equal(samples[4_800:9_600], tone(LOW_HZ, 0.3, 16_000))


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    good, absent, nonsense, bytes_of_8 = (tmp_path / f"{name}.wav" for name in ("good", "absent", "nonsense", "eight"))
    written(good, LOW_HZ)
    nonsense.write_bytes(b"no sound at all")
    with wave.open(str(bytes_of_8), "wb") as file:
        file.setparams((1, 1, 8_000, 0, "NONE", ""))
        file.writeframes(bytes(800))
    sound, unread = joined([absent, nonsense, good, bytes_of_8])
    assert unread == {absent, nonsense, bytes_of_8}
    assert read(sound)[0].size == 4_800
    assert joined([absent, nonsense]) == (b"", frozenset({absent, nonsense}))


def test_a_file_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    cut = written(tmp_path / "cut.wav", LOW_HZ)
    cut.write_bytes(cut.read_bytes()[:-1_001])
    sound, unread = joined([cut, written(tmp_path / "whole.wav", HIGH_HZ)])
    assert unread == frozenset()
    assert read(sound)[0].size == 4_800 - 501 + 4_800


def test_a_length_is_in_milliseconds_and_never_none(tmp_path: Path) -> None:
    assert length_ms(written(tmp_path / "a.wav", LOW_HZ, 8_000)) == 300
    assert length_ms(written(tmp_path / "b.wav", LOW_HZ, 8_000, ms=0)) == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("help-point-call+place:p1+in:en", ("help-point-call+place:p1", "en")),
        ("help-point-call+place:p1", ("help-point-call+place:p1", "")),
        ("in:en", ("in:en", "")),
        ("hold", ("hold", "")),
    ],
)
def test_the_last_word_names_another_language_than_the_calls(name: str, said: tuple[str, str]) -> None:
    assert language_of(name) == said
