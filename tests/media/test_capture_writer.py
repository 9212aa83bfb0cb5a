"""The capture writer against a disk that stalls, is full or fails: the front never waits, and nothing is lost that has room."""

import errno
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callserver.archive import keep
from callserver.media.call_worker import capture
from callserver.media.call_worker.capture import CaptureWriter, Tape
from callserver.media.call_worker.clock import boottime_ns
from callserver.media.capture_format import Header, Kind, read
from callserver.media.protocol import CaptureTrouble, Codec
from tests.eventually import eventually_sync


class Disk:
    """In place of the writer's `os`: the test says what writing does."""

    def __init__(self) -> None:
        self.write: Callable[[int, bytes], int] = os.write

    def __getattr__(self, name: str) -> object:
        return getattr(os, name)


class Desk:
    """A writer whose turns the test takes; its thread is not started."""

    def __init__(self, directory: Path) -> None:
        self.told: list[CaptureTrouble] = []
        self.writer = CaptureWriter(self.told.append)
        self.directory = directory
        self.tape = self.new_tape("c1.1")

    def new_tape(self, leg: str) -> Tape:
        header = Header(
            call="c1",
            leg=leg,
            role="point",
            segment=1,
            codec=Codec("PCMU", 0),
            boot_id="b",
            anchor_number=1,
            anchor_boottime_ns=1,
            anchor_utc_ns=1,
        )
        return self.writer.new_tape(self.directory, header)

    def read(self, name: str = "c1.1.1.cap") -> list[bytes]:
        reading = read(io.BytesIO((self.directory / name).read_bytes()))
        found = [record.data for record in reading]
        assert reading.cut is None
        return found


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(capture, "os", disk)
    return disk


@pytest.fixture
def desk(tmp_path: Path, disk: Disk) -> Iterator[Desk]:
    desk = Desk(tmp_path / "made" / "at need")
    yield desk
    desk.tape.close()


def full(fd: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_records_are_in_the_file_after_a_turn_and_sealed_on_order(desk: Desk) -> None:
    desk.tape.put(1, Kind.IN, b"one")
    desk.writer.turn()
    assert desk.read() == [b"one"]
    sealed: list[str] = []
    desk.tape.put(2, Kind.OUT, b"two")
    desk.writer.seal(desk.tape, lambda: sealed.append(desk.tape.name))
    desk.writer.turn()
    assert (desk.read(), sealed) == ([b"one", b"two"], ["c1.1.1.cap"])


def test_the_disk_has_the_names_of_file_and_directories_with_the_first_sync(desk: Desk, disk: Disk) -> None:
    synced: list[str] = []

    def fsync(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))

    disk.fsync = fsync  # type: ignore[attr-defined]
    desk.tape.put(1, Kind.IN, b"one")
    desk.writer.turn()
    for _ in range(2):
        desk.tape.sync()
        desk.tape.put(2, Kind.IN, b"two")
        desk.writer.turn()
    assert synced == [str(path) for path in (desk.directory, desk.directory.parent, desk.directory.parent.parent)]


def test_a_full_disk_is_told_once_and_everything_is_written_when_there_is_room(desk: Desk, disk: Disk) -> None:
    disk.write = full
    for turn in range(3):
        desk.tape.put(turn, Kind.IN, b"%d" % turn)
        desk.writer.turn()
    assert [(trouble.what, trouble.cleared) for trouble in desk.told] == [("No space left on device: capture", False)]
    disk.write = os.write
    desk.writer.turn()
    assert desk.read() == [b"0", b"1", b"2"]
    assert [trouble.cleared for trouble in desk.told] == [False, True]


def test_a_write_that_ends_in_the_middle_leaves_a_whole_file_in_the_end(desk: Desk, disk: Disk) -> None:
    calls = iter([100, 7, None, 3])

    def scarce(fd: int, data: bytes) -> int:
        room = next(calls, len(data))
        return full(fd, data) if room is None else os.write(fd, data[:room])

    disk.write = scarce
    desk.tape.put(1, Kind.IN, b"sound" * 50)
    desk.writer.turn()
    assert len(desk.told) == 1
    desk.writer.turn()
    assert desk.read() == [b"sound" * 50]


def test_one_tape_that_fails_does_not_keep_the_others_from_the_disk(desk: Desk) -> None:
    other = desk.new_tape("c1.2")
    desk.directory.mkdir(parents=True)
    bad = desk.new_tape("c1.3")
    try:
        bad.directory = Path("/proc/self/nowhere")
        for tape in (bad, desk.tape, other):
            tape.put(1, Kind.IN, b"x")
        desk.writer.turn()
        assert desk.read() == desk.read("c1.2.1.cap") == [b"x"]
        assert len(desk.told) == 1
    finally:
        other.close()


def test_a_leg_that_is_placed_again_gets_a_file_of_its_own(desk: Desk) -> None:
    again = desk.new_tape("c1.1")
    for tape in (desk.tape, again):
        tape.put(1, Kind.IN, b"x")
        desk.writer.turn()
    again.close()
    assert sorted(path.name for path in desk.directory.iterdir()) == ["c1.1.1-2.cap", "c1.1.1.cap"]


def test_a_full_queue_drops_and_counts_and_the_capture_says_how_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "QUEUE_RECORDS", 2)
    for number in range(5):
        desk.tape.put(number, Kind.IN, b"%d" % number)
    assert desk.tape.dropped == 3
    desk.writer.turn()
    desk.tape.put(9, Kind.IN, b"9")
    desk.writer.turn()
    assert b'{"note":"dropped","count":3}' in desk.read()
    assert [data for data in desk.read() if len(data) == 1] == [b"0", b"1", b"9"]


def test_a_disk_that_hangs_is_told_by_another_thread_and_putting_never_waits(desk: Desk, disk: Disk) -> None:
    release, hanging = threading.Event(), threading.Event()

    def hang(fd: int, data: bytes) -> int:
        hanging.set()
        release.wait(10)
        return os.write(fd, data)

    disk.write = hang
    turn = threading.Thread(target=desk.writer.turn)
    desk.tape.put(0, Kind.IN, b"0")
    turn.start()
    assert hanging.wait(2)
    began = boottime_ns()
    for number in range(1, 500):
        desk.tape.put(number, Kind.IN, b"%d" % number)
    assert boottime_ns() - began < 200_000_000
    desk.writer.look(boottime_ns() + 1_000_000_000)
    assert desk.told == []
    desk.writer.look(boottime_ns() + 2_100_000_000)
    desk.writer.look(boottime_ns() + 2_200_000_000)
    assert [trouble.what for trouble in desk.told] == ["the disk of the captures does not answer"]
    release.set()
    turn.join(5)
    desk.writer.turn()
    assert len(desk.read()) == 500
    eventually_sync(lambda: [trouble.cleared for trouble in desk.told] == [False, True], 1)


def test_a_capture_is_known_to_be_written_until_it_is_sealed(desk: Desk) -> None:
    """While something waits for room nobody takes the file for whole; a writer that dies holds nothing."""
    sealed = threading.Event()
    desk.tape.put(1, Kind.IN, b"one")
    desk.writer.turn()
    file = desk.directory / "c1.1.1.cap"
    assert keep.is_written(file)
    desk.writer.seal(desk.tape, sealed.set)
    desk.writer.turn()
    assert sealed.is_set() and not keep.is_written(file)
    assert not keep.is_written(desk.directory / "none.cap")


def test_a_trouble_that_lasts_is_told_to_who_listens_anew(desk: Desk, disk: Disk) -> None:
    """A new switchboard knows nothing of what its predecessor was told."""
    disk.write = full
    desk.tape.put(1, Kind.IN, b"one")
    desk.writer.turn()
    desk.writer.turn()
    assert [trouble.cleared for trouble in desk.told] == [False]
    desk.writer.tell_again()
    desk.writer.turn()
    assert [trouble.cleared for trouble in desk.told] == [False, False]
    disk.write = os.write
    desk.writer.turn()
    assert [trouble.cleared for trouble in desk.told] == [False, False, True]
