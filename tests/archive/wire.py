"""Captures as call workers write them, of senders whose clocks, losses and jitter are known."""

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from audio import g711
from audio.tones import Samples, tone
from callserver.media import capture_format as cf
from callserver.media.protocol import Codec

SECOND = 1_000_000_000
START_NS = 5_000 * SECOND  # BOOTTIME of every test call's beginning
UTC_NS = 1_790_000_000 * SECOND

PCMU = Codec("PCMU", 0, dtmf_payload_type=101)
PCMA = Codec("PCMA", 8, dtmf_payload_type=101)
G722 = Codec("G722", 9, dtmf_payload_type=101)

Row = tuple[int, cf.Kind, bytes, int]


def rtp(payload_type: int, seq: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """One RTP packet without extras (RFC 3550 section 5.1)."""
    head = bytes([0x80, payload_type]) + (seq & 0xFFFF).to_bytes(2, "big")
    return head + (timestamp & 0xFFFFFFFF).to_bytes(4, "big") + ssrc.to_bytes(4, "big") + payload


def encoded(codec: Codec, samples: Samples) -> bytes:
    """The samples in the codec's bytes."""
    if codec.name == "G722":
        return _g722(samples)
    return g711.encode_ulaw(samples) if codec.name == "PCMU" else g711.encode_alaw(samples)


def _g722(samples: Samples) -> bytes:
    coder = av.CodecContext.create("g722", "w")
    coder.sample_rate, coder.layout, coder.format = 16_000, "mono", "s16"
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts = 16_000, 0
    return b"".join(bytes(packet) for coded in (frame, None) for packet in coder.encode(coded))


@dataclass
class Sender:
    """One SSRC. `ppm` is how fast its clock runs; times are seconds of the true clock after the call's beginning."""

    codec: Codec = PCMU
    ssrc: int = 0x1111
    ppm: float = 0.0
    seq: int = 65_500  # wraps soon
    timestamp: int = 0xFFFF_F000
    kind: cf.Kind = cf.Kind.IN
    jitter_s: float = 0.0
    ticks_per_frame: int = 160
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def says(
        self, samples: Samples, begin_s: float, lost: Collection[int] = (), since: int = 0, frames: Iterable[int] | None = None
    ) -> list[Row]:
        """Frames of 20 ms of `samples`, the first at `begin_s`; frame numbers in `lost` never arrive."""
        size = 320 if self.codec.name == "G722" else 160
        data = encoded(self.codec, samples[: samples.size // size * size])
        rows = []
        for number in range(len(data) // 160) if frames is None else frames:
            if number not in lost:
                rows.append(self._row(data[number * 160 : (number + 1) * 160], number + since, begin_s))
        return rows

    def _row(self, payload: bytes, number: int, begin_s: float) -> Row:
        true_s = begin_s + number * 0.02 / (1 + self.ppm * 1e-6) + self.chance.expovariate(1) * self.jitter_s
        packet = rtp(
            self.codec.payload_type, self.seq + number, self.timestamp + number * self.ticks_per_frame, self.ssrc, payload
        )
        return at(true_s), self.kind, packet, 0

    def digit(self, first: int, begin_s: float) -> list[Row]:
        """A telephone-event (RFC 4733): five packets in the place of frames `first` to `first` + 4, all of one timestamp."""
        rows = []
        for number in range(first, first + 5):
            event = bytes([5, 0x8A if number == first + 4 else 0x0A]) + ((number - first + 1) * 160).to_bytes(2, "big")
            packet = rtp(101, self.seq + number, self.timestamp + first * self.ticks_per_frame, self.ssrc, event)
            rows.append((at(begin_s + number * 0.02), self.kind, packet, cf.DTMF))
        return rows


def at(seconds: float) -> int:
    """BOOTTIME of that time in the call."""
    return START_NS + round(seconds * SECOND)


def header(
    leg: str,
    role: str,
    segment: int = 1,
    codec: Codec = PCMU,
    boot: str = "boot-a",
    anchor_utc_ns: int = UTC_NS,
    anchor_number: int = 1,
) -> cf.Header:
    """A capture's header; BOOTTIME 0 was `anchor_utc_ns`."""
    return cf.Header(
        call="i1.1", leg=leg, role=role, segment=segment, codec=codec, boot_id=boot,
        anchor_number=anchor_number, anchor_boottime_ns=0, anchor_utc_ns=anchor_utc_ns,
    )  # fmt: skip


def write_capture(folder: Path, head: cf.Header, rows: Iterable[Row]) -> Path:
    """The capture's file, `<leg>.<segment>.cap`, records in the order of their times."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{head.leg}.{head.segment}.cap"
    ordered = sorted(rows, key=lambda row: row[0])
    begun = ordered[0][0] - 50_000_000 if ordered else START_NS
    records = [cf.encode_record(at_ns, kind, data, flags) for at_ns, kind, data, flags in ordered]
    path.write_bytes(cf.encode_header(head, begun) + b"".join(records))
    return path


def beeps(hz: float, times_s: Iterable[float], length_s: float, total_s: float, rate_hz: int = 8000) -> Samples:
    """Silence with beeps of `length_s` that begin at these times."""
    out = np.zeros(round(total_s * rate_hz), np.int16)
    for begin_s in times_s:
        beep = tone(hz, length_s, rate_hz)
        first = round(begin_s * rate_hz)
        out[first : first + beep.size] = beep[: out.size - first]
    return out
