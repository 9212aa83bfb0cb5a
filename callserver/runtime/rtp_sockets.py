"""The outside RTP sockets, bound and kept by the supervisor: what arrives while a process is replaced waits in the kernel."""

import socket
from dataclasses import dataclass

SO_TIMESTAMPNS = 35  # socket(7); not in the socket module
RECEIVE_BUFFER_BYTES = 1 << 19  # some five seconds of one G.711 leg, doubled by the kernel


@dataclass(slots=True)
class Pair:
    """One leg's sockets: RTP on an even port, RTCP on the next (RFC 3550 section 11)."""

    rtp: socket.socket
    rtcp: socket.socket
    host: str
    port: int

    def close(self) -> None:
        """Close both."""
        self.rtp.close()
        self.rtcp.close()


class RtpSockets:
    """Pairs by leg. Ports are taken in turn, so that a freed one rests as long as possible."""

    def __init__(self, host: str, low: int, high: int) -> None:
        self.host, self.low, self.high = host, low + low % 2, high
        self.pairs: dict[str, Pair] = {}
        self._next = self.low

    def open(self, leg: str, inside: bool = False) -> Pair:
        """The pair of this leg, bound now unless it exists. Raises OSError when no port of the range is free.

        `inside`: on 127.0.0.1, for a leg whose other end is a process of ours.
        """
        if leg in self.pairs:
            return self.pairs[leg]
        for _ in range(self.low, self.high, 2):
            port = self._next
            self._next = port + 2 if port + 3 <= self.high else self.low
            pair = self._bind("127.0.0.1" if inside else self.host, port)
            if pair is not None:
                self.pairs[leg] = pair
                return pair
        raise OSError(f"no free port pair in {self.low}-{self.high} on {self.host}; widen [sip] rtp_ports")

    def close(self, leg: str) -> None:
        """Let a leg's pair go; unknown legs are ignored."""
        pair = self.pairs.pop(leg, None)
        if pair is not None:
            pair.close()

    def _bind(self, host: str, port: int) -> Pair | None:
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        except OSError:
            rtp.close()
            raise
        try:
            rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            rtp.bind((host, port))
            rtcp.bind((host, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
            return None
        rtp.setblocking(False)
        rtcp.setblocking(False)
        return Pair(rtp, rtcp, host, port)
