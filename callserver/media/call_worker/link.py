"""The worker's side of the connection: one listening socket, at most one switchboard; the newest displaces the older.

Runs on the control thread, never blocks. Numbering is `callserver.media.peer`'s.
"""

import select
import socket
from collections import deque
from collections.abc import Callable

from callserver.media.peer import Numbered
from callserver.media.protocol import MAX_MESSAGE_BYTES, Beat, Hello, Message, Report, encode

MAX_FDS = 8
PER_TURN = 32


class Link:
    """`hello` makes the worker's greeting; `act` carries one order out, with the sockets that came beside it."""

    def __init__(
        self,
        listener: socket.socket,
        poll: select.epoll,
        hello: Callable[[int], Hello],
        act: Callable[[Message, list[int]], None],
    ) -> None:
        self._listener, self._poll, self._hello, self._act = listener, poll, hello, act
        self._numbered = Numbered()
        self._connection: socket.socket | None = None
        self._greeted = False
        self._unsent: deque[bytes] = deque()
        listener.setblocking(False)
        poll.register(listener.fileno(), select.EPOLLIN)

    @property
    def connected(self) -> bool:
        """Whether a switchboard is there and has greeted."""
        return self._greeted

    @property
    def waiting(self) -> int:
        """Reports that no switchboard has acknowledged."""
        return self._numbered.waiting

    def ready(self, number: int) -> None:
        """The poll found something at this descriptor; others' are ignored."""
        if number == self._listener.fileno():
            self._accept()
        elif self._connection is not None and number == self._connection.fileno():
            self._read(self._connection)
            self._write()

    def report(self, message: Report) -> None:
        """Send, now or when a switchboard is there."""
        datagram = self._numbered.send(message)
        if self._greeted:
            self._unsent.append(datagram)
            self._write()

    def beat(self, beat: Beat) -> None:
        """Send, unless nobody reads."""
        if self._greeted and not self._unsent:
            self._unsent.append(encode(0, beat))
            self._write()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        self._drop()
        connection.setblocking(False)
        self._connection = connection
        self._poll.register(connection.fileno(), select.EPOLLIN)
        self._unsent.append(encode(0, self._hello(self._numbered.had)))
        self._write()

    def _drop(self) -> None:
        if self._connection is not None:
            self._poll.unregister(self._connection.fileno())
            self._connection.close()
        self._connection, self._greeted = None, False
        self._unsent.clear()

    def _read(self, connection: socket.socket) -> None:
        for _ in range(PER_TURN):
            try:
                datagram, fds, _, _ = socket.recv_fds(connection, MAX_MESSAGE_BYTES, MAX_FDS)
            except BlockingIOError:
                break
            except ConnectionError:
                datagram, fds = b"", []
            if not datagram or not self._take(datagram, fds):
                for fd in fds:
                    socket.close(fd)
                self._drop()
                return
            if self._connection is not connection:
                return  # it broke while we answered
        if (ack := self._numbered.ack_due()) is not None:
            self._unsent.append(ack)

    def _take(self, datagram: bytes, fds: list[int]) -> bool:
        """False when the other side does not speak as it must; the connection is ended then."""
        try:
            message = self._numbered.receive(datagram)
        except ValueError:
            return False
        if isinstance(message, Hello):
            self._unsent.extend(sending.datagram for sending in self._numbered.hello(message.had))
            self._greeted = True
        elif not self._greeted:
            return False
        elif message is not None:
            self._act(message, fds)
            return True
        for fd in fds:
            socket.close(fd)  # beside what we have had already
        return True

    def _write(self) -> None:
        if self._connection is None:
            return
        while self._unsent:
            try:
                self._connection.send(self._unsent[0])
            except BlockingIOError:
                break
            except ConnectionError:
                self._drop()
                return
            self._unsent.popleft()
        wanted = select.EPOLLIN | (select.EPOLLOUT if self._unsent else 0)
        self._poll.modify(self._connection.fileno(), wanted)
