"""The archivist at the auditor's desk: what was asked for is made once, in the right order, also after a crash; dates ring."""

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audio.disk import Disk
from callserver.control import Unavailable, Verb
from callserver.core import facts as f
from callserver.core.desk import DAY_NS
from callserver.core.ids import CallId, IncidentId
from callserver.runtime import desk_work
from callserver.runtime.desk_work import DeskWork, packs_of
from callserver.store.evidence import verify_pack
from callserver.store.register import id_of, read_desk
from tests.store.pack_room import CALL, INCIDENT, SECOND, START_NS, Room, room

HOUR_NS = 3600 * SECOND
NOW_NS = START_NS + HOUR_NS
I = IncidentId(INCIDENT)  # noqa: E741


class Switchboard:
    """Journals what it is told into the room's store; away, it answers nothing."""

    def __init__(self, the: Room) -> None:
        self.room, self.away, self.alarms = the, False, dict[str, str]()

    def ask(self, path: Path, verb: str, args: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        if self.away:
            raise Unavailable("away")
        if verb == Verb.NOTE_FACT:
            self.room.append(msgspec.convert(args["body"], f.KINDS[args["kind"]]), id=args["id"])
        elif verb == Verb.RAISE_ALARM:
            self.alarms[args["key"]] = args["text"]
            self.room.append(f.AlarmRaised(args["key"], args["text"]))
        else:
            self.alarms.pop(args["key"])
            self.room.append(f.AlarmCleared(args["key"], "gone"))
        return {}


class Bench:
    """A room, its switchboard, and an archivist whose time of day is set."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = room(home)
        self.room.config.storage.run.mkdir()
        self.switchboard = Switchboard(self.room)
        self.now_ns = NOW_NS
        monkeypatch.setattr(desk_work, "ask_sync", self.switchboard.ask)
        monkeypatch.setattr("callserver.runtime.desk_work.time.time_ns", lambda: self.now_ns)
        self.works: list[DeskWork] = []

    def ask(self, what: str = "pack", four_eyes: bool = False, id: str = "e1", party: str = "point") -> None:
        of = "" if what == "pack" else CALL
        self.room.desk(f.ExportAsked(id, I, what, "olive", "why", of, False, ((1000, 2000),), party, "tone", four_eyes))

    def round(self) -> None:
        """Of an archivist that has just been started."""
        self.works.append(DeskWork(self.room.config))
        self.works[-1].go()

    def export(self, id: str = "e1") -> str:
        return read_desk(self.room.engine).exports[id].state(self.now_ns, self.room.config.evidence.four_eyes)

    def pack(self, id: str = "e1") -> Path:
        return packs_of(self.room.config) / f"{id}.zip"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(tmp_path, monkeypatch)
    yield made
    for work in made.works:
        work.engine.dispose()
    made.room.engine.dispose()


def test_a_pack_that_was_asked_for_is_made_and_its_digest_journalled(bench: Bench) -> None:
    bench.ask()
    bench.round()
    (made,) = [one for one in read_desk(bench.room.engine).exports.values() if one.digest]
    assert made.digest == hashlib.sha256(bench.pack().read_bytes()).hexdigest()
    assert verify_pack.verify(bench.pack(), (bench.room.key.name,))[0].startswith(f"pack e1 of incident {INCIDENT}")
    with zipfile.ZipFile(bench.pack()) as zip:
        manifest = json.loads(zip.read("manifest.json"))
    assert (manifest["pack"], manifest["by"], manifest["reason"]) == ("e1", "olive", "why")
    assert json.loads((bench.room.config.storage.run / "desk.json").read_text()) == {}
    rows = bench.room.rows
    bench.round()
    assert bench.room.rows == rows  # once


def test_nothing_is_made_before_a_second_person_agreed(bench: Bench) -> None:
    bench.ask(four_eyes=True)
    bench.room.desk(f.ExportApproved("e1", I, "olive"))
    bench.round()
    assert (bench.export(), bench.pack().exists()) == ("waiting", False)
    bench.room.append(f.ExportApproved("e1", I, "paul"), id=id_of(f.ExportApproved("e1", I, "paul"), "2"))
    bench.round()
    assert bench.export() == "ready"
    with zipfile.ZipFile(bench.pack()) as zip:
        assert json.loads(zip.read("manifest.json"))["approved_by"] == "paul"


def test_a_switchboard_that_is_away_costs_time_and_no_second_pack(bench: Bench) -> None:
    """The file is there and its fact is not: it is made again, and is the same."""
    bench.ask()
    bench.switchboard.away = True
    bench.round()
    first = bench.pack().read_bytes()
    assert bench.export() == "queued"
    bench.switchboard.away = False
    bench.round()
    assert (bench.export(), bench.pack().read_bytes()) == ("ready", first)


def test_a_redaction_that_was_asked_for_is_made_beside_the_original(bench: Bench) -> None:
    before = {path: path.read_bytes() for path in (bench.room.config.storage.recordings / CALL).iterdir()}
    bench.ask("redaction")
    bench.round()
    (made,) = read_desk(bench.room.engine).redactions.values()
    for name, sum in made.files.items():
        assert hashlib.sha256((bench.room.config.storage.recordings / name).read_bytes()).hexdigest() == sum
    assert {path: path.read_bytes() for path in before} == before
    assert (bench.export(), made.by, made.spans) == ("ready", "olive", ((1000, 2000),))


def test_what_cannot_be_made_is_told_once_and_keeps_nothing_else_from_being_made(bench: Bench) -> None:
    bench.ask("redaction", id="e0", party="nobody")
    bench.ask()
    bench.round()
    bench.round()
    assert (bench.export("e0"), bench.export()) == ("failed", "ready")
    assert "there is no party nobody" in read_desk(bench.room.engine).exports["e0"].failed


def test_a_key_that_is_gone_is_told(bench: Bench) -> None:
    (bench.room.config.storage.data / "checkpoint.key").unlink()
    bench.ask()
    bench.round()
    assert "checkpoint.key" in read_desk(bench.room.engine).exports["e1"].failed


def test_a_pack_is_taken_away_when_its_day_is_over_and_a_redaction_is_not(bench: Bench) -> None:
    bench.ask()
    bench.ask("redaction", id="e2")
    bench.round()
    bench.now_ns += DAY_NS
    bench.round()
    assert (bench.pack().exists(), bench.export(), bench.export("e2")) == (False, "expired", "ready")


DELETED = f.RecordingDeleted(CallId(CALL), (f"{CALL}/call.flac",), (), "request", "sue")
ERASED = f.TextsErased(I, (), "request", "sue")


@pytest.mark.parametrize("gone", [DELETED, ERASED], ids=["sound", "texts"])
def test_a_pack_goes_when_something_of_its_incident_is_deleted(bench: Bench, gone: f.Fact) -> None:
    bench.ask()
    bench.round()
    bench.room.append(f.TextsErased(IncidentId("another"), (), "request", "sue"))
    bench.round()
    assert (bench.pack().exists(), bench.export()) == (True, "ready")
    bench.room.append(gone)
    bench.round()
    assert (bench.pack().exists(), bench.export()) == (False, "failed")
    assert "ask for it anew" in read_desk(bench.room.engine).exports["e1"].failed


def test_what_was_asked_for_before_a_deletion_is_not_made_behind_it(bench: Bench) -> None:
    bench.ask()
    bench.ask("redaction", id="e2")
    bench.room.append(DELETED)
    bench.ask("redaction", id="e3")
    bench.ask(id="e4")
    bench.round()
    assert {id: bench.export(id) for id in ("e1", "e2", "e3", "e4")} == {
        "e1": "failed",
        "e2": "failed",
        "e3": "failed",
        "e4": "ready",
    }
    assert read_desk(bench.room.engine).exports["e3"].failed == "the recording was deleted"
    assert not list((bench.room.config.storage.recordings / CALL).glob("*redacted*"))


def test_what_a_crash_left_beside_packs_and_recordings_is_taken_away(bench: Bench) -> None:
    """A pack that nobody asks for any more, and a redaction whose maker died before the journal had it."""
    bench.ask("redaction")
    bench.round()
    part = packs_of(bench.room.config) / ".e9.zip.part"
    part.parent.mkdir()
    part.write_bytes(b"half")
    folder = bench.room.config.storage.recordings / CALL
    told = sorted(folder.iterdir())
    untold = [folder / "redacted-r9-call.flac", folder / f".redacted-r9-{CALL}.1.flac.part"]
    young = folder / "redacted-r8-call.flac"
    for path in (*untold, young):
        path.write_bytes(b"half")
    for path in told:
        os.utime(path, ns=(NOW_NS - 2 * HOUR_NS,) * 2)
    for path in untold:
        os.utime(path, ns=(NOW_NS - HOUR_NS - SECOND,) * 2)
    os.utime(young, ns=(NOW_NS - HOUR_NS + SECOND,) * 2)
    bench.round()
    assert sorted(folder.iterdir()) == sorted([*told, young])
    assert not part.exists()


def test_exports_that_the_disk_refuses_ring_until_they_are_made(bench: Bench) -> None:
    class Full(Disk):
        def raw(self, path: Path) -> FileIO:
            raise OSError(28, "No space left on device", str(path))

    bench.ask()
    bench.ask("redaction", id="e2")
    bench.works.append(DeskWork(bench.room.config, Full()))
    bench.works[-1].go()
    assert bench.switchboard.alarms == {"exports": "2 exports wait for the disk, the first is e1: No space left on device"}
    rows = bench.room.rows
    bench.works[-1].go()
    assert bench.room.rows == rows  # told once
    bench.round()
    assert (bench.switchboard.alarms, bench.export(), bench.export("e2")) == ({}, "ready", "ready")


def test_a_request_rings_before_it_is_due_and_after_and_stops_when_it_is_answered(bench: Bench) -> None:
    due_ns = NOW_NS + 8 * DAY_NS
    bench.room.append(f.AccessAsked("a1", 1, due_ns, "Jane Doe", "olive"), id="desk:access:a1")
    bench.round()
    assert bench.switchboard.alarms == {}
    bench.now_ns += DAY_NS
    bench.round()
    assert "access:a1" in bench.switchboard.alarms and "is due by" in bench.switchboard.alarms["access:a1"]
    assert "Jane" not in bench.switchboard.alarms["access:a1"]
    bench.now_ns = due_ns
    bench.round()
    assert "was due by" in bench.switchboard.alarms["access:a1"]
    bench.room.append(f.AccessAnswered("a1", "given", "", "olive"), id="desk:access-answered:a1")
    bench.round()
    assert bench.switchboard.alarms == {}
