"""Telephone-events (RFC 4733): several packets make one digit. Pure; time comes in."""

import struct
from collections import deque
from dataclasses import dataclass

_EVENT = struct.Struct("!BBH")
_DIGITS = "0123456789*#ABCD"
END = 0x80
END_PACKETS = 3  # RFC 4733 2.5.1.4: the last one, and twice again
VOLUME = 10  # -10 dBm0, as most telephones send
UNSENT_NS = 2_000_000_000  # keys for which no packet of sound came in so long are not sent any more
LOST_END_NS = 300_000_000  # no packet of an event for so long: its end packets were lost


class Events:
    """One leg's events. Each digit is given once: at its end, or when it is superseded, or when it falls silent."""

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._digit = ""
        self._told = True
        self._last_ns = 0

    def feed(self, payload: bytes, timestamp: int, now_ns: int) -> list[str]:
        """One packet's payload (4 bytes or more): the digits that are complete now, at most two."""
        event, flags, _ = _EVENT.unpack_from(payload)
        digits = []
        if timestamp != self._timestamp:
            digits += self._end()
            self._timestamp, self._told = timestamp, False
            self._digit = _DIGITS[event] if event < len(_DIGITS) else ""
        self._last_ns = now_ns
        if flags & END:
            digits += self._end()
        return digits

    def overdue(self, now_ns: int) -> list[str]:
        """The digit whose end packets never came, if there is one."""
        return self._end() if not self._told and now_ns - self._last_ns > LOST_END_NS else []

    def _end(self) -> list[str]:
        told, self._told = self._told, True
        return [] if told or not self._digit else [self._digit]


@dataclass(slots=True)
class _Keys:
    """An order: what is left of it, and all of it."""

    left: str
    digits: str
    length_ms: int
    gap_ms: int


class Sending:
    """Keys that we send on one leg.

    Each packet of an event takes the place of one of sound, so the leg's line stays one: the same SSRC, the next sequence
    number, and sound after an event has the timestamps that it would have had without.
    """

    def __init__(self) -> None:
        self._orders: deque[_Keys] = deque()
        self._moved_ns = 0  # when the first of them began to wait for a packet of sound
        self._began = 0  # timestamp of the event under way
        self._lasted_ms = self._ends = self._gap_ms = 0
        self._told: list[str] = []

    def put(self, digits: str, length_ms: int, gap_ms: int, now_ns: int) -> None:
        """Send these after those that are on their way."""
        if not self._orders:
            self._moved_ns = now_ns
        self._orders.append(_Keys(digits, digits, length_ms, gap_ms))

    def packet(self, timestamp: int, ptime_ms: int, clock_hz: int, now_ns: int) -> tuple[bytes, int, bool] | None:
        """What goes out instead of the packet of sound with this timestamp: payload, timestamp, marker; None: the sound."""
        self._moved_ns = now_ns
        if not self._orders:
            return None
        keys = self._orders[0]
        if self._gap_ms > 0:
            self._gap_ms -= ptime_ms
            if not keys.left and self._gap_ms <= 0:
                self._orders.popleft()
            return None
        first = not self._lasted_ms
        if first:
            self._began = timestamp
        if not self._ends:
            self._lasted_ms += ptime_ms
        ends = self._lasted_ms >= keys.length_ms
        self._ends += ends
        flags = (END if ends else 0) | VOLUME
        payload = _EVENT.pack(_DIGITS.index(keys.left[0]), flags, min(self._lasted_ms * clock_hz // 1_000, 0xFFFF))
        if self._ends == END_PACKETS:
            self._lasted_ms = self._ends = 0
            self._gap_ms = max(keys.gap_ms - (END_PACKETS - 1) * ptime_ms, ptime_ms)
            keys.left = keys.left[1:]
            if not keys.left:
                self._told.append(keys.digits)
        return payload, self._began, first

    def gone(self) -> list[str]:
        """The orders that went out since this was asked last."""
        told, self._told = self._told, []
        return told

    def overdue(self, now_ns: int) -> list[str]:
        """The orders that are not sent any more, because no sound goes out that they could take the place of."""
        if not self._orders or now_ns - self._moved_ns < UNSENT_NS:
            return []
        unsent = [keys.digits for keys in self._orders if keys.left]
        self._orders.clear()
        self._lasted_ms = self._ends = self._gap_ms = 0
        return unsent
