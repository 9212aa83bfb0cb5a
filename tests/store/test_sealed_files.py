"""Both verifiers over encrypted files: good with the key, not examined without it, and a damaged chunk is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from callserver.archive.sealing import Sealing
from callserver.sealed import HEADER_BYTES, SiteKey
from callserver.store.engine import read_only
from callserver.store.evidence import verify_journal
from callserver.store.evidence.files import Finding, examine_files
from tests.store.sealed import Sealed, seal

OCTETS = bytes(range(32))
KEY = SiteKey(OCTETS)


@pytest.fixture
def closed(tmp_path: Path) -> Sealed:
    """A store with every recording and capture encrypted."""
    made = seal(tmp_path)
    for folder in (made.recordings, made.captures):
        for path in folder.rglob("*"):
            if path.is_file():
                Sealing(lambda: (KEY,)).seal(path)
    return made


def ours(closed: Sealed, *keys: SiteKey) -> list[Finding]:
    """What our own verifier says of the files."""
    engine = read_only(closed.home)
    try:
        return list(examine_files(engine, closed.recordings, closed.captures, keys=keys))
    finally:
        engine.dispose()


def theirs(closed: Sealed, site: bytes | None) -> str:
    """What the stand-alone one says."""
    try:
        told = verify_journal.verify(
            closed.database, closed.recordings, closed.captures, (closed.anchor,), (closed.key,), site=site
        )
    except verify_journal.Broken as broken:
        return f"BROKEN {broken}"
    return "\n".join(told)


def test_with_the_key_both_find_them_good(closed: Sealed) -> None:
    assert [one for one in ours(closed, KEY) if one.fault or one.closed] == []
    told = theirs(closed, OCTETS)
    assert "BROKEN" not in told
    assert "NOT EXAMINED" not in told


def test_without_it_both_say_how_many_they_did_not_examine(closed: Sealed) -> None:
    count = sum(path.is_file() for folder in (closed.recordings, closed.captures) for path in folder.rglob("*"))
    found = ours(closed)
    assert sum(one.closed for one in found) == count
    assert not [one for one in found if one.fault]
    assert theirs(closed, None).count("NOT EXAMINED") == 2
    assert theirs(closed, bytes(32)).count("NOT EXAMINED") == 2, "another key is none"


def test_a_damaged_and_a_cut_file_are_found_by_both_and_the_chunk_is_named(closed: Sealed) -> None:
    path = closed.recordings / "i1.1" / "call.flac"
    good = path.read_bytes()
    flipped = bytearray(good)
    flipped[HEADER_BYTES + 5] ^= 1
    for octets in (bytes(flipped), good[:-1]):
        path.write_bytes(octets)
        (mine,) = [one.text for one in ours(closed, KEY) if one.fault]
        assert "i1.1/call.flac was altered" in mine
        assert "chunk 0" in mine
        assert "chunk 0 of the encrypted file" in theirs(closed, OCTETS)
    path.write_bytes(b"another, in the clear")
    assert "was altered" in next(one.text for one in ours(closed, KEY) if one.fault)
    assert "was altered" in theirs(closed, OCTETS)


def test_the_stand_alone_program_takes_the_key_from_a_file_and_its_code_tells(closed: Sealed, tmp_path: Path) -> None:
    key = tmp_path / "site.key"
    key.write_text(OCTETS.hex() + "\n")
    words = [verify_journal.__file__, closed.database, "--recordings", closed.recordings, "--captures", closed.captures]
    for more, code, verdict in ((["--site-key-file", key], 0, "WHOLE: nothing wrong"), ([], 1, "NOT ALL OF IT WAS EXAMINED")):
        done = subprocess.run([sys.executable, "-I", *words, *more], capture_output=True, text=True, check=False)
        assert (done.returncode, verdict in done.stdout) == (code, True), done.stdout + done.stderr
