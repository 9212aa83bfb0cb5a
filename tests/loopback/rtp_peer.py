"""A device's RTP end for tests: sends a tone each 20 ms from its own thread, keeps what comes with its kernel stamp.

Tones are made and found here, with nothing of the service's: G.711 mu-law and A-law by numpy, G.722 by PyAV.
"""

import select
import socket
import struct
import threading
import time
from dataclasses import dataclass

import av
import numpy as np

SO_TIMESTAMPNS = 35
RATE_HZ = 8_000
PTIME_S = 0.02
_HEADER = struct.Struct("!BBHII")


def ulaw_encode(pcm: np.ndarray) -> bytes:
    """16-bit samples to mu-law (G.711)."""
    sign = np.where(pcm < 0, 0x80, 0)
    value = np.minimum(np.abs(pcm.astype(np.int32)), 32_635) + 132
    exponent = np.floor(np.log2(value)).astype(int) - 7
    mantissa = (value >> (exponent + 3)) & 0x0F
    return bytes((~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def ulaw_decode(data: bytes) -> np.ndarray:
    """mu-law to samples."""
    code = ~np.frombuffer(data, np.uint8).astype(np.int32) & 0xFF
    value = (((code & 0x0F) << 3) + 132 << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -value, value).astype(np.int16)


def alaw_encode(pcm: np.ndarray) -> bytes:
    """16-bit samples to A-law (G.711)."""
    value = np.minimum(np.abs(pcm.astype(np.int32)), 32_635)
    exponent = np.where(value >= 256, np.floor(np.log2(np.maximum(value, 1))).astype(int) - 7, 0)
    mantissa = np.where(exponent > 0, (value >> (exponent + 3)) & 0x0F, (value >> 4) & 0x0F)
    code = (exponent << 4) | mantissa | np.where(pcm >= 0, 0x80, 0)
    return bytes((code ^ 0x55).astype(np.uint8))


def alaw_decode(data: bytes) -> np.ndarray:
    """A-law to samples."""
    code = np.frombuffer(data, np.uint8).astype(np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    value = np.where(exponent > 0, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0), (mantissa << 4) + 8)
    return np.where(code & 0x80, value, -value).astype(np.int16)


def g722_encode(pcm: np.ndarray) -> bytes:
    """16 kHz samples to G.722."""
    codec = av.CodecContext.create("g722", "w")
    codec.sample_rate, codec.format, codec.layout = 16_000, "s16", "mono"
    out = b""
    for start in range(0, len(pcm) - 319, 320):
        frame = av.AudioFrame.from_ndarray(pcm[start : start + 320].reshape(1, -1), "s16", "mono")
        frame.sample_rate = 16_000
        out += b"".join(bytes(packet) for packet in codec.encode(frame))
    return out


def g722_decode(data: bytes) -> np.ndarray:
    """G.722 to 16 kHz samples."""
    codec = av.CodecContext.create("g722", "r")
    codec.sample_rate = 16_000
    codec.layout = "mono"
    parts = [
        frame.to_ndarray().ravel()
        for start in range(0, len(data), 160)
        for frame in codec.decode(av.Packet(data[start : start + 160]))
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)


CODECS = {
    "PCMU": (8_000, ulaw_encode, ulaw_decode, 0),
    "PCMA": (8_000, alaw_encode, alaw_decode, 8),
    "G722": (16_000, g722_encode, g722_decode, 9),
}


def strength(pcm: np.ndarray, hz: float, rate_hz: int) -> float:
    """Amplitude of one frequency (Goertzel's result, by its sum), 0 to 1 of full scale."""
    if not len(pcm):
        return 0.0
    phase = np.exp(-2j * np.pi * hz / rate_hz * np.arange(len(pcm)))
    return float(2 * abs(np.dot(pcm.astype(float), phase)) / len(pcm) / 32_768)


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet that came."""

    at_s: float  # kernel's stamp, UTC
    ssrc: int
    sequence: int
    timestamp: int
    marker: bool
    payload_type: int
    payload: bytes
    source: tuple[str, int]


class RtpPeer:
    """Bound to a loopback port; `start(to)` begins to send its tone. `heard` grows."""

    def __init__(self, hz: float, codec: str = "PCMU", payload_type: int | None = None, host: str = "127.0.0.1") -> None:
        self.hz, self.codec = hz, codec
        self.rate_hz, self._encode, self._decode, static = CODECS[codec]
        self.payload_type = static if payload_type is None else payload_type
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((host, 0))
        self.port = self.socket.getsockname()[1]
        self.heard: list[Heard] = []
        self.others = 0
        self.sent = 0
        self.muted = False
        self.echo = False  # it sends back what comes, and nothing of its own
        self.tone = self._tone(hz)
        self.silence = self._encode(np.zeros(self.rate_hz, np.int16))
        self.payload = self.tone  # what it says again and again: a whole number of packets
        self.said: list[tuple[float, bytes]] = []  # UTC at which each payload that it changed to begins
        self._to: tuple[str, int] | None = None
        self._ssrc, self._sequence, self._first_timestamp = 0x10000000 + self.port, 65_500, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"peer {hz}", daemon=True)
        self._thread.start()

    def _tone(self, hz: float) -> bytes:
        samples = np.arange(self.rate_hz)  # one second, a whole number of periods
        return self._encode((0.25 * 32_767 * np.sin(2 * np.pi * hz * samples / self.rate_hz)).astype(np.int16))

    def renew(self, hz: float) -> None:
        """Another RTP line with another tone from now on, as of a device that was reset: SSRC, sequence and time begin anew."""
        self.hz, self.tone = hz, self._tone(hz)
        self.payload = self.tone
        self._ssrc, self._sequence, self._first_timestamp = self._ssrc ^ 0x5A5A5A5A, 7, 0x7FFF0000

    def start(self, to: tuple[str, int]) -> None:
        """Send there from now on."""
        self._to = to

    def close(self) -> None:
        """End its thread and socket."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join(2)
        self.socket.close()

    def send(
        self, payload: bytes, payload_type: int, timestamp: int, marker: bool = False, to: tuple[str, int] | None = None
    ) -> None:
        """One packet of the test's making."""
        target = to or self._to
        assert target is not None
        head = _HEADER.pack(
            0x80, payload_type | (0x80 if marker else 0), self._sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self._ssrc
        )
        self._sequence += 1
        self.sent += 1
        self.socket.sendto(head + payload, target)

    def pcm(self, last_s: float) -> np.ndarray:
        """What the last packets, of so many seconds in all, say."""
        return self._decode(b"".join(packet.payload for packet in self.heard[-int(last_s / PTIME_S) :]))

    def hears(self, hz: float, last_s: float = 0.4) -> float:
        """Strength of a tone in the last packets."""
        return strength(self.pcm(last_s), hz, self.rate_hz)

    def _run(self) -> None:
        due, step = time.monotonic(), 0
        while not self._stop.is_set():
            wait = due - time.monotonic()
            if wait > 0:
                if select.select([self.socket], [], [], wait)[0]:
                    self._receive()
                continue
            due += PTIME_S
            if self._to is not None and not self.muted and not self.echo:
                payload, start = self.payload, (step * 160) % len(self.payload)
                if not self.said or self.said[-1][1] is not payload:
                    late_s = time.monotonic() - (due - PTIME_S)  # its RTP time says when it was to be sent
                    self.said.append((time.time() - late_s, payload))
                self.send(payload[start : start + 160], self.payload_type, self._first_timestamp + step * 160)
            step += 1

    def _receive(self) -> None:
        data, ancillary, _, source = self.socket.recvmsg(2_048, 64)
        if len(data) < 12 or 192 <= data[1] <= 223:
            self.others += 1
            return
        seconds, rest = struct.unpack("@qq", ancillary[0][2])
        _, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        at = seconds + rest / 1e9
        self.heard.append(Heard(at, ssrc, sequence, timestamp, kind >= 0x80, kind & 0x7F, data[12:], source))
        if self.echo and self._to is not None:
            self.send(data[12:], self.payload_type, len(self.heard) * 160)
