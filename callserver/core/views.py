"""What the rules that only read need to know of an incident, an operator and the world, whoever keeps them.

The core's `State` fits these, and so does the watch's own picture (`callserver.watch.picture`), which is folded apart from
it; so both ask the same rule and nothing else is shared. A rule that needs more of the state adds a line here, and the
watch one that keeps it. These are for reading.
"""

from typing import Final, Protocol

from callserver.core.ids import LegId, OperatorId, PointId
from callserver.core.instant import Instant
from dialplans.model import Plan

NOBODY: Final = "nobody"
"""`IncidentView.only` of an incident that a person parked."""

OPERATOR: Final = "operator:"
GROUP: Final = "group:"
"""What `IncidentView.only` begins with, of one that is offered to an operator or a group alone; "": to everybody."""

PARTY: Final = "party:"
"""The same of one that was given to an outside party, which is called: no seat is rung."""


class IncidentView(Protocol):
    """An incident that waits; `state.Incident` says what each field means."""

    point: PointId
    queue: str
    plan_version: int
    ladder: str
    ladder_since: Instant
    step: int
    passed: tuple[int, ...]
    only: str


class OperatorView(Protocol):
    """An operator at a seat; `state.OperatorState` says what each field means."""

    id: OperatorId
    state: str
    reachable: bool
    legs: tuple[LegId, ...]
    refuses_until: Instant | None


class WorldView(Protocol):
    """Plans and the time of day; `state.State` says what each field means."""

    plans: dict[int, Plan]
    plan_version: int
    utc_offset_ns: int
