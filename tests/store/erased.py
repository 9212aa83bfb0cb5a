"""Erasing texts as the service does: by a fact."""

from sqlalchemy import Engine, select

from callserver.core.facts import TextsErased
from callserver.store import schema as t
from callserver.store.commit import commit
from callserver.store.ops import append_op


def erase(engine: Engine, *rows: int) -> None:
    """The texts beside these rows."""
    number = commit(engine, []).last + 1
    fact = TextsErased(None, rows, "request", "sue", "she asked for it")
    assert commit(engine, [append_op(f"erased{number}", fact, 0, 10**18 + number, 1)]).projection_fault == ""


def erase_incident(engine: Engine, incident: str) -> int:
    """All texts of an incident; of how many rows."""
    query = select(t.journal_erasable.c.number).join(t.journal, t.journal.c.number == t.journal_erasable.c.number)
    with engine.connect() as connection:
        rows = connection.execute(query.where(t.journal.c.incident == incident).distinct()).scalars().all()
    erase(engine, *rows)
    return len(rows)
