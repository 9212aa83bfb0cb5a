"""The messages between supervisor and switchboard, over two Unix SOCK_SEQPACKET pairs made at each start of the switchboard.

`ask` carries what the switchboard wants, sockets beside it by SCM_RIGHTS. A question (`OpenSockets`, `NextItem`) has one reply
with the question's number, so that a reply that came too late is not taken for the next question's; the rest has none. `news`
carries what the supervisor tells unasked. Nothing is resent: both ends start anew with the switchboard, which asks for all there
is.
"""

import socket

import msgspec

MAX_MESSAGE_BYTES = 65_536
MAX_FDS = 4


class _Message(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base: tagged by class name."""


# ---- what the switchboard wants, on `ask` -------------------------------------------------------------------


class OpenSockets(_Message, frozen=True):
    """Bind an RTP and an RTCP socket for this leg and keep them. Reply: `Sockets` with both, or `NoSockets`.

    `inside`: for a leg whose other end is a process of ours, so on 127.0.0.1, whatever devices are told.
    """

    leg: str
    inside: bool = False


class CloseSockets(_Message, frozen=True):
    """The leg is over: close the kept pair."""

    leg: str


class KeepConnection(_Message, frozen=True):
    """Keep the TCP connection that comes along, so that it outlives the switchboard."""

    connection: int


class DropConnection(_Message, frozen=True):
    """Close the kept connection."""

    connection: int


class TakeWorker(_Message, frozen=True):
    """This worker is no spare any more; a successor is forked a little later."""

    worker: str


class NeedWorker(_Message, frozen=True):
    """No spare of this kind is left: fork one at once. `WorkerReady` follows as news."""

    kind: str = "call"


class NextItem(_Message, frozen=True):
    """Give me item `number` of everything you kept when I asked for item 0.

    Reply: `Sockets`, `Connection`, `WorkerReady`, or `NoMore`.
    """

    number: int


class Alive(_Message, frozen=True):
    """The answer to the question of this number, from the loop that decides; see runtime.heartbeat."""

    number: int


# ---- replies ------------------------------------------------------------------------------------------------


class Sockets(_Message, frozen=True):
    """A leg's pair; the sockets come along: RTP, RTCP."""

    leg: str
    host: str
    rtp_port: int
    rtcp_port: int


class NoSockets(_Message, frozen=True):
    """No pair could be bound."""

    why: str


class Connection(_Message, frozen=True):
    """A kept TCP connection; it comes along."""

    connection: int


class NoMore(_Message, frozen=True):
    """The inventory ends here."""


# ---- news of the supervisor ---------------------------------------------------------------------------------


class WorkerReady(_Message, frozen=True):
    """A worker of this kind (call or seat) listens at `path`. (In an inventory also one that is no spare.)"""

    worker: str
    pid: int
    path: str
    kind: str = "call"


class WorkerGone(_Message, frozen=True):
    """A call worker's process has ended."""

    worker: str
    pid: int


class Anchored(_Message, frozen=True):
    """A new clock anchor is in force; fields of runtime.clock.Anchor."""

    number: int
    boot: str
    boottime_ns: int
    utc_ns: int
    offset_ns: int
    step_ms: int


class AreYouThere(_Message, frozen=True):
    """Answer with `Alive` and this number."""

    number: int


class ChildTrouble(_Message, frozen=True):
    """A process of the service died and is started again (or runs again: `cleared`)."""

    name: str
    text: str
    cleared: bool = False


class ReloadWanted(_Message, frozen=True):
    """Somebody asks by SIGHUP that the plan's file be read anew."""


Message = (
    OpenSockets | CloseSockets | KeepConnection | DropConnection | TakeWorker | NeedWorker | NextItem
    | Sockets | NoSockets | Connection | NoMore | WorkerReady | WorkerGone | Anchored | ChildTrouble | ReloadWanted
    | AreYouThere | Alive
)  # fmt: skip


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """What is on the wire. `number` is a question's and its reply's; 0: neither."""

    number: int
    message: Message


_DECODER = msgspec.msgpack.Decoder(Envelope)


def send(sock: socket.socket, message: Message, fds: tuple[int, ...] = (), number: int = 0) -> None:
    """Send one message with its descriptors. Raises OSError when the other side is gone or does not read."""
    socket.send_fds(sock, [msgspec.msgpack.encode(Envelope(number, message))], list(fds))


def receive(sock: socket.socket) -> tuple[Envelope, list[int]] | None:
    """The next message and its descriptors; None at the end of file.

    Raises OSError (BlockingIOError, TimeoutError included), and ValueError for a message that is none of ours, or whose
    descriptors could not be had, because this process has too many: they are closed then.
    """
    datagram, fds, flags, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, MAX_FDS)
    if not datagram:
        return None
    try:
        if flags & socket.MSG_CTRUNC:
            raise ValueError("descriptors were lost: this process has too many")
        return _DECODER.decode(datagram), fds
    except ValueError:
        close_all(fds)
        raise


def close_all(fds: list[int]) -> None:
    """Close descriptors that nobody wants."""
    for fd in fds:
        socket.close(fd)
