"""Building messages (RFC 3261 8.1.1, 8.2.6, 9.1; RFC 3581). Tags, branches and Call-IDs come from the caller."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from callserver.sip.protocol.errors import SipError
from callserver.sip.protocol.fields import Header, canonical, split_list
from callserver.sip.protocol.framing import MAX_HEAD
from callserver.sip.protocol.grammar import is_token
from callserver.sip.protocol.model import Message, Request, Response
from callserver.sip.protocol.uri import Uri, request_uri

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress", 200: "OK",
    202: "Accepted", 301: "Moved Permanently", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized",
    402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large",
    414: "Request-URI Too Long", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension",
    421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
    485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
    491: "Request Pending", 493: "Undecipherable", 500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}  # fmt: skip

_M = TypeVar("_M", bound=Message)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")


def header(name: str, value: str) -> Header:
    """A header of ours. Raises `SipError` 500 when name or value could break out of its line."""
    if not is_token(name) or _FORBIDDEN.search(value):
        raise SipError(500, "A header of ours holds a character that it may not")
    return Header(name, canonical(name), value.strip(" \t").encode())


def via_value(transport: str, host: str, port: int, branch: str) -> str:
    """A Via value of ours, asking for rport. `branch` begins with z9hG4bK."""
    return f"SIP/2.0/{transport.upper()} {host}:{port};branch={branch};rport"


def build_request(method: str, uri: Uri | str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> Request:
    """A request; Content-Length is added. `headers` are in the order of the wire and hold Via, From, To, Call-ID, CSeq."""
    target = uri if isinstance(uri, Uri) else request_uri(uri)
    if not is_token(method):
        raise SipError(500, "A method of ours is no token")
    lines = [header(name, value) for name, value in headers if canonical(name) != "content-length"]
    lines.append(header("Content-Length", str(len(body))))
    return _within_caps(Request(method=method, uri=target, headers=tuple(lines), body=body))


def response_to(
    request: Request,
    status: int,
    reason: str = "",
    to_tag: str = "",
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """The response by RFC 3261 8.2.6: Via, From, Call-ID, CSeq and To as received, octet by octet.

    `to_tag` goes into To when that has none (not into a 100). Record-Route is copied where a dialog may arise (12.1.1),
    Timestamp into a 100.
    """
    copied = {"via", "from", "to", "call-id", "cseq"}
    if status == 100:
        copied.add("timestamp")
    elif status < 300:
        copied.add("record-route")
    lines = [line for line in request.headers if line.name in copied]
    if to_tag and status > 100 and request.to.tag is None:
        tag = f";tag={to_tag}".encode()
        lines = [replace(line, raw=line.raw + tag) if line.name == "to" else line for line in lines]
    lines += [header(name, value) for name, value in headers if canonical(name) != "content-length"]
    lines.append(header("Content-Length", str(len(body))))
    return _within_caps(Response(status=status, reason=reason or REASONS.get(status, ""), headers=tuple(lines), body=body))


def stamp_via(request: Request, source_host: str, source_port: int) -> Request:
    """The request with its topmost Via showing where it really came from (received, rport); see `Via.stamped`."""
    stamped = str(request.via[0].stamped(source_host, source_port))
    at = next(place for place, line in enumerate(request.headers) if line.name == "via" and line.value)
    old = request.headers[at]
    new = header(old.raw_name, ", ".join([stamped, *split_list(old.value)[1:]]))
    return request.with_headers((*request.headers[:at], new, *request.headers[at + 1 :]))


def ack_for_failure(invite: Request, response: Response) -> Request:
    """The ACK to a 300-699 (RFC 3261 17.1.1.3): of the INVITE's transaction, with the response's To."""
    lines = [("Via", str(invite.via[0]))]
    lines += [("Route", value) for value in invite.get_all("Route")]
    lines += [("From", invite.get("From") or ""), ("To", response.get("To") or ""), ("Call-ID", invite.call_id)]
    lines += [("CSeq", f"{invite.cseq.number} ACK"), ("Max-Forwards", "70")]
    return build_request("ACK", invite.uri, lines)


def build_cancel(invite: Request) -> Request:
    """The CANCEL of an INVITE of ours (RFC 3261 9.1): same Request-URI, Via, From, To, Call-ID, Route and number."""
    lines = [("Via", str(invite.via[0]))]
    lines += [("Route", value) for value in invite.get_all("Route")]
    lines += [("From", invite.get("From") or ""), ("To", invite.get("To") or ""), ("Call-ID", invite.call_id)]
    lines += [("CSeq", f"{invite.cseq.number} CANCEL"), ("Max-Forwards", "70")]
    return build_request("CANCEL", invite.uri, lines)


def _within_caps(message: _M) -> _M:
    if sum(len(line.raw_name) + len(line.raw) + 4 for line in message.headers) > MAX_HEAD - 1024:
        raise SipError(513, "Message Too Large")
    return message
