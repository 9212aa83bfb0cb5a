"""What rotates is all run in as many days as its share says, and something every day."""

import pytest

from tests import sources
from tests.sample import ROTATING, todays

NAMES = [f"test {number}" for number in range(10)]


@pytest.mark.parametrize("share", [1, 2, 3, 7, 10, 50])
def test_every_name_has_its_turn(share: int) -> None:
    days = [todays(NAMES, share, day) for day in range(1_000, 1_000 + min(share, len(NAMES)))]
    assert set().union(*days) == set(NAMES)
    assert all(days)


def test_a_share_is_a_share() -> None:
    assert sum(len(todays(NAMES, 5, day)) for day in range(5)) == len(NAMES)
    assert todays([], 3, 0) == set()


def test_what_rotates_is_there() -> None:
    """A file that was renamed would run whole, or not be missed."""
    assert [file for file in ROTATING if file not in set(sources.python_files())] == []
