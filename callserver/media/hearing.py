"""Whether a leg's device gets what we send to it: told by its own receiver reports, by its network, or by ours. Pure.

What we send leaves no trace here when it is lost on the way. Three things tell of it:

    RTCP    the device reports what it received (RFC 3550 6.4): our line's highest sequence number stands still, nearly all
            is lost, or there is no block about us though it heard from us for seconds
    ICMP    our packets are refused where they arrive, or nobody is there (RFC 1122 4.1.3.3)
    errors  the packets cannot be sent at all

A device without RTCP tells nothing by the first, and silence is never taken for an answer. One refusal means nothing either:
devices open their ports a moment late and close them a moment early.
"""

from collections.abc import Iterator
from typing import NamedTuple

from callserver.media.rtp import SECOND

DEAF_PACKETS = 150  # sent since the device last proved that it hears; 3 s at 20 ms
ALL_LOST = 250  # of 256: what a report says when next to nothing arrives
REFUSED_NS = SECOND  # refusals that go on for so long are meant
REFUSALS_LEAST = 3
UNSURE_NS = 6 * SECOND  # after something was changed: one report is due within
REFUSALS_APART_NS = 2_500_000_000  # hosts answer a stream with one ICMP message a second (RFC 1812 4.3.2.8)
AGAIN_NS = 10 * SECOND

_SR, _RR = 200, 201
_HEAD = 4
_SENDER_INFO = 20
_BLOCK = 24


class Block(NamedTuple):
    """What a device says about one line that it receives: `fraction` lost of 256 since its last report, `highest` sequence."""

    ssrc: int
    fraction: int
    highest: int


def reports(compound: bytes) -> Iterator[tuple[Block, ...]]:
    """The blocks of each sender or receiver report in a datagram (RFC 3550 6.4.1, 6.4.2); ends where it makes no sense."""
    while len(compound) >= _HEAD + 4:
        size = 4 * (int.from_bytes(compound[2:4]) + 1)
        kind, count = compound[1], compound[0] & 0x1F
        if compound[0] >> 6 != 2 or size > len(compound):
            return
        if kind in (_SR, _RR):
            start = _HEAD + 4 + (_SENDER_INFO if kind == _SR else 0)
            if start + count * _BLOCK > size:
                return
            yield tuple(_block(compound, start + number * _BLOCK) for number in range(count))
        compound = compound[size:]


def _block(compound: bytes, at: int) -> Block:
    ssrc, loss, highest = (int.from_bytes(compound[at + offset : at + offset + 4]) for offset in (0, 4, 8))
    return Block(ssrc, loss >> 24, highest)


class Change(NamedTuple):
    """News: the device does not hear us, for this reason, or (`why` empty) does again. `reported`: the device itself says so."""

    why: str
    reported: bool = False


class Hearing:
    """One leg. Counts are those of `rtp.Line`; whoever has it asks `look` every now and then."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self._told = ""
        self._told_ns = self._unsure_ns = 0
        self.begin(0)

    def begin(self, sent: int) -> None:
        """Nothing is known from here on: it was placed, has another address, or is sent to again."""
        self._proven = sent
        self._by_report = ""
        self._refusal = ""
        self._first_ns = self._last_ns = self._refusals = 0

    def begin_anew(self, sent: int, now_ns: int) -> None:
        """Something was changed that may help: what was told stands until it hears, or nothing else is heard of it."""
        self.begin(sent)
        self._unsure_ns = now_ns + UNSURE_NS

    def refused(self, why: str, now_ns: int) -> None:
        """One of our packets came to nothing."""
        if not self._refusals or now_ns - self._last_ns > REFUSALS_APART_NS:
            self._first_ns, self._refusals = now_ns, 0
        self._refusals += 1
        self._last_ns, self._refusal = now_ns, why

    def reported(self, datagram: bytes, sent: int, sequence: int) -> None:
        """RTCP from the device, while we had sent `sent` packets, the last with this sequence number."""
        for blocks in reports(datagram):
            block = next((block for block in blocks if block.ssrc == self._ssrc), None)
            behind = DEAF_PACKETS if block is None else (sequence - block.highest) & 0xFFFF
            if block is not None and block.fraction < ALL_LOST and not DEAF_PACKETS <= behind < 0x8000:
                self._proven, self._by_report, self._unsure_ns = sent, "", 0
            elif sent - self._proven >= DEAF_PACKETS:
                self._by_report = _words(block, behind)

    def look(self, now_ns: int) -> Change | None:
        """What is to be told now: the beginning, again each `AGAIN_NS`, and the end."""
        meant = self._refusals >= REFUSALS_LEAST and self._last_ns - self._first_ns >= REFUSED_NS
        lasts = bool(self._refusals) and now_ns - self._last_ns <= REFUSALS_APART_NS
        refused = meant and lasts
        why = self._refusal if refused else self._by_report
        if not why:
            if not self._told or now_ns < self._unsure_ns:
                return None
            self._told = ""
            return Change("")
        if self._told and now_ns - self._told_ns < AGAIN_NS:
            return None
        self._told, self._told_ns = why, now_ns
        return Change(why, not refused)


def _words(block: Block | None, behind: int) -> str:
    if block is None:
        return "the device reports that it receives nothing"
    if block.fraction >= ALL_LOST:
        return "the device reports that everything is lost on the way to it"
    return f"the device reports that the last {behind} packets did not reach it"
