"""The supervisor's end of its two socket pairs with the switchboard; see runtime.supervision."""

import selectors
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from callserver.media.pool import Worker
from callserver.runtime import supervision
from callserver.runtime.rtp_sockets import Pair

if TYPE_CHECKING:
    from callserver.runtime.supervisor import Supervisor

Reply = tuple[supervision.Message, tuple[int, ...]]
Kept = Pair | Worker | tuple[int, socket.socket]


class SwitchboardLink:
    """Does what the switchboard wants, at once, and tells it news; one that was away asks for the inventory."""

    def __init__(self, supervisor: "Supervisor") -> None:
        self.supervisor = supervisor
        self.ask: socket.socket | None = None
        self.news: socket.socket | None = None
        self._theirs: list[socket.socket] = []
        self._inventory: list[tuple[str, Kept]] = []
        self._answers: dict[type, Callable[..., Reply]] = {
            supervision.OpenSockets: self._open_sockets,
            supervision.NextItem: self._item,
        }
        self._wishes: dict[type, Callable[..., None]] = {
            supervision.CloseSockets: lambda wish: self.supervisor.rtp.close(wish.leg),
            supervision.DropConnection: lambda wish: self._drop(wish.connection),
            supervision.TakeWorker: self._take_worker,
            supervision.NeedWorker: lambda wish: self.supervisor.pools.need(wish.kind),
            supervision.Alive: lambda wish: self.supervisor.heartbeat.answered(wish.number),
        }

    def renew(self) -> list[int]:
        """New pairs for a new switchboard; its descriptors. The old pairs are closed. OSError when there is none."""
        for old in (self.ask, self.news, *self._theirs):
            if old is not None:
                if old is self.ask and old.fileno() in self.supervisor.selector.get_map():
                    self.supervisor.selector.unregister(old)
                old.close()
        self.ask, self.news, self._theirs = None, None, []
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
        for trouble in self.supervisor.troubles():
            self.tell(trouble)

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
        except ValueError as error:  # of a switchboard that is not of this version, or in a shortage of descriptors
            self.supervisor.say(f"a message of the switchboard is dropped: {error}")
            return
        except OSError:
            received = None
        if received is None:
            self.supervisor.selector.unregister(self.ask)
            return
        envelope, fds = received
        self._serve(self.ask, envelope.number, envelope.message, fds)

    def _serve(self, ask: socket.socket, number: int, message: supervision.Message, fds: list[int]) -> None:
        if isinstance(message, supervision.KeepConnection) and len(fds) == 1:
            self._drop(message.connection)
            self.supervisor.connections[message.connection] = socket.socket(fileno=fds[0])
            return
        supervision.close_all(fds)
        kind = type(message)
        if kind in self._wishes:
            self._wishes[kind](message)
        elif kind in self._answers:
            reply, out = self._answers[kind](message)
            try:
                supervision.send(ask, reply, out, number)
            except OSError:  # it is gone, or has not read a hundred replies
                return

    def _open_sockets(self, message: supervision.OpenSockets) -> Reply:
        try:
            return _sockets(message.leg, self.supervisor.rtp.open(message.leg, message.inside))
        except OSError as error:
            return supervision.NoSockets(str(error)), ()

    def _drop(self, connection: int) -> None:
        kept = self.supervisor.connections.pop(connection, None)
        if kept is not None:
            kept.close()

    def _take_worker(self, message: supervision.TakeWorker) -> None:
        self.supervisor.pools.taken(message.worker)
        self.supervisor.note_processes()

    def _item(self, message: supervision.NextItem) -> Reply:
        """By number from a list made with the first question: workers come and go while a switchboard asks."""
        if message.number == 0:
            self._inventory = self._everything()
        if message.number >= len(self._inventory):
            self._inventory = []
            return supervision.NoMore(), ()
        name, kept = self._inventory[message.number]
        if isinstance(kept, Pair):
            return _sockets(name, kept)
        if isinstance(kept, Worker):
            return supervision.WorkerReady(kept.id, kept.pid, kept.path, kept.kind), ()
        return supervision.Connection(kept[0]), (kept[1].fileno(),)

    def _everything(self) -> list[tuple[str, Kept]]:
        supervisor = self.supervisor
        everything: list[tuple[str, Kept]] = list(supervisor.rtp.pairs.items())
        everything += [("", kept) for kept in supervisor.connections.items()]
        everything += [(worker.id, worker) for worker in supervisor.pools.workers()]
        return everything


def _sockets(leg: str, pair: Pair) -> Reply:
    reply = supervision.Sockets(leg, pair.host, pair.port, pair.port + 1)
    return reply, (pair.rtp.fileno(), pair.rtcp.fileno())
