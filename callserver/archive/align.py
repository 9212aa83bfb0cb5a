"""Where on the call's timeline each packet's sound belongs.

A sender's clock is not ours: at 80 parts in a million it is 288 ms off after an hour. So each SSRC's RTP time is fitted to
the arrival of its packets: jitter only ever delays, so the least delayed packet of every ten seconds tells how the two
clocks stand, and the line through these carries all. Sound follows that line by leaving out or doubling single samples
where the wave is flattest; a packet that did not come leaves silence of its own length.

A stream is broken into stretches, each fitted by itself, where RTP time and arrival part for good: the sender reset its
clock, or paused without letting it go on. Fits and order: `stretches`; positions: `lay`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.tones import Samples
from audio.tracks import Track
from callserver.archive.decode import RATES_HZ, SAMPLES_PER_BYTE, codec_of, decode
from callserver.archive.packets import Packets, Places

RTP_CLOCK_HZ = 8000  # of all three codecs (RFC 3551 section 4.5.2: G.722's too)
NEW_EPOCH_SEQ = 3000  # a longer step is a sender that began anew (RFC 3550 appendix A.1: MAX_DROPOUT)
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
    for ssrc in dict.fromkeys(packets.ssrc.tolist()):
        of_one = packets.take(np.flatnonzero(packets.ssrc == ssrc))
        yield [stretch for epoch in _epochs(of_one) for stretch in _of_epoch(of_one.take(epoch), agreed, zero_ns)]


def _of_epoch(packets: Packets, agreed: dict[int, str], zero_ns: int) -> Iterator[Stretch]:
    packets, extended = _ordered(packets)
    missing = np.cumsum(np.diff(extended, prepend=extended[0] - 1) - 1)  # numbers that did not come, up to each packet
    codecs = {kind: codec_of(kind, agreed) for kind in np.unique(packets.payload_type).tolist()}
    sound = np.flatnonzero([bool(codecs[kind]) for kind in packets.payload_type.tolist()])
    if not sound.size:
        return
    packets, extended, missing = packets.take(sound), extended[sound], missing[sound]
    ticks = _unwrapped(packets.timestamp, 32)
    rtp_s = ticks / _clock_hz(packets, codecs[int(packets.payload_type[0])], ticks, extended)
    arrival_s = (packets.at_ns - zero_ns) / 1e9
    lost = np.diff(missing, prepend=missing[0]) > 0
    for piece in np.split(np.arange(len(packets)), _breaks(packets, arrival_s - rtp_s)):
        since = rtp_s[piece] - rtp_s[piece[0]]
        laid_s = since + _offset(since, arrival_s[piece] - since)
        yield Stretch(packets.take(piece), codecs[int(packets.payload_type[piece[0]])], since, laid_s, lost[piece])


def _epochs(packets: Packets) -> list[Places]:
    """Cut where the sequence numbers begin anew: in the order of arrival, a step that no loss or swap explains."""
    step = np.abs(np.diff(_unwrapped(packets.seq, 16)))
    return np.split(np.arange(len(packets)), np.flatnonzero(step > NEW_EPOCH_SEQ) + 1)


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


def _breaks(packets: Packets, delay: Seconds) -> Places:
    """The packets that begin a new stretch: another codec, or RTP time and arrival parting for good."""
    count = len(packets)
    codec_changes = np.flatnonzero(np.diff(packets.payload_type.astype(np.int64))) + 1
    if count < 2:
        return codec_changes
    before = _least(delay, LOOK_PACKETS)[:-1]  # of the packets up to k - 1
    after = _least(delay[::-1], LOOK_PACKETS)[::-1][1:]  # of the packets from k on
    known = np.minimum(np.arange(1, count), np.arange(count - 1, 0, -1))
    limit = np.where(known >= ENOUGH_PACKETS, BREAK_S, BREAK_SHORT_S)
    rises, falls = after - before > limit, before - after > limit
    firsts = np.flatnonzero(rises & ~np.concatenate(([False], rises[:-1]))) + 1
    lasts = np.flatnonzero(falls & ~np.concatenate((falls[1:], [False]))) + 1
    return np.unique(np.concatenate((codec_changes, firsts, lasts)))


def _least(values: Seconds, width: int) -> Seconds:
    """For each place the least of the `width` values that end with it."""
    padded = np.concatenate((np.full(width - 1, np.inf), values))
    least: Seconds = np.lib.stride_tricks.sliding_window_view(padded, width).min(axis=1)
    return least


def _clock_hz(packets: Packets, codec: str, ticks: Places, extended: Places) -> int:
    """The sender's RTP clock: 8000, but some count G.722's samples (16,000), which RFC 3551 forbids."""
    steps = np.diff(ticks)[np.diff(extended) == 1]
    sizes = packets.length[:-1][np.diff(extended) == 1]
    told = steps > 0
    if not told.any():
        return RTP_CLOCK_HZ
    seconds = sizes[told] * SAMPLES_PER_BYTE[codec] / RATES_HZ[codec]
    return 2 * RTP_CLOCK_HZ if float(np.median(steps[told] / seconds)) > 1.5 * RTP_CLOCK_HZ else RTP_CLOCK_HZ


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
