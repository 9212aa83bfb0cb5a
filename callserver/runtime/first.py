"""What is done before anything runs: directories made, the configuration handed over, the store's tables brought to this
version, the seed file's accounts put in.

`serve` does it once. A switchboard that is started again only looks whether the tables are current, because importing the
migrations costs it a third of a second in which nobody decides.
"""

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from callserver.config import Config, dump_json, environment
from callserver.core.facts import AccountChanged
from callserver.runtime import untold
from callserver.runtime.configuration_read import read_now, remember
from callserver.store.engine import open_store

HANDED_OVER = "config.json"
BY_SEED = "seed"  # who changed an account, in the journal
REVISION = "0005"  # of the newest migration; a test holds it


def hand_over(config: Config, file: Path | None) -> Path:
    """Make the directories (0700) and write the configuration that the processes read; its path. Raises OSError.

    That it is another one than the last time, if so, is kept to be journalled. `file` is where it was read.
    """
    for directory in (config.storage.data, config.storage.run, config.storage.spool):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = config.storage.run / HANDED_OVER
    aside = path.with_suffix(".new")
    aside.write_text(dump_json(config), encoding="utf-8")
    aside.replace(path)
    read = read_now(config, file)
    if read is not None:
        untold.keep(config.storage.data, read)
        remember(config, read)
    return path


def prepare_store(config: Config) -> None:
    """Migrate and seed. Raises StoreVersionError for a store of a newer version, SeedError for a bad seed file."""
    from callserver.store.seed import seed  # heavy, and only here

    engine = open_store(Path(config.storage.data))
    migrate(engine)
    if config.directory.seed is not None:
        changes = seed(engine, Path(config.directory.seed), config.sip.domain, environment())
        facts = [AccountChanged(change.id, f"{change.kind} account {change.what}", BY_SEED) for change in changes]
        untold.keep(config.storage.data, *facts)
    engine.dispose()


def migrate(engine: Engine) -> None:
    """Bring the tables to this version, unless they are."""
    if _revision(engine) != REVISION:
        from callserver.store.upgrade import upgrade

        upgrade(engine)


def _revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError:
        return None  # no such table: a new store
