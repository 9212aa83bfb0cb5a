"""How the switchboard says that it is: the answer to `control.Verb.STATUS`, and its parts."""

import msgspec


class OperatorStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operator of the plan in force. `since_utc_ns` is when the state began."""

    id: str
    name: str = ""
    groups: tuple[str, ...] = ()
    state: str = ""
    reachable: bool = False
    since_utc_ns: int = 0
    call: str = ""
    incident: str = ""


class PointStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A point of the plan in force."""

    id: str
    place: str = ""
    queue: str = ""
    profile: str = ""
    reachable: bool = False
    incident: str = ""  # the open one


class QueueStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A queue of the plan in force: who waits, who could answer."""

    id: str
    waiting: int = 0
    longest_wait_ms: int = 0
    talking: int = 0
    operators_free: int = 0
    operators_on_duty: int = 0


class AlarmStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that needs a person's attention."""

    key: str
    text: str
    since_utc_ns: int = 0


class DiskStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A directory in which things are kept, and the file system below it. `hours_left` is None where it does not fill."""

    id: str  # data, captures, recordings or spool
    free_bytes: int
    total_bytes: int
    bytes_per_hour: int | None = None  # by which it fills; None: not known yet
    hours_left: float | None = None
    measured_utc_ns: int = 0


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the switchboard is. `reasons` says why it is not ready; `figures` become gauges `callserver_<name>`."""

    ready: bool
    reasons: tuple[str, ...] = ()
    version: str = ""
    pid: int = 0
    started_utc_ns: int = 0
    plan: str = ""
    plan_version: int = 0
    facts: int = 0
    figures: dict[str, float] = {}
    operators: tuple[OperatorStatus, ...] = ()
    points: tuple[PointStatus, ...] = ()
    queues: tuple[QueueStatus, ...] = ()
    alarms: tuple[AlarmStatus, ...] = ()
    disks: tuple[DiskStatus, ...] = ()
