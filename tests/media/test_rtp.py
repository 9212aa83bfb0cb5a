"""A leg's gate and line, packet by packet, with time given."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.media.protocol import Codec, Continuity
from callserver.media.rtp import MS, PROBATION_PACKETS, SECOND, Gate, Kind, Line, is_rtcp, parse

PCMU = Codec("PCMU", 0, dtmf_payload_type=101)
DEVICE, STRANGER = ("192.0.2.10", 4_000), ("192.0.2.66", 4_000)


def packet(sequence: int = 1, ssrc: int = 7, kind: int = 0, size: int = 160, timestamp: int = 0, marker: bool = False) -> bytes:
    """A plain RTP packet."""
    return struct.pack("!BBHII", 0x80, kind | marker << 7, sequence & 0xFFFF, timestamp, ssrc) + bytes(size)


def gate(rule: str = "sdp-host", source_host: str = "") -> Gate:
    return Gate(PCMU, rule, DEVICE, source_host, 0)


def test_reads_csrcs_extension_and_padding() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 0x80, 9, 160, 5)
    found = parse(head + bytes(8) + struct.pack("!HHI", 0xBEDE, 1, 0) + b"sound" + b"\0\0\3")
    assert (found.payload_type, found.marker, found.sequence, found.timestamp, found.ssrc) == (0, True, 9, 160, 5)
    assert found.payload == b"sound"


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (b"", "shorter"),
        (bytes(12), "version 2"),
        (b"\x8f" + bytes(11), "beyond"),
        (b"\x90" + bytes(11), "extension"),
        (b"\x90" + bytes(13) + b"\xff\xff", "beyond"),
        (b"\xa0" + bytes(12), "padding of length zero"),
        (b"\xa0" + bytes(11) + b"\x20", "beyond"),
    ],
)
def test_broken_packets_are_refused_in_plain_words(datagram: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(datagram)


@given(st.binary(max_size=200))
def test_any_datagram_is_read_or_refused_by_one_error(datagram: bytes) -> None:
    try:
        found = parse(datagram)
    except ValueError:
        return
    assert len(found.payload) <= len(datagram) - 12


@given(st.lists(st.tuples(st.binary(max_size=40), st.sampled_from([DEVICE, STRANGER])), max_size=30))
def test_gate_meets_no_other_error_and_counts_each_datagram(datagrams: list[tuple[bytes, tuple[str, int]]]) -> None:
    there = gate()
    for at, (tail, address) in enumerate(datagrams):
        there.judge(b"\x80" + tail, address, at * MS)
    rtcp = sum(is_rtcp(b"\x80" + tail) for tail, _ in datagrams)
    assert there.received + there.refused + rtcp == len(datagrams)


@pytest.mark.parametrize(
    ("datagram", "why"),
    [
        (packet(kind=8), "payload type 8 arrives, agreed is 0 (PCMU)"),
        (packet(size=79), "79 bytes of PCMU in a packet, not 10 to 120 ms"),
        (packet(size=961), "961 bytes of PCMU in a packet, not 10 to 120 ms"),
        (packet(kind=101, size=3), "telephone-event shorter than 4 bytes"),
    ],
)
def test_shape_must_be_what_was_agreed(datagram: bytes, why: str) -> None:
    there = gate()
    assert (Kind.REFUSED, why) == (there.judge(datagram, DEVICE, 0).kind, there.judge(datagram, DEVICE, 0).why)
    assert (there.received, there.refused) == (0, 2)
    assert there.source is None, "what is badly shaped settles nothing"


def test_kinds_are_told_apart() -> None:
    there = gate()
    assert there.judge(packet(1), DEVICE, 0).kind is Kind.AUDIO
    assert there.judge(packet(2, kind=101, size=4), DEVICE, 0).kind is Kind.DTMF
    assert there.judge(b"\x80\xc8" + bytes(26), STRANGER, 0).kind is Kind.RTCP


def test_rule_sdp_takes_the_address_of_the_sdp_only() -> None:
    there = gate("sdp", source_host=STRANGER[0])
    refused = there.judge(packet(), STRANGER, 0)
    assert refused.why == "audio arrives from 192.0.2.66:4000, expected 192.0.2.10:4000"
    assert there.judge(packet(), (DEVICE[0], 4_002), 0).kind is Kind.REFUSED
    assert there.judge(packet(), DEVICE, 0).kind is Kind.AUDIO


def test_rule_sdp_host_takes_the_first_port_of_either_host_and_locks_it() -> None:
    """A device with two interfaces sends from the SIP source's address, not from its SDP's."""
    there = gate("sdp-host", source_host="192.0.2.11")
    assert there.judge(packet(), STRANGER, 0).why.endswith("expected 192.0.2.10 or 192.0.2.11")
    learned = there.judge(packet(), ("192.0.2.11", 5_555), 10 * MS)
    assert (learned.kind, learned.learned, there.target) == (Kind.AUDIO, True, ("192.0.2.11", 5_555))
    assert there.judge(packet(2), ("192.0.2.11", 5_557), 20 * MS).kind is Kind.REFUSED
    assert not there.judge(packet(2), ("192.0.2.11", 5_555), 20 * MS).learned


def test_rule_learn_once_takes_whoever_speaks_first() -> None:
    there = gate("learn-once")
    assert there.judge(packet(), STRANGER, 0).learned
    assert there.target == STRANGER
    assert there.judge(packet(), ("198.51.100.1", 1), 3 * SECOND).kind is Kind.REFUSED


def test_the_exact_address_displaces_a_learned_one_within_two_seconds_only() -> None:
    for at, kind in ((1_900 * MS, Kind.AUDIO), (2_100 * MS, Kind.REFUSED)):
        there = gate()
        there.judge(packet(), (DEVICE[0], 9_999), 0)
        assert there.judge(packet(500, ssrc=8), DEVICE, at).kind is kind


def test_who_first_speaks_late_from_elsewhere_must_keep_on() -> None:
    """A burst does not take over a leg that is silent; a device that is slow to start is heard."""
    there, late, other = gate(), 10 * SECOND, (DEVICE[0], 9_999)
    kinds = {there.judge(packet(n), other, late + n).kind for n in range(100)}
    assert kinds == {Kind.REFUSED}
    there = gate()
    kinds_in_order = [there.judge(packet(n), other, late + n * 20 * MS).kind for n in range(PROBATION_PACKETS + 2)]
    assert kinds_in_order[:PROBATION_PACKETS] == [Kind.REFUSED] * PROBATION_PACKETS
    assert kinds_in_order[-1] is Kind.AUDIO
    assert gate().judge(packet(), DEVICE, late).kind is Kind.AUDIO, "the address of the SDP at any time"


def test_a_new_remote_opens_the_source_again_and_the_same_one_does_not() -> None:
    there = gate()
    there.judge(packet(), (DEVICE[0], 9_999), 0)
    there.update(PCMU, "sdp-host", DEVICE, "", SECOND)
    assert there.target == (DEVICE[0], 9_999)
    there.update(PCMU, "sdp-host", ("192.0.2.20", 6_000), "", SECOND)
    assert there.target == ("192.0.2.20", 6_000)
    assert there.judge(packet(), (DEVICE[0], 9_999), SECOND).kind is Kind.REFUSED
    assert there.judge(packet(), ("192.0.2.20", 6_002), SECOND).learned


def test_sequence_window_is_that_of_rfc_3550() -> None:
    there = gate("sdp")
    assert there.judge(packet(65_534), DEVICE, 0).kind is Kind.AUDIO
    for sequence in (65_535, 0, 1, 0, 65_535, 3):
        assert there.judge(packet(sequence), DEVICE, 0).kind is Kind.AUDIO
    assert there.cycles == 0x10000
    far = there.judge(packet(30_000), DEVICE, 0)
    assert (far.kind, far.why) == (Kind.REFUSED, "sequence number far from the line's")
    assert there.judge(packet(4), DEVICE, 0).kind is Kind.AUDIO
    there.judge(packet(30_000), DEVICE, 0)
    assert there.judge(packet(30_001), DEVICE, 0).kind is Kind.AUDIO, "two in a row: the other side began anew"


def test_rightful_source_may_begin_a_new_ssrc() -> None:
    there = gate("sdp")
    there.judge(packet(10, ssrc=1), DEVICE, 0)
    assert there.judge(packet(40_000, ssrc=2), DEVICE, 0).kind is Kind.AUDIO
    assert there.ssrc == 2


# ---- the line that we send ----------------------------------------------------------------------------------


def fields(datagram: bytes) -> tuple[int, bool, int, int, int]:
    found = parse(datagram)
    return found.payload_type, found.marker, found.sequence, found.timestamp, found.ssrc


def test_first_packet_takes_its_place_by_the_clock_and_the_next_follow() -> None:
    line = Line(Continuity(ssrc=99, first_seq=65_530, first_timestamp=0xFFFFFF00, started_ns=5 * SECOND))
    codec = Codec("PCMU", 107)
    now = 5 * SECOND + 199 * MS
    assert fields(line.rewrite(packet(777, timestamp=5), codec, now)) == (
        107,
        True,
        65_540 & 0xFFFF,
        (0xFFFFFF00 + 1_600) & 0xFFFFFFFF,
        99,
    )
    assert fields(line.rewrite(packet(778, timestamp=165), codec, now)) == (107, False, 5, (0xFFFFFF00 + 1_760) & 0xFFFFFFFF, 99)
    assert line.sent == 2


@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(1, 20_000),
    st.integers(30, 3_000),
    st.sampled_from([10, 20, 30]),
)
def test_a_successor_never_goes_back_and_time_goes_with_the_sequence(
    seq: int, stamp: int, before: int, away_ms: int, ptime: int
) -> None:
    """Whatever the first numbers, however long the predecessor worked and however long nobody did."""
    start = Continuity(1, seq, stamp, 1_000)
    codec = Codec("PCMU", 0, ptime_ms=ptime)
    old, new = Line(start), Line(start)
    now = 1_000
    for n in range(2):
        last = fields(old.rewrite(packet(before + n, timestamp=(before + n) * ptime * 8), codec, now + (before + n) * ptime * MS))
    after = fields(new.rewrite(packet(3, timestamp=70), codec, now + (before + 1) * ptime * MS + max(away_ms, ptime) * MS))
    steps = (after[2] - last[2]) & 0xFFFF
    assert 1 <= steps <= away_ms // ptime + 1
    assert (after[3] - last[3]) & 0xFFFFFFFF == steps * ptime * 8


def test_a_new_inner_leg_of_the_same_worker_never_goes_back() -> None:
    line = Line(Continuity(1, 0, 0, 0))
    ahead = [fields(line.rewrite(packet(n, timestamp=n * 160), PCMU, 0))[2] for n in range(5)]
    line.restart()
    assert ahead == [1, 2, 3, 4, 5]
    found = fields(line.rewrite(packet(40_000, timestamp=1), PCMU, 30 * MS))
    assert found[1:4] == (True, 6, 6 * 160)


def test_a_device_that_hears_elsewhere_than_it_speaks_is_tried_at_both_addresses() -> None:
    """What we take stays its source's alone; another answer begins with the rule again."""
    speaks = ("192.0.2.10", 9_000)
    one = gate()
    assert one.turn_target() is False, "there is one address only"
    assert one.judge(packet(), speaks, 0).learned
    assert one.target == speaks
    assert one.turn_target() and one.target == DEVICE
    assert one.judge(packet(2), speaks, 0).kind is Kind.AUDIO
    assert one.turn_target() and one.target == speaks
    one.turn_target()
    one.update(PCMU, "sdp-host", ("192.0.2.10", 5_000), "", 0)
    assert one.judge(packet(3), speaks, 0).learned and one.target == speaks


def test_only_refusals_for_the_source_are_said_to_be_foreign() -> None:
    one = gate("sdp")
    assert one.judge(packet(), STRANGER, 0).foreign
    assert not one.judge(packet(kind=99), DEVICE, 0).foreign
