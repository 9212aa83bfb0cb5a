"""Telephone-events become digits, each once."""

from callserver.media.dtmf import LOST_END_NS, Events


def event(code: int, end: bool = False) -> bytes:
    return bytes([code, 0x8A if end else 0x0A, 0, 160])


def test_a_digit_is_told_at_its_first_end_packet_and_once() -> None:
    events = Events()
    assert [events.feed(event(5), 100, n) for n in range(4)] == [[], [], [], []]
    assert [events.feed(event(5, end=True), 100, n) for n in range(3)] == [["5"], [], []]


def test_a_digit_whose_end_was_lost_is_told_when_the_next_begins() -> None:
    events = Events()
    events.feed(event(10), 100, 0)
    assert events.feed(event(11), 900, 0) == ["*"]
    assert events.feed(event(11, end=True), 900, 0) == ["#"]
    assert events.feed(event(12, end=True), 2_000, 0) == ["A"], "only an end packet came"


def test_a_digit_whose_end_was_lost_is_told_when_nothing_more_comes() -> None:
    events = Events()
    events.feed(event(0), 100, 0)
    assert events.overdue(LOST_END_NS) == []
    assert events.overdue(LOST_END_NS + 1) == ["0"]
    assert events.overdue(LOST_END_NS + 2) == []
    assert events.feed(event(0, end=True), 100, LOST_END_NS + 3) == []


def test_events_that_are_no_digits_are_nothing() -> None:
    assert Events().feed(event(16, end=True), 100, 0) == []
