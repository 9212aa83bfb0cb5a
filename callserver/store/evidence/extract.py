"""What a pack takes from the journal: the rows of one incident as they were hashed, and what proves that they are of the chain.

The chain is a line, so a row is proven by all rows from it to the next checkpoint. Those of others are given without their
bodies: what was hashed of a body is its SHA-256 alone. They tell that something of a kind happened at a time, and nothing of what
it was. A stretch ends at the first checkpoint after the incident's rows, so a row that was written a year later costs minutes of
others' rows and not a year of them. `verify_pack.py` is the other side of this file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Engine, select

from callserver.core.facts import CheckpointKeyMade, CheckpointSigned, Fact
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.evidence.statement import line_of

_COLUMNS = ("number", "id", "kind", "at_instant_ns", "utc_ns", "anchor", "incident", "call")


@dataclass(frozen=True, slots=True)
class Found:
    """A row of the incident as a fact."""

    number: int
    utc_ns: int
    fact: Fact


@dataclass(slots=True)
class Extract:
    """`journal` and `texts` are what the pack holds, ready for JSON; `rows` the incident's facts with their texts."""

    journal: dict[str, Any]
    texts: list[dict[str, Any]]
    rows: list[Found] = field(default_factory=list)


def extract(engine: Engine, incident: str) -> Extract:
    """The incident's rows up to now, with the stretches that prove them. One read of the store: a later row is not half in it.

    Raises LookupError where the journal has nothing of the incident.
    """
    with engine.connect() as connection:
        numbers = list(connection.execute(_numbers(incident)).scalars())
        if not numbers:
            raise LookupError(f"the journal has nothing of incident {incident}")
        checkpoints = _checkpoints(connection)
        stretches = [_stretch(connection, *one) for one in _stretches(numbers, checkpoints)]
        texts = _texts(connection, numbers)
        rows = list(_facts(connection, incident, texts))
        keys = [_key(fact) for fact in _named(connection, "checkpoint-key")]
    return Extract({"incident": incident, "keys": keys, "stretches": stretches}, texts, rows)


def _numbers(incident: str) -> Any:
    return select(t.journal.c.number).where(t.journal.c.incident == incident).order_by(t.journal.c.number)


def _named(connection: Connection, prefix: str) -> Iterator[Any]:
    """The facts whose rows' ids begin so, as the notary names them: ids are indexed, kinds are not."""
    j = t.journal.c
    query = select(j.kind, j.body).where(j.id >= f"{prefix}:", j.id < f"{prefix};").order_by(j.number)
    for kind, body in connection.execute(query):
        yield decode_fact(kind, body)


def _checkpoints(connection: Connection) -> list[CheckpointSigned]:
    return [one for one in _named(connection, "checkpoint") if isinstance(one, CheckpointSigned)]


def _stretches(
    numbers: Sequence[int], checkpoints: Sequence[CheckpointSigned]
) -> Iterator[tuple[list[int], CheckpointSigned | None]]:
    """The incident's rows, those together that the same checkpoint is the next after; None: after the last one."""
    left = list(numbers)
    for checkpoint in checkpoints:
        own = [number for number in left if number <= checkpoint.number]
        if own:
            yield own, checkpoint
            left = left[len(own) :]
    if left:
        yield left, None


def _stretch(connection: Connection, own: Sequence[int], checkpoint: CheckpointSigned | None) -> dict[str, Any]:
    c = t.journal.c
    last = checkpoint.number if checkpoint is not None else own[-1]
    columns = [c[name] for name in _COLUMNS]
    query = select(c.framing, c.prev_hash, c.hash, *columns, c.body_hash, c.body).where(c.number >= own[0], c.number <= last)
    wanted, rows, before, end = set(own), [], b"", b""
    for framing, prev_hash, hash, number, *rest, body_hash, body in connection.execute(query.order_by(c.number)):
        if framing != 1:
            raise ValueError(f"row {number} is hashed by framing {framing}, which a pack cannot hold")
        before, end = before or prev_hash, hash
        rows.append([number, *rest, body.decode() if number in wanted else {"sha256": body_hash.hex()}])
    signed = line_of(checkpoint) if checkpoint is not None else None
    return {"before": before.hex(), "rows": rows, "hash": end.hex(), "checkpoint": signed}


def _texts(connection: Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    e = t.journal_erasable.c
    found: list[dict[str, Any]] = []
    for start in range(0, len(numbers), 500):
        query = select(e.number, e.field, e.salt, e.value).where(e.number.in_(numbers[start : start + 500]))
        for number, name, salt, value in connection.execute(query.order_by(e.number, e.field)):
            erased = value is None
            found.append({"row": number, "field": name, "salt": None if erased else salt.hex(), "text": value})
    return found


def _facts(connection: Connection, incident: str, texts: Sequence[dict[str, Any]]) -> Iterator[Found]:
    beside: dict[int, dict[str, str]] = {}
    for text in texts:
        beside.setdefault(text["row"], {})[text["field"]] = text["text"] or ""
    c = t.journal.c
    query = select(c.number, c.utc_ns, c.kind, c.body).where(c.incident == incident).order_by(c.number)
    for number, utc_ns, kind, body in connection.execute(query):
        fact: Any = decode_fact(kind, body)
        yield Found(number, utc_ns, replace(fact, **beside.get(number, {})))


def _key(fact: CheckpointKeyMade) -> dict[str, str]:
    return {"key": fact.key, "public": fact.public, "previous": fact.previous, "consent": fact.consent}
