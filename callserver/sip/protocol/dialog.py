"""Dialogs (RFC 3261 section 12) as values: what both sides agreed on, and the requests that follow from it.

A dialog is never changed: what changes it returns the next one. `to_bytes` and `from_bytes` are its stored form.
"""

from collections.abc import Sequence
from typing import Self

import msgspec

from callserver.sip.protocol.build import build_request
from callserver.sip.protocol.errors import SipError, bad
from callserver.sip.protocol.model import Message, Request, Response
from callserver.sip.protocol.uri import NameAddr, Uri, parse_name_addr, parse_uri

DialogKey = tuple[str, str, str]  # Call-ID, our tag, their tag

_REFRESHING = frozenset({"INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY"})


class Dialog(msgspec.Struct, frozen=True):
    """One side's view of a dialog, early or confirmed.

    `local` and `remote` are addresses (`"display" <uri>`) without tags; `target` and `routes` are as received, URI and
    whole Route values. `remote_cseq` -1: the peer has sent no request yet. `invite_cseq` is the number of our last
    INVITE, which the ACK repeats.
    """

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...] = ()
    local_cseq: int = 0
    remote_cseq: int = -1
    invite_cseq: int = 0
    secure: bool = False

    @property
    def key(self) -> DialogKey:
        """What messages of this dialog carry, from our side."""
        return self.call_id, self.local_tag, self.remote_tag

    @property
    def remote_uri(self) -> Uri:
        """The peer's address-of-record."""
        return parse_name_addr(self.remote, "the dialog").uri

    @property
    def local_uri(self) -> Uri:
        """Our address-of-record."""
        return parse_name_addr(self.local, "the dialog").uri

    @property
    def next_hop(self) -> Uri:
        """Where requests go: the first route, else the target (12.2.1.1, 8.1.2)."""
        return parse_name_addr(self.routes[0], "Route").uri if self.routes else parse_uri(self.target)

    def next_request(
        self, method: str, via: str, contact: str = "", headers: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> tuple["Dialog", Request]:
        """The dialog after it, and the request (12.2.1.1). Not for ACK and CANCEL. `via` is from `via_value`.

        `contact` is a whole Contact value. Content-Type stands in `headers`.
        """
        assert method not in ("ACK", "CANCEL"), "ACK is `ack`, CANCEL is `build_cancel`"
        number = self.local_cseq + 1
        after = msgspec.structs.replace(self, local_cseq=number)
        if method == "INVITE":
            after = msgspec.structs.replace(after, invite_cseq=number)
        lines = [("Contact", contact), *headers] if contact else list(headers)
        return after, self._request(method, number, via, lines, body)

    def ack(self, via: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b"", cseq: int = 0) -> Request:
        """The ACK to a 2xx (13.2.2.4), with a branch of its own. `cseq` when it is not the last INVITE's."""
        return self._request("ACK", cseq or self.invite_cseq, via, headers, body)

    def _request(self, method: str, number: int, via: str, headers: Sequence[tuple[str, str]], body: bytes) -> Request:
        target, routes = parse_uri(self.target), self.routes
        if routes:
            first = parse_name_addr(routes[0], "Route").uri
            if "lr" not in first.params:  # a strict router: its URI becomes the Request-URI, ours goes last
                target, routes = _as_request_uri(first), (*routes[1:], f"<{self.target}>")
        lines = [("Via", via), ("Max-Forwards", "70")]
        lines += [("Route", route) for route in routes]
        lines += [("From", f"{self.local};tag={self.local_tag}"), ("To", _tagged(self.remote, self.remote_tag))]
        lines += [("Call-ID", self.call_id), ("CSeq", f"{number} {method}"), *headers]
        return build_request(method, _as_request_uri(target), lines, body)

    def accept(self, request: Request) -> "Dialog":
        """The dialog after this request of the peer: its CSeq checked (12.2.2) and its target taken.

        Raises `SipError` 500 when the number is not above the last. ACK changes nothing; CANCEL is no in-dialog request.
        """
        if request.method in ("ACK", "CANCEL"):
            return self
        if request.cseq.number <= self.remote_cseq:
            raise SipError(500, "CSeq Out Of Order", request)
        return msgspec.structs.replace(self.refreshed(request), remote_cseq=request.cseq.number)

    def refreshed(self, message: Message) -> "Dialog":
        """The dialog with the target of a target refresh request or of the 2xx to one; others change nothing."""
        if message.cseq.method not in _REFRESHING or message.contact is None:
            return self
        if isinstance(message, Response) and not 101 <= message.status <= 299:
            return self
        return msgspec.structs.replace(self, target=_target(message))

    def to_bytes(self) -> bytes:
        """Its stored form."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, blob: bytes) -> Self:
        """Back from the stored form. Raises `ValueError`."""
        return msgspec.msgpack.decode(blob, type=cls)

    @classmethod
    def as_uac(cls, request: Request, response: Response) -> Self:
        """The dialog that a 101-299 to our INVITE makes (12.1.2). Raises `SipError` 400 without a To tag or a Contact."""
        if response.to.tag is None:
            raise bad("A dialog needs a To tag")
        return cls(
            call_id=request.call_id,
            local_tag=request.from_.tag or "",
            remote_tag=response.to.tag,
            local=request.from_.address,
            remote=request.to.address,
            target=_target(response),
            routes=tuple(_route(value) for value in reversed(response.record_routes)),
            local_cseq=request.cseq.number,
            invite_cseq=request.cseq.number,
            secure=request.uri.scheme == "sips",
        )

    @classmethod
    def as_uas(cls, request: Request, local_tag: str) -> Self:
        """The dialog that our 101-299 with this To tag makes (12.1.1). Raises `SipError` 400 without a sip Contact."""
        return cls(
            call_id=request.call_id,
            local_tag=local_tag,
            remote_tag=request.from_.tag or "",
            local=request.to.address,
            remote=request.from_.address,
            target=_target(request),
            routes=tuple(_route(value) for value in request.record_routes),
            remote_cseq=request.cseq.number,
            secure=request.uri.scheme == "sips",
        )


def _tagged(address: str, tag: str) -> str:
    return f"{address};tag={tag}" if tag else address  # a peer of RFC 2543 has none


def _target(message: Message) -> str:
    contact = message.contact
    if contact is None or not contact.uri.is_sip:
        raise bad("A dialog needs a sip Contact")
    return contact.uri.raw


def _route(value: NameAddr) -> str:
    return f"<{value.uri.raw}>{value.params}"


def _as_request_uri(uri: Uri) -> Uri:
    """Without headers and `method` parameter, which a Request-URI may not have (19.1.1)."""
    if not uri.headers and "method" not in uri.params:
        return uri
    bare = uri.raw.partition("?")[0] if uri.headers else uri.raw
    first, *params = bare.split(";")
    return parse_uri(";".join([first, *(part for part in params if not part.lower().startswith("method="))]))


def request_key(request: Request) -> DialogKey:
    """The key of the dialog that a peer's request belongs to. An empty local tag: it is outside any dialog."""
    return request.call_id, request.to.tag or "", request.from_.tag or ""


def response_key(response: Response) -> DialogKey:
    """The key of the dialog that a response to our request belongs to."""
    return response.call_id, response.from_.tag or "", response.to.tag or ""
