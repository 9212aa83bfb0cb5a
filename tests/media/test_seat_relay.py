"""The RTP of a seat: one line in each direction that goes on over everything, and whether the browser is heard."""

import struct

from callserver.media.protocol import Continuity
from callserver.media.rtp import MS, SECOND, parse
from callserver.media.seat_worker.relay import SILENCE, Hearing, Inwards, Outwards

START_NS = 1_000 * SECOND
STEP_NS = 20 * MS
LINE = Continuity(ssrc=77, first_seq=100, first_timestamp=1_000, started_ns=START_NS)


def rtp(sequence: int, timestamp: int, ssrc: int, payload: bytes = b"\x11" * 160, kind: int = 9) -> bytes:
    """A packet as a browser or a call worker sends it."""
    return struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def test_a_loss_of_the_browser_shows_in_our_numbers() -> None:
    """So the jitter buffer behind can fill the gap instead of closing it."""
    inwards = Inwards(LINE)
    made = [inwards.packet(rtp(at, at * 160, 5), START_NS + at * STEP_NS) for at in (10, 11, 13)]
    packets = [parse(one) for one in made if one is not None]
    assert [p.sequence - packets[0].sequence for p in packets] == [0, 1, 3]
    assert [p.timestamp - packets[0].timestamp for p in packets] == [0, 160, 480]
    assert {p.ssrc for p in packets} == {77}


def test_a_page_loaded_anew_goes_on_in_the_same_line() -> None:
    """Another SSRC with other numbers: ours go on by the clock, never back."""
    inwards = Inwards(LINE)
    first = inwards.packet(rtp(10, 1_600, 5), START_NS)
    later = inwards.packet(rtp(60_000, 9, 6), START_NS + SECOND)
    assert first is not None and later is not None
    assert parse(later).sequence - parse(first).sequence == 50
    assert parse(later).timestamp - parse(first).timestamp == 8_000
    assert parse(later).ssrc == parse(first).ssrc and parse(later).marker


def test_what_is_no_g722_is_refused_and_counted() -> None:
    """Another payload type, too short, too long, no RTP."""
    inwards = Inwards(LINE)
    strange = [rtp(1, 1, 5, kind=111), rtp(1, 1, 5, b"\x00" * 8), rtp(1, 1, 5, b"\x00" * 2_000), b"no"]
    assert [inwards.packet(one, START_NS) for one in strange] == [None] * 4
    assert (inwards.refused, inwards.received) == (4, 0)


def test_a_header_extension_and_padding_of_the_browser_do_not_go_on() -> None:
    """The packet is made anew from its payload."""
    plain = struct.pack("!BBHII", 0xB0, 9, 1, 160, 5) + struct.pack("!HH", 0xBEDE, 1) + b"abcd" + b"\x22" * 160 + b"\x00\x00\x03"
    made = Inwards(LINE).packet(plain, START_NS)
    assert made is not None and made[0] == 0x80 and made[12:] == b"\x22" * 160


def test_silence_stands_where_no_leg_is_and_only_there() -> None:
    """Its place is the time that has passed; a leg's packet takes over at once, and silence waits until it has stopped."""
    outwards = Outwards(LINE)
    first = outwards.silence(START_NS)
    second = outwards.silence(START_NS + 10 * STEP_NS)
    assert first is not None and second is not None and first[12:] == SILENCE
    assert parse(second).timestamp - parse(first).timestamp == 1_600
    relayed = outwards.relay(rtp(7, 7, 9), START_NS + 11 * STEP_NS)
    assert relayed is not None and parse(relayed).timestamp - parse(second).timestamp == 160
    assert outwards.silence(START_NS + 12 * STEP_NS) is None
    assert outwards.silence(START_NS + 15 * STEP_NS) is not None


def test_a_replaced_call_worker_goes_on_in_the_browsers_line() -> None:
    """Packets of another SSRC after a hole of 60 ms come where the clock says."""
    outwards = Outwards(LINE)
    before = outwards.relay(rtp(500, 80_000, 9), START_NS)
    after = outwards.relay(rtp(3, 40, 10), START_NS + 4 * STEP_NS)
    assert before is not None and after is not None
    assert parse(after).timestamp - parse(before).timestamp == 640
    assert parse(after).ssrc == parse(before).ssrc == 77


def test_hearing_is_news_when_it_begins_and_when_it_has_stopped_for_a_second() -> None:
    """Once each; a connection that is over is no silence to be told again."""
    hearing = Hearing()
    assert hearing.packet(START_NS) and not hearing.packet(START_NS + STEP_NS)
    assert hearing.silent_ms(START_NS + SECOND) == 0
    assert hearing.silent_ms(START_NS + SECOND + STEP_NS) == 1_000
    assert hearing.silent_ms(START_NS + 2 * SECOND) == 0
    assert hearing.packet(START_NS + 2 * SECOND)
    assert hearing.lost() and not hearing.lost() and hearing.silent_ms(START_NS + 9 * SECOND) == 0
