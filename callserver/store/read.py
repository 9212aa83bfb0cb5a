"""Reading the journal in order, as facts."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Select, select

from callserver.core.facts import Fact
from callserver.store import schema as t
from callserver.store.encoding import ERASABLE_FIELDS, Erasable, decode_fact

_PAGE_ROWS = 2_000
_NUMBERS_PER_QUERY = 500
_COLUMNS = tuple(t.journal.c[name] for name in ("number", "kind", "body", "at_instant_ns", "utc_ns", "id"))
_WITH_TEXTS = frozenset(kind for kind, names in ERASABLE_FIELDS.items() if names)


class Row(NamedTuple):
    """A fact with its number (0: not in the journal yet), the core's time, UTC and the producer's id."""

    number: int
    fact: Fact
    instant: int
    utc_ns: int
    id: str


def read(engine: Engine, since_number: int = 0, limit: int | None = None, *, texts: bool = False) -> Iterator[Row]:
    """Rows with a number above `since_number`, in order, at most `limit`. Page by page: no long transaction is held.

    Erasable texts are "" unless `texts`. Raises UnknownKind for a fact of a newer version.
    """
    left = limit
    while left is None or left > 0:
        page = _page(engine, since_number, _PAGE_ROWS if left is None else min(left, _PAGE_ROWS), texts)
        if not page:
            return
        yield from page
        since_number = page[-1].number
        left = None if left is None else left - len(page)


def last_number(engine: Engine) -> int:
    """The number of the newest row; 0 when there is none."""
    with engine.connect() as connection:
        return int(connection.execute(select(t.journal_head.c.number)).scalar_one())


def rows_of(engine: Engine, where: ColumnElement[bool]) -> list[Row]:
    """All rows that fit, in order, with their texts."""
    return _rows(engine, select(*_COLUMNS).where(where).order_by(t.journal.c.number), True)


def newest_of(engine: Engine, where: ColumnElement[bool], limit: int) -> list[Row]:
    """The newest rows that fit, newest first, with their texts."""
    return _rows(engine, select(*_COLUMNS).where(where).order_by(t.journal.c.number.desc()).limit(limit), True)


def _page(engine: Engine, since: int, limit: int, texts: bool) -> list[Row]:
    number = t.journal.c.number
    return _rows(engine, select(*_COLUMNS).where(number > since).order_by(number).limit(limit), texts)


def _rows(engine: Engine, query: Select[Any], texts: bool) -> list[Row]:
    with engine.connect() as connection:
        rows = connection.execute(query).all()
        wanted = [row[0] for row in rows if row[1] in _WITH_TEXTS] if texts else []
        beside = texts_of(connection, wanted)
    return [Row(n, decode_fact(kind, body, beside.get(n)), at, utc, id) for n, kind, body, at, utc, id in rows]


def texts_of(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[str, Erasable]]:
    """The texts beside these rows that were not erased, by row and field."""
    beside: dict[int, dict[str, Erasable]] = {}
    e = t.journal_erasable.c
    for start in range(0, len(numbers), _NUMBERS_PER_QUERY):
        some = numbers[start : start + _NUMBERS_PER_QUERY]
        query = select(e.number, e.field, e.salt, e.value).where(e.number.in_(some), e.value.is_not(None))
        for number, name, salt, value in connection.execute(query):
            beside.setdefault(number, {})[name] = Erasable(salt, value)
    return beside
