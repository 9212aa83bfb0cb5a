"""The RTCP that we write, read back by its octets (RFC 3550 6.4)."""

import struct

from callserver.media import rtcp
from callserver.media.protocol import Codec, Continuity
from callserver.media.rtp import Gate, Line

PCMU = Codec("PCMU", 0)
DEVICE = ("192.0.2.10", 4_000)


def packet(sequence: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, 160, 77) + bytes(160)


def parts(compound: bytes) -> list[tuple[int, bytes]]:
    """Type and octets of each packet; the lengths must add up."""
    found = []
    while compound:
        flags, kind, words = struct.unpack_from("!BBH", compound)
        assert flags >> 6 == 2
        size = 4 * (words + 1)
        assert len(compound) >= size
        found.append((kind, compound[:size]))
        compound = compound[size:]
    return found


def test_nothing_sent_or_heard_is_an_empty_receiver_report_with_a_name() -> None:
    found = parts(rtcp.compound(Line(Continuity(9, 0, 0, 0)), Gate(PCMU, "sdp", DEVICE, "", 0), 0))
    assert [(kind, octets[0] & 0x1F) for kind, octets in found] == [(rtcp.RR, 0), (rtcp.SDES, 1)]
    assert b"00000009@callserver" in found[1][1]
    assert found[1][1].endswith(b"\0"), "a chunk ends with at least one null octet"


def test_sender_report_tells_time_counts_and_loss_since_the_last_report() -> None:
    line, gate = Line(Continuity(9, 0, 1_000, 0)), Gate(PCMU, "sdp", DEVICE, "", 0)
    line.rewrite(packet(1), PCMU, 0)
    for sequence in (65_534, 65_535, 1, 2):  # 0 is lost
        gate.judge(packet(sequence), DEVICE, 0)
    (kind, octets), _ = parts(rtcp.compound(line, gate, 1_500_000_000))
    _, _, _, ssrc, ntp, stamp, packets, sent = struct.unpack_from("!BBHIQIII", octets)
    assert (kind, ssrc, stamp, packets, sent) == (rtcp.SR, 9, 1_160, 1, 160)
    assert ntp == (2_208_988_801 << 32) + (1 << 31)
    heard, loss, highest = struct.unpack_from("!III", octets, 28)
    assert (heard, loss >> 24, loss & 0xFFFFFF, highest) == (77, 256 // 5, 1, 0x10002)
    (_, again), _ = parts(rtcp.compound(line, gate, 1_500_000_000))
    assert struct.unpack_from("!I", again, 32)[0] == 1, "none lost since, one in all"
