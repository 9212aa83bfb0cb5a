"""An outer leg as the edge holds it: its phases, what is stored of it, and nothing that does anything.

    inbound:   PRESSED -> RINGING -> ANSWERING -> UP -> ENDING -> OVER
    outbound:  DIALLING -> ALERTING -> UP -> ENDING -> OVER         (ENDING from each of them: CANCEL or BYE is under way)

`ANSWERING` lasts from the order to answer until the ACK. An `OVER` leg lingers for 32 s, so that a BYE that crosses ours gets
its 200 and the ACK of a late 200 finds a dialog. The whole struct is the stored blob, so a field added later needs a default.
Change together: `_MOVES`, `restore.py`.
"""

from enum import Enum

import msgspec

from callserver.sip.flow import Flow
from callserver.sip.interface import LegRecord, LocalMedia, RemoteMedia
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.session_timer import Timer


class Phase(Enum):
    """Where a leg is."""

    PRESSED = "pressed"
    RINGING = "ringing"
    ANSWERING = "answering"
    DIALLING = "dialling"
    ALERTING = "alerting"
    UP = "up"
    ENDING = "ending"
    OVER = "over"


_MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.PRESSED: frozenset({Phase.RINGING, Phase.OVER}),
    Phase.RINGING: frozenset({Phase.ANSWERING, Phase.OVER}),
    Phase.ANSWERING: frozenset({Phase.UP, Phase.ENDING, Phase.OVER}),
    Phase.DIALLING: frozenset({Phase.ALERTING, Phase.UP, Phase.ENDING, Phase.OVER}),
    Phase.ALERTING: frozenset({Phase.UP, Phase.ENDING, Phase.OVER}),
    Phase.UP: frozenset({Phase.ENDING, Phase.OVER}),
    Phase.ENDING: frozenset({Phase.OVER}),
    Phase.OVER: frozenset(),
}


class Early(msgspec.Struct):
    """A dialog that a provisional response to a fork made (RFC 3261 12.1); of two devices behind a proxy each has its own."""

    dialog: Dialog
    rseq: int = 0  # of the last reliable response that came (RFC 3262), 0: none did
    prack: bytes = b""  # what acknowledged it
    remote: RemoteMedia | None = None  # what its SDP agreed to
    sdp: bytes = b""  # our answer to its UPDATE


class Fork(msgspec.Struct):
    """One INVITE of an outbound leg. `invite` is the one sent last (a trunk's challenge makes a second)."""

    invite: bytes
    flow: Flow
    sent: bool = False
    heard: bool = False  # a provisional came: CANCEL may go, the INVITE needs no resending
    cancel_wanted: bool = False
    cancelled: bool = False  # CANCEL went out
    over: bool = False  # a final answer, or nothing, came
    status: int = 0
    challenged: int = 0
    reason: str = ""  # of the Reason header of its CANCEL
    lengthened: int = 0  # how often a 422 made us ask for a longer time between refreshes
    early: list[Early] = []


class Leg(msgspec.Struct):
    """See the module. Times in nanoseconds of the edge's clock."""

    id: str
    inbound: bool
    phase: Phase
    user: str
    dialog: Dialog | None = None
    flow: Flow | None = None  # where our requests go
    heard: Flow | None = None  # inbound: where the last request came from; our responses go back there
    invite: bytes = b""  # inbound: the INVITE that opened it, stamped
    tag: str = ""  # inbound: our To tag
    code: str = ""  # inbound: the service code dialled, "" for a press
    offer: bytes = b""  # inbound: the SDP of the INVITE as received
    last_response: bytes = b""  # inbound: what the INVITE was answered last, a 2xx until its ACK
    local: LocalMedia | None = None
    remote: RemoteMedia | None = None
    sdp_id: int = 0
    sdp_version: int = 0
    sdp: bytes = b""  # ours as sent last
    codecs: tuple[str, ...] = ()
    forks: list[Fork] = []
    rang: bool = False
    trunk: str = ""
    reason: str = ""  # why we end it
    was_up: bool = False
    told: bool = False  # `ended` was told
    awaits_answer: bool = False  # our 2xx held an offer; the ACK holds the answer
    answered_ns: int = 0
    over_ns: int = 0
    timer: Timer | None = None  # RFC 4028
    least_s: int = 0  # the Min-SE that its device wrote into a 422
    updates: bool = False  # its device takes UPDATE
    reliable: bool = False  # inbound: its device wants provisional responses that it acknowledges (RFC 3262)
    rseq: int = 0  # of the last of those that we sent
    unacknowledged: list[int] = []  # those of them without a PRACK

    def move(self, phase: Phase) -> None:
        """The one door. An illegal move is our own mistake."""
        assert phase in _MOVES[self.phase], f"{self.id}: {self.phase.value} -> {phase.value}"
        self.phase = phase
        self.was_up = self.was_up or phase is Phase.UP

    @property
    def alive(self) -> bool:
        """Neither over nor about to be."""
        return self.phase not in (Phase.ENDING, Phase.OVER)

    def record(self) -> LegRecord:
        """As it is stored."""
        up = self.phase in (Phase.ANSWERING, Phase.UP)
        return LegRecord(self.id, up, self.local, self.remote, _ENCODER.encode(self))


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Leg)


def decode_leg(record: LegRecord) -> Leg:
    """The leg of a stored record. Raises `ValueError` on a blob that is none."""
    return _DECODER.decode(record.blob)
