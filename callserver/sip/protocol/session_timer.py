"""Session timers (RFC 4028) as values: what a message asks for, what two sides agree on, and when that falls due.

A header that cannot be read counts as absent: nobody's call is refused for it.
"""

from typing import Final

import msgspec

from callserver.sip.protocol.errors import SipError
from callserver.sip.protocol.grammar import MAX_DELTA_SECONDS, number, parse_params, split_outside
from callserver.sip.protocol.model import Message, Request, Response

LEAST_S: Final = 90  # RFC 4028 5: no interval may be shorter
_SHORTEST_S = 30  # of an answer that breaks this
_SECOND_NS = 1_000_000_000

Lines = tuple[tuple[str, str], ...]


class Timer(msgspec.Struct, frozen=True):
    """What is agreed in a dialog: who refreshes, how often; `since_ns` is when it was agreed or refreshed last."""

    interval_s: int
    ours: bool  # we refresh
    since_ns: int

    @property
    def refresh_ns(self) -> int:
        """When we refresh: at half the interval (RFC 4028 7.2)."""
        return self.since_ns + self.interval_s * _SECOND_NS // 2

    @property
    def over_ns(self) -> int:
        """When the dialog counts as lost; of a peer's refreshing a little before its time is up (RFC 4028 10)."""
        whole = self.interval_s * _SECOND_NS
        return self.since_ns + (whole if self.ours else whole - min(32 * _SECOND_NS, whole // 3))


def _interval(message: Message, name: str) -> tuple[int, str]:
    """Seconds and refresher of Session-Expires or Min-SE; (0, "") without a header that can be read."""
    value = message.get(name)
    if value is None:
        return 0, ""
    try:
        seconds, *params = split_outside(value, ";")
        return number(seconds.strip(), MAX_DELTA_SECONDS, name), (parse_params(params, name).get("refresher") or "").lower()
    except SipError:
        return 0, ""


def least_s(message: Message) -> int:
    """What Min-SE asks for at the least, never below `LEAST_S`."""
    return max(LEAST_S, _interval(message, "Min-SE")[0])


def as_uas(request: Request, now_ns: int) -> tuple[Timer | None, Lines]:
    """What our 2xx to an INVITE or UPDATE agrees to, and its headers (RFC 4028 9). Raises `SipError` 422.

    Whoever asks for a timer without saying who refreshes does it himself.
    """
    seconds, refresher = _interval(request, "Session-Expires")
    if not seconds:
        return None, ()
    knows = request.lists("Supported", "timer") or request.lists("Require", "timer")
    if seconds < LEAST_S:
        if knows:
            raise SipError(422, "Session Interval Too Small", request, (("Min-SE", str(LEAST_S)),))
        return None, ()  # a proxy's wish, whose sender would not know what a 422 is
    ours = refresher == "uas" or not knows
    agreed: Lines = (("Session-Expires", f"{seconds};refresher={'uas' if ours else 'uac'}"),)
    return Timer(seconds, ours, now_ns), ((("Require", "timer"),) if knows else ()) + agreed


def of_press(request: Request, now_ns: int) -> tuple[Timer | None, Lines]:
    """As `as_uas`, for the INVITE that opens a dialog: too short an interval is served without one (as RFC 4028 9 allows).

    No press waits for a second try, and none is lost to a device that does not make one.
    """
    try:
        return as_uas(request, now_ns)
    except SipError:
        return None, ()


def as_uac(response: Response, now_ns: int) -> Timer | None:
    """What a 2xx to our INVITE or UPDATE agrees to (RFC 4028 7.2). One that names no refresher leaves it to us."""
    seconds, refresher = _interval(response, "Session-Expires")
    return Timer(max(_SHORTEST_S, seconds), refresher != "uas", now_ns) if seconds else None


def wanted(interval_s: int, refresher: str = "") -> Lines:
    """The headers by which a request of ours asks for a timer; none for 0. Min-SE where a 422 asked for it (RFC 4028 7.3)."""
    if not interval_s:
        return ()
    return (("Session-Expires", f"{interval_s}{';refresher=' + refresher if refresher else ''}"),)
