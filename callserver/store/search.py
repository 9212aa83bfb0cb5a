"""Looking for incidents and calls: by time, place, person, outcome, class, state, wait, length and words. Read-only.

Newest first, paged by `before`: the `number` of the last row seen. Each filter has an index (`schema.py`), and `narrow.py` takes
the one that leaves least; the words of notes are kept apart (`noted.py`) and go with the notes, so what was erased is not found.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from callserver.core import incident as incident_machine
from callserver.core.facts import OutcomeRecorded, PlanAdopted
from callserver.store import noted
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.narrow import FEW, Filter, equal, free, looking, narrowed
from callserver.store.narrow import SearchTooLong as SearchTooLong
from callserver.store.queries import CallRow, IncidentRow, all_incidents, calls_with_incidents
from dialplans.model import Plan

MOST_WORDS = 8
_ESCAPE = "\\"
_IN_AN_ID = re.compile(r"(?=.*\d)[a-z0-9.-]+|-?[a-f]{3,6}")  # it is made of figures, and of six that are hexadecimal


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
    """Incidents that fit, newest first. Raises `SearchTooLong`."""
    return [IncidentRow(**row) for row in _page(engine, _INCIDENTS, wanted, names, limit, before)]


def calls(engine: Engine, wanted: Wanted, names: Names, limit: int = 50, before: int | None = None) -> list[CallRow]:
    """Calls that fit, newest first. Outcome, class and note are those of the call's incident. Raises `SearchTooLong`."""
    return [CallRow(**row) for row in _page(engine, _CALLS, wanted, names, limit, before)]


def count_incidents(engine: Engine, wanted: Wanted, names: Names, most: int) -> int:
    """How many incidents fit; counted no further than `most`. Raises `SearchTooLong`."""
    return _count(engine, _INCIDENTS, wanted, names, most)


def count_calls(engine: Engine, wanted: Wanted, names: Names, most: int) -> int:
    """How many calls fit; counted no further than `most`. Raises `SearchTooLong`."""
    return _count(engine, _CALLS, wanted, names, most)


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


@dataclass(frozen=True, slots=True)
class _List:
    """What is different between calls and incidents. `waits`, `goes_on`: such a row's wait or length ends now."""

    table: Table
    query: Callable[[], Select[Any]]
    began: ColumnElement[int]
    waits: ColumnElement[bool]
    goes_on: ColumnElement[bool]
    open: ColumnElement[bool]

    @property
    def number(self) -> ColumnElement[int]:
        return self.table.c.number

    def of_incidents(self, where: ColumnElement[bool]) -> Select[int]:
        """Numbers of the rows whose incident is such."""
        if self.table is t.incidents:
            return select(self.number).where(where)
        return select(self.number).select_from(t.incidents.join(t.calls, t.calls.c.incident == t.incidents.c.id)).where(where)


_I, _C = t.incidents.c, t.calls.c
_NOT_CLOSED = or_(_I.state < incident_machine.CLOSED, _I.state > incident_machine.CLOSED)  # an index serves no "other than"
_INCIDENTS = _List(
    t.incidents,
    all_incidents,
    _I.opened_utc_ns,
    waits=and_(_I.state == incident_machine.WAITING, free(_I.waited_ns).is_(None)),
    goes_on=and_(_NOT_CLOSED, _I.lasted_ns.is_(None)),
    open=_NOT_CLOSED,
)
_CALLS = _List(
    t.calls,
    calls_with_incidents,
    _C.started_utc_ns,
    waits=and_(_C.ended_utc_ns.is_(None), _C.waited_ns.is_(None)),
    goes_on=_C.ended_utc_ns.is_(None),
    open=_C.ended_utc_ns.is_(None),
)


def _page(engine: Engine, of: _List, wanted: Wanted, names: Names, limit: int, before: int | None) -> list[dict[str, Any]]:
    with looking(engine) as connection:
        filters = _filters(connection, of, wanted, names, first=before is None)
        if filters is None:
            return []
        found = narrowed(connection, of.query(), filters, of.number, before)
        return [dict(row) for row in connection.execute(found.order_by(of.number.desc()).limit(limit)).mappings()]


def _count(engine: Engine, of: _List, wanted: Wanted, names: Names, most: int) -> int:
    with looking(engine) as connection:
        filters = _filters(connection, of, wanted, names, first=True)
        if filters is None:
            return 0
        found = narrowed(connection, of.query().with_only_columns(of.number), filters, of.number)
        some = found.order_by(of.number.desc()).limit(most).subquery()
        return connection.execute(select(func.count()).select_from(some)).scalar_one()


def _filters(connection: Connection, of: _List, wanted: Wanted, names: Names, first: bool) -> list[Filter] | None:
    """None where a word stands nowhere. `first`: a page with none before it."""
    filters = list(_plain(of, wanted))
    if wanted.from_utc_ns is not None or wanted.to_utc_ns is not None:
        filters.append(_when(of, wanted, first, alone=not filters and not wanted.words))
    for word in map(noted.folded, wanted.words):
        filter = _word(connection, of, word, names) if word.strip() else None
        if filter is None:
            return None
        filters.append(filter)
    return filters


def _plain(of: _List, wanted: Wanted) -> Iterator[Filter]:
    c = of.table.c
    for name in ("point", "operator", "state"):
        if getattr(wanted, name) is not None:
            yield equal(c[name], getattr(wanted, name), of.number)
    for name in ("outcome", "priority"):
        if getattr(wanted, name) is not None:
            yield _of_incident(of, name, getattr(wanted, name))
    if wanted.open_only:
        yield Filter(of.open, select(of.number).where(of.open))
    if (wanted.wait_at_least_ns, wanted.wait_at_most_ns) != (None, None):
        yield _lasting(of, "waited_ns", of.waits, wanted.wait_at_least_ns, wanted.wait_at_most_ns, wanted.now_utc_ns)
    if (wanted.length_at_least_ns, wanted.length_at_most_ns) != (None, None):
        yield _lasting(of, "lasted_ns", of.goes_on, wanted.length_at_least_ns, wanted.length_at_most_ns, wanted.now_utc_ns)


def _of_incident(of: _List, name: str, value: object) -> Filter:
    column = t.incidents.c[name]
    if of.table is t.incidents:
        return equal(column, value, of.number)
    return Filter(free(column) == value, of.of_incidents(column == value), select(t.incidents.c.number).where(column == value))


def _when(of: _List, wanted: Wanted, first: bool, alone: bool) -> Filter:
    began, least, most = of.began, wanted.from_utc_ns, wanted.to_utc_ns
    within = _between(began, least, None if most is None else most - 1)
    numbers = select(of.number).where(within)
    holds = _between(free(began), least, None if most is None else most - 1)
    bounds = []
    if most is not None and first:
        bounds.append(of.number <= select(func.max(of.number)).where(within).scalar_subquery())
    if least is not None and not alone:
        bounds.append(of.number >= select(func.min(of.number)).where(within).scalar_subquery())
    return Filter(holds, numbers, within=tuple(bounds))


def _lasting(of: _List, name: str, not_over: ColumnElement[bool], least: int | None, most: int | None, now_ns: int) -> Filter:
    lasted, so_far = of.table.c[name], now_ns - free(of.began)
    numbers = union_all(
        select(of.number).where(_between(lasted, least, most)), select(of.number).where(not_over, _between(so_far, least, most))
    )
    holds = _between(func.coalesce(lasted, so_far), least, most)
    return Filter(holds, select(numbers.subquery().c.number))


def _between(value: ColumnElement[Any], least: int | None, most: int | None) -> ColumnElement[bool]:
    return and_(true(), *([value >= least] if least is not None else []), *([value <= most] if most is not None else []))


def _word(connection: Connection, of: _List, word: str, names: Names) -> Filter | None:
    """Where one word stands: in a name of the plan, in an id, or in a note of the incident. None: nowhere."""
    c, i, like = of.table.c, t.incidents.c, _like(word)
    points = _called(word, names.points, _seen(connection, of.table, "point"))
    operators = _called(word, names.operators, _seen(connection, of.table, "operator"))
    outcomes = _called(word, names.outcomes, _seen(connection, t.incidents, "outcome"))
    having = noted.having(like, _ESCAPE)
    in_notes = connection.execute(having.limit(1)).first()
    in_ids = _with_id(connection, of, like) if _IN_AN_ID.fullmatch(word) else []
    noting = select(t.noted.c.incident).where(t.noted.c.word.in_(having))
    parts: list[tuple[object, Select[int], Select[int]]] = [  # where there is something; those rows; about as many
        (points, select(of.number).where(c.point.in_(points)), select(of.number).where(c.point.in_(points))),
        (operators, select(of.number).where(c.operator.in_(operators)), select(of.number).where(c.operator.in_(operators))),
        (outcomes, of.of_incidents(i.outcome.in_(outcomes)), select(i.number).where(i.outcome.in_(outcomes))),
        (in_notes, noting if of.table is t.incidents else of.of_incidents(i.number.in_(noting)), noting),
        (in_ids, _these(in_ids), _these(in_ids)),
    ]
    found = [(numbers, counted) for there, numbers, counted in parts if there]
    if not found:
        return None
    holds = or_(
        free(c.point).in_(points),
        free(c.operator).in_(operators),
        free(i.outcome).in_(outcomes),
        *([noted.one_of(having)] if in_notes else []),
        *([c.id.like(like, escape=_ESCAPE)] if in_ids else []),
    )
    numbers, counted = (union_all(*some).subquery() for some in zip(*found, strict=True))
    return Filter(holds, select(numbers.c[0]), select(counted.c[0]))


def _with_id(connection: Connection, of: _List, like: str) -> list[int]:
    """Numbers of rows in whose id a word stands, where they are few: along the index of ids, which is a fraction of the table."""
    rows: Select[int] = select(literal_column("rowid")).select_from(of.table).where(of.table.c.id.like(like, escape=_ESCAPE))
    there = literal_column(f"{of.table.name}.rowid").in_(rows.limit(FEW))
    return list(connection.execute(select(of.number).where(there)).scalars())


def _these(numbers: list[int]) -> Select[int]:
    return select(func.json_each(json.dumps(numbers)).table_valued("value").c.value)


def _called(word: str, names: Mapping[str, str], seen: Iterable[str]) -> list[str]:
    """Ids that a word is a part of, or of whose names."""
    return [id for id in {*names, *seen} if word in noted.folded(id) or word in noted.folded(names.get(id, ""))]


def _seen(connection: Connection, table: Table, name: str) -> list[str]:
    """The values of a column, from one to the next along its index."""
    column = table.c[name]
    seen = select(func.min(column).label("value")).cte("seen", recursive=True)
    following = select(func.min(column)).where(column > seen.c.value).scalar_subquery()
    seen = seen.union_all(select(following).where(seen.c.value.is_not(None)))
    return list(connection.execute(select(seen.c.value).where(seen.c.value.is_not(None))).scalars())


def _like(word: str) -> str:
    for special in (_ESCAPE, "%", "_"):
        word = word.replace(special, _ESCAPE + special)
    return f"%{word}%"
