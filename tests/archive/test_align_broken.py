"""Senders that number and stamp their packets wrongly: what they said is there, where it arrived, and nothing else moves."""

import random
from collections.abc import Callable

import pytest

from audio.tones import spans
from tests.archive.test_align import NEAR_S, track_of
from tests.archive.wire import Row, Sender, beeps

TIMES = [1.0, 5.1, 9.3, 13.5]
LENGTH_S = 15.0
LITTLE, MUCH, HALF_A_WRAP = 80_000, 1 << 30, (1 << 31) - 1


def rows() -> list[Row]:
    return Sender().says(beeps(600, TIMES, 0.3, LENGTH_S), 0.0)


def changed(row: Row, *, seq: int | None = None, timestamp: int | None = None, later: int = 0, ssrc: int | None = None) -> Row:
    """The same packet with another number, timestamp (or one that is so much later) or SSRC."""
    at_ns, kind, packet, flags = row
    out = bytearray(packet)
    if seq is not None:
        out[2:4] = (seq & 0xFFFF).to_bytes(2, "big")
    stamp = int.from_bytes(packet[4:8], "big") if timestamp is None else timestamp
    out[4:8] = (stamp + later & 0xFFFFFFFF).to_bytes(4, "big")
    if ssrc is not None:
        out[8:12] = ssrc.to_bytes(4, "big")
    return at_ns, kind, bytes(out), flags


def is_whole(sent: list[Row]) -> None:
    track, _ = track_of(sent)
    assert [begin for begin, _ in spans(track, 600, 8000)] == pytest.approx(TIMES, abs=NEAR_S)
    assert track.size == pytest.approx(LENGTH_S * 8000, abs=NEAR_S * 8000)


@pytest.mark.parametrize(
    "which", [slice(0, 1), slice(300, 301), slice(300, 330), slice(749, 750), slice(0, None, 50), slice(0, None, 2)]
)
@pytest.mark.parametrize("later", [LITTLE, -LITTLE, MUCH, -MUCH, HALF_A_WRAP])
def test_a_wrong_timestamp_moves_neither_its_packet_nor_those_after_it(which: slice, later: int) -> None:
    """One packet in the middle, several, the first or the last, every fiftieth and every other one."""
    sent = rows()
    sent[which] = [changed(row, later=later) for row in sent[which]]
    is_whole(sent)


@pytest.mark.parametrize(
    "stamp",
    [
        lambda _: 5,
        lambda number: number,
        lambda number: -160 * number,
        lambda number: 80 * number,
        lambda number: 960 * number,
        lambda number: 160_000 * number,
        lambda number: random.Random(number).getrandbits(32),
    ],
    ids=["constant", "by one", "backwards", "half as fast", "six times as fast", "a thousand times as fast", "random"],
)
def test_a_sender_without_a_clock_is_laid_by_its_numbers(stamp: Callable[[int], int]) -> None:
    is_whole([changed(row, timestamp=stamp(number)) for number, row in enumerate(rows())])


@pytest.mark.parametrize("after", [50, 100, 300, 600])
@pytest.mark.parametrize("clock_too", [True, False])
def test_a_sender_that_begins_anew_with_the_same_numbers_is_heard_both_times(after: int, clock_too: bool) -> None:
    """A help point whose stream is begun anew by each re-INVITE, from zero, with one SSRC for its whole life."""
    sent = [changed(row, seq=number % after) for number, row in enumerate(rows())]
    is_whole([changed(row, timestamp=number % after * 160) for number, row in enumerate(sent)] if clock_too else sent)


def test_a_packet_that_comes_twice_is_heard_once() -> None:
    """At once, and three seconds later."""
    sent = rows()
    again = [(row[0] + late_ns, *row[1:]) for row in sent[50:60] for late_ns in (1_000_000, 3_000_000_000)]
    is_whole(sent + again)


def test_each_packet_with_an_ssrc_of_its_own_is_laid_at_its_arrival() -> None:
    is_whole([changed(row, ssrc=number) for number, row in enumerate(rows())])


@pytest.mark.parametrize("seed", range(5))
def test_whatever_stands_in_the_heads_of_packets_their_sound_does_not_lie_far_from_their_arrival(seed: int) -> None:
    chance = random.Random(seed)
    sent = [
        changed(row, seq=chance.getrandbits(16), timestamp=chance.getrandbits(32), ssrc=chance.choice([1, 2])) for row in rows()
    ]
    track, _ = track_of(sent)
    assert LENGTH_S * 8000 - 800 <= track.size <= (LENGTH_S + 3) * 8000
