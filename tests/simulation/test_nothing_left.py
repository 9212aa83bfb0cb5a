"""After a day of calls with faults nothing in core or watch names an incident that is closed: a service runs for years."""

import pytest

from callserver.core.fold import fold
from tests.holding import words
from tests.simulation.test_simulation import rotating
from tests.simulation.world import run

PLANS = ("plans",)


@pytest.mark.parametrize("seed", [1, *rotating(1)])
def test_what_is_closed_is_forgotten(seed: int) -> None:
    """Neither state nor index nor the watch's picture keep an incident's name, a call's or a leg's, in any field."""
    world = run(seed, hours=10)
    closed = set(world.invariants.opened) - set(world.state.incidents)
    assert len(closed) > 100
    for kept in (world.state, world.watch):
        assert [(path, text) for path, text in words(kept, apart=PLANS) if text.partition(".")[0] in closed] == []


def test_the_look_for_names_reaches_what_is_open() -> None:
    """Else the other test would pass because it looks nowhere."""
    world = run(1, hours=2)
    open_at = next(number for number, (fact, _) in enumerate(world.journal) if type(fact).__name__ == "OfferMade")
    state = fold(world.journal[: open_at + 1])
    found = {text for _, text in words(state, apart=PLANS)}
    assert state.calls and {*state.incidents, *state.calls, *state.legs} <= found
