"""From octets to messages: one datagram (`parse_message`) or a byte stream (`Stream`), RFC 3261 7, 18.3; RFC 5626 3.5.1.

Strict so that nobody behind us reads another message than we do: CRLF only, no NUL or other control, one Content-Length
that decides the body, caps before work. The verdict on a stream never depends on how it was cut into pieces.
"""

import contextlib
import re
from dataclasses import dataclass, replace

from callserver.sip.protocol.errors import SipError, bad
from callserver.sip.protocol.fields import ONCE, Header, canonical
from callserver.sip.protocol.grammar import is_token, number
from callserver.sip.protocol.model import Message, Request, Response
from callserver.sip.protocol.uri import Uri, request_uri

MAX_HEAD = 32 * 1024  # octets, with the empty line
MAX_HEADERS = 128
MAX_BODY = 64 * 1024

_PLAIN_OCTETS = bytes([9, *range(32, 127), *range(128, 256)])
_VERSION = re.compile(r"SIP/[0-9]{1,5}\.[0-9]{1,5}", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]*))?", re.IGNORECASE)
_FOLD = re.compile(rb"\r\n[ \t]+")
_NO_URI = Uri("sip:invalid.invalid", "sip", host="invalid.invalid")
_NEEDED = frozenset({"via", "from", "to", "call-id", "cseq"})


@dataclass(frozen=True, slots=True)
class Keepalive:
    """A ping of CRLF CRLF on a stream; it is answered with one CRLF."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A head cut into its lines. `fault` is the first broken line's; the good headers are kept for the answer."""

    start_line: str
    headers: tuple[Header, ...]
    fault: SipError | None


def is_keepalive(datagram: bytes) -> bool:
    """Whether a datagram is a client's NAT keepalive (CRLFs, or one NUL or blank): no message, no fault."""
    return len(datagram) <= 4 and not datagram.strip(b"\r\n\0 ")


def parse_message(data: bytes) -> Request | Response:
    """One datagram. Octets after the announced body are ignored (RFC 3261 18.3). Raises only `SipError`.

    Empty lines before the start line are skipped.
    """
    start = 0
    while data.startswith(b"\r\n", start):
        start += 2
    end = data.find(b"\r\n\r\n", start, start + MAX_HEAD)
    if end < 0:
        raise _too_long(data[start : start + MAX_HEAD]) if len(data) - start >= MAX_HEAD else bad("The head does not end")
    head = _cut_head(data[start:end])
    body = data[end + 4 :]
    try:
        length = _content_length(head)
        if length is None:
            length = len(body)
        if length > MAX_BODY:
            raise SipError(513, "Message Too Large")
        if length > len(body):
            raise bad("The body is shorter than announced")
    except SipError as error:
        raise _answerable(error, head) from None
    return _build(head, body[:length])


class Stream:
    """Cuts a connection's bytes into messages. Feed what arrives; act on what comes back, in order.

    A `SipError` among the items is a well-framed message that is malformed: answer it when it has a request, and go on.
    A framing fault ends the stream: it is raised by the `feed` that meets it, or, when that feed also completed
    messages, kept in `fault` and raised by the next one. Then the connection is answered (if `.request`) and closed.
    """

    def __init__(self) -> None:
        self.fault: SipError | None = None
        self._buffer = bytearray()
        self._seen = 0  # no head end begins before this offset
        self._head: _Head | None = None  # its body is awaited
        self._length = 0

    @property
    def pending(self) -> int:
        """Octets of a message that has begun and is not complete; 0 between messages."""
        if self._head is not None:
            return len(self._buffer) + 1
        return len(self._buffer) if self._buffer.strip(b"\r\n") else 0

    def feed(self, data: bytes) -> list[Request | Response | Keepalive | SipError]:
        """Everything that these octets complete. Raises `SipError` on a framing fault (400 or 513), and ever after."""
        if self.fault is not None:
            raise self.fault
        self._buffer += data
        items: list[Request | Response | Keepalive | SipError] = []
        try:
            while (item := self._next()) is not None:
                items.append(item)
        except SipError as error:
            self.fault = error
            self._buffer.clear()
            if not items:
                raise
        return items

    def _next(self) -> Request | Response | Keepalive | SipError | None:
        if self._head is None:
            if self._skip_empty_lines():
                return Keepalive()
            self._head = self._next_head()
            if self._head is None:
                return None
        if len(self._buffer) < self._length:
            return None
        head, body = self._head, bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._head = None
        try:
            return _build(head, body)
        except SipError as error:
            return error

    def _skip_empty_lines(self) -> bool:
        """Drops single CRLFs (pongs) before a message; True for a pair (ping)."""
        while self._buffer.startswith(b"\r\n"):
            if self._buffer.startswith(b"\r\n\r\n"):
                del self._buffer[:4]
                return True
            if len(self._buffer) == 2 or self._buffer == b"\r\n\r":
                return False
            del self._buffer[:2]
        return False

    def _next_head(self) -> _Head | None:
        if len(self._buffer) < 4 and b"\r\n\r".startswith(self._buffer):
            return None
        end = self._buffer.find(b"\r\n\r\n", self._seen, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise _too_long(bytes(self._buffer[:MAX_HEAD]))
            self._seen = max(0, len(self._buffer) - 3)
            return None
        head = _cut_head(bytes(self._buffer[:end]))
        self._seen = 0
        try:
            length = _content_length(head)
            if head.fault is not None:
                raise head.fault
            if length is None:
                raise bad("There is no Content-Length")
            if length > MAX_BODY:
                raise SipError(513, "Message Too Large")
        except SipError as error:
            raise _answerable(error, head) from None
        del self._buffer[: end + 4]
        self._length = length
        return head


def _too_long(begin: bytes) -> SipError:
    """The fault of a head past the cap, answerable where the lines that fit name the transaction."""
    error = SipError(513, "Message Too Large")
    try:
        return _answerable(error, _cut_head(begin.rpartition(b"\r\n")[0]))
    except SipError:
        return error


def _cut_head(head: bytes) -> _Head:
    if not head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n"):
        raise bad("A line does not end in CRLF")
    if head.translate(None, _PLAIN_OCTETS + b"\r\n"):
        raise bad("A control character stands in the head")
    first, _, rest = head.partition(b"\r\n")
    lines = _FOLD.sub(b" ", rest).split(b"\r\n") if rest else []
    fault: SipError | None = None
    if rest[:1] in (b" ", b"\t"):
        fault = bad("The start line is folded")
    if len(lines) > MAX_HEADERS:
        fault = SipError(513, "Message Too Large")
    headers: list[Header] = []
    for line in lines[:MAX_HEADERS]:
        raw_name, colon, value = line.partition(b":")
        name = raw_name.rstrip(b" \t").decode("latin-1")
        if colon and is_token(name):
            headers.append(Header(name, canonical(name), value.strip(b" \t")))
        else:
            fault = fault or bad("A header line has no name and colon")
    return _Head(first.decode("utf-8", "replace"), tuple(headers), fault)


def _content_length(head: _Head) -> int | None:
    values = [header.value for header in head.headers if header.name == "content-length"]
    if len(values) > 1:
        raise bad("Content-Length is repeated")
    return number(values[0], 2**32, "Content-Length") if values else None


def _build(head: _Head, body: bytes) -> Request | Response:
    try:
        message = _start(head, body)
        if head.fault is not None:
            raise head.fault
        _check(message)
    except SipError as error:
        raise _answerable(error, head) from None
    return message


def _start(head: _Head, body: bytes) -> Request | Response:
    line = head.start_line
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise bad("The status line is malformed")
        return Response(status=int(match[1]), reason=match[2] or "", headers=head.headers, body=body)
    parts = line.split(" ")
    if len(parts) != 3 or not is_token(parts[0]) or not _VERSION.fullmatch(parts[2]):
        raise bad("The request line is malformed")
    if parts[2].upper() != "SIP/2.0":
        raise SipError(505, "Version Not Supported")
    return Request(method=parts[0], uri=request_uri(parts[1]), headers=head.headers, body=body)


def _check(message: Request | Response) -> None:
    """Parse what carries the protocol, so that nobody meets a fault in it later."""
    seen: set[str] = set()
    for header in message.headers:
        if header.name in ONCE and header.name in seen:
            raise bad(f"There is more than one {header.name}")
        seen.add(header.name)
    _check_needed(message)
    if isinstance(message, Request) and message.cseq.method != message.method:
        raise bad("The method of CSeq is another")
    for contact in message.contacts:
        expires = contact.params.get("expires")
        if expires is not None:
            number(expires, 2**32 - 1, "expires of Contact")
    _ = message.routes, message.record_routes, message.expires, message.max_forwards
    for name in ("Supported", "Require", "Proxy-Require", "Allow"):
        if name.lower() in seen:
            message.get_all(name)


def _check_needed(message: Message) -> None:
    _ = message.via, message.from_, message.to, message.cseq, message.call_id


def _answerable(error: SipError, head: _Head) -> SipError:
    """The error with the request attached, as far as it can be answered. ACKs and responses never are."""
    method = head.start_line.partition(" ")[0]
    if error.request is not None or not is_token(method) or method == "ACK" or "SIP/" not in head.start_line[4:]:
        return error
    needed: list[Header] = []
    for header in head.headers:
        if header.name in _NEEDED and (header.name == "via" or header.name not in {had.name for had in needed}):
            needed.append(header)
    request = Request(method=method, uri=_NO_URI, headers=tuple(needed))
    try:
        _check_needed(request)
    except SipError:
        return error
    error.request = request
    with contextlib.suppress(SipError):  # a broken Request-URI does not keep us from answering
        error.request = replace(request, uri=request_uri(head.start_line.split(" ")[1]))
    return error
