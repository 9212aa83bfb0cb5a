"""The registrar's rules (RFC 3261 10.3) over one user's bindings, as a pure function.

The caller has checked who registers. Times are of the core's clock, in ns.
"""

from dataclasses import dataclass

import msgspec

from callserver.sip.protocol.errors import SipError, bad
from callserver.sip.protocol.grammar import number
from callserver.sip.protocol.model import Request
from callserver.sip.protocol.uri import NameAddr, parse_uri, same_uri

SECOND = 1_000_000_000


class Source(msgspec.Struct, frozen=True):
    """Where a REGISTER came from: requests to the binding go back there. `connection` 0: none (UDP)."""

    host: str
    port: int
    transport: str  # UDP | TCP | TLS
    connection: int = 0


class Binding(msgspec.Struct, frozen=True):
    """One contact of a user. `contact` is the URI as received."""

    contact: str
    source: Source
    expires_ns: int
    call_id: str
    cseq: int
    user_agent: str = ""
    instance: str = ""  # +sip.instance (RFC 5626) as written

    def expires_s(self, now_ns: int) -> int:
        """Seconds left, rounded up."""
        return max(0, -((now_ns - self.expires_ns) // SECOND))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the registrar grants."""

    min_s: int = 30
    max_s: int = 3600
    default_s: int = 3600
    contacts: int = 5


Bindings = tuple[Binding, ...]
NO_LIMITS_SET = Limits()


def apply_register(
    bindings: Bindings, request: Request, now_ns: int, source: Source, limits: Limits = NO_LIMITS_SET
) -> tuple[Bindings, list[tuple[str, str]]]:
    """The user's bindings after this REGISTER, and the Contact headers of its 200. All or nothing.

    Past `limits.contacts` the binding that would expire first is dropped: a softphone that starts anew from other ports
    must not be locked out by its own remains. A contact of the same instance replaces the old one. Raises `SipError`:
    400 malformed, 403 too many in one request, 423 with Min-Expires, 500 CSeq not above the binding's.
    """
    bindings = expire(bindings, now_ns)
    if request.contact_star:
        return _remove_all(bindings, request), []
    if len(request.contacts) > limits.contacts:
        raise SipError(403, "Too Many Contacts", request)
    fresh: list[Binding] = []
    for contact in request.contacts:
        seconds = _granted_s(contact, request, limits)
        old = tuple(binding for binding in bindings if _is_same(binding, contact))
        for binding in old:
            _check_order(binding, request)
        bindings = tuple(binding for binding in bindings if binding not in old)
        if seconds:
            fresh = [binding for binding in fresh if not _is_same(binding, contact)]
            fresh.append(_bound(contact, request, now_ns + seconds * SECOND, source))
    kept = sorted(bindings, key=lambda binding: binding.expires_ns, reverse=True)[: limits.contacts - len(fresh)]
    after = (*(binding for binding in bindings if binding in kept), *fresh)
    return after, [("Contact", f"<{binding.contact}>;expires={binding.expires_s(now_ns)}") for binding in after]


def _remove_all(bindings: Bindings, request: Request) -> Bindings:
    if request.expires != 0:
        raise SipError(400, "Contact * needs Expires 0", request)
    for binding in bindings:
        _check_order(binding, request)
    return ()


def _granted_s(contact: NameAddr, request: Request, limits: Limits) -> int:
    """Seconds granted; 0 removes."""
    if not contact.uri.is_sip or contact.uri.headers:
        raise SipError(400, "A Contact is no sip address", request)
    asked = contact.params.get("expires")
    seconds = number(asked, 2**32 - 1, "expires of Contact") if asked is not None else request.expires
    if seconds is None:
        return limits.default_s
    if 0 < seconds < limits.min_s:
        raise SipError(423, "Interval Too Brief", request, (("Min-Expires", str(limits.min_s)),))
    return min(seconds, limits.max_s)


def _is_same(binding: Binding, contact: NameAddr) -> bool:
    instance = contact.params.get("+sip.instance")
    return bool(instance and instance == binding.instance) or same_uri(parse_uri(binding.contact), contact.uri)


def _check_order(binding: Binding, request: Request) -> None:
    if binding.call_id == request.call_id and request.cseq.number <= binding.cseq:
        raise SipError(500, "CSeq Out Of Order", request)


def _bound(contact: NameAddr, request: Request, expires_ns: int, source: Source) -> Binding:
    return Binding(
        contact=contact.uri.raw,
        source=source,
        expires_ns=expires_ns,
        call_id=request.call_id,
        cseq=request.cseq.number,
        user_agent=(request.get("User-Agent") or "")[:200],
        instance=contact.params.get("+sip.instance") or "",
    )


def expire(bindings: Bindings, now_ns: int) -> Bindings:
    """Those that still stand."""
    return tuple(binding for binding in bindings if binding.expires_ns > now_ns)


def next_expiry_ns(bindings: Bindings) -> int | None:
    """When the first of them ends."""
    return min((binding.expires_ns for binding in bindings), default=None)


def to_bytes(bindings: Bindings) -> bytes:
    """Their stored form."""
    return msgspec.json.encode(bindings)


def from_bytes(blob: bytes) -> Bindings:
    """Back from the stored form; b"" is none. Raises `ValueError`."""
    try:
        return msgspec.json.decode(blob, type=Bindings) if blob else ()
    except msgspec.MsgspecError:
        raise bad("Stored bindings cannot be read") from None
