"""From captures to the packets of each leg, and from their payloads to PCM.

G.711 by numpy tables, G.722 by PyAV. A capture that is cut or damaged gives what is whole of it and is told of.
"""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

import av
import numpy as np

from audio import g711
from audio.tones import Samples
from callserver.archive.boots import boots_of
from callserver.archive.packets import Gathering, Packets
from callserver.media import capture_format as cf
from callserver.sealed import SiteKey, opened

PCMU, PCMA, G722 = "PCMU", "PCMA", "G722"
RATES_HZ = {PCMU: 8000, PCMA: 8000, G722: 16_000}
SAMPLES_PER_BYTE = {PCMU: 1, PCMA: 1, G722: 2}
STATIC_TYPES = {0: PCMU, 8: PCMA, 9: G722}
"""RFC 3551 section 6: these payload types mean the same on every leg."""

_CHUNK_BYTES = 4000


@dataclass(slots=True)
class LegCapture:
    """What the captures of one leg hold, over all segments."""

    leg: str
    role: str
    heard: Packets  # what the leg said
    sent: Packets  # what it was sent
    codecs: dict[int, str]  # by payload type

    def forget(self) -> None:
        """Let go of all packets: of hours that is memory."""
        self.heard = self.sent = Gathering().packets()


@dataclass(slots=True)
class CallCapture:
    """What the captures of a call hold. `zero_ns` is the earliest record of all, `zero_utc_ns` in UTC; 0 when there is none."""

    legs: list[LegCapture] = field(default_factory=list)
    zero_ns: int = 0
    zero_utc_ns: int = 0
    remarks: list[str] = field(default_factory=list)  # in plain words: what was cut, damaged, not understood


@dataclass(slots=True)
class _Leg:
    role: str
    heard: Gathering = field(default_factory=Gathering)
    sent: Gathering = field(default_factory=Gathering)
    codecs: dict[int, str] = field(default_factory=dict)


def open_capture(path: Path, keys: Sequence[SiteKey] = ()) -> BinaryIO:
    """The uncompressed stream of a capture, be it `.cap` or `.cap.gz`, encrypted or not. Raises OSError."""
    stream = opened(path, keys)
    return cast(BinaryIO, _Unpacked(stream)) if path.suffix == ".gz" else stream


class _Unpacked(gzip.GzipFile):
    """Closes what it reads from."""

    def __init__(self, below: BinaryIO) -> None:
        super().__init__(fileobj=below, mode="rb")
        self._below = below

    def close(self) -> None:
        super().close()
        self._below.close()


def read_call(captures: Sequence[Path], keys: Sequence[SiteKey] = ()) -> CallCapture:
    """Read all captures of a call (any order). Raises OSError when a file cannot be read at all."""
    call = CallCapture()
    legs: dict[str, _Leg] = {}
    boots = boots_of(captures, lambda path: open_capture(path, keys))
    call.remarks += boots.remarks
    starts: list[int] = []
    for path in sorted(captures):
        with open_capture(path, keys) as stream:
            try:
                reading = cf.read(stream)
            except ValueError as error:  # nothing to be had of it but its hash
                call.remarks.append(f"{path.name}: {error}")
                continue
            leg = legs.setdefault(reading.header.leg, _Leg(reading.header.role))
            earliest = _gather(leg, reading, boots.shift_ns(reading.header), call.remarks, path.name)
        if earliest is not None:
            starts.append(earliest)
    call.zero_ns = min(starts, default=0)
    call.zero_utc_ns = boots.utc_ns(call.zero_ns) if starts else 0
    call.legs = [_captured(name, legs.pop(name)) for name in list(legs)]  # what was gathered of a leg goes with it
    return call


def _captured(name: str, leg: _Leg) -> LegCapture:
    return LegCapture(name, leg.role, leg.heard.packets(), leg.sent.packets(), leg.codecs)


def _gather(leg: _Leg, reading: cf.Reading, shift_ns: int, remarks: list[str], name: str) -> int | None:
    """Take a capture's packets into its leg; the time of its earliest packet."""
    _agreed(leg, reading.header.codec.name, reading.header.codec.payload_type)
    refused = leg.heard.refused + leg.sent.refused
    earliest: int | None = None
    for record in reading:
        at_ns = record.at_ns + shift_ns
        if record.kind is cf.Kind.NOTE:
            _noted(leg, record, remarks, name)
            continue
        if record.kind is cf.Kind.HEADER:
            continue
        earliest = at_ns if earliest is None else min(earliest, at_ns)
        (leg.heard if record.kind is cf.Kind.IN else leg.sent).add(at_ns, record.data)
    if reading.cut is not None:
        remarks.append(f"{name}: {reading.cut}")
    if (bad := leg.heard.refused + leg.sent.refused - refused) > 0:
        remarks.append(f"{name}: {bad} records hold no sound")
    return earliest


def _noted(leg: _Leg, record: cf.Record, remarks: list[str], name: str) -> None:
    """A leg that is placed anew may have another codec; what the writer dropped is told of."""
    try:
        note = record.note()
    except ValueError:
        remarks.append(f"{name}: a note that is no object")
        return
    codec = note.get("codec")
    if isinstance(codec, dict):
        _agreed(leg, str(codec.get("name")), int(codec.get("payload_type", -1)))
    if note.get("note") == "dropped":
        remarks.append(f"{name}: {note.get('count', 'some')} packets were not written")


def _agreed(leg: _Leg, codec: str, payload_type: int) -> None:
    if codec in RATES_HZ and payload_type >= 0:
        leg.codecs[payload_type] = codec


def codec_of(payload_type: int, agreed: dict[int, str]) -> str:
    """The codec of a payload type on a leg; "" for what is no sound: DTMF, comfort noise, what nobody agreed on."""
    return agreed.get(payload_type) or STATIC_TYPES.get(payload_type, "")


def decode(codec: str, payload: bytes) -> Samples:
    """PCM of payloads that follow each other: `SAMPLES_PER_BYTE` at `RATES_HZ`. Raises ValueError when it cannot be decoded."""
    if codec == PCMU:
        return g711.decode_ulaw(payload)
    if codec == PCMA:
        return g711.decode_alaw(payload)
    return _decode_g722(payload)


def _decode_g722(payload: bytes) -> Samples:
    """64 kbit/s (ITU-T G.722 mode 1). The decoder's memory goes on over the whole payload."""
    decoder = av.CodecContext.create("g722", "r")
    decoder.sample_rate = RATES_HZ[G722]
    decoder.layout = "mono"
    samples: Samples = np.zeros(SAMPLES_PER_BYTE[G722] * len(payload), np.int16)
    at = 0
    try:
        for piece in chain(_pieces(payload), (b"",)):  # the last one has what the decoder keeps back
            for frame in decoder.decode(av.Packet(piece) if piece else None):
                part = frame.to_ndarray().reshape(-1)
                samples[at : at + part.size] = part[: samples.size - at]
                at += part.size
    except av.FFmpegError as error:
        raise ValueError(f"G.722 cannot be decoded: {error}") from error
    if at != samples.size:
        raise ValueError("G.722 gave another number of samples than it should")
    return samples


def _pieces(payload: bytes) -> Iterator[bytes]:
    return (payload[start : start + _CHUNK_BYTES] for start in range(0, len(payload), _CHUNK_BYTES))
