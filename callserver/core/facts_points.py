"""What is journalled of devices that are told something by keys, and of points called beside a call's own. For `facts`."""

from dataclasses import dataclass

from callserver.core.ids import CallId, IncidentId, LegId, PointId


@dataclass(frozen=True, slots=True)
class DigitsSent:
    """Keys are sent to a leg's device from here on; until the instant `until` it must be known what came of them."""

    leg: LegId
    digits: str
    why: str  # acknowledge | end | control:<id>
    by: str  # who asked for it; "plan" where the profile says so
    until: int


@dataclass(frozen=True, slots=True)
class DigitsSettled:
    """The keys went out whole, or they did not and are not sent again."""

    leg: LegId
    digits: str
    whole: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class GroupCalled:
    """An operator calls a group of points: as soon as the operator is there these are called besides the incident's own."""

    incident: IncidentId
    group: str
    points: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class PointGivenUp:
    """A point that was called into a conversation did not come; whoever talks goes on."""

    call: CallId
    point: PointId
    reason: str
