"""Telephone-events (RFC 4733): several packets make one digit. Pure; time comes in."""

import struct

_EVENT = struct.Struct("!BBH")
_DIGITS = "0123456789*#ABCD"
END = 0x80
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
