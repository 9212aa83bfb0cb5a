"""What is journalled of live call control. For `facts`, whose rules hold here too."""

from dataclasses import dataclass

from callserver.core.ids import CallId, IncidentId, LegId, OperatorId


@dataclass(frozen=True, slots=True)
class AcceptanceAwaited:
    """An outside party answered and is told what it is about; it is in no talk unless it accepts by key before `until`."""

    leg: LegId
    until: int


@dataclass(frozen=True, slots=True)
class LegAccepted:
    """The party pressed the key by which it takes the call."""

    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class LegMuted:
    """A leg is not heard by the others from here on, though it hears them; or it is heard again."""

    leg: LegId
    muted: bool
    by: str


@dataclass(frozen=True, slots=True)
class ModeSet:
    """How a supervisor's leg takes part: listen, whisper, join, private, or take-over as soon as it is answered."""

    leg: LegId
    mode: str
    by: str


@dataclass(frozen=True, slots=True)
class CallTaken:
    """The operator of this leg has the call from here on; a supervisor's leg becomes an operator's."""

    call: CallId
    leg: LegId
    operator: OperatorId
    reason: str


@dataclass(frozen=True, slots=True)
class CallParked:
    """A person parked the call: nobody is rung for it until the instant `until`, unless somebody takes it."""

    call: CallId
    operator: OperatorId  # who had it, and is asked first afterwards
    until: int
    by: str


@dataclass(frozen=True, slots=True)
class IncidentDirected:
    """Only one operator, one group or one outside party is called for a waiting incident until the instant `until`."""

    incident: IncidentId
    only: str  # operator:<id> | group:<id> | party:<id>
    until: int
    by: str


@dataclass(frozen=True, slots=True)
class DirectionEnded:
    """A parked or directed incident is offered to everybody again."""

    incident: IncidentId
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentChosen:
    """An operator wants this waiting incident and no other: the seat rings for it as soon as it is free."""

    incident: IncidentId
    operator: OperatorId
    by: str


@dataclass(frozen=True, slots=True)
class TalkLimitNear:
    """The point's device ends its calls by itself after a while, and will do so at the instant `at`."""

    leg: LegId
    at: int
