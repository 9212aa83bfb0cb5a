"""Header fields: their names (RFC 3261 7.3.3, 20), which may stand once, which are lists, and the typed ones."""

import re
from dataclasses import dataclass, field, replace

from callserver.sip.protocol.errors import bad
from callserver.sip.protocol.grammar import NO_PARAMS, Params, host_port, is_token, number, parse_params, split_outside

COMPACT = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
    "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
    "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
    "y": "identity",
}  # fmt: skip

ONCE = frozenset({
    "call-id", "cseq", "from", "to", "max-forwards", "content-length", "content-type", "expires", "min-expires", "date",
    "user-agent", "event", "session-expires", "refer-to",
})  # fmt: skip

LISTS = frozenset({
    "accept", "accept-encoding", "accept-language", "alert-info", "allow", "allow-events", "call-info", "contact",
    "content-encoding", "content-language", "diversion", "error-info", "history-info", "in-reply-to", "p-asserted-identity",
    "p-preferred-identity", "path", "proxy-require", "reason", "record-route", "require", "route", "service-route",
    "supported", "unsupported", "via", "warning",
})  # fmt: skip

MAX_CSEQ = 2**31 - 1

_SENT_PROTOCOL = re.compile(r"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*([^ \t/]+)[ \t]+", re.IGNORECASE)
_CALL_ID = re.compile(r"[\x21-\x7e]{1,512}")


def canonical(raw_name: str) -> str:
    """The long name in lower case."""
    name = raw_name.lower()
    return COMPACT.get(name, name)


@dataclass(frozen=True, slots=True)
class Header:
    """One header line: the name as written, its canonical name, and the value's octets (unfolded, trimmed).

    Equal when name and octets are; `value` is for reading: octets that are no UTF-8 show as U+FFFD.
    """

    raw_name: str
    name: str
    raw: bytes
    value: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", self.raw.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Via:
    """One Via element (RFC 3261 20.42). `transport` in upper case."""

    transport: str
    host: str
    port: int | None
    params: Params = NO_PARAMS

    @property
    def branch(self) -> str:
        """The branch, or ""."""
        return self.params.get("branch") or ""

    @property
    def answer_address(self) -> tuple[str, int]:
        """Where a response over UDP goes: received or sent-by host, rport or sent-by port or 5060 (18.2.2, RFC 3581)."""
        rport = self.params.get("rport") or ""
        port = int(rport) if rport.isascii() and rport.isdigit() and len(rport) <= 5 else self.port or 5060
        return self.params.get("received") or self.host, port

    def stamped(self, source_host: str, source_port: int) -> "Via":
        """As RFC 3261 18.2.1 and RFC 3581 4: what the sender wrote for itself is overwritten."""
        asked = "rport" in self.params
        params = self.params.without("received").without("rport")
        if asked or self.host != source_host:
            params = params.with_value("received", source_host)
        return replace(self, params=params.with_value("rport", str(source_port)) if asked else params)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port is not None else ""
        return f"SIP/2.0/{self.transport} {self.host}{port}{self.params}"


def parse_via(text: str) -> Via:
    """One element of a Via list. Raises `SipError` 400."""
    sent_by, *params = split_outside(text, ";")
    match = _SENT_PROTOCOL.match(sent_by)
    if match is None or not is_token(match[1]):
        raise bad("Via has no SIP/2.0 protocol and transport")
    host, port = host_port(sent_by[match.end() :], "Via")
    return Via(match[1].upper(), host, port, parse_params(params, "Via"))


@dataclass(frozen=True, slots=True)
class CSeq:
    """Sequence number and method."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_cseq(text: str) -> CSeq:
    """Raises `SipError` 400; the number is below 2**31 (RFC 3261 8.1.1.5)."""
    parts = [part for part in text.replace("\t", " ").split(" ") if part]
    if len(parts) != 2 or not is_token(parts[1]):
        raise bad("CSeq is not a number and a method")
    return CSeq(number(parts[0], MAX_CSEQ, "CSeq"), parts[1])


def parse_call_id(text: str) -> str:
    """The Call-ID: visible ASCII, at most 512. Raises `SipError` 400."""
    if not _CALL_ID.fullmatch(text):
        raise bad("Call-ID is malformed")
    return text


def split_list(text: str) -> list[str]:
    """The elements of a comma list; an empty text has none, an empty element is 400."""
    parts = split_outside(text, ",")
    if parts == [""]:
        return []
    if "" in parts:
        raise bad("A list has an empty element")
    return parts
