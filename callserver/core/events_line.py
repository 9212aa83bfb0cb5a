"""What the core is told of lines whose sound goes one way only, by a fault or by a button. For `events`."""

from dataclasses import dataclass

from callserver.core.ids import LegId


@dataclass(frozen=True, slots=True)
class OneWay:
    """Ours does not reach the leg's device (`side` out), or what it sends is not taken (in); told again while it lasts.

    `reported`: by the device itself.
    """

    leg: LegId
    side: str
    why: str
    reported: bool = False


@dataclass(frozen=True, slots=True)
class OneWayOver:
    """That is over."""

    leg: LegId
    side: str


@dataclass(frozen=True, slots=True)
class DeviceHeld:
    """A device put its line on hold by a button of its own (re-INVITE, RFC 3264 8.4), or takes it back."""

    leg: LegId
    on: bool
