"""An operator's browser as a seat; docs/console-protocol.md. Messages of a known shape are passed on, all others refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, WebSocket

from callserver.web.gate import signed_in
from callserver.web.outlet import LATER, NOT_ALLOWED, Outlet
from callserver.web.present import Present
from callserver.web.seats import SeatPage, tell
from callserver.web.service import service
from callserver.web.sockets import messages

router = APIRouter()

Name = Annotated[str, msgspec.Meta(max_length=128)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class SdpOffer(msgspec.Struct, frozen=True):
    """A new peer connection's offer."""

    sdp: Annotated[str, msgspec.Meta(max_length=65_536)]
    number: Count


class Beat(msgspec.Struct, frozen=True):
    """The page's script and its audio thread run."""

    number: Count
    audio_ms: float
    muted: bool = False
    hidden: bool = False


class OfLeg(msgspec.Struct, frozen=True):
    """Something about a leg."""

    leg: Name


class Trouble(msgspec.Struct, frozen=True):
    """The page cannot hear or be heard, or can again."""

    what: Literal["microphone", "speaker", "page"]
    text: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Leave(msgspec.Struct, frozen=True):
    """The operator ends the shift here."""


SHAPES: Mapping[str, type[msgspec.Struct]] = {
    "sdp_offer": SdpOffer,
    "beat": Beat,
    "ringing": OfLeg,
    "accept": OfLeg,
    "trouble": Trouble,
    "leave": Leave,
}


@router.websocket("/api/seat")
async def seat(websocket: WebSocket) -> None:
    """An operator of the plan has this page as seat."""
    present, user = service(websocket).present, signed_in(websocket).user
    board = present.board
    if not board.epoch or board.operator(user) is None:
        await websocket.accept()
        if board.epoch:
            await websocket.close(NOT_ALLOWED, "not an operator of the plan")
        else:
            await websocket.close(LATER, "the switchboard was not heard yet")
        return

    async def read(outlet: Outlet) -> None:
        page: SeatPage | None = None
        try:
            async for message in messages(websocket, outlet):
                if page is None:
                    page = _opened(present, user, message, outlet)
                else:
                    _follow(present, page, message)
        finally:
            if page is not None:
                present.seats.closed(page)

    await present.sockets.serve(websocket, read, lambda: board.operator(user) is not None)


def _opened(present: Present, user: str, message: dict[str, Any], outlet: Outlet) -> SeatPage | None:
    """The seat that the page names, if it was this operator's, else a new one."""
    known = message.get("seat", "")
    page = SeatPage(known if isinstance(known, str) else "", user, outlet)
    if message.get("type") != "open":
        _refuse(page, message, "a seat is opened first")
        return None
    if not present.seat_ids.knows(page.seat, user):
        page.seat = present.seat_ids.new(user)
    present.seats.opened(page)
    return page


def _follow(present: Present, page: SeatPage, message: dict[str, Any]) -> None:
    kind = message.get("type")
    shape = SHAPES.get(kind) if isinstance(kind, str) else None
    if shape is None:
        _refuse(page, message, "the seat is open already" if kind == "open" else "there is no such message")
        return
    try:
        value = msgspec.convert(message, shape)
    except msgspec.ValidationError as error:
        _refuse(page, message, str(error))
        return
    if not present.seats.said(page, {"type": kind, **msgspec.to_builtins(value)}) and kind != "beat":
        _refuse(page, message, "the switchboard is not there for the moment")


def _refuse(page: SeatPage, message: dict[str, Any], why: str) -> None:
    kind = message.get("type")
    tell(page, {"type": "refused", "what": kind[:64] if isinstance(kind, str) else "", "why": why})
