"""Ports for one test that no other test run on this machine takes at the same moment.

A block of four hundred ports is claimed by listening on its first TCP port for as long as the block lives, so two test runs
side by side never share one, and a run that dies gives its blocks back by itself. The blocks lie below the kernel's
range for outgoing sockets and beside the ports that the bench uses (25060, 27000 and up, 10000 to 19998).
"""

import os
import socket

FIRST, BLOCKS, SIZE = 20_000, 12, 400


class Ports:
    """One claimed block. `take` hands out ports that are free for UDP and TCP on the loopback address at this moment."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Claim a block. RuntimeError when all are taken."""
        self.host = host
        self._guard, self._next = _claim(host)
        self._end = self._next + SIZE - 1

    def take(self, count: int = 1, even: bool = False) -> int:
        """The first of `count` free ports in a row (even where RTP wants it so). RuntimeError when the block is used up."""
        first = self._next
        while first + count <= self._end:
            if not (even and first % 2) and all(_free(self.host, port) for port in range(first, first + count)):
                self._next = first + count
                return first
            first += 1
        raise RuntimeError(f"no {count} free ports in a row are left in this block")

    def close(self) -> None:
        """Give the block back."""
        self._guard.close()


def _claim(host: str) -> tuple[socket.socket, int]:
    for number in range(BLOCKS):
        base = FIRST + SIZE * ((os.getpid() + number) % BLOCKS)
        guard = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            guard.bind((host, base))
            guard.listen(1)
        except OSError:
            guard.close()
            continue
        return guard, base + 1
    raise RuntimeError("every block of test ports is taken")


def _free(host: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT is no hindrance
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
