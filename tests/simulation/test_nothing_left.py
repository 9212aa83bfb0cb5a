"""After a day of calls with faults nothing in core or watch names an incident that is closed: a service runs for years."""

import pytest

from callserver.core.facts import HoldLifted
from callserver.core.fold import fold
from callserver.core.state import State
from callserver.watch.watch import Watch
from tests.holding import words
from tests.simulation.test_simulation import rotating
from tests.simulation.world import World, run

PLANS = ("plans",)


@pytest.mark.parametrize("seed", [1, *rotating(1)])
def test_what_is_closed_is_forgotten(seed: int) -> None:
    """Neither state nor index nor the watch's picture keep an incident's name, a call's or a leg's, in any field.

    But for legal holds: the core has to know what is held, for as long as it is.
    """
    world = run(seed, hours=10)
    closed = set(world.invariants.opened) - set(world.state.incidents)
    assert len(closed) > 100
    found = {id(kept): [one for one in words(kept, apart=PLANS) if _incident(one[1]) in closed] for kept in _keepers(world)}
    held = sorted(world.archive.holds.values())
    assert held and sorted(found.pop(id(world.state))) == [(".holds[]", incident) for incident in held]
    assert list(found.values()) == [[]]


def test_a_hold_that_is_lifted_is_forgotten() -> None:
    world = run(1, hours=3)
    for hold, incident in list(world.archive.holds.items()):
        world.archive.note(HoldLifted(hold, incident, "sue"))
    closed = set(world.invariants.opened)
    assert len(closed) > 20 and not world.archive.holds
    for kept in _keepers(world):
        assert [one for one in words(kept, apart=PLANS) if _incident(one[1]) in closed] == []


def _keepers(world: World) -> tuple[State, Watch]:
    return world.state, world.watch


def _incident(text: str) -> str:
    return text.partition(".")[0]


def test_the_look_for_names_reaches_what_is_open() -> None:
    """Else the other test would pass because it looks nowhere."""
    world = run(1, hours=2)
    open_at = next(number for number, (fact, _) in enumerate(world.journal) if type(fact).__name__ == "OfferMade")
    state = fold(world.journal[: open_at + 1])
    found = {text for _, text in words(state, apart=PLANS)}
    assert state.calls and {*state.incidents, *state.calls, *state.legs} <= found
