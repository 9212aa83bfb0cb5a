"""An evidence pack: one zip that a stranger can read, listen to and verify, on a machine that never saw this service.

The same content gives the same bytes: files stand in the order of their names and all have the time of 1 January 1980. What is in
it is told by `manifest.json`, which is signed; `store/evidence/verify_pack.py` checks all of it.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from audio.disk import DISK, Disk
from callserver.sealed import SiteKey, opened, size_of

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FORMAT = "callserver-pack-1"
_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
_BLOCK = 1 << 20
_STAYS_FREE = 1 << 30  # bytes of the disk, which may be the journal's

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Sound:
    """A call's sound in the pack. `kind` is original, redacted or none, with `why`; `files` names each file below `sound/`."""

    call: str
    kind: str
    began_utc: str | None = None
    began_local: str | None = None
    duration_ms: int = 0
    files: Mapping[str, str] = field(default_factory=dict)  # name -> what is on it
    why: str = ""


@dataclass(frozen=True, slots=True)
class Camera:
    """Which stretch of a camera's recording belongs to a call."""

    camera: str
    name: str
    url: str
    call: str
    from_utc: str
    to_utc: str
    from_local: str
    to_local: str


@dataclass(frozen=True, slots=True)
class About:
    """Who made a pack of what, when and why. Times are RFC 3339."""

    pack: str
    incident: str
    place: str
    made_utc: str
    by: str
    reason: str
    approved_by: str
    version: str
    time_zone: str


@dataclass(slots=True)
class Content:
    """All that goes into a pack: texts by name, and of each file of sound where it lies and its SHA-256 in the journal."""

    about: About
    texts: dict[str, bytes]
    sounds: list[Sound]
    cameras: list[Camera]
    paths: dict[str, tuple[Path, str]]
    keys: Sequence[SiteKey] = ()  # for what lies there encrypted; in a pack it does not


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written."""

    digest: str
    size: int


def as_json(value: Any) -> bytes:
    """The JSON of a pack's files: for people to read, in the order that it was made in."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def compact_json(value: Any) -> bytes:
    """The same without the white space, for what is long."""
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def write_pack(
    out: Path, content: Content, sign: Callable[[str], str], progress: Progress = lambda done, total: None, disk: Disk = DISK
) -> Packed:
    """Write the zip aside, sync it and rename it to `out`.

    `sign(digest)` gives the line of `manifest.sig` for a manifest's SHA-256. Raises ValueError where there is too little room, or
    sound is not what the journal says, and OSError; nothing is then left at `out` that was not there before.
    """
    _look_for_room(out.parent, content)
    manifest = _manifest(content)
    signature = sign(hashlib.sha256(manifest).hexdigest()).encode() + b"\n"
    texts = {**content.texts, MANIFEST: manifest, SIGNATURE: signature}
    aside = out.with_name(f".{out.name}.part")
    try:
        with disk.create(aside) as file, zipfile.ZipFile(file, "w") as zip:
            names = sorted({*texts, *content.paths})
            for done, name in enumerate(names):
                progress(done, len(names))
                _add(zip, name, texts.get(name), content.paths[name][0] if name in content.paths else None, content.keys)
        packed = Packed(_sum(aside), aside.stat().st_size)
        disk.keep(aside, out)
    except BaseException:
        disk.remove(aside)
        raise
    return packed


def _look_for_room(directory: Path, content: Content) -> None:
    needed = sum(path.stat().st_size for path, _ in content.paths.values()) + sum(map(len, content.texts.values()))
    if shutil.disk_usage(directory).free < needed + _STAYS_FREE:
        raise ValueError(f"too little room on the disk: {(needed >> 20) + 1} MiB are needed beside 1 GiB that stays free")


def _manifest(content: Content) -> bytes:
    sums = {name: hashlib.sha256(octets).hexdigest() for name, octets in content.texts.items()}
    for name, (path, expected) in content.paths.items():
        sums[name] = _sum(path, content.keys)
        if sums[name] != expected:
            raise ValueError(f"{name} is not what the journal says; run callserver verify")
    return as_json(
        {
            "format": FORMAT,
            **asdict(content.about),
            "sound": [asdict(one) for one in content.sounds],
            "cameras": [asdict(one) for one in content.cameras],
            "files": dict(sorted(sums.items())),
        }
    )


def _add(zip: zipfile.ZipFile, name: str, octets: bytes | None, path: Path | None, keys: Sequence[SiteKey]) -> None:
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system, info.external_attr = 3, 0o644 << 16
    info.compress_type = zipfile.ZIP_STORED if path is not None else zipfile.ZIP_DEFLATED
    if path is not None:
        with opened(path, keys) as sound:
            info.file_size = size_of(sound)  # so that one past 2 GB gets the fields for it
    with zip.open(info, "w") as out:
        if path is None:
            out.write(octets or b"")
            return
        with opened(path, keys) as sound:
            shutil.copyfileobj(sound, out, _BLOCK)


def _sum(path: Path, keys: Sequence[SiteKey] = ()) -> str:
    total = hashlib.sha256()
    with opened(path, keys) as file:
        _feed(file, total.update)
    return total.hexdigest()


def _feed(file: BinaryIO, take: Callable[[bytes], object]) -> None:
    while part := file.read(_BLOCK):
        take(part)
