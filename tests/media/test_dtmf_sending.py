"""Keys that we send: real events in the place of sound, on a line that goes on as if there had been none (RFC 4733)."""

import itertools
import struct

import pytest

from callserver.media.dtmf import Events, Sending
from callserver.media.protocol import Codec, Continuity
from callserver.media.rtp import MS, Line, Packet, parse

CODEC = Codec("PCMA", 8, dtmf_payload_type=101)
STEP = 160
SOUND = b"\xd5" * STEP


def sent(digits: str, length_ms: int, gap_ms: int, packets: int = 100, before: int = 3) -> list[Packet]:
    """What goes out of so many packets of sound, when keys are ordered after the first few."""
    line, sending = Line(Continuity(7, 65_530, 2**32 - 400, 0)), Sending()
    found = []
    for number in range(packets):
        if number == before:
            sending.put(digits, length_ms, gap_ms, number * 20 * MS)
        packet = line.rewrite(struct.pack("!BBHII", 0x80, 8, number, number * STEP, 99) + SOUND, CODEC, number * 20 * MS)
        event = sending.packet(line.timestamp, CODEC.ptime_ms, CODEC.clock_hz, number * 20 * MS)
        found.append(parse(packet if event is None else line.as_event(packet, 101, event)))
    return found


def events(packets: list[Packet]) -> list[list[Packet]]:
    """The packets of each event."""
    grouped: dict[int, list[Packet]] = {}
    for packet in packets:
        if packet.payload_type == 101:
            grouped.setdefault(packet.timestamp, []).append(packet)
    return list(grouped.values())


def test_an_event_has_a_marker_a_growing_duration_and_three_end_packets() -> None:
    (event,) = events(sent("5", 120, 100))
    told = [struct.unpack("!BBH", packet.payload) for packet in event]
    assert [packet.marker for packet in event] == [True] + [False] * 7
    assert [duration for _, _, duration in told] == [160, 320, 480, 640, 800, 960, 960, 960]
    assert [bool(flags & 0x80) for _, flags, _ in told] == [False] * 5 + [True] * 3
    assert {number for number, _, _ in told} == {5}


def test_the_line_is_one_and_sound_afterwards_has_the_time_that_it_would_have_had() -> None:
    packets = sent("*71#", 100, 80)
    first = packets[0]
    assert [packet.sequence for packet in packets] == [(first.sequence + number) & 0xFFFF for number in range(100)]
    assert {packet.ssrc for packet in packets} == {7}
    for number, packet in enumerate(packets):
        if packet.payload_type == 8:
            assert packet.timestamp == (first.timestamp + number * STEP) & 0xFFFFFFFF and packet.payload == SOUND


def test_an_event_bears_the_time_at_which_it_began() -> None:
    packets = sent("12", 120, 100)
    for event in events(packets):
        began = packets.index(event[0])
        assert event[0].timestamp == (packets[0].timestamp + began * STEP) & 0xFFFFFFFF


@pytest.mark.parametrize("gap_ms", [40, 100, 500])
def test_keys_are_as_far_apart_as_the_device_wants(gap_ms: int) -> None:
    packets = sent("123", 120, gap_ms, packets=200)
    begins = [number for number, packet in enumerate(packets) if packet.payload_type == 101 and packet.marker]
    lasted = [(later - earlier) * 20 for earlier, later in itertools.pairwise(begins)]
    assert lasted == [120 + max(gap_ms, 60)] * 2, "the end packets and one of sound are between two in any case"


def test_a_receiver_hears_each_key_once_and_in_order() -> None:
    hearing, heard = Events(), []
    for number, packet in enumerate(sent("*71#A", 40, 40)):
        if packet.payload_type == 101:
            heard += hearing.feed(packet.payload, packet.timestamp, number * 20 * MS)
    assert "".join(heard) == "*71#A"


def test_what_went_out_is_told_once_it_is_out() -> None:
    sending, told = Sending(), []
    sending.put("12", 40, 40, 0)
    sending.put("3", 40, 40, 0)
    for number in range(60):
        sending.packet(number * STEP, 20, 8_000, number * 20 * MS)
        told += [(digits, number) for digits in sending.gone()]
    assert [digits for digits, _ in told] == ["12", "3"] and told[0][1] < told[1][1]


def test_keys_that_no_sound_goes_out_for_are_given_up_and_told() -> None:
    sending = Sending()
    sending.put("12", 40, 40, 0)
    sending.packet(0, 20, 8_000, 20 * MS)
    assert sending.overdue(1_900 * MS) == []
    assert sending.overdue(2_100 * MS) == ["12"] and sending.overdue(9_000 * MS) == []
    assert sending.packet(STEP, 20, 8_000, 9_000 * MS) is None
