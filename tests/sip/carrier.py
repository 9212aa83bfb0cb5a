"""A carrier: it listens by UDP, TCP or TLS, takes registrations with digest, and answers calls as the test says.

It shares no code with the edge but the reading of `edge_peer.Got`.
"""

import asyncio
import hashlib
import re
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.eventually import eventually
from tests.sip.edge_peer import Got, sdp

Send = Callable[[bytes], None]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, carrier: "Carrier") -> None:
        self.carrier = carrier

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.carrier.take(data, lambda answer: self.carrier.udp.sendto(answer, addr))


@dataclass
class Carrier:
    """`silent`: takes everything in and says nothing. `closes`: ends each connection after its 200.

    `refuse`: the status of every REGISTER. `seen`: all requests.
    """

    kind: str = "udp"
    secure: ssl.SSLContext | None = None
    password: str = "line-secret"
    algorithm: str = "MD5"
    grants_s: int = 600
    least_s: int = 0
    refuse: int = 0
    silent: bool = False
    closes: bool = False  # each connection after its 200
    port: int = 0
    seen: list[Got] = field(default_factory=list)
    connections: list[asyncio.StreamWriter] = field(default_factory=list)
    bound: dict[str, str] = field(default_factory=dict)  # user -> Contact
    _served: list[asyncio.Task[object]] = field(default_factory=list)
    _nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    async def open(self) -> "Carrier":
        """Listen; again on the same port after `close`."""
        loop = asyncio.get_running_loop()
        if self.kind == "udp":
            self.udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port))
            self.port = self.udp.get_extra_info("sockname")[1]
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.secure)
            self.port = self._server.sockets[0].getsockname()[1]
        return self

    def close(self) -> None:
        """Listen no more, and end what is connected."""
        if self.kind == "udp":
            self.udp.close()
            return
        self._server.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End what is connected."""
        for writer in self.connections:
            writer.transport.abort()
        self.connections.clear()

    async def __aenter__(self) -> "Carrier":
        return await self.open()

    async def __aexit__(self, *exc: object) -> None:
        self.close()
        await asyncio.gather(*self._served, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        if (task := asyncio.current_task()) is not None:
            self._served.append(task)
        data = b""
        try:
            while piece := await reader.read(65536):
                data += piece
                while b"\r\n\r\n" in data:
                    head, _, rest = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
                    length = int(re.search(rb"(?im)^content-length\s*:\s*(\d+)", head).group(1))  # type: ignore[union-attr]
                    if len(rest) < length:
                        break
                    self.take(head + b"\r\n\r\n" + rest[:length], writer.write)
                    data = rest[length:]
        except OSError:
            return
        finally:
            writer.close()

    def of(self, method: str) -> list[Got]:
        """The requests of a method."""
        return [got for got in self.seen if got.method == method]

    async def got(self, method: str, count: int = 1, within: float = 3.0) -> Got:
        """Wait for the request of this number."""
        await eventually(lambda: len(self.of(method)) >= count, within)
        return self.of(method)[count - 1]

    def take(self, data: bytes, send: Send) -> None:
        """One message."""
        got = Got(data.decode())
        if not got.method:
            return
        self.seen.append(got)
        self._send = send
        if self.silent or got.method == "ACK":
            return
        if got.method == "REGISTER":
            self._register(got, send)
        elif got.method == "INVITE" and not self._proven(got):
            self._reply(got, send, "407 Proxy Authentication Required", f"Proxy-Authenticate: {self._challenge()}")
        elif got.method == "INVITE":
            contact = f"Contact: <sip:police@127.0.0.1:{self.port};transport={self.kind}>"
            self._reply(got, send, "200 OK", contact, body=sdp(42000))
        else:
            self._reply(got, send, "200 OK")

    def ask(self, text: str) -> None:
        """A request of its own, by the way that was heard last."""
        self._send(text.encode())

    def _challenge(self) -> str:
        return f'Digest realm="carrier", nonce="{self._nonce}", algorithm={self.algorithm}, qop="auth"'

    def _proven(self, got: Got) -> bool:
        line = got.one("Authorization") or got.one("Proxy-Authorization")
        if not line:
            return False
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', line.partition(" ")[2]))
        make = hashlib.sha256 if self.algorithm == "SHA-256" else hashlib.md5

        def h(text: str) -> str:
            return make(text.encode()).hexdigest()

        secret = h(f"{said['username']}:carrier:{self.password}")
        asked = h(f"{got.method}:{said['uri']}")
        wanted = h(f"{secret}:{said['nonce']}:{said['nc']}:{said['cnonce']}:auth:{asked}")
        return said["nonce"] == self._nonce and said["response"] == wanted

    def _register(self, got: Got, send: Send) -> None:
        asked = int(got.one("Expires"))
        if self.refuse:
            self._reply(got, send, f"{self.refuse} No")
        elif not self._proven(got):
            self._reply(got, send, "401 Unauthorized", f"WWW-Authenticate: {self._challenge()}")
        elif 0 < asked < self.least_s:
            self._reply(got, send, "423 Interval Too Brief", f"Min-Expires: {self.least_s}")
        else:
            user = got.one("To").partition("sip:")[2].partition("@")[0]
            self.bound.pop(user, None)
            granted = min(asked, self.grants_s) if asked else 0
            if granted:
                self.bound[user] = got.one("Contact")
            self._reply(got, send, "200 OK", *([f"Contact: {got.one('Contact')};expires={granted}"] if granted else []))

    def _reply(self, request: Got, send: Send, status: str, *lines: str, body: str = "") -> None:
        head = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.all("Via")), f"From: {request.one('From')}"]
        to = request.one("To")
        head += [f"To: {to}" if "tag=" in to else f"To: {to};tag=c1", f"Call-ID: {request.one('Call-ID')}"]
        head += [f"CSeq: {request.one('CSeq')}", *lines, *(["Content-Type: application/sdp"] if body else [])]
        send(("\r\n".join([*head, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body).encode())
        if self.closes and status.startswith("200"):
            for writer in self.connections:
                writer.close()
            self.connections.clear()
