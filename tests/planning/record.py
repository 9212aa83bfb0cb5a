"""A night at Darlington, the journal that a service would have written of it, and what is taken from such a journal."""

from dataclasses import replace

from callserver.core.facts import Fact
from callserver.core.instant import SECOND, Instant
from callserver.planning.period import Period
from callserver.planning.recorded import Recorded
from callserver.planning.rehearse import Rehearsal, rehearse
from callserver.planning.sitting import Sitting
from dialplans.load import shipped
from dialplans.model import Plan
from tests import sources

PLAN_FILE = sources.ROOT / "dialplans" / "darlington.toml"
DARLINGTON = shipped("darlington")
NOON = Instant(1_772_366_400 * SECOND)
BOOT_NS = 77 * SECOND  # a machine's own clock, when the period begins
STORM = """
[storm]
name = "Night"
start = "2026-06-06T20:00"
duration = "6h"

[people]
answer = { median = "7s", factor = 1.8 }
unanswered = 0.2
party_answer = { median = "15s", factor = 1.5 }

[[arrivals]]
per_hour = 15.0
talk = { median = "2m", factor = 1.8 }

[[pranks]]
per_hour = 4.0
every = { mean = "15s" }
talk = "10s"
patience = { mean = "30s" }
silent = 0.3

[[seats_dead]]
at = "3h"
share = 0.5
back_after = "30m"
"""
Rows = list[tuple[Fact, int, int]]  # fact, instant, UTC


def journal_of(period: Period, plan: Plan = DARLINGTON) -> Rows:
    """What a service would have written in this period."""
    rows: Rows = []

    def take(fact: Fact, at: Instant) -> None:
        rows.append((fact, at - period.begins + BOOT_NS, at))

    Sitting(period, ((period.begins, plan),), take).run()
    return rows


def recorded(rows: Rows, since: int | None = None, until: int | None = None) -> Recorded:
    """The rows, taken."""
    found = Recorded(since, until)
    for row in rows:
        found.take(*row)
    return found


def again(found: Recorded, plan: Plan = DARLINGTON) -> Rehearsal:
    """The record, the plan of then, another."""
    period = found.period("again")
    return rehearse(period, plan, period.plans, found.waits)


def quicker() -> Plan:
    """A ladder that has no step later than 10 s."""
    ladders = {
        id: replace(ladder, steps=tuple(replace(step, after_ms=min(step.after_ms, 10_000)) for step in ladder.steps))
        for id, ladder in DARLINGTON.ladders.items()
    }
    return replace(DARLINGTON, ladders=ladders)
