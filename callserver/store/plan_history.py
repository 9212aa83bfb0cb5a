"""The plans that were in force, from the journal."""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Engine, select

from callserver.core.facts import PlanAdopted
from callserver.store import schema as t
from callserver.store.read import rows_of
from dialplans.model import Plan


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A version: who put it in force and when; `digest` is that of its texts."""

    version: int
    digest: str
    by: str
    adopted_utc_ns: int


def versions(engine: Engine) -> list[PlanRow]:
    """All of them, newest first."""
    c = t.plans.c
    query = select(c.version, c.digest, c.adopted_by, c.adopted_utc_ns).order_by(c.number.desc())
    with engine.connect() as connection:
        return [PlanRow(*row) for row in connection.execute(query)]


def version(engine: Engine, number: int) -> tuple[PlanRow, Plan] | None:
    """One of them with the plan; None when there was none such."""
    row = next((row for row in versions(engine) if row.version == number), None)
    if row is None:
        return None
    place = select(t.plans.c.number).where(t.plans.c.version == number).scalar_subquery()
    fact = cast(PlanAdopted, rows_of(engine, t.journal.c.number == place)[0].fact)
    return row, fact.plan


def before(engine: Engine, number: int) -> int | None:
    """The version that was in force before this one."""
    numbers = [row.version for row in versions(engine)]
    older = numbers[numbers.index(number) + 1 :] if number in numbers else []
    return older[0] if older else None
