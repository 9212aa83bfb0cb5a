"""Scripted points and operators around one running service, and what a test wants to know of a conversation."""

import contextlib
import itertools
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from callserver.archive.decode import open_capture
from callserver.media import capture_format as cf
from tests.eventually import eventually
from tests.loopback.phone import Phone
from tests.loopback.service import Service

HOLE_AFTER_S = 0.6  # a hole that begins later than this after a fault has another cause


@dataclass
class Conversation:
    """One point talking with one operator, and the worker that carries it."""

    point: Phone
    operator: Phone
    worker: int = 0

    def both_hear(self) -> bool:
        """Each hears the other's tone now."""
        return self.point.hears(self.operator.hz) and self.operator.hears(self.point.hz)

    def messages(self) -> int:
        """SIP messages at both ends so far."""
        return len(self.point.sip) + len(self.operator.sip)

    def restored_s(self, since_s: float) -> float:
        """From a fault until the tones flow both ways again, by the kernel's stamps; 0 when there was no hole."""
        worst = 0.0
        for phone, hz in ((self.point, self.operator.hz), (self.operator, self.point.hz)):
            holes = [(at, long) for at, long in phone.tone_holes(hz, since_s - 0.2) if at - since_s < HOLE_AFTER_S]
            worst = max([worst, *(at + long - since_s for at, long in holes)])
        return worst

    def lines(self) -> set[tuple[int, tuple[str, int]]]:
        """(SSRC, source) of all that both ends got."""
        return {(p.ssrc, p.source) for phone in (self.point, self.operator) for p in phone.rtp.heard}


@dataclass
class Desk:
    """Phones of one test."""

    service: Service
    phones: list[Phone] = field(default_factory=list)

    async def phone(self, user: str, hz: float, register: bool = True, **options: object) -> Phone:
        """A phone of a point or an operator of the test plan."""
        phone = Phone(user, self.service.server, hz, password=f"secret-{user}", **options)  # type: ignore[arg-type]
        self.phones.append(await phone.open())
        if register:
            await phone.register()
        return phone

    async def on_duty(self, *operators: Phone) -> None:
        """Wait until the service knows of these seats."""
        wanted = {phone.user for phone in operators}
        await eventually(lambda: wanted <= {fact["operator"] for fact in self.service.journal("SeatChanged")}, 5)

    async def talk(self, number: int) -> Conversation:
        """Point `p<n>` presses, `op<n>` (registered here, the only free one) answers; returns when both hear each other."""
        operator = await self.phone(f"op{number}", 1000.0 + 40 * number)
        await self.on_duty(operator)
        point = await self.phone(f"p{number}", 440.0 + 40 * number)
        before = set(self.service.workers())
        await point.press()
        talk = Conversation(point, operator)
        await eventually(talk.both_hear, 5)
        new = await eventually(lambda: set(self.service.workers()) - before, 2)
        assert isinstance(new, set) and len(new) == 1
        talk.worker = new.pop()
        return talk


@contextlib.asynccontextmanager
async def desk(service: Service) -> AsyncIterator[Desk]:
    """Phones that are all closed at the end."""
    made = Desk(service)
    try:
        yield made
    finally:
        for phone in made.phones:
            phone.close()


def captured(data: Path, leg: str) -> list[tuple[int, int]]:
    """(sequence number, arrival in boottime ns) of every packet that a leg's captures hold as arrived."""
    found = []
    for path in sorted((data / "captures").rglob(f"{leg}.*.cap*")):
        with open_capture(path) as stream:
            for record in cf.read(stream):
                if record.kind == cf.Kind.IN:
                    found.append((struct.unpack_from("!H", record.data, 2)[0], record.at_ns))
    return sorted(found, key=lambda packet: packet[1])


def missing_packets(data: Path, leg: str) -> int:
    """Packets that a device sent and its captures lack, between the first and the last that they hold."""
    packets = captured(data, leg)
    numbers = [number for number, _ in packets]
    steps = [(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)]
    return sum(step - 1 for step in steps if 1 < step < 0x8000)


def legs_of(service: Service, point: str) -> list[str]:
    """The legs that a point's device had, in order."""
    return [fact["leg"] for fact in service.journal("LegCreated") if fact["party"] == point]


def now_s() -> float:
    """UTC in seconds, as packets' stamps have it."""
    return time.time()
