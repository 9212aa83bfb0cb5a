"""Where writes wait while the database refuses them: an append-only file of lines, synced at every append.

A line: CRC-32 of the payload in eight hex digits, a blank, the payload (an op as JSON). A line begins with a line feed
as well as ending with one, so that a line torn by a crash spoils no other. Not safe for several threads: the writer locks.
"""

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from callserver.store.ops import Op

_encode = msgspec.json.Encoder().encode
_decode: Callable[[bytes], Op] = msgspec.json.Decoder(Op).decode


class Spool:
    """The file at `path` (0600); made when first needed, empty or absent when nothing waits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.damaged = 0  # lines that could not be read

    def size(self) -> int:
        """Bytes in the file; 0 when there is none."""
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, ops: Sequence[Op]) -> None:
        """Write and sync. OSError leaves the file as it was, or with a torn line that reading skips."""
        octets = b"".join(_line(op) for op in ops)
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            before = os.fstat(fd).st_size
            try:
                _write_all(fd, octets)
                os.fsync(fd)
            except OSError:
                os.ftruncate(fd, before)
                raise
        finally:
            os.close(fd)
        if before == 0:
            _sync_directory(self._path.parent)

    def read(self, offset: int, limit: int) -> tuple[list[Op], int]:
        """(ops, next offset): up to `limit` ops from `offset` on; no ops at the end."""
        ops: list[Op] = []
        if self.size() <= offset:
            return ops, offset
        with self._path.open("rb") as file:
            file.seek(offset)
            while len(ops) < limit and (line := file.readline()):
                offset += len(line)
                op = self._parse(line.strip())
                if op is not None:
                    ops.append(op)
        return ops, offset

    def all(self) -> Iterator[Op]:
        """Everything that waits, in order."""
        ops, offset = self.read(0, 1_000)
        while ops:
            yield from ops
            ops, offset = self.read(offset, 1_000)

    def clear(self) -> None:
        """Remove the file (kept under another name if a line was damaged, for people to look at)."""
        if self._path.exists():
            if self.damaged:
                self._path.replace(self._path.with_name(f"{self._path.name}.damaged-{self._path.stat().st_mtime_ns}"))
            else:
                self._path.unlink()
            _sync_directory(self._path.parent)
        self.damaged = 0

    def _parse(self, line: bytes) -> Op | None:
        if not line:
            return None
        checksum, _, payload = line.partition(b" ")
        try:
            if int(checksum, 16) == zlib.crc32(payload):
                return _decode(payload)
        except ValueError:
            pass  # no number, or no op: counted below
        self.damaged += 1
        return None


def _line(op: Op) -> bytes:
    payload = _encode(op)
    return b"\n%08x %b\n" % (zlib.crc32(payload), payload)


def _write_all(fd: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(fd, view) :]


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
