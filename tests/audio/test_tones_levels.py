"""Tones are found where they are, and levels are what an engineer would read."""

import math

import numpy as np
import pytest

from audio.levels import FLOOR_DBFS, clipped, peak_dbfs, rms_dbfs, silences, silent
from audio.tones import dominant, spans, strength, tone


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 48_000])
@pytest.mark.parametrize("hz", [300.0, 441.5, 1000.0, 3333.3])
def test_a_tone_is_found_at_its_frequency_and_strength(hz: float, rate_hz: int) -> None:
    samples = tone(hz, 0.5, rate_hz, level_dbfs=-20)
    assert dominant(samples, rate_hz) == pytest.approx(hz, abs=0.3)
    assert strength(samples, hz, rate_hz) == pytest.approx(0.1, rel=0.01)
    assert strength(samples, hz + 50, rate_hz) < 0.001


def test_a_faint_tone_is_found_beside_a_loud_one() -> None:
    both = tone(440, 1.0, 8000, -6) + tone(900, 1.0, 8000, -50)
    assert strength(both, 900, 8000) == pytest.approx(10 ** (-50 / 20), rel=0.05)
    assert dominant(both, 8000) == pytest.approx(440, abs=0.1)


def test_nothing_has_no_tone() -> None:
    empty = np.zeros(0, np.int16)
    assert (strength(empty, 440, 8000), dominant(empty, 8000), spans(empty, 440, 8000)) == (0.0, 0.0, [])
    assert dominant(np.zeros(8000, np.int16), 8000) == 0.0


def test_noise_is_no_tone() -> None:
    noise = np.random.default_rng(1).integers(-3000, 3000, 8000).astype(np.int16)
    assert strength(noise, 440, 8000) < 0.01


def test_spans_tell_when_a_tone_is_there() -> None:
    quiet = np.zeros(4000, np.int16)
    samples = np.concatenate((quiet, tone(700, 0.25, 8000), quiet, tone(1900, 0.5, 8000), tone(700, 0.1, 8000)))
    found = spans(samples, 700, 8000, above=0.05)
    assert np.array(found).ravel() == pytest.approx([0.5, 0.75, 1.75, 1.85], abs=0.008)


def test_levels_of_a_sine_are_the_textbooks() -> None:
    samples = tone(441, 1.0, 8000, level_dbfs=-12, phase=0.3)
    assert rms_dbfs(samples) == pytest.approx(-12 - 10 * math.log10(2), abs=0.02)
    assert peak_dbfs(samples) == pytest.approx(-12, abs=0.2)


def test_silence_is_silent_and_has_the_floors_level() -> None:
    nothing = np.zeros(800, np.int16)
    assert (rms_dbfs(nothing), peak_dbfs(nothing), rms_dbfs(nothing[:0])) == (FLOOR_DBFS,) * 3
    assert silent(nothing)
    assert silent(tone(500, 0.1, 8000, -70))
    assert not silent(tone(500, 0.1, 8000, -50))


def test_clipping_is_a_run_at_full_scale_not_a_single_sample() -> None:
    loud = np.clip(tone(500, 0.1, 8000, 0).astype(np.int32) * 3, -32_768, 32_767).astype(np.int16)
    assert clipped(loud) > 300
    single = tone(500, 0.1, 8000, -6)
    single[[10, 50, 51]] = 32_767
    assert clipped(single) == 0
    assert clipped(np.full(3, -32_768, np.int16)) == 3


def test_silences_are_told_by_their_first_and_last_sample() -> None:
    samples = np.concatenate((tone(500, 0.5, 8000), np.zeros(1600, np.int16), tone(500, 0.5, 8000), np.zeros(400, np.int16)))
    assert silences(samples, 8000) == [(4000, 5600)]
    assert silences(samples, 8000, longer_than_ms=40) == [(4000, 5600), (9600, 10_000)]
