"""Prompts of one tone for the call worker's tests, and where in a received line a tone is."""

import wave
from pathlib import Path

import numpy as np

from tests.loopback.call_worker_rig import Rig
from tests.loopback.rtp_peer import RtpPeer


def tone_file(path: Path, hz: float, seconds: float, rate_hz: int = 8_000) -> None:
    """A WAV of one tone at a quarter of full scale."""
    samples = np.arange(int(rate_hz * seconds))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((8_000 * np.sin(2 * np.pi * hz * samples / rate_hz)).astype("<i2").tobytes())


def write_prompt(rig: Rig, name: str, ms: int, hz: float, rate_hz: int = 8_000) -> None:
    """`<name>.wav` of a rig's prompts."""
    tone_file(rig.run_dir / "prompts" / "en" / f"{name}.wav", hz, ms / 1_000, rate_hz)


def bursts(peer: RtpPeer, hz: float) -> list[float]:
    """When a tone began, in seconds of the received line."""
    begun, was = [], False
    heard = list(peer.heard)
    for at in range(0, len(heard) - 2, 3):
        pcm = peer._decode(b"".join(packet.payload for packet in heard[at : at + 3]))
        phase = np.exp(-2j * np.pi * hz / 8_000 * np.arange(len(pcm)))
        present = 2 * abs(np.dot(pcm.astype(float), phase)) / len(pcm) > 2_000
        if present and not was:
            begun.append(at * 0.02)
        was = present
    return begun
