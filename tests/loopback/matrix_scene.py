"""One live call in a real service: its people, how each shape is made, how each fault strikes, what is heard and told."""

import asyncio
import contextlib
import itertools
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audio.prompts import phrases
from audio.tracks import read_sound
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from tests.eventually import eventually
from tests.loopback.desk import legs_of, now_s
from tests.loopback.matrix import PROMPTS, TONES, VOICES, Ears, roles_of, words
from tests.loopback.phone import Phone
from tests.loopback.rtp_peer import CODECS, strength
from tests.loopback.rules import WallClock
from tests.loopback.wire_desk import Wire, WireService, wire
from tests.peers.ports import Ports

LOOK = 20  # packets, 400 ms
PRESENT, ABSENT = 0.12, 0.02  # of full scale; all tones are sent at 0.25
NOTICED_S = 8.0
VANISHED_S = 15.0  # a device that vanishes is asked whether it lives, and that takes its time
TAIL_S = 1.5  # lines that end one after the other; the voices of those that end last are longer
BY = "supervisor"
_GUARDS = """\
[parties.guards]
name = "Guards"
accept = "1"
[[parties.guards.routes]]
uri = "sip:guards@127.0.0.1:{port}"
"""


def _wav(file: Path, hz: float, seconds: float) -> None:
    samples = np.arange(int(8_000 * seconds))
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes((8_000 * np.sin(2 * np.pi * hz * samples / 8_000)).astype("<i2").tobytes())


class MatrixService(WireService):
    """Its prompts of waiting are tones that never end, all other words are too short to hear."""

    def __init__(self, directory: Path, ports: Ports) -> None:
        super().__init__(directory, ports)
        plan = directory / "plan.toml"
        text = plan.read_text().replace("ring_timeout =", "whisper_place = false\nring_timeout =")
        plan.write_text(f"{text}{_GUARDS.format(port=self.police)}")
        self.made = 0
        self.disk: Path | None = None
        self.clock, self.hours = WallClock(directory / "clock").ahead(0), itertools.cycle((1, 0, -1, 0))
        self.environment |= self.clock.environment()

    def write_prompts(self) -> None:
        """Before it starts: a file that lies there is somebody's recording and stays."""
        folder = self.data / "prompts" / "en"
        folder.mkdir(parents=True, exist_ok=True)
        for name in {phrase.name for phrase in phrases()} | {f"place-p{number}" for number in range(1, 8)}:
            _wav(folder / f"{name}.wav", PROMPTS.get(name, 0.0), 62.0 if name in PROMPTS else 0.02)

    def ask(self, verb: Verb, **args: object) -> None:
        """One verb of the control socket."""
        ask_sync(self.run / "control.sock", verb, {**args, "by": BY}, 4.0)

    def told(self, since: int) -> list[str]:
        """What the journal tells after fact number `since`, a few words each."""
        facts = self.journal()
        roles = roles_of(facts)
        return [words(fact, roles) for fact in facts if fact["number"] > since]


@dataclass
class Scene:
    """A call and its people by role; who is not there yet is not in `phones`."""

    people: Wire
    service: MatrixService
    pair: int
    phones: dict[str, Phone] = field(default_factory=dict)
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)

    # ---- people -----------------------------------------------------------------------------------------------

    async def seat(self, role: str, answer_after_s: float | None = 0.05) -> Phone:
        """The operator's or the colleague's, on duty from now on."""
        number = 1 + 2 * (self.pair % 3) + (role == "colleague")
        self.phones[role] = await self.people.operator(number, VOICES[role], answer_after_s=answer_after_s)
        return self.phones[role]

    async def press(self, user: str = "") -> Phone:
        """A point presses."""
        point = await self.people.phone(user or f"p{1 + self.pair % 4}", VOICES["point"], register=bool(user))
        self.phones["point"] = point
        self.tasks.append(point.pressing())
        await eventually(lambda: point.calls and point.call.state in ("early", "up"), 5)
        return point

    async def talk(self, user: str = "") -> None:
        """A point and an operator."""
        await self.seat("operator")
        await self.press(user)
        await eventually(lambda: self.phones["point"].call.state == "up", 5)

    async def with_police(self, party: str = "police") -> None:
        """A conversation into which the police were called; the guards have to accept by key."""
        await self.talk()
        police = Phone(party, ("127.0.0.1", 9), VOICES["police"], port=self.service.police)
        self.phones["police"] = await police.open()
        self.people.phones.append(police)
        await self.ask(Verb.ESCALATE, party=party)
        await eventually(police.acknowledged, 5)

    async def with_colleague(self, mode: str) -> None:
        """A conversation into which a colleague was brought."""
        await self.talk()
        colleague = await self.seat("colleague")
        await self.ask(Verb.BRING, operator=colleague.user, mode=mode)
        await eventually(colleague.acknowledged, 5)

    # ---- what is asked and known --------------------------------------------------------------------------------

    @property
    def call(self) -> str:
        """The call's id."""
        return str(self.service.journal("CallOpened")[-1]["call"])

    @property
    def incident(self) -> str:
        """The incident's id."""
        return str(self.service.journal("IncidentOpened")[-1]["incident"])

    def leg(self, role: str) -> str:
        """The latest leg of somebody."""
        return legs_of(self.service, self.phones[role].user)[-1]

    async def ask(self, verb: Verb, **args: object) -> None:
        """A verb about this call."""
        await asyncio.to_thread(self.service.ask, verb, call=self.call, **args)

    def rang(self) -> int:
        """How often anybody was rung."""
        return sum(phone.rang() for phone in self.people.phones)

    async def hear(self, ears: Ears, within_s: float = NOTICED_S) -> None:
        """Each soon hears exactly these, in `LOOK` packets that come from now on; whoever is not named hears no packet."""
        since = {role: len(phone.rtp.heard) for role, phone in self.phones.items()}

        def wrong() -> list[str]:
            return [why for role in self.phones if (why := self._wrong(role, since[role], ears.get(role)))]

        try:
            await eventually(lambda: not wrong(), within_s)
        except AssertionError as error:
            raise AssertionError(f"{'; '.join(wrong())} (expected {dict(ears)})") from error

    def _wrong(self, role: str, since: int, expected: frozenset[str] | None) -> str:
        heard = self.phones[role].rtp.heard
        fresh = bool(heard) and now_s() - heard[-1].at_s < 0.3
        if expected is None:
            return f"{role} still gets sound" if fresh else ""
        packets = heard[since:][-LOOK:]
        if not fresh or len(packets) < LOOK:
            return f"{role} gets no sound"
        found = _found(CODECS["PCMA"][2](b"".join(packet.payload for packet in packets)), 8_000)
        loud = {name for name, level in found.items() if level > PRESENT}
        quiet = {name for name, level in found.items() if level > ABSENT}
        return "" if loud == quiet == expected else f"{role} hears {sorted(quiet)}"

    # ---- afterwards ---------------------------------------------------------------------------------------------

    async def over(self) -> None:
        """Whoever is left is hung up, and the incident closed."""
        for phone in self.people.phones:
            phone.ua.dead = False
        await eventually(self._hung_up, 10, 0.2)
        await asyncio.to_thread(self.service.escape)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _hung_up(self) -> bool:
        """Asked again until no line is left: the switchboard may be starting, or a last line have ended meanwhile."""
        if self.service.live_legs():
            with contextlib.suppress(CommandRefused, Unavailable):
                await self.ask(Verb.HANG_UP)
        return not self.service.live_legs()

    async def recorded(self, roles: set[str], lasting: frozenset[str] = frozenset()) -> None:
        """Everybody who spoke is in a file of his own, and nobody else is there; those who stayed, up to the end."""
        call = self.call
        made = await eventually(lambda: [f for f in self.service.journal("RecordingMade") if f["call"] == call], 20)
        whose = {phone.user: role for phone in self.people.phones for role, hz in VOICES.items() if phone.hz == hz}
        legs = {fact["leg"]: whose[fact["party"]] for fact in self.service.journal("LegCreated") if fact["call"] == call}
        assert isinstance(made, list)
        ends: dict[str, float] = {}
        for path in (self.service.data / "recordings" / name for name in made[-1]["files"]):
            role = legs.get(path.name.removesuffix(".flac"))
            if role is not None and path.suffix == ".flac":
                voices = _voices(path)
                assert set(voices) <= {role}, f"{path.name} of the {role} has {voices}"
                ends[role] = max(ends.get(role, 0.0), *voices.values(), 0.0)
        found = {role for role, end_s in ends.items() if end_s}
        assert roles <= found, f"voices of {roles - found} are missing"
        long_s = made[-1]["duration_ms"] / 1000
        assert all(ends[role] > long_s - TAIL_S for role in lasting), f"of {long_s} s voices are kept until {ends}"


def _found(samples: np.ndarray, rate_hz: int) -> dict[str, float]:
    return {name: strength(samples, hz, rate_hz) for name, hz in TONES.items()}


def _voices(path: Path) -> dict[str, float]:
    """Whose tone is in a file for at least 200 ms, and until which second."""
    samples, rate_hz = read_sound(path)
    step = rate_hz // 5
    pieces = ((at + step, samples[at : at + step, 0]) for at in range(0, len(samples) - step, step))
    return {name: end / rate_hz for end, piece in pieces for name, level in _found(piece, rate_hz).items() if level > PRESENT}


@contextlib.asynccontextmanager
async def scene(service: MatrixService) -> AsyncIterator[Scene]:
    """People of one cell; after it nothing of its call is left."""
    service.made += 1
    async with wire(service) as people:
        made = Scene(people, service, service.made)
        try:
            yield made
        finally:
            await made.over()


# ---- how each shape is made -----------------------------------------------------------------------------------


async def _waiting(it: Scene) -> None:
    operator = await it.seat("operator", None)
    await it.press()
    await eventually(operator.rang, 5)


async def _held(it: Scene) -> None:
    await it.with_police()
    await it.ask(Verb.HOLD, on=True)


async def _police_alone(it: Scene) -> None:
    await it.with_police()
    await it.ask(Verb.DROP, leg=it.leg("operator"))


async def _muted(it: Scene) -> None:
    await it.with_police()
    await it.ask(Verb.MUTE, leg=it.leg("police"), on=True)


async def _group(it: Scene) -> None:
    await it.talk(f"p{1 + it.pair % 4}")
    other = await it.people.phone(f"p{1 + (it.pair + 1) % 4}", VOICES["other"])
    it.phones["other"] = other
    await it.ask(Verb.BRING_POINT, point=other.user)
    await eventually(other.acknowledged, 5)


async def _parked(it: Scene) -> None:
    await it.talk()
    await it.ask(Verb.PARK)


async def _calling_back(it: Scene) -> None:
    await it.talk("p5")
    point = it.phones["point"]
    point.answer_after_s = None
    assert await point.call.bye() == 200
    await eventually(point.rang, 5)


async def _calling_out(it: Scene) -> None:
    operator = await it.seat("operator")
    point = await it.people.phone(f"p{1 + it.pair % 4}", VOICES["point"], answer_after_s=None)
    it.phones["point"] = point
    await asyncio.to_thread(it.service.ask, Verb.CALL_OUT, point=point.user, operator=operator.user)
    await eventually(point.rang, 5)


async def _transferring(it: Scene) -> None:
    await it.talk()
    colleague = await it.seat("colleague", None)
    await it.ask(Verb.TRANSFER, to=colleague.user)
    await eventually(colleague.rang, 5)


MAKE: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "waiting": _waiting,
    "talking": Scene.talk,
    "held": _held,
    "three-way": Scene.with_police,
    "police alone": _police_alone,
    "private": lambda it: it.with_colleague("private"),
    "muted": _muted,
    "parked": _parked,
    "calling back": _calling_back,
    "calling out": _calling_out,
    "accepting": lambda it: it.with_police("guards"),
    "transferring": _transferring,
    "listening": lambda it: it.with_colleague("listen"),
    "whispering": lambda it: it.with_colleague("whisper"),
    "joined": lambda it: it.with_colleague("join"),
    "group": _group,
}
