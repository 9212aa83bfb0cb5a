"""The capture writer's thread: appends what the front enqueues, within 10 ms, and has it on the disk within a second.

The front never waits for it: `Tape.put` only appends to a queue, and drops and counts when that is full (some minutes of
a call). A disk that fails or stalls is told as `CaptureTrouble`; it is tried again each second and what waits is written then.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from callserver.media.call_worker.clock import boottime_ns
from callserver.media.capture_format import Header, Kind, encode_header, encode_note, encode_record
from callserver.media.protocol import CaptureTrouble

QUEUE_RECORDS = 65_536  # 13 MB of 20 ms packets; two legs fill it in 5 minutes
GATHER_S = 0.01
SYNC_EVERY_NS = 1_000_000_000
RETRY_S = 1.0
MOST_NEW_DIRECTORIES = 2  # above a call's own: its incident's, and the one of all captures
STALLED_NS = 2_000_000_000
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC


class Tape:
    """One leg's capture. `name` is its file's, once that is open; `dropped` counts records lost for want of room."""

    def __init__(self, writer: "CaptureWriter", directory: Path, header: Header) -> None:
        self.directory, self.header = directory, header
        self.name = ""
        self.dropped = 0
        self._writer = writer
        self._noted = 0
        self._fd = -1
        self._named = False  # the disk has the file's name, and those of its directories
        self._unwritten = bytearray(encode_header(header, boottime_ns()))
        self.unsynced = False

    def put(self, at_ns: int, kind: Kind, data: bytes, flags: int = 0) -> None:
        """Enqueue one record. Never blocks; from any thread."""
        if not self._writer.enqueue((self, at_ns, kind, data, flags)):
            self.dropped += 1

    def take(self, at_ns: int, kind: Kind, data: bytes, flags: int) -> None:
        """Make the record's bytes; on the writer's thread."""
        if self.dropped > self._noted:
            self._unwritten += encode_note(at_ns, {"note": "dropped", "count": self.dropped - self._noted})
            self._noted = self.dropped
        self._unwritten += encode_record(at_ns, kind, data, flags)

    def write(self) -> None:
        """Append what waits. OSError leaves the rest waiting, and the file whole up to it."""
        if self._fd < 0:
            self._open()
        while self._unwritten:
            written = os.write(self._fd, self._unwritten)
            del self._unwritten[:written]
            self.unsynced = True

    def sync(self) -> None:
        """Have it on the disk."""
        if self.unsynced:
            os.fdatasync(self._fd)
            if not self._named:
                for directory in (self.directory, *self.directory.parents[:MOST_NEW_DIRECTORIES]):
                    _sync_directory(directory)
                self._named = True
            self.unsynced = False

    def close(self) -> None:
        """Give up the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        """A file of its own, also when this leg had one in this segment before.

        Locked until it is closed, so that nobody takes it for whole while something waits here for room on the disk.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        base = f"{self.header.leg}.{self.header.segment}"
        for again in range(1, 100):
            name = f"{base}.cap" if again == 1 else f"{base}-{again}.cap"
            try:
                self._fd = os.open(self.directory / name, _NEW_FILE, 0o640)
            except FileExistsError:
                continue
            self.name = name
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        raise FileExistsError(17, "too many captures of one leg", base)


def _sync_directory(path: Path) -> None:
    held = os.open(path, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


_Entry = tuple[Tape, int, Kind, bytes, int]


class CaptureWriter:
    """All tapes of the worker. `report` takes its troubles and may be called from any thread."""

    def __init__(self, report: Callable[[CaptureTrouble], None]) -> None:
        self._report = report
        self._queue: deque[_Entry] = deque()
        self._sealing: deque[tuple[Tape, Callable[[], None]]] = deque()
        self._bell = threading.Event()
        self._tapes: dict[int, Tape] = {}  # by id: those with a file or with something to write
        self._failing = ""
        self._stalled = False
        self._busy_since_ns = 0
        self._synced_ns = boottime_ns()

    def new_tape(self, directory: Path, header: Header) -> Tape:
        """A tape; its file is made with its first record."""
        return Tape(self, directory, header)

    def enqueue(self, entry: _Entry) -> bool:
        """False when the queue is full."""
        if len(self._queue) >= QUEUE_RECORDS:
            return False
        self._queue.append(entry)
        self._bell.set()
        return True

    def seal(self, tape: Tape, then: Callable[[], None]) -> None:
        """Nothing more comes for this tape: write it out, sync and close it, then `then` on the writer's thread."""
        self._sealing.append((tape, then))
        self._bell.set()

    def tell_again(self) -> None:
        """Somebody new listens to reports: a trouble that lasts is told with the next turn."""
        self._failing, self._stalled = "", False

    def look(self, now_ns: int) -> None:
        """From another thread, now and then: tells when the writer hangs in the disk, for it cannot tell itself."""
        since = self._busy_since_ns
        if since and now_ns - since > STALLED_NS and not self._stalled:
            self._stalled = True
            self._report(CaptureTrouble("the disk of the captures does not answer", self._dropped()))

    def run(self) -> None:
        """For ever."""
        while True:
            idle = not self._queue and not self._sealing and not any(tape.unsynced for tape in self._tapes.values())
            self._bell.wait(None if idle else RETRY_S)
            self._bell.clear()
            time.sleep(GATHER_S if not self._failing else RETRY_S)
            self.turn()

    def turn(self) -> None:
        """Write what waits, once. Troubles are told, not raised."""
        self._busy_since_ns = boottime_ns()
        self._turn()
        self._busy_since_ns = 0

    def _turn(self) -> None:
        try:
            self._write_all()
        except OSError as fault:
            what = f"{fault.strerror or fault}: {fault.filename or 'capture'}"
            if what != self._failing:
                self._failing = what
                self._report(CaptureTrouble(what, self._dropped()))
            self._bell.set()
            return
        if self._failing or self._stalled:
            self._report(CaptureTrouble(self._failing or "the disk of the captures answers again", self._dropped(), cleared=True))
            self._failing, self._stalled = "", False

    def _write_all(self) -> None:
        """First what a failed turn left, then what came since. Seals last: their tapes' records are before them."""
        self._each(Tape.write)
        sealing = len(self._sealing)
        for _ in range(len(self._queue)):
            tape, at_ns, kind, data, flags = self._queue.popleft()
            self._tapes[id(tape)] = tape
            tape.take(at_ns, kind, data, flags)
        self._each(Tape.write)
        if boottime_ns() - self._synced_ns >= SYNC_EVERY_NS:
            self._each(Tape.sync)
            self._synced_ns = boottime_ns()
        for _ in range(sealing):
            self._seal(*self._sealing[0])
            self._sealing.popleft()

    def _each(self, step: Callable[[Tape], None]) -> None:
        """One step for all tapes; a tape that fails does not keep the others from it. Raises the last failure."""
        failure: OSError | None = None
        for tape in self._tapes.values():
            try:
                step(tape)
            except OSError as fault:
                failure = fault
        if failure is not None:
            raise failure

    def _seal(self, tape: Tape, then: Callable[[], None]) -> None:
        tape.write()
        tape.sync()
        tape.close()
        self._tapes.pop(id(tape), None)
        then()

    def _dropped(self) -> int:
        return sum(tape.dropped for tape in self._tapes.values())
