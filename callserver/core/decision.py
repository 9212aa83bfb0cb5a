"""One decision in the making: the only way from a rule to a changed state.

`record` applies a fact through `fold.apply` and collects it; `order` collects an effect. Rules read `state` and never
write it. A decision lives for one event.
"""

from callserver.core import fold
from callserver.core.effects import Effect
from callserver.core.facts import AlarmCleared, AlarmRaised, Fact, Refused
from callserver.core.instant import Instant
from callserver.core.state import State


class Decision:
    """Facts and effects that follow from one event."""

    __slots__ = ("effects", "event", "facts", "now", "state")

    def __init__(self, state: State, event: str, now: Instant) -> None:
        """`event` is the event's name, for refusals."""
        self.state = state
        self.event = event
        self.now = now
        self.facts: list[Fact] = []
        self.effects: list[Effect] = []

    def record(self, fact: Fact) -> None:
        """The one door to the state."""
        fold.apply(self.state, fact, self.now)
        self.facts.append(fact)

    def order(self, effect: Effect) -> None:
        """To be performed after the facts are journalled, in this order."""
        self.effects.append(effect)

    def refuse(self, about: str, why: str) -> None:
        """The event does not fit what it meets."""
        self.record(Refused(self.event, about, why))

    def alarm(self, key: str, text: str) -> None:
        """Raises an alarm, once until it is cleared."""
        if key not in self.state.alarms:
            self.record(AlarmRaised(key, text))

    def clear_alarm(self, key: str, why: str) -> None:
        """Clears an alarm that is raised."""
        if key in self.state.alarms:
            self.record(AlarmCleared(key, why))
