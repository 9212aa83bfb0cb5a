"""Making a backup while the service runs.

In this order, so that an end at any point leaves no backup that is not whole:

1. files are stored as objects (each aside, synced, renamed): all that takes long is done before the next step;
2. the database is copied as it is at one moment, examined, and stored in pieces, of which the next backup has most already;
3. files are looked at once more, for those that the database's journal has come to know;
4. what was written is read back;
5. the manifest is written aside, synced and renamed: from here on there is a backup.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audio.disk import DISK, Disk
from callserver.backup import contents, examining, snapshot
from callserver.backup.manifest import DATABASE, FORMAT, SUFFIX, BackupUnusable, Item, Manifest, free_name, made_in, read, written
from callserver.backup.objects import ASIDE, Objects
from callserver.config import Config
from callserver.sealed import is_sealed
from callserver.store.engine import store_path
from callserver.store.evidence.keys import KeyUnusable, SigningKey, next_of, read_key
from callserver.store.evidence.notary import key_path
from callserver.store.writer import SPOOL_NAME
from callserver.version import VERSION

PIECE_BYTES = 1 << 20  # of the database; a smaller one would find more that is the same, and need more files
LOOKS = 5  # how often files are looked at anew because one was gone before it was read
KEY_NAME = "checkpoint.key"

Told = Callable[[str, int, int], None]  # what, how much of it, of how much


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it is made: `verify` reads back what was written, `read_all` also what earlier backups wrote."""

    with_key: bool = False
    verify: bool = True
    read_all: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is there. `faults`: what was wrong with what it is of, which a copy cannot mend."""

    path: Path
    manifest: Manifest
    digest: str
    key: str  # fingerprint of the key that signed it, "" for none
    new_bytes: int
    faults: tuple[str, ...]


def make(
    config: Config, root: Path, utc_ns: int, wishes: Wishes | None = None, told: Told = lambda *_: None, disk: Disk = DISK
) -> Made:
    """A backup of a configuration's data directory, in a directory of backups, which is made where there is none.

    Raises BackupUnusable and StoreVersionError when none can be made, OSError when a disk fails. What is named a backup is whole.
    """
    with alone(root, disk):
        return _Making(config, root, wishes or Wishes(), told, disk).go(utc_ns)


@contextmanager
def alone(root: Path, disk: Disk = DISK) -> Iterator[None]:
    """The only one that changes this directory of backups. Raises BackupUnusable where another one does, OSError."""
    disk.make_directory(root)
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BackupUnusable(f"another backup is being made in {root}") from error
    finally:
        os.close(held)


class _Making:
    def __init__(self, config: Config, root: Path, wishes: Wishes, told: Told, disk: Disk) -> None:
        self._config, self._root, self._wishes, self._told, self._disk = config, root, wishes, told, disk
        self._data = Path(config.storage.data)
        self._objects = Objects(root, disk, wishes.read_all)
        self._copied = contents.Copied()
        self._aside = root / ".making"
        self._own = _readable(key_path(config))

    def go(self, utc_ns: int) -> Made:
        earlier = [read(path).manifest for path in made_in(self._root)[-1:]]  # refuses a directory of a newer version
        known = [item for manifest in earlier for item in manifest.files]
        self._clear()
        try:
            self._files(known)
            database, head, examined = self._database()
            known += self._copied.items.values()
            self._files(known)
        finally:
            self._clear()
        files = contents.without_plain_forms(self._copied.items) | self._key()
        items = (database, *(files[name] for name in sorted(files)))
        manifest = Manifest(FORMAT, free_name(self._root, utc_ns), utc_ns, VERSION, head.revision, head.rows, head.hash, items)
        faults = (*examined.faults, *self._copied.faults.values(), *examined.absent(files, self._is_sealed), *self._outside())
        return self._finish(manifest, faults, examined.keys)

    # ---- files ----------------------------------------------------------------------------------------------

    def _files(self, known: Iterable[Item]) -> None:
        storage = self._config.storage
        keys = [path for path in (key_path(self._config), storage.site_key_file) if path is not None]
        without = (storage.run, storage.spool, self._root, *keys, *map(next_of, keys))
        known = list(known)
        for _ in range(LOOKS):
            paths = list(contents.belonging(self._data, without))
            total, done = sum(map(_size, paths)), 0

            def told(count: int, total: int = total) -> None:
                nonlocal done
                done += count
                self._told("bytes of files", done, max(total, done))

            if contents.copy(self._data, paths, known, self._objects, self._copied, told):
                return
            known += self._copied.items.values()

    def _key(self) -> dict[str, Item]:
        """The key under its usual name, wherever it lies, if it is wished for."""
        if not self._wishes.with_key:
            return {}
        path = key_path(self._config)
        try:
            with path.open("rb") as stream:
                digest, size = self._objects.put(stream)
        except OSError as error:
            raise BackupUnusable(f"the key {path} cannot be read: {error.strerror}") from error
        return {KEY_NAME: Item(KEY_NAME, size, digest)}

    def _is_sealed(self, item: Item) -> bool:
        return is_sealed(self._objects.path(item.sha256))

    def _outside(self) -> tuple[str, ...]:
        """Facts that the database has not taken yet."""
        spool = Path(self._config.storage.spool) / SPOOL_NAME
        return (f"facts wait in {spool}, which is not in this backup: make one when the alarm is over",) if _size(spool) else ()

    # ---- the database ---------------------------------------------------------------------------------------

    def _database(self) -> tuple[Item, snapshot.Head, examining.Examined]:
        self._aside.mkdir()
        copy = self._aside / DATABASE
        snapshot.snapshot(store_path(self._data), copy, lambda done, total: self._told("pages of the database", done, total))
        head = snapshot.head_of(copy)
        rows = (lambda done, total: self._told("rows", done, total)) if self._wishes.verify else None
        examined = examining.examine_copy(self._aside, rows, self._own_key())
        return self._in_pieces(copy), head, examined

    def _in_pieces(self, copy: Path) -> Item:
        whole, names = hashlib.sha256(), []
        with copy.open("rb") as stream:
            while piece := stream.read(PIECE_BYTES):
                whole.update(piece)
                names.append(self._objects.put_whole(piece))
                if names[-1] in self._objects.fresh:
                    self._copied.new_bytes += len(piece)
        return Item(DATABASE, copy.stat().st_size, whole.hexdigest(), pieces=tuple(names))

    # ---- the end --------------------------------------------------------------------------------------------

    def _finish(self, manifest: Manifest, faults: tuple[str, ...], keys: Iterable[str]) -> Made:
        if self._wishes.verify:
            self._read_back(manifest)
        key, sign = self._signer(keys)
        aside = self._root / f".manifest{ASIDE}"
        with self._disk.create(aside) as out:
            out.write(written(manifest, key, sign))
        signed = read(aside)
        path = self._root / f"{manifest.name}{SUFFIX}"
        self._disk.keep(aside, path)
        return Made(path, manifest, signed.digest, signed.key, self._copied.new_bytes, faults)

    def _read_back(self, manifest: Manifest) -> None:
        """What was written now is read from the disk; the rest must be there."""
        fresh = sorted(self._objects.fresh)
        for done, name in enumerate(fresh, 1):
            if fault := self._objects.fault(name):
                raise BackupUnusable(fault)
            self._told("objects read back", done, len(fresh))
        for item in manifest.files:
            if not all(self._objects.path(name).is_file() for name in item.objects):
                raise BackupUnusable(f"{item.path}: an object of it is gone")

    def _signer(self, known: Iterable[str]) -> tuple[str, Callable[[bytes], bytes] | None]:
        """A key that the journal of this backup does not know yet would prove nothing."""
        key = self._own
        return (key.name, key.private.sign) if key is not None and key.name in known else ("", None)

    def _own_key(self) -> tuple[str, ...]:
        """The fingerprint of this machine's key, which is trusted: it may follow one that was lost."""
        return (self._own.name,) if self._own is not None else ()

    def _clear(self) -> None:
        """What this run, or one that was broken off, left aside."""
        shutil.rmtree(self._aside, ignore_errors=True)
        for path in (self._root / f".manifest{ASIDE}", self._root / "objects" / ASIDE):
            self._disk.remove(path)


def _readable(path: Path) -> SigningKey | None:
    try:
        return read_key(path)
    except KeyUnusable:
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
