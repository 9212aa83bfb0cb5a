"""What the core is told. Past tense for what happened, imperative for what somebody asks.

The shell makes these from the edge, the workers, the store and the API; every one is handled by
`decide.handle(state, event, now)`. An event that does not fit the state it meets is refused: a `Refused` fact with the reason,
and nothing else changes.
"""

from dataclasses import dataclass

from callserver.core.events_control import Bring as Bring
from callserver.core.events_control import BringPoint as BringPoint
from callserver.core.events_control import CallGroup as CallGroup
from callserver.core.events_control import CallOut as CallOut
from callserver.core.events_control import DigitsDone as DigitsDone
from callserver.core.events_control import Drop as Drop
from callserver.core.events_control import Mute as Mute
from callserver.core.events_control import ParkCall as ParkCall
from callserver.core.events_control import Renew as Renew
from callserver.core.events_control import SendControl as SendControl
from callserver.core.events_control import SetMode as SetMode
from callserver.core.events_control import Take as Take
from callserver.core.events_control import TakeOver as TakeOver
from callserver.core.events_control import Transfer as Transfer
from callserver.core.events_line import DeviceHeld as DeviceHeld
from callserver.core.events_line import OneWay as OneWay
from callserver.core.events_line import OneWayOver as OneWayOver
from callserver.core.events_owner import Acknowledge as Acknowledge
from callserver.core.events_owner import CallBack as CallBack
from callserver.core.events_owner import GiveOwner as GiveOwner
from callserver.core.facts import Fact
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PartyId, PointId
from callserver.core.termination import Termination
from dialplans.model import Plan


@dataclass(frozen=True, slots=True)
class PlanLoaded:
    """A plan came into force; `digest` is the SHA-256 of its text."""

    version: int
    digest: str
    plan: Plan
    by: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A point's authenticated INVITE arrived. `fresh` is a new incident id, used unless the press joins an open one.

    `dialog` is the edge's key of the inbound dialog, until `AdoptPress` gives it a leg id.
    """

    point: PointId
    dialog: str
    fresh: IncidentId
    button: str = ""  # which of the point's buttons, where it has several


@dataclass(frozen=True, slots=True)
class CodeDialled:
    """An operator's softphone called a service code such as `*1`."""

    operator: OperatorId
    code: str
    dialog: str


@dataclass(frozen=True, slots=True)
class LegRang:
    """The far device of an outbound leg rings (180 or 183)."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The far device of an outbound leg sent its 200; media is agreed."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is over: BYE, CANCEL, a failure status, or no reply. Also the answer to our own EndLeg."""

    leg: LegId
    termination: Termination


@dataclass(frozen=True, slots=True)
class LineSilent:
    """No RTP came from an answered leg for `silent_ms`."""

    leg: LegId
    silent_ms: int


@dataclass(frozen=True, slots=True)
class LineSounding:
    """RTP comes again from a leg that was silent."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """One DTMF digit from a leg (RFC 4733 or INFO): 0-9, A-D, * or #."""

    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The process that carried a call's audio died or hung; a successor is wanted."""

    call: CallId
    why: str


@dataclass(frozen=True, slots=True)
class SeatBound:
    """An operator's softphone is registered, or a browser's sound is proven. `kind` is softphone or browser."""

    operator: OperatorId
    where: str
    kind: str = "softphone"


@dataclass(frozen=True, slots=True)
class SeatUnbound:
    """An operator's seat cannot be reached any more."""

    operator: OperatorId
    why: str


@dataclass(frozen=True, slots=True)
class PointReached:
    """A point registered or answered OPTIONS."""

    point: PointId


@dataclass(frozen=True, slots=True)
class PointLost:
    """A point's registration expired or OPTIONS stayed without answer."""

    point: PointId
    why: str


@dataclass(frozen=True, slots=True)
class TrunkReached:
    """A trunk answered its probe."""

    trunk: str


@dataclass(frozen=True, slots=True)
class TrunkLost:
    """A trunk's probe failed."""

    trunk: str
    why: str


@dataclass(frozen=True, slots=True)
class MakeAvailable:
    """An operator asks for calls. Ends a pause, and cuts a wrap-up short (its incident becomes unreviewed)."""

    operator: OperatorId
    by: str


@dataclass(frozen=True, slots=True)
class Pause:
    """An operator asks for no calls. `to`: who gets what is on the call-back list for them; "": the next on duty."""

    operator: OperatorId
    reason: str
    by: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class GiveOutcome:
    """A person closes an incident."""

    incident: IncidentId
    outcome: str
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class HangUp:
    """A person ends a call's conversation: every leg."""

    call: CallId
    by: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A person puts a call on hold (`on`), or takes it back."""

    call: CallId
    on: bool
    by: str


@dataclass(frozen=True, slots=True)
class Escalate:
    """A person brings an outside party into a call."""

    call: CallId
    party: PartyId
    by: str


@dataclass(frozen=True, slots=True)
class Reclassify:
    """A person gives an incident another class."""

    incident: IncidentId
    priority: int
    by: str


@dataclass(frozen=True, slots=True)
class ClimbLadder:
    """A person asks for the step that the plan has for being asked (When.ASKED)."""

    incident: IncidentId
    by: str


@dataclass(frozen=True, slots=True)
class LastResort:
    """The watch found a waiting incident without care: all steps up to the last are taken at once."""

    incident: IncidentId
    why: str


@dataclass(frozen=True, slots=True)
class NoticeDone:
    """A notice was delivered, or given up."""

    id: str
    delivered: bool
    why: str


@dataclass(frozen=True, slots=True)
class ConditionRaised:
    """The shell found a fault of the machine: a disk, a slow journal, an unknown device. `key` names it once."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class ConditionCleared:
    """The fault `key` is gone."""

    key: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact from a process that does not decide (archivist, web, command line), to be journalled in order.

    `id` is what its sender calls it, if anything: sent twice, it is journalled once.
    """

    fact: Fact
    id: str = ""


@dataclass(frozen=True, slots=True)
class Woken:
    """`next_deadline` has come."""


Event = (
    PlanLoaded | Pressed | CodeDialled | LegRang | LegAnswered | LegEnded | LineSilent | LineSounding
    | OneWay | OneWayOver | DeviceHeld | DigitPressed
    | WorkerLost | SeatBound | SeatUnbound | PointReached | PointLost | TrunkReached | TrunkLost
    | MakeAvailable | Pause | GiveOutcome | HangUp | Hold | Escalate | Reclassify | ClimbLadder | LastResort
    | NoticeDone | ConditionRaised | ConditionCleared | Noted | Woken
    | Mute | Drop | Bring | SetMode | TakeOver | Transfer | ParkCall | Take | CallOut | Renew
    | CallGroup | BringPoint | SendControl | DigitsDone
    | GiveOwner | Acknowledge | CallBack
)  # fmt: skip
