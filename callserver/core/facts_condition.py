"""What is journalled of the condition of the machine around the calls: points, trunks, alarms, what was refused. For `facts`."""

from dataclasses import dataclass

from callserver.core.ids import PointId


@dataclass(frozen=True, slots=True)
class PointChanged:
    """A point became reachable or not."""

    point: PointId
    reachable: bool
    why: str


@dataclass(frozen=True, slots=True)
class TrunkChanged:
    """A trunk became reachable or not."""

    trunk: str
    reachable: bool
    why: str


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """Something needs a person's attention; raised once per `key` until cleared."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    """The cause of the alarm is gone."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An event did not fit the state it met; nothing was changed."""

    event: str
    about: str
    why: str
