"""Which of the eligible seats ring: the strategies of a queue."""

from collections.abc import Iterable

from callserver.core import operator as operators
from callserver.core.ids import OperatorId
from callserver.core.instant import Instant
from callserver.core.state import OperatorState


def rank(operator: OperatorState) -> tuple[Instant, OperatorId]:
    """Longest idle first: since the last conversation, or the last offer missed, so that nobody behind is starved."""
    return (max(operator.idle_since, operator.missed_at), operator.id)


def in_order(candidates: Iterable[OperatorState], now: Instant) -> list[OperatorState]:
    """Who may ring, the first first: those that rest only where nobody else is free."""
    found = list(candidates)
    rested = [operator for operator in found if not operators.rests(operator, now)]
    return sorted(rested or found, key=rank)
