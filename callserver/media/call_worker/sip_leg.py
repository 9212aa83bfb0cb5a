"""The inner legs' caller: a very small user agent client that INVITEs the worker's own pjsua2 over loopback.

The dialogs live and die with the process; nothing of them is told outside. pjsua2 answers 200 at once. Nobody else can
speak with it: its SIP socket is connected to ours in the kernel (see `lock_source`), and ours to it.
"""

import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

from callserver.media.call_worker.clock import boottime_ns
from callserver.media.call_worker.inner_codec import INNER_PAYLOAD_TYPES
from callserver.media.protocol import Codec

LIMIT_NS = 1_500_000_000  # for an INVITE; ordinary is 3 ms
MAX_MESSAGE = 8_192
_CRLF2 = b"\r\n\r\n"  # a keep-alive (RFC 5626 3.5.1): wakes pjsua2's poll and means nothing


class InnerRefused(Exception):
    """pjsua2 did not take the leg; the text says why."""


@dataclass(slots=True)
class _Dialog:
    call_id: str
    to: str
    cseq: int = 1


class InnerCaller:
    """`engine` is pjsua2's SIP address. `pump` lets pjsua2 work for some milliseconds; all runs on the engine's thread."""

    def __init__(self, engine: tuple[str, int], pump: Callable[[int], None]) -> None:
        self._pump = pump
        self._engine = f"{engine[0]}:{engine[1]}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(engine)
        self._socket.setblocking(False)
        self._me = "{}:{}".format(*self._socket.getsockname())
        self._dialogs: dict[str, _Dialog] = {}
        lock_source(engine[1], self._socket.getsockname())

    def wake(self) -> None:
        """Make pjsua2's event poll return; from any thread."""
        try:
            self._socket.send(_CRLF2)
        except (BlockingIOError, ConnectionError):
            return  # it is busy, thus awake

    def invite(self, codec: Codec, rtp_port: int) -> str:
        """An inner leg with exactly this codec, its RTP to and from our `rtp_port`: its Call-ID. `InnerRefused` else."""
        dialog = _Dialog(secrets.token_hex(8), "<sip:engine@127.0.0.1>")
        self._send(dialog, "INVITE", sdp_offer(codec, rtp_port))
        deadline = boottime_ns() + LIMIT_NS
        while boottime_ns() < deadline:
            self._pump(5)
            for status, headers in self._replies(dialog):
                if 200 <= status < 300:
                    dialog.to = headers["to"]
                    self._dialogs[dialog.call_id] = dialog
                    self._send(dialog, "ACK")
                    return dialog.call_id
                if status >= 300:
                    dialog.to = headers["to"]
                    self._send(dialog, "ACK")
                    raise InnerRefused(f"the engine answered {status}")
        raise InnerRefused("the engine did not answer")

    def bye(self, call_id: str) -> None:
        """End an inner leg; does not wait."""
        dialog = self._dialogs.pop(call_id, None)
        if dialog is not None:
            dialog.cseq += 1
            self._send(dialog, "BYE")

    def drain(self) -> None:
        """Read what else pjsua2 has sent: replies to our BYE, its own requests. A BYE of its own gets its 200."""
        for start, headers in self._messages():
            if start.startswith("BYE "):
                self._dialogs.pop(headers.get("call-id", ""), None)
                self._send_lines(_reply_200(headers))

    def _replies(self, dialog: _Dialog) -> list[tuple[int, dict[str, str]]]:
        found = []
        for start, headers in self._messages():
            if start.startswith("SIP/2.0 ") and headers.get("call-id") == dialog.call_id:
                found.append((int(start[8:11]), headers))
        return found

    def _messages(self) -> list[tuple[str, dict[str, str]]]:
        messages: list[tuple[str, dict[str, str]]] = []
        while True:
            try:
                datagram = self._socket.recv(MAX_MESSAGE)
            except (BlockingIOError, ConnectionError):
                return messages
            start, *lines = datagram.split(_CRLF2, 1)[0].decode("utf-8", "replace").split("\r\n")
            pairs = (line.partition(":") for line in lines)
            messages.append((start, {name.strip().lower(): value.strip() for name, _, value in pairs}))

    def _send(self, dialog: _Dialog, method: str, body: str = "") -> None:
        lines = [
            f"{method} sip:engine@{self._engine} SIP/2.0",
            f"Via: SIP/2.0/UDP {self._me};branch=z9hG4bK{secrets.token_hex(8)}",
            "Max-Forwards: 70",
            "From: <sip:front@127.0.0.1>;tag=front",
            f"To: {dialog.to}",
            f"Call-ID: {dialog.call_id}",
            f"CSeq: {dialog.cseq} {method}",
            f"Contact: <sip:front@{self._me}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._send_lines(lines, body)

    def _send_lines(self, lines: list[str], body: str = "") -> None:
        self._socket.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def _reply_200(headers: dict[str, str]) -> list[str]:
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    return ["SIP/2.0 200 OK", *(f"{name}: {headers.get(name.lower(), '')}" for name in names), "Content-Length: 0"]


def sdp_offer(codec: Codec, rtp_port: int) -> str:
    """An offer of one codec. RTCP is asked to the RTP port: the next one may be somebody else's."""
    kind = INNER_PAYLOAD_TYPES[codec.name]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        f"m=audio {rtp_port} RTP/AVP {kind}",
        f"a=rtpmap:{kind} {codec.name}/8000",
        f"a=ptime:{codec.ptime_ms}",
        f"a=rtcp:{rtp_port}",
        "a=sendrecv",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def lock_source(local_port: int, peer: tuple[str, int]) -> None:
    """Connect our UDP socket at 127.0.0.1 and this port, which native code owns, so that it takes packets of `peer` only.

    `LookupError` when there is none. Connecting acts on the open socket, which our duplicate shares.
    """
    for name in os.listdir("/proc/self/fd"):
        try:
            sock = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # no socket, or the listing's own descriptor
        with sock:
            if (sock.family, sock.type) != (socket.AF_INET, socket.SOCK_DGRAM):
                continue
            if sock.getsockname() == ("127.0.0.1", local_port):
                sock.connect(peer)
                return
    raise LookupError(local_port)
