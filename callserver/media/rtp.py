"""RTP without sockets: reading a packet, telling a leg's own packets from others, and the line that we send.

`Gate` holds the rules of one leg's receiving side: shape (version, payload type, size), source address, SSRC and sequence
(RFC 3550 A.1). It decides for each packet, with the time given, and says in plain words why it refuses. `Line` is the
sending side: what pjsua2 makes is renumbered to the leg's `Continuity`, so that a successor's packets go on where its
predecessor's ended. RTCP is in `callserver.media.rtcp`, telephone-events in `callserver.media.dtmf`.
"""

import enum
import struct
from dataclasses import dataclass
from typing import NamedTuple

from callserver.media.protocol import Codec, Continuity

MS = 1_000_000
SECOND = 1_000 * MS

LEARN_WINDOW_NS = 2 * SECOND  # from the first Place: how long the first packet's address is taken at once
PROBATION_PACKETS = 25  # later an unknown address must keep on for so long
PROBATION_NS = SECOND // 2
MAX_DROPOUT = 3_000  # RFC 3550 A.1
MAX_MISORDER = 100
BYTES_PER_MS = 8  # G.711 and G.722 alike: 64 kbit/s
MIN_AUDIO_BYTES = 10 * BYTES_PER_MS
MAX_AUDIO_BYTES = 120 * BYTES_PER_MS

_HEADER = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
_RTCP_TYPES = range(192, 224)  # RFC 5761 section 4: the second octet of RTCP


class Packet(NamedTuple):
    """An RTP packet's fields; `payload` is without CSRCs, extension and padding."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def is_rtcp(datagram: bytes) -> bool:
    """Whether a datagram of the RTP port is RTCP, multiplexed (RFC 5761 section 4)."""
    return len(datagram) >= 2 and datagram[0] >> 6 == 2 and datagram[1] in _RTCP_TYPES


def parse(datagram: bytes) -> Packet:
    """Read an RTP packet (RFC 3550 section 5.1). `ValueError` in plain words when it is none."""
    if len(datagram) < 12:
        raise ValueError("packet shorter than an RTP header")
    flags, marker_type, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if flags >> 6 != 2:
        raise ValueError("not RTP version 2")
    start = 12 + 4 * (flags & 0x0F)
    if flags & 0x10:
        if len(datagram) < start + 4:
            raise ValueError("header extension beyond the packet's end")
        start += 4 + 4 * _EXTENSION.unpack_from(datagram, start)[1]
    end = len(datagram)
    if flags & 0x20:
        end -= datagram[-1]
        if not datagram[-1]:
            raise ValueError("padding of length zero")
    if start > end:
        raise ValueError("header or padding beyond the packet's end")
    return Packet(marker_type & 0x7F, marker_type >= 0x80, sequence, timestamp, ssrc, datagram[start:end])


class Kind(enum.Enum):
    """What a leg's datagram is."""

    AUDIO = "audio"
    DTMF = "dtmf"
    RTCP = "rtcp"
    REFUSED = "refused"


class Verdict(NamedTuple):
    """`packet` with AUDIO and DTMF, `why` with REFUSED (`foreign`: its source); `learned` when this packet settled the source."""

    kind: Kind
    packet: Packet | None = None
    why: str = ""
    learned: bool = False
    foreign: bool = False


@dataclass(slots=True)
class _Probation:
    """An unknown address that may become the leg's, when it keeps on."""

    address: tuple[str, int]
    since_ns: int
    packets: int = 0


class Gate:
    """The receiving side of one leg. `source` is the address that packets must have, None while it is not settled.

    Rules: `sdp`: the remote address and nothing else. `sdp-host`: the remote or the SIP source's host, any port.
    `learn-once`: any. With the latter two the first well-shaped packet within 2 s of placing settles the address, and a
    packet from exactly the remote address still displaces another one within 2 s after that; then it is locked. Who
    first speaks later has to keep on for half a second, so that a burst does not take the leg over.
    """

    def __init__(self, codec: Codec, rule: str, remote: tuple[str, int], source_host: str, now_ns: int) -> None:
        self.codec, self.rule = codec, rule
        self.placed_ns = now_ns
        self.ssrc: int | None = None
        self.received = self.refused = 0
        self._point_at(remote, source_host, now_ns)
        self._begin(0)

    def update(self, codec: Codec, rule: str, remote: tuple[str, int], source_host: str, now_ns: int) -> None:
        """A new answer. Another remote address opens the source again; the same one leaves the lock as it is."""
        self.codec = codec
        if (rule, remote, source_host) != (self.rule, self.remote, self.source_host):
            self.rule = rule
            self._point_at(remote, source_host, now_ns)

    def _point_at(self, remote: tuple[str, int], source_host: str, now_ns: int) -> None:
        self.remote, self.source_host = remote, source_host
        self.source: tuple[str, int] | None = remote if self.rule == "sdp" else None
        self._as_named = False  # a device that receives elsewhere than it sends from, which RFC 4961 advises against
        self._opened_ns, self._settled_ns = now_ns, now_ns
        self._probation: _Probation | None = None

    @property
    def target(self) -> tuple[str, int]:
        """Where our RTP goes: to the settled source, else (or where that did not hear us) to the address of the SDP."""
        return self.remote if self.source is None or self._as_named else self.source

    def turn_target(self) -> bool:
        """Nobody listens there: the other of its two addresses is tried. False where it has only one."""
        if self.other is not None:
            self._as_named = not self._as_named
            return True
        return False

    @property
    def other(self) -> tuple[str, int] | None:
        """The address that our RTP does not go to, where the device speaks from one and named another."""
        if self.source is None or self.source == self.remote or not self.remote[1] or self.remote[0] in ("", "0.0.0.0"):
            return None
        return self.source if self._as_named else self.remote

    def judge(self, datagram: bytes, address: tuple[str, int], arrived_ns: int) -> Verdict:
        """One datagram that came to the leg's RTP socket at `arrived_ns`."""
        if is_rtcp(datagram):
            return Verdict(Kind.RTCP)
        try:
            packet = parse(datagram)
        except ValueError as fault:
            return self._refuse(str(fault))
        kind, why = self._shape(packet)
        if kind is Kind.REFUSED:
            return self._refuse(why)
        before = self.source
        if why := self._strange(address, arrived_ns):
            return self._refuse(why, foreign=True)
        settled = self.source != before
        if why := self._out_of_line(packet, settled):
            return self._refuse(why)
        self.received += 1
        return Verdict(kind, packet, learned=settled)

    def _refuse(self, why: str, foreign: bool = False) -> Verdict:
        self.refused += 1
        return Verdict(Kind.REFUSED, why=why, foreign=foreign)

    def _shape(self, packet: Packet) -> tuple[Kind, str]:
        if packet.payload_type == self.codec.payload_type:
            if not MIN_AUDIO_BYTES <= len(packet.payload) <= MAX_AUDIO_BYTES:
                return Kind.REFUSED, f"{len(packet.payload)} bytes of {self.codec.name} in a packet, not 10 to 120 ms"
            return Kind.AUDIO, ""
        if packet.payload_type == self.codec.dtmf_payload_type:
            return (Kind.DTMF, "") if len(packet.payload) >= 4 else (Kind.REFUSED, "telephone-event shorter than 4 bytes")
        agreed = f"{self.codec.payload_type} ({self.codec.name})"
        return Kind.REFUSED, f"payload type {packet.payload_type} arrives, agreed is {agreed}"

    def _strange(self, address: tuple[str, int], now_ns: int) -> str:
        """Why this source is not the leg's, "" when it is; settles it where the rule allows."""
        if address == self.source:
            return ""
        why = f"audio arrives from {address[0]}:{address[1]}, expected {self._expected()}"
        if self.rule == "sdp" or (self.rule == "sdp-host" and address[0] not in (self.remote[0], self.source_host)):
            return why
        if self.source is not None:
            if address == self.remote and now_ns - self._settled_ns < LEARN_WINDOW_NS:
                self._settle(address, now_ns)
                return ""
            return why
        in_time = now_ns - self._opened_ns < LEARN_WINDOW_NS
        if address == self.remote or in_time or self._kept_on(address, now_ns):
            self._settle(address, now_ns)
            return ""
        return why

    def _settle(self, address: tuple[str, int], now_ns: int) -> None:
        self.source, self._settled_ns, self._probation = address, now_ns, None

    def _kept_on(self, address: tuple[str, int], now_ns: int) -> bool:
        if self._probation is None or self._probation.address != address or now_ns - self._probation.since_ns > 2 * SECOND:
            self._probation = _Probation(address, now_ns)
        self._probation.packets += 1
        return self._probation.packets >= PROBATION_PACKETS and now_ns - self._probation.since_ns >= PROBATION_NS

    def _expected(self) -> str:
        host, port = self.target
        if self.source is None and self.rule == "sdp-host":
            return f"{host} or {self.source_host}" if self.source_host not in ("", host) else host
        return f"{host}:{port}"

    # ---- SSRC and sequence (RFC 3550 A.1), and what a receiver report tells (A.3) --------------------------------

    def _begin(self, sequence: int) -> None:
        self.max_sequence = self.base_sequence = sequence
        self.cycles = 0
        self.expected_before = self.counted = self.counted_before = 0
        self._bad_sequence = -1

    def _out_of_line(self, packet: Packet, settled: bool) -> str:
        """A.1 without probation: the source address is the proof. A new SSRC from the rightful source begins anew."""
        if packet.ssrc != self.ssrc or settled:
            self.ssrc = packet.ssrc
            self._begin(packet.sequence)
        step = (packet.sequence - self.max_sequence) & 0xFFFF
        if step < MAX_DROPOUT:
            if packet.sequence < self.max_sequence:
                self.cycles += 0x10000
            self.max_sequence = packet.sequence
        elif step <= 0x10000 - MAX_MISORDER:
            if packet.sequence != self._bad_sequence:
                self._bad_sequence = (packet.sequence + 1) & 0xFFFF
                return "sequence number far from the line's"
            self._begin(packet.sequence)
        self.counted += 1
        return ""


class Line:
    """The sending side of one leg: pjsua2's packets under the leg's SSRC, sequence and timestamps (see `Continuity`)."""

    def __init__(self, continuity: Continuity) -> None:
        self.continuity = continuity
        self.sent = self.octets = 0
        self.timestamp = continuity.first_timestamp
        self._sequence: int | None = None
        self._offsets: tuple[int, int] | None = None

    @property
    def sequence(self) -> int:
        """Of the last packet; before the first, that of the line's beginning."""
        return self.continuity.first_seq if self._sequence is None else self._sequence

    def restart(self) -> None:
        """The next packet comes from a new inner leg: its numbers are unrelated to those before."""
        self._offsets = None

    def rewrite(self, datagram: bytes, codec: Codec, now_ns: int) -> bytes:
        """The packet as it goes out. The first of an inner leg takes its place by the clock and is marked as a talk spurt."""
        flags, marker_type, sequence, timestamp, _ = _HEADER.unpack_from(datagram)
        marker = marker_type & 0x80
        if self._offsets is None:
            self._offsets = self._place(codec, now_ns, sequence, timestamp)
            marker = 0x80
        sequence = (sequence + self._offsets[0]) & 0xFFFF
        timestamp = (timestamp + self._offsets[1]) & 0xFFFFFFFF
        self._sequence, self.timestamp = sequence, timestamp
        self.sent += 1
        self.octets += len(datagram) - 12
        return _HEADER.pack(flags, marker | codec.payload_type, sequence, timestamp, self.continuity.ssrc) + datagram[12:]

    def as_event(self, packet: bytes, payload_type: int, event: tuple[bytes, int, bool]) -> bytes:
        """An event's payload, timestamp and marker in the place of a packet just made by `rewrite` (RFC 4733 section 2.5.1)."""
        payload, timestamp, marker = event
        self.octets += len(payload) + 12 - len(packet)
        _, _, sequence, _, ssrc = _HEADER.unpack_from(packet)
        return _HEADER.pack(0x80, (0x80 if marker else 0) | payload_type, sequence, timestamp, ssrc) + payload

    def _place(self, codec: Codec, now_ns: int, sequence: int, timestamp: int) -> tuple[int, int]:
        steps = max(0, now_ns - self.continuity.started_ns) // (codec.ptime_ms * MS) + 1
        at_sequence = self.continuity.first_seq + steps
        at_timestamp = self.continuity.first_timestamp + steps * codec.ptime_ms * codec.clock_hz // 1_000
        if self._sequence is not None:
            ahead = (self._sequence + 1 - at_sequence) & 0xFFFF
            if ahead < MAX_DROPOUT:  # this worker's own clock ran before: never back
                at_sequence += ahead
                at_timestamp += ahead * codec.ptime_ms * codec.clock_hz // 1_000
        return at_sequence - sequence, at_timestamp - timestamp
