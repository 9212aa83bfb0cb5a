#!/usr/bin/env python3
"""Verify a copy of a callserver journal without trusting callserver. One file; Python 3.11 and the package `cryptography`.

    python3 verify_journal.py callserver.db --recordings DIR --captures DIR --anchor FILE --key FINGERPRINT

What it checks, in this order; it stops at the first thing wrong, names it, and leaves with 1 (0: whole, 2: misuse).

1. The chain. Table `journal` has a row for every fact, numbered from 1 without gaps. Each row holds the hash of the row before
   it and its own hash, which is SHA-256 of the ASCII text `callserver-journal-1` and these columns in this order: prev_hash,
   number, id, kind, at_instant_ns, utc_ns, anchor, incident, call, SHA-256 of body. Each column is written as its length (4
   bytes, big-endian) and its bytes; integers as 8 bytes big-endian two's complement, texts as UTF-8, NULL as FF FF FF FF alone.
   The first row's prev_hash is 32 zero bytes. Table `journal_head` holds the number and hash of the last row.
2. Texts that can be erased (names, notes, reasons) lie in `journal_erasable`; the body, which is JSON, holds in their place
   `sha256:` and SHA-256 of salt (16 bytes) and text, in hex. An erased text is NULL. It breaks nothing if a later fact
   `TextsErased` of the same incident names its row; one that is gone without such a fact is found, and so is another text.
3. Signatures. A fact `CheckpointKeyMade` names an Ed25519 key by its fingerprint, the SHA-256 of the public key. Each but the
   first carries the consent of the key before it: that key's signature under `callserver-key-1 PUBLIC`. A fact
   `CheckpointSigned` says that row `number` had this `hash`; the signature is under the text
   `callserver-checkpoint-1 SEQUENCE NUMBER HASH UTC_NS KEY`. Sequences have no gaps; a key signs no row from its successor's on.
4. Anchors: files kept elsewhere (or a syslog, or a mailbox) with such lines, SIGNATURE behind them. Each must be signed by a key
   of the journal and agree with it. A journal that was cut short or made anew does not.
5. Deletions. A fact `HoldPlaced` holds an incident until its `HoldLifted`; what a fact `RecordingDeleted` or `TextsErased` tells
   of an incident that was held at that moment must not have been done. A call's id is that of its incident, a dot and a number.
6. Recordings: a fact `RecordingMade` has the SHA-256 of each file and of each capture (`x.cap`, perhaps compressed: `x.cap.gz`).
   One may be missing only if a later `RecordingDeleted` of the same call names it; one that is named so and still there is told.
   A file that begins with `callserver-seal1` is encrypted (AES-256-GCM in chunks, `unsealed` below); the hash is of its content.
   `RedactionMade` has the same of redacted copies, `files`; they go when what they were made from, `origin`, was deleted so.

Copy the anchor before the database: one that is newer knows of rows that the copy has not, and calls it cut short.
Give --key with the fingerprint that was written down when the service was installed, and an anchor that was out of reach of
those whom you doubt. Without either, whoever had the machine could have made all of it anew with a key of their own.
"""

import argparse
import hashlib
import json
import re
import sqlite3
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature, InvalidTag
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:
    sys.stderr.write("Python 3.11 and the package cryptography are needed: python3 -m pip install cryptography\n")
    sys.exit(2)

COLUMNS = "number, framing, id, kind, at_instant_ns, utc_ns, anchor, incident, call, body, body_hash, prev_hash, hash"
LINE = re.compile(r"callserver-checkpoint-1 (\d{1,18}) (\d{1,18}) ([0-9a-f]{64}) (\d{1,19}) ([0-9a-f]{64}) ([0-9a-f]{128})")
DELETIONS = (b"HoldPlaced", b"HoldLifted", b"RecordingDeleted", b"TextsErased")
KEPT_KINDS = (b"CheckpointKeyMade", b"CheckpointSigned", b"RecordingMade", b"RedactionMade", *DELETIONS)

Progress = Callable[[str, int, int], None]
Kept = list[tuple[int, bytes, dict[str, Any]]]  # number, kind, body
Place = tuple[int, bytes | None]  # a row's number and its incident


class Text(bytes):
    """A text of the database: exactly what is there, whether UTF-8 or not, and told from bytes that are no text."""


TYPES = ((Text,), (Text,), (int,), (int,), (int,), (Text, type(None)), (Text, type(None)), *((bytes,),) * 4)  # from id on


class Broken(Exception):
    """The first thing that is wrong, in words that name the place."""


def need(good: bool, fault: str) -> None:
    """Go on only where `good`."""
    if not good:
        raise Broken(fault)


# ---- 1: the chain -----------------------------------------------------------------------------------------------------------


def framed(value: object) -> bytes:
    """A column as it goes into the hash."""
    if value is None:
        return b"\xff\xff\xff\xff"
    octets = struct.pack(">q", value) if isinstance(value, int) else value
    if not isinstance(octets, bytes):
        raise ValueError("neither an integer nor a text nor bytes")
    return struct.pack(">I", len(octets)) + octets


def check_chain(db: sqlite3.Connection, progress: Progress) -> tuple[int, Kept]:
    """Walk all rows; returns how many, and the facts that the later checks need."""
    head = db.execute("SELECT number, hash FROM journal_head").fetchall()
    need(len(head) == 1 and isinstance(head[0][0], int), "table journal_head: it has not exactly one row with a number")
    count, hash, kept = 0, bytes(32), Kept()
    try:
        for row in db.execute(f"SELECT {COLUMNS} FROM journal ORDER BY number"):
            hash = check_row(row, count, hash)
            count += 1
            if row[3] in KEPT_KINDS:
                kept.append((row[0], row[3], of_its_shape(row[0], row[3], body_of(row[0], row[9]))))
            if count % 5000 == 0:
                progress("rows", count, head[0][0])
    except sqlite3.Error as error:
        raise Broken(f"row {count + 1}: the database's file is damaged: {error}") from error
    need(count >= head[0][0], f"row {count + 1}: rows are missing at the end, the head says that there are {head[0][0]}")
    need(count == head[0][0], f"row {head[0][0] + 1}: it lies beyond the head")
    need(hash == head[0][1], f"row {count}: the head holds another hash than the last row")
    progress("rows", count, count)
    for table in ("journal", "journal_erasable"):  # an index that lacks a row hides it from whoever looks it up
        found = db.execute(f"PRAGMA integrity_check('{table}')").fetchone()[0].decode()
        need(found == "ok", f"an index of the table {table} does not fit it, so what is looked up is not all: {found}")
    return count, kept


def check_row(row: tuple[Any, ...], before: int, hash_before: bytes) -> bytes:
    """One row that must follow row number `before`; returns its hash."""
    number, framing, *columns, body, body_hash, prev_hash, hash = row
    need(number > 0, f"row {number}: it has no place, rows are numbered from 1")
    need(number == before + 1, f"row {before + 1}: missing, row {number} follows row {before}")
    need(framing == 1, f"row {number}: hashed by framing {framing!r}, which is not known here")
    for value, types in zip((*columns, body, body_hash, prev_hash, hash), TYPES, strict=True):  # the same bytes would hash alike
        need(type(value) in types, f"row {number}: a column is not of its type")
    need(prev_hash == hash_before, f"row {number}: it does not follow row {before}, whose hash is another")
    need(isinstance(body, bytes) and hashlib.sha256(body).digest() == body_hash, f"row {number}: its body was altered")
    try:
        frame = b"callserver-journal-1" + b"".join(map(framed, (prev_hash, number, *columns, body_hash)))
    except ValueError as error:
        raise Broken(f"row {number}: a column is not of its type: {error}") from error
    need(hashlib.sha256(frame).digest() == hash, f"row {number}: a column beside the body was altered")
    return hashlib.sha256(frame).digest()


def body_of(number: int, body: bytes) -> dict[str, Any]:
    """A row's body as fields."""
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise Broken(f"row {number}: its body is no JSON: {error}") from error
    need(isinstance(fields, dict), f"row {number}: its body has no fields")
    return fields  # type: ignore[no-any-return]


SUMS = {b"RecordingMade": ("call", "files", "captures"), b"RedactionMade": ("of", "files", "origin")}


def of_its_shape(number: int, kind: bytes, body: dict[str, Any]) -> dict[str, Any]:
    """A body; of a fact about files the call's name must be a text, and their names and hashes as well."""
    call, *fields = SUMS.get(kind, ("",))
    found = [body.get(field) for field in fields]
    good = all(isinstance(one, dict) and all(isinstance(sum, str) for sum in one.values()) for one in found)
    good = good and all("\0" not in name for one in found for name in one or ())
    need(good and isinstance(body.get(call, ""), str), f"row {number}: this {kind.decode()} lacks a field or has a wrong one")
    need(call in ("", *body), f"row {number}: this {kind.decode()} names no call")
    return body


# ---- 2: texts beside it -----------------------------------------------------------------------------------------------------


def check_texts(db: sqlite3.Connection, kept: Kept) -> tuple[int, int]:
    """Compare every text beside the journal with the hash in it; returns how many there are and how many were erased."""
    named = {row for number, kind, body in kept if kind == b"TextsErased" for row in erased_by(number, body)}
    check_none_gone(db, named)
    query = (
        "SELECT e.number, e.field, e.salt, e.value, j.body, j.incident FROM journal_erasable e"
        " LEFT JOIN journal j ON j.number = e.number ORDER BY e.number"
    )
    count = erased = 0
    for number, field, salt, value, body, incident in db.execute(query):
        name = field.decode("utf-8", "replace") if isinstance(field, bytes) else str(field)
        need(body is not None, f"row {number}: a text {name!r} lies beside a row that is not there")
        inside = body_of(number, body).get(name)
        need(str(inside).startswith("sha256:"), f"row {number}: a text {name!r} lies beside it that it does not have")
        if value is not None:
            good = isinstance(salt, bytes) and len(salt) == 16 and isinstance(value, bytes)  # a longer salt would hold text
            good = good and inside == "sha256:" + hashlib.sha256(salt + value).hexdigest()
            need(good, f"row {number}: its text {name!r} was altered")
        else:
            gone = f"row {number}: its text {name!r} is gone, and no later fact of its incident says that it was erased"
            need((number, incident) in named, gone)
        count, erased = count + 1, erased + (value is None)
    return count, erased


def erased_by(number: int, body: dict[str, Any]) -> list[Place]:
    """The rows before it, of its incident, whose texts a fact `TextsErased` says are erased."""
    rows = body.get("rows")
    need(isinstance(rows, list) and all(type(row) is int for row in rows), f"row {number}: its rows are no list of numbers")
    incident = body.get("incident")
    return [(row, None if incident is None else str(incident).encode()) for row in rows or () if row < number]


def check_none_gone(db: sqlite3.Connection, named: set[Place]) -> None:
    """Every text that a row has a hash of lies beside it, or at least the place where it was."""
    beside = "SELECT count(*) FROM journal_erasable e WHERE e.number = j.number"
    marked = "instr(j.body, CAST('\"sha256:' AS BLOB)) > 0"
    query = f"SELECT j.number, j.incident, j.body, ({beside}) FROM journal j WHERE {marked} ORDER BY j.number"
    for number, incident, body, count in db.execute(query):
        hashes = sum(re.fullmatch(r"sha256:[0-9a-f]{64}", str(value)) is not None for value in body_of(number, body).values())
        gone = count < hashes and (number, incident) not in named
        need(not gone, f"row {number}: a text beside it is gone, and no later fact of its incident says that it was erased")


# ---- 3: signatures ----------------------------------------------------------------------------------------------------------


def is_signed(public: str, signature: str, text: str) -> bool:
    """Whether an Ed25519 signature (hex) under a text is that of a public key (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


class Signatures:
    """The journal's keys and the checkpoints that they signed."""

    def __init__(self, kept: Kept, given: set[str]) -> None:
        self.keys: dict[str, str] = {}  # fingerprint -> public key, in the order of the journal
        self.trusted: set[str] = set()
        self.given = given
        self.key = ""  # the one in force
        self.signer = ""  # of the last checkpoint
        self.count = self.signed_to = 0
        for number, kind, body in kept:
            try:
                if kind == b"CheckpointKeyMade":
                    self.take_key(number, body)
                elif kind == b"CheckpointSigned":
                    self.take_checkpoint(number, body)
            except (KeyError, TypeError, ValueError) as error:
                raise Broken(f"row {number}: this {kind.decode()} lacks a field or has a wrong one: {error}") from error

    def take_key(self, number: int, body: dict[str, Any]) -> None:
        """A key comes into force; from now on no other signs."""
        name, public, before = body["key"], body["public"], body["previous"]
        need(hashlib.sha256(bytes.fromhex(public)).hexdigest() == name, f"row {number}: the key's fingerprint is not its own")
        need(name not in self.keys, f"row {number}: the key {name} comes into force a second time")
        consent = before == self.key != "" and is_signed(self.keys[before], body["consent"], f"callserver-key-1 {public}")
        need(
            consent or name in self.given or not self.keys,
            f"row {number}: the key {name} came without the consent of the key before it; if that was right, give it by --key",
        )
        if name in self.given or (before in self.trusted and consent) or not (self.keys or self.given):
            self.trusted.add(name)
        self.keys[name], self.key = public, name

    def take_checkpoint(self, number: int, body: dict[str, Any]) -> None:
        """A checkpoint in the journal; that its hash is the row's is checked by `check_signatures`."""
        sequence, covered, key = body["sequence"], body["number"], body["key"]
        where = f"row {number}: checkpoint {sequence}"
        need(sequence == self.count + 1, f"{where}: checkpoint {self.count + 1} is awaited here")
        need(key == self.key, f"{where}: it is signed with key {key}, in force is {self.key or 'none'}")
        need(self.signed_to <= covered < number, f"{where}: it covers row {covered}, which cannot be")
        text = f"callserver-checkpoint-1 {sequence} {covered} {body['hash']} {body['utc_ns']} {key}"
        need(is_signed(self.keys[key], body["signature"], text), f"{where}: its signature is false")
        self.count, self.signed_to, self.signer = sequence, covered, key


def hash_of(db: sqlite3.Connection, number: int) -> str:
    """The hash of a row, in hex; empty where there is no such row."""
    row = db.execute("SELECT hash FROM journal WHERE number = ?", (number,)).fetchone()
    return row[0].hex() if row else ""


def check_signatures(db: sqlite3.Connection, kept: Kept, given: set[str]) -> Signatures:
    """All keys and checkpoints."""
    signatures = Signatures(kept, given)
    for number, kind, body in kept:
        if kind == b"CheckpointSigned":
            need(
                hash_of(db, body["number"]) == body["hash"],
                f"row {number}: checkpoint {body['sequence']} has another hash for row {body['number']} than the journal",
            )
    need(not given or signatures.count > 0, "checkpoints: there is none, so nothing is signed with the key that was given")
    need(
        not signatures.count or signatures.signer in signatures.trusted,
        f"checkpoints: the last ones are signed with key {signatures.signer}, which is neither given nor follows a given one",
    )
    return signatures


# ---- 4: anchors -------------------------------------------------------------------------------------------------------------


def check_anchor(db: sqlite3.Connection, path: Path, signatures: Signatures, rows: int) -> int:
    """Compare each line of an anchor with the journal; returns how many there are."""
    count = 0
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise Broken(f"anchor {path}: it cannot be read: {error.strerror}") from error
    for line, found in enumerate(text.splitlines(), 1):
        for sequence, number, hash, utc_ns, key, signature in LINE.findall(found):
            where = f"anchor {path}, line {line}"
            public = signatures.keys.get(key, "")
            signed = f"callserver-checkpoint-1 {sequence} {number} {hash} {utc_ns} {key}"
            need(public != "", f"{where}: it is signed with key {key}, which the journal does not know")
            need(is_signed(public, signature, signed), f"{where}: its signature is false")
            need(int(number) <= rows, f"{where}: the journal was cut short: row {number} is missing, it ends with row {rows}")
            need(hash_of(db, int(number)) == hash, f"{where}: row {number} had another hash when this was written")
            need(int(sequence) <= signatures.count, f"{where}: checkpoint {sequence} is missing in the journal")
            count += 1
    need(count > 0, f"anchor {path}: there is no checkpoint in it")
    return count


# ---- 5: deletions -----------------------------------------------------------------------------------------------------------

Deleted = dict[str, dict[str, int]]  # call -> each name that was deleted of it -> row of the last fact that says so


def check_deletions(kept: Kept) -> Deleted:
    """Nothing was deleted or erased of what was held at that moment; returns what was deleted."""
    holds: dict[str, tuple[int, str]] = {}  # hold -> row and incident
    deleted: Deleted = {}
    for number, kind, body in kept:
        incident = body.get("incident")
        if kind == b"HoldPlaced":
            need(str(body.get("hold")) not in holds, f"row {number}: hold {body.get('hold')} stands already")
            holds[str(body.get("hold"))] = (number, str(incident))
        elif kind == b"HoldLifted":
            need(holds.pop(str(body.get("hold")), (0, ""))[1] == incident, f"row {number}: no such hold stands on {incident}")
        elif kind in (b"RecordingDeleted", b"TextsErased"):
            call = str(body.get("call", ""))
            incident = call.rpartition(".")[0] if kind == b"RecordingDeleted" else incident
            held = [(hold, row) for hold, (row, of) in holds.items() if of == incident]
            what = f"row {number}: incident {incident} was held when its {'recordings' if call else 'texts'} were deleted"
            need(not held, f"{what}, by hold {held[0][0]} of row {held[0][1]}" if held else "")
            if call:
                lists = (body.get("files"), body.get("captures"))
                need(all(isinstance(one, list) for one in lists), f"row {number}: its files and captures are no lists")
                names = map(str, (*body.get("files", ()), *body.get("captures", ())))
                deleted.setdefault(call, {}).update(dict.fromkeys(names, number))
    return deleted


# ---- 6: recordings ----------------------------------------------------------------------------------------------------------


class Closed(Exception):
    """A file is encrypted, and its key was not given."""


def unsealed(path: Path, site: bytes | None) -> Iterator[bytes]:
    """A file's content, piece by piece, decrypted with the site's key where it is encrypted. Raises Closed, Broken, OSError."""
    with path.open("rb") as file:
        head = file.read(512)
        if head[:16] != b"callserver-seal1":
            yield head
            yield from iter(lambda: file.read(1 << 20), b"")
            return
        name = hashlib.sha256(b"callserver-site-key-1 " + (site or b"")).digest()[:16]
        slot = next((head[at : at + 80] for at in (16, 96) if site and head[at : at + 16] == name), None)
        if slot is None or site is None:
            raise Closed
        number = -1
        try:
            data_key = AESGCM(AESGCM(site).decrypt(slot[16:28], slot[28:76], head[:16]))
            chunk = file.read(65552)
            while chunk or number < 0:
                number, after = number + 1, file.read(65552)
                yield data_key.decrypt(bytes(7) + number.to_bytes(4, "big") + bytes([not after]), chunk, None)
                chunk = after
        except (InvalidTag, ValueError) as error:
            raise Broken(f"{path.name}: chunk {max(number, 0)} of the encrypted file, or its head, was damaged or cut") from error


def sum_of(path: Path, site: bytes | None = None) -> str | None:
    """SHA-256 of a file, or of what is compressed in `path`.gz where that is there instead; None: neither can be read."""
    packed = path.with_name(path.name + ".gz")
    total, unpack = hashlib.sha256(), None if path.exists() else zlib.decompressobj(31)
    try:
        for part in unsealed(path if unpack is None else packed, site):
            total.update(part if unpack is None else unpack.decompress(part))
    except (OSError, zlib.error):
        return None
    return total.hexdigest() if unpack is None or (unpack.eof and not unpack.unused_data) else None


def check_files(kept: Kept, deleted: Deleted, field: str, below: Path, progress: Progress, site: bytes | None = None) -> str:
    """Hash the files that the newest `RecordingMade` of each call names; returns what was found."""
    newest = {body.get("call"): (number, body) for number, kind, body in kept if kind == b"RecordingMade"}
    count = gone = left = closed = 0
    for done, (call, (number, body)) in enumerate(newest.items(), 1):
        for name, expected in body.get(field, {}).items():
            need(not Path(name).is_absolute() and ".." not in Path(name).parts, f"call {call}: {name} lies outside")
            by_right = number < deleted.get(str(call), {}).get(name, 0)
            if by_right and not there(below / name):
                gone += 1
                continue
            try:
                found = sum_of(below / name, site)
            except Closed:
                closed += 1
                continue
            need(found is not None, f"call {call}: {name} is not there or cannot be read")
            need(found == expected, f"call {call}: {name} was altered, its SHA-256 is {found} and not {expected}")
            count, left = count + 1, left + by_right
        progress(field, done, len(newest))
    warning = f"; WARNING: {left} of them were to be deleted and are still there" if left else ""
    warning += unexamined(closed)
    return f"{field}: {count} files are what the journal says, {gone} were deleted as it says{warning}"


def check_redactions(kept: Kept, deleted: Deleted, below: Path, site: bytes | None = None) -> str:
    """Hash the redacted copies of recordings, which go with the recordings that they are of; returns what was found."""
    count = closed = 0
    for number, kind, body in kept:
        rows = deleted.get(str(body.get("of")), {})
        if kind != b"RedactionMade" or any(number < rows.get(name, 0) for name in body["origin"]):
            continue
        for name, expected in body["files"].items():
            need(not Path(name).is_absolute() and ".." not in Path(name).parts, f"row {number}: {name} lies outside")
            try:
                need(sum_of(below / name, site) == expected, f"call {body['of']}: {name} is not the redaction of row {number}")
                count += 1
            except Closed:
                closed += 1
    return f"redactions: {count} files are what the journal says{unexamined(closed)}"


def unexamined(closed: int) -> str:
    """The words for files that are encrypted, and whose key was not given."""
    return f"; NOT EXAMINED: {closed} of them are encrypted, and their key was not given" if closed else ""


def there(path: Path) -> bool:
    """Whether a file, or its compressed form, is there."""
    return path.exists() or path.with_name(path.name + ".gz").exists()


# ---- all of it --------------------------------------------------------------------------------------------------------------


def opened(path: Path) -> sqlite3.Connection:
    """The database, to be read only. A copy without a write-ahead log is read as it lies there."""
    log = path.with_name(path.name + "-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    db = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)
    db.text_factory = Text
    return db


def verify(
    path: Path,
    recordings: Path | None = None,
    captures: Path | None = None,
    anchors: tuple[Path, ...] = (),
    given: tuple[str, ...] = (),
    progress: Progress = lambda what, done, total: None,
    site: bytes | None = None,
) -> list[str]:
    """Check everything; returns what was found to be whole, a line each. Raises Broken for the first thing wrong."""
    db = opened(path)
    try:
        rows, kept = check_chain(db, progress)
        texts, erased = check_texts(db, kept)
        deleted = check_deletions(kept)
        signatures = check_signatures(db, kept, set(given))
        told = [
            f"journal: {rows} rows follow each other; the last hash is {hash_of(db, rows) or bytes(32).hex()}",
            f"texts: {texts} beside the journal, {erased} of them erased",
            f"checkpoints: {signatures.count}, signed up to row {signatures.signed_to}",
            *(f"key: {name}{'' if given else ', compare it with what was written down'}" for name in signatures.keys),
        ]
        told += [f"anchor {one}: {check_anchor(db, one, signatures, rows)} checkpoints agree" for one in anchors]
    except sqlite3.Error as error:
        raise Broken(f"the database's file is damaged: {error}") from error
    finally:
        db.close()
    if recordings is not None:
        told.append(check_files(kept, deleted, "files", recordings, progress, site))
        told.append(check_redactions(kept, deleted, recordings, site))
    if captures is not None:
        told.append(check_files(kept, deleted, "captures", captures, progress, site))
    return told


def bar(what: str, done: int, total: int) -> None:
    """Progress, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r[{'#' * (40 * done // max(total, 1)):40}] {done} of {total} {what}  ")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Verify a copy of a callserver journal; the head of this file says how.")
    parser.add_argument("database", type=Path, help="a copy of callserver.db")
    parser.add_argument("--recordings", type=Path, help="the directory of the recordings")
    parser.add_argument("--captures", type=Path, help="the directory of the captures")
    parser.add_argument(
        "--anchor", type=Path, action="append", default=[], help="a file with checkpoints that was kept elsewhere"
    )
    parser.add_argument("--key", action="append", default=[], help="the fingerprint of a key that is trusted")
    parser.add_argument("--site-key-file", type=Path, help="the key that recordings are encrypted under, 64 digits in hex")
    asked = parser.parse_args()
    try:
        site = bytes.fromhex(asked.site_key_file.read_text().strip()) if asked.site_key_file else None
    except (OSError, ValueError):
        site = b""
    if site is not None and len(site) != 32:
        parser.error(f"{asked.site_key_file} holds no key: 64 digits in hex")
    if not asked.database.is_file():
        parser.error(f"{asked.database} is not there")
    try:
        told = verify(asked.database, asked.recordings, asked.captures, tuple(asked.anchor), tuple(asked.key), bar, site)
    except Broken as broken:
        sys.stdout.write(plain(f"BROKEN: {broken}"))
        return 1
    closed = any("NOT EXAMINED" in line for line in told)
    verdict = "NOT ALL OF IT WAS EXAMINED: give --site-key-file" if closed else "WHOLE: nothing wrong was found"
    sys.stdout.writelines(map(plain, [*told, verdict]))
    return int(closed)


def plain(text: str) -> str:
    """One line for a terminal: a name in the journal can hold what moves the cursor, and write another verdict over this one."""
    return "".join(one if one.isprintable() else "?" for one in text) + "\n"


if __name__ == "__main__":
    sys.exit(main())
