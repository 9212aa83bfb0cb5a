"""Waiting incidents, pooled by who may be rung for them, so that a decision looks at pools and not at everybody who waits.

Who is rung for an incident (`eligible.served_by`) depends on the operator and on what `PoolKey` holds: queue, ladder and
steps taken, tiers reached, skills, and whom it is kept for. So the question is asked once for a pool: its *crew*. A pool
keeps its incidents by rank, those without an offer apart. Change together: `eligible.served_by` and `PoolKey`, whenever the
answer depends on something more.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterator

from callserver.core import eligible as eligibility
from callserver.core import incident as incidents
from callserver.core import operator as operators
from callserver.core import waiting
from callserver.core.ids import IncidentId, OperatorId
from callserver.core.index import Index, Pool, PoolKey, Rank
from callserver.core.instant import Instant
from callserver.core.lookup import ladder_of, point_of
from callserver.core.state import Call, Incident, OperatorState, State

CREWS_MOST = 1_024


def index_of(state: State) -> Index:
    """The state's index; made when it is first asked for."""
    if state.index is None:
        state.index = Index()
        for key in state.alarms:
            state.index.add_alarm(key)
    return state.index


def pools(state: State, now: Instant) -> dict[PoolKey, Pool]:
    """All pools, as things are now."""
    index = index_of(state)
    marks = index.for_pools
    if marks.everything:
        index.crews.clear()
        index.named.clear()
        touched = [*index.places, *state.waiting]
    else:
        touched = list(marks.incidents)
    marks.clear()
    for known in touched:
        _place(state, index, known, now)
    return index.pools


def _place(state: State, index: Index, known: IncidentId, now: Instant) -> None:
    incident = state.incidents.get(known)
    old, new = index.places.get(known), None
    if incident is not None and incident.state == incidents.WAITING:
        call = None if incident.call is None else state.calls[incident.call]
        new = (_key(state, incident, now), waiting.rank(state, incident), call is not None and call.offer is not None)
    if new == old:
        return
    if old is not None:
        _leave(index, *old)
        del index.places[known]
    if new is not None:
        _join(index, *new)
        index.places[known] = new


def _key(state: State, incident: Incident, now: Instant) -> PoolKey:
    tiers = len(eligibility.tiers_reached(state, incident, now))
    skills = point_of(state, incident).skills
    return PoolKey(
        *(incident.plan_version, incident.queue, incident.ladder, incident.step, incident.passed, tiers, skills),
        incident.priority,
        incident.only,
    )


def _join(index: Index, key: PoolKey, rank: Rank, rings: bool) -> None:
    pool = index.pools.setdefault(key, Pool())
    insort(pool.ringing if rings else pool.quiet, rank)
    index.waiting_in[key.queue] = index.waiting_in.get(key.queue, 0) + 1


def _leave(index: Index, key: PoolKey, rank: Rank, rings: bool) -> None:
    pool = index.pools[key]
    ranks = pool.ringing if rings else pool.quiet
    place = bisect_left(ranks, rank)
    assert ranks[place] == rank, "the order of a pool is broken"
    del ranks[place]
    if not pool.quiet and not pool.ringing:
        del index.pools[key]
    index.waiting_in[key.queue] -= 1


def crew(state: State, key: PoolKey, pool: Pool, now: Instant) -> frozenset[OperatorId]:
    """The operators who are rung for a pool's incidents, free or not."""
    index = index_of(state)
    known = index.crews.get(key)
    if known is None:
        served = eligibility.served_by(state, state.incidents[pool.first()], now)
        known = _remember(index, key, frozenset(one.id for one in state.operators.values() if served(one)))
    return known


def on_duty(state: State, incident: Incident, now: Instant) -> Iterator[OperatorState]:
    """The operators whom the incident's queue will ring by its groups and tiers, and who are on duty."""
    pools(state, now)
    index = index_of(state)
    key = (incident.plan_version, incident.queue, point_of(state, incident).skills)
    known = index.crews.get(key)
    if known is None:
        found = (one.id for one in state.operators.values() if eligibility.belongs(state, one, incident, now))
        known = _remember(index, key, frozenset(found))
    return (one for each in known if operators.on_duty(one := state.operators[each]))


def present(state: State, incident: Incident, now: Instant) -> Iterator[OperatorState]:
    """The operators of the incident's queue who are on duty, whatever its groups' hours."""
    pools(state, now)
    index = index_of(state)
    key = ("present", incident.plan_version, incident.queue, point_of(state, incident).skills)
    known = index.crews.get(key)
    if known is None:
        found = (one.id for one in state.operators.values() if eligibility.of_queue(state, one, incident))
        known = _remember(index, key, frozenset(found))
    return (one for each in known if operators.on_duty(one := state.operators[each]))


def _remember(index: Index, key: tuple[object, ...], found: frozenset[OperatorId]) -> frozenset[OperatorId]:
    if len(index.crews) >= CREWS_MOST:
        index.crews.clear()
    index.crews[key] = found
    return found


def waiting_in(state: State, queue: str, now: Instant) -> int:
    """How many incidents wait in a queue, under whatever plan."""
    pools(state, now)
    return index_of(state).waiting_in.get(queue, 0)


def to_climb(state: State, now: Instant, live: Collection[str], met: Callable[[Incident, str], bool]) -> list[Incident]:
    """The waiting incidents whose ladders must be looked at, in the order of waiting: those that a fact touched since the last
    look, and all of a pool for which one more condition of this moment (`live`) is `met` that a step of theirs names."""
    present = pools(state, now)
    index = index_of(state)
    marks = index.for_ladders
    found = set(state.waiting) if marks.everything else {one for one in marks.incidents if one in index.places}
    marks.clear()
    known: dict[tuple[int, str, tuple[str, ...], str], bool] = {}
    for key, pool in present.items():
        conditions = set()
        for condition in _named(state, index, key, pool, live):
            asked = (key.plan_version, key.queue, key.skills, condition)
            if asked not in known:
                known[asked] = met(state.incidents[pool.first()], condition)
            if known[asked]:
                conditions.add(condition)
        if not conditions <= pool.conditions:
            found.update(rank[2] for rank in (*pool.quiet, *pool.ringing))
        pool.conditions = frozenset(conditions)
    return sorted((state.incidents[one] for one in found), key=lambda incident: waiting.rank(state, incident))


def _named(state: State, index: Index, key: PoolKey, pool: Pool, live: Collection[str]) -> tuple[str, ...]:
    """Which of the conditions steps still to be taken name."""
    asked = (key.plan_version, key.queue, key.ladder, key.step)
    if asked not in index.named:
        steps = ladder_of(state, state.incidents[pool.first()]).steps[key.step :]
        index.named[asked] = tuple(sorted({one for step in steps for one in step.conditions if one in live}))
    return index.named[asked]


def touched_calls(state: State) -> list[Call]:
    """The calls that a fact touched since the last look."""
    marks = index_of(state).for_closing
    found = list(state.calls.values()) if marks.everything else [state.calls[one] for one in marks.calls if one in state.calls]
    marks.clear()
    return found


def alarms(state: State, kind: str) -> frozenset[str]:
    """The keys of the alarms of a kind, the part of a key before the colon."""
    return frozenset(index_of(state).alarms.get(kind, ()))
