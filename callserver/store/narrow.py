"""How a list of a million is narrowed down: along the one filter that leaves least, found by its index; the others are asked of
what is left.

SQLite keeps no figures of how often a value occurs, so it cannot choose that filter; counting in an index to `FEW` takes a
millisecond or two. What no filter makes few is walked from the newest on, and there the page is full soon.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, UnaryExpression, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.operators import custom_op

FEW = 20_000
LONGEST_S = 5.0
_STEPS = 20_000  # of SQLite's machine, between two looks at the clock: some milliseconds


class SearchTooLong(RuntimeError):
    """A search took longer than `LONGEST_S`, and was broken off."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing that is looked for. `holds` judges a row by no index; `numbers` finds the rows by an index alone; `counted` finds
    about as many where that is cheaper; `along` judges so that an index yields rows in their order; `within` are bounds
    of the number, which spare a walk what is newer or older."""

    holds: ColumnElement[bool]
    numbers: Select[int] | None = None
    counted: Select[Any] | None = None
    along: ColumnElement[bool] | None = None
    within: tuple[ColumnElement[bool], ...] = ()


def free(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same value, but no index serves it."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def equal(column: ColumnElement[Any], value: object, number: ColumnElement[int]) -> Filter:
    """A column of the list's own table that has an index with the number."""
    return Filter(free(column) == value, select(number).where(column == value), along=column == value)


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A connection whose queries together may take `LONGEST_S`; raises `SearchTooLong` when they take longer."""
    until = time.monotonic() + LONGEST_S
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        try:
            yield connection
        except OperationalError as error:
            if "interrupted" in str(error.orig):
                raise SearchTooLong from error
            raise
        finally:
            driver.set_progress_handler(None, 0)


def narrowed(
    connection: Connection, query: Select[Any], filters: Sequence[Filter], number: ColumnElement[int], before: int | None = None
) -> Select[Any]:
    """The rows of a query that fit all filters, with a number below `before`; newest first costs no sorting."""
    best = _fewest(connection, filters)
    if best is not None and best.numbers is not None:
        found = query.where(number.in_(best.numbers), *(one.holds for one in filters if one is not best))
        return found.where(free(number) < before) if before is not None else found
    along = next((one for one in filters if one.along is not None), None)
    found = query.where(*(one.holds for one in filters if one is not along), *(bound for one in filters for bound in one.within))
    found = found.where(along.along) if along is not None and along.along is not None else found
    return found.where(number < before) if before is not None else found


def _fewest(connection: Connection, filters: Iterable[Filter]) -> Filter | None:
    """The filter that leaves least, where that is few."""
    least, best = FEW, None
    for one in filters:
        if one.numbers is not None and least:
            some = (one.numbers if one.counted is None else one.counted).limit(least).subquery()
            count = connection.execute(select(func.count()).select_from(some)).scalar_one()
            least, best = (count, one) if count < least else (least, best)
    return best
