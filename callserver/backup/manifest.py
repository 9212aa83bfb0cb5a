"""What a backup is: one file that names everything in it by SHA-256, and that is there only when all of that is.

    callserver-backup-1 DIGEST KEY SIGNATURE
    {"format": 1, "name": ..., "files": [...]}

DIGEST is the SHA-256 of the second line's bytes (hex), KEY the fingerprint of the checkpoint key and SIGNATURE Ed25519, RFC 8032,
under the first line's text before the space that precedes it. Both are `-` where the key could not be read.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

FORMAT = 1
SUFFIX = ".backup"
DATABASE = "callserver.db"
UNSIGNED = "-"

_HEAD = re.compile(rb"callserver-backup-(\d{1,9}) ([0-9a-f]{64}) ([0-9a-f]{64}|-) ([0-9a-f]{128}|-)")


class BackupUnusable(ValueError):
    """A backup cannot be made, is not whole, or was made by a newer version; the text says which and what is wrong."""


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file: its path below the data directory, its bytes and their SHA-256 (hex), under which they lie among the objects.

    One that lies there in `pieces` names them, in order. `mtime_ns` is when it was last changed, 0 for what a backup made itself.
    """

    path: str
    size: int
    sha256: str
    mtime_ns: int = 0
    pieces: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[str, ...]:
        """The objects that make it up."""
        return self.pieces or (self.sha256,)


class Manifest(msgspec.Struct, frozen=True):
    """A backup. `rows` and `hash` (hex) are the journal's head; `revision` that of the tables; `files[0]` is the database."""

    format: int
    name: str
    made_utc_ns: int
    version: str
    revision: str
    rows: int
    hash: str
    files: tuple[Item, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(item.size for item in self.files)


class Signed(msgspec.Struct, frozen=True):
    """A manifest as it was read, with its digest; `key` and `signature` are "" where there is none."""

    manifest: Manifest
    digest: str
    key: str = ""
    signature: str = ""


def signed_text(digest: str, key: str) -> bytes:
    """What the signature is made of: a text of its own purpose, which fits no checkpoint and no key's consent."""
    return f"callserver-backup-{FORMAT} {digest} {key}".encode()


def written(manifest: Manifest, key: str, sign: Callable[[bytes], bytes] | None) -> bytes:
    """The file's bytes, signed where there is somebody who can."""
    body = msgspec.json.encode(manifest)
    digest = hashlib.sha256(body).hexdigest()
    text = signed_text(digest, key if sign else UNSIGNED)
    signature = sign(text).hex() if sign else UNSIGNED
    return b"%s %s\n%s\n" % (text, signature.encode(), body)


def read(path: Path) -> Signed:
    """What a backup's file says. Raises BackupUnusable: not there, damaged, or of a newer version."""
    try:
        head, _, rest = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise BackupUnusable(f"{path} cannot be read: {error.strerror}") from error
    found = _HEAD.fullmatch(head)
    if found is None:
        raise BackupUnusable(f"{path} is no backup, or its first line is damaged")
    if int(found[1]) > FORMAT:
        raise BackupUnusable(f"{path} was made by a newer version (format {int(found[1])}); this one knows {FORMAT}")
    body, (digest, key, signature) = rest.removesuffix(b"\n"), (part.decode() for part in found.groups()[1:])
    if hashlib.sha256(body).hexdigest() != digest:
        raise BackupUnusable(f"{path} is damaged: its SHA-256 is not the one in its first line")
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupUnusable(f"{path} cannot be understood: {error}") from error
    if manifest.format != FORMAT or not manifest.files or manifest.files[0].path != DATABASE:
        raise BackupUnusable(f"{path} names no database first, or another format than its first line")
    return Signed(manifest, digest, *(("", "") if UNSIGNED in (key, signature) else (key, signature)))


def made_in(root: Path) -> list[Path]:
    """The backups in a directory, oldest first."""
    found = (path for path in root.glob(f"*{SUFFIX}") if not path.name.startswith("."))
    return sorted(found, key=lambda path: path.name.removesuffix(SUFFIX))


def free_name(root: Path, utc_ns: int) -> str:
    """A name for a backup made now, which sorts behind those made before: also after the clock was set back."""
    base = datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    last = max((path.name.removesuffix(SUFFIX) for path in made_in(root)), default="")
    if base > last:
        return base
    stem, dot, count = last.partition(".")
    return f"{stem}.{int(count) + 1 if dot and count.isdigit() else 1:04d}"
