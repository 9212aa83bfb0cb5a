"""The supervisor's end: what it does for a switchboard, and that none can make it die."""

import os
import selectors
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from callserver.media.pool import Pool, Worker
from callserver.runtime import supervision
from callserver.runtime.clock import Anchor
from callserver.runtime.rtp_sockets import RtpSockets
from callserver.runtime.switchboard_link import SwitchboardLink
from tests.peers.ports import Ports

ANCHOR = Anchor(3, "boot", 1, 2, 0)


@dataclass
class OnePool:
    """Both pools as far as the link touches them."""

    pool: Pool
    needed: list[str] = field(default_factory=list)

    def need(self, kind: str) -> None:
        self.needed.append(kind)

    def taken(self, worker: str) -> None:
        self.pool.taken(worker, 1)

    def workers(self) -> Iterable[Worker]:
        return self.pool.workers.values()


@dataclass
class Supervisor:
    """The parts that the link touches."""

    rtp: RtpSockets
    pools: OnePool
    connections: dict[int, socket.socket] = field(default_factory=dict)
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    anchor: Anchor = ANCHOR
    said: list[str] = field(default_factory=list)

    def note_processes(self) -> None:
        return

    def say(self, text: str) -> None:
        self.said.append(text)

    def troubles(self) -> list[supervision.ChildTrouble]:
        return [supervision.ChildTrouble("web", "", cleared=True)]


@dataclass
class Ends:
    """A link and the switchboard's ends of it."""

    link: SwitchboardLink
    supervisor: Supervisor
    ask: socket.socket
    news: socket.socket

    def turn(self) -> None:
        """One turn of the supervisor's loop."""
        for key, _ in self.supervisor.selector.select(0.2):
            key.data()

    def question(self, message: supervision.Message, number: int = 1) -> tuple[supervision.Envelope, list[int]]:
        supervision.send(self.ask, message, (), number)
        self.turn()
        received = supervision.receive(self.ask)
        assert received is not None
        return received

    def wish(self, message: supervision.Message, *fds: int) -> None:
        supervision.send(self.ask, message, fds)
        self.turn()
        with pytest.raises(BlockingIOError):
            supervision.receive(self.ask)


@pytest.fixture
def ends(tmp_path: Path, ports: Ports) -> Iterator[Ends]:
    """A link after its start, the first news read."""
    first = ports.take(8, even=True)
    supervisor = Supervisor(RtpSockets("127.0.0.1", first, first + 7), OnePool(Pool(tmp_path, 0)))
    link = SwitchboardLink(supervisor)  # type: ignore[arg-type]
    ask, news = (socket.socket(fileno=os.dup(fd)) for fd in link.renew())
    link.started()
    ask.setblocking(False)
    news.setblocking(False)
    yield Ends(link, supervisor, ask, news)
    for pair in supervisor.rtp.pairs.values():
        pair.close()
    for sock in (ask, news, link.ask, link.news, *supervisor.connections.values()):
        assert sock is not None
        sock.close()
    supervisor.selector.close()


def _news(ends: Ends) -> list[supervision.Message]:
    told = []
    while True:
        try:
            received = supervision.receive(ends.news)
        except BlockingIOError:
            return told
        assert received is not None
        told.append(received[0].message)


def test_the_first_news_are_the_anchor_and_every_trouble(ends: Ends) -> None:
    """Also that there is none: alarms of a predecessor end."""
    anchored, trouble = _news(ends)
    assert isinstance(anchored, supervision.Anchored) and anchored.number == ANCHOR.number
    assert trouble == supervision.ChildTrouble("web", "", cleared=True)


def test_questions_are_answered_by_number_and_wishes_not_at_all(ends: Ends) -> None:
    """Sockets come along; the same leg gets the same pair."""
    ports = []
    for number in (7, 8):
        envelope, fds = ends.question(supervision.OpenSockets("c1.1"), number)
        assert envelope.number == number and len(fds) == 2
        assert isinstance(envelope.message, supervision.Sockets)
        ports.append(envelope.message.rtp_port)
        supervision.close_all(fds)
    assert ports[0] == ports[1]
    ends.wish(supervision.CloseSockets("c1.1"))
    assert ends.supervisor.rtp.pairs == {}


def test_the_range_used_up_is_told_and_a_freed_pair_serves_again(ends: Ends) -> None:
    """Four pairs, the fifth is refused."""
    for number in range(4):
        supervision.close_all(ends.question(supervision.OpenSockets(f"c{number}.1"))[1])
    envelope, fds = ends.question(supervision.OpenSockets("c9.1"))
    assert isinstance(envelope.message, supervision.NoSockets) and fds == [] and "rtp_ports" in envelope.message.why
    ends.wish(supervision.CloseSockets("c2.1"))
    envelope, fds = ends.question(supervision.OpenSockets("c9.1"))
    assert isinstance(envelope.message, supervision.Sockets)
    supervision.close_all(fds)


def test_the_inventory_stands_still_while_workers_come_and_go(ends: Ends, tmp_path: Path) -> None:
    """A worker that dies between two items must not make another one be passed over."""
    workers = ends.supervisor.pools.pool.workers
    for name in ("w1", "w2", "w3"):
        workers[name] = Worker(name, 1, -1, str(tmp_path / name))
    told: list[Any] = [ends.question(supervision.NextItem(0))[0].message]
    del workers["w1"]
    while not isinstance(told[-1], supervision.NoMore):
        told.append(ends.question(supervision.NextItem(len(told)))[0].message)
    assert [item.worker for item in told[:-1]] == ["w1", "w2", "w3"]


def test_a_connection_is_kept_replaced_and_dropped(ends: Ends) -> None:
    """Descriptors do not pile up."""
    with socket.socket() as one:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            ends.wish(supervision.KeepConnection(5), one.fileno())
        envelope, fds = ends.question(supervision.NextItem(0))
        assert envelope.message == supervision.Connection(5) and len(fds) == 1
        supervision.close_all(fds)
        ends.wish(supervision.DropConnection(5))
        assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_that_a_switchboard_sends_raises(ends: Ends) -> None:
    """Nonsense, a message of the wrong direction, a connection without its descriptor, one descriptor too many."""
    ends.ask.send(b"\xc1 nonsense")
    ends.turn()
    assert len(ends.supervisor.said) == 1
    ends.ask.send(msgspec.msgpack.encode([1, {"type": "FromTheFuture"}]))
    ends.turn()
    ends.wish(supervision.NoMore())
    ends.wish(supervision.KeepConnection(1))
    before = len(os.listdir("/proc/self/fd"))
    ends.wish(supervision.CloseSockets("x"), ends.ask.fileno())
    assert len(os.listdir("/proc/self/fd")) == before
    assert isinstance(ends.question(supervision.NextItem(0))[0].message, supervision.NoMore)


def test_a_switchboard_that_does_not_read_stops_nobody(ends: Ends) -> None:
    """Replies and news that find no room are dropped."""
    for _ in range(3_000):
        ends.link.tell(supervision.WorkerGone("w", 1))
        ends.link._serve(ends.link.ask, 1, supervision.NextItem(0), [])  # type: ignore[arg-type]


def test_the_death_of_a_switchboard_is_an_end_of_file_and_the_next_one_is_served(ends: Ends) -> None:
    """`renew` gives new pairs, without leaving the old ones open."""
    ends.ask.close()
    ends.turn()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        ends.link.renew()
        ends.link.started()
    assert len(os.listdir("/proc/self/fd")) == before
