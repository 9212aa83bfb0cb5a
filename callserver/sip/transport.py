"""UDP and TCP sockets of the edge: bytes in and out, and which connection is whose.

The listening sockets belong to the supervisor; accepted connections are shown to it too (`Connections.keep`), so that they
survive us. What arrives is handed on with its `Flow`; what it means is not decided here. Rules for TCP (RFC 3261 18):
a message that is not complete 10 s after its first byte, and a connection that has said nothing useful in 10 s, is closed;
a connection that nobody has proven is one of at most `MAX_UNPROVEN_EACH` of its address.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from callserver.sip.interface import Connections
from callserver.sip.timers import Timers

log = structlog.get_logger(__name__)

SECOND_NS = 1_000_000_000
HALF_OPEN_NS = 10 * SECOND_NS
IDLE_NS = 900 * SECOND_NS
SWEEP_NS = 1 * SECOND_NS
MAX_UNPROVEN_EACH = 32
MAX_EACH = 1_000
MAX_OVERALL = 4_000
MAX_UNSENT = 262_144
DATAGRAMS_AT_ONCE = 64
RECEIVE_BUFFER = 4 << 20  # as much as the host allows: what waits while nobody reads is a press, perhaps


@dataclass(frozen=True, slots=True)
class Flow:
    """Where a message came from or goes to. `connection` is 0 for UDP, and for TCP when any connection will do."""

    kind: str  # udp | tcp
    host: str
    port: int
    connection: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.host}:{self.port}"


@dataclass(slots=True)
class Incoming:
    """Who is told what arrives: whole datagrams, pieces of streams, and the end of a connection."""

    datagram: Callable[[bytes, Flow], None]
    piece: Callable[[bytes, Flow], bool]  # whether part of a message is still awaited
    closed: Callable[[Flow], None]


class Connection:
    """One TCP connection, accepted or made by us."""

    def __init__(self, number: int, sock: socket.socket, host: str, port: int, now: int) -> None:
        self.number = number
        self.sock = sock
        self.flow = Flow("tcp", host, port, number)
        self.unsent = bytearray()
        self.connecting = False
        self.proven = False
        self.waiting_since: int | None = now  # for the rest of a message, or for the first useful one
        self.last_ns = now


class Transport:
    """All sockets of the edge. Everything runs on the event loop; nothing waits."""

    def __init__(
        self, incoming: Incoming, connections: Connections, clock: Callable[[], int], timers: Timers, first_number: int
    ) -> None:
        """`first_number` is random: records of before a restart may name connections that are gone, and must not meet others."""
        self._incoming = incoming
        self._keeper = connections
        self._clock = clock
        self._timers = timers
        self._udp: socket.socket | None = None
        self._tcp: socket.socket | None = None
        self._open: dict[int, Connection] = {}
        self._by_peer: dict[tuple[str, int], int] = {}
        self._next = first_number

    def start(self, udp: socket.socket, tcp: socket.socket, kept: Mapping[int, socket.socket]) -> None:
        """Read from these sockets; `kept` are connections of our predecessor, under the numbers they had."""
        loop = asyncio.get_running_loop()
        self._udp, self._tcp = udp, tcp
        udp.setblocking(False)
        tcp.setblocking(False)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        for number, sock in kept.items():
            self._resume(number, sock)
        loop.add_reader(udp, self._read_udp)
        loop.add_reader(tcp, self._accept)
        self._sweep(self._clock())

    def stop(self) -> None:
        """Read no more; the sockets stay open for a successor (their owner closes its copies)."""
        loop = asyncio.get_running_loop()
        for sock in (self._udp, self._tcp):
            if sock is not None:
                loop.remove_reader(sock)
                sock.close()
        for connection in self._open.values():
            loop.remove_reader(connection.sock)
            loop.remove_writer(connection.sock)
            connection.sock.close()
        self._open.clear()

    def local_port(self, kind: str) -> int:
        """The port that we listen on."""
        sock = self._udp if kind == "udp" else self._tcp
        return int(sock.getsockname()[1]) if sock is not None else 0

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send one message; False when it certainly did not go (no connection and none could be begun)."""
        if flow.kind == "udp":
            return self._send_udp(data, flow)
        connection = self._connection(flow) or self._connect(flow)
        return connection is not None and self._write(connection, data)

    def _connection(self, flow: Flow) -> Connection | None:
        return self._open.get(flow.connection) or self._open.get(self._by_peer.get((flow.host, flow.port), 0))

    def reaches(self, flow: Flow) -> bool:
        """Whether a connection for this flow is there."""
        return self._connection(flow) is not None

    def prove(self, flow: Flow) -> None:
        """Somebody authenticated over this flow: its connection may stay."""
        connection = self._open.get(flow.connection)
        if connection is not None:
            connection.proven = True

    def close(self, flow: Flow, why: str) -> None:
        """Close a connection that we do not want."""
        connection = self._open.get(flow.connection)
        if connection is not None:
            self._close(connection, why)

    # ---- UDP -------------------------------------------------------------------------------------------------

    def _read_udp(self) -> None:
        assert self._udp is not None
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                data, (host, port) = self._udp.recvfrom(65_535)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP answer to what we sent earlier; the socket is fine
                log.debug("udp_receive_error", error=str(error))
                continue
            self._incoming.datagram(data, Flow("udp", host, port))

    def _send_udp(self, data: bytes, flow: Flow) -> bool:
        if self._udp is None or not 0 < flow.port < 65_536:
            return False
        try:
            self._udp.sendto(data, (flow.host, flow.port))
        except (BlockingIOError, InterruptedError):
            log.warning("udp_send_dropped", to=str(flow))  # retransmission will do it
        except OSError as error:
            log.warning("udp_send_failed", to=str(flow), error=str(error))
            return False
        return True

    # ---- TCP -------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._tcp is not None
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                sock, (host, port) = self._tcp.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("tcp_accept_failed", error=str(error))
                return
            if self._too_many(host):
                log.warning("tcp_refused", source=host, reason="too many connections")
                sock.close()
                continue
            self._adopt(self._number(), sock, host, port)

    def _too_many(self, host: str) -> bool:
        same = [connection for connection in self._open.values() if connection.flow.host == host]
        unproven = sum(not connection.proven for connection in same)
        return len(self._open) >= MAX_OVERALL or len(same) >= MAX_EACH or unproven >= MAX_UNPROVEN_EACH

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _adopt(self, number: int, sock: socket.socket, host: str, port: int) -> Connection:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(number, sock, host, port, self._clock())
        self._open[number] = connection
        self._by_peer[(host, port)] = number
        asyncio.get_running_loop().add_reader(sock, self._read, connection)
        self._keeper.keep(number, sock.fileno())
        return connection

    def _resume(self, number: int, sock: socket.socket) -> None:
        try:
            host, port = sock.getpeername()
        except OSError:  # closed by the other side while nobody read
            self._keeper.drop(number)
            sock.close()
            return
        connection = self._adopt(number, sock, host, port)
        connection.proven = True
        connection.waiting_since = None

    def _connect(self, flow: Flow) -> Connection | None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            sock.connect((flow.host, flow.port))
        except BlockingIOError:
            pass
        except OSError as error:
            log.warning("tcp_connect_failed", to=str(flow), error=str(error))
            sock.close()
            return None
        connection = self._adopt(self._number(), sock, flow.host, flow.port)
        connection.connecting = True
        connection.proven = True
        asyncio.get_running_loop().add_writer(sock, self._flush, connection)
        return connection

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(65_536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._close(connection, str(error))
            return
        if not data:
            self._close(connection, "closed by the other side")
            return
        now = self._clock()
        connection.last_ns = now
        partial = self._incoming.piece(data, connection.flow)
        if not partial:
            connection.waiting_since = None if connection.proven else connection.waiting_since
        elif connection.waiting_since is None:
            connection.waiting_since = now

    def _write(self, connection: Connection, data: bytes) -> bool:
        connection.unsent += data
        if len(connection.unsent) > MAX_UNSENT:
            self._close(connection, "does not read what we send")
            return False
        if not connection.connecting:
            self._flush(connection)
        return connection.number in self._open

    def _flush(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.connecting = False
        try:
            while connection.unsent:
                sent = connection.sock.send(connection.unsent)
                del connection.unsent[:sent]
        except (BlockingIOError, InterruptedError):
            loop.add_writer(connection.sock, self._flush, connection)
            return
        except OSError as error:
            self._close(connection, str(error))
            return
        loop.remove_writer(connection.sock)

    def _close(self, connection: Connection, why: str) -> None:
        if self._open.pop(connection.number, None) is None:
            return
        if self._by_peer.get((connection.flow.host, connection.flow.port)) == connection.number:
            del self._by_peer[(connection.flow.host, connection.flow.port)]
        loop = asyncio.get_running_loop()
        loop.remove_reader(connection.sock)
        loop.remove_writer(connection.sock)
        with contextlib.suppress(OSError):  # a duplicate may be held elsewhere: end it for everybody
            connection.sock.shutdown(socket.SHUT_RDWR)
        connection.sock.close()
        self._keeper.drop(connection.number)
        log.info("tcp_closed", source=str(connection.flow), reason=why)
        self._incoming.closed(connection.flow)

    def _sweep(self, now: int) -> None:
        for connection in list(self._open.values()):
            since = connection.waiting_since
            if since is not None and now - since >= HALF_OPEN_NS:
                self._close(connection, "half a message for 10 s" if connection.proven else "nothing useful for 10 s")
            elif now - connection.last_ns >= IDLE_NS:
                self._close(connection, "idle")
        self._timers.set("tcp_sweep", now + SWEEP_NS, self._sweep)
