"""The messages between supervisor and switchboard, over two Unix SOCK_SEQPACKET pairs made at each start of the switchboard.

`ask` carries a request and its one reply (sockets beside them by SCM_RIGHTS); `news` carries what the supervisor tells unasked.
Nothing is resent: both ends start anew with the switchboard, and `Inventory` gives a new one all there is.
"""

import socket

import msgspec

MAX_MESSAGE_BYTES = 65_536
MAX_FDS = 4


class _Message(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base: tagged by class name."""


# ---- requests of the switchboard, on `ask` ------------------------------------------------------------------


class OpenSockets(_Message, frozen=True):
    """Bind an RTP and an RTCP socket for this leg and keep them. Reply: `Sockets` with both, or `NoSockets`."""

    leg: str


class CloseSockets(_Message, frozen=True):
    """The leg is over: close the kept pair. Reply: `Done`."""

    leg: str


class KeepConnection(_Message, frozen=True):
    """Keep the TCP connection that comes along, so that it outlives the switchboard. Reply: `Done`."""

    connection: int


class DropConnection(_Message, frozen=True):
    """Close the kept connection. Reply: `Done`."""

    connection: int


class TakeWorker(_Message, frozen=True):
    """This worker is no spare any more; a successor is forked a little later. Reply: `Done`."""

    worker: str


class NeedWorker(_Message, frozen=True):
    """No spare is left: fork one at once. Reply: `Done`; `WorkerReady` follows as news."""


class NextItem(_Message, frozen=True):
    """Give me item `number` (from 0) of everything you keep. Reply: `Sockets`, `Connection`, `WorkerReady`, or `NoMore`."""

    number: int


# ---- replies ------------------------------------------------------------------------------------------------


class Done(_Message, frozen=True):
    """It is done."""


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
    """A call worker listens at `path`. (In an inventory also one that carries a call.)"""

    worker: str
    pid: int
    path: str


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


class ChildTrouble(_Message, frozen=True):
    """A process of the service died and is started again (or runs again: `cleared`)."""

    name: str
    text: str
    cleared: bool = False


Message = (
    OpenSockets | CloseSockets | KeepConnection | DropConnection | TakeWorker | NeedWorker | NextItem
    | Done | Sockets | NoSockets | Connection | NoMore | WorkerReady | WorkerGone | Anchored | ChildTrouble
)  # fmt: skip
_DECODER = msgspec.msgpack.Decoder(Message)


def send(sock: socket.socket, message: Message, fds: tuple[int, ...] = ()) -> None:
    """Send one message with its descriptors. Raises OSError when the other side is gone."""
    socket.send_fds(sock, [msgspec.msgpack.encode(message)], list(fds))


def receive(sock: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message and its descriptors; None at the end of file. Raises OSError (BlockingIOError, TimeoutError included)."""
    datagram, fds, _, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, MAX_FDS)
    if not datagram:
        return None
    return _DECODER.decode(datagram), fds
