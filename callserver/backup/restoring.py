"""Putting a backup back into a new directory, verified before it gets its name.

Everything is copied into a directory beside the new one, each object compared with its hash, each file with its own; then the
journal's chain, its signatures, that of the backup, and every recording and capture are examined as `callserver verify` does.
Only what is whole is renamed. What is not can be had all the same (`despite_faults`): some evidence is better than none.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from audio.disk import DISK, Disk
from callserver.backup.contents import BESIDE_DATABASE
from callserver.backup.manifest import SUFFIX, BackupUnusable, Item, Manifest, Signed, made_in, read, signed_text
from callserver.backup.objects import Objects
from callserver.backup.snapshot import head_of
from callserver.sealed import SiteKey
from callserver.store.engine import FILE_NAME, read_only
from callserver.store.evidence import examine
from callserver.store.evidence.files import examine_files
from callserver.store.evidence.keys import fits
from callserver.store.journal import verify
from callserver.store.upgrade import refuse_revision

Told = Callable[[str, int, int], None]
_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, where. There are `faults` only where it was wanted despite them; `signed_by` "" is nobody."""

    backup: Path
    into: Path
    manifest: Manifest
    signed_by: str
    checkpoints: int
    signed_to: int
    faults: tuple[str, ...]
    closed: int = 0  # recordings and captures that are encrypted and were not looked into: their objects are whole


class NotWhole(ValueError):
    """A backup was found to be damaged, or the store in it; every fault is a line of `faults`."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def restore(
    named: Path,
    into: Path,
    keys: Sequence[str] = (),
    despite_faults: bool = False,
    told: Told = lambda *_: None,
    disk: Disk = DISK,
    site: Sequence[SiteKey] = (),
) -> Restored:
    """Put a backup (its file, or a directory of backups: the newest) back as a new data directory; `keys` are trusted.

    What is encrypted is looked into where its key is among `site`.

    Raises BackupUnusable (there is none, it is of a newer version, `into` is there), NotWhole, StoreVersionError and OSError;
    then there is nothing new under that name.
    """
    path = _chosen(named)
    signed = read(path)
    refuse_revision(signed.manifest.revision)
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise BackupUnusable(f"{into} is there already: nothing is ever overwritten, name a new directory")
    aside = into.with_name(f".{into.name}.restoring")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        faults = _lay_out(Objects(path.parent, disk), signed.manifest, aside, told, disk)
        signatures, closed = _examine(aside, signed, keys, faults, told, site)
        if faults and not despite_faults:
            raise NotWhole(faults)
        _settle(aside, disk)
        disk.rename(aside, into)
        disk.sync(into.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    m = signed.manifest
    return Restored(path, into, m, signed.key, signatures.checkpoints, signatures.signed_to, tuple(faults), closed)


def _chosen(named: Path) -> Path:
    if not named.is_dir():
        return named
    made = made_in(named)
    if not made:
        raise BackupUnusable(f"{named}: there is no backup in it (*{SUFFIX})")
    return made[-1]


def _lay_out(objects: Objects, manifest: Manifest, aside: Path, told: Told, disk: Disk) -> list[str]:
    faults: list[str] = []
    disk.make_directory(aside)
    aside.chmod(0o700)
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        told("bytes", done, manifest.size)

    for item in manifest.files:
        target = aside / _inside(item)
        disk.make_directory(target.parent)
        try:
            with disk.create(target) as out:
                digest = objects.copy(item.objects, out, more)
            if digest != item.sha256:
                faults.append(f"{item.path}: its objects together have another SHA-256: {digest}")
        except BackupUnusable as error:
            faults.append(f"{item.path}: {error}")
        target.chmod(_OWNER_ONLY)
        os.utime(target, ns=(item.mtime_ns or manifest.made_utc_ns,) * 2)
        disk.sync(target)
    return faults


def _inside(item: Item) -> PurePosixPath:
    path = PurePosixPath(item.path)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise BackupUnusable(f"{item.path!r} lies outside of the data directory")
    if len(path.parts) == 1 and path.name in BESIDE_DATABASE:  # it would change what is examined, and not what is put back
        raise BackupUnusable(f"{item.path!r} is in no backup that callserver made: the database in one has no log")
    return path


def _examine(
    aside: Path, signed: Signed, keys: Sequence[str], faults: list[str], told: Told, site: Sequence[SiteKey]
) -> tuple[examine.Signed, int]:
    """The faults of the store are added to those of its files; what the signatures show, and how many files stayed closed."""
    found, closed = examine.Signed(), 0
    try:
        head = head_of(aside / FILE_NAME)
    except BackupUnusable as error:
        faults.append(str(error))
        return found, closed
    m = signed.manifest
    if (head.rows, head.hash, head.revision) != (m.rows, m.hash, m.revision):
        faults.append(f"the database ends with row {head.rows} ({head.hash}), the backup with row {m.rows} ({m.hash})")
    engine = read_only(aside)
    try:
        report = verify(engine, lambda done, total: told("rows", done, total))
        faults += [] if report.ok else [f"journal: {report.fault}"]
        found = examine.check_signatures(engine, keys)
        faults += _signature_fault(signed, found, bool(keys))
        recordings = lambda done, total: told("recordings", done, total)  # noqa: E731
        lines = list(examine_files(engine, aside / "recordings", aside / "captures", recordings, site))
        faults += [one.text for one in lines if one.fault]
        closed = sum(one.closed for one in lines)
    except examine.Wrong as wrong:
        faults.append(str(wrong))
    finally:
        engine.dispose()
    return found, closed


def _signature_fault(signed: Signed, found: examine.Signed, required: bool) -> list[str]:
    """`required`: somebody named the keys that are trusted. Accounts, plans and phrases are under no other signature."""
    if not signed.key:
        return ["the backup is not signed: accounts and whatever else is beside the journal can be anybody's"] if required else []
    if signed.key not in found.keys:
        return [f"the backup is signed with key {signed.key}, which its own journal does not know"]
    if not fits(found.keys[signed.key], signed.signature, signed_text(signed.digest, signed.key)):
        return ["the backup's signature is false"]
    if signed.key not in found.trusted:
        return [f"the backup is signed with key {signed.key}, which is not given and follows no given one"]
    return []


def _settle(aside: Path, disk: Disk) -> None:
    """Without what looking at the database left; every directory on the disk."""
    for suffix in ("-wal", "-shm"):
        disk.remove(aside / f"{FILE_NAME}{suffix}")
    for where, _, _ in os.walk(aside, topdown=False):
        disk.sync(Path(where))
