"""Migrations make what schema.py says, and a newer store is refused."""

import hashlib
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from callserver.core.facts import AlarmRaised, OutcomeRecorded
from callserver.core.ids import IncidentId
from callserver.store.commit import commit
from callserver.store.engine import open_store, read_only, writing
from callserver.store.journal import verify
from callserver.store.ops import append_op
from callserver.store.schema import GUARDS, metadata
from callserver.store.upgrade import StoreVersionError, _config, require_current, upgrade


def test_migrations_and_schema_agree(store: Engine) -> None:
    with store.connect() as connection:
        migration = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(migration, metadata) == []
        triggers = set(connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars())
    assert set(GUARDS) == triggers


def test_upgrading_again_changes_nothing(store: Engine, tmp_path: Path) -> None:
    upgrade(store)
    engine = read_only(tmp_path)
    require_current(engine)
    engine.dispose()


def test_an_older_store_gets_the_new_guards_and_keeps_its_rows(tmp_path: Path) -> None:
    engine = open_store(tmp_path)
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    commit(engine, [append_op(f"f{n}", AlarmRaised("key", f"text {n}"), n, n, 1) for n in range(5)])
    before = verify(engine)
    upgrade(engine)
    with engine.connect() as connection:
        triggers = set(connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars())
    assert set(GUARDS) == triggers
    assert (verify(engine), before.rows) == (before, 5)
    engine.dispose()


REVISIONS = [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


@pytest.mark.parametrize("start", sorted(REVISIONS))
def test_no_migration_rewrites_the_journal(start: str, tmp_path: Path) -> None:
    """Its rows, the texts beside them and its head are the same bytes before and after, from every version on."""
    engine = open_store(tmp_path)
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, start)
        connection.execute(text("UPDATE journal_head SET projected = -1"))  # the lists of that version are not this one's
    facts = [OutcomeRecorded(IncidentId(f"i{n}"), "helped", "anna", f"note {n}") for n in range(20)]
    commit(engine, [append_op(f"f{n}", fact, n, n, 1) for n, fact in enumerate(facts)])
    before = journal_bytes(engine)
    upgrade(engine)
    assert journal_bytes(engine) == before
    assert verify(engine).rows == 20
    engine.dispose()


def journal_bytes(engine: Engine) -> list[str]:
    """SHA-256 of each table of the journal; `projected` is no part of what is shown."""
    found = []
    for table, columns in (("journal", "*"), ("journal_erasable", "*"), ("journal_head", "one, number, hash")):
        with engine.connect() as connection:
            rows = connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1, 2")).all()
        assert rows
        found.append(hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest())
    return found


def test_a_store_of_a_newer_version_is_refused_clearly(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (upgrade, require_current):
        with pytest.raises(StoreVersionError, match=r"newer version \(revision 9999\)"):
            use(store)


def test_a_store_without_tables_is_not_current(tmp_path: Path) -> None:
    engine = open_store(tmp_path)
    with pytest.raises(StoreVersionError, match="has version none"):
        require_current(engine)
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_store(tmp_path)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE recordings (x INTEGER)"))  # in the way of the last table
    with pytest.raises(Exception, match="recordings already exists"):
        upgrade(engine)
    assert inspect(engine).get_table_names() == ["recordings"]
    engine.dispose()
