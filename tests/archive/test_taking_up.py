"""What a crash left is found and told when the archivist takes up its work."""

import os
from pathlib import Path

from audio.tones import tone
from callserver.archive import taking_up
from callserver.core.facts import ArchivistStarted
from tests.archive.wire import Sender, header, write_capture

NOW_S = 10_000_000.0


def call(root: Path, name: str, age_s: float = 7_200) -> Path:
    folder = root / "captures" / name.split(".")[0] / name
    write_capture(folder, header(f"{name}.1", "point"), Sender().says(tone(500, 0.1, 8000), 0.0))
    os.utime(folder, (NOW_S - age_s, NOW_S - age_s))
    return folder


def found(root: Path, unfinished: list[str], known: set[str]) -> ArchivistStarted:
    return taking_up.found(root / "captures", root / "recordings", unfinished, known.intersection, NOW_S)


def test_a_machine_that_was_stopped_in_order_left_nothing(tmp_path: Path) -> None:
    call(tmp_path, "i1.1")
    assert found(tmp_path, [], {"i1.1"}) == ArchivistStarted(0, 0, 0)


def test_nothing_was_ever_captured(tmp_path: Path) -> None:
    assert found(tmp_path, [], set()) == ArchivistStarted(0, 0, 0)


def test_unfinished_calls_and_half_written_files_of_theirs_are_counted(tmp_path: Path) -> None:
    (call(tmp_path, "i1.1") / ".i1.1.1.1.cap.gz").write_bytes(b"half")
    call(tmp_path, "i2.1")
    (tmp_path / "recordings" / "i1.1").mkdir(parents=True)
    (tmp_path / "recordings" / "i1.1" / ".call.flac.part").write_bytes(b"half")
    assert found(tmp_path, ["i1.1", "i2.1"], {"i1.1", "i2.1"}) == ArchivistStarted(2, 2, 0)


def test_captures_that_no_call_owns_are_told_once_they_are_older_than_an_hour(tmp_path: Path) -> None:
    call(tmp_path, "i1.1")
    call(tmp_path, "i2.1", age_s=60)
    call(tmp_path, "i3.1")
    assert found(tmp_path, [], {"i3.1"}) == ArchivistStarted(0, 0, 1)
