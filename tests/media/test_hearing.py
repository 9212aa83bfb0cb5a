"""Whether a device gets what we send: what its reports, the network's refusals and our own errors mean, and what they do not."""

import struct

from callserver.media.hearing import AGAIN_NS, Block, Change, Hearing, reports
from callserver.media.rtp import MS, SECOND

OURS, THEIRS, ANOTHER = 9, 77, 5


def report(*blocks: tuple[int, int, int], sender: bool = False) -> bytes:
    """RR or SR with blocks of (ssrc, fraction, highest)."""
    info = bytes(20) if sender else b""
    body = b"".join(struct.pack("!IIIIII", ssrc, fraction << 24, highest, 0, 0, 0) for ssrc, fraction, highest in blocks)
    words = (8 + len(info) + len(body)) // 4 - 1
    return struct.pack("!BBHI", 0x80 | len(blocks), 200 if sender else 201, words, THEIRS) + info + body


def sdes() -> bytes:
    return struct.pack("!BBHI", 0x81, 202, 2, THEIRS) + bytes(4)


def test_blocks_are_read_of_sender_and_receiver_reports_in_one_datagram() -> None:
    compound = report((ANOTHER, 1, 2), (OURS, 255, 0x10007), sender=True) + sdes() + report((OURS, 3, 4))
    assert list(reports(compound)) == [(Block(ANOTHER, 1, 2), Block(OURS, 255, 0x10007)), (Block(OURS, 3, 4),)]


def test_what_is_no_rtcp_is_left_where_it_ceases_to_be_some() -> None:
    whole = report((OURS, 0, 1))
    for broken in (b"", b"\x80", whole[:-1], b"\x00" + whole[1:], b"\x9f" + whole[1:]):
        assert list(reports(broken)) == []
    assert len(list(reports(whole + b"\x80\xc9\xff\xff1234"))) == 1


def test_a_device_whose_highest_number_stands_still_does_not_hear() -> None:
    """The words name how many packets; the next report that follows the line ends it."""
    hearing = Hearing(OURS)
    hearing.reported(report((OURS, 0, 1_100)), sent=100, sequence=1_100)
    assert hearing.look(SECOND) is None
    hearing.reported(report((OURS, 0, 1_100)), sent=350, sequence=1_350)
    change = hearing.look(2 * SECOND)
    assert change == Change("the device reports that the last 250 packets did not reach it", reported=True)
    hearing.reported(report((OURS, 200, 1_598)), sent=600, sequence=1_600)
    assert hearing.look(3 * SECOND) == Change("")
    assert hearing.look(4 * SECOND) is None


def test_sequence_numbers_that_turn_over_are_no_silence() -> None:
    hearing = Hearing(OURS)
    hearing.reported(report((OURS, 0, 0x1FFFE)), sent=400, sequence=3)
    assert hearing.look(SECOND) is None
    hearing.reported(report((OURS, 0, 0x20005)), sent=402, sequence=3)  # a report of what came after we looked
    assert hearing.look(SECOND) is None


def test_all_lost_is_deaf_and_much_lost_is_not() -> None:
    hearing = Hearing(OURS)
    hearing.reported(report((OURS, 240, 500)), sent=500, sequence=500)
    assert hearing.look(SECOND) is None
    hearing.reported(report((OURS, 255, 800)), sent=800, sequence=800)
    assert hearing.look(SECOND) == Change("the device reports that everything is lost on the way to it", reported=True)


def test_reports_without_a_word_about_us_are_believed_after_three_seconds_of_sound() -> None:
    for blocks in ((), ((ANOTHER, 0, 1),)):
        hearing = Hearing(OURS)
        hearing.reported(report(*blocks, sender=True), sent=149, sequence=149)
        assert hearing.look(SECOND) is None
        hearing.reported(report(*blocks, sender=True), sent=150, sequence=150)
        assert hearing.look(SECOND) == Change("the device reports that it receives nothing", reported=True)


def test_a_line_that_was_held_is_judged_by_what_is_sent_afterwards() -> None:
    """The numbers went on meanwhile, so the device is far behind and nobody's fault."""
    hearing = Hearing(OURS)
    hearing.reported(report((OURS, 0, 500)), sent=500, sequence=500)
    hearing.begin(500)
    hearing.reported(report((OURS, 0, 500)), sent=520, sequence=2_520)
    assert hearing.look(SECOND) is None
    hearing.reported(report((OURS, 0, 500)), sent=650, sequence=2_650)
    assert hearing.look(SECOND) is not None


def test_refusals_are_meant_when_they_go_on_for_a_second() -> None:
    """At one a second too, as hosts limit them; it is over when they cease."""
    hearing = Hearing(OURS)
    for at_ms in (0, 5, 10, 900):
        hearing.refused("nobody listens", at_ms * MS)
        assert hearing.look(at_ms * MS) is None
    hearing.refused("nobody listens", 1_900 * MS)
    assert hearing.look(1_900 * MS) == Change("nobody listens")
    assert hearing.look(4_400 * MS) is None
    assert hearing.look(4_401 * MS) == Change("")


def test_single_refusals_far_apart_mean_nothing() -> None:
    hearing = Hearing(OURS)
    for second in range(0, 60, 3):
        hearing.refused("nobody listens", second * SECOND)
        assert hearing.look(second * SECOND) is None


def test_what_lasts_is_told_again_each_ten_seconds() -> None:
    hearing = Hearing(OURS)
    hearing.reported(report(), sent=150, sequence=150)
    told = [at for at in range(25) if hearing.look(at * SECOND) is not None]
    assert told == [0, 10, 20] and AGAIN_NS == 10 * SECOND


def test_another_address_begins_anew_and_says_that_the_old_trouble_is_over() -> None:
    hearing = Hearing(OURS)
    hearing.reported(report(), sent=150, sequence=150)
    assert hearing.look(SECOND) is not None
    hearing.begin(150)
    assert hearing.look(2 * SECOND) == Change("")


def test_after_a_change_the_trouble_stands_until_the_device_hears_or_nothing_else_comes() -> None:
    for proof in (True, False):
        hearing = Hearing(OURS)
        hearing.reported(report(), sent=150, sequence=150)
        assert hearing.look(SECOND) is not None
        hearing.begin_anew(150, SECOND)
        assert hearing.look(2 * SECOND) is None
        if proof:
            hearing.reported(report((OURS, 0, 200)), sent=200, sequence=200)
        assert hearing.look(3 * SECOND) == (Change("") if proof else None)
        assert hearing.look(7 * SECOND) == (None if proof else Change(""))
