"""The RTP front's thread: carries packets between the legs' outer sockets and pjsua2's loopback ports, without decoding.

It owns its `FrontLeg`s; others reach them by `do`. It never blocks: captures are only enqueued. When it fails the whole
process ends (see `main`), for a worker without a front is deaf.
"""

import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable

from callserver.media.call_worker.clock import SO_TIMESTAMPNS, arrival_ns, boottime_ns
from callserver.media.call_worker.errors import tell_errors
from callserver.media.call_worker.front_leg import FrontLeg
from callserver.media.urgency import FIRST, rank

TICK_S = 0.05
PER_TURN = 64  # datagrams of one socket before the others have their turn
BACKLOG_NS = 15_000_000  # an older packet has others behind it
MAX_DATAGRAM = 2_048
ANCILLARY = 64


class RtpFront:
    """All legs' packets. `do`, `add` and `drop` may be called from any thread; `run` is the thread."""

    def __init__(self) -> None:
        self.legs: tuple[FrontLeg, ...] = ()  # replaced, never changed: others may read it
        self._orders: deque[Callable[[], None]] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._bell, select.EPOLLIN)
        self._readers: dict[int, Callable[[int, int], None]] = {}

    def do(self, order: Callable[[], None]) -> None:
        """Have something done on the front's thread, in order."""
        self._orders.append(order)
        os.eventfd_write(self._bell, 1)

    def add(self, leg: FrontLeg) -> None:
        """Begin to carry this leg's packets."""
        self.do(lambda: self._add(leg))

    def drop(self, leg: FrontLeg, then: Callable[[], None]) -> None:
        """Stop carrying this leg and close its sockets; then `then`, on the front's thread."""

        def order() -> None:
            self._drop(leg)
            then()

        self.do(order)

    def run(self) -> None:
        """For ever."""
        rank(FIRST)
        next_tick = time.monotonic() + TICK_S
        while True:
            ready = self._poll.poll(max(0.0, next_tick - time.monotonic()))
            now_ns, utc_ns = boottime_ns(), time.time_ns()
            for number, what in ready:
                reader = self._readers.get(number)
                if reader is not None:
                    if what & select.EPOLLERR:  # is there until it is read
                        self._read_errors(number, now_ns)
                    reader(now_ns, utc_ns)
                elif number == self._bell:
                    self._obey()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._tick()

    def _read_errors(self, number: int, now_ns: int) -> None:
        for leg in self.legs:
            if leg.outer.fileno() == number:
                leg.read_errors(now_ns)

    def _tick(self) -> None:
        now_ns, utc_ns = boottime_ns(), time.time_ns()
        for leg in self.legs:
            leg.tick(now_ns, utc_ns)

    def _obey(self) -> None:
        os.eventfd_read(self._bell)
        while self._orders:
            self._orders.popleft()()

    def _add(self, leg: FrontLeg) -> None:
        for sock in (leg.outer, leg.outer_rtcp):
            sock.setblocking(False)
        leg.outer.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        tell_errors(leg.outer)
        self._readers[leg.outer.fileno()] = lambda now, utc: _read_outside(leg, now, utc)
        self._readers[leg.outer_rtcp.fileno()] = lambda now, utc: _read_rtcp(leg)
        self._readers[leg.inner.fileno()] = lambda now, utc: _read_inside(leg, now)
        for sock in (leg.outer, leg.outer_rtcp, leg.inner):
            self._poll.register(sock.fileno(), select.EPOLLIN)
        self.legs = (*self.legs, leg)

    def _drop(self, leg: FrontLeg) -> None:
        if leg not in self.legs:
            return
        for sock in (leg.outer, leg.outer_rtcp, leg.inner):
            self._poll.unregister(sock.fileno())
            del self._readers[sock.fileno()]
        self.legs = tuple(other for other in self.legs if other is not leg)
        leg.close()


def _read_outside(leg: FrontLeg, now_ns: int, utc_ns: int) -> None:
    for _ in range(PER_TURN):
        try:
            datagram, ancillary, flags, address = leg.outer.recvmsg(MAX_DATAGRAM, ANCILLARY)
        except (BlockingIOError, ConnectionError):
            return
        arrived_ns = arrival_ns(ancillary, now_ns, utc_ns)
        if not flags & socket.MSG_TRUNC:
            leg.from_outside(datagram, address, arrived_ns, now_ns)
        if now_ns - arrived_ns < BACKLOG_NS:  # there is hardly another: asking would cost as much as this packet did
            return


def _read_inside(leg: FrontLeg, now_ns: int) -> None:
    """One a tick comes from there; what more there is brings the front here again."""
    try:
        datagram = leg.inner.recv(MAX_DATAGRAM)
    except (BlockingIOError, ConnectionError):
        return
    leg.outwards(datagram, now_ns)


def _read_rtcp(leg: FrontLeg) -> None:
    """RTCP ends here: what the device says of our line is listened to."""
    for _ in range(PER_TURN):
        try:
            datagram, address = leg.outer_rtcp.recvfrom(MAX_DATAGRAM)
        except (BlockingIOError, ConnectionError):
            return
        leg.rtcp(datagram, address)
