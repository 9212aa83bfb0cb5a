"""Peaks: each side's sound on its own side, at its time, at every width; and files that are either whole or refused."""

from pathlib import Path

import numpy as np
import pytest

from audio import peaks
from audio.tones import Samples, tone
from audio.tracks import write_flac

RATE_HZ = 8000


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE_HZ), np.int16)


def two_voices() -> tuple[Samples, Samples]:
    """Four seconds: a tone on the left in the second one, one on the right in the last."""
    voice = tone(440, 1.0, RATE_HZ)
    return np.concatenate([silence(1), voice, silence(2)]), np.concatenate([silence(3), voice])


def loud(view: peaks.View) -> list[list[int]]:
    return [[number for number, (low, high) in enumerate(side) if low < -20 and high > 20] for side in view]


def test_a_tone_on_one_side_shows_on_that_side_only_and_at_its_time() -> None:
    made = peaks.peaks_of(two_voices(), RATE_HZ)
    assert loud(made.view(4)) == [[1], [3]]
    assert loud(made.view(8)) == [[2, 3], [6, 7]]
    assert [set(side) for side in made.view(2, 0, 1000)] == [{(0, 0)}, {(0, 0)}]


def test_a_stretch_is_shown_as_finely_as_it_is_asked_for() -> None:
    made = peaks.peaks_of(two_voices(), RATE_HZ)
    assert loud(made.view(10, 1500, 2500))[0] == [0, 1, 2, 3, 4]
    assert loud(made.view(1000, 990, 1010))[0] == list(range(500, 1000))


def test_beyond_the_sound_there_is_silence() -> None:
    made = peaks.peaks_of([tone(440, 1.0, RATE_HZ)], RATE_HZ)
    assert loud(made.view(4, 0, 2000)) == [[0, 1]]
    assert made.view(1, 5000, 6000) == [[(0, 0)]]


def test_the_law_shows_what_is_no_silence_and_keeps_within_eight_bits() -> None:
    samples = np.repeat(np.array([0, 1, -1, 327, 32_767, -32_768], np.int16), RATE_HZ // peaks.PER_S)
    assert peaks.peaks_of([samples], RATE_HZ).view(6) == [[(0, 0), (1, 1), (-1, -1), (13, 13), (127, 127), (-127, -127)]]


@pytest.mark.parametrize("width", [1, 7, 640, 5000])
def test_every_width_keeps_the_loudest_sample(width: int) -> None:
    """One click in an hour is never folded away, at whatever level it is looked at."""
    hour = np.zeros(3600 * RATE_HZ, np.int16)
    hour[1234 * RATE_HZ] = 20_000
    (side,) = peaks.peaks_of([hour], RATE_HZ).view(width)
    (shown,) = (number for number, (_low, high) in enumerate(side) if high)
    assert len(side) == width
    assert shown == pytest.approx(1234 / 3600 * width, abs=1)


def test_a_file_of_peaks_reads_back_the_same() -> None:
    made = peaks.peaks_of(two_voices(), RATE_HZ, 1_790_000_000_000_000_000)
    again = peaks.unpack(peaks.pack(made))
    assert (again.view(50), again.began_utc_ns, again.duration_ms) == (made.view(50), made.began_utc_ns, 4000)
    assert len(peaks.pack(made)) < 1000


def test_an_hour_of_peaks_is_a_small_file_with_coarser_levels() -> None:
    made = peaks.peaks_of([np.zeros(3600 * RATE_HZ, np.int16)] * 2, RATE_HZ)
    assert [len(level) for level in made.levels] == [180_000, 45_000, 11_250, 2_813, 704]
    assert len(peaks.pack(made)) < 1_000_000


def test_peaks_of_a_file_are_those_of_its_sound(tmp_path: Path) -> None:
    """Read in pieces of a minute; the last bucket may be short."""
    left = np.concatenate([silence(70), tone(300, 1.0, RATE_HZ), silence(0.007)])
    right = np.zeros_like(left)
    write_flac(tmp_path / "call.flac", [left, right], RATE_HZ)
    found, wanted = peaks.peaks_of_file(tmp_path / "call.flac"), peaks.peaks_of([left, right], RATE_HZ)
    assert peaks.pack(wanted) == peaks.pack(found)
    assert loud(found.view(71)) == [[70], []]


def test_what_is_no_file_of_peaks_is_refused() -> None:
    good = peaks.pack(peaks.peaks_of(two_voices(), RATE_HZ))
    newer = good[:7] + b"\x02" + good[8:]
    for bad in (b"", good[:20], good[:-1], good + b"x", newer, good[:8] + bytes(24) + good[32:]):
        with pytest.raises(ValueError, match="peaks"):
            peaks.unpack(bad)


def test_sound_that_has_no_peaks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "call.flac").write_bytes(b"no sound at all")
    with pytest.raises(OSError, match="no sound file"):
        peaks.peaks_of_file(tmp_path / "call.flac")
    for tracks, rate_hz in (([], RATE_HZ), ([silence(1), silence(2)], RATE_HZ), ([silence(0)], RATE_HZ), ([silence(1)], 11_025)):
        with pytest.raises(ValueError, match=r"equally long|no sound|whole buckets"):
            peaks.peaks_of(tracks, rate_hz)
    made = peaks.peaks_of([silence(1)], RATE_HZ)
    for width, begin, end in ((0, 0, 1000), (10, 500, 500), (10, -1, 500)):
        with pytest.raises(ValueError, match="view"):
            made.view(width, begin, end)
