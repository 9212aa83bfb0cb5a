"""What one shift hands to the next: the answer to `control.Verb.HANDOVER`, and its parts. A time is 0 where there is none."""

import msgspec

from callserver.control_status import AlarmStatus, OperatorStatus, PointStatus


class Tried(msgspec.Struct, frozen=True, omit_defaults=True):
    """The point was called back. `operator` is "" where an outside party had the call; `result` "" while it rings."""

    at_utc_ns: int
    operator: str = ""
    result: str = ""


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open incident on the call-back list. `owner` "": the room's. `acknowledge_by`: it was passed, and nobody has seen it."""

    id: str
    point: str
    place: str
    priority: int
    queue: str
    state: str
    cause: str  # call-back | review
    why: str
    opened_utc_ns: int
    since_utc_ns: int
    due_utc_ns: int
    owner: str = ""
    owner_name: str = ""
    acknowledge_by_utc_ns: int = 0
    attempts: tuple[Tried, ...] = ()


class OpenIncident(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open incident that somebody has, or whose caller waits on the line."""

    id: str
    point: str
    place: str
    state: str
    opened_utc_ns: int
    operator: str = ""


class Handover(msgspec.Struct, frozen=True, omit_defaults=True):
    """The sheet. `call_backs` are the oldest; `listed` says how many there are."""

    made_utc_ns: int
    plan: str = ""
    listed: int = 0
    call_backs: tuple[Listed, ...] = ()
    others: tuple[OpenIncident, ...] = ()
    on_duty: tuple[OperatorStatus, ...] = ()
    points: tuple[PointStatus, ...] = ()  # those that cannot be reached
    trunks: tuple[str, ...] = ()  # likewise
    alarms: tuple[AlarmStatus, ...] = ()
