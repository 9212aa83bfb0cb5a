"""What is journalled of the call-back list: what is on it, until when, and whose it is. The rules of `facts` hold here too."""

from dataclasses import dataclass

from callserver.core.ids import IncidentId, OperatorId


@dataclass(frozen=True, slots=True)
class IncidentListed:
    """Nobody has this open incident and somebody must see to it: it is on the call-back list from here until `due`."""

    incident: IncidentId
    cause: str  # call-back: nobody has spoken with the caller | review: somebody is to say what it was
    due: int  # instant at which it is overdue
    why: str


@dataclass(frozen=True, slots=True)
class IncidentUnlisted:
    """The incident is off the call-back list: somebody speaks with the caller again, or it is closed."""

    incident: IncidentId
    why: str


@dataclass(frozen=True, slots=True)
class OwnerNamed:
    """Whose listed incident it is from here; None: the room's, because nobody who could have it is on duty."""

    incident: IncidentId
    operator: OperatorId | None
    why: str
    by: str  # a person, or `rule`
    acknowledge_by: int | None = None  # instant by which the operator is to say that it was seen; None: not asked


@dataclass(frozen=True, slots=True)
class OwnerAcknowledged:
    """The operator has seen that the incident was passed to them."""

    incident: IncidentId
    operator: OperatorId
    by: str


@dataclass(frozen=True, slots=True)
class CallBackBegun:
    """An operator calls the point of an incident back that was left to be reviewed: it waits for that operator's seat."""

    incident: IncidentId
    operator: OperatorId
    by: str
