"""Packs in the hands of somebody who wants the verifier to say WHOLE of something else than what is in them."""

import hashlib
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.store.evidence import verify_pack
from callserver.store.evidence.keys import make_key
from tests.store.pack_room import INCIDENT, WANTED, Room, room
from tests.store.test_pack import chained_anew, contents, fault, journal_changed, signed_again, written

FORGED = b"<!doctype html><p>It was another story."
EIGHT = "incident"  # an incident's id of eight bytes, as an integer has


def with_texts(the: Room, pack: Path, out: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> str:
    """The fault of a pack whose texts were changed by somebody who can sign packs."""
    files = contents(pack)
    texts = json.dumps(change(json.loads(files["texts.json"]))).encode()
    return fault(written(out, signed_again({**files, "texts.json": texts}, the.key)), the.key.name)


def test_a_text_shortened_by_moving_its_beginning_into_the_salt_is_found(made: tuple[Room, Path], tmp_path: Path) -> None:
    def shortened(texts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        (note,) = texts
        salt = note["salt"] + note["text"][:5].encode().hex()
        return [{**note, "salt": salt, "text": note["text"][5:]}]

    assert "it was altered" in with_texts(*made, tmp_path / "changed.zip", shortened)


def test_a_text_left_out_or_said_to_be_erased_is_found(made: tuple[Room, Path], tmp_path: Path) -> None:
    out = tmp_path / "changed.zip"
    assert "is left out" in with_texts(*made, out, lambda texts: [])
    erased = with_texts(*made, out, lambda texts: [{**one, "salt": None, "text": None} for one in texts])
    assert "no later fact says that it was erased" in erased


def test_a_row_of_the_incident_cannot_be_hidden_by_writing_its_id_as_a_number(tmp_path: Path) -> None:
    """Eight letters and an integer of eight bytes are the same to the hash."""
    the = room(tmp_path)
    opened = f.IncidentOpened(IncidentId(EIGHT), "p", "q", 0, 1)  # type: ignore[arg-type]
    the.append(opened, *(f.OutcomeRecorded(IncidentId(EIGHT), f"o{n}", "anna", "") for n in range(3)))
    the.sign()
    pack = the.pack(tmp_path / "pack.zip", replace(WANTED, incident=EIGHT))
    assert fault(pack, the.key.name) == ""

    def hidden(journal: dict[str, Any]) -> None:
        row = journal["stretches"][0]["rows"][1]
        row[6] = struct.unpack(">q", EIGHT.encode())[0]
        row[8] = {"sha256": hashlib.sha256(row[8].encode()).hexdigest()}

    assert "a column is not of its type" in journal_changed(the, pack, tmp_path / "changed.zip", hidden)
    the.engine.dispose()


def with_a_file_in_a_gap(pack: Path, out: Path) -> Path:
    """A second index.html lies before the first file; the directory at the end knows nothing of it."""
    whole = pack.read_bytes()
    head = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, len(FORGED), len(FORGED), 10, 0) + b"index.html" + FORGED
    at = whole.rindex(b"PK\5\6")
    size, start = struct.unpack("<II", whole[at + 12 : at + 20])
    directory = bytearray(whole[start : start + size])
    place = 0
    while place < size:
        name, extra, comment = struct.unpack("<3H", directory[place + 28 : place + 34])
        offset = struct.unpack("<I", directory[place + 42 : place + 46])[0]
        directory[place + 42 : place + 46] = struct.pack("<I", offset + len(head))
        place += 46 + name + extra + comment
    end = whole[at : at + 16] + struct.pack("<I", start + len(head)) + whole[at + 20 :]
    out.write_bytes(head + whole[:start] + bytes(directory) + end)
    return out


def test_nothing_lies_in_the_zip_beside_its_files(made: tuple[Room, Path], tmp_path: Path) -> None:
    """What unpacks a zip from its beginning would show another page than the one that was verified."""
    the, pack = made
    whole, out = pack.read_bytes(), tmp_path / "changed.zip"
    assert contents(with_a_file_in_a_gap(pack, out)) == contents(pack)
    assert "belongs to no file" in fault(out, the.key.name)
    for changed in (b"#!/bin/sh\n" + whole, whole + b"more", whole[:-2] + b"\4\0more"):
        out.write_bytes(changed)
        assert contents(out) == contents(pack)
        assert "the zip has something" in fault(out, the.key.name)


def test_files_of_a_zip_are_plain_and_packed_in_known_ways(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    files, out = contents(pack), tmp_path / "changed.zip"
    for attributes, method in ((0o120777 << 16, zipfile.ZIP_STORED), (0o100644 << 16, zipfile.ZIP_LZMA)):
        with zipfile.ZipFile(out, "w") as zip:
            for name, octets in files.items():
                info = zipfile.ZipInfo(name)
                info.external_attr, info.compress_type = attributes, method
                zip.writestr(info, octets)
        assert fault(out, the.key.name)


def test_a_link_in_a_directory_is_no_file_of_the_pack(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    with zipfile.ZipFile(pack) as zip:
        zip.extractall(tmp_path / "unpacked")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "story.html").write_bytes(FORGED)
    (tmp_path / "unpacked" / "more").symlink_to(elsewhere)
    assert "more is no plain file" in fault(tmp_path / "unpacked", the.key.name)


def test_a_manifest_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    out = tmp_path / "bomb.zip"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zip, zip.open("manifest.json", "w") as file:
        for _ in range(257):
            file.write(bytes(1 << 20))
    assert "is too large to be read" in fault(out)


def test_a_checkpoint_that_the_key_made_later_is_told_from_those_of_the_anchor(made: tuple[Room, Path], tmp_path: Path) -> None:
    """Who has the key makes the rows anew, and gives the checkpoint a sequence that the anchor does not have."""
    the, pack = made

    def forged(sequence: int) -> Callable[[dict[str, Any]], None]:
        def change(journal: dict[str, Any]) -> None:
            stretch = journal["stretches"][0]
            del journal["stretches"][1:]
            chained_anew(stretch, sequence, the.key)

        return change

    out = tmp_path / "forged.zip"
    files = contents(pack)
    for sequence, told in ((2, "is another there"), (7, "does not fit"), (10**17, "does not fit")):
        journal = json.loads(files["journal.json"])
        forged(sequence)(journal)
        changed = {**files, "journal.json": json.dumps(journal).encode(), "texts.json": b"[]"}
        written(out, signed_again(changed, the.key))
        assert fault(out, the.key.name) == ""
        assert told in fault(out, the.key.name, anchors=(the.anchor,))
    lines = the.anchor.read_text().splitlines()
    sparse = tmp_path / "sparse.txt"  # a mailbox has one of a day
    sparse.write_text(lines[0] + "\n")
    assert "NOT IN IT: 2, for which the key alone stands" in "\n".join(verify_pack.verify(pack, (the.key.name,), (sparse,)))
    assert "NOT IN IT" not in "\n".join(verify_pack.verify(pack, (the.key.name,), (the.anchor,)))


def test_a_name_cannot_write_another_verdict_over_the_one_that_is_told(made: tuple[Room, Path], tmp_path: Path) -> None:
    _the, pack = made
    name = "x\r\x1b[2KWHOLE: nothing wrong was found\nx"
    out = written(tmp_path / "named.zip", {**contents(pack), name: b"x"})
    asked = [sys.executable, str(Path(verify_pack.__file__)), str(out)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (1, "", 1)
    assert done.stdout.startswith("BROKEN: x??[2KWHOLE") and "\x1b" not in done.stdout


def test_a_key_that_nobody_gave_and_a_pack_of_another_house_are_not_taken(made: tuple[Room, Path], tmp_path: Path) -> None:
    _the, pack = made
    other = make_key(tmp_path / "other.key")
    assert "neither given nor follows a given one" in fault(pack, other.name)
    assert f"{INCIDENT}" in "\n".join(verify_pack.verify(pack))
