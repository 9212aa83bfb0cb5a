"""The messages that we write: names, tags and headers of ours in one place. Nothing is sent here."""

import re
from collections.abc import Iterable
from typing import Protocol

from callserver.sip.interface import Shown
from callserver.sip.protocol.message import Request, Response, build_request, quote, response_to, via_value
from callserver.sip.settings import EdgeConfig
from callserver.sip.transport import Flow

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, PRACK, REGISTER"
SOFTWARE = "callserver"
SDP_TYPE = "application/sdp"


class Random(Protocol):
    """Where names come from: `secrets` itself, or a seeded stand-in."""

    def token_hex(self, nbytes: int, /) -> str:
        """`nbytes` random bytes in hex."""

    def randbelow(self, limit: int, /) -> int:
        """A number from 0 to limit - 1."""


Headers = list[tuple[str, str]]

UNDERSTOOD = frozenset({"timer"})  # RFC 4028: whoever insists on a session timer refreshes it himself
_INTERVAL = re.compile(r"[0-9]{1,6}")


def required(request: Request) -> list[str]:
    """The extensions that a request insists on, in lower case."""
    return [name.lower() for name in request.get_all("Require")]


def unsupported(request: Request) -> list[str]:
    """Those of them that we do not have (RFC 3261 8.2.2.3)."""
    return [name for name in required(request) if name not in UNDERSTOOD]


def _interval_s(request: Request) -> int:
    match = _INTERVAL.match(request.get("Session-Expires") or "")
    return max(90, int(match[0])) if match else 1800


class Composer:
    """Knows who we are."""

    def __init__(self, config: EdgeConfig, random: Random) -> None:
        self._config = config
        self._random = random
        self._ports = {"udp": config.udp_port, "tcp": config.tcp_port}

    def listening(self, udp_port: int, tcp_port: int) -> None:
        """The ports that we really have, for those that the configuration leaves open."""
        self._ports = {"udp": self._config.udp_port or udp_port, "tcp": self._config.tcp_port or tcp_port}

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
        return port is None or port in self._ports.values() or (host == self._config.domain.lower() and port == 5060)

    def is_our_address(self, host: str, port: int | None) -> bool:
        """Whether this is the very socket that we listen on (a Contact there would be a loop)."""
        return host in (self._config.host, *self._config.also) and (port or 5060) in self._ports.values()

    def contact(self, user: str, kind: str) -> str:
        """Our Contact on a transport."""
        transport = ";transport=tcp" if kind == "tcp" else ""
        return f"<sip:{user or 'edge'}@{self._config.host}:{self._ports[kind]}{transport}>"

    def via(self, kind: str, branch: str) -> str:
        """Our Via."""
        return via_value(kind, self._config.host, self._ports[kind], branch)

    def from_line(self, shown: Shown, tag: str) -> str:
        """From with the shown user at our domain."""
        display = f"{quote(shown.display)} " if shown.display else ""
        return f"{display}<sip:{shown.user}@{self._config.domain}>;tag={tag}"

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
        if status == 200 and "timer" in required(request):
            lines += [("Require", "timer"), ("Session-Expires", f"{_interval_s(request)};refresher=uac")]
        if status in (405, 200, 501, 489) and not any(name == "Allow" for name, _ in lines):
            lines.append(("Allow", ALLOW))
        lines.append(("Server", SOFTWARE))
        return response_to(request, status, reason, "" if status == 100 else tag or self.tag(), lines, body)
