"""The call-back list and the sheet for the next shift, as the switchboard has them; and what people ask of the list."""

from collections.abc import Iterable
from typing import Self

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from callserver import control_handover as told
from callserver.control import CommandClient, Unavailable, Verb
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.roles import Role
from callserver.web.service import service
from callserver.web.times import rfc3339
from dialplans.model import Priority

router = APIRouter()


class AttemptAnswer(BaseModel):
    """The point was called back: for whom (empty: an outside party), and what came of it (empty: it rings)."""

    at: str
    operator: str
    result: str


class CallBackAnswer(BaseModel):
    """An open incident that nobody has. `owner` null: the room's. `acknowledge_by`: it was passed, and is not acknowledged."""

    id: str
    point: str
    place: str
    name: str = Field(alias="class")
    queue: str
    state: str
    cause: str
    why: str
    opened: str
    since: str
    due: str | None
    owner: str | None
    owner_name: str | None
    acknowledge_by: str | None
    attempts: list[AttemptAnswer]

    @classmethod
    def of(cls, one: told.Listed) -> Self:
        """From the switchboard's."""
        same = {name: getattr(one, name) for name in ("id", "point", "place", "queue", "state", "cause", "why")}
        attempts = [AttemptAnswer(at=_time(t.at_utc_ns) or "", operator=t.operator, result=t.result) for t in one.attempts]
        times = {
            "opened": _time(one.opened_utc_ns) or "",
            "since": _time(one.since_utc_ns) or "",
            "due": _time(one.due_utc_ns),
            "acknowledge_by": _time(one.acknowledge_by_utc_ns),
        }
        owner = {"owner": one.owner or None, "owner_name": one.owner_name or None}
        urgency = {"class": Priority(one.priority).name.lower()}
        return cls.model_validate(same | times | owner | urgency | {"attempts": attempts})


class CallBacks(BaseModel):
    """The list, the oldest first; `listed` is how many there are, where not all are told."""

    items: list[CallBackAnswer]
    listed: int


class OpenAnswer(BaseModel):
    """An open incident that somebody has, or whose caller waits on the line."""

    id: str
    point: str
    place: str
    state: str
    opened: str
    operator: str | None


class OnDutyAnswer(BaseModel):
    """An operator on duty."""

    id: str
    name: str
    state: str
    since: str


class LostPoint(BaseModel):
    """A point that cannot be reached."""

    id: str
    place: str


class AlarmText(BaseModel):
    """An alarm that rings."""

    key: str
    text: str


class HandoverAnswer(CallBacks):
    """What one shift hands to the next: the call-back list, the other open incidents, who is on duty, what is out of order."""

    made: str
    plan: str
    others: list[OpenAnswer]
    on_duty: list[OnDutyAnswer]
    points: list[LostPoint]
    trunks: list[str]
    alarms: list[AlarmText]


class Successor(BaseModel):
    """An operator on duty; empty: the next on duty, by the rule."""

    model_config = ConfigDict(extra="forbid", strict=True)
    to: str = Field(default="", max_length=64)


class Caller(BaseModel):
    """Whose seat is to ring first; by default whoever asks."""

    model_config = ConfigDict(extra="forbid", strict=True)
    operator: str = Field(default="", max_length=64)


@router.get("/api/call-backs")
async def call_backs(request: Request) -> CallBacks:
    """Open incidents that nobody has, with owner and clock, the oldest first."""
    sheet = await _sheet(service(request).commands)
    return CallBacks(items=_listed(sheet.call_backs), listed=sheet.listed)


@router.get("/api/handover")
async def handover(request: Request) -> HandoverAnswer:
    """The sheet for the next shift."""
    sheet = await _sheet(service(request).commands)
    return HandoverAnswer(
        items=_listed(sheet.call_backs),
        listed=sheet.listed,
        made=_time(sheet.made_utc_ns) or "",
        plan=sheet.plan,
        others=[_open(one) for one in sheet.others],
        on_duty=[
            OnDutyAnswer(id=one.id, name=one.name, state=one.state, since=_time(one.since_utc_ns) or "") for one in sheet.on_duty
        ],
        points=[LostPoint(id=one.id, place=one.place) for one in sheet.points],
        trunks=list(sheet.trunks),
        alarms=[AlarmText(key=one.key, text=one.text) for one in sheet.alarms],
    )


@router.post("/api/incidents/{id}/give")
async def give(request: Request, id: Id, successor: Successor | None = None) -> Done:
    """Give an incident on the list to an operator on duty, or take it."""
    who, to = signed_in(request), successor.to if successor else ""
    owner = _owner(request, id)
    if who.role == Role.OPERATOR and to != who.user and owner not in ("", who.user):
        what_to_do = "Operators give away what is theirs or nobody's, and take what they want; ask a supervisor."
        raise ApiError(403, "not-yours", f"The incident is {owner}'s.", what_to_do)
    await service(request).commands.ask(Verb.GIVE_OWNER, {"incident": id, "to": to, "by": who.user})
    return Done()


@router.post("/api/incidents/{id}/acknowledge")
async def acknowledge(request: Request, id: Id) -> Done:
    """Say that you have seen that this incident was passed to you."""
    _owner(request, id)
    return await _acknowledge(request, id)


@router.post("/api/call-backs/acknowledge")
async def acknowledge_all(request: Request) -> Done:
    """Say so of everything that was passed to you."""
    return await _acknowledge(request, "")


@router.post("/api/incidents/{id}/call-back")
async def call_back(request: Request, id: Id, caller: Caller | None = None) -> Done:
    """Call the point of an incident on the list back, in the same incident: an operator's seat rings first."""
    who = signed_in(request)
    operator = (caller.operator if caller else "") or who.user
    if who.role == Role.OPERATOR and operator != who.user:
        raise ApiError(403, "not-allowed", "Operators call back themselves.", "Ask a supervisor.")
    _owner(request, id)
    await service(request).commands.ask(Verb.CALL_BACK, {"incident": id, "operator": operator, "by": who.user})
    return Done()


async def _acknowledge(request: Request, incident: str) -> Done:
    who = signed_in(request).user
    await service(request).commands.ask(Verb.ACKNOWLEDGE, {"operator": who, "incident": incident, "by": who})
    return Done()


async def _sheet(commands: CommandClient) -> told.Handover:
    answer = await commands.ask(Verb.HANDOVER)
    try:
        return msgspec.convert(answer, told.Handover)
    except msgspec.ValidationError as error:
        raise Unavailable(f"the switchboard's sheet does not fit: {error}") from error


def _owner(request: Request, id: str) -> str:
    """Whose it is by the board; 404 for what is not on the board. Without a board the switchboard says it."""
    board = service(request).present.board
    if board.epoch and f"incident/{id}" not in board.items:
        raise not_found("incident", id)
    return str(board.items.get(f"incident/{id}", {}).get("owner", ""))


def _listed(items: Iterable[told.Listed]) -> list[CallBackAnswer]:
    return [CallBackAnswer.of(one) for one in items]


def _open(one: told.OpenIncident) -> OpenAnswer:
    opened = _time(one.opened_utc_ns) or ""
    return OpenAnswer(id=one.id, point=one.point, place=one.place, state=one.state, opened=opened, operator=one.operator or None)


def _time(utc_ns: int) -> str | None:
    return rfc3339(utc_ns or None)
