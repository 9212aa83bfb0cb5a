"""The objects of a directory of backups: bytes by their SHA-256, each there whole or not at all, shared by all backups.

Everything that changes a file goes through `audio.disk`, so that tests can follow each step and break off at any.
"""

import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from audio.disk import DISK, Disk
from callserver.backup.manifest import BackupUnusable

FOLDER = "objects"
ASIDE = ".part"
BLOCK_BYTES = 1 << 20

_NAME = re.compile(r"[0-9a-f]{64}")


class Readable(Protocol):
    """Whatever gives bytes until there are none."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes. Raises OSError."""


class Objects:
    """See the module. `thoroughly`: one that is there is read before it is taken for good, and replaced where it is not."""

    def __init__(self, root: Path, disk: Disk = DISK, thoroughly: bool = False) -> None:
        self._root, self._disk, self._thoroughly = root / FOLDER, disk, thoroughly
        self._known: set[str] = set()  # good ones that were read by now
        self.fresh: set[str] = set()  # written by us

    def has(self, name: str, size: int) -> bool:
        """Whether it is there, with as many bytes; its content is looked at only `thoroughly`."""
        path = self.path(name)
        try:
            if path.stat().st_size != size:
                return False
        except OSError:
            return False
        if self._thoroughly and name not in self._known:
            if self.fault(name):
                return False
            self._known.add(name)
        return True

    def put(self, stream: Readable, limit: int | None = None) -> tuple[str, int]:
        """Store what a stream gives, up to `limit` bytes; (its name, how many bytes). Raises OSError."""
        self._disk.make_directory(self._root)
        aside = self._root / ASIDE
        total, size = hashlib.sha256(), 0
        with self._disk.create(aside) as out:
            for block in blocks(stream, limit):
                total.update(block)
                size += len(block)
                out.write(block)
        name = total.hexdigest()
        if self.has(name, size):
            self._disk.remove(aside)
        else:
            self._disk.make_directory(self.path(name).parent)
            self._disk.sync(aside)
            self._disk.rename(aside, self.path(name))
            self._disk.sync(self.path(name).parent)
            self.fresh.add(name)
        return name, size

    def put_whole(self, block: bytes) -> str:
        """Store a block that is in memory; nothing is written where it is there already."""
        name = hashlib.sha256(block).hexdigest()
        if not self.has(name, len(block)):
            self.put(io.BytesIO(block))
        return name

    def fault(self, name: str) -> str:
        """What is wrong with an object, read to its end; "" for nothing."""
        total = hashlib.sha256()
        try:
            with self.path(name).open("rb") as stream:
                for block in blocks(stream):
                    total.update(block)
        except OSError as error:
            return f"object {name} cannot be read: {error.strerror}"
        return "" if total.hexdigest() == name else f"object {name} is damaged: its SHA-256 is {total.hexdigest()}"

    def copy(self, names: Iterable[str], out: BinaryIO, told: Callable[[int], None] = lambda count: None) -> str:
        """Write objects one behind the other; SHA-256 of all of it. Raises BackupUnusable for one that is damaged, OSError."""
        whole = hashlib.sha256()
        for name in names:
            total = hashlib.sha256()
            try:
                stream = self.path(name).open("rb")
            except OSError as error:
                raise BackupUnusable(f"object {name} cannot be read: {error.strerror}") from error
            with stream:
                for block in blocks(stream):
                    total.update(block)
                    whole.update(block)
                    out.write(block)
                    told(len(block))
            if total.hexdigest() != name:
                raise BackupUnusable(f"object {name} is damaged: its SHA-256 is {total.hexdigest()}")
        return whole.hexdigest()

    def path(self, name: str) -> Path:
        """Where an object lies. Raises BackupUnusable for what is no name of one."""
        if not _NAME.fullmatch(name):
            raise BackupUnusable(f"{name!r} is no name of an object")
        return self._root / name[:2] / name

    def all(self) -> Iterator[Path]:
        """Every object that is there, and what a broken run left."""
        for path in self._root.rglob("*") if self._root.is_dir() else ():
            if path.is_file():
                yield path


def blocks(stream: Readable, limit: int | None = None) -> Iterator[bytes]:
    """A stream in blocks, up to `limit` bytes of it."""
    left = limit
    while left is None or left > 0:
        block = stream.read(BLOCK_BYTES if left is None else min(BLOCK_BYTES, left))
        if not block:
            return
        if left is not None:
            left -= len(block)
        yield block
