"""Keeping captures: their sums, and their compressed form, which replaces the plain one only when it reads back the same."""

import fcntl
import gzip
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from audio.disk import DISK, Disk
from callserver.archive.decode import open_capture
from callserver.sealed import SiteKey, opened

SUFFIX = ".cap"
_BLOCK_BYTES = 1 << 20
_LEVEL = 6


def captures_of(folder: Path) -> list[Path]:
    """The captures of a call, by name. Where both forms of one lie there, the plain one: compressing it was not finished."""
    found = {path.name: path for path in folder.glob(f"*{SUFFIX}*") if not path.name.startswith(".")}
    plain = {name for name in found if name.endswith(SUFFIX)}
    return [
        found[name] for name in sorted(found) if name in plain or (name.endswith(".gz") and name.removesuffix(".gz") not in plain)
    ]


def leftovers(*folders: Path) -> list[Path]:
    """What a crash left half written in these directories: files that were to be renamed when they are whole."""
    there = [folder for folder in folders if folder.is_dir()]
    return [path for folder in there for path in sorted(folder.glob(".*")) if path.suffix in (".part", ".gz")]


def is_written(capture: Path) -> bool:
    """Whether a worker still has this capture to write: it holds a shared lock on it (flock(2)), which ends with its life."""
    try:
        with capture.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # what keeps it from being read will be told by who reads it
    return False


def name_of(capture: Path) -> str:
    """The capture's name below the captures' directory, whatever its form: `<incident>/<call>/<leg>.<segment>.cap`."""
    return "/".join((*capture.parts[-3:-1], capture.name.removesuffix(".gz")))


def sum_of(path: Path, keys: Sequence[SiteKey] = ()) -> str:
    """SHA-256 of a file's content, which may lie there encrypted. Raises OSError."""
    with opened(path, keys) as stream:
        return _sum(stream)


def sum_uncompressed(capture: Path, keys: Sequence[SiteKey] = ()) -> str:
    """SHA-256 of a capture's bytes as the worker wrote them. Raises OSError, EOFError or zlib.error."""
    with open_capture(capture, keys) as stream:
        return _sum(stream)


def compress(capture: Path, expected: str, disk: Disk = DISK) -> Path:
    """Compress a plain capture: aside, read back against the sum `expected`, synced, renamed, then the plain one removed.

    The same capture always gives the same bytes. Harmless on one that is compressed. Raises OSError.
    """
    if capture.suffix == ".gz":
        return capture
    kept = capture.with_name(f"{capture.name}.gz")
    aside = capture.with_name(f".{capture.name}.gz")
    with capture.open("rb") as plain, disk.create(aside) as raw:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as packed:
            shutil.copyfileobj(plain, packed, _BLOCK_BYTES)
    if sum_uncompressed(aside) != expected:
        raise OSError(f"{capture.name} does not read back as it was compressed")
    disk.keep(aside, kept)
    disk.remove(capture)
    return kept


def _sum(stream: BinaryIO) -> str:
    total = hashlib.sha256()
    while block := stream.read(_BLOCK_BYTES):
        total.update(block)
    return total.hexdigest()
