"""Recordings and captures that are encrypted as they are made: the same hashes, the same sound, nothing in the clear."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from audio.disk import Disk
from audio.peaks import unpack
from audio.tracks import read_sound
from callserver.archive import keep
from callserver.archive.export import make_recording
from callserver.archive.main import Archivist
from callserver.archive.pack import About, Content, write_pack
from callserver.archive.redact import Cover, Origin, redact
from callserver.archive.sealing import Sealing
from callserver.core.facts import RecordingMade
from callserver.core.ids import CallId
from callserver.sealed import KeyMissing, SiteKey, is_sealed, opened
from tests.archive.power import RecordingDisk
from tests.archive.test_power_cut import CALL, FOLDER, captures

KEY = SiteKey(bytes(range(32)))
SEALING = Sealing(lambda: (KEY,))


def made(root: Path, sealing: Sealing | None, disk: Disk | None = None) -> RecordingMade:
    """The recording of the call whose captures lie below `root`."""
    folder = root / "captures" / FOLDER
    return make_recording(CALL, keep.captures_of(folder), root / "recordings" / CALL, disk or Disk(), sealing)


def files(root: Path) -> list[Path]:
    """All that lies there."""
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_is_encrypted_has_the_hashes_and_the_sound_of_what_is_not(tmp_path: Path) -> None:
    captures(tmp_path / "plain")
    captures(tmp_path / "sealed")
    plain, sealed = made(tmp_path / "plain", None), made(tmp_path / "sealed", SEALING)
    assert plain == sealed
    assert all(is_sealed(path) for path in files(tmp_path / "sealed"))
    assert len(files(tmp_path / "sealed")) == len(files(tmp_path / "plain"))
    for name, total in sealed.files.items():
        path = tmp_path / "sealed" / "recordings" / name
        with opened(path, (KEY,)) as file:
            assert hashlib.sha256(file.read()).hexdigest() == total
            file.seek(0)
            if path.suffix == ".flac":
                assert (read_sound(path, file)[0] == read_sound(tmp_path / "plain" / "recordings" / name)[0]).all()
            else:
                assert unpack(file.read()).frames
    for path in keep.captures_of(tmp_path / "sealed" / "captures" / FOLDER):
        assert keep.sum_uncompressed(path, (KEY,)) == sealed.captures[keep.name_of(path)]
        with pytest.raises(KeyMissing):
            keep.sum_uncompressed(path)


def test_one_that_was_broken_off_at_any_step_is_made_to_the_same_end(tmp_path: Path) -> None:
    """By a disk that refuses: what a crash leaves is no more."""
    count, refused = 0, 0
    while True:
        root = tmp_path / str(count)
        captures(root)
        try:
            made(root, SEALING, RecordingDisk(count))
            break
        except OSError:
            refused += 1
        told = made(root, SEALING)
        for name, total in told.files.items():
            assert keep.sum_of(root / "recordings" / name, (KEY,)) == total
        for path in keep.captures_of(root / "captures" / FOLDER):
            assert is_sealed(path)
            assert keep.sum_uncompressed(path, (KEY,)) == told.captures[keep.name_of(path)]
        count += 7  # another step each time, of some three hundred
    assert refused > 10


def test_without_the_key_nothing_is_made_and_captures_stay(tmp_path: Path) -> None:
    captures(tmp_path)
    before = {path: path.read_bytes() for path in files(tmp_path)}
    keys: list[SiteKey] = []
    facts: list[object] = []
    sealing = Sealing(lambda: keys)
    folder = Path("i1") / CALL
    now = [0]
    archivist = Archivist(
        *(tmp_path / "captures", tmp_path / "recordings"),
        lambda: [(CallId(CALL), folder)],
        facts.append,
        lambda: now[0],
        sealing=sealing,
    )
    archivist.step()
    assert {path: path.read_bytes() for path in files(tmp_path)} == before
    assert [type(fact).__name__ for fact in facts] == ["RecordingFailed"]
    assert "the site's key is missing" in facts[0].why  # type: ignore[attr-defined]
    keys.append(KEY)
    now[0] = 3_600 * 10**9
    assert archivist.step() == 1
    assert all(is_sealed(path) for path in files(tmp_path))


def test_a_file_that_does_not_read_back_is_not_put_in_the_place_of_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"sound")
    monkeypatch.setattr("callserver.archive.sealing.seal", lambda plain, out, key: out.write(b"something else"))
    with pytest.raises(OSError, match="does not read back"):
        SEALING.seal(path)
    assert path.read_bytes() == b"sound"


def test_sound_that_lies_encrypted_can_be_redacted(tmp_path: Path) -> None:
    captures(tmp_path)
    told = made(tmp_path, SEALING)
    legs = {"i1.1.1": "point", "i1.1.2": "operator"}
    cover, who = Cover((), "point", "tone"), Origin("sue", "why", "1")
    done = redact(tmp_path / "recordings", told.files, "r1", cover, legs, who, keys=(KEY,))
    assert done.origin == {name: told.files[name] for name in done.origin}
    assert all((tmp_path / "recordings" / name).is_file() for name in done.files)
    with pytest.raises(KeyMissing):
        redact(tmp_path / "recordings", told.files, "r2", cover, legs, who)


def test_a_pack_holds_in_the_clear_what_lies_encrypted(tmp_path: Path) -> None:
    captures(tmp_path)
    told = made(tmp_path, SEALING)
    name = next(iter(told.files))
    about = About("p1", "i1", "a place", "2026-01-01T00:00:00Z", "sue", "why", "", "1", "UTC")
    path = tmp_path / "recordings" / name
    for keys in ((), (KEY,)):
        content = Content(about, {"index.html": b"page"}, [], [], {f"sound/{name}": (path, told.files[name])}, keys)
        if not keys:
            with pytest.raises(KeyMissing):
                write_pack(tmp_path / "pack.zip", content, lambda digest: digest)
    write_pack(tmp_path / "pack.zip", content, lambda digest: digest)
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        assert hashlib.sha256(pack.read(f"sound/{name}")).hexdigest() == told.files[name]
