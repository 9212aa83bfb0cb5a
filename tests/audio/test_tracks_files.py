"""Tracks, their files, and other sampling rates."""

from pathlib import Path

import numpy as np
import pytest

from audio.levels import rms_dbfs
from audio.resample import resample
from audio.tones import dominant, strength, tone
from audio.tracks import Track, read_sound, reads_back, write_aside, write_flac


def test_frames_lie_where_they_are_laid_with_silence_between() -> None:
    track = Track(8000)
    track.lay(1000, np.full(10, 5, np.int16))
    track.lay(100, np.full(10, 7, np.int16))
    samples = track.samples()
    assert samples.size == 1010
    assert np.flatnonzero(samples).tolist() == [*range(100, 110), *range(1000, 1010)]
    assert track.samples(2000).size == 2000
    assert track.samples(500).size == 500


def test_frames_on_one_place_are_both_heard_within_16_bits() -> None:
    track = Track(8000)
    track.lay(0, np.array([30_000, -30_000, 5], np.int16))
    track.lay(1, np.array([-30_000, 1], np.int16))
    assert track.samples().tolist() == [30_000, -32_768, 6]


def test_what_is_before_the_beginning_is_cut_off() -> None:
    track = Track(8000)
    track.lay(-2, np.array([1, 2, 3], np.int16))
    track.lay(-5, np.array([1, 2, 3], np.int16))
    assert track.samples().tolist() == [3]


def test_a_file_holds_exactly_its_tracks(tmp_path: Path) -> None:
    left, right = tone(440, 10.0, 8000), tone(880, 10.0, 8000)
    path = tmp_path / "below" / "call.flac"
    write_flac(path, [left, right], 8000)
    samples, rate_hz = read_sound(path)
    assert rate_hz == 8000
    assert np.array_equal(samples, np.stack([left, right], axis=1))
    assert [each.name for each in path.parent.iterdir()] == ["call.flac"]


def test_the_same_tracks_make_the_same_bytes(tmp_path: Path) -> None:
    sound = [tone(440, 1.0, 8000)]
    write_flac(tmp_path / "a.flac", sound, 8000)
    write_flac(tmp_path / "b.flac", sound, 8000)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()


def test_reading_back_finds_every_difference(tmp_path: Path) -> None:
    sound = tone(440, 1.0, 8000)
    path = tmp_path / "a.flac"
    write_flac(path, [sound], 8000)
    other = sound.copy()
    other[7000] += 1
    assert reads_back(path, [sound], 8000)
    assert not reads_back(path, [other], 8000)
    assert not reads_back(path, [sound[:-1]], 8000)
    assert not reads_back(path, [sound], 16_000)
    assert not reads_back(path, [sound, sound], 8000)
    path.write_bytes(path.read_bytes()[:300])
    assert not reads_back(path, [sound], 8000)


def test_a_file_that_would_not_read_back_never_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.flac"
    write_flac(path, [tone(440, 0.1, 8000)], 8000)
    before = path.read_bytes()
    monkeypatch.setattr("audio.tracks.reads_back", lambda *_: False)
    with pytest.raises(OSError, match="does not read back"):
        write_flac(path, [tone(880, 0.1, 8000)], 8000)
    assert path.read_bytes() == before


def test_tracks_of_different_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="equally long"):
        write_flac(tmp_path / "a.flac", [np.zeros(8, np.int16), np.zeros(9, np.int16)], 8000)


def test_a_disk_that_takes_nothing_is_an_oserror() -> None:
    with pytest.raises(FileNotFoundError):
        write_flac(Path("/proc/none/a.flac"), [np.zeros(8, np.int16)], 8000)


def test_what_is_no_sound_file_is_an_oserror(tmp_path: Path) -> None:
    write_aside(tmp_path / "a.wav", b"nothing of the kind")
    with pytest.raises(OSError, match="is no sound file"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 16_000), (22_050, 16_000), (16_000, 8000), (48_000, 16_000)])
def test_another_rate_keeps_length_level_frequency_and_place(from_hz: int, to_hz: int) -> None:
    quiet = np.zeros(from_hz // 2, np.int16)
    sound = np.concatenate((quiet, tone(1000, 1.0, from_hz, -12), quiet))
    made = resample(sound, from_hz, to_hz)
    assert made.size == 2 * to_hz
    middle = made[to_hz // 2 : to_hz // 2 + to_hz]
    assert dominant(middle, to_hz) == pytest.approx(1000, abs=0.2)
    assert strength(middle, 1000, to_hz) == pytest.approx(10 ** (-12 / 20), rel=0.01)
    expected = tone(1000, 1.0, to_hz, -12)
    inner = slice(to_hz // 10, -to_hz // 10)
    assert rms_dbfs((middle[inner].astype(np.int32) - expected[inner]).astype(np.int16)) < -60
    assert rms_dbfs(made[: to_hz // 2 - to_hz // 50]) < -60


def test_what_the_lower_rate_cannot_hold_is_left_out() -> None:
    assert rms_dbfs(resample(tone(6000, 1.0, 16_000, -6), 16_000, 8000)[400:-400]) < -55


def test_the_same_rate_is_the_same_sound() -> None:
    sound = tone(440, 0.1, 8000)
    assert resample(sound, 8000, 8000) is sound
