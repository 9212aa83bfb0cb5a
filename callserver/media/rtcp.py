"""The RTCP that we write (RFC 3550 section 6): a compound of sender or receiver report and CNAME. Pure."""

import struct

from callserver.media.rtp import Gate, Line

_SENDER = struct.Struct("!BBHIQIII")
_RECEIVER = struct.Struct("!BBHI")
_BLOCK = struct.Struct("!IIIIII")
_NTP_FROM_UNIX_S = 2_208_988_800
SR, RR, SDES, CNAME = 200, 201, 202, 1


def compound(line: Line, gate: Gate, utc_ns: int) -> bytes:
    """One report: SR when we have sent, else RR; a block on the leg's source when it has one; SDES with CNAME."""
    ssrc = line.continuity.ssrc
    block = _block(gate) if gate.ssrc is not None else b""
    count = 0x80 | (1 if block else 0)
    if line.sent:
        words = (_SENDER.size + len(block)) // 4 - 1
        octets = line.octets & 0xFFFFFFFF
        report = _SENDER.pack(count, SR, words, ssrc, _ntp(utc_ns), line.timestamp, line.sent & 0xFFFFFFFF, octets)
    else:
        report = _RECEIVER.pack(count, RR, (_RECEIVER.size + len(block)) // 4 - 1, ssrc)
    return report + block + _sdes(ssrc)


def _ntp(utc_ns: int) -> int:
    seconds, rest = divmod(utc_ns, 1_000_000_000)
    return ((seconds + _NTP_FROM_UNIX_S) & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def _block(gate: Gate) -> bytes:
    """A.3: expected less counted, since the last report and in all. Jitter and LSR are not told (0)."""
    assert gate.ssrc is not None
    highest = gate.cycles + gate.max_sequence
    expected = highest - gate.base_sequence + 1
    lost = max(-0x800000, min(0x7FFFFF, expected - gate.counted))
    step, had = expected - gate.expected_before, gate.counted - gate.counted_before
    gate.expected_before, gate.counted_before = expected, gate.counted
    fraction = 0 if step <= 0 or had >= step else ((step - had) << 8) // step
    return _BLOCK.pack(gate.ssrc, min(fraction, 255) << 24 | lost & 0xFFFFFF, highest & 0xFFFFFFFF, 0, 0, 0)


def _sdes(ssrc: int) -> bytes:
    name = f"{ssrc:08x}@callserver".encode()
    chunk = struct.pack("!IBB", ssrc, CNAME, len(name)) + name
    chunk += bytes(4 - len(chunk) % 4)
    return struct.pack("!BBH", 0x81, SDES, len(chunk) // 4) + chunk
