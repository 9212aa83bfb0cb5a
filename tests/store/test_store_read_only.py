"""A store on a disk that has become read-only: it is opened all the same, and what cannot be written waits."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from callserver.store.engine import open_store
from callserver.store.journal import Appended, Kept, verify, wait
from tests.eventually import eventually_sync
from tests.loopback.disks import immutable
from tests.store.test_store_writer import Entries, NewWriter, Told, ids, named


def test_a_writer_that_begins_on_a_read_only_store_knows_all_and_writes_it_later(
    store: Engine, new_writer: NewWriter, entries: Entries, tmp_path: Path
) -> None:
    """As a switchboard that is replaced while the disk is read-only: what was written can be read, what comes waits in order."""
    first = new_writer()
    first.start()
    assert wait(first.append(entries(1, 3)), 5)
    told = Told()
    with immutable(tmp_path / "callserver.db", tmp_path / "callserver.db-wal"):
        writer = new_writer(spool=tmp_path / "spool", **told.options())
        writer.start()
        assert [row.id for row in writer.facts()] == named(1, 3)
        assert wait(writer.append(entries(4, 2)), 5) == Appended(Kept.SPOOL)
        assert [row.id for row in writer.facts()] == named(1, 5)
        assert told.trouble and not told.recovered
    eventually_sync(lambda: told.recovered == 1, 5)
    assert ids(store) == named(1, 5)
    assert verify(store).ok


def test_no_store_where_none_can_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(OSError):
        open_store(tmp_path / "data")
