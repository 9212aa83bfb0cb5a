"""Whose call it is: operators act on the calls that they are in, supervisors on any. The board is asked, then the store."""

from starlette.requests import Request

from callserver.core import leg as legs
from callserver.core.facts import Listened
from callserver.core.ids import CallId
from callserver.store import queries
from callserver.web.errors import ApiError, not_found
from callserver.web.gate import signed_in
from callserver.web.roles import Role
from callserver.web.service import Service, service

UNHEARD = ("listen", "whisper")
"""Ways to take part of which the caller hears nothing; they are for supervisors, who say why."""


async def on_call(request: Request, id: str) -> Service:
    """The service, for somebody who may act on this call. Raises `ApiError` with 404 or 403."""
    the, who = service(request), signed_in(request)
    people = await _people(the, id)
    if who.role == Role.OPERATOR and who.user not in people:
        what_to_do = "Operators act on the calls that they are in; ask a supervisor."
        raise ApiError(403, "not-yours", f"You are not in call {id}.", what_to_do)
    return the


async def _people(the: Service, id: str) -> set[str]:
    """The operators in a call: who has it, and whose seats are in it."""
    item = the.present.board.items.get(f"call/{id}")
    if item is not None:
        seats = {leg["party"] for leg in item["legs"] if leg["role"] in legs.SEATS and leg["state"] == legs.UP}
        return {item["operator"], *seats}
    row = await the.read(queries.call, id)
    if row is None:
        raise not_found("call", id)
    return set() if row.operator is None else {row.operator}


async def allow_mode(request: Request, call: str, mode: str, reason: str) -> None:
    """Who takes part unheard is a supervisor, says why, and is journalled first. Raises `ApiError` where one of these fails."""
    if mode not in UNHEARD:
        return
    who = signed_in(request)
    if who.role != Role.SUPERVISOR:
        raise ApiError(403, "not-allowed", f"A session as {who.role} may not {mode}.", "It is for supervisors.")
    if not reason.strip():
        what_to_do = "Give a reason in a few words. It is journalled with your name."
        raise ApiError(400, "reason-required", "Nobody listens to a conversation without a reason.", what_to_do)
    await service(request).notes.journalled(Listened(CallId(call), who.user, reason.strip()))
