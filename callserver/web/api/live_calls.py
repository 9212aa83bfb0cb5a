"""What people do with a live call: who is in it and heard in it, who has it; calls taken, and points called."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from callserver.control import Verb
from callserver.web.acting import allow_mode, on_call
from callserver.web.api.incidents import Id
from callserver.web.api.models import Done
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.roles import Role
from callserver.web.service import Service, service

Mode = Literal["listen", "whisper", "join", "private"]

router = APIRouter()


class _Body(BaseModel):
    """Nothing beside what is named, and of exactly that type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class OneLeg(_Body):
    """A leg of the call."""

    leg: str = Field(min_length=1, max_length=160)


class Muting(OneLeg):
    """A leg, and whether the others are not to hear it."""

    on: bool


class Bringing(_Body):
    """Whose seat is to be brought in (or a group's longest free), and how. `reason`: why somebody listens or whispers."""

    operator: str = Field(min_length=1, max_length=64)
    mode: Mode
    reason: str = Field(default="", max_length=500)


class Changing(OneLeg):
    """How a leg takes part from now on. `reason`: why somebody listens or whispers."""

    mode: Mode
    reason: str = Field(default="", max_length=500)


class Whom(_Body):
    """An operator; by default whoever asks."""

    operator: str = Field(default="", max_length=64)


class Destination(_Body):
    """An operator, a group or an outside party of the plan."""

    to: str = Field(min_length=1, max_length=64)


class OnePoint(_Body):
    """A point of the plan."""

    point: str = Field(min_length=1, max_length=64)


class Controlling(_Body):
    """What a point's device is to do, as its profile calls it. `leg`: of a point that was brought in; default the call's own."""

    control: str = Field(min_length=1, max_length=64)
    leg: str = Field(default="", max_length=160)


@router.post("/api/calls/{id}/mute")
async def mute(request: Request, id: Id, wanted: Muting) -> Done:
    """Let a leg hear the others without being heard, or be heard again."""
    return await _ask(request, id, Verb.MUTE, leg=wanted.leg, on=wanted.on)


@router.post("/api/calls/{id}/drop")
async def drop(request: Request, id: Id, wanted: OneLeg) -> Done:
    """End one leg of a call that goes on without it: with the operator's own, the call is left to the others."""
    return await _ask(request, id, Verb.DROP, leg=wanted.leg)


@router.post("/api/calls/{id}/bring")
async def bring(request: Request, id: Id, wanted: Bringing) -> Done:
    """Ring another operator's seat and bring it into the conversation."""
    the = await on_call(request, id)
    await allow_mode(request, id, wanted.mode, wanted.reason)
    return await _tell(the, request, id, Verb.BRING, operator=wanted.operator, mode=wanted.mode)


@router.post("/api/calls/{id}/mode")
async def mode(request: Request, id: Id, wanted: Changing) -> Done:
    """Change how a leg that was brought in takes part; an outside party's is private or joined."""
    the = await on_call(request, id)
    await allow_mode(request, id, wanted.mode, wanted.reason)
    return await _tell(the, request, id, Verb.SET_MODE, leg=wanted.leg, mode=wanted.mode)


@router.post("/api/calls/{id}/take-over")
async def take_over(request: Request, id: Id, whom: Whom | None = None) -> Done:
    """Give the call to an operator, whose seat is rung where it is not in the call; whoever had it is free."""
    return await _ask(request, id, Verb.TAKE_OVER, operator=_named(request, whom))


@router.post("/api/calls/{id}/transfer")
async def transfer(request: Request, id: Id, destination: Destination) -> Done:
    """Give the call away without asking: only that operator, group or party is called for a while, then everybody."""
    return await _ask(request, id, Verb.TRANSFER, to=destination.to)


@router.post("/api/calls/{id}/park")
async def park(request: Request, id: Id) -> Done:
    """Let the caller wait, told so, until somebody takes the call or the queue's park time is over."""
    return await _ask(request, id, Verb.PARK)


@router.post("/api/calls/{id}/bring-point")
async def bring_point(request: Request, id: Id, wanted: OnePoint) -> Done:
    """Call one more point into the conversation, which goes on meanwhile."""
    return await _ask(request, id, Verb.BRING_POINT, point=wanted.point)


@router.post("/api/calls/{id}/control")
async def control(request: Request, id: Id, wanted: Controlling) -> Done:
    """Have a point's device do something that its profile names: the keys for it are sent to it."""
    return await _ask(request, id, Verb.SEND_CONTROL, control=wanted.control, leg=wanted.leg)


@router.post("/api/calls/{id}/renew")
async def renew(request: Request, id: Id) -> Done:
    """Call the point back now, because its device will soon end the call by itself."""
    return await _ask(request, id, Verb.RENEW)


@router.post("/api/incidents/{id}/take")
async def take(request: Request, id: Id, whom: Whom | None = None) -> Done:
    """Ring an operator's seat for this incident: one that waits, or one that was left to an outside party."""
    _known(request, "incident", id)
    args = {"incident": id, "operator": _named(request, whom, own=True), "by": signed_in(request).user}
    await service(request).commands.ask(Verb.TAKE, args)
    return Done()


@router.post("/api/points/{id}/call")
async def call_out(request: Request, id: Id, whom: Whom | None = None) -> Done:
    """Call a point: an operator's seat rings first, then the point, asked to answer by itself."""
    _known(request, "point", id)
    args = {"point": id, "operator": _named(request, whom, own=True), "by": signed_in(request).user}
    await service(request).commands.ask(Verb.CALL_OUT, args)
    return Done()


@router.post("/api/point-groups/{id}/call")
async def call_group(request: Request, id: Id, whom: Whom | None = None) -> Done:
    """Call a group of points: an operator's seat rings first, then all of them, in one call."""
    args = {"group": id, "operator": _named(request, whom, own=True), "by": signed_in(request).user}
    await service(request).commands.ask(Verb.CALL_GROUP, args)
    return Done()


async def _ask(request: Request, id: str, verb: Verb, **args: str | bool) -> Done:
    return await _tell(await on_call(request, id), request, id, verb, **args)


async def _tell(the: Service, request: Request, id: str, verb: Verb, **args: str | bool) -> Done:
    """For somebody who was found to be allowed to."""
    await the.commands.ask(verb, {"call": id, **args, "by": signed_in(request).user})
    return Done()


def _named(request: Request, whom: Whom | None, own: bool = False) -> str:
    """The operator that is named, or whoever asks. `own`: operators name nobody else."""
    who = signed_in(request)
    named = (whom.operator if whom else "") or who.user
    if own and who.role == Role.OPERATOR and named != who.user:
        raise ApiError(403, "not-allowed", "Operators take calls for themselves.", "Ask a supervisor.")
    return named


def _known(request: Request, kind: str, id: str) -> None:
    """404 for what is not on the board; without a board the switchboard says it."""
    board = service(request).present.board
    if board.epoch and f"{kind}/{id}" not in board.items:
        raise not_found(kind, id)
