"""What is journalled of lines whose sound goes one way only. For `facts`, whose rules hold here too."""

from dataclasses import dataclass

from callserver.core.ids import LegId


@dataclass(frozen=True, slots=True)
class OneWayFound:
    """A leg's sound goes one way only. `side` is what fails: out, ours does not reach the device; in, the device's is not taken.

    `renewed`: its device was asked for its media anew.
    """

    leg: LegId
    side: str
    why: str
    renewed: bool = False


@dataclass(frozen=True, slots=True)
class OneWayEnded:
    """The leg's sound goes both ways again, as far as `side` is concerned."""

    leg: LegId
    side: str
