"""Redacted copies are examined like recordings, by both verifiers: one that was edited or is missing shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.core import facts as f
from callserver.core.ids import CallId
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


def ours(the: Room) -> list[tuple[str, bool]]:
    return [
        (one.text, one.fault) for one in examine_files(the.engine, the.config.storage.recordings, the.config.storage.captures)
    ]


def theirs(the: Room) -> str:
    try:
        told = verify_journal.verify(store_path(the.config.storage.data), the.config.storage.recordings)
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
