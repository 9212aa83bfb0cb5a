"""What facts change of legal holds; for `fold.apply`."""

from collections.abc import Callable, Mapping
from typing import Any

from callserver.core import facts as f
from callserver.core.instant import Instant
from callserver.core.state import State


def _hold_placed(state: State, fact: f.HoldPlaced, at: Instant) -> None:
    state.holds[fact.hold] = fact.incident


def _hold_lifted(state: State, fact: f.HoldLifted, at: Instant) -> None:
    del state.holds[fact.hold]


CHANGES: Mapping[type, Callable[[State, Any, Instant], None]] = {f.HoldPlaced: _hold_placed, f.HoldLifted: _hold_lifted}
"""What each kind of fact does; for `fold.apply`."""
