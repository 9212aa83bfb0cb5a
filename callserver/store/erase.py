"""Erasing personal data and free text. The chain keeps the salted hashes and stays whole."""

from sqlalchemy import Connection, Engine, select, update

from callserver.store import schema as t
from callserver.store.engine import writing


def erase_row(engine: Engine, number: int) -> int:
    """Erase all texts beside one row; returns how many. Salts go too: a short text could be guessed from its hash."""
    with writing(engine) as connection:
        return _erase(connection, [number])


def erase_incident(engine: Engine, incident: str) -> int:
    """Erase all texts of an incident and its calls; returns how many."""
    with writing(engine) as connection:
        rows = connection.execute(select(t.journal.c.number).where(t.journal.c.incident == incident))
        return _erase(connection, [row.number for row in rows])


def _erase(connection: Connection, numbers: list[int]) -> int:
    e = t.journal_erasable.c
    done = 0
    for number in numbers:
        change = update(t.journal_erasable).where(e.number == number, e.value.is_not(None)).values(salt=None, value=None)
        done += connection.execute(change).rowcount
    return done
