"""Who looked at what: sign-ins, searches, listens, what was heard, sent and taken away, and what was changed beside the calls."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, String, and_, case, cast, func, or_, text, true

from callserver.core.ids import CallId, incident_of_call
from callserver.store import schema as t
from callserver.store.read import Row, newest_of

KINDS: dict[str, tuple[str, ...]] = {
    "signed-in": ("SignedIn",),
    "searched": ("Searched",),
    "listened": ("Listened",),
    "heard": ("Played", "RecordingSent"),
    "taken": ("Downloaded", "ExportFetched", "SearchExported"),
    "exports": ("DisclosureMade", "ExportApproved", "ExportAsked", "ExportFailed", "PackMade", "RedactionMade"),
    "accounts": ("AccountChanged",),
    "settings": ("ConfigurationRead", "PlanAdopted"),
}
"""What is looked at together: a name, and the kinds of fact. The index `journal_looks` has the same kinds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; None is anything. `by`: who looked; of a sign-in, who signed in. `what`: a name of `KINDS`."""

    by: str | None = None
    call: str | None = None
    what: str | None = None
    from_utc_ns: int | None = None
    to_utc_ns: int | None = None


def looks(engine: Engine, wanted: Wanted, limit: int, before: int | None = None) -> list[Row]:
    """Facts that fit, newest first, with their texts where not erased; `before` is the number of the last row seen."""
    j = t.journal.c
    kinds = KINDS[wanted.what] if wanted.what is not None else ()
    where = and_(
        text(t.LOOKS),
        j.kind.in_(kinds) if kinds else true(),
        j.number < before if before is not None else true(),
        j.utc_ns >= wanted.from_utc_ns if wanted.from_utc_ns is not None else true(),
        j.utc_ns < wanted.to_utc_ns if wanted.to_utc_ns is not None else true(),
        _by(wanted.by) if wanted.by is not None else true(),
        _about(wanted.call) if wanted.call is not None else true(),
    )
    return newest_of(engine, where, limit)


def _by(person: str) -> ColumnElement[bool]:
    body = cast(t.journal.c.body, String)
    return func.json_extract(body, case((t.journal.c.kind == "SignedIn", "$.user"), else_="$.by")) == person


def _about(call: str) -> ColumnElement[bool]:
    """Of the call, or of its incident and of no other call."""
    j = t.journal.c
    return or_(j.call == call, and_(j.incident == incident_of_call(CallId(call)), j.call.is_(None)))
