"""What is done to the store before anything runs: its tables brought to this version, the seed file's accounts put in.

`serve` does both, once. A switchboard that is started again only looks whether the tables are current, because importing the
migrations costs it a third of a second in which nobody decides.
"""

from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from callserver.config import Config, environment
from callserver.store.engine import open_store

REVISION = "0001"  # of the newest migration; a test holds it


def prepare_store(config: Config) -> None:
    """Migrate and seed. Raises StoreVersionError for a store of a newer version, SeedError for a bad seed file."""
    from callserver.store.seed import seed  # heavy, and only here

    engine = open_store(Path(config.storage.data))
    migrate(engine)
    if config.directory.seed is not None:
        seed(engine, Path(config.directory.seed), config.sip.domain, environment())
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
