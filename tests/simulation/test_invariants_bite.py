"""The checks of the simulation can fail: each broken rule of the core is found."""

from typing import Any

import pytest

from callserver.core import conversation, eligible, endings, ladder, leg, offers, outside, sound
from callserver.core import operator as operators
from callserver.core.ids import OperatorId
from callserver.core.state import OperatorState
from tests.simulation.invariants import Broken
from tests.simulation.world import World

SEED = 7
HOURS = 12


def nothing(*_: Any, **__: Any) -> None:
    """A rule that was forgotten."""


def shape_without_fact(d: Any, call: Any) -> None:
    """A rule that writes to the state by itself."""
    call.shape = sound.wanted(d.state, call)


def free_with_a_leg(operator: OperatorState, now: int) -> bool:
    """Eligibility that forgets the legs that still end."""
    return operator.state == operators.AVAILABLE and operator.reachable


def accept_and_forget(d: Any, call: Any, leg_answered: Any) -> OperatorState:
    """An accept that leaves the other seats ringing."""
    operator: OperatorState = d.state.operators[OperatorId(leg_answered.party)]
    d.record(offers.OfferEnded(call.offer.id, "accepted", "first", operator.id))
    operators.move(d, operator, operators.TALKING, "first")
    return operator


BROKEN_RULES = [
    pytest.param(eligible, "eligible", lambda *_: False, "without an offer", id="nobody is eligible"),
    pytest.param(offers, "deal", nothing, "without an offer", id="nothing is offered"),
    pytest.param(ladder, "climb", nothing, "not used up", id="no ladder is climbed"),
    pytest.param(outside, "begin", nothing, "last resort", id="no party is called"),
    pytest.param(outside, "begin_again", nothing, "deadline", id="no second round"),
    pytest.param(outside, "failed", nothing, "last resort", id="no next route"),
    pytest.param(sound, "reshape", shape_without_fact, "another state|sounds otherwise", id="state changed without a fact"),
    pytest.param(leg, "end", nothing, "ends but a leg stays|not used up|wait", id="legs are never ended"),
    pytest.param(eligible, "free", free_with_a_leg, "is dialled while", id="a seat is rung twice"),
    pytest.param(offers, "accept", accept_and_forget, "offered", id="losers are forgotten"),
    pytest.param(conversation, "wait_again", nothing, "attended by nobody|talks", id="a lost line is ignored"),
    pytest.param(conversation, "connect", nothing, "attended by nobody", id="the point is not connected"),
    pytest.param(endings.conversation, "free_without_leg", nothing, "talks to nobody|stuck", id="an operator is never freed"),
]


@pytest.mark.parametrize(("room", "name", "broken", "complaint"), BROKEN_RULES)
def test_a_broken_rule_is_found(room: Any, name: str, broken: Any, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, name, broken)
    with pytest.raises((Broken, AssertionError), match=complaint):
        World(SEED).run(HOURS)
