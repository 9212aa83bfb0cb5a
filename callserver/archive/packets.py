"""RTP packets of one leg and direction as columns: hours of them stay small, and numpy reckons with all at once."""

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

RTP_HEAD_BYTES = 12

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Packets:
    """Columns of equal length, in the order of arrival; `at_ns` is BOOTTIME of the call's first boot."""

    at_ns: NDArray[np.int64]
    ssrc: NDArray[np.uint32]
    seq: NDArray[np.uint16]
    timestamp: NDArray[np.uint32]
    payload_type: NDArray[np.uint8]
    start: NDArray[np.int64]  # of the payload in `data`
    length: NDArray[np.int64]  # of the payload, bytes
    data: bytes

    def __len__(self) -> int:
        return len(self.at_ns)

    def take(self, which: Places) -> "Packets":
        """The packets at these places, in this order."""
        return Packets(
            self.at_ns[which],
            self.ssrc[which],
            self.seq[which],
            self.timestamp[which],
            self.payload_type[which],
            self.start[which],
            self.length[which],
            self.data,
        )

    def payload(self, place: int) -> bytes:
        """The payload of one of them."""
        return self.data[int(self.start[place]) : int(self.start[place] + self.length[place])]

    def payloads(self) -> bytes:
        """All payloads, one after the other."""
        return b"".join(self.data[at : at + size] for at, size in zip(self.start.tolist(), self.length.tolist(), strict=True))


@dataclass(slots=True)
class Gathering:
    """Packets being collected, from one capture after the other."""

    refused: int = 0  # records that hold no RTP packet with a payload
    _at: "array[int]" = field(default_factory=lambda: array("q"))
    _ssrc: "array[int]" = field(default_factory=lambda: array("I"))
    _seq: "array[int]" = field(default_factory=lambda: array("H"))
    _timestamp: "array[int]" = field(default_factory=lambda: array("I"))
    _type: "array[int]" = field(default_factory=lambda: array("B"))
    _start: "array[int]" = field(default_factory=lambda: array("q"))
    _length: "array[int]" = field(default_factory=lambda: array("q"))
    _data: bytearray = field(default_factory=bytearray)

    def add(self, at_ns: int, packet: bytes) -> None:
        """Take in one RTP packet (RFC 3550 section 5.1), whole as it was on the wire.

        What is no sound (DTMF, comfort noise) belongs in too: it has its place among the sequence numbers.
        """
        payload = payload_of(packet)
        if not payload:
            self.refused += 1
            return
        self._at.append(at_ns)
        self._type.append(packet[1] & 0x7F)
        self._seq.append(int.from_bytes(packet[2:4], "big"))
        self._timestamp.append(int.from_bytes(packet[4:8], "big"))
        self._ssrc.append(int.from_bytes(packet[8:12], "big"))
        self._start.append(len(self._data))
        self._length.append(len(payload))
        self._data += payload

    def packets(self) -> Packets:
        """All of them in the order of arrival."""
        found = Packets(
            np.array(self._at, np.int64),
            np.array(self._ssrc, np.uint32),
            np.array(self._seq, np.uint16),
            np.array(self._timestamp, np.uint32),
            np.array(self._type, np.uint8),
            np.array(self._start, np.int64),
            np.array(self._length, np.int64),
            bytes(self._data),
        )
        return found.take(np.argsort(found.at_ns, kind="stable"))


def payload_of(packet: bytes) -> bytes:
    """The payload without CSRCs, extension and padding; empty for what is no RTP packet (RFC 3550 section 5.1)."""
    if len(packet) < RTP_HEAD_BYTES or packet[0] >> 6 != 2:
        return b""
    start, end = RTP_HEAD_BYTES + 4 * (packet[0] & 15), len(packet)
    if packet[0] & 0x10:
        if end < start + 4:
            return b""
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    if packet[0] & 0x20:
        end -= packet[-1]
    return packet[start:end]
