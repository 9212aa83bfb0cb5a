"""The quality sample as the journal tells it: which calls of a month are drawn, and what was found. Read-only.

A call belongs to the month whose rows hold its beginning: those behind the last row of the month before, up to the last row of
this one. So every call belongs to one month, also one that was journalled late, and what is drawn stays drawn.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from sqlalchemy import Engine, and_, func, select

from callserver.core import facts as f
from callserver.core import leg as legs
from callserver.core import quality as q
from callserver.store import schema as t
from callserver.store.queries import CallRow, calls_with_incidents
from callserver.store.read import last_number, rows_of

_AT_ONCE = 500  # values of one query
_SPARE = 8  # calls looked at beyond those wanted, for some have no sound any more
_NOTHING = "{}"  # the files of a call in which nothing was captured


@dataclass(frozen=True, slots=True)
class Sample:
    """A month's sample. `seed` None: it is not drawn yet. `doubt`: what is wrong with the seed, "" for nothing."""

    month: str
    zone: str
    begin_utc_ns: int
    end_utc_ns: int
    seed: f.SampleSeeded | None
    doubt: str
    operators: tuple[q.OfOperator, ...]


def seeds(engine: Engine) -> dict[str, f.SampleSeeded]:
    """The seeds of all months that were drawn, oldest first."""
    id = t.journal.c.id
    rows = rows_of(engine, and_(id >= q.SEEDS, id < _behind(q.SEEDS)))
    found = {row.fact.month: row.fact for row in rows if isinstance(row.fact, f.SampleSeeded)}
    return dict(sorted(found.items()))


def sheets(engine: Engine, call: str = "") -> dict[str, list[q.Sheet]]:
    """Call -> its sheets, oldest first, with their comments where not erased; of all calls, or of one."""
    id, begins = t.journal.c.id, f"{q.SHEETS}{call}:" if call else q.SHEETS
    found: dict[str, list[q.Sheet]] = {}
    for row in rows_of(engine, and_(id >= begins, id < _behind(begins))):
        if isinstance(row.fact, f.CallScored):
            found.setdefault(row.fact.of, []).append(q.Sheet(row.fact, row.utc_ns))
    return found


def last_before(engine: Engine, utc_ns: int) -> int:
    """The last row of the journal from before a moment; 0 where there is none. Rows are in the order of time."""
    low, high = 0, last_number(engine)
    with engine.connect() as connection:
        while low < high:
            middle = (low + high + 1) // 2
            at = connection.execute(select(t.journal.c.utc_ns).where(t.journal.c.number == middle)).scalar_one()
            low, high = (middle, high) if at < utc_ns else (low, middle - 1)
    return low


def due(engine: Engine, zone: str, months: int) -> list[tuple[str, int, str]]:
    """Months that are over and have no seed yet: (month, its last row, that row's hash), oldest first, of the last so many.

    A month is over when the journal has a row from behind its end: one that was written late may still belong to it.
    """
    newest = last_number(engine)
    if not newest:
        return []
    (first, _), (last, _) = (_row(engine, number) for number in (1, newest))
    month = max(q.month_of(first, zone), q.neighbour(q.month_of(last, zone), -months))
    known, found = seeds(engine), []
    while q.begin_of(q.neighbour(month, 1), zone) <= last:
        row = 0 if month in known else last_before(engine, q.begin_of(q.neighbour(month, 1), zone))
        if row:
            found.append((month, row, _row(engine, row)[1]))
        month = q.neighbour(month, 1)
    return found


def doubt(engine: Engine, seed: f.SampleSeeded) -> str:
    """What is wrong with a seed, in words; "" where it is the hash of its month's last row."""
    if not 0 < seed.row < last_number(engine):
        return f"the journal has no row {seed.row} from whose hash it was drawn"
    (at, hash), (after, _) = _row(engine, seed.row), _row(engine, seed.row + 1)
    if hash != seed.seed:
        return f"the seed is not the hash of row {seed.row}"
    end = q.begin_of(q.neighbour(seed.month, 1), seed.zone)
    return "" if at < end <= after else f"row {seed.row} is not the last of {seed.month}"


def sample(engine: Engine, month: str, zone: str, scored: Collection[str]) -> Sample:
    """The sample of a month, by the seed where there is one. `scored` are calls that have a sheet. ValueError for no month."""
    known = seeds(engine)
    seed = known.get(month)
    zone = seed.zone if seed else zone
    begin, end = q.begin_of(month, zone), q.begin_of(q.neighbour(month, 1), zone)
    since, until = _rows_of(engine, known, month, zone)
    if seed is None:
        return Sample(month, zone, begin, end, None, "", _counted(engine, since, until))
    order = q.ordered(seed.seed, _answered(engine, since, until))
    found = tuple(_drawn(engine, operator, order[operator], seed.calls_per_operator, scored) for operator in sorted(order))
    return Sample(month, zone, begin, end, seed, doubt(engine, seed), found)


def month_of_call(engine: Engine, number: int, zone: str) -> str:
    """The month to which a call belongs whose beginning is this row."""
    known = seeds(engine)
    for month, seed in known.items():
        if number <= seed.row:
            since, _until = _rows_of(engine, known, month, seed.zone)
            if number > since:
                return month
            break
    return q.month_of(_row(engine, number)[0], zone)


def calls(engine: Engine, ids: Sequence[str]) -> dict[str, CallRow]:
    """These calls, by id."""
    found: dict[str, CallRow] = {}
    with engine.connect() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            query = calls_with_incidents().where(t.calls.c.id.in_(ids[start : start + _AT_ONCE]))
            found.update({row["id"]: CallRow(**row) for row in connection.execute(query).mappings()})
    return found


def people_of(engine: Engine, call: str) -> set[str]:
    """The operators who were in a call."""
    c = t.legs.c
    query = select(c.party).where(c.call == call, c.role == legs.OPERATOR, c.answered_utc_ns.is_not(None))
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())


def _rows_of(engine: Engine, known: Mapping[str, f.SampleSeeded], month: str, zone: str) -> tuple[int, int]:
    """The rows of a month: behind the first number, up to the second."""
    before, own = known.get(q.neighbour(month, -1)), known.get(month)
    since = before.row if before else last_before(engine, q.begin_of(month, zone))
    return since, own.row if own else last_before(engine, q.begin_of(q.neighbour(month, 1), zone))


def _drawn(engine: Engine, operator: str, order: list[tuple[bytes, str]], wanted: int, scored: Collection[str]) -> q.OfOperator:
    """Looks only as far as it must: of most calls nobody needs to know their place, nor whether there is sound."""
    own = [entry for entry in order if entry[1] in scored] if scored else []
    looked = wanted + _SPARE
    while True:
        some = [call for _digest, call in nsmallest(looked, order)]
        chosen = q.chosen(some, wanted, _gone(engine, some), scored)
        if not chosen.short or looked >= len(order):
            further = tuple(call for _digest, call in sorted(own) if call not in some)
            return q.OfOperator(operator, len(order), chosen.drawn + further, chosen.passed)
        looked *= 4


def _gone(engine: Engine, ids: Sequence[str]) -> set[str]:
    """Those whose recording was deleted, or in which nothing was captured."""
    found: set[str] = set()
    d, r = t.deletions.c, t.recordings.c
    with engine.connect() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            found.update(connection.execute(select(d.call).where(d.call.in_(some))).scalars())
            found.update(connection.execute(select(r.call).where(r.call.in_(some), r.files == _NOTHING)).scalars())
    return found


def _answered(engine: Engine, since: int, until: int) -> Iterable[tuple[str, str]]:
    """(operator, call) of those that began in these rows and were answered by an operator."""
    c = t.calls.c
    query = select(c.operator, c.id).where(c.number > since, c.number <= until, c.answered_utc_ns.is_not(None))
    with engine.connect() as connection:
        return [(operator, call) for operator, call in connection.execute(query.where(c.operator.is_not(None)))]


def _counted(engine: Engine, since: int, until: int) -> tuple[q.OfOperator, ...]:
    c = t.calls.c
    query = select(c.operator, func.count()).where(c.number > since, c.number <= until, c.answered_utc_ns.is_not(None))
    with engine.connect() as connection:
        rows = connection.execute(query.where(c.operator.is_not(None)).group_by(c.operator).order_by(c.operator)).all()
    return tuple(q.OfOperator(operator, count) for operator, count in rows)


def _row(engine: Engine, number: int) -> tuple[int, str]:
    """(UTC ns, hash in hex) of a row."""
    c = t.journal.c
    with engine.connect() as connection:
        at, hash = connection.execute(select(c.utc_ns, c.hash).where(c.number == number)).one()
    return at, hash.hex()


def _behind(prefix: str) -> str:
    """The first id that does not begin so, in their order."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
