"""What the rules that read only need to know of an incident, an operator and the world, whoever keeps them.

The core's `State` fits these, and so does the watch's own picture (`callserver.watch.picture`), which is folded apart from
it; so both ask the same rule and nothing else is shared. A rule that needs more of the state adds a line here, and the
watch one that keeps it.
"""

from collections.abc import Mapping
from typing import Protocol

from callserver.core.ids import LegId, OperatorId, PointId
from callserver.core.instant import Instant
from dialplans.model import Plan


class IncidentView(Protocol):
    """An incident that waits."""

    @property
    def point(self) -> PointId: ...
    @property
    def queue(self) -> str: ...
    @property
    def plan_version(self) -> int: ...
    @property
    def ladder(self) -> str: ...
    @property
    def ladder_since(self) -> Instant: ...
    @property
    def step(self) -> int: ...


class OperatorView(Protocol):
    """An operator at a seat."""

    @property
    def id(self) -> OperatorId: ...
    @property
    def state(self) -> str: ...
    @property
    def reachable(self) -> bool: ...
    @property
    def legs(self) -> tuple[LegId, ...]: ...
    @property
    def refuses_until(self) -> Instant | None: ...


class WorldView(Protocol):
    """Plans and the time of day."""

    @property
    def plans(self) -> Mapping[int, Plan]: ...
    @property
    def plan_version(self) -> int: ...
    @property
    def utc_offset_ns(self) -> int: ...
