"""Every legal move of every machine is recorded, every other one is refused and changes nothing."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest

from callserver.core import call as calls
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.facts import Refused
from callserver.core.ids import OperatorId
from callserver.core.instant import Instant
from callserver.core.state import State
from tests.core.driver import Driver

NOW = Instant(2_000_000_000_000)


def a_leg(state: State) -> Any:
    return next(iter(state.legs.values()))


def a_call(state: State) -> Any:
    return next(iter(state.calls.values()))


def an_incident(state: State) -> Any:
    return next(iter(state.incidents.values()))


def an_operator(state: State) -> Any:
    return state.operators[OperatorId("bob")]


MACHINES: list[tuple[str, Mapping[str, frozenset[str]], Callable[[State], Any], Any]] = [
    ("leg", legs.MOVES, a_leg, legs.move),
    ("call", calls.MOVES, a_call, calls.move),
    ("incident", incidents.MOVES, an_incident, incidents.move),
    ("operator", operators.MOVES, an_operator, operators.move),
]


def pairs(legal: bool) -> list[Any]:
    return [
        pytest.param(find, door, old, new, id=f"{name}: {old} -> {new}")
        for name, moves, find, door in MACHINES
        for old in moves
        for new in moves
        if (new in moves[old]) is legal
    ]


def state_in(find: Callable[[State], Any], old: str) -> tuple[State, Any]:
    """A state whose one object is in `old`; the index of waiting follows an incident's state."""
    driver = Driver(None, "ann")
    driver.press()
    state = deepcopy(driver.state)
    subject = find(state)
    subject.state = old
    if subject is an_incident(state) and old != incidents.WAITING:
        state.waiting.clear()
    return state, subject


@pytest.mark.parametrize(("find", "door", "old", "new"), pairs(legal=True))
def test_a_legal_move_is_recorded(find: Callable[[State], Any], door: Any, old: str, new: str) -> None:
    state, subject = state_in(find, old)
    d = Decision(state, "Test", NOW)
    assert door(d, subject, new, "because") is True
    moved = d.facts[-1]
    assert (old, new, "because") == (moved.old, moved.new, moved.reason)  # type: ignore[union-attr]
    assert subject.state == new


@pytest.mark.parametrize(("find", "door", "old", "new"), pairs(legal=False))
def test_an_illegal_move_is_refused_and_changes_nothing(find: Callable[[State], Any], door: Any, old: str, new: str) -> None:
    state, subject = state_in(find, old)
    before = deepcopy(state)
    d = Decision(state, "Test", NOW)
    assert door(d, subject, new, "because") is False
    assert [Refused] == [type(fact) for fact in d.facts]
    before.facts += 1
    assert before == state
    assert d.effects == []


@pytest.mark.parametrize(("name", "moves", "find", "door"), MACHINES)
def test_every_state_can_be_left_or_is_an_end(name: str, moves: Mapping[str, frozenset[str]], find: Any, door: Any) -> None:
    ends = {state for state, targets in moves.items() if not targets}
    assert ends <= {"ended", "closed"}
    assert set(moves) >= set().union(*moves.values())
