"""What people ask of a live call. For `events`, whose rules hold here too."""

from dataclasses import dataclass

from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId


@dataclass(frozen=True, slots=True)
class Mute:
    """A person lets a leg hear the others without being heard (`on`), or lets it be heard again."""

    call: CallId
    leg: LegId
    on: bool
    by: str


@dataclass(frozen=True, slots=True)
class Drop:
    """A person ends one leg of a call that goes on without it; an operator's own leg: the call is left to the outside party."""

    call: CallId
    leg: LegId
    by: str


@dataclass(frozen=True, slots=True)
class Bring:
    """A person dials another operator's seat into a conversation, or a group's longest free. `mode` is listen, whisper, join or
    private."""

    call: CallId
    operator: OperatorId
    mode: str
    by: str


@dataclass(frozen=True, slots=True)
class SetMode:
    """A person changes how a supervisor's leg takes part. An outside party's leg: private or join, which is hold on or off."""

    call: CallId
    leg: LegId
    mode: str
    by: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """An operator becomes the one who has the call, as soon as the seat is in it; the old operator is free."""

    call: CallId
    operator: OperatorId
    by: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A person gives a conversation away without asking: only `to`, an operator, a group or an outside party, is called."""

    call: CallId
    to: str
    by: str


@dataclass(frozen=True, slots=True)
class ParkCall:
    """A person lets a caller wait without ringing anybody, until somebody takes the call or the queue's park time is over."""

    call: CallId
    by: str


@dataclass(frozen=True, slots=True)
class Take:
    """An operator wants this incident: one that waits, or one that was left to an outside party."""

    incident: IncidentId
    operator: OperatorId
    by: str


@dataclass(frozen=True, slots=True)
class CallOut:
    """An operator calls a point. `fresh` is a new incident id; a point whose incident waits is taken instead."""

    point: PointId
    operator: OperatorId
    by: str
    fresh: IncidentId


@dataclass(frozen=True, slots=True)
class CallGroup:
    """An operator calls a group of points. `fresh` is a new incident id."""

    group: str
    operator: OperatorId
    by: str
    fresh: IncidentId


@dataclass(frozen=True, slots=True)
class BringPoint:
    """A person calls one more point into a conversation."""

    call: CallId
    point: PointId
    by: str


@dataclass(frozen=True, slots=True)
class SendControl:
    """A person has a point's device do something that its profile names. `leg`: of a point that was brought in."""

    call: CallId
    control: str
    by: str
    leg: LegId | None = None


@dataclass(frozen=True, slots=True)
class DigitsDone:
    """Keys that were ordered went out whole, or they did not, and `why`."""

    leg: LegId
    digits: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Renew:
    """A person has the point called back now, because its device will soon end the call by itself."""

    call: CallId
    by: str
