"""Examining what was deleted: nothing that was held at that moment, and of each call what the journal says.

Written apart from `verify_journal.py`, which does the same for strangers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Engine, select

from callserver.core.facts import HoldLifted, HoldPlaced, RecordingDeleted, TextsErased
from callserver.core.ids import CallId, incident_of_call
from callserver.store import schema as t
from callserver.store.encoding import decode_fact
from callserver.store.evidence.examine import Wrong

_KINDS = tuple(kind.__name__ for kind in (HoldPlaced, HoldLifted, RecordingDeleted, TextsErased))


@dataclass(slots=True)
class Deleted:
    """What was deleted of a call: by name the row of the last fact that says so."""

    rows: dict[str, int] = field(default_factory=dict)

    def has(self, name: str, made: int) -> bool:
        """Whether a file that row `made` knows was deleted behind it."""
        return made < self.rows.get(name, 0)


def check_deletions(engine: Engine) -> Mapping[CallId, Deleted]:
    """What was deleted, by call. Raises `Wrong` for the first deletion or erasure of what was held."""
    c = t.journal.c
    with engine.connect() as connection:
        rows = connection.execute(select(c.number, c.kind, c.body).where(c.kind.in_(_KINDS)).order_by(c.number)).all()
    standing: dict[str, tuple[int, str]] = {}
    deleted: dict[CallId, Deleted] = {}
    for number, kind, body in rows:
        try:
            fact = decode_fact(kind, body)
        except msgspec.DecodeError as error:
            raise Wrong(f"row {number}: this {kind} lacks a field or has a wrong one: {error}") from error
        if isinstance(fact, HoldPlaced):
            if fact.hold in standing:
                raise Wrong(f"row {number}: hold {fact.hold} stands already, since row {standing[fact.hold][0]}")
            standing[fact.hold] = (number, fact.incident)
        elif isinstance(fact, HoldLifted):
            if standing.pop(fact.hold, (0, ""))[1] != fact.incident:
                raise Wrong(f"row {number}: no hold {fact.hold} stands on incident {fact.incident}")
        elif isinstance(fact, RecordingDeleted):
            _require_free(standing, number, incident_of_call(fact.call), "recordings")
            named = dict.fromkeys((*fact.files, *fact.captures), number)
            deleted.setdefault(fact.call, Deleted()).rows.update(named)
        elif isinstance(fact, TextsErased):
            _require_free(standing, number, fact.incident, "texts")
    return deleted


def _require_free(standing: Mapping[str, tuple[int, str]], number: int, incident: str | None, what: str) -> None:
    for hold, (row, of) in standing.items():
        if of == incident:
            raise Wrong(f"row {number}: incident {incident} was held when its {what} were deleted, by hold {hold} of row {row}")
