"""The last messages of each leg, in memory and without secrets, for `callserver trace`."""

import re
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass

_LEGS = 300
_LOOSE = 300  # Call-IDs that belong to no leg (yet): strangers must not push out what is of use
_MESSAGES = 48
_LONGEST = 4_096
_OCTETS = 4 << 20  # some 300 legs have three: more than that is a flood
_SECRETS = re.compile(rb"(?im)^((?:proxy-)?authorization[ \t]*:)[^\r\n]*(?:\r\n[ \t][^\r\n]*)*")


@dataclass(frozen=True, slots=True)
class Traced:
    """One message as it was at the wire, credentials removed. `sent`: from us."""

    at_ns: int
    sent: bool
    peer: str
    text: str

    def __str__(self) -> str:
        arrow = "->" if self.sent else "<-"
        return f"{self.at_ns / 1e9:.3f} {arrow} {self.peer}\n{self.text.rstrip()}"


def redacted(data: bytes) -> str:
    """The message as text with the value of every credential header replaced."""
    return _SECRETS.sub(rb"\1 [removed]", data).decode("utf-8", "replace")


class _Rings:
    """The last messages of some Call-IDs, and how many octets they have together."""

    def __init__(self) -> None:
        self.of: OrderedDict[str, deque[Traced]] = OrderedDict()
        self.octets = 0

    def note(self, call_id: str, traced: Traced) -> None:
        """One message more, for the oldest where the ring is full."""
        ring = self.of.setdefault(call_id, deque(maxlen=_MESSAGES))
        self.octets += len(traced.text) - (len(ring[0].text) if len(ring) == _MESSAGES else 0)
        ring.append(traced)

    def take(self, call_id: str) -> Iterable[Traced]:
        """A ring, which is not here any more."""
        ring = self.of.pop(call_id, ())
        self.octets -= sum(len(traced.text) for traced in ring)
        return ring


class Trace:
    """A bounded ring per Call-ID, and the Call-IDs of each leg (one per fork). `octets` bounds what legs have, and the rest."""

    def __init__(self, octets: int = _OCTETS) -> None:
        self._octets = octets
        self._loose, self._calls = _Rings(), _Rings()
        self._legs: OrderedDict[str, list[str]] = OrderedDict()

    def note(self, call_id: str, sent: bool, peer: str, data: bytes, now: int) -> None:
        """Keep one message."""
        rings = self._calls if call_id in self._calls.of else self._loose
        rings.note(call_id, Traced(now, sent, peer, redacted(data[:_LONGEST])))
        self._forget()

    def name(self, leg: str, call_id: str) -> None:
        """`call_id` belongs to `leg`."""
        calls = self._legs.setdefault(leg, [])
        if call_id not in calls:
            calls.append(call_id)
        if call_id not in self._calls.of:
            self._calls.of[call_id] = deque(maxlen=_MESSAGES)
            for traced in self._loose.take(call_id):
                self._calls.note(call_id, traced)
        self._forget()

    def _forget(self) -> None:
        """The oldest, until all is within its bounds."""
        while len(self._loose.of) > _LOOSE or self._loose.octets > self._octets:
            self._loose.take(next(iter(self._loose.of)))
        while len(self._legs) > _LEGS or self._calls.octets > self._octets:
            _, gone = self._legs.popitem(last=False)
            still = {name for names in self._legs.values() for name in names}
            for name in set(gone) - still:
                self._calls.take(name)

    def legs(self) -> list[str]:
        """Every leg that there are messages of, ended ones too, oldest first."""
        return list(self._legs)

    def of(self, leg: str) -> list[Traced]:
        """All messages of a leg, oldest first; empty when there is none (any more)."""
        found = [traced for call_id in self._legs.get(leg, []) for traced in self._calls.of.get(call_id, ())]
        return sorted(found, key=lambda traced: traced.at_ns)
