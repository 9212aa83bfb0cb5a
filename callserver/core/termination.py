"""Why a leg, a call or an offer ended: one class and one reason each, unknown counted as a class.

`from_status` is the only place where a SIP status becomes a verdict (RFC 3261 section 21).
"""

from dataclasses import dataclass
from enum import StrEnum


class Class(StrEnum):
    """What kind of end it was; every ended leg has exactly one."""

    NORMAL = "normal"  # a party hung up after an answer
    CANCELLED = "cancelled"  # given up before an answer, by the caller or by us
    REFUSED = "refused"  # busy, declined
    UNANSWERED = "unanswered"  # rang and nobody came
    UNREACHABLE = "unreachable"  # no binding, no route, no reply
    LOST = "lost"  # the line died under a conversation
    FAILED = "failed"  # the other side reported an error
    INTERNAL = "internal"  # our fault
    UNKNOWN = "unknown"


class By(StrEnum):
    """Whose doing the end was."""

    PARTY = "party"
    US = "us"


@dataclass(frozen=True, slots=True)
class Termination:
    """The end of a leg. `status` is the SIP status where there was one, else 0."""

    kind: Class
    by: By
    reason: str
    status: int = 0


_UNREACHABLE = frozenset({404, 410, 430, 480, 604})
_REFUSED = frozenset({403, 486, 600, 603, 607})


def from_status(status: int, reason: str) -> Termination:
    """The verdict on a final response that is no 2xx."""
    if status == 487:
        kind = Class.CANCELLED
    elif status == 408:
        kind = Class.UNANSWERED
    elif status in _UNREACHABLE or status == 503:
        kind = Class.UNREACHABLE
    elif status in _REFUSED:
        kind = Class.REFUSED
    elif 300 <= status < 700:
        kind = Class.FAILED
    else:
        kind = Class.UNKNOWN
    return Termination(kind, By.PARTY, reason, status)


def of_leg(status: int, by_party: bool, was_up: bool, reason: str) -> Termination:
    """The verdict on a dialog that is over, as the edge reports it: `status` 0 is a BYE or CANCEL, 408 no reply.

    An answered leg ends NORMAL by a BYE and is LOST by anything else (RFC 3261 sections 15 and 21).
    """
    by = By.PARTY if by_party else By.US
    if was_up:
        return Termination(Class.LOST if status else Class.NORMAL, by, reason, status)
    return Termination(from_status(status or 487, reason).kind, by, reason, status)
