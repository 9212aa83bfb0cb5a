"""The watch's own picture of the queue, made of the journal's facts and of nothing else.

It is folded apart from `core.fold`, on purpose: a mistake there, or a rule that writes to the state behind the journal's
back, does not reach it. It keeps less: who waits, who rings for whom, who sits where, what is due. `changed` is when a
record last changed, so that what comes and goes between two looks is not taken for one long trouble.
"""

from dataclasses import dataclass, field

from callserver.core.ids import CallId, IncidentId, LegId, OfferId, OperatorId, PointId
from callserver.core.instant import INSTANT_ZERO, Instant
from dialplans.model import Plan


@dataclass(slots=True)
class SeenLeg:
    """One party's connection."""

    id: LegId
    call: CallId
    role: str
    party: str
    state: str
    changed: Instant
    accepted: bool = True


@dataclass(slots=True)
class SeenCall:
    """A call, its live legs and its offer."""

    id: CallId
    incident: IncidentId
    state: str
    changed: Instant
    legs: dict[LegId, SeenLeg] = field(default_factory=dict)
    offer: OfferId | None = None
    ringing: dict[LegId, OperatorId] = field(default_factory=dict)  # the offer's legs that were not given up
    offer_changed: Instant = INSTANT_ZERO


@dataclass(slots=True)
class SeenIncident:
    """An incident that nobody has closed yet."""

    id: IncidentId
    point: PointId
    queue: str
    plan_version: int
    state: str
    changed: Instant
    ladder_since: Instant
    ladder: str = ""
    step: int = 0
    passed: tuple[int, ...] = ()  # steps passed over outside of their hours
    only: str = ""  # who alone is rung for it; see core.eligible
    only_until: Instant | None = None
    called_by: str = ""  # the operator who called the point, until it presses
    call: CallId | None = None
    operator: OperatorId | None = None
    until: Instant | None = None  # the end of wrap-up
    met: dict[str, Instant] = field(default_factory=dict)  # conditions met since it began to wait (this time)
    pressed: Instant | None = None  # a press that has no leg yet
    route_at: Instant | None = None  # when the next route of a party is to be tried
    tried: Instant = INSTANT_ZERO  # when a party was last dialled
    stepped: Instant = INSTANT_ZERO  # when its ladder last moved
    talked: bool = False  # somebody spoke with the caller in the call that it has now
    listed: Instant | None = None  # on the call-back list since
    overdue_at: Instant | None = None
    acknowledge_by: Instant | None = None
    owner: OperatorId | None = None
    owner_since: Instant = INSTANT_ZERO


@dataclass(slots=True)
class SeenOperator:
    """An operator."""

    id: OperatorId
    state: str
    changed: Instant
    reachable: bool = False
    legs: tuple[LegId, ...] = ()
    refuses_until: Instant | None = None
    until: Instant | None = None


@dataclass(slots=True)
class Picture:
    """All that is watched."""

    plans: dict[int, Plan] = field(default_factory=dict)
    plan_version: int = 0
    utc_offset_ns: int = 0
    incidents: dict[IncidentId, SeenIncident] = field(default_factory=dict)
    calls: dict[CallId, SeenCall] = field(default_factory=dict)
    legs: dict[LegId, SeenLeg] = field(default_factory=dict)
    operators: dict[OperatorId, SeenOperator] = field(default_factory=dict)
    notices: dict[str, tuple[IncidentId, Instant]] = field(default_factory=dict)  # ordered and not settled
    alarms: set[str] = field(default_factory=set)
    back_since: Instant = INSTANT_ZERO  # the switchboard took up its work: nothing counts from before

    def waiting(self) -> list[SeenIncident]:
        """The incidents that wait."""
        return [incident for incident in self.incidents.values() if incident.state == "waiting"]

    def call_of(self, incident: SeenIncident) -> SeenCall | None:
        """The incident's call, where there is one."""
        return None if incident.call is None else self.calls.get(incident.call)
