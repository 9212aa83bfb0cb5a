"""What the archivist hears on the disk of live conversations: kept for the screens, and missed when it does not come.

The archivist asks each second (`Verb.LEVELS`): it tells what it measured, and is told which legs there are to measure. While it
does not ask, levels are not shown as if they were of now, and after MISSED_NS of a conversation an alarm says that nobody looks
whether it is recorded.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from callserver.core import call as calls
from callserver.core import leg as legs
from callserver.core.events import ConditionCleared, ConditionRaised, Event
from callserver.core.instant import Instant
from callserver.core.state import Call, State
from callserver.feed import Item
from callserver.runtime.clock import Anchor
from callserver.runtime.sound_records import LegSound

SECOND_NS = 1_000_000_000
OLD_NS = 4 * SECOND_NS
MISSED_NS = 10 * SECOND_NS
ALARM = "recorded"
ALARM_TEXT = "nobody looks whether conversations are recorded: the archivist does not tell what it hears"


class Level(msgspec.Struct, frozen=True):
    """One side's second, as the archivist measured it; levels in dB of full scale, `clipped` in per cent of samples."""

    rms: int
    peak: int
    clipped: int
    state: str  # listening | quiet | good | doubtful
    why: str = ""


class Levels:
    """See the module. `show` has the screens told of these items; `now` is the core's clock, `anchor` ties it to UTC."""

    def __init__(
        self,
        state: Callable[[], State],
        anchor: Callable[[], Anchor],
        show: Callable[[Iterable[str]], None],
        post: Callable[[Event], None],
        sounds: Mapping[str, LegSound],
        muted: Callable[[str], bool],
    ) -> None:
        """`muted`: whether whoever is at a leg muted the own microphone at the console; `sounds` know of devices that hold."""
        self._state, self._anchor, self._show, self._post = state, anchor, show, post
        self._sounds, self._muted = sounds, muted
        self._legs: dict[str, Level] = {}
        self._told: Instant | None = None  # when the archivist asked last
        self._shown_old = True
        self._missing: bool | None = None  # None: a predecessor may have raised the alarm

    def take(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Levels by leg; the answer names the legs of live conversations. Raises msgspec.ValidationError."""
        now = self._anchor().now()
        self._legs = msgspec.convert(told, dict[str, Level])
        self._told, self._shown_old = now, False
        if self._missing is not False:
            self._missing = False
            self._post(ConditionCleared(ALARM))
        live = list(conversations(self._state()))
        self._show(f"sound/{call.id}" for call in live)
        return {"legs": [leg for call in live for leg in self._listed(call)]}

    def look(self) -> None:
        """Now and then: levels grow old, and a conversation that nobody looks at becomes an alarm."""
        now, told = self._anchor().now(), self._told
        if told is not None and now - told < OLD_NS:
            return
        live = list(conversations(self._state()))
        if not self._shown_old:
            self._shown_old = True
            self._legs = {}
            self._show(f"sound/{call.id}" for call in live)
        longest = max((now - max(call.since, told or call.since) for call in live), default=0)
        if longest >= MISSED_NS and not self._missing:
            self._missing = True
            self._post(ConditionRaised(ALARM, ALARM_TEXT))

    def item(self, call: Call) -> Item:
        """What is shown of a conversation: `measured_ms` is null while nothing is known of the last seconds."""
        anchor = self._anchor()
        measured = None if self._shown_old or self._told is None else anchor.utc_of(self._told) // 1_000_000
        known = {leg: self._legs[leg] for leg in call.legs if leg in self._legs}
        return {"call": call.id, "measured_ms": measured, "legs": {leg: msgspec.to_builtins(each) for leg, each in known.items()}}

    def _listed(self, call: Call) -> Iterable[dict[str, Any]]:
        """Legs that are in the conversation; BOOTTIME without what the core's clock adds to it."""
        offset_ns = self._anchor().offset_ns
        for leg in call.legs.values():
            if leg.state == legs.UP:
                since = max(call.since, leg.since) - offset_ns
                expected = not call.held and leg.accepted and call.modes.get(leg.id) not in _MAY_BE_SILENT
                expected = expected and not self._muted(leg.id)
                expected = expected and not (leg.id in self._sounds and self._sounds[leg.id].sends_nothing())
                yield {"leg": leg.id, "call": call.id, "since_ns": since, "sounding": leg.sounding, "expected": expected}


_MAY_BE_SILENT = (calls.LISTEN, calls.WHISPER)


def conversations(state: State) -> Iterable[Call]:
    """Calls in which people hear each other."""
    return (call for call in state.calls.values() if is_conversation(call))


def is_conversation(call: Call) -> bool:
    """Whether there are two who can hear each other."""
    return call.state == calls.TALKING and sum(1 for leg in call.legs.values() if leg.state == legs.UP and leg.accepted) > 1
