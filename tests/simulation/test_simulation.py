"""Days of calls from printed seeds, with faults between any two steps; see `world` and `invariants`."""

from datetime import date

import pytest

from tests.simulation.invariants import Broken
from tests.simulation.world import World


def run(seed: int, hours: float) -> World:
    """One world; its seed stands in the failure."""
    world = World(seed)
    try:
        world.run(hours)
    except (AssertionError, KeyError) as broken:
        last = "\n".join(f"  {at / 1e9:.3f} {fact}" for fact, at in world.journal[-25:])
        raise Broken(f"seed {seed} at {world.now / 1e9:.3f} s: {broken!r}\n{last}") from broken
    return world


def rotating(count: int) -> list[int]:
    """Other seeds of the long matrix every day, so that in some weeks `make test` has seen them all."""
    first = date.today().toordinal() * count % 200
    return [1_000 + (first + number) % 200 for number in range(count)]


@pytest.mark.parametrize("seed", [*range(16), *rotating(4)])
def test_no_incident_is_lost_and_nobody_waits_in_silence(seed: int) -> None:
    world = run(seed, hours=15)
    assert world.steps > 1_000
    assert len(world.invariants.opened) > 100
    assert world.crashes > 3


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(1_000, 1_200))
def test_many_days(seed: int) -> None:
    run(seed, hours=48)
