"""A backup is put back whole or not at all, never over anything, and is a store that the service goes on with."""

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from callserver.backup.making import make
from callserver.backup.manifest import DATABASE, BackupUnusable, Item, Manifest, read, written
from callserver.backup.objects import Objects
from callserver.backup.restoring import NotWhole, Restored, restore
from callserver.core.facts import AlarmRaised
from callserver.core.fold import fold
from callserver.core.ids import IncidentId
from callserver.core.state import State
from callserver.store.engine import read_only
from callserver.store.evidence import verify_journal
from callserver.store.evidence.keys import make_key
from callserver.store.journal import Entry, JournalWriter, verify
from callserver.store.journal import read as rows_of
from callserver.store.upgrade import StoreVersionError
from tests.backup.saved import UTC_NS, Back, content
from tests.store.sealed import Sealed
from tests.web.desk import INCIDENT, config_in, fill

Tamper = Callable[[Path, Manifest], None]


def test_all_of_it_is_there_again_byte_for_byte(back: Back, sealed: Sealed, tmp_path: Path) -> None:
    made = back(with_key=True)
    restored = restore(made.path, tmp_path / "new")
    before, after = content(sealed.home), content(tmp_path / "new")
    assert restored.faults == ()
    assert after.keys() == {item.path for item in made.manifest.files}
    assert {name: octets for name, octets in after.items() if name != "callserver.db"} == {
        name: before[name] for name in after if name != "callserver.db"
    }
    assert rows(sealed.home / "callserver.db") == rows(tmp_path / "new" / "callserver.db")


def rows(database: Path) -> list[list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return [db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names if name != "alembic_version"]


def test_only_its_owner_can_read_it(back: Back, tmp_path: Path) -> None:
    restore(back(with_key=True).path, tmp_path / "new")
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_times_of_files_stay(back: Back, sealed: Sealed, tmp_path: Path) -> None:
    os.utime(sealed.home / "space.json", ns=(5, 1_000_000_007))
    restore(back().path, tmp_path / "new")
    assert (tmp_path / "new" / "space.json").stat().st_mtime_ns == 1_000_000_007


def test_both_verifiers_find_it_good_and_the_old_anchor_too_until_then(back: Back, sealed: Sealed, tmp_path: Path) -> None:
    new = tmp_path / "new"
    restored = restore(back().path, new)
    assert (restored.checkpoints, restored.signed_by != "") == (6, True)
    assert Sealed(new, sealed.key).ours() == ""
    program = Path(verify_journal.__file__)
    words = [new / "callserver.db", "--recordings", new / "recordings", "--captures", new / "captures", "--key", sealed.key]
    done = subprocess.run([sys.executable, "-I", program, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_newest_of_a_directory_is_taken(back: Back, sealed: Sealed, root: Path, tmp_path: Path) -> None:
    back()
    (sealed.home / "space.json").write_text("another")
    second = back(1)
    assert restore(root, tmp_path / "new").backup == second.path
    assert (tmp_path / "new" / "space.json").read_text() == "another"
    with pytest.raises(BackupUnusable, match="there is no backup in it"):
        restore(tmp_path / "new", tmp_path / "newer")


def test_nothing_is_overwritten(back: Back, tmp_path: Path) -> None:
    path = back().path
    new = tmp_path / "new"
    new.mkdir()
    restore(path, new)  # an empty directory, as a disk that was just mounted
    before = content(new)
    with pytest.raises(BackupUnusable, match="nothing is ever overwritten"):
        restore(path, new)
    assert content(new) == before


def of(manifest: Manifest, name: str) -> str:
    """The object of a file."""
    return next(item.sha256 for item in manifest.files if item.path == name)


def flipped(path: Path) -> None:
    """One bit of it."""
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def recording_flipped(root: Path, manifest: Manifest) -> None:
    """A bit of a recording."""
    flipped(Objects(root).path(of(manifest, "recordings/i1.1/call.flac")))


def capture_gone(root: Path, manifest: Manifest) -> None:
    """An object taken away."""
    Objects(root).path(of(manifest, "captures/i/i2.1/1.1.cap.gz")).unlink()


def database_flipped(root: Path, manifest: Manifest) -> None:
    """A bit of the database."""
    flipped(Objects(root).path(manifest.files[0].objects[0]))


def exchanged(root: Path, manifest: Manifest) -> None:
    """A manifest, made to fit, that has another recording in a recording's place; without the key nobody can sign it."""
    other = of(manifest, "recordings/i2.1/call.flac")
    files = [
        type(item)(item.path, item.size, other, item.mtime_ns) if item.path == "recordings/i1.1/call.flac" else item
        for item in manifest.files
    ]
    forged(root, manifest, files=tuple(files))


def shortened(root: Path, manifest: Manifest) -> None:
    """A manifest that leaves a recording out."""
    forged(root, manifest, files=tuple(item for item in manifest.files if item.path != "recordings/i1.1/call.flac"))


def other_head(root: Path, manifest: Manifest) -> None:
    """A manifest that tells of more rows than the database has."""
    forged(root, manifest, rows=manifest.rows + 1)


def forgers_key(root: Path, manifest: Manifest) -> None:
    """The same, signed by a key that the journal does not know."""
    key = make_key(root / "forger.key")
    (root / f"{manifest.name}.backup").write_bytes(written(manifest, key.name, key.private.sign))


def false_signature(root: Path, manifest: Manifest) -> None:
    """The name of the right key under the signature of another."""
    key = make_key(root / "forger.key")
    right = read(root / f"{manifest.name}.backup").key
    (root / f"{manifest.name}.backup").write_bytes(written(manifest, right, key.private.sign))


def forged(root: Path, manifest: Manifest, **changes: object) -> None:
    """A manifest with other content, unsigned."""
    fields = {name: getattr(manifest, name) for name in manifest.__struct_fields__} | changes
    (root / f"{manifest.name}.backup").write_bytes(written(Manifest(**fields), "", None))


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (recording_flipped, "recordings/i1.1/call.flac: object"),
        (capture_gone, "captures/i/i2.1/1.1.cap.gz: object"),
        (database_flipped, "callserver.db: object"),
        (exchanged, "recording of call i1.1: i1.1/call.flac was altered"),
        (shortened, "i1.1/call.flac is not there"),
        (other_head, "the database ends with row"),
        (forgers_key, "which its own journal does not know"),
        (false_signature, "the backup's signature is false"),
    ],
)
def test_what_is_damaged_is_found_named_and_not_put_back(
    back: Back, root: Path, tmp_path: Path, tamper: Tamper, told: str
) -> None:
    made = back()
    tamper(root, made.manifest)
    with pytest.raises(NotWhole) as refused:
        restore(made.path, tmp_path / "new")
    assert told in str(refused.value)
    assert [path.name for path in tmp_path.iterdir() if "new" in path.name] == []


def test_what_there_is_can_be_had_all_the_same(back: Back, root: Path, tmp_path: Path) -> None:
    made = back()
    recording_flipped(root, made.manifest)
    restored: Restored = restore(made.path, tmp_path / "new", despite_faults=True)
    assert [fault for fault in restored.faults if "i1.1/call.flac" in fault]
    engine = read_only(tmp_path / "new")
    assert verify(engine).ok
    engine.dispose()


def test_a_damaged_manifest_and_one_of_a_newer_version_are_refused(back: Back, tmp_path: Path) -> None:
    path = back().path
    good = path.read_bytes()
    for octets, told in (
        (good[:-10], "is damaged"),
        (b"", "is no backup"),
        (good.replace(b"backup-1 ", b"backup-7 ", 1), r"newer version \(format 7\)"),
    ):
        path.write_bytes(octets)
        with pytest.raises(BackupUnusable, match=told):
            restore(path, tmp_path / "new")


def test_a_backup_of_a_newer_store_is_refused_before_anything_is_copied(back: Back, root: Path, tmp_path: Path) -> None:
    made = back()
    forged(root, made.manifest, revision="9999")
    with pytest.raises(StoreVersionError, match=r"newer version \(revision 9999\)"):
        restore(made.path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../outside", "/outside", "a/../../outside"])
def test_no_backup_writes_outside_of_its_directory(back: Back, root: Path, tmp_path: Path, name: str) -> None:
    made = back()
    item = made.manifest.files[-1]
    forged(root, made.manifest, files=(*made.manifest.files, type(item)(name, item.size, item.sha256)))
    with pytest.raises(BackupUnusable, match="lies outside"):
        restore(made.path, tmp_path / "new")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("name", ["callserver.db-wal", "./callserver.db-journal"])
def test_no_log_heals_a_database_while_it_is_examined(back: Back, root: Path, tmp_path: Path, name: str) -> None:
    """The log would be read with the database, and be gone from what is put back."""
    made = back()
    work = tmp_path / "work"
    restore(made.path, work)
    with closing(sqlite3.connect(work / "callserver.db", isolation_level=None)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        row, text = db.execute("SELECT number, value FROM journal_erasable WHERE value IS NOT NULL").fetchone()
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE journal_erasable SET value = 'forged' WHERE number = ?", (row,))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("UPDATE journal_erasable SET value = ? WHERE number = ?", (text, row))
        parts = [(DATABASE, work / "callserver.db"), (name, work / "callserver.db-wal")]
        items = [Item(path, *reversed(Objects(root).put(io.BytesIO(file.read_bytes())))) for path, file in parts]
    forged(root, made.manifest, files=(items[0], *made.manifest.files[1:], items[1]))
    with pytest.raises(BackupUnusable, match="the database in one has no log"):
        restore(made.path, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_key_that_is_not_the_journal_s_is_told(back: Back, tmp_path: Path) -> None:
    with pytest.raises(NotWhole, match="which is not given and follows no given one"):
        restore(back().path, tmp_path / "new", keys=("0" * 64,))


def test_who_names_a_key_gets_no_backup_that_nobody_signed(back: Back, sealed: Sealed, root: Path, tmp_path: Path) -> None:
    """The journal in it is whole and signed; an account beside it is the thief's."""
    made = back()
    assert restore(made.path, tmp_path / "good", keys=(sealed.key,)).faults == ()
    with closing(sqlite3.connect(tmp_path / "good" / "callserver.db", isolation_level=None)) as db:
        db.execute("INSERT INTO web_accounts VALUES ('thief', 'supervisor', 'a hash')")
    sum, size = Objects(root).put(io.BytesIO((tmp_path / "good" / "callserver.db").read_bytes()))
    forged(root, made.manifest, files=(Item(DATABASE, size, sum), *made.manifest.files[1:]))
    with pytest.raises(NotWhole, match="the backup is not signed"):
        restore(made.path, tmp_path / "new", keys=(sealed.key,))
    assert restore(made.path, tmp_path / "trusting").signed_by == ""


def test_an_incident_that_was_open_is_open_and_the_service_s_writer_goes_on(tmp_path: Path) -> None:
    """The state that is folded from it is that of the original, and new rows follow the last one."""
    config = config_in(tmp_path)
    fill(config)
    made = make(config, tmp_path / "backups", UTC_NS)
    restored = restore(made.path, tmp_path / "new", despite_faults=True)  # the story's sound is made up, and so are its hashes
    state = folded(tmp_path / "new")
    assert (state, state.incidents[IncidentId(INCIDENT)].state) == (folded(config.storage.data), "wrap-up")
    writer = JournalWriter(tmp_path / "new", patience_s=30.0)
    writer.start()
    writer.append([Entry("after", AlarmRaised("key", "after"), 1, 10**18, 1)]).result()
    writer.close()
    engine = read_only(tmp_path / "new")
    report = verify(engine)
    engine.dispose()
    assert (report.ok, report.rows) == (True, restored.manifest.rows + 1)


def folded(data: Path) -> State:
    """What the core knows after a start."""
    engine = read_only(data)
    state = fold((row.fact, row.instant) for row in rows_of(engine))
    engine.dispose()
    return state


def test_the_manifest_can_be_read_by_anybody(back: Back) -> None:
    """JSON behind one line."""
    told = json.loads(back().path.read_bytes().split(b"\n")[1])
    assert {"format", "name", "rows", "hash", "files"} <= told.keys()
