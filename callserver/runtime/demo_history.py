"""The demo's night desk: at the first start a few real calls are made one after the other, so that an auditor finds something.

It waits while anybody else is on the telephone, and makes nothing where there have been calls already. It is told the phones'
news and asked what is due; it does nothing itself.

    idle ──▶ pressed ──▶ talking ──▶ hung up (the operator) ──▶ said (by *5 and a digit) ──▶ idle … leaving ──▶ over
                                └──▶ left alone (the caller hung up) ──▶ keyed (the digit) ──▶ idle
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from callserver.runtime.street_stories import PastCall

OPERATOR = "night-desk"
BEGINS_AFTER_S = 4.0
UNDISTURBED_S = 15.0
OUTCOME_AFTER_S = 1.0
HANG_UP_AFTER_S = 2.5
GIVE_UP_AFTER_S = 40.0
LEAVES_AFTER_S = 2.0

Order = tuple[str, str, str]
"""User, verb, what."""


@dataclass(slots=True)
class NightDesk:
    """`busy` says whether somebody else's call is on. `outcomes`: outcome -> the digit that says it."""

    calls: Sequence[PastCall]
    outcomes: dict[str, str]
    busy: Callable[[], bool]
    began_s: float
    next: int = 0
    phase: str = "idle"
    at_s: float = 0.0
    quiet_since_s: float = float("-inf")

    @property
    def users(self) -> tuple[str, ...]:
        """Whose phones the night desk's are."""
        return (OPERATOR, *dict.fromkeys(call.point for call in self.calls))

    @property
    def over(self) -> bool:
        """Whether all is done, and the night desk's phones may go."""
        return self.phase == "over"

    def heard(self, user: str, news: str, now_s: float) -> None:
        """One line of news."""
        ended = news.startswith("ended")
        if user == OPERATOR and news == "connected" and self.phase == "pressed":
            self._go("talking", now_s)
        elif user == OPERATOR and ended and self.phase == "talking":
            self._go("hung up", now_s)
        elif user == self._point and ended and self.phase == "talking":
            self._go("left alone", now_s)
        elif ended and self.phase in {OPERATOR: ("said", "keyed"), self._point: ("pressed",)}.get(user, ()):
            self.next += 1
            self._go("idle", now_s)

    def due(self, now_s: float) -> list[Order]:
        """What is to be done now."""
        if self.phase == "idle":
            return self._begin(now_s)
        waited_s = now_s - self.at_s
        if self.phase == "hung up" and waited_s >= OUTCOME_AFTER_S:
            self._go("said", now_s)
            return [(OPERATOR, "dial", f"*5{self._digit}")]
        if self.phase == "left alone" and waited_s >= OUTCOME_AFTER_S:
            self._go("keyed", now_s)
            return [(OPERATOR, "keys", self._digit)]
        if self.phase == "keyed" and waited_s >= HANG_UP_AFTER_S:
            return [(OPERATOR, "hangup", "")]
        if self.phase == "leaving" and waited_s >= LEAVES_AFTER_S:
            self._go("over", now_s)
        elif self.phase not in ("leaving", "over") and waited_s >= GIVE_UP_AFTER_S:
            ends = [(self._point, "hangup", ""), (OPERATOR, "hangup", "")]
            self.next = len(self.calls)
            self._go("idle", now_s)
            return ends
        return []

    @property
    def _digit(self) -> str:
        return self.outcomes[self.calls[self.next].outcome]

    @property
    def _point(self) -> str:
        return self.calls[min(self.next, len(self.calls) - 1)].point

    def _go(self, phase: str, now_s: float) -> None:
        self.phase, self.at_s = phase, now_s

    def _begin(self, now_s: float) -> list[Order]:
        if self.next >= len(self.calls):
            self._go("leaving", now_s)
            return [(OPERATOR, "leave", "")]
        if self.busy():
            self.quiet_since_s = now_s
        if now_s - self.began_s < BEGINS_AFTER_S or now_s - self.quiet_since_s < UNDISTURBED_S:
            return []
        self._go("pressed", now_s)
        return [(self._point, "press", "")]
