#!/usr/bin/env python3
"""Verify an evidence pack of callserver without trusting callserver. One file; Python 3.11 and the package `cryptography`.

    python3 verify_pack.py PACK.zip --key FINGERPRINT --anchor FILE

A copy of this program lies in every pack, and can be altered with it: use one that you had from elsewhere, or read it first.
PACK is the zip or the directory that it was unpacked to. It stops at the first thing wrong, names it, and leaves with 1 (0:
whole, 2: misuse).

1. The files. `manifest.json` has the SHA-256 of every file but itself and `manifest.sig`; no other file is in the pack, and
   nothing is in the zip beside them.
2. The signature. `manifest.sig` is the line `callserver-pack-1 HASH UTC_NS KEY SIGNATURE`: HASH is the SHA-256 of manifest.json,
   KEY the fingerprint of an Ed25519 key (SHA-256 of its public half), SIGNATURE is under the text before it. `journal.json` has
   the service's keys; each but the first has the consent of the key before it, its signature under `callserver-key-1 PUBLIC`.
3. The journal. Its rows are a chain: the hash of a row is SHA-256 of the ASCII text `callserver-journal-1` and prev_hash, number,
   id, kind, at_instant_ns, utc_ns, anchor, incident, call, SHA-256 of the body, each as its length (4 bytes, big-endian) and its
   bytes; integers as 8 bytes big-endian two's complement, texts as UTF-8, nothing as FF FF FF FF alone. A stretch in journal.json
   goes from a row of the incident to a row that the service signed: the line `callserver-checkpoint-1 SEQUENCE NUMBER HASH
   UTC_NS KEY SIGNATURE`. Who changes, adds, drops or moves a row in it needs that key. Rows of other incidents have the hash of
   their body in its place. The last stretch may have no checkpoint yet; then the pack's own signature alone stands for it, and
   this is told.
4. The texts (names, notes, reasons). A body has `sha256:` and the SHA-256 of salt (16 bytes) and text in the place of each;
   `texts.json` has both. One that was erased is null, and breaks nothing if a later fact `TextsErased` names its row.
5. The sound. Each file below `sound/` is one whose SHA-256 stands in a fact `RecordingMade` of these rows, or in `RedactionMade`,
   whose `origin` is then what stands in `RecordingMade`.
6. Anchors, where given: files kept elsewhere with lines of checkpoints. Those of the pack that are among them must be the same;
   the others must lie between them by sequence and row, and are told: whoever has the key can make such ones at any time.

What a pack does not show: that nothing was left out between its stretches. For that see the journal itself (verify_journal.py).
Give --key with the fingerprint that was written down when the service was installed; without it the keys prove each other alone.
"""

import argparse
import hashlib
import json
import re
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

try:
    from hashlib import file_digest

    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.stderr.write("Python 3.11 and the package cryptography are needed: python3 -m pip install cryptography\n")
    sys.exit(2)

SIGNED = re.compile(r"callserver-pack-1 ([0-9a-f]{64}) (\d{1,19}) ([0-9a-f]{64}) ([0-9a-f]{128})\n?")
LINE = re.compile(r"callserver-checkpoint-1 (\d{1,18}) (\d{1,18}) ([0-9a-f]{64}) (\d{1,19}) ([0-9a-f]{64}) ([0-9a-f]{128})")
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PART, JSON_MOST = 1 << 20, 1 << 28  # bytes


class Broken(Exception):
    """The first thing that is wrong, in words that name the place."""


def need(good: bool, fault: str) -> None:
    """Go on only where `good`."""
    if not good:
        raise Broken(fault)


def sum_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class Pack:
    """The files of a pack, from the zip or from a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.zip = None if path.is_dir() else zipfile.ZipFile(path)
        if self.zip is None:
            there = [one for one in path.rglob("*") if one.is_symlink() or not one.is_dir()]
            self.names = sorted(one.relative_to(path).as_posix() for one in there)
            for one in there:
                need(one.is_file() and not one.is_symlink(), f"{one.relative_to(path).as_posix()} is no plain file")
        else:
            self.names = sorted(self.zip.namelist())
            need(len(set(self.names)) == len(self.names), "the zip has two files of one name")
            check_zip(self.zip, path)

    def open(self, name: str) -> BinaryIO:
        """A file of it."""
        if self.zip is None:
            return (self.path / name).open("rb")
        return self.zip.open(name)  # type: ignore[return-value]

    def sum(self, name: str) -> str:
        """SHA-256 of a file."""
        total = hashlib.sha256()
        with self.open(name) as file:
            while part := file.read(PART):
                total.update(part)
        return total.hexdigest()

    def json(self, name: str) -> Any:
        """A file's JSON."""
        need(name in self.names, f"{name} is missing")
        size = (self.path / name).stat().st_size if self.zip is None else self.zip.getinfo(name).file_size
        need(size <= JSON_MOST, f"{name} is too large to be read: {size} bytes")
        with self.open(name) as file:
            try:
                return json.loads(file.read())
            except ValueError as error:
                raise Broken(f"{name} is no JSON: {error}") from error


def check_zip(zip: zipfile.ZipFile, path: Path) -> None:
    """The zip has plain files one behind the other and nothing else. In a gap could lie another `index.html`, which this program
    does not see and one that unpacks from the beginning does."""
    with path.open("rb") as file:
        end = 0
        for info in sorted(zip.infolist(), key=lambda one: one.header_offset):
            name, kind = info.filename, info.external_attr >> 28
            need(info.orig_filename == name and kind in (0, 8), f"{name} is no plain file, or has another name beside it")
            need(info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), f"{name} is packed in a way that is not known")
            need(info.header_offset == end, f"the zip has something before {name} that belongs to no file")
            file.seek(end + 26)
            end += 30 + sum(struct.unpack("<HH", file.read(4))) + info.compress_size
        file.seek(zip.start_dir)
        codes = {one: "utf-8" if one.flag_bits & 0x800 else "cp437" for one in zip.infolist()}
        size = sum(46 + len(one.orig_filename.encode(code)) + len(one.extra) + len(one.comment) for one, code in codes.items())
        tail = file.read()[size:]
    whole = end == zip.start_dir and not zip.comment and tail[-22:-18] == b"PK\5\6" and len(tail) in (22, 22 + 56 + 20)
    need(whole, "the zip has something behind its files that belongs to none; unpack it, and verify the directory")


def is_signed(public: str, signature: str, text: str) -> bool:
    """Whether an Ed25519 signature (hex) under a text is that of a public key (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


# ---- 1: the files -----------------------------------------------------------------------------------------------------------


def check_files(pack: Pack, manifest: dict[str, Any]) -> int:
    """Every file is the manifest's, and no other is there."""
    expected = manifest["files"]
    for name in pack.names:
        need(name in expected or name in (MANIFEST, SIGNATURE), f"{name} is not in the manifest")
    for name, sum in sorted(expected.items()):
        need(name in pack.names, f"{name} is missing")
        need(pack.sum(name) == sum, f"{name} was altered: its SHA-256 is not the manifest's")
    return len(expected)


# ---- 2: the signature -------------------------------------------------------------------------------------------------------


def check_keys(rows: list[dict[str, str]], given: set[str]) -> tuple[dict[str, str], set[str]]:
    """Public half by fingerprint, and which of them are trusted: those given, or else the first, and who follows these."""
    keys: dict[str, str] = {}
    trusted: set[str] = set()
    before = ""
    for row in rows:
        name, public, previous = row["key"], row["public"], row["previous"]
        need(hashlib.sha256(bytes.fromhex(public)).hexdigest() == name, f"journal.json: key {name} is not named rightly")
        need(name not in keys, f"journal.json: key {name} stands there twice")
        consent = previous == before != "" and is_signed(keys[before], row["consent"], f"callserver-key-1 {public}")
        need(consent or not keys or name in given, f"journal.json: key {name} came without the consent of the key before it")
        if name in given or (consent and before in trusted) or not (keys or given):
            trusted.add(name)
        keys[name] = public
        before = name
    return keys, trusted


def check_signature(pack: Pack, keys: dict[str, str], trusted: set[str]) -> str:
    """The manifest is signed by a trusted key; its fingerprint."""
    need(SIGNATURE in pack.names, f"{SIGNATURE} is missing")
    with pack.open(SIGNATURE) as file:
        found = SIGNED.fullmatch(file.read().decode("ascii", "replace"))
    if found is None:
        raise Broken(f"{SIGNATURE} is no signature of a pack")
    sum, utc_ns, key, signature = found.groups()
    need(sum == pack.sum(MANIFEST), f"{MANIFEST} was altered: {SIGNATURE} is under another")
    need(key in keys, f"{SIGNATURE}: it is signed with key {key}, which journal.json does not have")
    need(is_signed(keys[key], signature, f"callserver-pack-1 {sum} {utc_ns} {key}"), f"{SIGNATURE}: the signature is false")
    need(key in trusted, f"{SIGNATURE}: key {key} is neither given nor follows a given one")
    return key


# ---- 3: the journal ---------------------------------------------------------------------------------------------------------


def framed(value: object) -> bytes:
    """A column as it goes into the hash."""
    if value is None:
        return b"\xff\xff\xff\xff"
    octets = value.encode() if isinstance(value, str) else value
    octets = struct.pack(">q", octets) if isinstance(octets, int) else octets
    need(isinstance(octets, bytes), "journal.json: a column is of no known type")
    return struct.pack(">I", len(octets)) + octets  # type: ignore[arg-type, operator]


def check_stretch(stretch: dict[str, Any], incident: str, bodies: dict[int, dict[str, Any]]) -> tuple[int, str]:
    """Its rows follow each other; adds the incident's bodies to `bodies`. The last row's number and hash."""
    hash, before = bytes.fromhex(stretch["before"]), 0
    for number, id, kind, at, utc, anchor, about, call, body in stretch["rows"]:
        where = f"journal.json, row {number}"
        need(before in (0, number - 1), f"{where}: a row is missing before it")
        typed = all(isinstance(one, int) for one in (number, at, utc, anchor)) and isinstance(id, str) and isinstance(kind, str)
        typed = typed and isinstance(about, str | None) and isinstance(call, str | None)
        need(typed, f"{where}: a column is not of its type")  # the same bytes as another type would hash alike
        if isinstance(body, str):
            need(about == incident, f"{where}: it is not of the incident, and has its body")
            sum = hashlib.sha256(body.encode()).digest()
            bodies[number] = {"kind": kind, "call": call, **json.loads(body)}
        else:
            need(about != incident, f"{where}: it is of the incident, and its body is left out")
            sum = bytes.fromhex(body["sha256"])
        columns = (hash, number, id, kind, at, utc, anchor, about, call, sum)
        hash = hashlib.sha256(b"callserver-journal-1" + b"".join(map(framed, columns))).digest()
        before = number
    need(hash.hex() == stretch["hash"], f"journal.json, rows up to {before}: one of them was altered")
    return before, hash.hex()


def check_journal(journal: dict[str, Any], keys: dict[str, str], trusted: set[str]) -> tuple[dict[int, Any], list[Any], int]:
    """All stretches; the incident's bodies by number, the checkpoints, and how many rows no checkpoint covers yet."""
    bodies: dict[int, dict[str, Any]] = {}
    checkpoints: list[Any] = []
    unsigned = last = 0
    for stretch in journal["stretches"]:
        first = stretch["rows"][0][0]
        need(first > last, f"journal.json, row {first}: it stands out of order")
        last, hash = check_stretch(stretch, journal["incident"], bodies)
        if stretch["checkpoint"] is None:
            need(stretch is journal["stretches"][-1], f"journal.json, rows {first} to {last}: no checkpoint covers them")
            unsigned = sum(1 for number in bodies if number >= first)
            continue
        found = LINE.fullmatch(stretch["checkpoint"])
        if found is None:
            raise Broken(f"journal.json, rows {first} to {last}: what follows them is no checkpoint")
        _sequence, number, signed, _utc_ns, key, signature = found.groups()
        where = f"journal.json, the checkpoint over row {number}"
        need((int(number), signed) == (last, hash), f"{where}: it is not over the row before it")
        need(key in keys and is_signed(keys[key], signature, found[0].rpartition(" ")[0]), f"{where}: its signature is false")
        need(key in trusted, f"{where}: key {key} is neither given nor follows a given one")
        checkpoints.append(found)
    return bodies, checkpoints, unsigned


# ---- 4 to 6: texts, sound, anchors ------------------------------------------------------------------------------------------


def check_texts(texts: list[dict[str, Any]], bodies: dict[int, dict[str, Any]]) -> tuple[int, int]:
    """Each text is the one that was hashed, and none is left out; how many there are and how many were erased."""
    named, erased = set(), 0
    gone = {row: number for number, body in bodies.items() if body["kind"] == "TextsErased" for row in body["rows"]}
    for text in texts:
        row, field, value = text["row"], text["field"], text["text"]
        where = f"texts.json, row {row}, {field}"
        inside = bodies.get(row, {}).get(field)
        need(str(inside).startswith("sha256:") and (row, field) not in named, f"{where}: the journal has no such text")
        named.add((row, field))
        if value is None:
            need(row < gone.get(row, 0), f"{where}: it is left out, and no later fact says that it was erased")
            erased += 1
            continue
        salt = bytes.fromhex(text["salt"])
        sum = hashlib.sha256(salt + value.encode()).hexdigest()
        need(inside == f"sha256:{sum}" and len(salt) == 16, f"{where}: it was altered")  # a longer salt would hold text
    for number, body in bodies.items():
        for field, value in body.items():
            hashed = re.fullmatch("sha256:[0-9a-f]{64}", str(value)) is not None
            need(not hashed or (number, field) in named, f"texts.json: the text {field} of row {number} is left out")
    return len(named), erased


def check_sound(manifest: dict[str, Any], bodies: dict[int, dict[str, Any]]) -> int:
    """Each file of sound is one that the journal tells of."""
    original: dict[str, str] = {}
    redacted: dict[str, str] = {}
    for number, body in bodies.items():
        if body["kind"] == "RecordingMade":
            original.update(body["files"])
        elif body["kind"] == "RedactionMade":
            for name, sum in body["origin"].items():
                need(original.get(name) == sum, f"journal.json, row {number}: its origin {name} is not the recording")
            redacted.update(body["files"])
    names = [name for name in manifest["files"] if name.startswith("sound/")]
    for name in names:
        known = {**original, **redacted}.get(name.removeprefix("sound/"))
        need(known == manifest["files"][name], f"{name}: the journal does not tell of it")
    return len(names)


def check_anchor(path: Path, checkpoints: list[Any]) -> str:
    """The pack's checkpoints are in a file that was kept elsewhere, or at least between those that are; what was found."""
    lines = list(LINE.finditer(path.read_text("utf-8", "replace")))
    need(bool(lines), f"anchor {path}: there is no checkpoint in it")
    known = {line[0] for line in lines}
    for one in checkpoints:
        sequence, number = int(one[1]), int(one[2])
        for line in lines:
            there, covered = int(line[1]), int(line[2])
            need(there != sequence or line[0] == one[0], f"anchor {path}: checkpoint {sequence} is another there")
            between = there == sequence or (there < sequence) == (covered < number)
            need(between, f"anchor {path}: checkpoint {sequence} over row {number} does not fit {there} over row {covered} there")
    found = sum(one[0] in known for one in checkpoints)
    told = f"anchor {path}: {found} checkpoints of the pack are in it, and the same"
    return told if found == len(checkpoints) else f"{told}; NOT IN IT: {len(checkpoints) - found}, for which the key alone stands"


def verify(path: Path, given: tuple[str, ...] = (), anchors: tuple[Path, ...] = ()) -> list[str]:
    """Check everything; returns what was found to be whole, a line each. Raises Broken for the first thing wrong."""
    try:
        return checked(Pack(path), given, anchors)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError) as error:
        raise Broken(f"the pack cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, struct.error) as error:
        raise Broken(f"the pack is not made as it must be: {type(error).__name__}: {error}") from error


def checked(pack: Pack, given: tuple[str, ...], anchors: tuple[Path, ...]) -> list[str]:
    """See `verify`."""
    manifest = pack.json(MANIFEST)
    files = check_files(pack, manifest)
    journal = pack.json("journal.json")
    keys, trusted = check_keys(journal["keys"], set(given))
    signer = check_signature(pack, keys, trusted)
    need(journal["incident"] == manifest["incident"], "journal.json is of another incident than the manifest")
    bodies, checkpoints, unsigned = check_journal(journal, keys, trusted)
    texts, erased = check_texts(pack.json("texts.json"), bodies)
    told = [
        f"pack {manifest['pack']} of incident {manifest['incident']}, made {manifest['made_utc']} by {manifest['by']}",
        f"files: {files}, all as the manifest says; signed with key {signer}",
        f"journal: {len(bodies)} rows of the incident, {len(checkpoints)} checkpoints over them",
        f"texts: {texts}, {erased} of them erased",
        f"sound: {check_sound(manifest, bodies)} files, all as the journal says",
    ]
    if pack.zip is not None:
        told.append(
            f"zip: SHA-256 {sum_of(pack.path)}, which the journal has in PackMade, and whoever was given the pack may have"
        )
    if unsigned:
        told.append(f"note: the last {unsigned} rows have no checkpoint yet; the pack's own signature alone is over them")
    told += [check_anchor(one, checkpoints) for one in anchors]
    return told if given else [*told, f"note: compare key {next(iter(keys))} with what was written down"]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Verify an evidence pack of callserver; the head of this file says how.")
    parser.add_argument("pack", type=Path, help="the zip, or the directory that it was unpacked to")
    parser.add_argument("--key", action="append", default=[], help="the fingerprint of a key that is trusted")
    parser.add_argument("--anchor", type=Path, action="append", default=[], help="a file with checkpoints kept elsewhere")
    asked = parser.parse_args()
    if not asked.pack.exists():
        parser.error(f"{asked.pack} is not there")
    try:
        told = verify(asked.pack, tuple(asked.key), tuple(asked.anchor))
    except Broken as broken:
        sys.stdout.write(plain(f"BROKEN: {broken}"))
        return 1
    sys.stdout.writelines(map(plain, [*told, "WHOLE: nothing wrong was found"]))
    return 0


def plain(text: str) -> str:
    """One line for a terminal: a name in the pack can hold what moves the cursor, and write another verdict over this one."""
    return "".join(one if one.isprintable() else "?" for one in text) + "\n"


if __name__ == "__main__":
    sys.exit(main())
