"""What the core orders. The shell (`runtime.perform`) carries these out and answers with events.

Each order names its object (leg, call), is safe to repeat, and needs no other state of the core than what it carries.
The order of a list is the order of performance. An order is performed after its facts are journalled or, when the journal
is slow, after 250 ms.
"""

from dataclasses import dataclass

from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PartyId, PointId
from callserver.core.shape import Shape
from dialplans.model import MediaSource, Notice, Route


@dataclass(frozen=True, slots=True)
class AdoptPress:
    """Give the edge's inbound dialog its leg id and ring the point: 180."""

    dialog: str
    leg: LegId


@dataclass(frozen=True, slots=True)
class RefusePress:
    """Answer an inbound dialog that becomes no leg with a failure status."""

    dialog: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class StartMedia:
    """Open the leg's RTP, take a worker if the call has none, and send 183 with our SDP."""

    leg: LegId
    source: MediaSource


@dataclass(frozen=True, slots=True)
class AnswerLeg:
    """Send 200 on an inbound leg (with the SDP of the 183, or a fresh one). Repeating it is harmless."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class DialOperator:
    """INVITE an operator's seat, showing the point: its id as From user, its place as display name."""

    leg: LegId
    operator: OperatorId
    point: PointId
    place: str


@dataclass(frozen=True, slots=True)
class DialPoint:
    """INVITE a point (call back) at its binding, or at the last address that it called from.

    `auto_answer` names the header that makes the device answer by itself: "", both, call-info or alert-info.
    """

    leg: LegId
    point: PointId
    source: MediaSource
    auto_answer: str = ""


@dataclass(frozen=True, slots=True)
class DialParty:
    """INVITE an outside party by one of its routes, showing the point."""

    leg: LegId
    party: PartyId
    route: Route
    point: PointId
    place: str


@dataclass(frozen=True, slots=True)
class RenewMedia:
    """Ask an answered leg's device for its media anew, by a re-INVITE with what we offered. Harmless when repeated."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of a telephone as a device wants to have them: as RFC 4733 events, or each by an INFO of its own."""

    digits: str
    by_info: bool
    length_ms: int
    gap_ms: int


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Send keys to an answered leg's device, once; a repeated order is no order, for none is repeated. `DigitsDone` follows."""

    leg: LegId
    keys: Keys


@dataclass(frozen=True, slots=True)
class EndLeg:
    """End a leg in whatever state it is: CANCEL, BYE, or a final failure. A `LegEnded` follows for certain.

    `status` is the failure for an inbound leg without final answer; `reason` becomes a Reason header (RFC 3326). `keys` are sent
    before a BYE, which does not wait longer than a second for them.
    """

    leg: LegId
    reason: str
    status: int = 480
    keys: Keys | None = None


@dataclass(frozen=True, slots=True)
class ShapeCall:
    """Make the call sound like this. Legs of `shape.talk` that are answered are placed in the worker first."""

    call: CallId
    shape: Shape


@dataclass(frozen=True, slots=True)
class ReviveCall:
    """Replace the call's worker, place its live legs again and give it the last shape."""

    call: CallId
    shape: Shape


@dataclass(frozen=True, slots=True)
class CloseCall:
    """No leg is left: release worker and sockets; the archivist may finish the recording."""

    call: CallId


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell somebody by webhook or mail; `NoticeDone` follows. Ordered again after a restart: `id` names it once."""

    id: str
    notice: Notice
    incident: IncidentId
    point: PointId
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """Answer a service code's dialog, play `accepted` or `refused`, hang up. `then`: a further phrase that is said."""

    dialog: str
    accepted: bool
    then: str = ""


Effect = (
    AdoptPress | RefusePress | StartMedia | AnswerLeg | DialOperator | DialPoint | DialParty | RenewMedia | EndLeg
    | ShapeCall | ReviveCall | CloseCall | Notify | AnswerCode | SendDigits
)  # fmt: skip
