"""What the web process and the archivist read. Every function takes a (read-only) engine and returns frozen rows.

The journal is paged by `before`: the `number` of the last row seen. Times are UTC nanoseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from sqlalchemy import Engine, Select, and_, func, or_, select

from callserver.core import call as call_machine
from callserver.core import incident as incident_machine
from callserver.core.facts import PlanAdopted
from callserver.core.ids import CallId, incident_of_call
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.read import Row as Row  # the web imports it from here
from callserver.store.read import rows_of
from dialplans.model import Plan

_AT_ONCE = 500  # values of one query


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as the CDR has it. `outcome` and `priority` are its incident's."""

    number: int
    id: str
    incident: str
    point: str
    state: str
    reason: str
    operator: str | None
    outcome: str | None
    started_utc_ns: int
    answered_utc_ns: int | None
    ended_utc_ns: int | None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as the CDR has it. `operator` is who had it last, `answered_utc_ns` the first answer of all its calls."""

    number: int
    id: str
    point: str
    queue: str
    priority: int
    plan_version: int
    state: str
    reason: str
    presses: int
    step: int
    operator: str | None
    outcome: str | None
    outcome_by: str | None
    opened_utc_ns: int
    changed_utc_ns: int
    closed_utc_ns: int | None
    answered_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class LegRow:
    """A leg as the CDR has it; the `end_*` are None until it ended."""

    number: int
    id: str
    call: str
    role: str
    party: str
    inbound: bool
    route: str
    state: str
    created_utc_ns: int
    answered_utc_ns: int | None
    ended_utc_ns: int | None
    end_class: str | None
    end_by: str | None
    end_reason: str | None
    end_status: int | None


@dataclass(frozen=True, slots=True)
class PresenceRow:
    """Present condition of an operator, point or trunk; None where nothing was heard yet. `state` is for operators only."""

    kind: str
    id: str
    state: str | None
    state_reason: str | None
    state_utc_ns: int | None
    reachable: bool | None
    reachable_why: str | None
    reachable_utc_ns: int | None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue's present load: its incidents that wait, and since when the oldest does."""

    id: str
    waiting: int
    oldest_utc_ns: int | None


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm that nobody cleared."""

    key: str
    text: str
    raised_utc_ns: int


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """What the archivist made of a call; `files` and `captures`: path -> SHA-256. None of it while only failures are known."""

    call: str
    files: Mapping[str, str]
    captures: Mapping[str, str]
    duration_ms: int
    losses_ms: int
    report: str
    failures: int
    last_failure: str | None


_CALL = (*(c for c in t.calls.c if c.computed is None), t.incidents.c.outcome, t.incidents.c.priority)
_INCIDENT = tuple(c for c in t.incidents.c if c.computed is None)


def calls(engine: Engine, limit: int = 50) -> list[CallRow]:
    """The newest calls, newest first; `search` looks for others."""
    query = calls_with_incidents().order_by(t.calls.c.number.desc()).limit(limit)
    return [CallRow(**row) for row in _all(engine, query)]


def call(engine: Engine, id: str) -> CallRow | None:
    """One call."""
    return next((CallRow(**row) for row in _all(engine, calls_with_incidents().where(t.calls.c.id == id))), None)


def calls_of(engine: Engine, incident: str) -> list[CallRow]:
    """An incident's calls, oldest first."""
    return [
        CallRow(**row)
        for row in _all(engine, calls_with_incidents().where(t.calls.c.incident == incident).order_by(t.calls.c.number))
    ]


def legs_of(engine: Engine, call: str) -> list[LegRow]:
    """A call's legs, oldest first."""
    return [LegRow(**row) for row in _all(engine, select(t.legs).where(t.legs.c.call == call).order_by(t.legs.c.number))]


def incidents(engine: Engine, limit: int = 50, open_only: bool = False) -> list[IncidentRow]:
    """The newest incidents, newest first; only those not closed, if so wanted. `search` looks for others."""
    c = t.incidents.c
    query = all_incidents().order_by(c.number.desc()).limit(limit)
    if open_only:
        query = query.where(c.state != incident_machine.CLOSED)
    return [IncidentRow(**row) for row in _all(engine, query)]


def incident(engine: Engine, id: str) -> IncidentRow | None:
    """One incident."""
    query = all_incidents().where(t.incidents.c.id == id)
    return next((IncidentRow(**row) for row in _all(engine, query)), None)


def timeline_of_incident(engine: Engine, incident: str) -> list[Row]:
    """All facts of an incident and its calls, in order, with their texts where not erased."""
    return rows_of(engine, t.journal.c.incident == incident)


def timeline_of_call(engine: Engine, call: str) -> list[Row]:
    """All facts of a call and those of its incident that belong to no single call, in order."""
    j = t.journal.c
    of_incident = and_(j.incident == incident_of_call(CallId(call)), j.call.is_(None))
    return rows_of(engine, or_(j.call == call, of_incident))


def journal_page(engine: Engine, limit: int = 100, before: int | None = None) -> list[Row]:
    """Facts of everything, newest first, with their texts where not erased."""
    with engine.connect() as connection:
        head = connection.execute(select(t.journal_head.c.number)).scalar_one()
    end = head + 1 if before is None else min(before, head + 1)
    number = t.journal.c.number
    return rows_of(engine, and_(number < end, number >= end - limit))[::-1]  # numbers have no gaps


def operators(engine: Engine) -> list[PresenceRow]:
    """Operators of whom something is known."""
    return _presence(engine, "operator")


def points(engine: Engine) -> list[PresenceRow]:
    """Points whose reachability was ever told; for place and queue see `plan`."""
    return _presence(engine, "point")


def trunks(engine: Engine) -> list[PresenceRow]:
    """Trunks whose reachability was ever told."""
    return _presence(engine, "trunk")


def queues(engine: Engine) -> list[QueueRow]:
    """Queues in which something waits; for all that exist see `plan`."""
    c = t.incidents.c
    query = select(c.queue, func.count(), func.min(c.opened_utc_ns)).where(c.state == incident_machine.WAITING)
    with engine.connect() as connection:
        return [QueueRow(*row) for row in connection.execute(query.group_by(c.queue).order_by(c.queue))]


def alarms(engine: Engine) -> list[AlarmRow]:
    """Alarms that nobody cleared, oldest first."""
    return [AlarmRow(**row) for row in _all(engine, select(t.alarms).order_by(t.alarms.c.raised_utc_ns, t.alarms.c.key))]


def plan(engine: Engine) -> tuple[int, Plan] | None:
    """(version, plan) that was adopted last; None before the first."""
    latest = select(t.plans.c.number).order_by(t.plans.c.number.desc()).limit(1).scalar_subquery()
    with engine.connect() as connection:
        row = connection.execute(select(t.journal.c.kind, t.journal.c.body).where(t.journal.c.number == latest)).one_or_none()
    if row is None:
        return None
    fact = cast(PlanAdopted, decode_fact(row.kind, row.body))
    return fact.version, fact.plan


def recording(engine: Engine, call: str) -> RecordingRow | None:
    """What the archivist made of the call; None while it has not come to it."""
    row = next(iter(_all(engine, select(t.recordings).where(t.recordings.c.call == call))), None)
    if row is None:
        return None
    return RecordingRow(
        call=row["call"],
        files=msgspec.json.decode(row["files"] or "{}", type=dict[str, str]),
        captures=msgspec.json.decode(row["captures"] or "{}", type=dict[str, str]),
        duration_ms=row["duration_ms"] or 0,
        losses_ms=row["losses_ms"] or 0,
        report=row["report"] or "",
        failures=row["failures"],
        last_failure=row["last_failure"],
    )


def unfinished_recordings(engine: Engine, limit: int = 100) -> list[str]:
    """Calls that ended, without a recording or a deletion, oldest first; those that failed least often before the others."""
    joined = t.calls.outerjoin(t.recordings, t.recordings.c.call == t.calls.c.id)
    joined = joined.outerjoin(t.deletions, t.deletions.c.call == t.calls.c.id)
    query = (
        select(t.calls.c.id)
        .select_from(joined)
        .where(t.calls.c.state == call_machine.ENDED, t.recordings.c.files.is_(None), t.deletions.c.call.is_(None))
        .order_by(func.coalesce(t.recordings.c.failures, 0), t.calls.c.number)
        .limit(limit)
    )
    with engine.connect() as connection:
        return list(connection.execute(query).scalars())


def known_calls(engine: Engine, ids: list[str]) -> set[str]:
    """Which of these calls there are."""
    found: set[str] = set()
    with engine.connect() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            some = select(t.calls.c.id).where(t.calls.c.id.in_(ids[start : start + _AT_ONCE]))
            found.update(connection.execute(some).scalars())
    return found


def counts(engine: Engine) -> dict[str, dict[str, int]]:
    """How many of each state there are now: `incidents` and `calls` that are not over, `operators`."""
    of_operators = t.presence.c.kind == "operator"
    wanted = {
        "incidents": select(t.incidents.c.state, func.count()).where(t.incidents.c.state != incident_machine.CLOSED),
        "calls": select(t.calls.c.state, func.count()).where(t.calls.c.state != call_machine.ENDED),
        "operators": select(func.coalesce(t.presence.c.state, "off"), func.count()).where(of_operators),
    }
    with engine.connect() as connection:
        return {
            name: {row[0]: row[1] for row in connection.execute(query.group_by(query.selected_columns[0]))}
            for name, query in wanted.items()
        }


def all_incidents() -> Select[Any]:
    """What `IncidentRow` is made of."""
    return select(*_INCIDENT)


def calls_with_incidents() -> Select[Any]:
    """What `CallRow` is made of."""
    return select(*_CALL).select_from(t.calls.outerjoin(t.incidents, t.incidents.c.id == t.calls.c.incident))


def _presence(engine: Engine, kind: str) -> list[PresenceRow]:
    query = select(t.presence).where(t.presence.c.kind == kind).order_by(t.presence.c.id)
    return [PresenceRow(**row) for row in _all(engine, query)]


def _all(engine: Engine, query: Select[Any]) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]
