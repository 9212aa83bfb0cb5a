"""What would stay in the clear for ever is encrypted or taken away, and can still be made into the same recording."""

import os
from pathlib import Path

import pytest

from callserver.archive import keep
from callserver.archive.export import make_recording
from callserver.archive.sealing import Sealing
from callserver.archive.sweeping import shut, sweep
from callserver.sealed import KeyMissing, SiteKey, is_sealed
from tests.archive.test_archivist import Journal
from tests.archive.test_power_cut import CALL, FOLDER, captures

KEY = SiteKey(bytes(range(32)))
SEALING = Sealing(lambda: (KEY,))
NOW_S = 10_000_000.0


def aged(path: Path, age_s: float) -> Path:
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return path


def swept(root: Path, *known: str) -> int:
    return sweep(root / "captures", set(known).intersection, SEALING, NOW_S)


def test_captures_that_no_call_owns_are_encrypted_and_still_make_the_same_recording(tmp_path: Path) -> None:
    for name in ("a", "b"):
        captures(tmp_path / name)
        aged(tmp_path / name / "captures" / FOLDER, 7_200)
    assert (swept(tmp_path / "a", CALL), swept(tmp_path / "a") > 0, swept(tmp_path / "a")) == (0, True, 0)
    found = keep.captures_of(tmp_path / "a" / "captures" / FOLDER)
    assert found and all(is_sealed(path) and path.suffix == ".gz" for path in found)
    made = [
        make_recording(CALL, keep.captures_of(root / "captures" / FOLDER), root / "recordings" / CALL, sealing=SEALING)
        for root in (tmp_path / "a", tmp_path / "b")
    ]
    assert made[0] == made[1]


def test_what_is_young_is_left_to_those_who_may_be_at_it_and_half_written_files_go(tmp_path: Path) -> None:
    captures(tmp_path)
    folder = tmp_path / "captures" / FOLDER
    half = folder / f".{CALL}.1.1.cap.gz"
    half.write_bytes(b"half")
    aged(folder, 60)
    assert (swept(tmp_path), half.exists()) == (0, True)
    aged(folder, 3_700)
    assert (swept(tmp_path) > 0, half.exists()) == (True, False)


def test_captures_whose_recording_cannot_be_made_are_encrypted_and_a_later_try_makes_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    folder = journal.call(1)
    blocked = tmp_path / "recordings" / "i1.1"
    blocked.parent.mkdir()
    blocked.write_text("a file where a directory belongs")
    archivist = journal.archivist(SEALING)
    assert (archivist.step(), [is_sealed(path) for path in keep.captures_of(folder)]) == (0, [True])
    blocked.unlink()
    journal.now_ns = 100 * 10**9
    assert archivist.step() == 1
    assert [name for name, _ in journal.told()] == ["RecordingFailed", "RecordingMade"]


def test_a_damaged_capture_is_encrypted_as_it_is_and_keeps_no_other_from_it(tmp_path: Path) -> None:
    captures(tmp_path)
    folder = tmp_path / "captures" / FOLDER
    damaged = folder / f"{CALL}.0.1.cap.gz"
    damaged.write_bytes(b"no gzip at all")
    truncated = keep.compress(first := keep.captures_of(folder)[1], keep.sum_uncompressed(first))
    truncated.write_bytes(truncated.read_bytes()[:-9])
    shut(folder, SEALING)
    assert all(is_sealed(path) for path in folder.iterdir())
    assert keep.sum_of(truncated, (KEY,))


def test_without_the_key_nothing_is_touched_and_it_says_so(tmp_path: Path) -> None:
    captures(tmp_path)
    folder = tmp_path / "captures" / FOLDER
    before = keep.captures_of(folder)
    with pytest.raises(KeyMissing):
        shut(folder, Sealing(lambda: ()))
    assert not any(is_sealed(path) for path in keep.captures_of(folder))
    assert [path.name.removesuffix(".gz") for path in keep.captures_of(folder)] == [path.name for path in before]
