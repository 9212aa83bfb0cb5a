"""Which files of a data directory belong into a backup, and copying them while the service goes on writing.

Everything that lies there, but: the database, of which there is a snapshot; keys (`*.key`, what the configuration names as a key,
and what waits beside one); what is half written (names with a dot in front) and what can only be used where it is (sockets, links
inside of the directories); and the service's other directories, where they lie inside.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from callserver.backup.manifest import DATABASE, Item
from callserver.backup.objects import Objects, Readable

_KEYS = (".key", ".key.next")
BESIDE_DATABASE = (f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")
_PACKED = ".gz"


@dataclass(slots=True)
class Copied:
    """Files that are in the backup by now, by path; `faults` are those that could not be read; `new_bytes` were written."""

    items: dict[str, Item] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    new_bytes: int = 0


def belonging(data: Path, without: Iterable[Path] = ()) -> Iterator[Path]:
    """Every file, sorted within its directory. A directory of the first level may be a link to another disk; see the module."""
    apart = {path.resolve() for path in without}
    for path in sorted(data.iterdir()):
        if _is_apart(path, apart) or path.name in (DATABASE, *BESIDE_DATABASE) or path.name.endswith(_KEYS):
            continue
        if path.is_dir():
            yield from _below(path, apart)
        elif path.is_file():
            yield path


def _below(folder: Path, apart: set[Path]) -> Iterator[Path]:
    for where, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(where)
        truly = here.resolve()
        folders[:] = sorted(name for name in folders if not _is_apart(here / name, apart))
        for name in sorted(files):
            path = here / name
            hidden = name.startswith(".") or name.endswith(_KEYS) or truly / name in apart
            if not hidden and path.is_file() and not path.is_symlink():
                yield path


def _is_apart(path: Path, apart: set[Path]) -> bool:
    return path.name.startswith(".") or path.resolve() in apart


def _refuse(error: OSError) -> None:
    raise error


def copy(
    data: Path, paths: Iterable[Path], known: Iterable[Item], objects: Objects, copied: Copied, told: Callable[[int], None]
) -> bool:
    """Store files. One that an earlier backup `known` has with the same size and time is not read; `told(bytes)` for each.

    False when one of `paths` was gone before it was read, as when a capture is being compressed: then look anew. One that cannot
    be read is a fault and keeps no other from it. Raises OSError when the backup's own disk fails.
    """
    before = {(item.path, item.size, item.mtime_ns): item for item in known}
    whole = True
    for path in paths:
        name = path.relative_to(data).as_posix()
        try:
            found = path.stat()
            item = before.get((name, found.st_size, found.st_mtime_ns))
            if item is None or not objects.has(item.sha256, item.size):
                item = _stored(path, name, objects, copied)
        except FileNotFoundError:
            whole = False
            continue
        except _Unreadable as error:
            copied.faults[name] = f"{name} cannot be read: {error}"
            continue
        copied.items[name] = item
        copied.faults.pop(name, None)
        told(item.size)
    return whole


class _Unreadable(Exception):
    """The source's disk, not that of the backup."""


def _stored(path: Path, name: str, objects: Objects, copied: Copied) -> Item:
    """The time is that from before the reading: a file that grows meanwhile is read anew by the next backup."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _Unreadable(error.strerror) from error
    with stream:
        mtime_ns = os.fstat(stream.fileno()).st_mtime_ns
        digest, size = objects.put(_Source(stream))
    if digest in objects.fresh:
        copied.new_bytes += size
    return Item(name, size, digest, mtime_ns)


class _Source:
    """A file whose failures are told apart from those of the place that it is copied to."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise _Unreadable(error.strerror) from error


def without_plain_forms(items: dict[str, Item]) -> dict[str, Item]:
    """A capture that was copied plain and compressed since is there in one form: the later one."""
    return {name: item for name, item in items.items() if f"{name}{_PACKED}" not in items}
