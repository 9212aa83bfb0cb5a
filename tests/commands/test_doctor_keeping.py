"""What `doctor` says of backups, the site's key, the disks to come and retention: what is wrong, and what to do next."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from callserver import cli, control
from callserver.archive.forecast import Sample
from callserver.archive.sealing import Sealing
from callserver.commands import keeping
from callserver.commands.findings import Finding
from callserver.commands.output import overrides
from callserver.config import Config, load
from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.sealed import SiteKey
from tests.runtime.retention_world import DAY_NS, World

GIB = 1 << 30
KEY, OTHER = bytes(range(32)), bytes(32)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A store of ten days ago, with a recording."""
    made = World(tmp_path, {})
    (tmp_path / "callserver.toml").write_text(
        '[storage]\ndata = "data"\nrun = "run"\nspool = "spool"\nsite_key_file = "site.key"\n'
    )
    monkeypatch.setattr(control, "ask_sync", lambda _path, verb, args, *_: made._ask(verb, args))
    monkeypatch.chdir(tmp_path)
    made.now_ns = time.time_ns() - 10 * DAY_NS
    made.incident("i1")
    made.config.storage.spool.mkdir()
    yield made
    made.close()


def config(*settings: str) -> Config:
    """As the command reads it."""
    return load(Path("callserver.toml"), overrides(settings))


def levels(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    """Level and words; what is not good says what to do."""
    found = list(findings)
    assert [one for one in found if (one.level == "good") == bool(one.what_to_do)] == []
    return [(one.level, one.what) for one in found]


def test_a_journal_without_a_backup_or_with_an_old_or_unverified_one_is_told(world: World, tmp_path: Path) -> None:
    quiet = ("warning", "no alarm rings when no backup is made")
    assert levels(keeping.backups(config())) == [("fault", "there is none of this journal, which is 10 days old"), quiet]
    path = tmp_path / "x.backup"
    path.touch()
    world.now_ns = time.time_ns() - 3 * DAY_NS
    world.append(f.BackupMade(str(path), 5, 2, 7, "d", verified=True))
    hours = "backup.alarm_after_hours"
    assert levels(keeping.backups(config(f"{hours}=24"))) == [("fault", f"the last one is 3 days old: {path}")]
    assert levels(keeping.backups(config(f"{hours}=100"))) == [("good", f"3 days old, of 5 rows: {path}")]
    world.append(f.BackupMade(str(tmp_path / "unmounted"), 6, 2, 7, "e"))
    assert levels(keeping.backups(config(f"{hours}=100")))[1:] == [
        ("warning", "the last one was not verified when it was made"),
        ("warning", f"the last one cannot be seen from here: {tmp_path / 'unmounted'}"),
    ]


def test_a_backup_that_was_just_made_is_good_and_one_without_verification_is_not(world: World, tmp_path: Path) -> None:
    world.now_ns = time.time_ns()
    for words, level in (((), "good"), (("--no-verify",), "warning")):
        done = CliRunner().invoke(cli.app, ["backup", str(tmp_path / "backups"), *words])
        assert done.exit_code == 0, done.output
        assert levels(keeping.backups(config("backup.alarm_after_hours=24")))[-1][0] == level
    assert [fact["verified"] for fact in world.facts("BackupMade")] == [True, False]


def test_a_site_key_that_is_missing_open_to_others_or_of_another_time_is_told(world: World, tmp_path: Path) -> None:
    wanted, key = "storage.encrypt_recordings=true", tmp_path / "site.key"
    assert levels(keeping.site_key(config())) == [("good", "recordings are not encrypted here")]
    (missing,) = levels(keeping.site_key(config(wanted)))
    assert missing == ("fault", f"recordings are to be encrypted, and there is no key: {key} cannot be read")
    key.write_text(KEY.hex())
    key.chmod(0o600)
    assert levels(keeping.site_key(config(wanted))) == [("good", "it is there; nothing is encrypted yet")]
    sound = world.config.storage.recordings / "i1.1" / "call.flac"
    Sealing(lambda: (SiteKey(KEY),)).seal(sound)
    assert levels(keeping.site_key(config())) == [("good", "it opens the newest recordings (1 files)")]
    key.chmod(0o640)
    assert levels(keeping.site_key(config()))[0] == ("fault", f"{key} can be read by others")
    key.chmod(0o600)
    key.write_text(OTHER.hex())
    other = "1 of the newest 1 encrypted files are under another key, or its copy is missing"
    assert levels(keeping.site_key(config())) == [("fault", other)]
    key.write_text("no key")
    assert levels(keeping.site_key(config()))[0][0] == "fault"
    key.unlink()
    assert levels(keeping.site_key(config())) == [("fault", other)]


def test_check_tells_of_a_missing_site_key_before_the_service_starts(world: World) -> None:
    wanted = ("check", "--config", "callserver.toml", "--set", "storage.encrypt_recordings=true", "--no-proof", "--json")
    fault = "recordings are to be encrypted, and there is no key"
    done = CliRunner().invoke(cli.app, list(wanted))
    assert (done.exit_code, any(one.startswith(fault) for one in json.loads(done.stdout)["faults"])) == (1, True)
    Path("site.key").write_text(KEY.hex())
    assert fault not in CliRunner().invoke(cli.app, list(wanted)).output


def test_a_site_key_among_what_is_saved_and_a_change_that_broke_off_are_told(world: World, tmp_path: Path) -> None:
    inside = tmp_path / "data" / "secret"
    inside.write_text(KEY.hex())
    inside.chmod(0o600)
    among = levels(keeping.site_key(config(f"storage.site_key_file={inside}")))
    assert ("fault", f"{inside} goes into backups, beside what it opens") in among
    (tmp_path / "site.key.next").write_text(OTHER.hex())
    assert ("warning", "a change of the site's key was broken off") in levels(keeping.site_key(config()))


def test_a_disk_that_will_be_full_is_told_with_the_time(world: World) -> None:
    assert levels(keeping.forecast(config()))[0][1].startswith("not known yet")
    now_s = int(time.time())
    for grown, level in ((0, "good"), (500_000 * GIB, "warning")):
        samples = [Sample(now_s - 7200, 0), Sample(now_s, grown)]
        names = ("data", "captures", "recordings", "spool")
        (world.config.storage.data / "space.json").write_bytes(msgspec.json.encode(dict.fromkeys(names, samples)))
        ((found, what),) = levels(keeping.forecast(config("storage.alarm_percent=1")))
        assert (found, "data" in what and "spool" in what) == (level, True)
        assert ("does not fill" in what, "will be full in about 0 hours" in what) == (level == "good", level == "warning")


def test_days_without_end_a_short_register_and_a_late_review_are_told(world: World) -> None:
    (usual,) = levels(keeping.retention(config()))
    assert usual[0] == "good" and "recordings are kept 31 days, texts 366 days, the register 2192 days" in usual[1]
    for_ever = levels(keeping.retention(config("retention.days=0")))
    assert for_ever[0][0] == "warning" and "recordings are kept for ever" in for_ever[0][1]
    short = levels(keeping.retention(config("retention.register_days=31")))
    assert short[1] == ("warning", "the register of what left the record goes before what it is about")
    world.note(f.HoldPlaced("h1", IncidentId("i1"), "sue", time.time_ns() - 1, "asked"))
    assert levels(keeping.retention(config()))[1] == ("warning", "the hold on incident i1 was to be reviewed")


def test_doctor_tells_of_all_of_it_in_words_and_as_json(world: World) -> None:
    done = CliRunner().invoke(cli.app, ["doctor", "--json"])
    found = json.loads(done.stdout)["findings"]
    assert {"backup", "site-key", "forecast", "retention", "anchors"} <= {one["check"] for one in found}
    assert "FAULT   backup: there is none of this journal, which is 10 days old" in CliRunner().invoke(cli.app, ["doctor"]).stdout
