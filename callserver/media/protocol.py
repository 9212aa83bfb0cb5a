"""The messages between switchboard and call or seat worker, over a Unix SOCK_SEQPACKET socket (one message, one datagram).

Every message says who sends it, when, and what follows. Each side numbers what it sends from 1; the receiver
acknowledges the highest number it has acted upon (`Ack`, not numbered itself) and ignores what it has had. After a
reconnect both send `Hello` first, with the highest number had from the other side in this worker's life; then each
sends again what the other has not had. A worker serves one switchboard connection at a time: a newer one displaces
the older. (A new switchboard does not know what the old one had numbered: it goes on from the worker's `Hello.had`.)

Sockets travel beside `Place` by SCM_RIGHTS: [outer RTP, outer RTCP]. Times are CLOCK_BOOTTIME nanoseconds.
Version: a switchboard must speak with workers of its own and of the previous `VERSION`.
"""

import msgspec

VERSION = 2
SENDS_DIGITS = 2  # the first version whose workers know the order
MAX_MESSAGE_BYTES = 65_536
MOST_LEGS = 4  # of one worker: its library's limit


class _Message(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base: tagged by class name."""


# ---- both ways ----------------------------------------------------------------------------------------------


class Ack(_Message, frozen=True):
    """Everything up to and including `number` was received and acted upon."""

    number: int


class Hello(_Message, frozen=True):
    """First message of a connection, from both sides. The worker's tells what it holds."""

    version: int
    had: int  # highest number received from the other side
    worker: str = ""
    pid: int = 0
    call: str = ""  # "" for a spare
    legs: tuple[str, ...] = ()
    # of seat workers alone:
    seat: str = ""  # "" for a spare
    operator: str = ""
    rtp_port: int = 0  # where it takes a leg's RTP, on 127.0.0.1
    notes: tuple[str, ...] = ()  # what was said with each of `legs`
    heard: bool = False  # the browser is heard at this moment


# ---- switchboard to worker ----------------------------------------------------------------------------------


class Open(_Message, frozen=True):
    """The worker shall carry this call: start the engine at `rate_hz` (8000 or 16000). Followed by `Opened`.

    Captures go to `capture_dir` as `<leg>.<segment>.cap`, `segment` counting the workers that this call has had.
    `prompts_dir` holds `<language>/<name>.wav` (16-bit PCM).
    """

    call: str
    rate_hz: int
    segment: int
    capture_dir: str
    prompts_dir: str
    language: str
    boot_id: str
    anchor_number: int
    anchor_boottime_ns: int
    anchor_utc_ns: int


class Codec(msgspec.Struct, frozen=True):
    """What was agreed for a leg. `clock_hz` is the RTP clock (8000 for G.722 too, RFC 3551 4.5.2)."""

    name: str  # PCMU | PCMA | G722
    payload_type: int
    ptime_ms: int = 20
    clock_hz: int = 8000
    dtmf_payload_type: int = -1  # telephone-event, -1: none


class Continuity(msgspec.Struct, frozen=True):
    """The RTP line that we send on a leg; sequence and timestamp follow the clock, so a successor goes on with it."""

    ssrc: int
    first_seq: int
    first_timestamp: int
    started_ns: int


class Place(_Message, frozen=True):
    """Carry this leg; its sockets come with the message. Followed by `Placed`, or `Refused`.

    `role` is point, operator, outside or supervisor. `remote_host`/`remote_port` is where we send RTP; `source` is the rule of
    dialplans.model.MediaSource and `source_host` the SIP source's address. `send` and `receive` follow the SDP's
    direction. Placing a leg that is there updates its remote address and direction; a changed codec replaces the inner
    leg. Sockets are then not resent.
    """

    leg: str
    role: str
    codec: Codec
    remote_host: str
    remote_port: int
    source: str
    source_host: str
    continuity: Continuity
    send: bool = True
    receive: bool = True
    rtcp_mux: bool = False


class PromptOrder(msgspec.Struct, frozen=True):
    """See core.shape.Prompt."""

    name: str
    to: tuple[str, ...]
    every_ms: int = 0


class ShapeOrder(_Message, frozen=True):
    """The whole wish for the call's sound; see core.shape.Shape. Legs that are not placed are left out without a word."""

    talk: tuple[str, ...]
    prompts: tuple[PromptOrder, ...]
    also: tuple[tuple[str, str], ...] = ()  # one way: who is heard, who hears it


class Remove(_Message, frozen=True):
    """The leg is over: stop its sound, close its capture and its copies of the sockets. Followed by `Removed`."""

    leg: str


class SendDigits(_Message, frozen=True):
    """Send these keys as telephone-events (RFC 4733), each for `length_ms`, with `gap_ms` after it. `DigitsGone` follows."""

    leg: str
    digits: str
    length_ms: int
    gap_ms: int


class Close(_Message, frozen=True):
    """The call is over: seal the captures, free everything. Followed by `Closed`; then the worker may end or serve again."""


# ---- switchboard to seat worker -----------------------------------------------------------------------------


class SeatOpen(_Message, frozen=True):
    """The worker shall be this operator's seat, for the whole shift."""

    seat: str
    operator: str


class SeatOffer(_Message, frozen=True):
    """The browser's SDP offer of a new connection, which takes the place of an older. Followed by `SeatAnswer` or `Refused`."""

    number: int
    sdp: str


class SeatConnect(_Message, frozen=True):
    """Carry sound between the browser and this leg, whose RTP socket is at `port` of 127.0.0.1.

    `note` is given back in `Hello`.
    """

    leg: str
    port: int
    note: str = ""


class SeatDisconnect(_Message, frozen=True):
    """The leg is over: the browser hears silence again."""

    leg: str


# ---- worker to switchboard ----------------------------------------------------------------------------------


class Opened(_Message, frozen=True):
    """The engine runs."""

    call: str


class Placed(_Message, frozen=True):
    """The leg's sound runs in both directions."""

    leg: str


class Removed(_Message, frozen=True):
    """The leg is gone, its capture sealed."""

    leg: str


class Refused(_Message, frozen=True):
    """An order could not be carried out; the worker goes on as it was."""

    order: str
    leg: str
    why: str


class Closed(_Message, frozen=True):
    """All captures are sealed; `captures` are their file names in capture_dir."""

    call: str
    captures: tuple[str, ...]


class LegCounts(msgspec.Struct, frozen=True):
    """Since the leg was placed: packets from outside accepted and refused, sent out, and had from the engine."""

    leg: str
    received: int
    refused: int
    sent: int
    from_engine: int
    capture_dropped: int


class Beat(_Message, frozen=True):
    """Every 100 ms. Not numbered. Proves that the engine's packets still flow, not only that a thread lives."""

    at_ns: int
    engine_alive: bool
    legs: tuple[LegCounts, ...]


class Silent(_Message, frozen=True):
    """No accepted packet came from the leg for `for_ms` (first told at 1000 ms)."""

    leg: str
    for_ms: int


class Sounding(_Message, frozen=True):
    """Packets come again, or for the first time."""

    leg: str


class Digit(_Message, frozen=True):
    """One DTMF digit by RFC 4733, reported once per event (at its end packet, or when its timestamp is superseded)."""

    leg: str
    digit: str


class DigitsGone(_Message, frozen=True):
    """Keys that were ordered went out whole; or not, and `why`."""

    leg: str
    digits: str
    why: str = ""


class Learned(_Message, frozen=True):
    """The leg's source is locked to this address from now on, and RTP is sent there."""

    leg: str
    host: str
    port: int


class Strange(_Message, frozen=True):
    """Packets were refused, in plain words: "audio arrives from X, expected Y". At most one a second and leg.

    `foreign`: the last of them for the address that it came from.
    """

    leg: str
    what: str
    count: int
    foreign: bool = False


class Deaf(_Message, frozen=True):
    """What we send does not reach the leg's device, and `why` (again each 10 s while it lasts); empty: it does again.

    `reported`: the device says so, not the network.
    """

    leg: str
    why: str
    reported: bool = False


class CaptureTrouble(_Message, frozen=True):
    """The capture writer fell behind or failed; audio goes on. `cleared` when it caught up again."""

    what: str
    dropped: int
    cleared: bool = False


class PromptMissing(_Message, frozen=True):
    """A prompt has no file, and a tone plays instead; or it is one of several that are said together, and is left out."""

    name: str


# ---- seat worker to switchboard -----------------------------------------------------------------------------


class SeatAnswer(_Message, frozen=True):
    """Our SDP answer to the offer of this number."""

    number: int
    sdp: str


class SeatHeard(_Message, frozen=True):
    """The browser's sound comes (again): the connection is proven inwards, and ours outwards goes the same way."""


class SeatSilent(_Message, frozen=True):
    """No sound came from the browser for `for_ms`; a living page sends silence, not nothing.

    `why`: the connection is over, and how.
    """

    for_ms: int
    why: str = ""


Order = Open | Place | ShapeOrder | Remove | SendDigits | Close | SeatOpen | SeatOffer | SeatConnect | SeatDisconnect
Report = (
    Opened | Placed | Removed | Refused | Closed | Silent | Sounding | Digit | DigitsGone | Learned | Strange | Deaf
    | CaptureTrouble | PromptMissing | SeatAnswer | SeatHeard | SeatSilent
)  # fmt: skip
Message = Hello | Ack | Beat | Order | Report


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """What is on the wire. `number` 0: not numbered (Hello, Ack, Beat)."""

    number: int
    message: Message


_DECODER = msgspec.msgpack.Decoder(Envelope)


def encode(number: int, message: Message) -> bytes:
    """One datagram."""
    return msgspec.msgpack.encode(Envelope(number, message))


def decode(datagram: bytes) -> Envelope:
    """One datagram back. Raises `ValueError` (msgspec's DecodeError or ValidationError) on anything else."""
    return _DECODER.decode(datagram)
