"""Searches that people keep under a name: their own, and those that a supervisor shares with all.

They belong to the directory: changed by people, no part of the record. Writing opens the store for one short transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from callserver.store import schema as t
from callserver.store.engine import open_store, writing

MOST = 100
"""Searches of one account."""


class TooMany(ValueError):
    """The account has `MOST` searches."""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`of` is calls or incidents, `what` the filters as a query string."""

    id: str
    user: str
    name: str
    of: str
    what: str
    shared: bool
    saved_utc_ns: int


def visible(engine: Engine, user: str) -> list[SavedSearch]:
    """What a user finds: their own and what is shared, by name."""
    c = t.saved_searches.c
    query = select(t.saved_searches).where(or_(c.user == user, c.shared)).order_by(func.lower(c.name), c.saved_utc_ns)
    with engine.connect() as connection:
        return [SavedSearch(**row) for row in connection.execute(query).mappings()]


def save(data_dir: Path, search: SavedSearch) -> str:
    """Keep a search, in the place of the user's own of that name; returns the id it has. Raises TooMany, SQLAlchemyError."""
    c = t.saved_searches.c
    with _changing(data_dir) as connection:
        ids = {row.name: row.id for row in connection.execute(select(c.name, c.id).where(c.user == search.user))}
        id: str = ids.get(search.name, search.id)
        if search.name not in ids and len(ids) >= MOST:
            raise TooMany
        values = {"of": search.of, "what": search.what, "shared": search.shared, "saved_utc_ns": search.saved_utc_ns}
        row = insert(t.saved_searches).values(id=id, user=search.user, name=search.name, **values)
        connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))
    return id


def forget(data_dir: Path, id: str) -> None:
    """Take a search away, if there is one. Raises SQLAlchemyError."""
    with _changing(data_dir) as connection:
        connection.execute(delete(t.saved_searches).where(t.saved_searches.c.id == id))


@contextmanager
def _changing(data_dir: Path) -> Iterator[Connection]:
    engine = open_store(data_dir)
    try:
        with writing(engine) as connection:
            yield connection
    finally:
        engine.dispose()
