"""Days of calls from printed seeds, with faults between any two steps; see `world`, `invariants` and `promises`.

A day's worth of calls: ten presses. New York's underground counts 765 presses a day at 3,016 points, so a place of forty
points has ten.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from datetime import date

import pytest

from tests.simulation.world import run

PRESSES_A_DAY = 10
LONG_SEEDS = range(1_000, 1_200)
PRESSES_EACH = 500


def rotating(count: int) -> list[int]:
    """Other seeds of the long matrix every day, so that in some weeks `make test` has seen them all."""
    first = date.today().toordinal() * count % len(LONG_SEEDS)
    return [LONG_SEEDS[(first + number) % len(LONG_SEEDS)] for number in range(count)]


@pytest.mark.parametrize("seed", [*range(16), *rotating(4)])
def test_no_incident_is_lost_and_nobody_waits_in_silence(seed: int) -> None:
    world = run(seed, hours=15)
    assert world.steps > 1_000
    assert len(world.invariants.opened) > 100
    assert world.crashes > 3


def presses_of(seed: int) -> int:
    """How many presses a world of this seed has seen, all judges agreeing."""
    return run(seed, hours=0, presses=PRESSES_EACH).people.presses


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_ten_thousand_days() -> None:
    """A hundred thousand presses, on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        presses = sum(processes.map(presses_of, LONG_SEEDS))
    assert presses >= 10_000 * PRESSES_A_DAY
