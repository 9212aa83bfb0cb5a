"""What the API answers with. All times are RFC 3339 in UTC; a missing time is null."""

from typing import Any, Self

import msgspec
from pydantic import BaseModel

from callserver.core.facts import PlanAdopted
from callserver.store import queries, retained
from callserver.store.plan_history import PlanRow
from callserver.web.times import rfc3339


class CallAnswer(BaseModel):
    """One connection attempt with its legs. `number` is for `before` of the next page.

    `outcome`, `priority` and `note` are its incident's; an erased note is empty.
    """

    number: int
    id: str
    incident: str
    point: str
    state: str
    reason: str
    operator: str | None
    outcome: str | None
    priority: int | None
    note: str
    started: str
    answered: str | None
    ended: str | None

    @classmethod
    def of(cls, row: queries.CallRow, note: str = "") -> Self:
        """From the store's row."""
        return cls(
            number=row.number,
            id=row.id,
            incident=row.incident,
            point=row.point,
            state=row.state,
            reason=row.reason,
            operator=row.operator,
            outcome=row.outcome,
            priority=row.priority,
            note=note,
            started=rfc3339(row.started_utc_ns) or "",
            answered=rfc3339(row.answered_utc_ns),
            ended=rfc3339(row.ended_utc_ns),
        )


class LegAnswer(BaseModel):
    """One party's connection. `end_class`, `end_by` and `end_reason` say why it ended; `end_status` is SIP's, 0 for none."""

    id: str
    role: str
    party: str
    inbound: bool
    route: str
    state: str
    created: str
    answered: str | None
    ended: str | None
    end_class: str | None
    end_by: str | None
    end_reason: str | None
    end_status: int | None

    @classmethod
    def of(cls, row: queries.LegRow) -> Self:
        """From the store's row."""
        same = ("id", "role", "party", "inbound", "route", "state", "end_class", "end_by", "end_reason", "end_status")
        return cls(
            **{name: getattr(row, name) for name in same},
            created=rfc3339(row.created_utc_ns) or "",
            answered=rfc3339(row.answered_utc_ns),
            ended=rfc3339(row.ended_utc_ns),
        )


class RecordingAnswer(BaseModel):
    """What the archivist made. `files` are FLAC with their SHA-256; `losses_ms` is what never arrived."""

    files: dict[str, str]
    duration_ms: int
    losses_ms: int
    failures: int
    last_failure: str | None


class DeletedAnswer(BaseModel):
    """A recording is gone: by which rule of retention, or (`request`) because somebody asked for it."""

    at: str
    rule: str
    by: str

    @classmethod
    def of(cls, row: retained.DeletionRow | None) -> Self | None:
        """From the store's row."""
        return cls(at=rfc3339(row.deleted_utc_ns) or "", rule=row.rule, by=row.deleted_by) if row else None


class CallInFull(CallAnswer):
    """A call with its legs, and its recording once there is one; `deleted` where that is gone again."""

    legs: list[LegAnswer]
    recording: RecordingAnswer | None
    deleted: DeletedAnswer | None = None


class IncidentAnswer(BaseModel):
    """What a press opened and a person closes. `answered` is the first answer of all its calls; an erased note is empty."""

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
    note: str
    opened: str
    answered: str | None
    changed: str
    closed: str | None

    @classmethod
    def of(cls, row: queries.IncidentRow, note: str = "") -> Self:
        """From the store's row."""
        same = [name for name in cls.model_fields if name in queries.IncidentRow.__dataclass_fields__]
        return cls(
            **{name: getattr(row, name) for name in same},
            note=note,
            opened=rfc3339(row.opened_utc_ns) or "",
            answered=rfc3339(row.answered_utc_ns),
            changed=rfc3339(row.changed_utc_ns) or "",
            closed=rfc3339(row.closed_utc_ns),
        )


class IncidentInFull(IncidentAnswer):
    """An incident with its calls, oldest first."""

    calls: list[CallAnswer]


class FactAnswer(BaseModel):
    """A fact of the journal. `body` depends on `kind`, see docs/facts.md; erased texts are empty, a plan is left out."""

    number: int
    id: str
    at: str
    kind: str
    body: dict[str, Any]

    @classmethod
    def of(cls, row: queries.Row) -> Self:
        """From the journal's row."""
        body: dict[str, Any] = msgspec.to_builtins(row.fact)
        if isinstance(row.fact, PlanAdopted):
            del body["plan"]  # hundreds of kilobytes, and told by its digest
        return cls(number=row.number, id=row.id, at=rfc3339(row.utc_ns) or "", kind=type(row.fact).__name__, body=body)


class Calls(BaseModel):
    """Newest first."""

    items: list[CallAnswer]


class Incidents(BaseModel):
    """Newest first."""

    items: list[IncidentAnswer]


class Facts(BaseModel):
    """A timeline: oldest first. The audit's page: newest first."""

    items: list[FactAnswer]


class PointAnswer(BaseModel):
    """A point of the plan. `reachable` is null while nothing was heard of it."""

    id: str
    place: str
    queue: str
    priority: int
    latitude: float | None
    longitude: float | None
    reachable: bool | None
    reachable_why: str | None
    reachable_since: str | None
    incident: str | None


class Points(BaseModel):
    """In the plan's order."""

    items: list[PointAnswer]


class OperatorAnswer(BaseModel):
    """An operator of the plan, as the switchboard last told."""

    id: str
    name: str
    groups: list[str]
    state: str | None
    state_reason: str | None
    since: str | None
    reachable: bool | None


class Operators(BaseModel):
    """In the plan's order."""

    items: list[OperatorAnswer]


class QueueAnswer(BaseModel):
    """A queue of the plan: how many wait, and since when the oldest does."""

    id: str
    groups: list[str]
    ladder: str
    strategy: str
    waiting: int
    oldest: str | None
    available: int


class Queues(BaseModel):
    """In the plan's order."""

    items: list[QueueAnswer]


class AlarmAnswer(BaseModel):
    """Something that needs a person's attention, and still does."""

    key: str
    text: str
    raised: str | None  # None: not journalled yet


class Alarms(BaseModel):
    """Oldest first. `live`: the switchboard said so just now; else what the store had last."""

    items: list[AlarmAnswer]
    live: bool


class DiskAnswer(BaseModel):
    """Where things are kept: data, captures, recordings or spool, and the disk below it."""

    id: str
    free_bytes: int
    total_bytes: int
    bytes_per_hour: int | None  # by which it filled lately; None: not known in the first hour
    hours_left: float | None  # until it is full, if it goes on so; None where it does not fill
    measured: str


class Disks(BaseModel):
    """As the archivist found them last; none: the switchboard has not heard of them."""

    items: list[DiskAnswer]


class PlanAnswer(BaseModel):
    """A plan that came into force, when and by whom; `digest` is the SHA-256 of its files' texts."""

    version: int
    digest: str
    by: str
    adopted: str

    @classmethod
    def of(cls, row: PlanRow) -> Self:
        """From the store's row."""
        return cls(version=row.version, digest=row.digest, by=row.by, adopted=rfc3339(row.adopted_utc_ns) or "")


class Plans(BaseModel):
    """Newest first: the first is in force."""

    items: list[PlanAnswer]


class PlanFile(BaseModel):
    """A file of a plan as it was written."""

    name: str
    text: str


class PlanChange(BaseModel):
    """A place that is different; null where that plan has no such thing."""

    where: str
    old: str | None
    new: str | None


class PlanInFull(PlanAnswer):
    """A plan with its files (none where they were not kept) and what is different from `against`, the version before."""

    name: str
    files: list[PlanFile]
    against: int | None
    changes: list[PlanChange]


class PlanReloaded(BaseModel):
    """The plan in force. `changed` is false where the file says nothing else than before."""

    version: int
    name: str
    changed: bool
    warnings: list[str]


class Done(BaseModel):
    """A command was carried out."""

    done: bool = True
