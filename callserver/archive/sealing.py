"""Encrypting what was made of a call, file by file, in its place: aside, read back against its content's hash, synced, renamed.

The file is there whole at every moment, plain or encrypted, under the same name; doing it again does nothing.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audio.disk import DISK, Disk
from callserver.sealed import KeyMissing, SiteKey, is_sealed, opened, seal

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Sealing:
    """`keys` reads the site's keys, that for encrypting first. While a file is encrypted under it, `file` is held (flock(2)): so
    whoever puts another key in its place knows of every file that has the old one."""

    keys: Callable[[], Sequence[SiteKey]]
    file: Path | None = None

    def required(self) -> Sequence[SiteKey]:
        """The keys. Raises KeyMissing where there is none."""
        keys = self.keys()
        if not keys:
            raise KeyMissing("what would be encrypted stays undone")
        return keys

    def seal(self, path: Path, disk: Disk = DISK) -> None:
        """Encrypt a file, unless it is. Raises OSError, KeyMissing; then it lies there as it did."""
        if is_sealed(path):
            return
        aside = path.with_name(f".{path.name}.part")
        expected = _sum(path, ())
        with self._steady():
            key = self.required()[0]
            with path.open("rb") as plain, disk.create(aside) as out:
                seal(plain, out, key)
            if _sum(aside, (key,)) != expected:
                raise OSError(f"{path.name} does not read back as it was encrypted")
            disk.keep(aside, path)

    @contextlib.contextmanager
    def _steady(self) -> Iterator[None]:
        if self.file is None:
            yield
            return
        held = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_SH)
            yield
        finally:
            os.close(held)


def _sum(path: Path, keys: Sequence[SiteKey]) -> str:
    total = hashlib.sha256()
    with opened(path, keys) as stream:
        while block := stream.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()
