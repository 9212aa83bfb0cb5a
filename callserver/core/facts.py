"""What is journalled. A fact holds the decision and its reason; `fold` makes the whole state from facts alone.

Rules: a fact is never changed after a release (add a new kind, or a field with a default); it holds no clock time
of its own (rows carry boottime, UTC and anchor); a field marked `erasable` holds personal data or free text, is stored
beside the chain and may be empty after erasure, so no decision may depend on it.
`core.fold.apply(state, fact, at)` is the only reader that changes state. docs/facts.md describes each kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.core.facts_condition import AlarmCleared as AlarmCleared
from callserver.core.facts_condition import AlarmRaised as AlarmRaised
from callserver.core.facts_condition import PointChanged as PointChanged
from callserver.core.facts_condition import Refused as Refused
from callserver.core.facts_condition import TrunkChanged as TrunkChanged
from callserver.core.facts_control import AcceptanceAwaited as AcceptanceAwaited
from callserver.core.facts_control import CallParked as CallParked
from callserver.core.facts_control import CallTaken as CallTaken
from callserver.core.facts_control import DirectionEnded as DirectionEnded
from callserver.core.facts_control import IncidentChosen as IncidentChosen
from callserver.core.facts_control import IncidentDirected as IncidentDirected
from callserver.core.facts_control import LegAccepted as LegAccepted
from callserver.core.facts_control import LegMuted as LegMuted
from callserver.core.facts_control import ModeSet as ModeSet
from callserver.core.facts_control import TalkLimitNear as TalkLimitNear
from callserver.core.facts_evidence import AccessAnswered as AccessAnswered
from callserver.core.facts_evidence import AccessAsked as AccessAsked
from callserver.core.facts_evidence import DisclosureMade as DisclosureMade
from callserver.core.facts_evidence import ExportApproved as ExportApproved
from callserver.core.facts_evidence import ExportAsked as ExportAsked
from callserver.core.facts_evidence import ExportFailed as ExportFailed
from callserver.core.facts_evidence import ExportFetched as ExportFetched
from callserver.core.facts_evidence import PackMade as PackMade
from callserver.core.facts_evidence import RedactionMade as RedactionMade
from callserver.core.facts_keeping import BackupMade as BackupMade
from callserver.core.facts_kept import ArchivistStarted as ArchivistStarted
from callserver.core.facts_kept import RecordingConfirmed as RecordingConfirmed
from callserver.core.facts_kept import RecordingDoubtful as RecordingDoubtful
from callserver.core.facts_ladder import ConditionMet as ConditionMet
from callserver.core.facts_ladder import HoursTurned as HoursTurned
from callserver.core.facts_ladder import LadderStepTaken as LadderStepTaken
from callserver.core.facts_ladder import NoticeOrdered as NoticeOrdered
from callserver.core.facts_ladder import NoticeSettled as NoticeSettled
from callserver.core.facts_ladder import PartyGivenUp as PartyGivenUp
from callserver.core.facts_ladder import RouteAwaited as RouteAwaited
from callserver.core.facts_ladder import RouteTried as RouteTried
from callserver.core.facts_line import OneWayEnded as OneWayEnded
from callserver.core.facts_line import OneWayFound as OneWayFound
from callserver.core.facts_looks import ConfigurationRead as ConfigurationRead
from callserver.core.facts_looks import Downloaded as Downloaded
from callserver.core.facts_looks import Played as Played
from callserver.core.facts_looks import RecordingSent as RecordingSent
from callserver.core.facts_looks import Searched as Searched
from callserver.core.facts_looks import SearchExported as SearchExported
from callserver.core.facts_noted import ERASABLE
from callserver.core.facts_noted import AccountChanged as AccountChanged
from callserver.core.facts_noted import CheckpointKeyMade as CheckpointKeyMade
from callserver.core.facts_noted import CheckpointSigned as CheckpointSigned
from callserver.core.facts_noted import ClockAnchored as ClockAnchored
from callserver.core.facts_noted import Listened as Listened
from callserver.core.facts_noted import RecordingFailed as RecordingFailed
from callserver.core.facts_noted import RecordingMade as RecordingMade
from callserver.core.facts_noted import ServerStarted as ServerStarted
from callserver.core.facts_noted import SignedIn as SignedIn
from callserver.core.facts_owner import CallBackBegun as CallBackBegun
from callserver.core.facts_owner import IncidentListed as IncidentListed
from callserver.core.facts_owner import IncidentUnlisted as IncidentUnlisted
from callserver.core.facts_owner import OwnerAcknowledged as OwnerAcknowledged
from callserver.core.facts_owner import OwnerNamed as OwnerNamed
from callserver.core.facts_points import DigitsSent as DigitsSent
from callserver.core.facts_points import DigitsSettled as DigitsSettled
from callserver.core.facts_points import GroupCalled as GroupCalled
from callserver.core.facts_points import PointGivenUp as PointGivenUp
from callserver.core.facts_quality import CallScored as CallScored
from callserver.core.facts_quality import SampleSeeded as SampleSeeded
from callserver.core.facts_retention import HoldLifted as HoldLifted
from callserver.core.facts_retention import HoldPlaced as HoldPlaced
from callserver.core.facts_retention import RecordingDeleted as RecordingDeleted
from callserver.core.facts_retention import TextsErased as TextsErased
from callserver.core.ids import NO_LEG, CallId, IncidentId, LegId, OfferId, OperatorId, PointId
from callserver.core.shape import Shape
from callserver.core.termination import Termination
from dialplans.model import Plan


@dataclass(frozen=True, slots=True)
class PlanAdopted:
    """A plan is in force for new incidents; open ones keep theirs."""

    version: int
    digest: str
    plan: Plan
    by: str


@dataclass(frozen=True, slots=True)
class IncidentOpened:
    """A press opened an incident: it is `waiting` and frozen under this plan version."""

    incident: IncidentId
    point: PointId
    queue: str
    priority: int
    plan_version: int
    ladder: str = ""  # "": the queue's own
    button: str = ""
    why: str = ""  # where the class is not the button's own
    called_by: str = ""  # the operator who called the point; empty: it pressed


@dataclass(frozen=True, slots=True)
class IncidentRejoined:
    """A press joined its point's open incident."""

    incident: IncidentId
    point: PointId
    why: str


@dataclass(frozen=True, slots=True)
class IncidentReclassified:
    """The incident's class changed; its place in the order changes at once."""

    incident: IncidentId
    old: int
    new: int
    why: str
    cause: str = ""  # presses | silence: raises an incident once


@dataclass(frozen=True, slots=True)
class IncidentHandedOver:
    """A waiting incident went to another queue, at the foot of this ladder; its place in the order is by its first wait."""

    incident: IncidentId
    queue: str
    ladder: str
    reason: str
    left: str = ""  # the queue that it was in


@dataclass(frozen=True, slots=True)
class IncidentParked:
    """A talk was interrupted for a more urgent incident: it waits again, and its operator is asked first."""

    incident: IncidentId
    operator: OperatorId
    by: IncidentId


@dataclass(frozen=True, slots=True)
class IncidentMoved:
    """The incident changed state; see core.incident."""

    incident: IncidentId
    old: str
    new: str
    reason: str
    operator: OperatorId | None = None  # who owns it from here, where somebody does
    until: int | None = None  # instant at which the new state ends by itself (wrap-up)


@dataclass(frozen=True, slots=True)
class OutcomeRecorded:
    """Somebody (or, where the plan says so, the plan) said what the incident was; it closes with this."""

    incident: IncidentId
    outcome: str
    by: str
    note: str = field(default="", metadata=ERASABLE)


@dataclass(frozen=True, slots=True)
class CallOpened:
    """A call of an incident exists; it has no leg yet."""

    call: CallId
    incident: IncidentId
    point: PointId


@dataclass(frozen=True, slots=True)
class CallMoved:
    """The call changed state; see core.call."""

    call: CallId
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class LegCreated:
    """A leg exists. `role` is point, operator, supervisor or outside; `party` the id of whoever is at its far end."""

    leg: LegId
    call: CallId
    role: str
    party: str
    inbound: bool
    route: str = ""  # the URI dialled, for an outside party
    due: int | None = None  # instant at which a dialled leg is given up, or an early inbound one answered


@dataclass(frozen=True, slots=True)
class LegMoved:
    """The leg changed state; see core.leg. An ended leg has its termination."""

    leg: LegId
    old: str
    new: str
    reason: str
    termination: Termination | None = None


@dataclass(frozen=True, slots=True)
class OfferMade:
    """A waiting call is shown to seats; each operator's leg rings until the instant `until`."""

    offer: OfferId
    call: CallId
    operators: tuple[OperatorId, ...]
    legs: tuple[LegId, ...]
    until: int
    why: str


@dataclass(frozen=True, slots=True)
class OfferWidened:
    """More seats ring for a live offer: their operators became free, or the ladder added a group."""

    offer: OfferId
    operators: tuple[OperatorId, ...]
    legs: tuple[LegId, ...]
    why: str


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """An offer is over: accepted by somebody, rung out, refused by all, or withdrawn."""

    offer: OfferId
    result: str  # accepted | rung-out | refused | withdrawn
    reason: str
    operator: OperatorId | None = None


@dataclass(frozen=True, slots=True)
class OperatorMoved:
    """An operator changed state; see core.operator."""

    operator: OperatorId
    old: str
    new: str
    reason: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class OperatorRests:
    """An operator let an offer ring out and is not rung again before `until`, unless no one else is free."""

    operator: OperatorId
    until: int
    firm: bool = False  # the seat refused or failed: not rung before `until` even when no one else is free


@dataclass(frozen=True, slots=True)
class RestEnded:
    """An operator's rest is over."""

    operator: OperatorId


@dataclass(frozen=True, slots=True)
class SeatChanged:
    """An operator's seat became reachable or not. `kind` is softphone or browser."""

    operator: OperatorId
    reachable: bool
    why: str
    kind: str = "softphone"


@dataclass(frozen=True, slots=True)
class CallBackAwaited:
    """The point is called (again) at the instant `at`."""

    call: CallId
    at: int
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True)
class CallShaped:
    """What the call should sound like from here on."""

    call: CallId
    shape: Shape


@dataclass(frozen=True, slots=True)
class CallHeld:
    """The point waits while somebody has the call (`held`), or is back in the conversation."""

    call: CallId
    held: bool
    by: str


@dataclass(frozen=True, slots=True)
class LineChanged:
    """RTP from a leg stopped (`sounding` false) or came back."""

    leg: LegId
    sounding: bool
    silent_ms: int = 0


@dataclass(frozen=True, slots=True)
class DigitHeard:
    """A leg sent a DTMF digit."""

    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class CodeUsed:
    """An operator's phone dialled a service code, or (`leg`) its digits were pressed in a conversation."""

    operator: OperatorId
    code: str
    accepted: bool
    reason: str
    leg: LegId = NO_LEG


@dataclass(frozen=True, slots=True)
class WorkerReplaced:
    """A call's audio process was lost and a successor ordered."""

    call: CallId
    why: str


Fact = (
    PlanAdopted | IncidentOpened | IncidentRejoined | IncidentReclassified | IncidentHandedOver | IncidentParked
    | ConditionMet | HoursTurned | NoticeOrdered | NoticeSettled | IncidentMoved | OutcomeRecorded | CallOpened | CallMoved
    | LegCreated | LegMoved | OfferMade | OfferWidened | OfferEnded | OperatorMoved | OperatorRests | RestEnded
    | SeatChanged | LadderStepTaken | RouteTried | RouteAwaited | PartyGivenUp | CallBackAwaited | CallShaped
    | CallHeld | LineChanged | OneWayFound | OneWayEnded | DigitHeard | AcceptanceAwaited | LegAccepted | LegMuted
    | ModeSet | CallTaken | CallParked
    | IncidentDirected | DirectionEnded | IncidentChosen | TalkLimitNear
    | DigitsSent | DigitsSettled | GroupCalled | PointGivenUp
    | CodeUsed | WorkerReplaced | PointChanged | TrunkChanged | AlarmRaised | AlarmCleared | Refused | ServerStarted
    | ClockAnchored | RecordingMade | RecordingFailed | Listened | SignedIn | AccountChanged
    | CheckpointKeyMade | CheckpointSigned | RecordingConfirmed | RecordingDoubtful | ArchivistStarted
    | IncidentListed | IncidentUnlisted | OwnerNamed | OwnerAcknowledged | CallBackBegun
    | HoldPlaced | HoldLifted | RecordingDeleted | TextsErased
    | ExportAsked | ExportApproved | ExportFailed | ExportFetched | PackMade | RedactionMade
    | DisclosureMade | AccessAsked | AccessAnswered
    | BackupMade | SampleSeeded | CallScored
    | Searched | SearchExported | Played | RecordingSent | Downloaded | ConfigurationRead
)  # fmt: skip

KINDS: Mapping[str, type] = {kind.__name__: kind for kind in Fact.__args__}
"""Every kind of fact by its name in the journal."""
