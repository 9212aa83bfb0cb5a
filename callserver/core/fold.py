"""State from facts, and nothing else: `apply` is the only code that writes to `State`.

It decides nothing and refuses nothing: a fact happened. Live state and the journal go through the same function, so
`fold(journal)` equals the state that wrote it. The time `at` is the row's instant. A fact about something that is
not there is a broken journal and raises KeyError.
Change together: a machine's table, its `...Moved` here, docs of the fact.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from callserver.core import facts as f
from callserver.core import fold_calls, fold_control, fold_holds, fold_incidents, fold_owners
from callserver.core.facts import Fact
from callserver.core.instant import Instant
from callserver.core.state import State


def apply(state: State, fact: Fact, at: Instant) -> None:
    """Takes one fact into the state, at the instant of its row."""
    state.facts += 1
    change = _CHANGES.get(type(fact))
    if change is not None:
        change(state, fact, at)
    if state.index is not None:
        state.index.touch(fact)


def fold(rows: Iterable[tuple[Fact, Instant]]) -> State:
    """The state that a journal tells."""
    state = State()
    for fact, at in rows:
        apply(state, fact, at)
    return state


def _point_changed(state: State, fact: f.PointChanged, at: Instant) -> None:
    state.points[fact.point] = fact.reachable


def _trunk_changed(state: State, fact: f.TrunkChanged, at: Instant) -> None:
    state.trunks[fact.trunk] = fact.reachable


def _clock_anchored(state: State, fact: f.ClockAnchored, at: Instant) -> None:
    state.utc_offset_ns = fact.utc_ns - fact.instant_ns


def _alarm_raised(state: State, fact: f.AlarmRaised, at: Instant) -> None:
    state.alarms[fact.key] = fact.text


def _alarm_cleared(state: State, fact: f.AlarmCleared, at: Instant) -> None:
    state.alarms.pop(fact.key, None)


_CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {
    **fold_incidents.CHANGES,
    **fold_calls.CHANGES,
    **fold_control.CHANGES,
    **fold_owners.CHANGES,
    **fold_holds.CHANGES,
    f.ClockAnchored: _clock_anchored,
    f.PointChanged: _point_changed,
    f.TrunkChanged: _trunk_changed,
    f.AlarmRaised: _alarm_raised,
    f.AlarmCleared: _alarm_cleared,
}
