"""The capture file: what arrived and what was sent on one leg, packet by packet, with its true time.

A file is `MAGIC`, then records until its end. Each record, little-endian:

    u64 boottime ns | u8 kind | u8 flags | u16 length | `length` bytes | u32 CRC32C of all before it in the record

The first record is of kind HEADER (JSON of `Header`). IN and OUT carry one whole RTP packet as it stood on the outer
wire; NOTE carries a JSON object: what changed on the leg (`{"note": "placed", ...}`) or what is missing
(`{"note": "dropped", "count": n}`). A writer that is killed leaves a cut last record; `read` gives all before it and says so.
The hash of a capture covers these bytes.
"""

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import google_crc32c
import msgspec

from callserver.media.protocol import Codec

VERSION = 1
MAGIC = b"CSCAP\r\n" + bytes([VERSION])
MAX_DATA_BYTES = 65_535

_HEAD = struct.Struct("<QBBH")
_CRC = struct.Struct("<I")
RECORD_OVERHEAD_BYTES = _HEAD.size + _CRC.size


class Kind(enum.IntEnum):
    """What a record holds."""

    HEADER = 0
    IN = 1
    OUT = 2
    NOTE = 3


LATE = 0x01  # flag of IN: had waited in the socket (no worker read it in time), is evidence but was not heard
DTMF = 0x02  # flag of IN and OUT: a telephone-event, not sound


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Whose capture this is, and how its boottime stamps become UTC (`anchor_utc_ns` was at `anchor_boottime_ns`)."""

    version: int = VERSION
    call: str
    leg: str
    role: str
    segment: int
    codec: Codec
    boot_id: str
    anchor_number: int
    anchor_boottime_ns: int
    anchor_utc_ns: int
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `at_ns` is CLOCK_BOOTTIME: of arrival (kernel's stamp) for IN, of sending for OUT."""

    at_ns: int
    kind: Kind
    flags: int
    data: bytes

    def note(self) -> dict[str, Any]:
        """The object of a NOTE. `ValueError` for other kinds."""
        if self.kind is not Kind.NOTE:
            raise ValueError("only a note holds an object")
        return msgspec.json.decode(self.data, type=dict[str, Any])


def encode_record(at_ns: int, kind: int, data: bytes, flags: int = 0) -> bytes:
    """One record's bytes. `ValueError` when `data` is longer than `MAX_DATA_BYTES`."""
    if len(data) > MAX_DATA_BYTES:
        raise ValueError("a capture record holds at most 65535 bytes")
    body = _HEAD.pack(at_ns, kind, flags, len(data)) + data
    return body + _CRC.pack(google_crc32c.value(body))


def encode_header(header: Header, at_ns: int) -> bytes:
    """The beginning of a file: magic and header record."""
    return MAGIC + encode_record(at_ns, Kind.HEADER, msgspec.json.encode(header))


def encode_note(at_ns: int, note: dict[str, Any]) -> bytes:
    """A NOTE record."""
    return encode_record(at_ns, Kind.NOTE, msgspec.json.encode(note))


class Reading:
    """A capture being read: `header` at once, records by iterating (once), `cut` afterwards.

    `cut` is None when the file ends with a whole record, else plain words on what stands at `good_bytes`, the length of the
    part that is whole.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.good_bytes = 0
        self.cut: str | None = None
        if self._exactly(len(MAGIC)) != MAGIC:
            raise ValueError("not a capture file of this version")
        self.good_bytes = len(MAGIC)
        first = self._next()
        if first is None or first.kind is not Kind.HEADER:
            raise ValueError("capture file without a header")
        self.header = msgspec.json.decode(first.data, type=Header)

    def __iter__(self) -> Iterator[Record]:
        while (record := self._next()) is not None:
            yield record

    def _exactly(self, wanted: int) -> bytes:
        """Up to `wanted` bytes; fewer only at the end of the stream."""
        parts = self._stream.read(wanted) or b""
        while len(parts) < wanted and (more := self._stream.read(wanted - len(parts))):
            parts += more
        return parts

    def _next(self) -> Record | None:
        if self.cut is not None:
            return None
        head = self._exactly(_HEAD.size)
        if not head:
            return None
        if len(head) < _HEAD.size:
            return self._end("cut in a record's head")
        at_ns, kind, flags, length = _HEAD.unpack(head)
        rest = self._exactly(length + _CRC.size)
        if len(rest) < length + _CRC.size:
            return self._end("cut in a record")
        data = rest[:length]
        if google_crc32c.value(head + data) != _CRC.unpack_from(rest, length)[0]:
            return self._end("checksum does not fit")
        if kind not in _KINDS:
            return self._end("unknown kind of record")
        self.good_bytes += len(head) + len(rest)
        return Record(at_ns, _KINDS[kind], flags, data)

    def _end(self, what: str) -> Record | None:
        self.cut = f"{what} at byte {self.good_bytes}"
        return None


class Growing:
    """A capture that is still being written: `feed` it what has come, piece by piece. `header` is None until that is whole."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self._waiting = bytearray()
        self._begun = False

    def feed(self, data: bytes) -> list[Record]:
        """The records, but the header, that these bytes complete. `ValueError` for what is damaged, from where on nothing more
        can be had."""
        self._waiting += data
        if not self._begun and len(self._waiting) >= len(MAGIC):
            if self._waiting[: len(MAGIC)] != MAGIC:
                raise ValueError("not a capture file of this version")
            del self._waiting[: len(MAGIC)]
            self._begun = True
        return list(self._whole()) if self._begun else []

    def _whole(self) -> Iterator[Record]:
        at, waiting = 0, bytes(self._waiting)
        while len(waiting) - at >= _HEAD.size:
            at_ns, kind, flags, length = _HEAD.unpack_from(waiting, at)
            end = at + _HEAD.size + length
            if len(waiting) < end + _CRC.size:
                break
            if google_crc32c.value(waiting[at:end]) != _CRC.unpack_from(waiting, end)[0] or kind not in _KINDS:
                raise ValueError("a record is damaged")
            record = Record(at_ns, _KINDS[kind], flags, waiting[at + _HEAD.size : end])
            at = end + _CRC.size
            if kind == Kind.HEADER:
                self.header = msgspec.json.decode(record.data, type=Header)
            else:
                yield record
        del self._waiting[:at]


_KINDS = {int(kind): kind for kind in Kind}


def read(stream: BinaryIO) -> Reading:
    """Read a capture. `ValueError` when it has no whole header; a cut or damaged tail ends the records and is told by `cut`."""
    return Reading(stream)
