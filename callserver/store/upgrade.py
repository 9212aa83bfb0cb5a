"""Bringing a store to this version's tables, and refusing one that a newer version wrote."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from callserver.store.engine import writing


class StoreVersionError(ValueError):
    """The store's tables are not those of this version."""


def upgrade(engine: Engine) -> None:
    """Make or upgrade the tables, in one transaction. StoreVersionError when a newer version wrote the store."""
    with writing(engine) as connection:
        scripts = ScriptDirectory.from_config(_config())
        _refuse_newer(connection, scripts)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current(engine: Engine) -> None:
    """StoreVersionError unless the tables are exactly this version's. For processes that only read."""
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(_config())
        _refuse_newer(connection, scripts)
        found = _revision(connection)
    head = scripts.get_current_head()
    if found != head:
        raise StoreVersionError(f"the store has version {found or 'none'}, this program needs {head}: start the service once")


def refuse_newer(engine: Engine) -> None:
    """StoreVersionError when a newer version wrote the store; an older one's is good to look at, and to copy."""
    with engine.connect() as connection:
        _refuse_newer(connection, ScriptDirectory.from_config(_config()))


def refuse_revision(found: str) -> None:
    """StoreVersionError for tables that only a newer version knows, such as those of a backup that it made."""
    _refuse(found, ScriptDirectory.from_config(_config()))


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    _refuse(_revision(connection), scripts)


def _refuse(found: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise StoreVersionError(f"the store was written by a newer version (revision {found}); this one knows {sorted(known)}")


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "callserver.store:migrations")
    return config
