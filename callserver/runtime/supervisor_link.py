"""The switchboard's end of its two socket pairs with the supervisor; see runtime.supervision.

Requests are answered synchronously: the supervisor does nothing that takes time, so a request costs a fraction of a
millisecond, and an order can be performed in one go, without a call changing under it.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from callserver.runtime import supervision

REPLY_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class OuterSockets:
    """A leg's outside pair as the switchboard holds it: only to pass it on."""

    host: str
    rtp_port: int
    rtcp_port: int
    rtp: socket.socket
    rtcp: socket.socket

    def close(self) -> None:
        """Close our copies."""
        self.rtp.close()
        self.rtcp.close()


class SupervisorLink:
    """Requests and news."""

    def __init__(self, ask_fd: int, news_fd: int) -> None:
        self.ask = socket.socket(fileno=ask_fd)
        self.ask.settimeout(REPLY_LIMIT_S)
        self.news = socket.socket(fileno=news_fd)
        self.news.setblocking(False)

    def _request(self, message: supervision.Message, fds: tuple[int, ...] = ()) -> tuple[supervision.Message, list[int]]:
        supervision.send(self.ask, message, fds)
        received = supervision.receive(self.ask)
        if received is None:
            raise ConnectionError("the supervisor is gone")
        return received

    def open_sockets(self, leg: str) -> OuterSockets:
        """Bind (or fetch) a leg's pair. Raises OSError with a clear text when the port range is used up."""
        reply, fds = self._request(supervision.OpenSockets(leg))
        if not isinstance(reply, supervision.Sockets):
            raise OSError(reply.why if isinstance(reply, supervision.NoSockets) else f"unexpected {reply}")
        return _pair(reply, fds)

    def close_sockets(self, leg: str) -> None:
        """The leg is over."""
        self._request(supervision.CloseSockets(leg))

    def keep(self, connection: int, fileno: int) -> None:
        """See sip.interface.Connections."""
        self._request(supervision.KeepConnection(connection), (fileno,))

    def drop(self, connection: int) -> None:
        """See sip.interface.Connections."""
        self._request(supervision.DropConnection(connection))

    def take_worker(self, worker: str) -> None:
        """This spare has a call now."""
        self._request(supervision.TakeWorker(worker))

    def need_worker(self) -> None:
        """Fork one at once."""
        self._request(supervision.NeedWorker())

    def inventory(self) -> "Inventory":
        """Everything that the supervisor keeps."""
        inventory = Inventory({}, {}, [])
        number = 0
        while True:
            reply, fds = self._request(supervision.NextItem(number))
            number += 1
            if isinstance(reply, supervision.Sockets):
                inventory.pairs[reply.leg] = _pair(reply, fds)
            elif isinstance(reply, supervision.Connection):
                inventory.connections[reply.connection] = socket.socket(fileno=fds[0])
            elif isinstance(reply, supervision.WorkerReady):
                inventory.workers.append(reply)
            else:
                return inventory

    def listen(self, loop: asyncio.AbstractEventLoop, tell: Callable[[supervision.Message], None]) -> None:
        """Have every piece of news told. The supervisor's end is the service's end: then this process ends as well."""

        def readable() -> None:
            try:
                received = supervision.receive(self.news)
            except BlockingIOError:
                return
            if received is None:
                os._exit(0)
            tell(received[0])

        loop.add_reader(self.news, readable)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What outlived the previous switchboard."""

    pairs: dict[str, OuterSockets]
    connections: dict[int, socket.socket]
    workers: list[supervision.WorkerReady]


def _pair(reply: supervision.Sockets, fds: list[int]) -> OuterSockets:
    rtp, rtcp = (socket.socket(fileno=fd) for fd in fds)
    return OuterSockets(reply.host, reply.rtp_port, reply.rtcp_port, rtp, rtcp)
