"""Looking for incidents and calls: by time, place, person, outcome, class, state, wait, length and words. Read-only.

Newest first, paged by `before`: the `number` of the last row seen. A page costs at most one pass over the projections, and one
over the erasable texts where words are looked for; the texts are searched where they lie, so what was erased is not found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, Engine, Select, Table, and_, case, func, or_, select, true

from callserver.core import incident as incident_machine
from callserver.core.facts import OutcomeRecorded, PlanAdopted
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.queries import CallRow, IncidentRow, calls_with_incidents, incidents_with_answers
from dialplans.model import Plan

MOST_WORDS = 8
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Names:
    """What a plan calls itself and its things: id -> name. `points` are places."""

    version: int = 0
    plan: str = ""
    time_zone: str = "UTC"
    points: Mapping[str, str] = field(default_factory=dict)
    operators: Mapping[str, str] = field(default_factory=dict)
    parties: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None is anything. A wait ends with the first answer, a length with the end; both go on until
    `now_utc_ns` where that has not come. All of `words` must be found, each in place, point, operator, outcome, id or note.
    """

    now_utc_ns: int
    from_utc_ns: int | None = None
    to_utc_ns: int | None = None
    point: str | None = None
    operator: str | None = None
    outcome: str | None = None
    priority: int | None = None
    state: str | None = None
    open_only: bool = False
    wait_at_least_ns: int | None = None
    wait_at_most_ns: int | None = None
    length_at_least_ns: int | None = None
    length_at_most_ns: int | None = None
    words: tuple[str, ...] = ()


def incidents(engine: Engine, wanted: Wanted, names: Names, limit: int = 50, before: int | None = None) -> list[IncidentRow]:
    """Incidents that fit, newest first."""
    c = t.incidents.c
    query = incidents_with_answers()
    answered = query.selected_columns["answered_utc_ns"]
    left = case((c.state == incident_machine.WAITING, None), else_=c.changed_utc_ns)  # nobody answered, and it waits no more
    found = query.where(
        _common(t.incidents, c.opened_utc_ns, wanted, before),
        _same(c.priority, wanted.priority),
        c.state != incident_machine.CLOSED if wanted.open_only else true(),
        _lasting(c.opened_utc_ns, (answered, left), wanted.wait_at_least_ns, wanted.wait_at_most_ns, wanted),
        _lasting(c.opened_utc_ns, (c.closed_utc_ns,), wanted.length_at_least_ns, wanted.length_at_most_ns, wanted),
        *(_word(word, names, t.incidents, c.id) for word in wanted.words),
    )
    return [IncidentRow(**row) for row in _page(engine, found, c.number, limit)]


def calls(engine: Engine, wanted: Wanted, names: Names, limit: int = 50, before: int | None = None) -> list[CallRow]:
    """Calls that fit, newest first. Outcome, class and note are those of the call's incident."""
    c = t.calls.c
    found = calls_with_incidents().where(
        _common(t.calls, c.started_utc_ns, wanted, before),
        _same(t.incidents.c.priority, wanted.priority),
        c.ended_utc_ns.is_(None) if wanted.open_only else true(),
        _lasting(c.started_utc_ns, (c.answered_utc_ns, c.ended_utc_ns), wanted.wait_at_least_ns, wanted.wait_at_most_ns, wanted),
        _lasting(c.started_utc_ns, (c.ended_utc_ns,), wanted.length_at_least_ns, wanted.length_at_most_ns, wanted),
        *(_word(word, names, t.calls, c.incident) for word in wanted.words),
    )
    return [CallRow(**row) for row in _page(engine, found, c.number, limit)]


def notes(engine: Engine, incidents: Iterable[str]) -> dict[str, str]:
    """The last note of each of these incidents that has one."""
    j, e = t.journal.c, t.journal_erasable.c
    query = select(j.incident, e.value).select_from(t.journal.join(t.journal_erasable, e.number == j.number))
    about = and_(j.incident.in_(sorted(set(incidents))), j.kind == OutcomeRecorded.__name__, e.field == "note", e.value != "")
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query.where(about).order_by(j.number))}


def newest_plan(engine: Engine) -> int:
    """The version of the plan that was adopted last; 0 before the first."""
    with engine.connect() as connection:
        query = select(t.plans.c.version).order_by(t.plans.c.number.desc()).limit(1)
        return connection.execute(query).scalar_one_or_none() or 0


def names(engine: Engine, version: int) -> Names | None:
    """What the plan of a version calls its things; None when there was none such."""
    with engine.connect() as connection:
        number = select(t.plans.c.number).where(t.plans.c.version == version).scalar_subquery()
        row = connection.execute(select(t.journal.c.kind, t.journal.c.body).where(t.journal.c.number == number)).one_or_none()
    return None if row is None else names_of(version, cast(PlanAdopted, decode_fact(row.kind, row.body)).plan)


def names_of(version: int, plan: Plan) -> Names:
    """The names of a plan's things."""
    return Names(
        version=version,
        plan=plan.name,
        time_zone=plan.time_zone,
        points={point.id: point.place for point in plan.points.values()},
        operators={operator.id: operator.name for operator in plan.operators.values()},
        parties={party.id: party.name for party in plan.parties.values()},
        outcomes=dict(plan.outcomes),
    )


def _common(table: Table, began: ColumnElement[int], wanted: Wanted, before: int | None) -> ColumnElement[bool]:
    c = table.c
    return and_(
        c.number < before if before is not None else true(),
        began >= wanted.from_utc_ns if wanted.from_utc_ns is not None else true(),
        began < wanted.to_utc_ns if wanted.to_utc_ns is not None else true(),
        _same(c.point, wanted.point),
        _same(c.operator, wanted.operator),
        _same(t.incidents.c.outcome, wanted.outcome),
        _same(c.state, wanted.state),
    )


def _same(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    return true() if value is None else column == value


def _lasting(
    began: ColumnElement[int], ends: tuple[ColumnElement[Any], ...], least: int | None, most: int | None, wanted: Wanted
) -> ColumnElement[bool]:
    lasted = func.coalesce(*ends, wanted.now_utc_ns) - began
    return and_(lasted >= least if least is not None else true(), lasted <= most if most is not None else true())


def _word(word: str, names: Names, table: Table, incident: ColumnElement[str]) -> ColumnElement[bool]:
    """Where one word stands: in a name of the plan, in an id, or in the incident's note."""
    c, like = table.c, _like(word)
    return or_(
        c.point.in_(_called(word, names.points)),
        c.operator.in_(_called(word, names.operators)),
        t.incidents.c.outcome.in_(_called(word, names.outcomes)),
        *(column.like(like, escape=_ESCAPE) for column in (c.id, c.point, c.operator, t.incidents.c.outcome)),
        incident.in_(_noted(like)),
    )


def _called(word: str, names: Mapping[str, str]) -> list[str]:
    low = word.casefold()
    return [id for id, name in names.items() if low in name.casefold()]


def _noted(like: str) -> Select[Any]:
    j, e = t.journal.c, t.journal_erasable.c
    query = select(j.incident).select_from(t.journal_erasable.join(t.journal, e.number == j.number))
    return query.where(e.field == "note", e.value.like(like, escape=_ESCAPE), j.incident.is_not(None))


def _like(word: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        word = word.replace(special, _ESCAPE + special)
    return f"%{word}%"


def _page(engine: Engine, query: Select[Any], number: ColumnElement[int], limit: int) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.order_by(number.desc()).limit(limit)).mappings()]
