"""One group commit: facts get their numbers and hashes here and nowhere else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError, StatementError

from callserver.store import schema as t
from callserver.store.chain import FRAMING, body_hash, row_hash
from callserver.store.encoding import Erasable, decode_fact
from callserver.store.engine import writing
from callserver.store.ops import Append, Op, PutBindings, PutLeg
from callserver.store.projections import project

_IDS_PER_QUERY = 500
_FAULTS = (StatementError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of a commit: the number of each `Append` by its id, the chain's end, and what went wrong with projections."""

    numbers: dict[str, int]
    last: int
    projection_fault: str = ""


def commit(engine: Engine, ops: Sequence[Op]) -> Committed:
    """Write all of `ops` in one durable transaction, or nothing. Ids that the journal has keep the number they had.

    A fault in the projections costs the projections (they stay behind until rebuilt), never the facts.
    Raises sqlalchemy.exc.DBAPIError when the disk or the database refuses.
    """
    appends = [op for op in ops if isinstance(op, Append)]
    with writing(engine) as connection:
        _put(connection, ops)
        head, last_hash, projected = connection.execute(
            select(t.journal_head.c.number, t.journal_head.c.hash, t.journal_head.c.projected)
        ).one()
        numbers = _known(connection, [op.id for op in appends])
        rows, texts, fresh = [], [], []
        number = head
        for op in appends:
            if op.id in numbers:
                continue
            number += 1
            row = _row(op, number, last_hash)
            last_hash = row["hash"]
            numbers[op.id] = number
            fresh.append((number, op))
            rows.append(row)
            texts += [_text(number, field, salt, value) for field, (salt, value) in op.erasable.items()]
        fault = ""
        if rows:
            connection.execute(insert(t.journal), rows)
            if texts:
                connection.execute(insert(t.journal_erasable), texts)
            if projected == head:
                fault = _project(connection, fresh)
                projected = head if fault else number
            connection.execute(update(t.journal_head).values(number=number, hash=last_hash, projected=projected))
    return Committed(numbers, number, fault)


def _row(op: Append, number: int, prev_hash: bytes) -> dict[str, Any]:
    of_body = body_hash(op.body)
    columns = {
        "number": number,
        "id": op.id,
        "kind": op.kind,
        "at_instant_ns": op.at_instant_ns,
        "utc_ns": op.utc_ns,
        "anchor": op.anchor,
        "incident": op.incident,
        "call": op.call,
    }
    hash = row_hash(prev_hash, **columns, of_body=of_body)  # type: ignore[arg-type]
    return columns | {"framing": FRAMING, "body": op.body, "body_hash": of_body, "prev_hash": prev_hash, "hash": hash}


def _text(number: int, field: str, salt: bytes, value: str) -> dict[str, Any]:
    return {"number": number, "field": field, "salt": salt, "value": value}


def _known(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for start in range(0, len(ids), _IDS_PER_QUERY):
        some = ids[start : start + _IDS_PER_QUERY]
        query = select(t.journal.c.id, t.journal.c.number).where(t.journal.c.id.in_(some))
        known.update((id, number) for id, number in connection.execute(query))
    return known


def _project(connection: Connection, fresh: Iterable[tuple[int, Append]]) -> str:
    """Project in a savepoint; the fault's text if it failed for another cause than the disk."""
    savepoint = connection.begin_nested()
    try:
        for number, op in fresh:
            erasable = {name: Erasable(salt, value) for name, (salt, value) in op.erasable.items()}
            project(connection, number, op.utc_ns, decode_fact(op.kind, op.body, erasable))
    except OperationalError:
        raise  # full, locked, read-only: no fault of the projections
    except _FAULTS as fault:
        savepoint.rollback()
        return f"projections stopped at a fact they cannot take: {type(fault).__name__}: {fault}"
    savepoint.commit()
    return ""


def _put(connection: Connection, ops: Sequence[Op]) -> None:
    last_legs = {op.leg: op.blob for op in ops if isinstance(op, PutLeg)}
    for leg, blob in last_legs.items():
        if blob:
            row = sqlite_insert(t.outer_legs).values(leg=leg, blob=blob)
            connection.execute(row.on_conflict_do_update(index_elements=["leg"], set_={"blob": blob}))
        else:
            connection.execute(delete(t.outer_legs).where(t.outer_legs.c.leg == leg))
    last_bindings = {op.user: op.blob for op in ops if isinstance(op, PutBindings)}
    for user, blob in last_bindings.items():
        if blob:
            row = sqlite_insert(t.registrations).values(user=user, blob=blob)
            connection.execute(row.on_conflict_do_update(index_elements=["user"], set_={"blob": blob}))
        else:
            connection.execute(delete(t.registrations).where(t.registrations.c.user == user))
