"""A small scripted SIP peer over real UDP or TCP sockets, with its own lenient reading: it shares no code with the edge."""

import asyncio
import hashlib
import re
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

SDP = (
    "v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 8 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na={direction}\r\n"
)


def sdp(port: int = 40000, direction: str = "sendrecv") -> str:
    """An offer or answer with G.711."""
    return SDP.format(port=port, direction=direction)


@dataclass(frozen=True)
class Got:
    """A message as received."""

    text: str

    @property
    def start(self) -> str:
        return self.text.split("\r\n", 1)[0]

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        return "" if self.status else self.start.split()[0]

    def all(self, name: str) -> list[str]:
        head = self.text.partition("\r\n\r\n")[0]
        return [m.group(1).strip() for m in re.finditer(rf"(?im)^{re.escape(name)}[ \t]*:(.*)$", head)]

    def one(self, name: str) -> str:
        values = self.all(name)
        return values[0] if values else ""

    @property
    def cseq_method(self) -> str:
        return self.one("CSeq").split()[1]

    @property
    def to_tag(self) -> str:
        found = re.search(r"tag=([^;>\s]+)", self.one("To"))
        return found.group(1) if found else ""


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, peer: "Peer") -> None:
        self.peer = peer

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip():
            self.peer.take(data)


@dataclass
class Call:
    """The peer's side of one dialog."""

    call_id: str
    from_line: str
    to_line: str
    target: str
    cseq: int
    invite: Got | None = None
    branch: str = ""


@dataclass
class Peer:
    """A user agent of the test. `inbox` keeps everything; `expect` takes the first match out of `waiting`."""

    user: str
    password: str
    server: tuple[str, int]
    tcp: bool = False
    domain: str = "help.test"
    host: str = "127.0.0.1"
    inbox: list[Got] = field(default_factory=list)
    waiting: list[Got] = field(default_factory=list)
    answer_probes: bool = True
    listen: int = 0  # its port by UDP, 0: any
    closed: bool = False
    secure: ssl.SSLContext | None = None

    async def open(self) -> "Peer":
        loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        if self.tcp:
            name = "localhost" if self.secure is not None else None
            reader, self.writer = await asyncio.open_connection(
                *self.server, local_addr=(self.host, 0), ssl=self.secure, server_hostname=name
            )
            self.port = self.writer.get_extra_info("sockname")[1]
            self.task = asyncio.create_task(self._read(reader))
        else:
            self.transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(self.host, self.listen))
            self.port = self.transport.get_extra_info("sockname")[1]
        return self

    async def close(self) -> None:
        if self.tcp:
            self.writer.close()
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        else:
            self.transport.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        data = b""
        while piece := await reader.read(65536):
            data += piece
            while True:
                data = data.lstrip(b"\r\n")
                head, found, rest = data.partition(b"\r\n\r\n")
                if not found:
                    break
                length = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head).group(1))  # type: ignore[union-attr]
                if len(rest) < length:
                    break
                self.take(head + found + rest[:length])
                data = rest[length:]
        self.closed = True
        self._news.set()

    def take(self, data: bytes) -> None:
        got = Got(data.decode())
        self.inbox.append(got)
        if got.method == "OPTIONS" and self.answer_probes:
            self.reply(got, 200, "OK")
            return
        self.waiting.append(got)
        self._news.set()

    async def until(self, match: Callable[[Got], bool], within: float = 3.0, what: str = "") -> Got:
        async def look() -> Got:
            while True:
                for got in self.waiting:
                    if match(got):
                        self.waiting.remove(got)
                        return got
                self._news.clear()
                await self._news.wait()

        try:
            return await asyncio.wait_for(look(), within)
        except TimeoutError:
            seen = [got.start for got in self.inbox]
            raise AssertionError(f"{self.user}: no {what} within {within} s; got {seen}") from None

    async def response(self, status: int, method: str = "", within: float = 3.0) -> Got:
        return await self.until(
            lambda got: got.status == status and (not method or got.cseq_method == method), within, f"{status} {method}"
        )

    async def final(self, method: str, within: float = 3.0) -> Got:
        return await self.until(lambda got: got.status >= 200 and got.cseq_method == method, within, f"final {method}")

    async def request(self, method: str, within: float = 3.0) -> Got:
        return await self.until(lambda got: got.method == method, within, method)

    def send(self, text: str) -> None:
        data = text.encode()
        if self.tcp:
            self.writer.write(data)
        else:
            self.transport.sendto(data, self.server)

    # ---- building -----------------------------------------------------------------------------------------------

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.host}:{self.port}{f';transport={self.kind.lower()}' if self.tcp else ''}>"

    @property
    def kind(self) -> str:
        """As Via names it."""
        return "TLS" if self.secure is not None else "TCP" if self.tcp else "UDP"

    def via(self, branch: str = "") -> str:
        return f"SIP/2.0/{self.kind} {self.host}:{self.port};rport;branch=z9hG4bK{branch or secrets.token_hex(8)}"

    def build(self, method: str, uri: str, lines: list[str], body: str = "", content: str = "application/sdp") -> str:
        head = [f"{method} {uri} SIP/2.0", *lines, "Max-Forwards: 70"]
        if body:
            head.append(f"Content-Type: {content}")
        head.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(head) + "\r\n\r\n" + body

    def authorization(self, challenge: Got, method: str, uri: str, nc: int = 1) -> str:
        line = challenge.one("WWW-Authenticate") or challenge.one("Proxy-Authenticate")
        params = dict(re.findall(r'(\w+)="?([^",]*)"?', line.partition(" ")[2]))
        digest = hashlib.sha256 if params.get("algorithm", "").upper() == "SHA-256" else hashlib.md5

        def h(text: str) -> str:
            return digest(text.encode()).hexdigest()

        ha1 = h(f"{self.user}:{params['realm']}:{self.password}")
        response = h(f"{ha1}:{params['nonce']}:{nc:08x}:ab12:auth:{h(f'{method}:{uri}')}")
        name = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        algorithm = f", algorithm={params['algorithm']}" if "algorithm" in params else ""
        return (
            f'{name}: Digest username="{self.user}", realm="{params["realm"]}", nonce="{params["nonce"]}", uri="{uri}", '
            f'response="{response}", qop=auth, nc={nc:08x}, cnonce="ab12"{algorithm}'
        )

    async def authorized(self, method: str, uri: str, lines: Callable[[int], list[str]], body: str = "") -> Got:
        """Send, take the challenge, send again with credentials; what follows is the caller's. Returns the challenge."""
        self.send(self.build(method, uri, lines(1), body))
        challenge = await self.response(401, method)
        if method == "INVITE":
            self.send(self.build("ACK", uri, [*_same(lines(1), challenge), "CSeq: 1 ACK"]))
        self.send(self.build(method, uri, [*lines(2), self.authorization(challenge, method, uri)], body))
        return challenge

    async def register(self, expires: int = 120, contact: str = "") -> Got:
        uri = f"sip:{self.domain}"
        call_id, tag = secrets.token_hex(8), secrets.token_hex(4)

        def lines(cseq: int) -> list[str]:
            return [
                f"Via: {self.via()}",
                f"From: <sip:{self.user}@{self.domain}>;tag={tag}",
                f"To: <sip:{self.user}@{self.domain}>",
                f"Call-ID: {call_id}",
                f"CSeq: {cseq} REGISTER",
                f"Contact: {contact or self.contact};expires={expires}",
            ]

        await self.authorized("REGISTER", uri, lines)
        return await self.final("REGISTER")

    async def invite(
        self, to: str = "help", body: str | None = None, authorize: bool = True, extra: tuple[str, ...] = ()
    ) -> Call:
        """Send an INVITE (with credentials when asked for); provisional answers are left to the test."""
        uri = f"sip:{to}@{self.domain}"
        call_id, tag, branch = secrets.token_hex(8), secrets.token_hex(4), secrets.token_hex(8)
        from_line, to_line = f"<sip:{self.user}@{self.domain}>;tag={tag}", f"<{uri}>"
        offer = sdp() if body is None else body

        def lines(cseq: int) -> list[str]:
            return [
                f"Via: {self.via(f'{branch}{cseq}')}",
                f"From: {from_line}",
                f"To: {to_line}",
                f"Call-ID: {call_id}",
                f"CSeq: {cseq} INVITE",
                f"Contact: {self.contact}",
                *extra,
            ]

        call = Call(call_id, from_line, to_line, uri, 1, branch=f"{branch}1")
        if authorize:
            await self.authorized("INVITE", uri, lines, offer)
            call.cseq, call.branch = 2, f"{branch}2"
        else:
            self.send(self.build("INVITE", uri, lines(1), offer))
        return call

    def in_dialog(
        self, call: Call, method: str, body: str = "", lines: tuple[str, ...] = (), content: str = "application/sdp"
    ) -> str:
        """Send a request within the dialog; ACK keeps the CSeq of the INVITE. Returns the text, for sending it again."""
        if method not in ("ACK", "CANCEL"):
            call.cseq += 1
        via = self.via(call.branch) if method == "CANCEL" else self.via()
        head = [
            f"Via: {via}",
            f"From: {call.from_line}",
            f"To: {call.to_line}",
            f"Call-ID: {call.call_id}",
            f"CSeq: {call.cseq} {method}",
            f"Contact: {self.contact}",
            *lines,
        ]
        text = self.build(method, call.target, head, body, content)
        self.send(text)
        return text

    def learn(self, call: Call, answer: Got) -> None:
        """Take the dialog's To and target from a response to our INVITE."""
        call.to_line = answer.one("To")
        found = re.search(r"<([^>]+)>", answer.one("Contact"))
        if found:
            call.target = found.group(1)

    def reply(self, request: Got, status: int, reason: str, tag: str = "", body: str = "", lines: tuple[str, ...] = ()) -> None:
        """Answer a request."""
        to = request.one("To")
        if tag and "tag=" not in to:
            to += f";tag={tag}"
        head = [f"SIP/2.0 {status} {reason}", *(f"Via: {via}" for via in request.all("Via")), f"From: {request.one('From')}"]
        head += [f"To: {to}", f"Call-ID: {request.one('Call-ID')}", f"CSeq: {request.one('CSeq')}"]
        head += [f"Contact: {self.contact}", *lines]
        if body:
            head.append("Content-Type: application/sdp")
        self.send("\r\n".join([*head, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body)

    def callee(self, invite: Got, tag: str) -> Call:
        """The peer's dialog of an INVITE that it was sent and answers with `tag`."""
        target = re.search(r"<([^>]+)>", invite.one("Contact"))
        assert target is not None
        return Call(invite.one("Call-ID"), f"{invite.one('To')};tag={tag}", invite.one("From"), target.group(1), 100, invite)


def _same(lines: list[str], answer: Got) -> list[str]:
    kept = [line for line in lines if not line.startswith(("CSeq:", "To:", "Contact:"))]
    return [*kept, f"To: {answer.one('To')}"]
