"""A rotating share of a large matrix for `make test`; `make test-long` runs all of it."""

import datetime
from collections.abc import Iterable
from typing import Any

import pytest


def rotating(cells: Iterable[str], share: int, always: Iterable[str] = ()) -> list[Any]:
    """Parameters of a matrix: every `share`-th cell, others each day, and those of `always`; the rest is marked `long`."""
    today = datetime.datetime.now(datetime.UTC).toordinal()
    kept = set(always)
    return [
        cell if cell in kept or (number + today) % share == 0 else pytest.param(cell, marks=pytest.mark.long)
        for number, cell in enumerate(cells)
    ]
