"""Months of answered calls, as short as calls can be, in a real store: for what is drawn from them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, LegId, OfferId, OperatorId, PointId
from callserver.store.commit import commit
from callserver.store.engine import open_store
from callserver.store.ops import append_op
from callserver.store.upgrade import upgrade
from dialplans.load import shipped

SECOND = 1_000_000_000
PLAN = shipped("darlington")  # Europe/London
POINT = next(iter(PLAN.points))
OLIVE, PAUL = list(PLAN.operators)[:2]


def utc_ns(text: str) -> int:
    """A moment of UTC, `2026-10-31T23:59:58`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def call_of(number: int) -> CallId:
    """The id of the call with this number."""
    return CallId(f"26-{number:05d}.1")


def adopted(at_ns: int) -> tuple[int, f.Fact]:
    """The plan by whose clocks months end."""
    return at_ns, f.PlanAdopted(1, "d" * 64, PLAN, "start")


def answered(number: int, operator: str, at_ns: int, sound: bool = True) -> list[tuple[int, f.Fact]]:
    """A call that an operator had, and its recording; without `sound` nothing was captured."""
    call, incident = call_of(number), IncidentId(f"26-{number:05d}")
    leg = LegId(f"{call}.2")
    facts: Sequence[f.Fact] = (
        f.IncidentOpened(incident, PointId(POINT), next(iter(PLAN.queues)), 0, 1),
        f.CallOpened(call, incident, PointId(POINT)),
        f.LegCreated(leg, call, "operator", operator, False),
        f.LegMoved(leg, "ringing", "up", "answered"),
        f.OfferEnded(OfferId(f"{call}.o1"), "accepted", "answered", OperatorId(operator)),
        f.CallMoved(call, "talking", "ended", "every leg is over"),
        f.IncidentMoved(incident, "wrap-up", "closed", "an outcome was given", OperatorId(operator)),
        f.RecordingMade(call, {f"{call}/call.flac": "a" * 64} if sound else {}, {}, 4000, 0),
    )
    return [(at_ns + place * SECOND, fact) for place, fact in enumerate(facts)]


def unanswered(number: int, at_ns: int) -> list[tuple[int, f.Fact]]:
    """A call that nobody had."""
    call, incident = call_of(number), IncidentId(f"26-{number:05d}")
    facts: Sequence[f.Fact] = (
        f.IncidentOpened(incident, PointId(POINT), next(iter(PLAN.queues)), 0, 1),
        f.CallOpened(call, incident, PointId(POINT)),
        f.CallMoved(call, "waiting", "ended", "hung up"),
    )
    return [(at_ns + place * SECOND, fact) for place, fact in enumerate(facts)]


def write(data: Path, told: Iterable[tuple[int, f.Fact]], ids: str = "m") -> None:
    """These facts into the store below `data`, each with its UTC ns; `ids` tells them from those of other calls."""
    engine = open_store(data)
    upgrade(engine)
    commit(engine, [append_op(f"{ids}-{n}", fact, 0, at_ns, 1) for n, (at_ns, fact) in enumerate(told)])
    engine.dispose()


def note(data: Path, id: str, fact: f.Fact, at_ns: int) -> None:
    """One fact under a name of its own."""
    engine = open_store(data)
    commit(engine, [append_op(id, fact, 0, at_ns, 1)])
    engine.dispose()


def autumn(data: Path, calls: int = 20) -> None:
    """October, November and the first of December of 2026: each day's calls go to the two operators by turns, one call of a
    hundred is nobody's; October's last call is answered a second before midnight."""
    told = [adopted(utc_ns("2026-10-01T08:00:00"))]
    for number in range(calls):
        told += answered(number, (OLIVE, PAUL)[number % 2], utc_ns("2026-10-02T12:00:00") + number * 3600 * SECOND)
    told += unanswered(900, utc_ns("2026-10-30T12:00:00"))
    told += answered(901, OLIVE, utc_ns("2026-10-31T23:59:50"))
    for number in range(100, 100 + calls):
        told += answered(number, (OLIVE, PAUL)[number % 2], utc_ns("2026-11-02T12:00:00") + number * 3600 * SECOND)
    told += answered(902, OLIVE, utc_ns("2026-12-01T08:00:00"))
    write(data, told)
