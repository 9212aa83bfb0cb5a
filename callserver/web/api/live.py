"""The board as it changes; docs/console-protocol.md."""

from fastapi import APIRouter, WebSocket

from callserver.web.gate import signed_in
from callserver.web.live import Watcher
from callserver.web.outlet import MISUSED, Outlet
from callserver.web.service import service
from callserver.web.sockets import messages

router = APIRouter()


@router.websocket("/api/live")
async def live(websocket: WebSocket) -> None:
    """Who is signed in watches the board."""
    present, session = service(websocket).present, signed_in(websocket)

    async def read(outlet: Outlet) -> None:
        watcher = Watcher(outlet, session.user, session.role)
        present.live.join(watcher)
        try:
            async for message in messages(websocket, outlet):
                if message.get("type") == "watch":
                    epoch, number = message.get("epoch", ""), message.get("number", 0)
                    if not isinstance(epoch, str) or type(number) is not int:
                        outlet.close(MISUSED, "watch names an epoch and a number")
                        return
                    present.live.watch(watcher, epoch, number, present.feed.live)
        finally:
            present.live.leave(watcher)

    await present.sockets.serve(websocket, read)
