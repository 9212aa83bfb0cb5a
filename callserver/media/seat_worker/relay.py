"""The RTP of a seat without sockets: a browser's packets made into a leg's, and a leg's (or silence) into the browser's. Pure.

Both lines go on over everything: a page that was loaded anew, another leg, a call worker that was replaced. The browser is never
left without packets: silence comes where there is no leg, less often while nobody talks, always with the time that has passed in
its timestamps. A decoder whose stream stood still takes half a second to believe that sound is back.
"""

import struct
from typing import Final

from callserver.media.protocol import Codec, Continuity
from callserver.media.rtp import MS, Line, parse
from callserver.media.seat_worker.sdp import CODEC, PAYLOAD_TYPE

PTIME_MS = 20
PACKET_BYTES = 160  # 20 ms of G.722 at 64 kbit/s
SILENCE: Final = b"\xff" * PACKET_BYTES  # decodes to less than 4 of 32,767
SILENT_NS = 1_000 * MS  # a living browser sends fifty packets a second
RELAYED_LATELY_NS = 50 * MS  # for so long after a leg's packet no silence goes between

_HEADER = struct.Struct("!BBHII")
_CODEC = Codec(CODEC, PAYLOAD_TYPE, PTIME_MS)
_NEVER = -(1 << 62)


class Inwards:
    """From the browser to the leg. Losses show in the numbers; another stream of the browser goes on in ours."""

    def __init__(self, continuity: Continuity) -> None:
        self._line = Line(continuity)
        self._ssrc: int | None = None
        self.received = self.refused = 0

    def packet(self, datagram: bytes, now_ns: int) -> bytes | None:
        """The packet for the leg; None for what is no G.722 of 10 to 60 ms."""
        try:
            packet = parse(datagram)
        except ValueError:
            packet = None
        if packet is None or packet.payload_type != PAYLOAD_TYPE or not 80 <= len(packet.payload) <= 480:
            self.refused += 1
            return None
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._line.restart()
        self.received += 1
        marker = 0x80 if packet.marker else 0
        plain = _HEADER.pack(0x80, marker | PAYLOAD_TYPE, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload
        return self._line.rewrite(plain, _CODEC, now_ns)


class Outwards:
    """From the leg to the browser, with silence in between."""

    def __init__(self, continuity: Continuity) -> None:
        self._line = Line(continuity)
        self._ssrc: int | None = None  # of the leg's stream; None while silence is sent
        self._relayed_ns = _NEVER
        self.sent = 0

    def relay(self, datagram: bytes, now_ns: int) -> bytes | None:
        """A leg's packet for the browser; None for what is none."""
        try:
            packet = parse(datagram)
        except ValueError:
            return None
        if packet.payload_type != PAYLOAD_TYPE or not 80 <= len(packet.payload) <= 480:
            return None
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._line.restart()
        self._relayed_ns = now_ns
        self.sent += 1
        plain = _HEADER.pack(0x80, PAYLOAD_TYPE, packet.sequence, packet.timestamp, packet.ssrc) + packet.payload
        return self._line.rewrite(plain, _CODEC, now_ns)

    def silence(self, now_ns: int) -> bytes | None:
        """A packet of silence whose place is now; None where a leg's sound flows."""
        if now_ns - self._relayed_ns < RELAYED_LATELY_NS:
            return None
        self._ssrc = None
        self._line.restart()
        self.sent += 1
        return self._line.rewrite(_HEADER.pack(0x80, PAYLOAD_TYPE, 0, 0, 0) + SILENCE, _CODEC, now_ns)


class Hearing:
    """Whether the browser is heard: told when it begins, and when it has been silent for SILENT_NS."""

    def __init__(self) -> None:
        self.heard = False
        self._last_ns = 0

    def packet(self, now_ns: int) -> bool:
        """A packet came; True when that is news."""
        self._last_ns = now_ns
        news, self.heard = not self.heard, True
        return news

    def silent_ms(self, now_ns: int) -> int:
        """For how long it is silent, when that has become news now; else 0."""
        if not self.heard or now_ns - self._last_ns < SILENT_NS:
            return 0
        self.heard = False
        return (now_ns - self._last_ns) // MS

    def lost(self) -> bool:
        """The connection is over; True when the browser was heard until now."""
        was, self.heard = self.heard, False
        return was
