"""The last messages of each leg, in memory and without secrets, for `callserver trace`."""

import re
from collections import OrderedDict, deque
from dataclasses import dataclass

_LEGS = 300
_LOOSE = 300  # Call-IDs that belong to no leg (yet): strangers must not push out what is of use
_MESSAGES = 48
_LONGEST = 4_096
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


class Trace:
    """A bounded ring per Call-ID, and the Call-IDs of each leg (one per fork)."""

    def __init__(self) -> None:
        self._loose: OrderedDict[str, deque[Traced]] = OrderedDict()
        self._calls: dict[str, deque[Traced]] = {}
        self._legs: OrderedDict[str, list[str]] = OrderedDict()

    def note(self, call_id: str, sent: bool, peer: str, data: bytes, now: int) -> None:
        """Keep one message."""
        ring = self._calls.get(call_id)
        if ring is None:
            ring = self._loose.setdefault(call_id, deque(maxlen=_MESSAGES))
            if len(self._loose) > _LOOSE:
                self._loose.popitem(last=False)
        ring.append(Traced(now, sent, peer, redacted(data[:_LONGEST])))

    def name(self, leg: str, call_id: str) -> None:
        """`call_id` belongs to `leg`."""
        calls = self._legs.setdefault(leg, [])
        if call_id not in calls:
            calls.append(call_id)
        if call_id not in self._calls:
            self._calls[call_id] = self._loose.pop(call_id, deque(maxlen=_MESSAGES))
        if len(self._legs) > _LEGS:
            _, gone = self._legs.popitem(last=False)
            still = {name for names in self._legs.values() for name in names}
            for name in set(gone) - still:
                self._calls.pop(name, None)

    def legs(self) -> list[str]:
        """Every leg that there are messages of, ended ones too, oldest first."""
        return list(self._legs)

    def of(self, leg: str) -> list[Traced]:
        """All messages of a leg, oldest first; empty when there is none (any more)."""
        found = [traced for call_id in self._legs.get(leg, []) for traced in self._calls.get(call_id, ())]
        return sorted(found, key=lambda traced: traced.at_ns)
