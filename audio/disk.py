"""All that changes files of recordings, in one place: so that tests can follow each step, and break off or fail at any.

The steps are those of POSIX, and nothing is taken for granted that it does not promise: data is on the disk when its file was
synced, a name when its directory was, and a new directory when the one above it was.
"""

import io
import os
from pathlib import Path
from typing import BinaryIO


class Disk:
    """The real one. Every method raises OSError."""

    def create(self, path: Path) -> BinaryIO:
        """An empty file for writing and reading, in the place of one that is there. Close it, and look whether that raises."""
        return io.BufferedRandom(self.raw(path))

    def raw(self, path: Path) -> io.FileIO:
        """The unbuffered file below `create`."""
        return io.FileIO(path, "w+")

    def sync(self, path: Path) -> None:
        """Bring a file's bytes, or a directory's names, to the disk."""
        held = os.open(path, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)

    def rename(self, old: Path, new: Path) -> None:
        """At once, in the place of what is there (rename(2))."""
        os.replace(old, new)

    def remove(self, path: Path) -> None:
        """A file; nothing where there is none."""
        path.unlink(missing_ok=True)

    def remove_directory(self, path: Path) -> None:
        """An empty one."""
        path.rmdir()

    def make_directory(self, path: Path) -> None:
        """With those above it, each on the disk; nothing where it is there."""
        if path.is_dir():
            return
        self.make_directory(path.parent)
        self.add_directory(path)
        self.sync(path.parent)

    def add_directory(self, path: Path) -> None:
        """One directory below one that is there; nothing where another made it meanwhile."""
        path.mkdir(exist_ok=True)

    def keep(self, aside: Path, path: Path) -> None:
        """A file that was written and closed aside becomes `path`: whole on the disk, then renamed, and that too."""
        self.sync(aside)
        self.rename(aside, path)
        self.sync(path.parent)


DISK = Disk()
