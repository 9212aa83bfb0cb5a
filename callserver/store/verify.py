"""Walking the chain: is every row what it was when it was appended, at its place, and none missing?

The first broken row is named, with what is wrong. The walk reads page by page and holds no lock; rows appended meanwhile
are left out. What a chain alone cannot show: that its end was cut off together with `journal_head`, or that all of it was
made anew. That is what signed checkpoints and anchors are for; see `callserver.store.evidence`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import msgspec
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from callserver.core.facts import TextsErased
from callserver.store import schema as t
from callserver.store.chain import FRAMING, GENESIS, body_hash, row_hash
from callserver.store.encoding import ERASABLE_FIELDS, SALT_BYTES, UnknownKind, about, decode_fact, salted_hash

_PAGE_ROWS = 5_000
_UNREADABLE = (SQLAlchemyError, TypeError, ValueError)  # of a file in which bits were changed
_Raw = tuple[Any, ...]  # the columns of _COLUMNS, in their order
_Place = tuple[int, str | None]  # a row's number and its incident
_NAMES = ("number", "framing", "id", "kind", "at_instant_ns", "utc_ns", "anchor", "incident", "call")
_COLUMNS = (
    *(t.journal.c[name] for name in _NAMES),
    t.journal.c.body,
    t.journal.c.body_hash,
    t.journal.c.prev_hash,
    t.journal.c.hash,
)
_ALL_NAMES = (*_NAMES, "body", "body_hash", "prev_hash", "hash")
_TYPES = (int, int, str, str, int, int, int, str | None, str | None, bytes, bytes, bytes, bytes)


@dataclass(frozen=True, slots=True)
class Report:
    """What the walk found. `rows` good rows from the first on; `broken` is the number of the first broken or missing row.

    An index that does not fit its table is broken without a row.
    """

    ok: bool
    rows: int
    hash: str  # of the last good row, hex
    erased: int  # texts that were erased, which breaks nothing
    broken: int | None = None
    fault: str = ""


@dataclass(slots=True)
class _Walk:
    number: int = 0
    hash: bytes = GENESIS
    erased: list[_Place] = field(default_factory=list)  # once for each text


class _Broken(Exception):
    """(number of the row, None for none, what is wrong)."""


def verify(engine: Engine, progress: Callable[[int, int], None] = lambda done, total: None) -> Report:
    """Check the whole journal; `progress(rows checked, rows in all)` is called after each page."""
    walk = _Walk()
    try:
        with engine.connect() as connection:
            head, head_hash = connection.execute(select(t.journal_head.c.number, t.journal_head.c.hash)).one()
        _check_none_before(engine)
        while walk.number < head and _page(engine, walk, head):
            progress(walk.number, head)
        if walk.number < head:
            raise _Broken(walk.number + 1, f"rows are missing at the end: the head says that there are {head}")
        if walk.hash != head_hash:
            raise _Broken(walk.number, "the head holds another hash than the last row")
        _check_no_more(engine, head)
        _check_erased(engine, walk.erased)
        _check_indexes(engine)
    except _Broken as broken:
        number, fault = broken.args
    except _UNREADABLE as error:
        number, fault = walk.number + 1, f"the database's file is damaged here: {_plain(error)}"
    else:
        return Report(True, walk.number, walk.hash.hex(), len(walk.erased))
    fault = fault if number is None else f"row {number}: {fault}"
    return Report(False, walk.number, walk.hash.hex(), len(walk.erased), number, fault)


def _page(engine: Engine, walk: _Walk, head: int) -> bool:
    try:
        return _rows(engine, walk, min(walk.number + _PAGE_ROWS, head))
    except _UNREADABLE:
        while walk.number < head and _rows(engine, walk, walk.number + 1):
            pass  # one by one, to find the row
        return False


def _rows(engine: Engine, walk: _Walk, last: int) -> bool:
    j = t.journal.c
    first_number = walk.number
    with engine.connect() as connection:
        query = select(*_COLUMNS).where(j.number > first_number, j.number <= last).order_by(j.number)
        rows = [tuple(row) for row in connection.execute(query)]
        texts = _texts(connection, first_number, last)
        for row in rows:
            try:
                _check_row(row, walk, texts.pop(row[0], {}))
            except _Broken:
                _explain_place(connection, row, walk)
                raise
    return bool(rows)


def _check_row(row: _Raw, walk: _Walk, texts: dict[str, tuple[bytes | None, str | None]]) -> None:
    number, framing, id, kind, at, utc, anchor, incident, call, body, of_body, prev, hash = row
    if number != walk.number + 1:
        raise _Broken(walk.number + 1, f"missing: row {number} follows row {walk.number}")
    if mistyped := _mistyped(row):
        raise _Broken(number, f"its column {mistyped} was altered: it is not of its type")
    if framing != FRAMING:
        raise _Broken(number, f"hashed by framing {framing}, which this version does not know")
    if prev != walk.hash:
        raise _Broken(number, f"does not follow row {walk.number}: its prev_hash is not that row's hash")
    if body_hash(body) != of_body:
        raise _Broken(number, "its body was altered: it does not match body_hash")
    if row_hash(prev, number, id, kind, at, utc, anchor, incident, call, of_body) != hash:
        raise _Broken(number, _which_column(row))
    walk.erased += [(number, incident)] * _check_texts(number, kind, body, texts)
    walk.number, walk.hash = number, hash


def _mistyped(row: _Raw) -> str:
    """The first column that holds something else than it should; SQLite itself does not mind."""
    found = zip(_ALL_NAMES, _TYPES, row, strict=True)
    return next((name for name, types, value in found if not isinstance(value, types)), "")


def _which_column(row: _Raw) -> str:
    """Name the altered column as far as the body tells."""
    kind, incident, call, body = row[3], row[7], row[8], row[9]
    try:
        told = about(decode_fact(kind, body))
    except UnknownKind:
        return f"its column kind was altered: there is no kind {kind!r}"
    except msgspec.DecodeError:
        return f"its column kind or its body was altered: the body is no {kind}"
    for name, found, wanted in (("incident", incident, told[0]), ("call", call, told[1])):
        if found != wanted:
            return f"its column {name} was altered: {found!r} beside a body that says {wanted!r}"
    return "a column beside the body was altered (id, kind, at_instant_ns, utc_ns, anchor, body_hash or hash)"


def _explain_place(connection: Connection, row: _Raw, walk: _Walk) -> None:
    """If the row is whole but belongs elsewhere, say so instead."""
    number, _, id, kind, at, utc, anchor, incident, call, body, of_body, prev, hash = row
    if number != walk.number + 1 or _mistyped(row) or body_hash(body) != of_body:
        return
    before = connection.execute(select(t.journal.c.number).where(t.journal.c.hash == prev)).scalar()
    candidates = {number, number + 1, number - 1} | ({before + 1} if before is not None else set())
    for true_number in sorted(candidates):
        if row_hash(prev, true_number, id, kind, at, utc, anchor, incident, call, of_body) == hash:
            if prev != walk.hash:
                raise _Broken(number, f"out of order: it does not follow row {walk.number}; it was appended as row {true_number}")
            return


def _check_texts(number: int, kind: str, body: bytes, texts: dict[str, tuple[bytes | None, str | None]]) -> int:
    """Compare what lies beside the row with the hashes inside; the number of erased texts."""
    names = ERASABLE_FIELDS.get(kind, ())
    unknown = sorted(texts.keys() - set(names))
    if unknown:
        raise _Broken(number, f"an erasable text {unknown[0]!r} lies beside it that {kind} does not have")
    if not names:
        return 0
    hashes: dict[str, Any] = msgspec.json.decode(body)
    erased = 0
    for name in names:
        salt, value = texts.get(name, (None, None))
        if value is None:
            erased += 1
        elif not _is_salt(salt) or not isinstance(value, str) or salted_hash(salt, value) != hashes.get(name):
            raise _Broken(number, f"its erasable text {name!r} was altered: it does not match the salted hash in the chain")
    return erased


def _is_salt(salt: object) -> TypeGuard[bytes]:
    """Of its length: else the beginning of a text could be moved behind the end of its salt, under the same hash."""
    return isinstance(salt, bytes) and len(salt) == SALT_BYTES


def _texts(connection: Connection, first: int, last: int) -> dict[int, dict[str, tuple[bytes | None, str | None]]]:
    e = t.journal_erasable.c
    found: dict[int, dict[str, tuple[bytes | None, str | None]]] = {}
    query = select(e.number, e.field, e.salt, e.value).where(e.number > first, e.number <= last)
    for number, name, salt, value in connection.execute(query):
        found.setdefault(number, {})[name] = (salt, value)
    return found


def _check_erased(engine: Engine, erased: list[_Place]) -> None:
    """What was erased by right is named by a fact behind it, of the same incident: a hold is asked for by that."""
    if not erased:
        return
    j = t.journal.c
    named: set[_Place] = set()
    with engine.connect() as connection:
        for number, kind, body in connection.execute(select(j.number, j.kind, j.body).where(j.kind == TextsErased.__name__)):
            try:
                fact = decode_fact(kind, body)
            except msgspec.DecodeError as error:
                raise _Broken(number, f"its body is no {kind}: {error}") from error
            assert isinstance(fact, TextsErased)
            named.update((row, fact.incident) for row in fact.rows if row < number)
    for place in erased:
        if place not in named:
            raise _Broken(place[0], "its erasable text is gone, and no fact of its incident says that it was erased")


def _check_none_before(engine: Engine) -> None:
    with engine.connect() as connection:
        for column in (t.journal.c.number, t.journal_erasable.c.number):
            first = connection.execute(select(column).where(column < 1).limit(1)).scalar()
            if first is not None:
                raise _Broken(first, "it has no place: rows are numbered from 1")


def _check_indexes(engine: Engine) -> None:
    """An index that lacks a row hides it from everybody who looks for a call or an incident, and from no walk."""
    with engine.connect() as connection:
        for table in (t.journal.name, t.journal_erasable.name):
            found = str(connection.exec_driver_sql(f"PRAGMA integrity_check('{table}')").scalar())
            if found != "ok":
                raise _Broken(None, f"an index of the table {table} does not fit it, so what is looked up is not all: {found}")


def _plain(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _check_no_more(engine: Engine, head: int) -> None:
    """A row beyond the head that was read first is new if the head has grown as well, else it was put there by hand."""
    with engine.connect() as connection:
        now = connection.execute(select(t.journal_head.c.number)).scalar_one()
        for column in (t.journal.c.number, t.journal_erasable.c.number):
            beyond = connection.execute(select(column).where(column > now).limit(1)).scalar()
            if beyond is not None:
                raise _Broken(beyond, f"beyond the head, which says that there are {now}")
