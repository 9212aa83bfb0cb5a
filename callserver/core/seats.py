"""Which of the eligible seats ring: the strategies of a queue."""

from collections.abc import Callable, Iterable, Mapping

from callserver.core import operator as operators
from callserver.core.ids import OperatorId
from callserver.core.instant import Instant
from callserver.core.lookup import plan_of, queue_of
from callserver.core.state import Incident, OperatorState, State
from dialplans.model import Strategy

Rank = tuple[int, int, OperatorId]


def in_order(state: State, incident: Incident, candidates: Iterable[OperatorState], now: Instant) -> list[OperatorState]:
    """Who may ring for an incident, the first first: those that rest only where nobody else is free.

    Whoever had the incident when it was parked goes before all others.
    """
    found = list(candidates)
    rested = [operator for operator in found if not operators.rests(operator, now) or operator.id == incident.prefers]
    rank = _RANKS[queue_of(state, incident).strategy](state, incident)
    return sorted(rested or found, key=lambda operator: (operator.id != incident.prefers, rank(operator)))


def _longest_idle(state: State, incident: Incident) -> Callable[[OperatorState], Rank]:
    """Since the last conversation, or the last offer missed, so that nobody behind is starved."""
    return lambda operator: (0, max(operator.idle_since, operator.missed_at), operator.id)


def _round_robin(state: State, incident: Incident) -> Callable[[OperatorState], Rank]:
    """The next after the one whom the queue rang last, in the order of the plan."""
    places = {known: number for number, known in enumerate(plan_of(state, incident).operators)}
    last = places.get(state.turns.get(incident.queue, OperatorId("")), -1)
    return lambda operator: ((places[operator.id] - last - 1) % len(places), 0, operator.id)


def _fewest_calls(state: State, incident: Incident) -> Callable[[OperatorState], Rank]:
    """Who answered least since coming on duty; of these, the longest idle."""
    return lambda operator: (operator.taken, max(operator.idle_since, operator.missed_at), operator.id)


_RANKS: Mapping[Strategy, Callable[[State, Incident], Callable[[OperatorState], Rank]]] = {
    Strategy.RING_ALL: _longest_idle,
    Strategy.LONGEST_IDLE: _longest_idle,
    Strategy.ROUND_ROBIN: _round_robin,
    Strategy.FEWEST_CALLS: _fewest_calls,
}
