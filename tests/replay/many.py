"""A store with as many calls as wanted, made fast: rows of the projections and the notes, as years of work would leave them.

The journal's hashes are not those of a chain: nothing here is for verifying.
"""

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.store import schema as t
from callserver.store.engine import open_store, writing
from callserver.store.upgrade import upgrade
from dialplans.load import shipped

PLAN = shipped("darlington")
START_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
APART_S = 900
RARE = "bicycle"  # in one note of a thousand
TEXTS = ("Caller was calm, patrol informed", "Test press by staff", "Lost child, found by the market", "Noise from the taxi rank")
BATCH = 5_000


def fill(data: Path, calls: int, after: int = 0) -> None:
    """A migrated store below `data` with so many incidents, a call and a note each, oldest first; numbered after `after`."""
    engine = open_store(data)
    upgrade(engine)
    rows = _rows(random.Random(7), calls, after)
    while some := list(islice(rows, BATCH)):
        with writing(engine) as connection:
            for table in (t.incidents, t.calls, t.journal, t.journal_erasable):
                connection.execute(insert(table), [row[table.name] for row in some])
    engine.dispose()


def incident_of(number: int) -> str:
    """The id of the incident with this place in time, from 0."""
    return f"bulk-{number:06d}"


def _rows(chance: random.Random, count: int, after: int) -> Iterator[dict[str, dict[str, Any]]]:
    points, operators, outcomes = list(PLAN.points), list(PLAN.operators), list(PLAN.outcomes)
    for n in range(count):
        opened = START_NS + n * APART_S * SECOND
        answered = opened + chance.randrange(1, 60) * SECOND
        ended = answered + chance.randrange(10, 900) * SECOND
        outcome, operator, point = chance.choice(outcomes), chance.choice(operators), chance.choice(points)
        note = chance.choice(TEXTS) + (f", {RARE}" if n % 1000 == 7 else "")
        number = {"number": after + n + 1}
        yield {
            "incidents": _incident(n, point, operator, outcome, opened, ended) | {"priority": n % 4} | number,
            "calls": _call(n, point, operator, opened, answered, ended) | number,
            "journal": _said(n, outcome, operator, ended) | number,
            "journal_erasable": number | {"field": "note", "salt": b"s", "value": note},
        }


def _incident(n: int, point: str, operator: str, outcome: str, opened: int, ended: int) -> dict[str, Any]:
    return {
        "id": incident_of(n),
        "point": point,
        "queue": "town",
        "plan_version": 1,
        "state": "closed",
        "reason": "an outcome was given",
        "presses": 1,
        "step": 0,
        "operator": operator,
        "outcome": outcome,
        "outcome_by": operator,
        "opened_utc_ns": opened,
        "changed_utc_ns": ended,
        "closed_utc_ns": ended + 30 * SECOND,
    }


def _call(n: int, point: str, operator: str, opened: int, answered: int, ended: int) -> dict[str, Any]:
    return {
        "id": f"{incident_of(n)}.1",
        "incident": incident_of(n),
        "point": point,
        "state": "ended",
        "reason": "every leg is over",
        "operator": operator,
        "started_utc_ns": opened,
        "answered_utc_ns": answered,
        "ended_utc_ns": ended,
    }


def _said(n: int, outcome: str, operator: str, ended: int) -> dict[str, Any]:
    fact = f.OutcomeRecorded(IncidentId(incident_of(n)), outcome, operator)
    return {
        "framing": 1,
        "id": f"bulk-{n}",
        "kind": type(fact).__name__,
        "at_instant_ns": ended - START_NS,
        "utc_ns": ended,
        "anchor": 1,
        "incident": fact.incident,
        "call": None,
        "body": b"{}",
        "body_hash": b"",
        "prev_hash": b"",
        "hash": n.to_bytes(8, "big"),
    }
