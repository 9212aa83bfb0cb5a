"""The switchboard's connection to one call worker: numbered messages, the heartbeat, and the certainty of its death.

A worker that does not beat for HUNG_AFTER_NS is killed, and nothing else is done here: its death leads to the one path of
rescue. Death shows as end of file first; a pidfd makes it certain. Both lead to one `gone`.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable

import structlog

from callserver.media import protocol
from callserver.media.peer import Numbered

HUNG_AFTER_NS = 450_000_000
GREETING_LIMIT_NS = 3_000_000_000
DEAF_AFTER_NS = 1_000_000_000  # lives and beats, but the engine's packets stand still
CONNECT_EVERY_S = 0.004
CONNECT_TRIES = 500
log = structlog.get_logger()


class WorkerLink:
    """One worker. `told` gets its numbered reports, `gone` its end, exactly once."""

    def __init__(
        self,
        worker: str,
        pid: int,
        path: str,
        told: Callable[["WorkerLink", protocol.Message], None],
        gone: Callable[["WorkerLink", str], None],
        clock: Callable[[], int],
    ) -> None:
        self.id, self.pid, self.path = worker, pid, path
        self.told, self._gone, self.clock = told, gone, clock
        self.loop = asyncio.get_running_loop()
        self.hello: protocol.Hello | None = None
        self.numbered = Numbered()
        self.sock: socket.socket | None = None
        self.pidfd = -1
        self.call = ""  # which call it carries
        self.made_ns = clock()
        self.beat_ns = 0  # when the last beat came; 0: none is due before the Hello
        self.engine_ns = 0
        self.counts: dict[str, protocol.LegCounts] = {}
        self.dead = False
        self._waiting: list[tuple[protocol.Message, tuple[int, ...]]] = []
        self._tries = 0

    def connect(self) -> None:
        """Connect, again and again until the worker listens; then both say Hello."""
        if self.dead:
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.setblocking(False)  # where too many wait to be accepted, it is not we who wait
        try:
            if self.pidfd < 0:
                self.pidfd = os.pidfd_open(self.pid)
                self.loop.add_reader(self.pidfd, self.end, "its process ended")
            sock.connect(self.path)
        except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            sock.close()
            self._tries += 1
            if self._tries > CONNECT_TRIES:
                self.end("it never listened")
                return
            self.loop.call_later(CONNECT_EVERY_S, self.connect)
            return
        except OSError as error:
            sock.close()
            self.end(f"cannot be reached: {error}")
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.sock = sock
        self.loop.add_reader(sock, self._readable)
        self._put(protocol.encode(0, protocol.Hello(protocol.VERSION, 0)), ())

    def send(self, message: protocol.Order, fds: tuple[int, ...] = ()) -> None:
        """Send an order; before the Hello it waits."""
        if self.hello is None:
            self._waiting.append((message, tuple(os.dup(fd) for fd in fds)))
            return
        self._put(self.numbered.send(message), fds)

    def check(self) -> None:
        """Kill a worker that hangs. Our own lateness must not condemn it: look once more at its socket first."""
        if not self.dead and self._late():
            self._readable()
            if not self.dead and self._late():
                log.warning("worker.hangs", worker=self.id, call=self.call)
                self.kill()

    def _late(self) -> bool:
        if self.hello is None:
            return self.clock() - self.made_ns >= GREETING_LIMIT_NS
        return self.clock() - self.beat_ns >= HUNG_AFTER_NS

    def kill(self) -> None:
        """End its process for certain; `gone` follows from its death."""
        if self.pidfd >= 0:
            try:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            except ProcessLookupError:
                return

    def end(self, why: str) -> None:
        """It is over; idempotent."""
        if self.dead:
            return
        self.dead = True
        if self.sock is not None:
            self.loop.remove_reader(self.sock)
            self.sock.close()
        if self.pidfd >= 0:
            self.loop.remove_reader(self.pidfd)
            self.kill()  # end of file without death: a worker that cannot be led must not go on reading
            os.close(self.pidfd)
            self.pidfd = -1
        waiting, self._waiting = self._waiting, []
        for _, fds in waiting:
            for fd in fds:
                os.close(fd)
        self._gone(self, why)

    def leave(self) -> None:
        """This switchboard stops; the worker goes on."""
        self.dead = True
        if self.sock is not None:
            self.loop.remove_reader(self.sock)
            self.sock.close()
        if self.pidfd >= 0:
            self.loop.remove_reader(self.pidfd)
            os.close(self.pidfd)

    def _put(self, datagram: bytes, fds: tuple[int, ...]) -> None:
        if self.sock is None or self.dead:
            return
        try:
            socket.send_fds(self.sock, [datagram], list(fds))
        except BlockingIOError:
            self.end("it does not read its orders")
        except OSError as error:
            self.end(f"its socket failed: {error}")

    def _readable(self) -> None:
        while not self.dead and self.sock is not None:
            try:
                datagram = self.sock.recv(protocol.MAX_MESSAGE_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                self.end(f"its socket failed: {error}")
                return
            if not datagram:
                self.end("its process ended")
                return
            self._take(datagram)

    def _take(self, datagram: bytes) -> None:
        try:
            message = protocol.decode(datagram).message
            report = self.numbered.receive(datagram)
        except ValueError as error:
            self.end(f"it does not speak as it must: {error}")
            return
        if isinstance(message, protocol.Hello):
            self._greeted(message)
        elif isinstance(message, protocol.Beat):
            self._beat(message)
        else:
            if report is not None:
                self.told(self, report)
            ack = self.numbered.ack_due()  # of what was acted upon
            if ack is not None:
                self._put(ack, ())

    def _greeted(self, hello: protocol.Hello) -> None:
        """The worker's Hello: our numbers go on from what it had."""
        self.hello, self.call = hello, hello.call
        self.beat_ns = self.engine_ns = self.clock()
        self.numbered.hello(hello.had)
        self.told(self, hello)
        waiting, self._waiting = self._waiting, []
        for message, fds in waiting:
            self._put(self.numbered.send(message), fds)
            for fd in fds:
                os.close(fd)

    def _beat(self, beat: protocol.Beat) -> None:
        now_ns = self.clock()
        self.beat_ns = now_ns
        self.counts = {counts.leg: counts for counts in beat.legs}
        if beat.engine_alive or not beat.legs:
            self.engine_ns = now_ns
        elif now_ns - self.engine_ns > DEAF_AFTER_NS:
            log.warning("worker.engine_stands_still", worker=self.id, call=self.call)
            self.kill()
