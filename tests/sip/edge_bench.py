"""An edge on real loopback sockets with in-memory surroundings that write down what they are told."""

import asyncio
import hashlib
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from callserver.sip.edge import Edge, EdgeConfig
from callserver.sip.interface import LegRecord, LocalMedia, RemoteMedia, TrunkAccess
from tests.eventually import eventually
from tests.sip.edge_peer import Peer

DOMAIN = "help.test"
SECRET = "secret-of-"


def local(port: int = 30000) -> LocalMedia:
    """Our RTP address in a test; nobody listens there."""
    return LocalMedia("127.0.0.1", port, port + 1, 1, 1, 1, 0)


@dataclass
class Directory:
    """Accounts: hp* are points, op* operators; every password is SECRET + user."""

    users: tuple[str, ...] = ("hp1", "hp2", "op1", "op2")
    sha256: set[str] = field(default_factory=set)
    trusted_pairs: set[tuple[str, str]] = field(default_factory=set)
    trunk_access: dict[str, TrunkAccess] = field(default_factory=dict)

    def role(self, user: str) -> str:
        if user not in self.users:
            return ""
        return "point" if user.startswith("hp") else "operator"

    def ha1(self, user: str) -> tuple[str, str]:
        if user not in self.users:
            return "", ""
        algorithm = "SHA-256" if user in self.sha256 else "MD5"
        make = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
        return algorithm, make(f"{user}:{DOMAIN}:{SECRET}{user}".encode()).hexdigest()

    def trusted(self, user: str, source_host: str) -> bool:
        return (user, source_host) in self.trusted_pairs

    def is_help(self, user: str) -> bool:
        return user in ("help", "info")

    def button(self, point: str, called: str, values: Callable[[str], Sequence[str]]) -> str:
        return "info" if called == "info" else ",".join(values("X-Button"))

    def trunk(self, trunk: str) -> TrunkAccess | None:
        return self.trunk_access.get(trunk)

    def trunk_source(self, source_host: str, source_port: int) -> str:
        return next((t.id for t in self.trunk_access.values() if (t.host, t.port) == (source_host, source_port)), "")

    def trunks(self) -> tuple[str, ...]:
        return tuple(self.trunk_access)


@dataclass
class Shelf:
    """Storage that outlives an edge."""

    legs: dict[str, LegRecord] = field(default_factory=dict)
    bindings: dict[str, bytes] = field(default_factory=dict)
    gate: asyncio.Event | None = None  # when set, saving waits for it
    history: list[LegRecord] = field(default_factory=list)

    async def save_leg(self, record: LegRecord) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.legs[record.leg] = record
        self.history.append(record)

    def forget_leg(self, leg: str) -> None:
        self.legs.pop(leg, None)

    async def save_binding(self, user: str, blob: bytes) -> None:
        self.bindings[user] = blob


@dataclass
class Ears:
    """A listener that keeps the whole history as tuples."""

    heard: list[tuple[object, ...]] = field(default_factory=list)
    media: dict[str, RemoteMedia] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)  # of what was probed

    def pressed(self, dialog: str, point: str, has_sdp: bool, button: str) -> None:
        self.buttons.append(button)
        self.heard.append(("pressed", dialog, point, has_sdp))

    def code_dialled(self, dialog: str, user: str, code: str) -> None:
        self.heard.append(("code", dialog, user, code))

    def rang(self, leg: str) -> None:
        self.heard.append(("rang", leg))

    def answered(self, leg: str, remote: RemoteMedia) -> None:
        self.media[leg] = remote
        self.heard.append(("answered", leg))

    def changed(self, leg: str, remote: RemoteMedia) -> None:
        self.media[leg] = remote
        self.heard.append(("changed", leg))

    def ended(self, leg: str, status: int, by_party: bool, was_up: bool, reason: str) -> None:
        self.heard.append(("ended", leg, status, by_party, was_up))

    def digit(self, leg: str, digit: str) -> None:
        self.heard.append(("digit", leg, digit))

    def bound(self, user: str, contact: str) -> None:
        self.heard.append(("bound", user))

    def unbound(self, user: str, why: str) -> None:
        self.heard.append(("unbound", user))

    def probed(self, user: str, reachable: bool, why: str) -> None:
        self.whys.append(why)
        self.heard.append(("probed", user, reachable))

    def of(self, word: str) -> list[tuple[object, ...]]:
        return [entry for entry in self.heard if entry[0] == word]


@dataclass
class Kept:
    """The supervisor's side of accepted connections: real duplicates, so that they survive an edge."""

    sockets: dict[int, socket.socket] = field(default_factory=dict)

    def keep(self, connection: int, fileno: int) -> None:
        if connection not in self.sockets:
            self.sockets[connection] = socket.fromfd(fileno, socket.AF_INET, socket.SOCK_STREAM)

    def drop(self, connection: int) -> None:
        known = self.sockets.pop(connection, None)
        if known is not None:
            known.close()


class Clock:
    """The host's clock, which a test may set forward."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def __call__(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) + self.ahead_ns


class Bench:
    """One edge after another on the same listening sockets."""

    def __init__(self, **settings: object) -> None:
        self.directory, self.shelf, self.ears, self.kept, self.clock = Directory(), Shelf(), Ears(), Kept(), Clock()
        self.config = EdgeConfig(domain=DOMAIN, secret=b"0123456789abcdef", host="127.0.0.1", **settings)  # type: ignore[arg-type]
        self.peers: list[Peer] = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.bind(("127.0.0.1", 0))
        self.tcp.listen(128)
        self.tls = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tls.bind(("127.0.0.1", 0))
        self.tls.listen(128)
        self.certificate: ssl.SSLContext | None = None
        self.edge = self._edge()

    def _edge(self) -> Edge:
        return Edge(self.config, self.directory, self.shelf, self.ears, self.kept, self.clock)

    async def __aenter__(self) -> "Bench":
        await self.start()
        return self

    async def start(self) -> None:
        kept = {number: sock.dup() for number, sock in self.kept.sockets.items()}
        await self.edge.start(self.udp.dup(), self.tcp.dup(), kept, self.tls.dup())
        if self.certificate is not None:
            self.edge.secure(self.certificate)

    def secure(self, certificate: ssl.SSLContext) -> None:
        """TLS with this certificate from now on, also for the edges that follow."""
        self.certificate = certificate
        self.edge.secure(certificate)

    def die(self) -> None:
        """The edge is gone as if killed: nothing is said, nothing more is stored."""
        self.edge._gear.timers.stop()
        self.edge._transport.stop()
        self.shelf = Shelf(dict(self.shelf.legs), dict(self.shelf.bindings))

    async def reborn(self) -> None:
        """Another edge with what was stored."""
        self.edge = self._edge()
        self.edge.restore(list(self.shelf.legs.values()), dict(self.shelf.bindings))
        await self.start()

    async def __aexit__(self, *exc: object) -> None:
        for peer in self.peers:
            await peer.close()
        await self.edge.stop()
        for sock in (self.udp, self.tcp, self.tls, *self.kept.sockets.values()):
            sock.close()

    async def peer(
        self, user: str, tcp: bool = False, register: bool = False, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> Peer:
        listener = self.tls if tls is not None else self.tcp if tcp else self.udp
        peer = await Peer(user, SECRET + user, listener.getsockname(), tcp or tls is not None, host=host, secure=tls).open()
        self.peers.append(peer)
        if register:
            assert (await peer.register()).status == 200
        return peer

    async def heard(self, *entry: object, within: float = 3.0) -> None:
        """Wait until the listener was told exactly this."""
        try:
            await eventually(lambda: entry in self.ears.heard, within)
        except AssertionError:
            raise AssertionError(f"not told {entry}; told {self.ears.heard}") from None

    async def dialog(self, word: str = "pressed", number: int = 0) -> str:
        """The id of the nth press."""
        await eventually(lambda: len(self.ears.of(word)) > number, 3.0)
        return str(self.ears.of(word)[number][1])

    def skip(self, seconds: float) -> None:
        """Let time pass for the edge."""
        self.clock.ahead_ns += int(seconds * 1e9)
        self.edge.run_timers()
