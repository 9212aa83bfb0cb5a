"""Redaction: nothing of a voice is left where it is covered, every other sample is the original's, the original stays."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.tones import spans, strength, tone
from audio.tracks import read_sound, write_flac
from callserver.archive.redact import COMMENT, COVER_HZ, LAG_MS, Cover, Origin, Redacted, redact
from callserver.core.desk import EVERYONE, OTHERS, POINT, SILENCE, TONE

CALL, RATE, LENGTH_S = "i1.1", 8000, 10
POINT_LEG, OPERATOR, POLICE = "i1.1.1", "i1.1.2", "i1.1.3"
LEGS = {POINT_LEG: "point", OPERATOR: "operator", POLICE: "outside"}
HZ = {POINT_LEG: 440.0, OPERATOR: 880.0, POLICE: 1500.0}
WHO = Origin("olive", "a child's name", "1.2.3")
LATER_S = 0.3  # the point hears the others so much later than they speak


def voice(leg: str, later_s: float = 0.0) -> np.ndarray:
    """All the time, so that a rest of it anywhere shows."""
    samples = tone(HZ[leg], LENGTH_S, RATE, -18.0)
    begin = round(later_s * RATE)
    return np.concatenate((np.zeros(begin, np.int16), samples))[: samples.size]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A recording: call.flac and a track for each leg, with their sums."""
    folder = tmp_path / CALL
    write_flac(folder / "call.flac", [voice(POINT_LEG), voice(OPERATOR, LATER_S) + voice(POLICE, LATER_S)], RATE)
    for leg in LEGS:
        write_flac(folder / f"{leg}.flac", [voice(leg)], RATE)
    return {f"{CALL}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def redacted(root: Path, files: dict[str, str], party: str, cover: str, *spans_ms: tuple[int, int]) -> Redacted:
    return redact(root, files, "r1", Cover(spans_ms, party, cover), LEGS, WHO)


def side(root: Path, stem: str, number: int = 0, prefix: str = "redacted-r1-") -> np.ndarray:
    samples, rate_hz = read_sound(root / CALL / f"{prefix}{stem}.flac")
    assert rate_hz == RATE
    return samples[:, number]


def changed(root: Path, stem: str, number: int = 0) -> list[float]:
    """From which second to which a side differs from the original, to a millisecond or so; empty: nowhere."""
    there = np.flatnonzero(side(root, stem, number) != side(root, stem, number, ""))
    return [round(float(there[0]) / RATE, 2), round(float(there[-1] + 1) / RATE, 2)] if there.size else []


@pytest.mark.parametrize("cover", [TONE, SILENCE])
def test_the_point_is_covered_in_the_mix_and_on_its_track_and_nowhere_else(
    tmp_path: Path, files: dict[str, str], cover: str
) -> None:
    redacted(tmp_path, files, POINT, cover, (2000, 3500), (6125, 6126))
    for stem in ("call", POINT_LEG):
        now, before = side(tmp_path, stem), side(tmp_path, stem, 0, "")
        inside = np.zeros(now.size, bool)
        inside[2 * RATE : 3 * RATE + RATE // 2] = inside[49_000:49_008] = True
        assert np.array_equal(now[~inside], before[~inside])
        assert strength(now[16_000:28_000], HZ[POINT_LEG], RATE) < 1e-4
        if cover == SILENCE:
            assert not now[inside].any()
        else:
            assert strength(now[16_000:28_000], COVER_HZ, RATE) == pytest.approx(0.1, abs=0.01)
    assert [changed(tmp_path, "call", 1), changed(tmp_path, OPERATOR), changed(tmp_path, POLICE)] == [[], [], []]


def test_one_of_the_others_is_covered_where_the_point_hears_all_of_them(tmp_path: Path, files: dict[str, str]) -> None:
    """Their voices are mixed there, so all of that side is covered; on tracks of their own only that leg's."""
    redacted(tmp_path, files, OPERATOR, SILENCE, (4000, 5000))
    assert not side(tmp_path, "call", 1)[32_000:40_000].any()
    assert not side(tmp_path, OPERATOR)[32_000:40_000].any()
    assert [changed(tmp_path, "call", 0), changed(tmp_path, POINT_LEG), changed(tmp_path, POLICE)] == [[], [], []]
    assert changed(tmp_path, "call", 1) == [4.0, 5.0]


def test_what_was_said_before_it_was_heard_is_covered_too(tmp_path: Path, files: dict[str, str]) -> None:
    """A word heard from 4 s on was said up to half a second earlier on the leg's own track."""
    redacted(tmp_path, files, OTHERS, SILENCE, (4000, 5000))
    for leg in (OPERATOR, POLICE):
        assert changed(tmp_path, leg) == [4.0 - LAG_MS / 1000, 5.0]
        assert LATER_S < LAG_MS / 1000


def test_everyone_is_covered_everywhere_and_without_spans_all_of_it(tmp_path: Path, files: dict[str, str]) -> None:
    redacted(tmp_path, files, EVERYONE, TONE)
    for stem, number in (("call", 0), ("call", 1), *((leg, 0) for leg in LEGS)):
        samples = side(tmp_path, stem, number)
        assert len(spans(samples, COVER_HZ, RATE)) == 1
        assert max(strength(samples, hz, RATE) for hz in HZ.values()) < 1e-3


def test_a_span_past_the_end_covers_up_to_the_end(tmp_path: Path, files: dict[str, str]) -> None:
    redacted(tmp_path, files, POINT, SILENCE, (9000, 60_000))
    assert changed(tmp_path, "call", 0) == [9.0, 10.0]


def test_the_originals_stay_and_the_new_files_name_them(tmp_path: Path, files: dict[str, str]) -> None:
    done = redacted(tmp_path, files, POINT, TONE, (2000, 3500))
    assert done.origin == files == {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in files}
    assert set(done.files) == {f"{CALL}/redacted-r1-{Path(name).name}" for name in files}
    for name, sum in done.files.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == sum
        with soundfile.SoundFile(tmp_path / name) as file:
            told = json.loads(file.comment.removeprefix(COMMENT))
        origin = name.replace("redacted-r1-", "")
        assert (told["origin"], told["sha256"]) == (origin, files[origin])
        assert (told["spans_ms"], told["party"], told["cover"]) == ([[2000, 3500]], POINT, TONE)
        assert (told["by"], told["reason"], told["version"]) == ("olive", "a child's name", "1.2.3")


def test_the_same_wish_gives_the_same_bytes(tmp_path: Path, files: dict[str, str]) -> None:
    assert redacted(tmp_path, files, POINT, TONE, (2000, 3500)) == redacted(tmp_path, files, POINT, TONE, (2000, 3500))


@pytest.mark.parametrize(
    ("party", "cover", "span", "told"),
    [
        ("nobody", TONE, (0, 1), "there is no party nobody"),
        (POINT, "music", (0, 1), "with tone or with silence"),
        (POINT, TONE, (5, 5), "ends after it begins"),
        (POINT, TONE, (-1, 5), "begins at 0 or later"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_and_nothing_written(
    tmp_path: Path, files: dict[str, str], party: str, cover: str, span: tuple[int, int], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        redacted(tmp_path, files, party, cover, span)
    assert len(list((tmp_path / CALL).iterdir())) == len(files)


def test_an_original_that_is_not_what_the_journal_says_is_not_redacted(tmp_path: Path, files: dict[str, str]) -> None:
    name = f"{CALL}/call.flac"
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b"x")
    with pytest.raises(ValueError, match="is not what the journal says"):
        redacted(tmp_path, files, POINT, TONE, (0, 1000))
