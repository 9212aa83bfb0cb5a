"""What a backup holds, what the next one copies, what is taken away, and what it says of a store that is not whole."""

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from callserver.backup import contents
from callserver.backup.making import Wishes, alone, make
from callserver.backup.manifest import DATABASE, BackupUnusable, made_in, read, signed_text
from callserver.backup.objects import Objects
from callserver.backup.pruning import prune
from callserver.backup.restoring import NotWhole, restore
from callserver.config import Config, load
from callserver.core.facts import AlarmRaised
from callserver.store.commit import commit
from callserver.store.engine import open_store, read_only
from callserver.store.evidence.keys import fits, make_key, read_key
from callserver.store.journal import Entry, JournalWriter, verify
from callserver.store.ops import append_op
from callserver.store.upgrade import StoreVersionError
from tests.backup.saved import UTC_NS, Back, content
from tests.store.sealed import Sealed
from tests.store.unguarded import Store


def test_a_backup_names_everything_and_no_key(back: Back, sealed: Sealed) -> None:
    made = back()
    names = {item.path for item in made.manifest.files}
    there = {path.relative_to(sealed.home).as_posix() for path in sealed.home.rglob("*") if path.is_file()}
    apart = {"checkpoint.key", "other.key", "digest.key", "captures/i/i99.1/.1.1.cap.gz", "recordings/.call.flac.part"}
    assert names == there - apart - {"callserver.db-wal", "callserver.db-shm"}
    assert (made.faults, made.manifest.files[0].path) == ((), "callserver.db")


def test_its_manifest_is_signed_under_a_text_of_its_own(back: Back, sealed: Sealed) -> None:
    key, signed = read_key(sealed.home / "checkpoint.key"), read(back().path)
    assert signed.key == key.name
    assert fits(key.public, signed.signature, signed_text(signed.digest, key.name))
    assert signed_text("d", "k") == b"callserver-backup-1 d k"


def test_without_a_key_that_the_journal_knows_it_is_not_signed(back: Back, sealed: Sealed) -> None:
    (sealed.home / "checkpoint.key").unlink()
    assert read(back().path).key == ""


def test_the_key_is_in_it_only_when_wished_for(back: Back, sealed: Sealed) -> None:
    made = back(with_key=True)
    assert "checkpoint.key" in {item.path for item in made.manifest.files}
    (sealed.home / "checkpoint.key").unlink()
    with pytest.raises(BackupUnusable, match=r"the key .* cannot be read"):
        back(1, with_key=True)
    assert len(made_in(made.path.parent)) == 1


def test_keys_are_not_in_it_whatever_they_are_called_and_wherever_they_lie(sealed: Sealed, tmp_path: Path) -> None:
    names = ("keys/signing.pem", "keys/signing.pem.next", "keys/deep/site.hex", "site.txt", "site.txt.next")
    for name in names:
        (sealed.home / name).parent.mkdir(parents=True, exist_ok=True)
        (sealed.home / name).write_text("ab" * 32)
    (sealed.home / "keys" / "notes.txt").write_text("no key")
    keys = {"evidence.key": sealed.home / names[0], "storage.site_key_file": sealed.home / names[2]}
    storage = {"storage.data": sealed.home, "storage.run": tmp_path / "run", "storage.spool": tmp_path / "spool"}
    (tmp_path / "empty.toml").touch()
    held = []
    for site in names[2:4]:
        config = load(tmp_path / "empty.toml", {**storage, **keys, "storage.site_key_file": sealed.home / site})
        items = make(config, tmp_path / f"backups-{len(held)}", UTC_NS).manifest.files
        held.append({item.path for item in items if item.path in (*names, "keys/notes.txt")})
    assert held == [{"keys/notes.txt", "site.txt", "site.txt.next"}, {"keys/notes.txt", "keys/deep/site.hex"}]


def test_the_next_one_copies_only_what_is_new(back: Back, sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what is known is even read."""
    first = back()
    (sealed.recordings / "i5.1").mkdir()
    (sealed.recordings / "i5.1" / "call.flac").write_bytes(b"new sound" * 100)
    opened: list[str] = []
    stored = contents._stored
    monkeypatch.setattr(contents, "_stored", lambda path, name, *rest: opened.append(name) or stored(path, name, *rest))
    second = back(1)
    assert opened == ["recordings/i5.1/call.flac"]
    assert (second.new_bytes, first.manifest.files[0]) == (900, second.manifest.files[0])


def test_a_database_shares_its_pieces_with_the_one_before(back: Back, config: Config, root: Path) -> None:
    with closing(sqlite3.connect(config.storage.data / DATABASE, isolation_level=None)) as db:
        db.execute("CREATE TABLE room (filler BLOB)")
        for _ in range(6):
            db.execute("INSERT INTO room VALUES (randomblob(1000000))")
        first = back()
        db.execute("INSERT INTO room VALUES (randomblob(1000))")
    second = back(1)
    assert 0 < second.new_bytes <= 3 << 20 < first.new_bytes
    assert len(set(second.manifest.files[0].objects) - set(first.manifest.files[0].objects)) <= 3


def test_it_is_of_one_moment_while_the_service_writes(config: Config, root: Path, tmp_path: Path) -> None:
    """Rows come all the while: what was put back is a beginning of the journal, and whole."""
    writer = JournalWriter(config.storage.data, patience_s=30.0)
    writer.start()
    done = threading.Event()

    def write() -> None:
        number = 1_000
        while not done.is_set():
            number += 1
            writer.append([Entry(f"live-{number}", AlarmRaised("key", f"text {number}"), number, 10**18 + number, 1)]).result()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = [make(config, root, UTC_NS + n * 10**9, Wishes()) for n in range(3)]
    finally:
        done.set()
        thread.join()
        writer.close()
    assert made[0].manifest.rows < made[1].manifest.rows < made[2].manifest.rows
    for n, one in enumerate(made):
        restored = restore(one.path, tmp_path / f"new{n}")
        assert restored.faults == ()
        engine = read_only(config.storage.data)
        with engine.connect() as connection:
            query = f"SELECT hash FROM journal WHERE number = {one.manifest.rows}"
            assert connection.exec_driver_sql(query).scalar_one().hex() == one.manifest.hash
        engine.dispose()


def test_a_capture_that_is_compressed_meanwhile_is_there_in_one_form(
    back: Back, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = sealed.captures / "i" / "i99.1" / "1.1.cap"
    looked = contents.copy

    def compressed(data, paths, *rest):  # type: ignore[no-untyped-def]
        if plain.exists():
            plain.rename(plain.with_name("1.1.cap.gz"))  # between the listing and the reading
        return looked(data, paths, *rest)

    monkeypatch.setattr(contents, "copy", compressed)
    names = {item.path for item in back().manifest.files}
    assert {name for name in names if "i99.1" in name} == {"captures/i/i99.1/1.1.cap.gz"}


def test_what_is_deleted_by_right_after_the_snapshot_is_still_in_it(
    back: Back, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its journal does not know of the deletion yet."""
    from callserver.backup import snapshot

    taken = snapshot.snapshot

    def then_deleted(*args):  # type: ignore[no-untyped-def]
        taken(*args)
        (sealed.recordings / "i1.1" / "call.flac").unlink()

    monkeypatch.setattr(snapshot, "snapshot", then_deleted)
    made = back()
    assert made.faults == ()
    assert "recordings/i1.1/call.flac" in {item.path for item in made.manifest.files}


def test_a_store_that_is_not_whole_is_copied_and_told(back: Back, sealed: Sealed) -> None:
    (sealed.recordings / "i1.1" / "call.flac").unlink()
    (sealed.recordings / "i2.1" / "call.flac").write_bytes(b"another")
    (sealed.captures / "i" / "i3.1" / "1.1.cap.gz").unlink()
    with Store(sealed) as store:
        store.do("UPDATE journal SET kind = 'AlarmCleared' WHERE number = 7")
    told = "\n".join(back().faults)
    for part in (
        "row 7",
        "recordings/i1.1/call.flac is not there",
        "i2.1/call.flac was altered",
        "captures/i/i3.1/1.1.cap is not",
    ):
        assert part in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_file_that_cannot_be_read_keeps_no_other_from_it(back: Back, sealed: Sealed) -> None:
    (sealed.home / "space.json").chmod(0)
    made = back()
    assert [fault for fault in made.faults if "space.json cannot be read" in fault]
    assert "plans/aa.json" in {item.path for item in made.manifest.files}


def test_a_store_of_a_newer_version_and_backups_of_one_are_refused(back: Back, sealed: Sealed, root: Path) -> None:
    first = back()
    newer = root / "29990101T000000Z.backup"
    newer.write_bytes(first.path.read_bytes().replace(b"callserver-backup-1", b"callserver-backup-2", 1))
    with pytest.raises(BackupUnusable, match=r"newer version \(format 2\)"):
        back(1)
    newer.unlink()
    with Store(sealed) as store:
        store.do("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreVersionError, match=r"newer version \(revision 9999\)"):
        back(1)
    assert made_in(root) == [first.path]


def test_a_store_of_an_older_version_can_be_saved_before_the_upgrade(back: Back, sealed: Sealed, tmp_path: Path) -> None:
    with Store(sealed) as store:
        store.do("UPDATE alembic_version SET version_num = '0001'")
    assert restore(back().path, tmp_path / "new").manifest.revision == "0001"


def test_facts_that_wait_outside_of_the_database_are_told(back: Back, config: Config) -> None:
    config.storage.spool.mkdir()
    (config.storage.spool / "journal.spool").write_bytes(b"a fact")
    (fault,) = back().faults
    assert "facts wait in" in fault


def test_a_key_that_follows_a_lost_one_is_trusted_on_its_own_machine(back: Back, sealed: Sealed, tmp_path: Path) -> None:
    (sealed.home / "checkpoint.key").unlink()
    key = make_key(sealed.home / "checkpoint.key")
    engine = open_store(sealed.home)
    last = commit(engine, [append_op("new-key", key.first(), 1, 10**18, 1)]).last
    with engine.connect() as connection:
        hash = connection.exec_driver_sql("SELECT hash FROM journal_head").scalar_one()
    commit(engine, [append_op("checkpoint:7", key.checkpoint(7, last, hash.hex(), 10**18), 1, 10**18, 1)])
    engine.dispose()
    made = back()
    assert (made.faults, made.key) == ((), key.name)
    with pytest.raises(NotWhole, match="came without the consent of the key before it"):
        restore(made.path, tmp_path / "new")
    assert restore(made.path, tmp_path / "new", keys=(sealed.key, key.name)).faults == ()


def test_backups_inside_of_the_data_are_no_part_of_it_and_a_link_to_another_disk_is(
    config: Config, sealed: Sealed, tmp_path: Path
) -> None:
    (sealed.home / "captures").rename(tmp_path / "captures")
    (sealed.home / "captures").symlink_to(tmp_path / "captures")
    inside = sealed.home / "safe" / "backups"
    for n in range(2):
        made = make(config, inside, UTC_NS + n * 10**9)
    names = {item.path for item in made.manifest.files}
    assert made.faults == ()
    assert "captures/i/i1.1/1.1.cap.gz" in names
    assert not [name for name in names if name.startswith("safe")]


def test_two_at_once_are_refused(back: Back, root: Path) -> None:
    with alone(root), pytest.raises(BackupUnusable, match="another backup is being made"):
        back()


def test_names_sort_by_their_order_also_after_the_clock_was_set_back(back: Back, root: Path) -> None:
    made = [back(seconds).path for seconds in (0, 0, 5, -3600, 10)]
    assert made_in(root) == made


def test_pruning_keeps_the_newest_and_all_that_they_name(back: Back, sealed: Sealed, root: Path, tmp_path: Path) -> None:
    back()
    (sealed.home / "space.json").write_text("another")
    kept = [back(1).path, back(2).path]
    before = content(root / "objects")
    gone, freed = prune(root, 2)
    assert (len(gone), made_in(root)) == (1, kept)
    lost = before.keys() - content(root / "objects").keys()
    assert [before[name] for name in lost] == [b"content of space.json"]
    assert freed == len(b"content of space.json")
    for n, path in enumerate(kept):
        assert restore(path, tmp_path / f"new{n}").faults == ()
    assert prune(root, 2) == ((), 0)


def test_pruning_takes_nothing_when_one_that_stays_cannot_be_read(back: Back, root: Path) -> None:
    first, second = back().path, back(1).path
    second.write_bytes(second.read_bytes()[:-20])
    before = content(root)
    with pytest.raises(BackupUnusable, match="is damaged"):
        prune(root, 1)
    assert content(root) == before
    assert first.exists()


def test_a_damaged_object_is_mended_when_all_is_read(back: Back, sealed: Sealed, root: Path, tmp_path: Path) -> None:
    item = next(one for one in back().manifest.files if one.path == "recordings/i1.1/call.flac")
    path = Objects(root).path(item.sha256)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert Objects(root).fault(item.sha256)
    back(1, read_all=True)
    assert Objects(root).fault(item.sha256) == ""


def test_a_disk_that_loses_what_is_written_is_noticed(back: Back, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Objects.put

    def lossy(self, stream, limit=None):  # type: ignore[no-untyped-def]
        name, size = put(self, stream, limit)
        if size > 100:
            self.path(name).write_bytes(b"?" * size)
        return name, size

    monkeypatch.setattr(Objects, "put", lossy)
    with pytest.raises(BackupUnusable, match="is damaged"):
        back()
    assert made_in(root) == []
    assert back(1, verify=False).path.exists()


def test_the_copy_is_a_journal_like_the_original(back: Back, sealed: Sealed, tmp_path: Path) -> None:
    restore(back().path, tmp_path / "new")
    reports = []
    for folder in (sealed.home, tmp_path / "new"):
        engine = read_only(folder)
        reports.append(verify(engine))
        engine.dispose()
    assert reports[0] == reports[1]
