"""The face of SIP messages: what the rest of the edge imports.

Reading: `parse_message` for a datagram, `Stream` for a connection; both give `Request` and `Response`. Writing:
`build_request`, `response_to`, `build_cancel`, then `to_bytes()`. `stamp_via` belongs to every request received.
"""

from callserver.sip.protocol.build import (
    REASONS,
    ack_for_failure,
    build_cancel,
    build_request,
    header,
    response_to,
    stamp_via,
    via_value,
)
from callserver.sip.protocol.errors import SipError
from callserver.sip.protocol.fields import CSeq, Header, Via, canonical
from callserver.sip.protocol.framing import MAX_BODY, MAX_HEAD, MAX_HEADERS, Keepalive, Stream, is_keepalive, parse_message
from callserver.sip.protocol.grammar import Params, quote, unquote
from callserver.sip.protocol.model import Message, Request, Response
from callserver.sip.protocol.uri import NameAddr, Uri, parse_name_addr, parse_uri, same_uri

__all__ = [
    "MAX_BODY", "MAX_HEAD", "MAX_HEADERS", "REASONS", "CSeq", "Header", "Keepalive", "Message", "NameAddr", "Params",
    "Request", "Response", "SipError", "Stream", "Uri", "Via", "ack_for_failure", "build_cancel", "build_request",
    "canonical", "header", "is_keepalive", "parse_message", "parse_name_addr", "parse_uri", "quote", "response_to",
    "same_uri", "stamp_via", "unquote", "via_value",
]  # fmt: skip
