"""Captures of live calls, read as they grow: from the disk, because what lies there is the evidence.

A `Follower` reads one leg's files and keeps its last seconds. It decodes what the leg said and was sent, and measures a second of
it for the judge (`archive.judging`).
"""

import contextlib
import os
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from audio import g711, texture
from audio.levels import peak_dbfs, rms_dbfs
from audio.tones import Samples
from callserver.archive.decode import G722, PCMA, PCMU, RATES_HZ, SAMPLES_PER_BYTE, codec_of, decode
from callserver.archive.judging import Window
from callserver.archive.packets import payload_of
from callserver.media import capture_format as cf

SECOND_NS = 1_000_000_000
BEHIND_NS = 300_000_000  # the newest that is looked at: a writer's pauses and late packets are behind it
WINDOW_NS = SECOND_NS
KEPT_NS = 4 * SECOND_NS
OWN_NS, OTHERS_NS, OTHERS_END_NS = 2_600_000_000, 2_200_000_000, 600_000_000  # before the window's end: up to 0.6 s behind
BEFORE_NS = 600_000_000  # decoded and thrown away: a G.722 decoder that begins in the middle is 400 ms in settling
SPOKEN_DBFS = -45.0
BEHIND_AT_LEAST_S = -0.01  # a copy comes with or after what it is a copy of; arrival is this exact, a way through us takes 20 ms
PAUSED_ABOVE = 0.2  # share of frames that hold a machine's silence, or of the time that no packets came for
FULL = {PCMU: int(g711.ULAW_VALUES.max()), PCMA: int(g711.ALAW_VALUES.max()), G722: 32_767}
OTHER_LAW = {PCMU: PCMA, PCMA: PCMU}
COMFORT_NOISE = 13  # RFC 3389
MOST_OPEN = 8  # files of one leg
_CHUNK_BYTES = 1 << 20
_COMPARED_HZ = 8_000


@dataclass(frozen=True, slots=True)
class _Packet:
    at_ns: int
    seq: int
    codec: str  # "" for what is no sound
    comfort: bool
    payload: bytes


@dataclass(slots=True)
class _File:
    fd: int  # -1: it was read to its end
    growing: cf.Growing = field(default_factory=cf.Growing)
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound of one direction, of one codec; `payload` is what it was made of, `share` how much of the time it is there for."""

    codec: str
    samples: Samples
    payload: bytes
    share: float
    comfort: bool = False
    begun_ns: int = 0  # when its first packet came

    @property
    def rate_hz(self) -> int:
        """Of the samples."""
        return RATES_HZ.get(self.codec, _COMPARED_HZ)

    def compared(self) -> Samples:
        """At the rate at which sides are compared."""
        return texture.halved(self.samples) if self.rate_hz > _COMPARED_HZ else self.samples


class Follower:
    """The captures of one leg, `<folder>/<leg>.<segment>.cap`. Files that cannot be read give nothing; that shows as silence."""

    def __init__(self, folder: Path, leg: str) -> None:
        self._folder, self._leg = folder, leg
        self._files: dict[str, _File] = {}
        self._agreed: dict[int, str] = {}
        self._kept: dict[cf.Kind, deque[_Packet]] = {cf.Kind.IN: deque(), cf.Kind.OUT: deque()}

    def read(self, now_ns: int) -> None:
        """Take what has come since the last time. `now_ns` is BOOTTIME. Raises OSError."""
        for path in sorted(self._folder.glob(f"{self._leg}.*.cap"), key=lambda path: (len(path.name), path.name)):
            if path.name not in self._files:
                self._files[path.name] = _File(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                self._retire(now_ns - KEPT_NS)
        for file in self._open():
            self._read(file, now_ns - KEPT_NS)
        for kept in self._kept.values():
            while kept and kept[0].at_ns < now_ns - KEPT_NS:
                kept.popleft()

    def sync(self) -> None:
        """Have all of it on the disk; raises OSError when it cannot be."""
        for file in self._open():
            os.fdatasync(file.fd)

    def close(self) -> None:
        """Give up the files."""
        for file in self._open():
            with contextlib.suppress(OSError):
                os.close(file.fd)
        self._files.clear()

    def said(self, end_ns: int, length_ns: int) -> Stretch:
        """What arrived from the leg in so long before `end_ns`."""
        return self._stretch(cf.Kind.IN, end_ns, length_ns)

    def sent(self, end_ns: int, length_ns: int) -> Stretch:
        """What was sent to the leg in so long before `end_ns`."""
        return self._stretch(cf.Kind.OUT, end_ns, length_ns)

    # ---- files ------------------------------------------------------------------------------------------------

    def _open(self) -> list[_File]:
        return [file for file in self._files.values() if file.fd >= 0]

    def _retire(self, since_ns: int) -> None:
        """Files of workers long dead grow no more: a leg whose process dies for ever must not take all descriptors of ours."""
        for file in self._open()[:-MOST_OPEN]:
            self._read(file, since_ns)
            os.fdatasync(file.fd)
            os.close(file.fd)
            file.fd = -1

    def _read(self, file: _File, since_ns: int) -> None:
        while not file.damaged and (data := os.read(file.fd, _CHUNK_BYTES)):
            try:
                records = file.growing.feed(data)
            except ValueError:
                file.damaged = True
                return
            if file.growing.header is not None:
                self._agree(file.growing.header.codec.name, file.growing.header.codec.payload_type)
            self._take(records, since_ns)

    def _take(self, records: Iterable[cf.Record], since_ns: int) -> None:
        for record in records:
            if record.kind is cf.Kind.NOTE:
                self._noted(record)
            elif record.at_ns >= since_ns and len(record.data) >= 12:
                kind = record.data[1] & 0x7F
                seq = int.from_bytes(record.data[2:4], "big")
                codec = "" if record.flags & cf.DTMF else codec_of(kind, self._agreed)
                packet = _Packet(record.at_ns, seq, codec, kind == COMFORT_NOISE, payload_of(record.data))
                self._kept[record.kind].append(packet)

    def _noted(self, record: cf.Record) -> None:
        with contextlib.suppress(ValueError):
            codec = record.note().get("codec")
            if isinstance(codec, dict):
                self._agree(str(codec.get("name")), int(codec.get("payload_type", -1)))

    def _agree(self, codec: str, payload_type: int) -> None:
        if codec in RATES_HZ and payload_type >= 0:
            self._agreed[payload_type] = codec

    # ---- sound ------------------------------------------------------------------------------------------------

    def _stretch(self, way: cf.Kind, end_ns: int, length_ns: int) -> Stretch:
        """Packets in the order of their numbers, repeats once; of the codec that most of them are of."""
        since_ns = end_ns - length_ns
        there = [packet for packet in self._kept[way] if since_ns < packet.at_ns <= end_ns]
        comfort = any(packet.comfort for packet in there)
        sounding = {packet.seq: packet for packet in there if packet.codec}
        codec = next((name for name, _ in Counter(packet.codec for packet in sounding.values()).most_common(1)), "")
        if not codec:
            return Stretch("", np.zeros(0, np.int16), b"", 0.0, comfort)
        ordered = sorted(((_near(seq, there[0].seq), packet) for seq, packet in sounding.items()), key=lambda each: each[0])
        payload = b"".join(packet.payload for _, packet in ordered if packet.codec == codec)
        seconds = len(payload) * SAMPLES_PER_BYTE[codec] / RATES_HZ[codec]
        share = min(1.0, seconds * SECOND_NS / length_ns)
        return Stretch(codec, decode(codec, payload), payload, share, comfort, ordered[0][1].at_ns)


def _near(seq: int, first: int) -> int:
    """A sequence number as it counts from the first one on, across its wrap."""
    return (seq - first + 0x8000) & 0xFFFF


def measure(leg: Follower, others: Iterable[Follower], now_ns: int) -> Window:
    """The last second of what a leg said, against what it was sent and what the others said."""
    end_ns = now_ns - BEHIND_NS
    said = leg.said(end_ns, WINDOW_NS)
    if not said.samples.size:
        return Window(share=0.0, paused=said.comfort)
    samples = leg.said(end_ns, WINDOW_NS + BEFORE_NS).samples[-said.samples.size :]
    law_db, law_rough = _other_law(said)
    copy, other_spoke = _copy(leg, others, end_ns)
    dead = texture.dead_share(samples, said.rate_hz)
    return Window(
        share=said.share,
        rms_dbfs=rms_dbfs(samples),
        peak_dbfs=peak_dbfs(samples),
        full_share=texture.full_share(samples, FULL[said.codec]),
        dead_share=dead,
        flat=texture.flatness(samples, said.rate_hz),
        evenness=texture.evenness(said.payload),
        hollow=texture.hollowness(samples),
        other_law_db=law_db,
        other_law_rough=law_rough,
        copy_share=copy.share if copy else 0.0,
        copy_db=copy.louder_db if copy else 0.0,
        other_spoke=other_spoke,
        paused=said.comfort or said.share < 1 - PAUSED_ABOVE or dead > PAUSED_ABOVE,
    )


def _other_law(said: Stretch) -> tuple[float, float]:
    """How much louder and how much rougher it is than under the other G.711 law."""
    other = OTHER_LAW.get(said.codec)
    if other is None:
        return 0.0, 0.0
    under = decode(other, said.payload)
    rough = texture.roughness(under)
    return rms_dbfs(said.samples) - rms_dbfs(under), texture.roughness(said.samples) / rough if rough else 0.0


def _copy(leg: Follower, others: Iterable[Follower], end_ns: int) -> tuple[texture.Likeness | None, bool]:
    """The nearest likeness to what the leg was sent, or to what another said; and whether there was anything to be like."""
    said = leg.said(end_ns, OWN_NS)
    own = said.compared()
    spoke = False
    nearest: texture.Likeness | None = None
    span_ns = OTHERS_NS - OTHERS_END_NS
    for stretch in (leg.sent(end_ns - OTHERS_END_NS, span_ns), *(one.said(end_ns - OTHERS_END_NS, span_ns) for one in others)):
        other = stretch.compared()
        if rms_dbfs(other) < SPOKEN_DBFS:
            continue
        spoke = True
        found = texture.likeness(own, other, _COMPARED_HZ, BEHIND_AT_LEAST_S + (stretch.begun_ns - said.begun_ns) / SECOND_NS)
        if found is not None:
            nearest = found if nearest is None or found.share > nearest.share else nearest
    return nearest, spoke
