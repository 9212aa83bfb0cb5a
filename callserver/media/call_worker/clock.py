"""The worker's clocks: boottime for everything that is told or kept, and the kernel's arrival stamps turned into it."""

import struct
import time

SO_TIMESTAMPNS = 35  # socket(7); not in the socket module
OLDEST_NS = 60_000_000_000  # a datagram that waits while a worker is replaced is some seconds old
_STAMP = struct.Struct("@qq")


def boottime_ns() -> int:
    """CLOCK_BOOTTIME in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def arrival_ns(ancillary: list[tuple[int, int, bytes]], now_ns: int, utc_ns: int) -> int:
    """Boottime of a datagram's arrival by the kernel's stamp (wall clock); `now_ns` when it bears none or one that cannot be.

    `now_ns` and `utc_ns` were read together just now. A stamp ahead of it, or longer ago than a datagram waits in any socket,
    tells that the wall clock was set in between.
    """
    for _, kind, data in ancillary:
        if kind == SO_TIMESTAMPNS and len(data) == _STAMP.size:
            seconds, rest = _STAMP.unpack(data)
            age = utc_ns - (seconds * 1_000_000_000 + rest)
            return int(now_ns - age) if 0 <= age <= OLDEST_NS else now_ns
    return now_ns
