"""What `callserver trace` prints: the SIP ladder of legs, and in plain words what their sound does. All of it from memory."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from callserver.core import leg as legs
from callserver.core.ids import LegId
from callserver.core.one_way import OUT
from callserver.core.state import Leg, State
from callserver.media.protocol import LegCounts, Strange
from callserver.runtime.clock import Anchor
from callserver.sip.trace import Traced

MOST_LEGS = 300


@dataclass(slots=True)
class StrangeSound:
    """The last word on packets that were refused, and how many it has been, of each of the last legs."""

    of: OrderedDict[str, tuple[str, int]]

    @classmethod
    def none(cls) -> "StrangeSound":
        """Nothing refused so far."""
        return cls(OrderedDict())

    def note(self, told: Strange) -> None:
        """Packets of a leg were refused."""
        _, before = self.of.pop(told.leg, ("", 0))
        self.of[told.leg] = (told.what, before + told.count)
        if len(self.of) > MOST_LEGS:
            self.of.popitem(last=False)


class Ladders(Protocol):
    """What is needed of the edge."""

    def traced(self) -> list[str]:
        """The legs that there are messages of."""

    def trace(self, leg: str) -> list[Traced]:
        """A leg's last messages."""


@dataclass(frozen=True, slots=True)
class SoundNow:
    """What is needed of the sound at this moment: each leg's counts by its worker, since when it is silent (boottime ns), and
    what of it goes one way only: (leg, side) to the reason."""

    counts: Mapping[str, LegCounts]
    silent_since: Mapping[str, int]
    strange: StrangeSound
    now_ns: int
    one_way: Mapping[tuple[str, str], str] = field(default_factory=dict)


def trace(of: str, state: State, ladders: Ladders, sound: SoundNow, anchor: Anchor) -> list[str]:
    """The lines about every leg of a point, an incident, a call, or one leg; empty when nothing is known of it."""
    lines: list[str] = []
    for name in dict.fromkeys([*ladders.traced(), *state.legs]):
        leg, ladder = state.legs.get(LegId(name)), ladders.trace(name)
        if name == of or name.startswith(f"{of}.") or (leg is not None and leg.party == of) or _named(of, ladder):
            lines.append(f"leg {name}: {leg.role} {leg.party}, {leg.state}" if leg is not None else f"leg {name}: ended")
            lines += [f"  {_message(traced, anchor)}" for traced in ladder] or ["  no SIP message since this switchboard began"]
            lines += [f"  sound: {words}" for words in _sound(name, leg, sound)]
    return lines


def _named(of: str, ladder: list[Traced]) -> bool:
    """Whether the leg's first message is from or to this user: of a leg that has ended nothing else is remembered."""
    return bool(ladder) and f"sip:{of}@" in ladder[0].text


def _message(traced: Traced, anchor: Anchor) -> str:
    """One message: when (UTC), which way, its first line."""
    utc_ns = anchor.utc_of(traced.at_ns)
    at = datetime.fromtimestamp(utc_ns // 1_000_000_000, UTC)
    way = "->" if traced.sent else "<-"
    return f"{at:%H:%M:%S}.{utc_ns // 1_000_000 % 1000:03d}Z {way} {traced.peer}  {traced.text.split(chr(13), 1)[0]}"


def _sound(name: str, leg: Leg | None, sound: SoundNow) -> Iterator[str]:
    counts = sound.counts.get(name)
    if counts is not None:
        yield f"{counts.received} packets taken, {counts.refused} refused, {counts.sent} sent"
    elif leg is not None and leg.state == legs.UP:
        yield "no call worker carries it at this moment"
    if name in sound.silent_since:
        yield f"nothing comes for {(sound.now_ns - sound.silent_since[name]) / 1e9:.1f} s: its microphone, or the network"
    if name in sound.strange.of:
        what, count = sound.strange.of[name]
        yield f"{count} packets refused: {what}"
    if (name, OUT) in sound.one_way:
        yield f"the device does not hear us: {sound.one_way[name, OUT]}"
