"""A scripted SIP phone: voipbench's user agent for signalling, an `RtpPeer` for sound. Everything on the wire is kept."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.loopback.rtp_peer import CODECS, RtpPeer, strength
from tests.voipbench.ua import Call, UserAgent


class _Stream:
    """What voipbench's Call expects of its media, standing on an RtpPeer."""

    def __init__(self, phone: "Phone") -> None:
        self.phone = phone
        self.engine = phone
        self.sid = phone.rtp.port
        self.port = phone.rtp.port

    def start(self, to: tuple[str, int]) -> None:
        self.phone.rtp.start(to)
        self.phone.sends_to = to

    def stop(self) -> None:
        return

    def close(self) -> None:
        return


@dataclass
class Phone:
    """One SIP address with one tone. `answer_after_s` None: it only rings; `refuse`: it answers with this status."""

    user: str
    server: tuple[str, int]
    hz: float
    password: str = ""
    answer_after_s: float | None = 0.05
    refuse: int = 0
    host: str = "127.0.0.1"
    port: int = 0
    calls: list[Any] = field(default_factory=list)
    sip: list[tuple[float, str, str]] = field(default_factory=list)  # time, direction, first line
    sends_to: tuple[str, int] = ("", 0)

    async def open(self) -> "Phone":
        """Take ports."""
        self.rtp = RtpPeer(self.hz, "PCMA")
        self.ua = UserAgent(self, self.host, self.port, user=self.user, password=self.password or None, trace=self._trace)
        self.ua.on_invite = self._invited
        await self.ua.start()
        return self

    def close(self) -> None:
        """Give the ports back."""
        self.ua.close()
        self.rtp.close()

    def stream(self) -> _Stream:
        """For voipbench."""
        return _Stream(self)

    async def register(self, expires: int = 300) -> None:
        """REGISTER by digest."""
        await self.ua.register(self.server, expires)

    async def press(self, timeout: float = 90.0) -> Any:
        """Call for help; returns when answered."""
        call = Call(self.ua, "uac", self.stream())
        self.calls.append(call)
        return await self.ua.invite(f"sip:help@{self.server[0]}:{self.server[1]}", self.server, timeout=timeout, call=call)

    def pressing(self, timeout: float = 90.0) -> "asyncio.Task[Any]":
        """The same in the background."""
        return asyncio.create_task(self.press(timeout))

    @property
    def call(self) -> Any:
        """The latest call."""
        return self.calls[-1]

    def rang(self) -> int:
        """How many INVITEs rang here."""
        return sum(line.startswith("INVITE") for _, way, line in self.sip if way == "<")

    def acknowledged(self) -> bool:
        """Whether its latest answer had its ACK: from then on the service knows that somebody talks here."""
        return bool(self.calls) and self.call.state == "up" and "ack" in self.call.t

    def hears(self, hz: float, last_s: float = 0.4) -> bool:
        """Whether a tone is in what came last, in fresh packets."""
        fresh = self.rtp.heard and time.time() - self.rtp.heard[-1].at_s < 0.2
        return bool(fresh) and self.rtp.hears(hz, last_s) > 0.03

    def tone_holes(self, hz: float, since_s: float) -> list[tuple[float, float]]:
        """Stretches without this tone after `since_s` (UTC): (begin, length in s), from packets' kernel stamps.

        A packet counts when the tone is in its own 20 ms; a hole lasts from the end of the last such packet to the next.
        """
        rate, _, decode, _ = CODECS[self.rtp.codec]
        good = [p.at_s for p in self.rtp.heard if p.at_s >= since_s and strength(decode(p.payload), hz, rate) > 0.05]
        return [(a, b - a) for a, b in itertools.pairwise(good) if b - a > 0.03]

    def sequence_lost(self, since_s: float = 0.0) -> int:
        """Packets missing by sequence number in what came."""
        numbers = [p.sequence for p in self.rtp.heard if p.at_s >= since_s]
        steps = (np.diff(np.array(numbers, dtype=np.int64)) & 0xFFFF) if len(numbers) > 1 else np.zeros(0)
        return int((steps - 1).clip(0).sum())

    def _invited(self, call: Any) -> None:
        self.calls.append(call)
        if self.refuse:
            call.reject(self.refuse)
            return
        call.ring()
        if self.answer_after_s is not None:
            asyncio.get_running_loop().call_later(self.answer_after_s, call.answer)

    def _trace(self, way: str, _: object, data: bytes) -> None:
        self.sip.append((time.time(), way, data.split(b"\r\n", 1)[0].decode(errors="replace")))
