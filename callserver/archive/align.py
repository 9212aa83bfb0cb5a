"""Where on the call's timeline each packet's sound belongs.

A sender's clock is not ours: at 80 parts in a million it is 288 ms off after an hour. So each SSRC's RTP time is fitted to
the arrival of its packets: jitter only ever delays, so the least delayed packet of every ten seconds tells how the two
clocks stand, and the line through these carries all. Sound follows that line by leaving out or doubling single samples
where the wave is flattest; a packet that did not come leaves silence of its own length.

A stream is broken into stretches, each fitted by itself, where RTP time and arrival part for good: the sender reset its
clock, or paused without letting it go on. A timestamp that goes backwards, or says more than could have been spoken since,
is not believed; where a sender's clock fits nothing, the numbers of its packets count. So no device can put its own sound, or
what follows it, far from where it arrived. Fits and order: `stretches`; positions: `lay`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.tones import Samples
from audio.tracks import Track
from callserver.archive.decode import SAMPLES_PER_BYTE, codec_of, decode
from callserver.archive.packets import Packets, Places

RTP_CLOCK_HZ = 8000  # of all three codecs (RFC 3551 section 4.5.2: G.722's too)
BYTES_PER_S = 8000  # of all three codecs
NEW_EPOCH_SEQ = 3000  # a longer step is a sender that began anew (RFC 3550 appendix A.1: MAX_DROPOUT)
MISORDER_SEQ = 100  # nothing that a sender sent before its first packet here comes later than that (the same: MAX_MISORDER)
REPEAT_NS = 500_000_000  # a number that comes again later than this, with other sound, is one that is used again
AHEAD_S = 1.0  # no packet is so much earlier than the earliest of those before it
ODD_SHARE = 20  # a clock of which every twentieth step is odd is none
FALSE_S, FALSE_SHARE = 0.5, 0.25  # by so much, and that share of the time, a stretch's clock may be wrong
BREAK_S = 0.12  # delays that part further than this, for good, break a stretch
BREAK_SHORT_S = 1.0  # the same where there are few packets to tell from
LOOK_PACKETS = 100
ENOUGH_PACKETS = 25
FIT_WINDOW_S = 10.0
MOVE_FROM_S = 0.001  # nearer to its place than this, sound is left as it came
GAP_SHARE = 10  # a gap may take up a tenth of its length in correction, the rest is left to single samples

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Packets of one sender and codec, in order and without repeats, whose RTP time hangs together."""

    packets: Packets
    codec: str
    rtp_s: Seconds  # RTP time of each packet since the stream's first, seconds
    laid_s: Seconds  # BOOTTIME at which its sound belongs, seconds after the call's zero
    lost: NDArray[np.bool_]  # whether sequence numbers are missing right before this packet


def stretches(packets: Packets, agreed: dict[int, str], zero_ns: int) -> Iterator[list[Stretch]]:
    """The stretches of one leg and direction: a list for each sender, in its order. What is no sound is left out."""
    for places in _senders(packets):
        of_one = packets.take(places)
        found = [stretch for epoch in _epochs(of_one) for stretch in _of_epoch(of_one.take(epoch), agreed, zero_ns)]
        yield sorted(found, key=lambda stretch: float(stretch.laid_s[0]))


def _senders(packets: Packets) -> list[Places]:
    """The packets of each SSRC, the one that came first before the others. Each packet may have one of its own."""
    order = np.argsort(packets.ssrc, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(packets.ssrc[order].astype(np.int64))) + 1)
    return sorted((group for group in groups if group.size), key=lambda group: int(group[0]))


def _of_epoch(packets: Packets, agreed: dict[int, str], zero_ns: int) -> Iterator[Stretch]:
    if len(packets) == 1:  # a device may number each packet anew
        yield from _alone(packets, agreed, zero_ns)
        return
    packets, extended = _ordered(packets)
    missing = np.cumsum(np.diff(extended, prepend=extended[0] - 1) - 1)  # numbers that did not come, up to each packet
    codecs = {kind: codec_of(kind, agreed) for kind in np.unique(packets.payload_type).tolist()}
    sound = np.flatnonzero([bool(codecs[kind]) for kind in packets.payload_type.tolist()])
    if not sound.size:
        return
    packets, extended, missing = packets.take(sound), extended[sound], missing[sound]
    arrival_s = (packets.at_ns - zero_ns) / 1e9
    lost = np.diff(missing, prepend=missing[0]) > 0
    for piece, since in _hanging_together(packets, arrival_s, extended):
        laid_s = since + _offset(since, arrival_s[piece] - since)
        yield Stretch(packets.take(piece), codecs[int(packets.payload_type[piece[0]])], since, laid_s, lost[piece])


def _alone(packets: Packets, agreed: dict[int, str], zero_ns: int) -> Iterator[Stretch]:
    """One packet, at its arrival."""
    if codec := codec_of(int(packets.payload_type[0]), agreed):
        yield Stretch(packets, codec, np.zeros(1), (packets.at_ns - zero_ns) / 1e9, np.zeros(1, np.bool_))


def _hanging_together(packets: Packets, arrival_s: Seconds, extended: Places) -> Iterator[tuple[Places, Seconds]]:
    """The packets of each stretch, and their RTP time since its first: as the sender says, or as its packets count."""
    ticks = _unwrapped(packets.timestamp, 32)
    said_s = ticks / _clock_hz(packets, ticks, extended)
    counted_s = _counted(packets, extended)
    if _odd(said_s, arrival_s).size * ODD_SHARE > len(packets):
        said_s = counted_s
    codec_changes = np.flatnonzero(np.diff(packets.payload_type.astype(np.int64))) + 1
    for whole in np.split(np.arange(len(packets)), codec_changes):
        for piece in _split(whole, said_s, arrival_s):
            if _is_true(said_s[piece], arrival_s[piece], counted_s[piece]):
                yield piece, said_s[piece] - said_s[piece[0]]
            else:
                yield from ((part, counted_s[part] - counted_s[part[0]]) for part in _split(piece, counted_s, arrival_s))


def _split(whole: Places, rtp_s: Seconds, arrival_s: Seconds) -> Iterator[Places]:
    for piece in np.split(whole, _odd(rtp_s[whole], arrival_s[whole])):
        yield from np.split(piece, _breaks(arrival_s[piece] - rtp_s[piece]))


def _counted(packets: Packets, extended: Places) -> Seconds:
    """RTP time by the packets' numbers and lengths alone, for senders that have no clock."""
    own_s = packets.length / BYTES_PER_S
    steps = own_s[:-1] + (np.diff(extended) - 1) * float(np.median(own_s))
    return np.concatenate((np.zeros(1), np.cumsum(steps)))


def _odd(rtp_s: Seconds, arrival_s: Seconds) -> Places:
    """The packets whose timestamp goes backwards, or says that they came long before they could have been spoken."""
    delay = arrival_s - rtp_s
    back = np.diff(rtp_s) < 0
    ahead = _least(delay, LOOK_PACKETS)[:-1] - delay[1:] > AHEAD_S
    return np.flatnonzero(back | ahead) + 1


def _is_true(rtp_s: Seconds, arrival_s: Seconds, counted_s: Seconds) -> bool:
    """Whether a clock goes about as fast as ours, or as its packets: what came in a burst is not held against it."""
    went_s, came_s = float(rtp_s[-1] - rtp_s[0]), float(np.ptp(arrival_s))
    off_s = min(abs(went_s - came_s), abs(went_s - float(counted_s[-1] - counted_s[0])))
    return off_s < FALSE_S + FALSE_SHARE * came_s


def _epochs(packets: Packets) -> list[Places]:
    """Cut where the sequence numbers begin anew: in the order of arrival, a step that no loss or swap explains."""
    numbers = _unwrapped(packets.seq, 16)
    pieces = np.split(np.arange(len(packets)), np.flatnonzero(np.abs(np.diff(numbers)) > NEW_EPOCH_SEQ) + 1)
    return [epoch for piece in pieces for epoch in np.split(piece, _used_again(packets, numbers, piece))]


def _used_again(packets: Packets, numbers: Places, piece: Places) -> list[int]:
    """Where in a piece a sender that began anew with a number near to its last uses numbers for other sound than before."""
    own = numbers[piece]
    if np.unique(own).size == own.size and own.min() >= own[0] - MISORDER_SEQ:
        return []
    cuts: list[int] = []
    first, seen = int(own[0]), dict[int, int]()
    for at, number in enumerate(own.tolist()):
        before = seen.setdefault(number, at)
        if number < first - MISORDER_SEQ or (before != at and _is_other(packets, int(piece[before]), int(piece[at]))):
            cuts.append(at)
            first, seen = number, {number: at}
    return cuts


def _is_other(packets: Packets, before: int, again: int) -> bool:
    """Whether a packet with the number of one before is another, and no repeat."""
    if int(packets.at_ns[again] - packets.at_ns[before]) <= REPEAT_NS:
        return False
    return packets.timestamp[again] != packets.timestamp[before] or packets.payload(again) != packets.payload(before)


def _ordered(packets: Packets) -> tuple[Packets, Places]:
    """In the order of sending, repeats left out (the first to come stays); and the unwrapped sequence numbers."""
    extended = _unwrapped(packets.seq, 16)
    _, first = np.unique(extended, return_index=True)
    return packets.take(first), extended[first]


def _unwrapped(counter: NDArray[np.uint16] | NDArray[np.uint32], bits: int) -> Places:
    """A counter that wraps at 2**bits as one that does not, from 0."""
    half = 1 << (bits - 1)
    step: Places = np.mod(np.diff(counter.astype(np.int64)) + half, 1 << bits) - half
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(step)))


def _breaks(delay: Seconds) -> Places:
    """The packets that begin a new stretch, for RTP time and arrival part for good."""
    count = len(delay)
    if count < 2:
        return np.zeros(0, np.int64)
    before = _least(delay, LOOK_PACKETS)[:-1]  # of the packets up to k - 1
    after = _least(delay[::-1], LOOK_PACKETS)[::-1][1:]  # of the packets from k on
    known = np.minimum(np.arange(1, count), np.arange(count - 1, 0, -1))
    limit = np.where(known >= ENOUGH_PACKETS, BREAK_S, BREAK_SHORT_S)
    rises, falls = after - before > limit, before - after > limit
    firsts = np.flatnonzero(rises & ~np.concatenate(([False], rises[:-1]))) + 1
    lasts = np.flatnonzero(falls & ~np.concatenate((falls[1:], [False]))) + 1
    return np.union1d(firsts, lasts)


def _least(values: Seconds, width: int) -> Seconds:
    """For each place the least of the `width` values that end with it."""
    padded = np.concatenate((np.full(width - 1, np.inf), values))
    least: Seconds = np.lib.stride_tricks.sliding_window_view(padded, width).min(axis=1)
    return least


def _clock_hz(packets: Packets, ticks: Places, extended: Places) -> int:
    """The sender's RTP clock: 8000, but some count G.722's samples (16,000), which RFC 3551 forbids."""
    steps = np.diff(ticks)[np.diff(extended) == 1]
    sizes = packets.length[:-1][np.diff(extended) == 1]
    told = steps > 0
    if not told.any():
        return RTP_CLOCK_HZ
    return 2 * RTP_CLOCK_HZ if float(np.median(steps[told] / sizes[told])) * BYTES_PER_S > 1.5 * RTP_CLOCK_HZ else RTP_CLOCK_HZ


def _offset(rtp_s: Seconds, delay: Seconds) -> Seconds:
    """What to add to RTP time: the line through the least delay of every window, at each packet."""
    window = (rtp_s // FIT_WINDOW_S).astype(np.int64)
    edges = np.flatnonzero(np.diff(window)) + 1
    pieces = np.split(np.arange(len(rtp_s)), edges)
    pieces = [piece for piece in pieces if piece.size >= ENOUGH_PACKETS] or [np.arange(len(rtp_s))]
    places = [int(piece[np.argmin(delay[piece])]) for piece in pieces]
    return np.interp(rtp_s, rtp_s[places], _calmed(delay[places]))


def _calmed(values: Seconds) -> Seconds:
    """The median of up to five neighbours, as many on either side: a window without one punctual packet moves nothing."""
    count = len(values)
    reach = [min(2, at, count - 1 - at) for at in range(count)]
    return np.array([np.median(values[at - side : at + side + 1]) for at, side in enumerate(reach)])


@dataclass(frozen=True, slots=True)
class Laid:
    """What laying a stretch came to. `end` is the sample after its last."""

    end: int
    lost_s: float  # silence where packets are missing
    moved: int  # samples left out or doubled


def lay(stretch: Stretch, track: Track, not_before: int = 0) -> Laid:
    """Lay a stretch's sound on a track of its codec's rate, from sample `not_before` on: what came faster than it was
    spoken must not lie on what the same sender said before. Raises ValueError for payloads that cannot be decoded.
    """
    rate_hz = track.rate_hz
    samples = decode(stretch.codec, stretch.packets.payloads())
    sizes = (stretch.packets.length * SAMPLES_PER_BYTE[stretch.codec]).tolist()
    ideal = np.round(stretch.laid_s * rate_hz).astype(np.int64).tolist()
    nominal = np.round(stretch.rtp_s * rate_hz).astype(np.int64).tolist()
    taken = moved = lost = 0
    end = max(not_before, ideal[0])
    track.make_room(max(end, ideal[-1] + sizes[-1]) + track.rate_hz)
    due = nominal[0]  # the nominal place that follows the packet before
    for number, size in enumerate(sizes):
        frame = samples[taken : taken + size]
        taken += size
        gap = max(0, nominal[number] - due)
        error = ideal[number] - (end + gap)
        if gap:
            allowed = gap // GAP_SHARE
            end += gap + max(-allowed, min(allowed, error))
            lost += gap if stretch.lost[number] else 0
        elif abs(error) > rate_hz * MOVE_FROM_S and size > 2:
            frame = _moved(frame, error > 0)
            moved += 1
        track.lay(end, frame)
        end += frame.size
        due = nominal[number] + size
    return Laid(end, lost / rate_hz, moved)


def _moved(frame: Samples, later: bool) -> Samples:
    """The frame one sample longer or shorter, at its flattest place."""
    flat = int(np.argmin(np.abs(np.diff(frame.astype(np.int32)))))
    if later:
        return np.concatenate((frame[: flat + 1], frame[flat:]))
    return np.concatenate((frame[:flat], frame[flat + 1 :]))
