"""The store as the commands open it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from callserver.commands.output import FAULTS, MISUSE, fail

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from callserver.config import Config


@contextmanager
def reading(config: "Config") -> "Iterator[Engine]":
    """The store of a configuration, to read; leaves with words where there is none of this version."""
    with reading_in(config.storage.data) as engine:
        yield engine


@contextmanager
def reading_in(data_dir: Path) -> "Iterator[Engine]":
    """The store in a data directory, to read; leaves as `reading` does."""
    from sqlalchemy.exc import SQLAlchemyError

    from callserver.store.engine import read_only, store_path
    from callserver.store.upgrade import StoreVersionError, require_current

    path = store_path(data_dir)
    if not path.is_file():
        fail(f"{path}: there is no store; start the service once, or name its configuration with --config", MISUSE)
    engine = read_only(data_dir)
    try:
        require_current(engine)
        yield engine
    except StoreVersionError as error:
        fail(str(error))
    except SQLAlchemyError as error:
        fail(f"{path} cannot be read: {str(error).splitlines()[0]}", FAULTS)
    finally:
        engine.dispose()


@contextmanager
def changing(config: "Config") -> "Iterator[Engine]":
    """The store of a configuration, to change its directory; made where there is none."""
    from sqlalchemy.exc import SQLAlchemyError

    from callserver.store.engine import open_store
    from callserver.store.upgrade import StoreVersionError, upgrade

    try:
        engine = open_store(config.storage.data)
    except OSError as error:
        fail(f"{config.storage.data}: {error.strerror}")
    try:
        upgrade(engine)
        yield engine
    except StoreVersionError as error:
        fail(str(error))
    except SQLAlchemyError as error:
        fail(f"the store in {config.storage.data} cannot be changed: {str(error).splitlines()[0]}")
    finally:
        engine.dispose()
