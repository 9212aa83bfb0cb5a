"""Requests and responses as values. Typed headers are parsed at first use; a message from `parse_message` has had all of
its structural ones parsed, so that reading them cannot raise any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar, cast

from callserver.sip.protocol.errors import bad
from callserver.sip.protocol.fields import (
    LISTS,
    CSeq,
    Header,
    Via,
    canonical,
    parse_call_id,
    parse_cseq,
    parse_via,
    split_list,
)
from callserver.sip.protocol.grammar import MAX_DELTA_SECONDS, number
from callserver.sip.protocol.uri import NameAddr, Uri, parse_name_addr

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What requests and responses share. Two are equal when start line, header names, octets and body are."""

    headers: tuple[Header, ...]
    body: bytes = b""
    _typed: dict[str, object] = field(default_factory=dict, init=False, compare=False, repr=False)

    def get(self, name: str) -> str | None:
        """The first value of this header, or None. Long and compact names mean the same."""
        wanted = canonical(name)
        for header in self.headers:
            if header.name == wanted:
                return header.value
        return None

    def get_all(self, name: str) -> list[str]:
        """All values in order; comma lists are split where the header is a list. Raises `SipError` 400 on a broken list."""
        wanted = canonical(name)
        values = [header.value for header in self.headers if header.name == wanted]
        if wanted not in LISTS:
            return values
        return [element for value in values for element in split_list(value)]

    def _once(self, key: str, make: Callable[[], _T]) -> _T:
        if key not in self._typed:
            self._typed[key] = make()
        return cast(_T, self._typed[key])

    def _need(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise bad(f"There is no {name}")
        return value

    @property
    def via(self) -> tuple[Via, ...]:
        """All Via elements, topmost first; at least one."""
        return self._once("via", self._parse_via)

    def _parse_via(self) -> tuple[Via, ...]:
        vias = tuple(parse_via(text) for text in self.get_all("Via"))
        if not vias:
            raise bad("There is no Via")
        return vias

    @property
    def from_(self) -> NameAddr:
        """From."""
        return self._once("from", lambda: parse_name_addr(self._need("From"), "From"))

    @property
    def to(self) -> NameAddr:
        """To."""
        return self._once("to", lambda: parse_name_addr(self._need("To"), "To"))

    @property
    def cseq(self) -> CSeq:
        """CSeq."""
        return self._once("cseq", lambda: parse_cseq(self._need("CSeq")))

    @property
    def call_id(self) -> str:
        """Call-ID."""
        return self._once("call-id", lambda: parse_call_id(self._need("Call-ID")))

    @property
    def contact_star(self) -> bool:
        """Whether Contact is `*` (REGISTER only)."""
        return [header.raw for header in self.headers if header.name == "contact"] == [b"*"]

    @property
    def contacts(self) -> tuple[NameAddr, ...]:
        """All Contact elements; none for `*`."""
        return self._once("contact", lambda: () if self.contact_star else self._addresses("Contact"))

    @property
    def contact(self) -> NameAddr | None:
        """The first Contact, or None."""
        return self.contacts[0] if self.contacts else None

    @property
    def routes(self) -> tuple[NameAddr, ...]:
        """Route, topmost first."""
        return self._once("route", lambda: self._addresses("Route"))

    @property
    def record_routes(self) -> tuple[NameAddr, ...]:
        """Record-Route, topmost first."""
        return self._once("record-route", lambda: self._addresses("Record-Route"))

    def _addresses(self, name: str) -> tuple[NameAddr, ...]:
        return tuple(parse_name_addr(text, name) for text in self.get_all(name))

    @property
    def expires(self) -> int | None:
        """Expires in seconds, or None."""
        return self._once("expires", lambda: self._number("Expires", MAX_DELTA_SECONDS))

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards, or None."""
        return self._once("max-forwards", lambda: self._number("Max-Forwards", 255))

    def _number(self, name: str, limit: int) -> int | None:
        value = self.get(name)
        return None if value is None else number(value, limit, name)

    @property
    def content_type(self) -> str:
        """Media type in lower case without parameters, or ""."""
        return (self.get("Content-Type") or "").partition(";")[0].strip().lower()

    def lists(self, name: str, token: str) -> bool:
        """Whether a list header (Supported, Require, Allow) names this token, in any case."""
        return token.lower() in (element.lower() for element in self.get_all(name))

    def with_headers(self, headers: tuple[Header, ...]) -> Self:
        """A copy with other headers; what was parsed is forgotten."""
        return replace(self, headers=headers)

    def without(self, *names: str) -> Self:
        """A copy without these headers."""
        gone = {canonical(name) for name in names}
        return self.with_headers(tuple(header for header in self.headers if header.name not in gone))

    def _start_line(self) -> str:
        return ""

    def to_bytes(self) -> bytes:
        """The octets to send."""
        lines = [self._start_line().encode()]
        lines += [header.raw_name.encode() + b": " + header.raw for header in self.headers]
        return b"\r\n".join([*lines, b"", self.body])

    def __bytes__(self) -> bytes:
        return self.to_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Message):
    """A request. `uri.raw` is what was received."""

    method: str
    uri: Uri

    def _start_line(self) -> str:
        return f"{self.method} {self.uri.raw} SIP/2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Message):
    """A response."""

    status: int
    reason: str

    def _start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"
