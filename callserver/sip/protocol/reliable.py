"""Reliable provisional responses (RFC 3262) as values: their numbers, and sending them until their PRACK."""

from dataclasses import dataclass

from callserver.sip.protocol.errors import SipError, bad
from callserver.sip.protocol.fields import MAX_CSEQ
from callserver.sip.protocol.grammar import number
from callserver.sip.protocol.model import Response
from callserver.sip.protocol.transaction import T1, Done, Output, Send, TimedOut

MAX_FIRST_RSEQ = 2**31 - 1
_MAX_RSEQ = 2**32 - 1


@dataclass(frozen=True, slots=True)
class RAck:
    """Which response a PRACK acknowledges (RFC 3262 7.2)."""

    rseq: int
    cseq: int
    method: str

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq} {self.method}"


def parse_rack(text: str) -> RAck:
    """Raises `SipError` 400."""
    parts = text.replace("\t", " ").split()
    if len(parts) != 3:
        raise bad("RAck is not two numbers and a method")
    return RAck(number(parts[0], _MAX_RSEQ, "RAck"), number(parts[1], MAX_CSEQ, "RAck"), parts[2])


def rseq_of(response: Response) -> int:
    """The number of a reliable provisional response (RFC 3262 4); 0 when it is none or its number cannot be read."""
    if not 101 <= response.status <= 199 or not response.lists("Require", "100rel"):
        return 0
    try:
        return number((response.get("RSeq") or "").strip(), _MAX_RSEQ, "RSeq")
    except SipError:
        return 0


class Repeat1xx:
    """Sends a reliable provisional response again until its PRACK: after T1, then doubling, for 64 T1 (RFC 3262 3).

    Made when the response has been sent. `TimedOut` means that no PRACK came.
    """

    def __init__(self, response: Response, now_ns: int) -> None:
        self.response = response
        self._pause_ns = T1
        self._next_ns = now_ns + T1
        self._end_ns = now_ns + 64 * T1

    def next_deadline(self) -> int:
        """When `timer` is to be called."""
        return min(self._next_ns, self._end_ns)

    def timer(self, now_ns: int) -> list[Output]:
        """Fires what is due."""
        if now_ns < self.next_deadline():
            return []
        if now_ns >= self._end_ns:
            return [TimedOut(), Done()]
        self._pause_ns *= 2
        self._next_ns = now_ns + self._pause_ns
        return [Send(self.response)]
