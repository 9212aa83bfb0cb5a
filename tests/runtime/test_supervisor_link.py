"""The switchboard's questions to the supervisor stay in step, whatever is late, lost or full."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from callserver.runtime import supervision, supervisor_link
from callserver.runtime.supervisor_link import SupervisorLink
from tests.eventually import eventually


@dataclass
class Ends:
    """A link and the supervisor's end of what it asks on."""

    link: SupervisorLink
    ask: socket.socket
    news: socket.socket

    def next(self) -> supervision.Envelope:
        """What the supervisor gets next; its descriptors are closed."""
        received = supervision.receive(self.ask)
        assert received is not None
        supervision.close_all(received[1])
        return received[0]

    def reply(self, number: int, port: int, *fds: int) -> None:
        """A pair, whose port says which it is."""
        supervision.send(self.ask, supervision.Sockets(f"leg-{port}", "127.0.0.1", port, port + 1), fds, number)


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A link with nobody at the other end but the test."""
    ask, ask_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    news, news_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ask.settimeout(2)
    link = SupervisorLink(ask_theirs.detach(), news_theirs.detach())
    yield Ends(link, ask, news)
    for sock in (ask, news, link.ask, link.news):
        sock.close()


@pytest.fixture
def files() -> Iterator[tuple[int, int]]:
    """Two descriptors to send along."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        yield one.fileno(), other.fileno()


def _in_thread(body: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=body)
    thread.start()
    return thread


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_late_reply_is_not_taken_for_the_next_questions(
    ends: Ends, files: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first question is given up; its reply comes before the second's, and is dropped with its descriptors."""
    monkeypatch.setattr(supervisor_link, "REPLY_LIMIT_S", 0.05)
    with pytest.raises(OSError, match="did not answer"):
        ends.link.open_sockets("c1.1")
    late = ends.next()
    given_up = ends.next()
    assert given_up.message == supervision.CloseSockets("c1.1"), "what it may have bound all the same is let go"
    monkeypatch.setattr(supervisor_link, "REPLY_LIMIT_S", 2.0)
    before = _open_descriptors()

    def serve() -> None:
        question = ends.next()
        ends.reply(late.number, 4_000, *files)
        ends.reply(question.number, 5_000, *files)

    thread = _in_thread(serve)
    pair = ends.link.open_sockets("c2.1")
    thread.join()
    assert pair.rtp_port == 5_000
    assert _open_descriptors() == before + 2, "the late reply's descriptors were closed"
    pair.close()


def test_a_full_socket_delays_but_loses_nothing(ends: Ends) -> None:
    """While the supervisor stands still, wishes wait in order; nothing raises."""
    count = 2_000
    for number in range(count):
        ends.link.close_sockets(f"leg-{number}")
        if ends.link._unsent:
            break
    assert ends.link._unsent, "the socket was never full"
    ends.link.take_worker("w1")
    ends.link.need_worker()
    told: list[supervision.Message] = [ends.next().message]
    while not isinstance(told[-1], supervision.NeedWorker):
        ends.link.flush()
        told.append(ends.next().message)
    legs = [message.leg for message in told if isinstance(message, supervision.CloseSockets)]
    assert legs == [f"leg-{at}" for at in range(number + 1)]
    assert told[-2:] == [supervision.TakeWorker("w1"), supervision.NeedWorker()]


def test_no_port_and_a_reply_without_sockets_are_oserrors(ends: Ends) -> None:
    """Either ends as an OSError that says what is the matter."""

    def refuse() -> None:
        question = ends.next()
        supervision.send(ends.ask, supervision.NoSockets("no free port pair"), (), question.number)

    thread = _in_thread(refuse)
    with pytest.raises(OSError, match="no free port pair"):
        ends.link.open_sockets("c1.1")
    thread.join()
    assert ends.next().message == supervision.CloseSockets("c1.1")
    thread = _in_thread(lambda: ends.reply(ends.next().number, 4_000))
    with pytest.raises(OSError, match="0 sockets came"):
        ends.link.open_sockets("c1.2")
    thread.join()


def test_a_supervisor_that_is_gone_is_an_oserror(ends: Ends) -> None:
    """Nor does a wish raise then."""
    ends.ask.close()
    with pytest.raises(OSError):
        ends.link.open_sockets("c1.1")
    ends.link.need_worker()


def test_a_kept_connection_goes_along_and_our_copy_is_closed(ends: Ends, files: tuple[int, int]) -> None:
    """What is sent is a duplicate; nothing of it stays here."""
    before = _open_descriptors()
    ends.link.keep(7, files[0])
    received = supervision.receive(ends.ask)
    assert received is not None
    envelope, fds = received
    assert envelope.message == supervision.KeepConnection(7) and len(fds) == 1
    supervision.close_all(fds)
    assert _open_descriptors() == before


async def test_news_are_told_in_order(ends: Ends) -> None:
    """Each piece once."""
    told: list[supervision.Message] = []
    loop = asyncio.get_running_loop()
    ends.link.listen(loop, told.append)
    news = [supervision.WorkerReady("w1", 1, "a"), supervision.WorkerGone("w1", 1)]
    for message in news:
        supervision.send(ends.news, message)
    await eventually(lambda: told == news, 2)
    loop.remove_reader(ends.link.news)
