"""What people ask of the call-back list. For `events`, whose rules hold here too."""

from dataclasses import dataclass

from callserver.core.ids import IncidentId, OperatorId


@dataclass(frozen=True, slots=True)
class GiveOwner:
    """A person gives a listed incident to an operator who is on duty; `to` "": to the next on duty, by the rule."""

    incident: IncidentId
    to: str
    by: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """An operator has seen what was passed: one incident, or (None) all that were."""

    operator: OperatorId
    incident: IncidentId | None
    by: str


@dataclass(frozen=True, slots=True)
class CallBack:
    """An operator calls the point of a listed incident back, in the same incident."""

    incident: IncidentId
    operator: OperatorId
    by: str
