"""Evidence packs: a stranger verifies one on a clean machine, whatever is changed is found, and nothing of others is in it."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from audio.tracks import read_sound
from callserver.core import facts as f
from callserver.core.ids import IncidentId, PointId
from callserver.store.evidence import verify_pack
from callserver.store.evidence.keys import SigningKey, make_key
from callserver.store.evidence.statement import line_of
from tests.store.pack_room import CALL, INCIDENT, PLAN, POINT, WANTED, Room, room

NEEDED = ("cryptography", "cffi", "_cffi_backend*", "pycparser")
RUN = """
import runpy, sys
sys.path.append(sys.argv[1])
del sys.argv[1]
try:
    import callserver
except ImportError:
    runpy.run_path("verify_pack.py", run_name="__main__")
"""


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Room]:
    the = room(tmp_path)
    yield the
    the.engine.dispose()


def contents(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as zip:
        return {name: zip.read(name) for name in zip.namelist()}


def written(out: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(out, "w") as zip:
        for name, octets in files.items():
            zip.writestr(name, octets)
    return out


def signed_again(files: dict[str, bytes], key: SigningKey) -> dict[str, bytes]:
    """With a manifest that fits what the files are now, and a signature of this key."""
    manifest = json.loads(files["manifest.json"])
    manifest["files"] = {name: hashlib.sha256(files[name]).hexdigest() for name in files if not name.startswith("manifest.")}
    octets = json.dumps(manifest).encode()
    line = key.pack(hashlib.sha256(octets).hexdigest(), WANTED.made_utc_ns)
    return {**files, "manifest.json": octets, "manifest.sig": line.encode()}


def fault(pack: Path, *keys: str, anchors: tuple[Path, ...] = ()) -> str:
    try:
        verify_pack.verify(pack, keys, anchors)
    except verify_pack.Broken as broken:
        return str(broken)
    return ""


def journal_changed(
    the: Room, pack: Path, out: Path, change: Callable[[dict[str, Any]], None], key: SigningKey | None = None
) -> str:
    """The fault of a pack whose journal was changed by somebody who can sign packs."""
    files = contents(pack)
    journal = json.loads(files["journal.json"])
    change(journal)
    files["journal.json"] = json.dumps(journal, ensure_ascii=False).encode()
    return fault(written(out, signed_again(files, key or the.key)), the.key.name)


def test_a_stranger_verifies_a_pack_with_nothing_but_the_zip(made: tuple[Room, Path], tmp_path: Path) -> None:
    """An isolated interpreter in an empty directory: no site, no service, `cryptography` alone from a path of its own."""
    the, pack = made
    libraries, home = tmp_path / "libraries", tmp_path / "elsewhere"
    libraries.mkdir()
    home.mkdir()
    (installed,) = {Path(path) for path in sys.path if (Path(path) / "cryptography").is_dir()}
    for pattern in NEEDED:
        for path in installed.glob(pattern):
            (libraries / path.name).symlink_to(path)
    (home / "pack.zip").write_bytes(pack.read_bytes())
    with zipfile.ZipFile(home / "pack.zip") as zip:
        zip.extract("verify_pack.py", home)
    asked = [sys.executable, "-I", "-S", "-c", RUN, str(libraries), "pack.zip", "--key", the.key.name]
    done = subprocess.run(asked, cwd=home, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "journal: 8 rows of the incident, 2 checkpoints over them" in done.stdout
    assert done.stdout.endswith("WHOLE: nothing wrong was found\n")
    octets = bytearray((home / "pack.zip").read_bytes())
    octets[octets.index(b"fLaC") + 100] ^= 1
    (home / "pack.zip").write_bytes(octets)
    broken = subprocess.run(asked, cwd=home, env={}, capture_output=True, text=True, check=False)
    assert (broken.returncode, "BROKEN: " in broken.stdout) == (1, True)


def test_unpacked_it_verifies_as_well(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    with zipfile.ZipFile(pack) as zip:
        zip.extractall(tmp_path / "unpacked")
    assert fault(tmp_path / "unpacked", the.key.name, anchors=(the.anchor,)) == ""


def test_the_same_content_gives_the_same_bytes(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    assert the.pack(tmp_path / "again.zip").read_bytes() == pack.read_bytes()


def test_a_changed_byte_in_any_file_is_found_and_the_file_named(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    files = contents(pack)
    assert len(files) == 9
    for name, octets in files.items():
        for place in (0, len(octets) // 2, len(octets) - 2):
            changed = bytes([*octets[:place], octets[place] ^ 1, *octets[place + 1 :]])
            told = fault(written(tmp_path / "changed.zip", {**files, name: changed}), the.key.name)
            assert told, (name, place)
            assert name in told or name.startswith("manifest."), told


def test_a_byte_flipped_anywhere_in_the_zip_is_found_or_changes_nothing_that_is_in_it(
    made: tuple[Room, Path], tmp_path: Path
) -> None:
    """A zip has times and sizes of its own beside what it holds; PackMade has the SHA-256 of all of it."""
    the, pack = made
    whole, files, found = pack.read_bytes(), contents(pack), 0
    for seed in range(400):
        place = Random(seed).randrange(len(whole))
        out = tmp_path / "flipped.zip"
        out.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << seed % 8)]) + whole[place + 1 :])
        if fault(out, the.key.name):
            found += 1
        else:
            assert contents(out) == files, place
            assert hashlib.sha256(whole).hexdigest() not in "".join(verify_pack.verify(out))
    assert found > 300


def test_a_file_dropped_added_or_swapped_is_found(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    files = contents(pack)
    for name in files:
        left = {one: octets for one, octets in files.items() if one != name}
        assert name in fault(written(tmp_path / "dropped.zip", left), the.key.name)
    assert "extra.txt is not in the manifest" in fault(written(tmp_path / "added.zip", {**files, "extra.txt": b"x"}))
    one, other = [name for name in files if name.endswith((".1.flac", ".2.flac"))]
    swapped = {**files, one: files[other], other: files[one]}
    assert "was altered" in fault(written(tmp_path / "swapped.zip", swapped))


def test_who_can_sign_packs_cannot_change_the_rows_of_the_journal(made: tuple[Room, Path], tmp_path: Path) -> None:
    """The checkpoints are over them: each way of changing rows is found although manifest and signature fit."""
    the, pack = made

    def rows(journal: dict[str, Any]) -> list[Any]:
        found: list[Any] = journal["stretches"][0]["rows"]
        return found

    def edited(journal: dict[str, Any]) -> None:
        rows(journal)[0][8] = rows(journal)[0][8].replace('"priority":0', '"priority":3')

    def moved(journal: dict[str, Any]) -> None:
        rows(journal)[1][4] += 1

    def dropped(journal: dict[str, Any]) -> None:
        del rows(journal)[2]

    def hidden(journal: dict[str, Any]) -> None:
        row = rows(journal)[1]
        row[8] = {"sha256": hashlib.sha256(row[8].encode()).hexdigest()}

    def unsigned(journal: dict[str, Any]) -> None:
        journal["stretches"][0]["checkpoint"] = None

    def another(journal: dict[str, Any]) -> None:
        journal["stretches"][0]["checkpoint"] = journal["stretches"][1]["checkpoint"]

    assert journal_changed(the, pack, tmp_path / "same.zip", lambda journal: None) == ""
    for change, told in (
        (edited, "one of them was altered"),
        (moved, "one of them was altered"),
        (dropped, "a row is missing before it"),
        (hidden, "its body is left out"),
        (unsigned, "no checkpoint covers them"),
        (another, "it is not over the row before it"),
    ):
        assert told in journal_changed(the, pack, tmp_path / "changed.zip", change), change.__name__


def chained_anew(stretch: dict[str, Any], sequence: int, key: SigningKey) -> None:
    """One row says something else; those after it are chained to that, and the key signs the end."""
    stretch["rows"][0][4] += 1
    hash = bytes.fromhex(stretch["before"])
    for number, *columns, body in stretch["rows"]:
        sum = hashlib.sha256(body.encode()).digest() if isinstance(body, str) else bytes.fromhex(body["sha256"])
        frame = b"callserver-journal-1" + b"".join(map(verify_pack.framed, (hash, number, *columns, sum)))
        hash = hashlib.sha256(frame).digest()
    stretch["hash"] = hash.hex()
    stretch["checkpoint"] = line_of(key.checkpoint(sequence, stretch["rows"][-1][0], hash.hex(), 1))


def test_rows_chained_anew_need_the_key_of_the_checkpoint(made: tuple[Room, Path], tmp_path: Path) -> None:
    """A forger makes the stretch anew and signs it with a key of their own, which does not follow the one that was given."""
    the, pack = made
    forger = make_key(tmp_path / "forger.key")

    def forged(journal: dict[str, Any]) -> None:
        journal["keys"] = [{"key": forger.name, "public": forger.public, "previous": "", "consent": ""}]
        for sequence, stretch in enumerate(journal["stretches"], 2):
            chained_anew(stretch, sequence, forger)

    out = tmp_path / "forged.zip"
    assert "neither given nor follows a given one" in journal_changed(the, pack, out, forged, forger)
    assert fault(out) == ""  # so the fingerprint must come from elsewhere
    assert "is another there" in fault(out, anchors=(the.anchor,))  # or an anchor


def test_a_text_edited_or_put_in_is_found_and_an_erased_one_breaks_nothing(own: Room, tmp_path: Path) -> None:
    files = contents(own.pack(tmp_path / "pack.zip"))
    texts = json.loads(files["texts.json"])
    (note,) = texts
    assert note["text"] == "<b>a man with a dog</b>"
    for wrong in ([{**note, "text": "a man with a gun"}], [{**note, "field": "outcome"}], [note, note]):
        changed = signed_again({**files, "texts.json": json.dumps(wrong).encode()}, own.key)
        assert "texts.json" in fault(written(tmp_path / "changed.zip", changed), own.key.name)
    own.append(f.TextsErased(IncidentId(INCIDENT), (note["row"],), "request", "sue", "she asked for it"))
    again = own.pack(tmp_path / "erased.zip")
    assert "texts: 2, 1 of them erased" in verify_pack.verify(again, (own.key.name,))
    assert b"a man with a dog" not in b"".join(contents(again).values())


def test_sound_that_the_journal_does_not_tell_of_is_found(made: tuple[Room, Path], tmp_path: Path) -> None:
    the, pack = made
    files = contents(pack)
    name = f"sound/{CALL}/call.flac"
    changed = signed_again({**files, name: files[name] + b"more"}, the.key)
    assert f"{name}: the journal does not tell of it" in fault(written(tmp_path / "changed.zip", changed), the.key.name)


def test_nothing_of_other_incidents_is_in_it_but_that_something_was(made: tuple[Room, Path]) -> None:
    _the, pack = made
    files = contents(pack)
    assert b"a secret" not in b"".join(files.values())
    journal = json.loads(files["journal.json"])
    rows = [row for stretch in journal["stretches"] for row in stretch["rows"]]
    others = [row for row in rows if row[6] != INCIDENT]
    assert {tuple(row[8]) for row in others} == {("sha256",)}
    assert (
        len(others) == 7
    )  # between the incident's rows and the checkpoints after them, not the thirty between its two stretches


def test_a_redacted_pack_has_the_redacted_sound_alone(own: Room, tmp_path: Path) -> None:
    redaction = own.redact(((1000, 2000),), "point", "tone")
    own.sign()
    files = contents(own.pack(tmp_path / "pack.zip", replace(WANTED, redacted=True)))
    sound = {
        name.removeprefix("sound/"): hashlib.sha256(octets).hexdigest() for name, octets in files.items() if "sound/" in name
    }
    assert sound == redaction.files
    assert fault(tmp_path / "pack.zip", own.key.name) == ""
    told = json.loads(files["manifest.json"])["sound"][0]
    assert (told["kind"], next(iter(told["files"]))) == ("redacted", f"sound/{CALL}/redacted-r1-call.flac")


def test_a_second_redaction_opens_nothing_that_the_first_one_covered(own: Room, tmp_path: Path) -> None:
    first, second = own.redact(((1000, 1500),), "point", "silence"), own.redact(((5000, 5500),), "point", "silence", "r2")
    both = own.redact(((1000, 1500), (5000, 5500)), "point", "silence", "r3", alone=True)
    assert (first.earlier, second.earlier, both.earlier) == ((), ("r1",), ())
    root = own.config.storage.recordings
    sides = [read_sound(root / CALL / f"redacted-{name}-call.flac")[0] for name in ("r1", "r2", "r3")]
    assert not np.array_equal(sides[0], sides[1])
    assert np.array_equal(sides[1], sides[2])


def test_redactions_that_do_not_know_of_each_other_give_a_redacted_pack_no_sound(own: Room, tmp_path: Path) -> None:
    first = own.redact(((0, 500),), "point", "tone")
    aside = replace(first, redaction="r0", spans=((1000, 1500),))  # made at the same moment by another hand, or long ago
    own.desk(aside)
    files = contents(own.pack(tmp_path / "pack.zip", replace(WANTED, redacted=True)))
    told = json.loads(files["manifest.json"])["sound"][0]
    assert (told["kind"], told["why"].startswith("its newest redaction leaves open")) == ("none", True)
    assert own.redact(((2000, 2500),), "point", "tone", "r2").earlier == ("r1", "r0")
    again = contents(own.pack(tmp_path / "again.zip", replace(WANTED, redacted=True)))
    assert any(name.endswith("redacted-r2-call.flac") for name in again)


def test_a_call_that_was_not_redacted_has_no_sound_in_a_redacted_pack(own: Room, tmp_path: Path) -> None:
    files = contents(own.pack(tmp_path / "pack.zip", replace(WANTED, redacted=True)))
    (told,) = json.loads(files["manifest.json"])["sound"]
    assert (told["kind"], told["why"]) == ("none", "it was not redacted, and this pack has redacted sound alone")
    assert not any(name.startswith("sound/") for name in files)
    assert fault(tmp_path / "pack.zip", own.key.name) == ""


def test_rows_that_no_checkpoint_covers_yet_are_told_of(own: Room, tmp_path: Path) -> None:
    own.append(f.OutcomeRecorded(IncidentId(INCIDENT), "other", "anna", "late"))
    told = verify_pack.verify(own.pack(tmp_path / "pack.zip"), (own.key.name,))
    assert "note: the last 1 rows have no checkpoint yet; the pack's own signature alone is over them" in told


def test_a_key_that_followed_with_consent_is_trusted(own: Room, tmp_path: Path) -> None:
    data = own.config.storage.data
    first, successor = own.key, make_key(data / "other.key")
    own.append(first.successor(successor), id=f"checkpoint-key:{successor.name}")
    (data / "other.key").replace(data / "checkpoint.key")
    own.key = successor
    own.append(f.OutcomeRecorded(IncidentId(INCIDENT), "other", "anna", "late"))
    own.sign()
    assert fault(own.pack(tmp_path / "pack.zip"), first.name) == ""


def test_the_page_tells_all_of_it_and_loads_nothing_from_elsewhere(made: tuple[Room, Path]) -> None:
    _the, pack = made
    page = contents(pack)["index.html"].decode()
    assert "&lt;b&gt;a man with a dog&lt;/b&gt;" in page and "<b>a man" not in page
    player = f'<audio id="sound-260301-120000-aaaaaa-1" aria-label="Call {CALL}" controls preload="metadata"'
    assert f'{player} src="sound/{CALL}/call.flac">' in page
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert loaded and all(one.startswith("sound/") for one in loaded)
    assert "olive" in page and "the police ask for it" in page and "verify_pack.py" in page
    assert page.count("<tr><td><span") == 8
    assert "<dt>Call opened</dt><dd>A call of an incident exists" in page and "core." not in page
    assert 'data-at="3.000" aria-label="Listen from 0:03"' in page  # the operator answered 3 s after the recording began


def test_no_pack_is_made_of_sound_that_is_not_what_the_journal_says(own: Room, tmp_path: Path) -> None:
    path = own.config.storage.recordings / CALL / "call.flac"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="is not what the journal says"):
        own.pack(tmp_path / "pack.zip")
    assert list(tmp_path.glob("*pack.zip*")) == []


def test_no_pack_is_made_that_would_fill_the_disk(own: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be the journal's disk."""
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=(1 << 30) + 10_000))
    with pytest.raises(ValueError, match="too little room on the disk"):
        own.pack(tmp_path / "pack.zip")
    assert list(tmp_path.glob("*pack.zip*")) == []


def test_camera_times_are_those_of_the_recording_in_both_times(made: tuple[Room, Path]) -> None:
    _the, pack = made
    (camera,) = json.loads(contents(pack)["manifest.json"])["cameras"]
    assert (camera["camera"], camera["call"]) == ("porth-gwyn", CALL)
    assert (camera["from_utc"], camera["to_utc"]) == ("2026-03-01T12:00:15.000Z", "2026-03-01T12:00:25.000Z")
    assert camera["from_local"] == "2026-03-01T12:00:15.000+00:00"


def test_what_opens_a_camera_does_not_leave_the_house(own: Room, tmp_path: Path) -> None:
    camera = replace(next(iter(PLAN.cameras.values())), url="https://guard:hunter2@cameras.example:8443/pier?token=t0ps3cret#x")
    own.append(f.PlanAdopted(2, "e" * 64, replace(PLAN, cameras={**PLAN.cameras, camera.id: camera}), "start"))
    own.append(f.IncidentOpened(IncidentId("other"), PointId(POINT), next(iter(PLAN.queues)), 0, 2))
    octets = contents(own.pack(tmp_path / "pack.zip", replace(WANTED, incident="other")))
    told = [one["url"] for one in json.loads(octets["manifest.json"])["cameras"] if one["camera"] == camera.id]
    assert told == ["https://cameras.example:8443/pier"]
    assert not [name for name, content in octets.items() if b"hunter2" in content or b"t0ps3cret" in content]


def test_a_busy_day_costs_kilobytes(own: Room, tmp_path: Path) -> None:
    """Forty thousand rows a day, signed every ten minutes: what proves an incident is 280 rows of others, not the day."""
    for _ten_minutes in range(3):
        own.others(280)
        own.append(f.OutcomeRecorded(IncidentId(INCIDENT), "other", "anna", "later"))
        own.others(280)
        own.sign()
    with zipfile.ZipFile(own.pack(tmp_path / "pack.zip")) as zip:
        info = zip.getinfo("journal.json")
    print(f"proof of three stretches of 280 rows: {info.compress_size} bytes in the zip, {info.file_size} unpacked")
    assert info.compress_size < 100_000
