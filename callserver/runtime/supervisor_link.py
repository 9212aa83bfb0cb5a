"""The switchboard's end of its two socket pairs with the supervisor; see runtime.supervision.

Questions are answered synchronously: the supervisor does nothing that takes time, so one costs a fraction of a millisecond, and
an order can be performed in one go, without a call changing under it. What needs no answer is only sent; when that fails
(the supervisor stands still) it waits here, in order, and goes before whatever is sent next.
"""

import asyncio
import itertools
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from callserver.runtime import supervision

REPLY_LIMIT_S = 0.5  # all calls wait for it
SEND_LIMIT_S = 0.01
log = structlog.get_logger()


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
    """What we want of the supervisor, and its news."""

    def __init__(self, ask_fd: int, news_fd: int) -> None:
        self.ask = socket.socket(fileno=ask_fd)
        self.ask.settimeout(SEND_LIMIT_S)
        self._numbers = itertools.count(1)
        self._unsent: deque[tuple[supervision.Message, int | None]] = deque()
        self.news = socket.socket(fileno=news_fd)
        self.news.setblocking(False)

    def open_sockets(self, leg: str, inside: bool = False) -> OuterSockets:
        """Bind (or fetch) a leg's pair, on 127.0.0.1 where its other end is ours.

        Raises OSError with a clear text: no port is left, or the supervisor does not answer.
        """
        try:
            reply, fds = self._question(supervision.OpenSockets(leg, inside))
            if not isinstance(reply, supervision.Sockets):
                raise OSError(reply.why if isinstance(reply, supervision.NoSockets) else f"unexpected {reply}")
            return _pair(reply, fds)
        except OSError:
            self.close_sockets(leg)  # it may have bound them all the same
            raise

    def close_sockets(self, leg: str) -> None:
        """The leg is over."""
        self._say(supervision.CloseSockets(leg))

    def keep(self, connection: int, fileno: int) -> None:
        """See sip.interface.Connections."""
        try:
            self._say(supervision.KeepConnection(connection), os.dup(fileno))
        except OSError as error:  # too many descriptors: it is served, and will not outlive this process
            log.warning("connection.not_kept", connection=connection, error=str(error))

    def drop(self, connection: int) -> None:
        """See sip.interface.Connections."""
        self._say(supervision.DropConnection(connection))

    def take_worker(self, worker: str) -> None:
        """This spare has a call now."""
        self._say(supervision.TakeWorker(worker))

    def need_worker(self, kind: str = "call") -> None:
        """Fork one of this kind at once."""
        self._say(supervision.NeedWorker(kind))

    def alive(self, number: int) -> None:
        """We go round: the answer to the supervisor's question of this number."""
        self._say(supervision.Alive(number))

    def flush(self) -> None:
        """Send what could not be sent before; what cannot be sent now either goes on waiting."""
        while self._unsent:
            message, fd = self._unsent[0]
            try:
                supervision.send(self.ask, message, () if fd is None else (fd,))
            except OSError as error:
                log.error("supervisor.does_not_read", waiting=len(self._unsent), error=str(error))
                return
            self._unsent.popleft()
            if fd is not None:
                os.close(fd)

    def _say(self, message: supervision.Message, fd: int | None = None) -> None:
        """Send (with a descriptor, which is ours to close) what has no answer."""
        self._unsent.append((message, fd))
        self.flush()

    def _question(self, message: supervision.Message) -> tuple[supervision.Message, list[int]]:
        """The reply to a question. Raises OSError."""
        self.flush()
        number = next(self._numbers)
        deadline_s = time.monotonic() + REPLY_LIMIT_S
        try:
            supervision.send(self.ask, message, number=number)
            while True:
                received = self._received(deadline_s)
                if received is None:
                    raise ConnectionError("the supervisor is gone")
                envelope, fds = received
                if envelope.number == number:
                    return envelope.message, fds
                supervision.close_all(fds)  # to a question that we gave up
        except ValueError as error:
            raise OSError(f"the supervisor's reply cannot be used: {error}") from error
        except TimeoutError as error:
            raise OSError(f"the supervisor did not answer within {REPLY_LIMIT_S} s") from error
        finally:
            self.ask.settimeout(SEND_LIMIT_S)

    def _received(self, deadline_s: float) -> tuple[supervision.Envelope, list[int]] | None:
        self.ask.settimeout(max(0.001, deadline_s - time.monotonic()))
        return supervision.receive(self.ask)

    def inventory(self) -> "Inventory":
        """Everything that the supervisor keeps."""
        inventory = Inventory({}, {}, [])
        number = 0
        while True:
            reply, fds = self._question(supervision.NextItem(number))
            number += 1
            if isinstance(reply, supervision.Sockets):
                inventory.pairs[reply.leg] = _pair(reply, fds)
            elif isinstance(reply, supervision.Connection):
                inventory.connections[reply.connection] = socket.socket(fileno=_only(fds))
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
            except OSError:
                received = None
            if received is None:
                os._exit(0)
            tell(received[0].message)

        loop.add_reader(self.news, readable)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What outlived the previous switchboard."""

    pairs: dict[str, OuterSockets]
    connections: dict[int, socket.socket]
    workers: list[supervision.WorkerReady]


def _pair(reply: supervision.Sockets, fds: list[int]) -> OuterSockets:
    if len(fds) != 2:
        supervision.close_all(fds)
        raise OSError(f"{len(fds)} sockets came for {reply.leg}, not RTP and RTCP")
    rtp, rtcp = (socket.socket(fileno=fd) for fd in fds)
    return OuterSockets(reply.host, reply.rtp_port, reply.rtcp_port, rtp, rtcp)


def _only(fds: list[int]) -> int:
    if len(fds) != 1:
        supervision.close_all(fds)
        raise OSError(f"{len(fds)} sockets came with a connection")
    return fds[0]
