"""What the network says of datagrams that we sent: ICMP errors, read from the socket's error queue (ip(7), IP_RECVERR).

Without that option the kernel tells an unconnected UDP socket nothing. With it, an error also fails one later call on the
socket, which has nothing to do with it; reading the queue ends that.
"""

import socket
import struct
from collections.abc import Iterator

_IP_RECVERR = 11  # linux/in.h
_FROM_ICMP = 2  # SO_EE_ORIGIN_ICMP, linux/errqueue.h
_EXTENDED = struct.Struct("=IBBBBII")
_MOST = 64
_WORDS = {(3, 0): "the network is unreachable", (3, 1): "nobody answers", (3, 3): "nobody listens"}


def tell_errors(sock: socket.socket) -> None:
    """Have the kernel keep such errors for `told_errors`."""
    sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def told_errors(sock: socket.socket) -> Iterator[tuple[tuple[str, int], str]]:
    """Where a datagram was sent to, and in plain words what became of it; never blocks."""
    for _ in range(_MOST):
        try:
            _, ancillary, _, address = sock.recvmsg(0, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
        except OSError:  # the queue is empty
            return
        for level, kind, data in ancillary:
            if (level, kind) == (socket.IPPROTO_IP, _IP_RECVERR) and len(data) >= _EXTENDED.size:
                _, origin, icmp, code, *_ = _EXTENDED.unpack_from(data)
                if origin == _FROM_ICMP and icmp == 3:
                    yield (address[0], address[1]), _WORDS.get((icmp, code), f"packets are refused (ICMP code {code})")
