"""When the journal was last told of a backup."""

from dataclasses import dataclass

from sqlalchemy import Engine, select

from callserver.core.facts import BackupMade
from callserver.store import schema as t
from callserver.store.encoding import decode_fact


def newest(engine: Engine) -> BackupMade | None:
    """The last backup that the journal knows of."""
    c = t.journal.c
    query = select(c.kind, c.body).where(c.kind == BackupMade.__name__).order_by(c.number.desc()).limit(1)
    with engine.connect() as connection:
        row = connection.execute(query).first()
    fact = decode_fact(*row) if row else None
    assert fact is None or isinstance(fact, BackupMade)
    return fact


@dataclass(slots=True)
class LastBackup:
    """Followed from row to row: `look` reads only what was appended since the last one."""

    number: int = 0  # rows that were looked at
    utc_ns: int = 0  # of the newest backup's row; of the first row while there is none; 0 for an empty journal
    known: bool = False  # whether there is a backup

    def look(self, engine: Engine) -> None:
        """Up to the journal's end. Raises SQLAlchemyError."""
        c = t.journal.c
        with engine.connect() as connection:
            head = connection.execute(select(t.journal_head.c.number)).scalar() or 0
            newer = (c.number > self.number, c.number <= head)
            made = select(c.utc_ns).where(*newer, c.kind == BackupMade.__name__).order_by(c.number.desc()).limit(1)
            utc_ns = connection.execute(made).scalar()
            if utc_ns is not None:
                self.utc_ns, self.known = utc_ns, True
            elif not self.utc_ns:
                self.utc_ns = connection.execute(select(c.utc_ns).where(c.number == 1)).scalar() or 0
        self.number = head
