"""Which calls the archivist takes up, and when: not by the time of day, and never while a worker still has captures to write."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from callserver.config import Config
from callserver.config_sections import StorageConfig
from callserver.runtime import archivist_process
from callserver.runtime.archivist_process import NO_CAPTURES_AFTER_S, SEALED_AFTER_S, Beats, Rounds

CALL = "i1.1"


class Desk:
    """Rounds over one call that is over, and the time by which they wait."""

    def __init__(self, directory: Path) -> None:
        storage = StorageConfig(data=directory / "data", run=directory / "run", spool=directory / "spool")
        self.rounds = Rounds(Config(storage=storage))
        self.folder = self.rounds.captures / "i1" / CALL
        self.now_s = 1_000.0

    def capture(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{CALL}.1.1.cap"
        file.touch()
        return file

    def taken(self, after_s: float) -> bool:
        """Whether the call is taken up after so many seconds more."""
        self.now_s += after_s
        return [call for call, _ in self.rounds._unfinished()] == [CALL]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path)
    monkeypatch.setattr(archivist_process.time, "monotonic", lambda: made.now_s)
    monkeypatch.setattr(archivist_process.queries, "unfinished_recordings", lambda *_: [CALL])
    yield made
    made.rounds.engine.dispose()


def test_a_call_is_taken_up_when_its_worker_has_had_time_to_seal(desk: Desk) -> None:
    desk.capture()
    assert not desk.taken(0)
    assert not desk.taken(SEALED_AFTER_S - 0.1)
    assert desk.taken(0.2)


def test_a_capture_that_waits_for_room_is_waited_for(desk: Desk) -> None:
    """However long that takes; a worker that died holds nothing any more."""
    held = os.open(desk.capture(), os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    desk.taken(0)
    assert not desk.taken(1_000)
    os.close(held)
    assert desk.taken(0)


def test_a_call_without_captures_may_get_some_yet(desk: Desk) -> None:
    """Its worker may not have found room for the first octet."""
    desk.taken(0)
    assert not desk.taken(NO_CAPTURES_AFTER_S - 1)
    desk.capture()
    assert desk.taken(0)


def test_a_call_that_never_had_sound_is_finished_too(desk: Desk) -> None:
    desk.taken(0)
    assert desk.taken(NO_CAPTURES_AFTER_S + 1)


def test_no_beat_is_told_while_a_work_stands_still(desk: Desk) -> None:
    """A long recording is no hang, one that does not end is; it goes on with the next piece of work."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    beats = Beats(theirs)

    def told(after_s: float) -> bool:
        desk.now_s += after_s
        archivist_process._beat(beats, (desk.rounds,))
        try:
            return bool(os.read(ours, 100))
        except BlockingIOError:
            return False

    desk.rounds.worked_s = desk.now_s
    assert told(1) and told(archivist_process.LONGEST_WORK_S - 10)
    assert not told(20) and not told(1_000)
    desk.rounds.go()
    assert told(1)
    os.close(ours)
    os.close(theirs)
