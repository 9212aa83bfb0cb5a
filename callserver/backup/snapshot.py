"""A copy of the database as it is at one moment, taken while the service writes to it.

SQLite's backup API copies page by page under one read transaction. In WAL mode a reader keeps no writer waiting and sees nothing
of what is written meanwhile, so the copy is of the moment at which it began.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from audio.disk import DISK
from callserver.backup.manifest import BackupUnusable

PAGES_AT_ONCE = 512
SYNC_BYTES = 16 << 20


class Head(NamedTuple):
    """The journal's end in a copy, and the revision of its tables."""

    rows: int
    hash: str
    revision: str


def snapshot(database: Path, copy: Path, told: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Copy a database into a new file; `told(pages done, pages in all)`. Raises BackupUnusable."""
    try:
        source = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise BackupUnusable(f"{database} cannot be opened: {error}") from error
    target = sqlite3.connect(copy, isolation_level=None)
    try:
        source.execute("PRAGMA busy_timeout=5000")
        source.execute("BEGIN")  # one moment for all pages: without it each step would begin a transaction of its own
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")  # what is kept of it is synced elsewhere
        source.backup(target, pages=PAGES_AT_ONCE, progress=_stepped(copy, told))
    except sqlite3.Error as error:
        raise BackupUnusable(f"{database} cannot be copied: {error}") from error
    finally:
        target.close()
        source.close()


def _stepped(copy: Path, told: Callable[[int, int], None]) -> Callable[[int, int, int], None]:
    """Brings the copy to the disk piece by piece: all of it at once would have the service's next commit wait behind it."""
    synced = 0

    def step(_status: int, left: int, total: int) -> None:
        nonlocal synced
        size = copy.stat().st_size
        if size - synced >= SYNC_BYTES:
            DISK.sync(copy)
            synced = size
        told(total - left, total)

    return step


def head_of(database: Path) -> Head:
    """What a copy, which nobody writes to, says of itself. Raises BackupUnusable."""
    try:
        db = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
        try:
            rows, hash = db.execute("SELECT number, hash FROM journal_head").fetchone()
            (revision,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            db.close()
        return Head(int(rows), bytes(hash).hex(), str(revision))
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise BackupUnusable(f"the copy of the database holds no journal: {error}") from error
