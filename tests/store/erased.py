"""Erasing texts as the service does: by a fact."""

from sqlalchemy import Engine, select

from callserver.core.facts import TextsErased
from callserver.store import schema as t
from callserver.store.commit import commit
from callserver.store.ops import append_op


def erase(engine: Engine, *rows: int) -> None:
    """The texts beside these rows, by a fact for each incident."""
    j, number = t.journal.c, commit(engine, []).last + 1
    with engine.connect() as connection:
        found = connection.execute(select(j.incident, j.number).where(j.number.in_(rows)).order_by(j.number)).all()
    for incident in sorted({one.incident for one in found}, key=str):
        own = tuple(one.number for one in found if one.incident == incident)
        fact = TextsErased(incident, own, "request", "sue", "she asked for it")
        assert commit(engine, [append_op(f"erased{number}{incident}", fact, 0, 10**18 + number, 1)]).projection_fault == ""


def erase_incident(engine: Engine, incident: str) -> int:
    """All texts of an incident; of how many rows."""
    query = select(t.journal_erasable.c.number).join(t.journal, t.journal.c.number == t.journal_erasable.c.number)
    with engine.connect() as connection:
        rows = connection.execute(query.where(t.journal.c.incident == incident).distinct()).scalars().all()
    erase(engine, *rows)
    return len(rows)
