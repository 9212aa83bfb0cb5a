"""When a datagram arrived: the kernel's stamp, unless the wall clock was set under it."""

import struct

import pytest

from callserver.media.call_worker.clock import OLDEST_NS, SO_TIMESTAMPNS, arrival_ns

SECOND = 1_000_000_000
NOW_NS, UTC_NS = 5_000 * SECOND, 1_795_000_000 * SECOND
SOL_SOCKET = 1


def _stamped(utc_ns: int) -> list[tuple[int, int, bytes]]:
    return [(SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@qq", *divmod(utc_ns, SECOND)))]


@pytest.mark.parametrize("age_ns", [0, 1, 20_000_000, 3 * SECOND, OLDEST_NS])
def test_a_stamp_is_taken_for_the_arrival(age_ns: int) -> None:
    """As long ago in boottime as the stamp is in wall time."""
    assert arrival_ns(_stamped(UTC_NS - age_ns), NOW_NS, UTC_NS) == NOW_NS - age_ns


@pytest.mark.parametrize("age_ns", [-1, -3_600 * SECOND, OLDEST_NS + 1, 3_600 * SECOND])
def test_a_stamp_of_another_time_is_not(age_ns: int) -> None:
    """The wall clock was set back or forth: the datagram arrived just now."""
    assert arrival_ns(_stamped(UTC_NS - age_ns), NOW_NS, UTC_NS) == NOW_NS


def test_without_a_stamp_it_is_now() -> None:
    """Nothing, or a control message of another kind."""
    assert arrival_ns([], NOW_NS, UTC_NS) == arrival_ns([(SOL_SOCKET, 29, b"\0" * 16)], NOW_NS, UTC_NS) == NOW_NS
