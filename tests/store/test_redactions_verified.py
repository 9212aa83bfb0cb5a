"""Redacted copies are examined like recordings, by both verifiers: one that was edited or is missing shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.config import load
from callserver.core import facts as f
from callserver.core.ids import CallId
from callserver.sealed import SiteKey, is_sealed
from callserver.store.engine import store_path
from callserver.store.evidence import verify_journal
from callserver.store.evidence.files import examine_files
from tests.store.pack_room import CALL, POINT_LEG, Room, room


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Room]:
    the = room(tmp_path)
    the.redact(((1000, 2000),), "point", "tone")
    yield the
    the.engine.dispose()


def ours(the: Room, *keys: SiteKey) -> list[tuple[str, bool]]:
    storage = the.config.storage
    return [(one.text, one.fault) for one in examine_files(the.engine, storage.recordings, storage.captures, keys=keys)]


def theirs(the: Room, site: bytes | None = None) -> str:
    try:
        told = verify_journal.verify(store_path(the.config.storage.data), the.config.storage.recordings, site=site)
    except verify_journal.Broken as broken:
        return str(broken)
    return next(line for line in told if line.startswith("redactions"))


def redacted(the: Room) -> Path:
    return the.config.storage.recordings / CALL / "redacted-r1-call.flac"


def test_a_redaction_that_is_whole_is_counted(own: Room) -> None:
    assert (ours(own), theirs(own)) == ([], "redactions: 3 files are what the journal says")


def test_one_that_was_edited_or_removed_is_found_by_both(own: Room) -> None:
    octets = redacted(own).read_bytes()
    redacted(own).write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]))
    ((text, fault),) = ours(own)
    assert (fault, "redacted-r1-call.flac was altered" in text) == (True, True)
    assert "redacted-r1-call.flac is not the redaction of row" in theirs(own)
    redacted(own).unlink()
    assert ours(own)[0][1]
    assert "redacted-r1-call.flac is not the redaction of row" in theirs(own)


def test_one_whose_recording_was_deleted_is_gone_by_right(own: Room) -> None:
    names = ("call.flac", "call.peaks", f"{POINT_LEG}.flac", f"{CALL}.2.flac")
    own.append(f.RecordingDeleted(CallId(CALL), tuple(f"{CALL}/{name}" for name in names), (), "default", "retention"))
    for name in names:
        (own.config.storage.recordings / CALL / name).unlink()
    assert [(text, fault) for text, fault in ours(own) if fault] == []
    assert len(ours(own)) == 3  # they are still there, and are told as a warning
    assert theirs(own) == "redactions: 0 files are what the journal says"
    for path in (own.config.storage.recordings / CALL).glob("redacted-*"):
        path.unlink()
    assert ours(own) == []


def test_captures_that_are_deleted_alone_take_no_redaction_with_them(own: Room) -> None:
    own.append(f.RecordingDeleted(CallId(CALL), (), ("i/c/1.cap",), "default", "retention"))
    redacted(own).unlink()
    assert ours(own)[0][1]
    assert "is not the redaction of row" in theirs(own)


def test_one_that_is_made_where_recordings_are_encrypted_is_encrypted_and_examined_with_the_key(tmp_path: Path) -> None:
    the = room(tmp_path)
    octets = bytes(range(32))
    (tmp_path / "site.key").write_text(octets.hex())
    wanted = {"storage.encrypt_recordings": True, "storage.site_key_file": str(tmp_path / "site.key")}
    storage = the.config.storage
    the.config = load(None, {"storage.data": str(storage.data), "storage.run": str(storage.run), **wanted})
    the.redact(((1000, 2000),), "point", "tone")
    made = sorted((storage.recordings / CALL).glob("redacted-*"))
    assert (len(made), all(is_sealed(path) for path in made)) == (3, True)
    assert (ours(the, SiteKey(octets)), theirs(the, octets)) == ([], "redactions: 3 files are what the journal says")
    closed = [(text, fault) for text, fault in ours(the) if "redaction of call" in text]
    assert [("is encrypted, and its key is missing" in text, fault) for text, fault in closed] == [(True, False)] * 3
    assert "NOT EXAMINED: 3 of them are encrypted" in theirs(the)
    octets_of_one = bytearray(redacted(the).read_bytes())
    octets_of_one[700] ^= 1
    redacted(the).write_bytes(octets_of_one)
    assert [fault for _, fault in ours(the, SiteKey(octets))] == [True]
    assert "chunk 0 of the encrypted file" in theirs(the, octets)
    the.engine.dispose()
