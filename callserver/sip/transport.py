"""UDP, TCP and TLS sockets of the edge: bytes in and out, and which connection is whose.

The listening sockets belong to the supervisor; TCP connections are shown to it too (`Connections.keep`), so that they
survive us. Those of TLS end with us, for their keys are nobody else's: devices connect again. What arrives is handed on with
its `Flow`; what it means is not decided here. Rules for streams (RFC 3261 18): a message that is not complete 10 s after its
first byte, and a connection that has said nothing useful in 10 s, is closed; a connection that nobody has proven is one of at
most `MAX_UNPROVEN_EACH` of its address (`MAX_UNPROVEN_KNOWN` where somebody is known). A handshake has
5 s, and a connection of ours 4 s until it stands.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from callserver.sip.connection import Connection
from callserver.sip.flow import Flow
from callserver.sip.interface import Connections
from callserver.sip.limits import Limits
from callserver.sip.timers import Timers
from callserver.sip.tls import Authorities, Sealed, words

log = structlog.get_logger(__name__)

SWEEP_NS = 1_000_000_000
MAX_UNPROVEN_EACH = 32
MAX_UNPROVEN_KNOWN = 256  # where somebody is known: after a restart all devices behind one address come at once
MAX_EACH = 1_000
MAX_OVERALL = 4_000
MAX_HANDSHAKES = 256  # at a time, of all addresses together
MAX_TROUBLES = 1_000
MAX_UNSENT = 262_144
DATAGRAMS_AT_ONCE = 64
RECEIVE_BUFFER = 4 << 20  # as much as the host allows: what waits while nobody reads is a press, perhaps


@dataclass(slots=True)
class Incoming:
    """Who is told what arrives: whole datagrams, pieces of streams, and the end of a connection."""

    datagram: Callable[[bytes, Flow], None]
    piece: Callable[[bytes, Flow], bool]  # whether part of a message is still awaited
    closed: Callable[[Flow], None]


class Transport:
    """All sockets of the edge. Everything runs on the event loop; nothing waits."""

    def __init__(
        self,
        incoming: Incoming,
        connections: Connections,
        clock: Callable[[], int],
        timers: Timers,
        first_number: int,
        limits: Limits,
    ) -> None:
        """`first_number` is random: records of before a restart may name connections that are gone, and must not meet others."""
        self._incoming = incoming
        self._keeper = connections
        self._clock = clock
        self._timers = timers
        self._udp: socket.socket | None = None
        self._tcp: socket.socket | None = None
        self._tls: socket.socket | None = None
        self._secure: ssl.SSLContext | None = None
        self._authorities = Authorities()
        self._open: dict[int, Connection] = {}
        self._by_peer: dict[tuple[str, str, int, str], int] = {}
        self._troubles: dict[tuple[str, str, int, str], str] = {}
        self._next = first_number
        self._limits = limits

    def start(
        self, udp: socket.socket, tcp: socket.socket, kept: Mapping[int, socket.socket], tls: socket.socket | None = None
    ) -> None:
        """Read from these sockets; `kept` are connections of our predecessor, under the numbers they had.

        Whoever connects to `tls` waits in the kernel until `secure` has said with which certificate.
        """
        loop = asyncio.get_running_loop()
        self._udp, self._tcp, self._tls = udp, tcp, tls
        udp.setblocking(False)
        tcp.setblocking(False)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        for number, sock in kept.items():
            self._resume(number, sock)
        loop.add_reader(udp, self._read_udp)
        loop.add_reader(tcp, self._accept, tcp, "tcp")
        if self._secure is not None:
            self.secure(self._secure)
        self._sweep(self._clock())

    def secure(self, secure: ssl.SSLContext) -> None:
        """Accept TLS with this certificate from now on; authorities are read anew. Connections that stand go on with theirs."""
        self._secure = secure
        self._authorities.forget()
        if self._tls is not None:
            self._tls.setblocking(False)
            asyncio.get_running_loop().add_reader(self._tls, self._accept, self._tls, "tls")

    def stop(self) -> None:
        """Read no more; the sockets stay open for a successor (their owner closes its copies)."""
        loop = asyncio.get_running_loop()
        for sock in (self._udp, self._tcp, self._tls):
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
        sock = {"udp": self._udp, "tcp": self._tcp, "tls": self._tls}[kind]
        return int(sock.getsockname()[1]) if sock is not None else 0

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send one message; False when it certainly did not go (no connection and none could be begun)."""
        if flow.kind == "udp":
            return self._send_udp(data, flow)
        connection = self._connection(flow) or self._connect(flow)
        return connection is not None and self._write(connection, data)

    def _connection(self, flow: Flow) -> Connection | None:
        return self._open.get(flow.connection) or self._open.get(self._by_peer.get(flow.far, 0))

    def reaches(self, flow: Flow) -> bool:
        """Whether a connection for this flow is there."""
        return self._connection(flow) is not None

    def prove(self, flow: Flow) -> None:
        """Somebody authenticated over this flow: its connection may stay."""
        connection = self._open.get(flow.connection)
        if connection is not None:
            connection.proven = True

    def trouble(self, flow: Flow) -> str:
        """Why the last connection that we made there failed; "" when it stood."""
        return self._troubles.get(flow.far, "")

    def names(self, flow: Flow) -> frozenset[str]:
        """What a verified certificate of the other side says whom it is for; see `Sealed.names`."""
        connection = self._open.get(flow.connection)
        return connection.sealed.names() if connection is not None and connection.sealed is not None else frozenset()

    def close(self, flow: Flow, why: str) -> None:
        """Close a connection that we do not want."""
        connection = self._connection(flow)
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

    # ---- TCP and TLS ----------------------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket, kind: str) -> None:
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                sock, (host, port) = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("accept_failed", kind=kind, error=str(error))
                return
            if self._too_many(host, kind):
                log.warning("connection_refused", kind=kind, source=host, reason="too many connections")
                sock.close()
                continue
            self._adopt(sock, Flow(kind, host, port, self._number()))

    def _too_many(self, host: str, kind: str) -> bool:
        same = [connection for connection in self._open.values() if connection.flow.host == host]
        unproven = sum(not connection.proven for connection in same)
        if len(self._open) >= MAX_OVERALL or len(same) >= MAX_EACH or unproven >= MAX_UNPROVEN_KNOWN:
            return True
        if unproven >= MAX_UNPROVEN_EACH and not self._limits.known_host(host):
            return True
        if kind != "tls":
            return False
        under_way = sum(not connection.stands for connection in self._open.values())
        return under_way >= MAX_HANDSHAKES or not self._limits.handshake(host, self._clock())

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _adopt(self, sock: socket.socket, flow: Flow) -> Connection:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock, flow, self._sealed(flow), self._clock())
        self._open[flow.connection] = connection
        self._by_peer[flow.far] = flow.connection
        asyncio.get_running_loop().add_reader(sock, self._read, connection)
        if connection.sealed is None:
            self._keeper.keep(flow.connection, sock.fileno())
        return connection

    def _sealed(self, flow: Flow) -> Sealed | None:
        """Raises OSError when the authorities that are to be trusted cannot be read."""
        if flow.kind != "tls":
            return None
        if flow.name:
            return Sealed(self._authorities.of(flow.ca), flow.name)
        assert self._secure is not None, "nobody is accepted before there is a certificate"
        return Sealed(self._secure)

    def _resume(self, number: int, sock: socket.socket) -> None:
        try:
            host, port = sock.getpeername()
        except OSError:  # closed by the other side while nobody read
            self._keeper.drop(number)
            sock.close()
            return
        connection = self._adopt(sock, Flow("tcp", host, port, number))
        connection.proven = True
        connection.waiting_since = None

    def _connect(self, flow: Flow) -> Connection | None:
        if flow.kind == "tls" and not flow.name:  # a device's own connection, which is gone
            return None
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            with contextlib.suppress(BlockingIOError):
                sock.connect((flow.host, flow.port))
            connection = self._adopt(sock, replace(flow, connection=self._number()))
        except OSError as error:
            log.warning("connect_failed", to=str(flow), error=str(error))
            self._note_trouble(flow, words(error, flow.name))
            sock.close()
            return None
        connection.connecting = connection.proven = connection.ours = True
        asyncio.get_running_loop().add_writer(sock, self._connected, connection)
        return connection

    def _connected(self, connection: Connection) -> None:
        connection.connecting = False
        if connection.sealed is None:
            self._troubles.pop(connection.flow.far, None)
        elif self._opened(connection, b"") is None:  # our side of the handshake begins
            return
        self._flush(connection)

    def _note_trouble(self, flow: Flow, why: str) -> None:
        if len(self._troubles) >= MAX_TROUBLES:
            self._troubles.clear()
        self._troubles[flow.far] = why

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(65_536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._close(connection, words(error, ""))
            return
        if not data:
            self._close(connection, "closed by the other side")
            return
        now = self._clock()
        connection.last_ns = now
        said = data if connection.sealed is None else self._opened(connection, data)
        if said:
            self._take(connection, said, now)
        if connection.sealed is not None and connection.sealed.closed:
            self._close(connection, "closed by the other side")

    def _take(self, connection: Connection, said: bytes, now: int) -> None:
        partial = self._incoming.piece(said, connection.flow)
        if not partial:
            connection.waiting_since = None if connection.proven else connection.waiting_since
        elif connection.waiting_since is None:
            connection.waiting_since = now

    def _opened(self, connection: Connection, data: bytes) -> bytes | None:
        """What was said by TLS; None when the connection is closed, because it was none."""
        sealed = connection.sealed
        assert sealed is not None, "only TLS is opened"
        stood = sealed.ready
        try:
            said = sealed.feed(data)
        except OSError as error:
            with contextlib.suppress(OSError):
                connection.sock.send(sealed.outgoing())  # the alert; nothing more will follow
            self._close(connection, words(error, connection.flow.name))
            return None
        connection.unsent += sealed.outgoing()
        if connection.unsent:
            self._flush(connection)
        if sealed.ready and not stood:
            self._troubles.pop(connection.flow.far, None)
        return said if connection.number in self._open else None

    def _write(self, connection: Connection, data: bytes) -> bool:
        if connection.sealed is None:
            connection.unsent += data
        else:
            try:
                connection.sealed.seal(data)
            except OSError as error:
                self._close(connection, words(error, connection.flow.name))
                return False
            connection.unsent += connection.sealed.outgoing()
        if len(connection.unsent) + (connection.sealed.waiting if connection.sealed is not None else 0) > MAX_UNSENT:
            self._close(connection, "does not read what we send")
            return False
        if not connection.connecting:
            self._flush(connection)
        return connection.number in self._open

    def _flush(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        try:
            while connection.unsent:
                sent = connection.sock.send(connection.unsent)
                del connection.unsent[:sent]
        except (BlockingIOError, InterruptedError):
            loop.add_writer(connection.sock, self._flush, connection)
            return
        except OSError as error:
            self._close(connection, words(error, ""))
            return
        loop.remove_writer(connection.sock)

    def _close(self, connection: Connection, why: str) -> None:
        if self._open.pop(connection.number, None) is None:
            return
        if self._by_peer.get(connection.flow.far) == connection.number:
            del self._by_peer[connection.flow.far]
        loop = asyncio.get_running_loop()
        loop.remove_reader(connection.sock)
        loop.remove_writer(connection.sock)
        with contextlib.suppress(OSError):  # a duplicate may be held elsewhere: end it for everybody
            connection.sock.shutdown(socket.SHUT_RDWR)
        connection.sock.close()
        self._keeper.drop(connection.number)
        if connection.ours:
            self._note_trouble(connection.flow, why)
        log.info("connection_closed", source=str(connection.flow), reason=why)
        self._incoming.closed(connection.flow)

    def _sweep(self, now: int) -> None:
        for connection in list(self._open.values()):
            why = connection.overdue(now)
            if why:
                self._close(connection, why)
        self._timers.set("tcp_sweep", now + SWEEP_NS, self._sweep)
