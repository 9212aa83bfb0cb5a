"""One TCP connection, with TLS over it or without, and how long it is waited for."""

import socket

from callserver.sip.flow import Flow
from callserver.sip.tls import Sealed

SECOND_NS = 1_000_000_000
HALF_OPEN_NS = 10 * SECOND_NS
HANDSHAKE_NS = 5 * SECOND_NS
CONNECT_NS = 4 * SECOND_NS
IDLE_NS = 900 * SECOND_NS


class Connection:
    """One TCP connection, accepted or made by us; `sealed`: with TLS over it."""

    def __init__(self, sock: socket.socket, flow: Flow, sealed: Sealed | None, now: int) -> None:
        self.number = flow.connection
        self.sock = sock
        self.flow = flow
        self.sealed = sealed
        self.unsent = bytearray()
        self.connecting = False
        self.ours = False  # we connected
        self.began_ns = now
        self.proven = False
        self.waiting_since: int | None = now  # for the rest of a message, or for the first useful one
        self.last_ns = now

    @property
    def stands(self) -> bool:
        """Whether SIP can pass."""
        return not self.connecting and (self.sealed is None or self.sealed.ready)

    def overdue(self, now: int) -> str:
        """Why it is not waited for any longer, or ""."""
        since = self.waiting_since
        if not self.stands and now - self.began_ns >= (CONNECT_NS if self.ours else HANDSHAKE_NS):
            return "no connection within 4 s" if self.ours else "no handshake within 5 s"
        if since is not None and now - since >= HALF_OPEN_NS:
            return "half a message for 10 s" if self.proven else "nothing useful for 10 s"
        return "idle" if now - self.last_ns >= IDLE_NS else ""
