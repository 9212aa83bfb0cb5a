"""The database in the hands of somebody who drops its triggers and knows how rows are hashed."""

import sqlite3

from callserver.store.chain import body_hash, row_hash
from tests.store.sealed import Sealed

_HASHED = "prev_hash, number, id, kind, at_instant_ns, utc_ns, anchor, incident, call, body_hash"
_MOVED = -1_000_000


class Store:
    """The database without its guards. Open ends with a commit that leaves nothing in the log."""

    def __init__(self, sealed: Sealed) -> None:
        self.db = sqlite3.connect(sealed.database, isolation_level=None)
        for (name,) in self.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.db.execute(f"DROP TRIGGER {name}")

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()

    def do(self, statement: str, *values: object) -> None:
        """One statement."""
        self.db.execute(statement, values)

    def one(self, query: str, *values: object) -> tuple[object, ...]:
        """The first row of a query."""
        found: tuple[object, ...] = self.db.execute(query, values).fetchone()
        return found

    @property
    def rows(self) -> int:
        """The last row's number."""
        return int(str(self.one("SELECT max(number) FROM journal")[0]))

    def renumber(self, number: int, by: int) -> None:
        """Move this row and all behind it."""
        self.do("UPDATE journal SET number = number + ? WHERE number >= ?", _MOVED, number)
        self.do("UPDATE journal SET number = number - ? + ? WHERE number < 0", _MOVED, by)
        self.do("UPDATE journal_erasable SET number = number + ? WHERE number >= ?", _MOVED, number)
        self.do("UPDATE journal_erasable SET number = number - ? + ? WHERE number < 0", _MOVED, by)

    def rechain(self, start: int = 1) -> None:
        """Make all hashes anew from a row on, and the head."""
        hash = self.one("SELECT hash FROM journal WHERE number = ?", start - 1)[0] if start > 1 else bytes(32)
        numbers = self.db.execute("SELECT number FROM journal WHERE number >= ? ORDER BY number", (start,)).fetchall()
        for (number,) in numbers:
            body = self.one("SELECT body FROM journal WHERE number = ?", number)[0]
            assert isinstance(body, bytes)
            self.do("UPDATE journal SET prev_hash = ?, body_hash = ? WHERE number = ?", hash, body_hash(body), number)
            hash = row_hash(*self.one(f"SELECT {_HASHED} FROM journal WHERE number = ?", number))  # type: ignore[arg-type]
            self.do("UPDATE journal SET hash = ? WHERE number = ?", hash, number)
        self.do("UPDATE journal_head SET number = ?, hash = ?", self.rows, hash)

    def insert(self, number: int, kind: str, body: bytes) -> None:
        """A row with hashes that fit nothing yet."""
        zero = bytes(32)
        values = (number, 1, f"forged-{number}", kind, 0, 10**18, 1, None, None, body, body_hash(body), zero, zero)
        self.do(f"INSERT INTO journal VALUES ({', '.join('?' * len(values))})", *values)
