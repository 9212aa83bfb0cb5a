"""What is held, what was deleted, and what is still kept: for retention, replay and whoever asks. Read-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Row, Select, and_, exists, not_, or_, select

from callserver.core import call as call_machine
from callserver.core import incident as incident_machine
from callserver.core.desk import PREFIX
from callserver.core.facts import RecordingConfirmed, RecordingDeleted, RedactionMade, TextsErased
from callserver.core.quality import SHEETS
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.register import BEHIND, REDACTIONS

_REASON = "why"
_TEXTS_AT_ONCE = 2_000
_GONE = (RecordingDeleted.__name__, TextsErased.__name__)
_REGISTER = or_(and_(t.journal.c.id >= PREFIX, t.journal.c.id < BEHIND), t.journal.c.kind == TextsErased.__name__)
"""Rows of the register: what the desk tells, and that something was erased, and why."""


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A legal hold; `lifted_*` are None while it stands. `why` is "" where it was erased."""

    id: str
    incident: str
    placed_by: str
    placed_utc_ns: int
    review_utc_ns: int
    lifted_by: str | None
    lifted_utc_ns: int | None
    why: str


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """What was deleted of a call, last."""

    call: str
    number: int
    files: tuple[str, ...]
    captures: tuple[str, ...]
    rule: str
    deleted_by: str
    deleted_utc_ns: int


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A call that was not deleted, with what its incident was. `ended`: the call is over, and its incident is closed."""

    call: str
    incident: str
    closed_utc_ns: int | None
    ended: bool
    priority: int
    outcome: str
    queue: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class TextRow:
    """A row with texts that were not erased. `open`: of an incident that is not closed; `register`: of the register."""

    row: int
    incident: str | None
    utc_ns: int
    open: bool
    register: bool


def holds(engine: Engine, incident: str) -> list[HoldRow]:
    """All holds of an incident that ever were, oldest first."""
    return _holds(engine, _hold_query().where(t.holds.c.incident == incident))


def standing(engine: Engine) -> list[HoldRow]:
    """The holds that stand, oldest first."""
    return _holds(engine, _hold_query().where(t.holds.c.lifted_utc_ns.is_(None)))


def deletion(engine: Engine, call: str) -> DeletionRow | None:
    """What was deleted of a call; None while nothing was."""
    with engine.connect() as connection:
        row = connection.execute(select(t.deletions).where(t.deletions.c.call == call)).one_or_none()
    return _deletion(row) if row else None


def deletions(engine: Engine, since: int = 0, limit: int = 1_000) -> list[DeletionRow]:
    """Deletions by facts behind row `since`, in their order."""
    c = t.deletions.c
    with engine.connect() as connection:
        rows = connection.execute(select(t.deletions).where(c.number > since).order_by(c.number).limit(limit)).all()
    return [_deletion(row) for row in rows]


def gone_since(engine: Engine, incident: str, id: str) -> bool:
    """Whether something of the incident was deleted or erased behind the row of that id; False where there is no such row."""
    j = t.journal.c
    row = select(j.number).where(j.id == id).scalar_subquery()
    query = select(j.number).where(j.incident == incident, j.kind.in_(_GONE), j.number > row).limit(1)
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def redacted(engine: Engine, since: int) -> list[tuple[int, str]]:
    """(row, call) of redactions by facts behind row `since`, in their order."""
    j = t.journal.c
    query = select(j.number, j.kind, j.body).where(j.id >= REDACTIONS, j.id < f"{REDACTIONS}\x7f", j.number > since)
    with engine.connect() as connection:
        facts = [(number, decode_fact(kind, body)) for number, kind, body in connection.execute(query.order_by(j.number))]
    return [(number, fact.of) for number, fact in facts if isinstance(fact, RedactionMade)]


def made_since(engine: Engine, call: str, number: int) -> bool:
    """Whether a recording of the call was made behind that row."""
    c = t.recordings.c
    with engine.connect() as connection:
        query = select(c.call).where(c.call == call, c.number > number, c.files.is_not(None))
        return connection.execute(query).first() is not None


def kept(engine: Engine, closed_before_utc_ns: int, incident: str | None = None) -> list[KeptRow]:
    """Calls that were not deleted, of incidents that were closed by then, or of one incident whatever its state; oldest first."""
    c, i = t.calls.c, t.incidents.c
    unended = t.calls.alias()
    going_on = exists().where(and_(unended.c.incident == c.incident, unended.c.state != call_machine.ENDED))
    confirmed = exists().where(and_(t.journal.c.call == c.id, t.journal.c.kind == RecordingConfirmed.__name__))
    closed = and_(i.state == incident_machine.CLOSED, i.closed_utc_ns <= closed_before_utc_ns)
    query = (
        select(c.id, c.incident, i.closed_utc_ns, i.state, going_on, i.priority, i.outcome, i.queue, confirmed)
        .select_from(t.calls.join(t.incidents, i.id == c.incident).outerjoin(t.deletions, t.deletions.c.call == c.id))
        .where(t.deletions.c.call.is_(None), c.incident == incident if incident else closed)
        .order_by(i.closed_utc_ns, c.number)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        KeptRow(call, of, closed, state == incident_machine.CLOSED and not busy, priority, outcome or "", queue, bool(sound))
        for call, of, closed, state, busy, priority, outcome, queue, sound in rows
    ]


def texts(engine: Engine, before_utc_ns: int, register_before_utc_ns: int, since: int = 0) -> list[TextRow]:
    """Rows behind `since` with texts that were not erased, older than that, those of the register by its own time; in order."""
    old = and_(not_(_REGISTER), t.journal.c.utc_ns <= before_utc_ns)
    return _texts(engine, since, or_(old, and_(_REGISTER, t.journal.c.utc_ns <= register_before_utc_ns)))


def texts_of_incident(engine: Engine, incident: str) -> list[TextRow]:
    """All rows of an incident with texts that were not erased, but those of the register; in order."""
    found: list[TextRow] = []
    while more := _texts(engine, found[-1].row if found else 0, and_(not_(_REGISTER), _about(incident))):
        found += more
    return found


def _about(incident: str) -> ColumnElement[bool]:
    """Rows of an incident, and the sheets on its calls, which belong to no incident: calls are named `INCIDENT.NUMBER`."""
    j, begins = t.journal.c, f"{SHEETS}{incident}"
    return or_(j.incident == incident, and_(j.id >= f"{begins}.", j.id < f"{begins}/"))  # "/" follows "."


def _texts(engine: Engine, since: int, which: ColumnElement[bool]) -> list[TextRow]:
    j, e, i = t.journal.c, t.journal_erasable.c, t.incidents.c
    query = (
        select(j.number, j.incident, j.utc_ns, and_(i.id.is_not(None), i.state != incident_machine.CLOSED), _REGISTER)
        .select_from(t.journal_erasable.join(t.journal, j.number == e.number).outerjoin(t.incidents, i.id == j.incident))
        .where(e.number > since, e.value != "", which)  # an empty one tells nothing
        .group_by(e.number)  # so that the texts are walked, of which there are fewer than rows
        .order_by(e.number)
        .limit(_TEXTS_AT_ONCE)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [TextRow(row, of, at, bool(open), bool(register)) for row, of, at, open, register in rows]


def being_made(engine: Engine, incident: str) -> list[str]:
    """Calls of an incident whose recording is still to be made, and did not fail so far."""
    joined = t.calls.outerjoin(t.recordings, t.recordings.c.call == t.calls.c.id)
    joined = joined.outerjoin(t.deletions, t.deletions.c.call == t.calls.c.id)
    unmade = or_(t.recordings.c.call.is_(None), and_(t.recordings.c.files.is_(None), t.recordings.c.failures == 0))
    query = select(t.calls.c.id).select_from(joined).where(t.calls.c.incident == incident, unmade, t.deletions.c.call.is_(None))
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def _hold_query() -> Select[Any]:
    e = t.journal_erasable.c
    beside = and_(e.number == t.holds.c.number, e.field == _REASON)
    return select(t.holds, e.value.label(_REASON)).outerjoin(t.journal_erasable, beside).order_by(t.holds.c.number)


def _holds(engine: Engine, query: Select[Any]) -> list[HoldRow]:
    with engine.connect() as connection:
        rows: Sequence[Row[Any]] = connection.execute(query).all()
    names = ("id", "incident", "placed_by", "placed_utc_ns", "review_utc_ns", "lifted_by", "lifted_utc_ns")
    return [HoldRow(**{name: getattr(row, name) for name in names}, why=row.why or "") for row in rows]


def _deletion(row: Row[Any]) -> DeletionRow:
    files, captures = (tuple(msgspec.json.decode(text, type=list[str])) for text in (row.files, row.captures))
    return DeletionRow(row.call, row.number, files, captures, row.rule, row.deleted_by, row.deleted_utc_ns)
