"""The one error of the SIP protocol room."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from callserver.sip.protocol.model import Request


class SipError(ValueError):
    """Broken or unacceptable input, with the response that it deserves.

    `status` and `reason` are of RFC 3261 section 21. `request` is a request whose Via, From, To, Call-ID and CSeq are
    usable, so that it can be answered (`response_to(error.request, error.status, error.reason)`); None: drop it.
    It is never an ACK and never a response. `headers` belong into the answer (Min-Expires of a 423).
    """

    def __init__(
        self, status: int, reason: str, request: "Request | None" = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.request = request
        self.headers = headers


def bad(reason: str) -> SipError:
    """A 400 with this sentence. Sentences are fixed: what was received never enters them."""
    return SipError(400, reason)
