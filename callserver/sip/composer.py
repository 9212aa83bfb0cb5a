"""The messages that we write: names, tags and headers of ours in one place. Nothing is sent here."""

from collections.abc import Iterable
from typing import Protocol

from callserver.sip.flow import Flow
from callserver.sip.interface import Shown
from callserver.sip.protocol.message import Request, Response, build_request, quote, response_to, via_value
from callserver.sip.settings import EdgeConfig

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK, REGISTER"
SUPPORTED = "timer, 100rel"  # RFC 4028, RFC 3262
SOFTWARE = "callserver"
SDP_TYPE = "application/sdp"
TLS_PORT = 5061


class Random(Protocol):
    """Where names come from: `secrets` itself, or a seeded stand-in."""

    def token_hex(self, nbytes: int, /) -> str:
        """`nbytes` random bytes in hex."""

    def randbelow(self, limit: int, /) -> int:
        """A number from 0 to limit - 1."""


Headers = list[tuple[str, str]]

UNDERSTOOD = frozenset(SUPPORTED.split(", "))


def required(request: Request) -> list[str]:
    """The extensions that a request insists on, in lower case."""
    return [name.lower() for name in request.get_all("Require")]


def unsupported(request: Request) -> list[str]:
    """Those of them that we do not have (RFC 3261 8.2.2.3)."""
    return [name for name in required(request) if name not in UNDERSTOOD]


class Composer:
    """Knows who we are."""

    def __init__(self, config: EdgeConfig, random: Random) -> None:
        self._config = config
        self._random = random
        self._ports = {"udp": config.udp_port, "tcp": config.tcp_port, "tls": config.tls_port or TLS_PORT}

    def listening(self, udp_port: int, tcp_port: int, tls_port: int) -> None:
        """The ports that we really have, for those that the configuration leaves open; 0: we do not listen."""
        config = self._config
        self._ports = {
            "udp": config.udp_port or udp_port,
            "tcp": config.tcp_port or tcp_port,
            "tls": config.tls_port or tls_port or TLS_PORT,
        }

    def tag(self) -> str:
        """A fresh tag."""
        return self._random.token_hex(8)

    def branch(self) -> str:
        """A fresh branch."""
        return "z9hG4bK" + self._random.token_hex(12)

    def call_id(self) -> str:
        """A fresh Call-ID."""
        return f"{self._random.token_hex(12)}@{self._config.host}"

    def number(self, limit: int) -> int:
        """A random number below `limit`."""
        return self._random.randbelow(limit)

    def is_ours(self, host: str, port: int | None) -> bool:
        """Whether a URI's host and port name us."""
        if host not in (self._config.domain.lower(), self._config.host, *(name.lower() for name in self._config.also)):
            return False
        return port is None or port in self._ports.values() or (host == self._config.domain.lower() and port in (5060, TLS_PORT))

    def is_our_address(self, host: str, port: int | None) -> bool:
        """Whether this is the very socket that we listen on (a Contact there would be a loop)."""
        return host in (self._config.host, *self._config.also) and (port or 5060) in self._ports.values()

    def contact(self, user: str, kind: str, scheme: str = "sip") -> str:
        """Our Contact on a transport; `scheme` is the Request-URI's: who asks by sips: is answered so (RFC 5630 5.1.2)."""
        address = f"{user or 'edge'}@{self._config.host}:{self._ports[kind]}"
        if kind == "tls" and scheme == "sips":
            return f"<sips:{address}>"
        return f"<sip:{address}{f';transport={kind}' if kind != 'udp' else ''}>"

    def via(self, kind: str, branch: str) -> str:
        """Our Via."""
        return via_value(kind, self._config.host, self._ports[kind], branch)

    def from_line(self, shown: Shown, tag: str, identity: str = "") -> str:
        """From with the shown user at our domain, or with the `identity` (a URI) that a trunk knows us by."""
        display = f"{quote(shown.display)} " if shown.display else ""
        return f"{display}<{identity or f'sip:{shown.user}@{self._config.domain}'}>;tag={tag}"

    def stand_alone(self, method: str, uri: str, flow: Flow, to: str = "") -> Request:
        """A request outside dialogs, from the edge itself: a probe."""
        name = f"<sip:edge@{self._config.domain}>"
        return build_request(method, uri, [
            ("Via", self.via(flow.kind, self.branch())), ("Max-Forwards", "70"), ("From", f"{name};tag={self.tag()}"),
            ("To", to or f"<{uri}>"), ("Call-ID", self.call_id()), ("CSeq", f"1 {method}"),
            ("Contact", self.contact("edge", flow.kind)), ("User-Agent", SOFTWARE),
        ])  # fmt: skip

    def answer(
        self,
        request: Request,
        status: int,
        reason: str = "",
        tag: str = "",
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """A response of ours; failures other than 100 get a To tag (a fresh one unless given), successes what fits them."""
        lines: Headers = list(headers)
        if body:
            lines.append(("Content-Type", SDP_TYPE))
        if status in (405, 200, 501, 489) and not any(name == "Allow" for name, _ in lines):
            lines.append(("Allow", ALLOW))
        if status == 200:
            lines.append(("Supported", SUPPORTED))
        lines.append(("Server", SOFTWARE))
        return response_to(request, status, reason, "" if status == 100 else tag or self.tag(), lines, body)
