"""Opening the store: one SQLite file in WAL mode, durable at every commit, readable by its owner alone.

`open_store` is for the process that writes (and for `callserver users`); everybody else takes `read_only`.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

FILE_NAME = "callserver.db"
_BUSY_TIMEOUT_MS = 5_000
_WRITER_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # an erased text shall not stay in a free page
)


def store_path(data_dir: Path) -> Path:
    """Where the store lies in a data directory."""
    return data_dir / FILE_NAME


def open_store(data_dir: Path, busy_timeout_ms: int = _BUSY_TIMEOUT_MS) -> Engine:
    """An engine that may write. Makes the directory (0700) and the file (0600) when they are missing; makes no tables.

    Raises OSError when there is no store and none can be made. One that is there on a disk that has become read-only is
    opened all the same: it can be read, and each attempt to write tells.
    """
    path = store_path(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)  # SQLite gives the WAL and the index file the same mode
    except OSError:
        if not path.exists():
            raise
    engine = create_engine(f"sqlite:///{path}")
    _prepare(engine, busy_timeout_ms, _WRITER_PRAGMAS)
    return engine


def read_only(data_dir: Path, busy_timeout_ms: int = _BUSY_TIMEOUT_MS) -> Engine:
    """An engine that cannot write, for the web process, the archivist and reports."""
    engine = create_engine(f"sqlite:///file:{store_path(data_dir)}?mode=ro&uri=true")
    _prepare(engine, busy_timeout_ms, ("PRAGMA query_only=ON",))
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that takes the write lock at its beginning, so that it cannot fail half-way for want of it."""
    with engine.execution_options(immediate=True).begin() as connection:
        yield connection


def _prepare(engine: Engine, busy_timeout_ms: int, pragmas: tuple[str, ...]) -> None:
    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves; the driver would skip it before DDL and SELECT
        for pragma in (f"PRAGMA busy_timeout={busy_timeout_ms}", *pragmas):
            connection.execute(pragma)

    def begins(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begins)
