"""The supervisor's end of its two socket pairs with the switchboard; see runtime.supervision."""

import os
import selectors
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from callserver.runtime import clock, supervision

if TYPE_CHECKING:
    from callserver.runtime.supervisor import Supervisor

Reply = tuple[supervision.Message, tuple[int, ...]]


class SwitchboardLink:
    """Answers the switchboard's requests at once and tells it news; one that was away asks for the inventory."""

    def __init__(self, supervisor: "Supervisor") -> None:
        self.supervisor = supervisor
        self.ask: socket.socket | None = None
        self.news: socket.socket | None = None
        self._theirs: list[socket.socket] = []
        self._answers: dict[type, Callable[..., Reply]] = {
            supervision.OpenSockets: self._open_sockets,
            supervision.CloseSockets: self._close_sockets,
            supervision.DropConnection: self._drop_connection,
            supervision.TakeWorker: self._take_worker,
            supervision.NeedWorker: self._need_worker,
            supervision.NextItem: self._item,
        }

    def renew(self) -> list[int]:
        """New pairs for a new switchboard; its descriptors. The old pairs are closed."""
        for old in (self.ask, self.news):
            if old is not None:
                if old is self.ask and old.fileno() in self.supervisor.selector.get_map():
                    self.supervisor.selector.unregister(old)
                old.close()
        self.ask, ask_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.news, news_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ask.setblocking(False)
        self.news.setblocking(False)
        self.supervisor.selector.register(self.ask, selectors.EVENT_READ, self._readable)
        self._theirs = [ask_theirs, news_theirs]
        return [ask_theirs.fileno(), news_theirs.fileno()]

    def started(self) -> None:
        """The switchboard has inherited its ends; close ours of them, so that its death is an end of file."""
        for sock in self._theirs:
            sock.close()
        self._theirs = []
        self.tell(self.anchored())

    def anchored(self) -> supervision.Anchored:
        """The clock anchor in force, as news."""
        anchor = self.supervisor.anchor
        return supervision.Anchored(
            anchor.number, anchor.boot, anchor.boottime_ns, anchor.utc_ns, anchor.offset_ns, anchor.step_ms
        )

    def tell(self, message: supervision.Message) -> None:
        """Tell the switchboard; one that is away or does not read will ask for the inventory."""
        if self.news is None:
            return
        try:
            supervision.send(self.news, message)
        except OSError:
            return

    def _readable(self) -> None:
        assert self.ask is not None
        try:
            received = supervision.receive(self.ask)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            received = None
        if received is None:
            self.supervisor.selector.unregister(self.ask)
            return
        message, fds = received
        if isinstance(message, supervision.KeepConnection):
            reply, out = self._keep_connection(message, fds)
        else:
            for fd in fds:
                os.close(fd)
            reply, out = self._answers[type(message)](message)
        try:
            supervision.send(self.ask, reply, out)
        except OSError:
            return

    def _open_sockets(self, message: supervision.OpenSockets) -> Reply:
        try:
            pair = self.supervisor.rtp.open(message.leg)
        except OSError as error:
            return supervision.NoSockets(str(error)), ()
        reply = supervision.Sockets(message.leg, pair.host, pair.port, pair.port + 1)
        return reply, (pair.rtp.fileno(), pair.rtcp.fileno())

    def _close_sockets(self, message: supervision.CloseSockets) -> Reply:
        self.supervisor.rtp.close(message.leg)
        return supervision.Done(), ()

    def _keep_connection(self, message: supervision.KeepConnection, fds: list[int]) -> Reply:
        self._drop(message.connection)
        self.supervisor.connections[message.connection] = socket.socket(fileno=fds[0])
        return supervision.Done(), ()

    def _drop_connection(self, message: supervision.DropConnection) -> Reply:
        self._drop(message.connection)
        return supervision.Done(), ()

    def _drop(self, connection: int) -> None:
        kept = self.supervisor.connections.pop(connection, None)
        if kept is not None:
            kept.close()

    def _take_worker(self, message: supervision.TakeWorker) -> Reply:
        self.supervisor.pool.taken(message.worker, clock.boottime_ns())
        self.supervisor.note_processes()
        return supervision.Done(), ()

    def _need_worker(self, _: supervision.NeedWorker) -> Reply:
        self.supervisor.pool.fork()
        return supervision.Done(), ()

    def _item(self, message: supervision.NextItem) -> Reply:
        """Everything kept, by number; the order stands still while a switchboard asks, because nothing else adds to it."""
        number = message.number
        pairs = list(self.supervisor.rtp.pairs.items())
        if number < len(pairs):
            leg, pair = pairs[number]
            reply = supervision.Sockets(leg, pair.host, pair.port, pair.port + 1)
            return reply, (pair.rtp.fileno(), pair.rtcp.fileno())
        number -= len(pairs)
        connections = list(self.supervisor.connections.items())
        if number < len(connections):
            connection, sock = connections[number]
            return supervision.Connection(connection), (sock.fileno(),)
        number -= len(connections)
        workers = list(self.supervisor.pool.workers.values())
        if number < len(workers):
            worker = workers[number]
            return supervision.WorkerReady(worker.id, worker.pid, worker.path), ()
        return supervision.NoMore(), ()
