"""Which sound lies in a stretch of a FLAC file's bytes, held against what a decoder says."""

import contextlib
import io
import itertools
import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.places import sound_in
from audio.tracks import write_flac

RATE_HZ = 8000
SECONDS = 120


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes, two sides: noise of changing loudness, so that no two frames are equally long."""
    random_of = np.random.default_rng(7)
    loud = np.abs(np.sin(np.arange(SECONDS * RATE_HZ) / 9000)) * 9000
    tracks = [(random_of.standard_normal(loud.size) * loud).clip(-32000, 32000).astype(np.int16) for _ in range(2)]
    path = tmp_path_factory.mktemp("flac") / "call.flac"
    write_flac(path, tracks, RATE_HZ)
    return path


def decoded(octets: bytes) -> int:
    """How many samples a decoder gets out of the beginning of a file."""
    done = 0
    with soundfile.SoundFile(io.BytesIO(octets)) as file, contextlib.suppress(soundfile.LibsndfileError):
        while len(part := file.read(64, dtype="int16")):
            done += len(part)
    return done


def test_the_whole_file_is_the_whole_sound(flac: Path) -> None:
    octets = flac.read_bytes()
    assert sound_in(io.BytesIO(octets), [(0, len(octets))]) == [(0, SECONDS * 1000)]


def test_stretches_side_by_side_lie_side_by_side_in_the_sound_and_miss_nothing(flac: Path) -> None:
    octets = flac.read_bytes()
    cuts = [0, *sorted(random.Random(3).sample(range(1000, len(octets)), 40)), len(octets)]
    found = sound_in(io.BytesIO(octets), list(itertools.pairwise(cuts)))
    assert (found[0][0], found[-1][1]) == (0, SECONDS * 1000)
    for (_, end), (begin, _) in itertools.pairwise(found):
        assert 0 <= end - begin <= 1100  # both have the frame that was cut in two


@pytest.mark.parametrize("end", [30_000, 200_000, 555_555, 1_000_001])
def test_a_beginning_of_the_file_holds_what_a_decoder_finds_in_it(flac: Path, end: int) -> None:
    """And the frame that was cut, of half a second at most, counts too."""
    octets = flac.read_bytes()
    ((begin_ms, end_ms),) = sound_in(io.BytesIO(octets), [(0, end)])
    decoded_ms = decoded(octets[:end]) * 1000 / RATE_HZ
    assert begin_ms == 0
    assert decoded_ms < end_ms <= decoded_ms + 520


def test_the_files_head_has_no_sound(flac: Path) -> None:
    with flac.open("rb") as file:
        assert sound_in(file, [(0, 40), (4, 20)]) == []


@pytest.mark.parametrize("octets", [b"", b"fLaC", bytes(range(256)) * 40, b"fLaC" + bytes(100)])
def test_what_is_no_flac_file_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="FLAC"):
        sound_in(io.BytesIO(octets), [(0, 10)])
