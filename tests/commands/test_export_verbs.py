"""`callserver pack`, `redact` and `disclosures`, as they are typed."""

import csv
import hashlib
import io
import json
import os
import pwd
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from callserver import cli
from callserver.commands import noting
from callserver.commands.noting import person
from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.runtime.desk_work import packs_of
from callserver.sealed import is_sealed
from callserver.store.evidence import verify_pack
from callserver.store.register import id_of, read_desk
from tests.runtime.test_desk_work import Bench
from tests.store.pack_room import CALL, INCIDENT

WHY = ("--reason", "the police ask")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def test_a_pack_is_written_journalled_and_whole(bench: Bench, tmp_path: Path) -> None:
    done = run("pack", CALL, *WHY, "--out", "p.zip", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["incident"], told["size"]) == (INCIDENT, (tmp_path / "p.zip").stat().st_size)
    verify_pack.verify(tmp_path / "p.zip", (bench.room.key.name,))
    with bench.room.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT kind, id FROM journal ORDER BY number DESC LIMIT 1").all()
    assert rows == [("PackMade", f"desk:pack:{told['pack']}")]


def test_without_a_reason_an_incident_or_a_journal_there_is_no_pack(bench: Bench, tmp_path: Path) -> None:
    assert run("pack", INCIDENT).exit_code == 2
    assert run("pack", INCIDENT, "--reason", "  ").exit_code == 2
    assert run("pack", "nothing", *WHY).exit_code == 1
    bench.switchboard.away = True
    away = run("pack", INCIDENT, *WHY)
    assert (away.exit_code, "nothing leaves the record that the journal does not have" in away.output) == (1, True)
    assert list(tmp_path.glob("*.zip*")) == list(tmp_path.glob(".*.zip*")) == []


def test_with_four_eyes_a_pack_is_asked_for_approved_by_another_and_then_taken(bench: Bench, tmp_path: Path) -> None:
    four_eyes = ("--set", "evidence.four_eyes=true")
    asked = run("pack", INCIDENT, *WHY, *four_eyes)
    assert (asked.exit_code, "approves it within a day" in asked.output) == (1, True)
    (name,) = read_desk(bench.room.engine).exports
    bench.now_ns = read_desk(bench.room.engine).exports[name].asked_utc_ns
    bench.round()
    early = run("pack", "--export", name, *four_eyes, "--out", "p.zip")
    assert (early.exit_code, f"pack {name} is waiting" in early.output, (tmp_path / "p.zip").exists()) == (1, True, False)
    approved = f.ExportApproved(name, IncidentId(INCIDENT), "paul")
    bench.room.append(approved, id=id_of(approved))
    bench.round()
    assert run("pack", "--export", name, *four_eyes, "--out", "p.zip").exit_code == 0
    assert "by command line (" in verify_pack.verify(tmp_path / "p.zip")[0]
    assert read_desk(bench.room.engine).exports[name].fetched == 1


def approved_pack(bench: Bench, asked_by: str) -> str:
    """Its name: it was asked for, approved by paul, and is made."""
    asked = f.ExportAsked("e1", IncidentId(INCIDENT), "pack", asked_by, "why", four_eyes=True)
    for fact in (asked, f.ExportApproved("e1", IncidentId(INCIDENT), "paul")):
        bench.room.append(fact, id=id_of(fact))
    bench.now_ns = read_desk(bench.room.engine).exports["e1"].asked_utc_ns
    bench.round()
    return "e1"


def test_a_third_person_takes_no_pack_by_the_command_line(bench: Bench, tmp_path: Path) -> None:
    name = approved_pack(bench, "olive")
    taken = run("pack", "--export", name, "--out", "p.zip")
    assert (taken.exit_code, "is olive's" in taken.output, (tmp_path / "p.zip").exists()) == (1, True, False)


def test_a_pack_that_was_altered_where_it_waited_is_not_taken_for_what_was_made(bench: Bench, tmp_path: Path) -> None:
    name = approved_pack(bench, person())
    (waiting,) = packs_of(bench.room.config).glob("*.zip")
    waiting.write_bytes(waiting.read_bytes() + b"more")
    taken = run("pack", "--export", name, "--out", "p.zip")
    assert (taken.exit_code, "is not what the journal says" in taken.output, (tmp_path / "p.zip").exists()) == (1, True, False)
    assert read_desk(bench.room.engine).exports[name].fetched == 0


def test_nobody_types_under_another_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither by the environment nor behind sudo: who signed in to the machine is kept by the kernel."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.setattr(noting, "_SIGNED_IN", tmp_path / "loginuid")
    assert person() == f"command line ({pwd.getpwuid(os.getuid()).pw_name})"
    (tmp_path / "loginuid").write_text("4294967295")
    assert person() == f"command line ({pwd.getpwuid(os.getuid()).pw_name})"
    (tmp_path / "loginuid").write_text("1")
    assert person() == f"command line ({pwd.getpwuid(1).pw_name})"


def test_a_redaction_is_written_and_journalled(bench: Bench) -> None:
    done = run("redact", CALL, *WHY, "--span", "1.0-2.5", "--span", "5-6", "--party", "point", "--with", "silence", "--json")
    assert done.exit_code == 0, done.output
    (made,) = read_desk(bench.room.engine).redactions.values()
    assert (made.spans, made.party, made.cover, dict(made.files)) == (
        ((1000, 2500), (5000, 6000)),
        "point",
        "silence",
        json.loads(done.stdout)["files"],
    )


def test_a_redaction_that_lies_encrypted_is_copied_in_the_clear_for_whoever_takes_it_away(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "site.key").write_text(bytes(range(32)).hex())
    sealed = ("--set", "storage.encrypt_recordings=true", "--set", "storage.site_key_file='site.key'")
    done = run("redact", CALL, *WHY, *sealed, "--out", "taken")
    assert done.exit_code == 0, done.output
    (made,) = read_desk(bench.room.engine).redactions.values()
    for name, total in made.files.items():
        assert is_sealed(bench.room.config.storage.recordings / name)
        assert hashlib.sha256((tmp_path / "taken" / Path(name).name).read_bytes()).hexdigest() == total
    assert done.stdout.split() == [str(Path("taken") / Path(name).name) for name in made.files]


def test_a_redaction_that_makes_no_sense_or_cannot_be_journalled_leaves_nothing(bench: Bench) -> None:
    assert run("redact", CALL, *WHY, "--span", "abc").exit_code == 2
    assert run("redact", CALL, *WHY, "--span", "5-4").exit_code == 2
    assert run("redact", CALL, *WHY, "--party", "nobody").exit_code == 1
    assert run("redact", "nothing.1", *WHY).exit_code == 1
    bench.switchboard.away = True
    assert run("redact", CALL, *WHY).exit_code == 1
    assert list((bench.room.config.storage.recordings / CALL).glob("*redacted*")) == []


def test_the_register_is_kept_and_written_as_csv(bench: Bench) -> None:
    entry = ("--what", "the pack", "--recipient", "the police, a desk", "--basis", "section 12")
    assert run("disclosures", "add", INCIDENT, *entry, "--digest", "d" * 64).exit_code == 0
    assert run("disclosures", "add", "nothing", *entry).exit_code == 1
    head, line = csv.reader(io.StringIO(run("disclosures", "list", "--csv").stdout))
    assert dict(zip(head, line, strict=True))["recipient"] == "the police, a desk"
    (told,) = json.loads(run("disclosures", "list", "--json").stdout)
    assert (told["digest"], told["legal_basis"]) == ("d" * 64, "section 12")


def test_a_request_is_entered_is_late_and_is_answered(bench: Bench) -> None:
    asked = run("disclosures", "ask", "--subject", "Jane Doe", "--received", "2026-01-31")
    assert (asked.exit_code, "is due 2026-02-28T23:59:59.000Z" in asked.stdout) == (0, True)
    (name,) = read_desk(bench.room.engine).access
    bench.now_ns = read_desk(bench.room.engine).access[name].asked.due_utc_ns
    assert run("disclosures", "requests").exit_code == 1  # late
    assert run("disclosures", "answer", name, "--how", "perhaps").exit_code == 2
    assert run("disclosures", "answer", name, "--how", "given").exit_code == 0
    assert run("disclosures", "answer", name, "--how", "given").exit_code == 1
    assert run("disclosures", "requests").exit_code == 0


def test_the_verifier_of_packs_is_written_as_it_is_shipped(tmp_path: Path) -> None:
    out = tmp_path / "verify_pack.py"
    assert run("pack", "--write-verifier", str(out)).exit_code == 0
    assert out.read_bytes() == Path(verify_pack.__file__).read_bytes()
    assert run("pack", "--write-verifier", str(out)).exit_code == 2
