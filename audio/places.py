"""Where in the sound a stretch of a FLAC file's bytes lies: what somebody heard who was sent these bytes and no others.

A frame's header says which sample it begins with (RFC 9639 section 9.1), so only the few bytes around both ends are read.
"""

from collections.abc import Iterable, Sequence
from typing import BinaryIO, NamedTuple

_MAGIC = b"fLaC"
_LAST_BLOCK, _STREAM_INFO, _INFO_BYTES = 0x80, 0, 34
_LONGEST_HEADER = 16
_PART_BYTES = 65_536


class _Stream(NamedTuple):
    rate_hz: int
    samples: int
    block: int  # samples of a frame, where all are equal
    begins: int  # the first frame's place in the file


def sound_in(file: BinaryIO, bytes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The sound that lies in these stretches of bytes, each (first, one after the last), as (from, to) in ms, in the same order.

    A frame of which one byte is there counts whole; a stretch before the first frame has no sound. Raises ValueError for what is
    no FLAC file as `audio.tracks` writes them, OSError.
    """
    stream = _read(file)
    found = []
    for first, end in bytes:
        begins = max(first, stream.begins)
        if begins >= end:
            continue
        after = _sample_from(file, stream, end)
        at = _sample_from(file, stream, begins)
        if begins > stream.begins:
            at = max(0, at - stream.block)  # the frame before it, whose end is there; after the last frame there is none
        found.append((at * 1000 // stream.rate_hz, -(-after * 1000 // stream.rate_hz)))
    return found


def _read(file: BinaryIO) -> _Stream:
    """RFC 9639 section 8: the metadata blocks, of which the first describes the stream."""
    file.seek(0)
    head = file.read(len(_MAGIC) + 4 + _INFO_BYTES)
    if head[:4] != _MAGIC or len(head) < 8 + _INFO_BYTES or head[4] & 0x7F != _STREAM_INFO:
        raise ValueError("no FLAC file")
    info = head[8:]
    packed = int.from_bytes(info[10:18])
    block, rate_hz, samples = int.from_bytes(info[2:4]), packed >> 44, packed & (1 << 36) - 1
    if int.from_bytes(info[:2]) != block or not block or not rate_hz:
        raise ValueError("a FLAC file with frames of several lengths")
    last, at = head[4] & _LAST_BLOCK, 8 + int.from_bytes(head[5:8])
    while not last:
        file.seek(at)
        block_head = file.read(4)
        if len(block_head) < 4:
            raise ValueError("a FLAC file that was cut")
        last, at = block_head[0] & _LAST_BLOCK, at + 4 + int.from_bytes(block_head[1:])
    return _Stream(rate_hz, samples, block, at)


def _sample_from(file: BinaryIO, stream: _Stream, at: int) -> int:
    """The first sample of the first frame that begins at this byte or later; all samples where none does."""
    file.seek(at)
    octets = b""
    while part := file.read(_PART_BYTES):
        octets = octets[-_LONGEST_HEADER:] + part
        place = -1
        while (place := octets.find(b"\xff\xf8", place + 1)) >= 0:
            number = _frame_number(octets[place : place + _LONGEST_HEADER])
            if number is not None and number * stream.block < max(stream.samples, 1):
                return number * stream.block
    return stream.samples


def _frame_number(header: bytes) -> int | None:
    """Which frame a header is of; None for bytes that are no header. Its last byte is a checksum of the others."""
    if len(header) < 6 or header[3] & 1:
        return None
    lead = header[4]
    more = max(0, 7 - (lead ^ 0xFF).bit_length())  # as UTF-8 says it: so many ones, less one, lead
    if more > 5 or lead & 0xC0 == 0x80:
        return None
    number = lead if not more else lead & (0x3F >> more)
    for octet in header[5 : 5 + more]:
        if octet & 0xC0 != 0x80:
            return None
        number = number << 6 | octet & 0x3F
    end = 5 + more + {6: 1, 7: 2}.get(header[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(header[2] & 0x0F, 0)
    return number if end < len(header) and _crc8(header[:end]) == header[end] else None


def _crc8(octets: Sequence[int]) -> int:
    """Polynomial x^8 + x^2 + x + 1, from 0 (RFC 9639 section 9.1.8)."""
    crc = 0
    for octet in octets:
        crc ^= octet
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc
