"""The plan as values: points, operators, queues, ladders, parties, trunks. What a text means, not how it is written.

Durations are integer milliseconds and say so in their names. `parse` makes these from TOML and
guarantees: every id that is named exists; every ladder has a last step that calls an outside party with
at least one route; ids are unique over points, operators and parties (they are SIP users of one domain).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """Class of a press; the smaller number goes first."""

    EMERGENCY = 0
    HIGH = 1
    NORMAL = 2
    INFORMATION = 3


class Answer(StrEnum):
    """When the point's INVITE is answered with 200."""

    HUMAN = "human"  # when a person is there
    AT_ONCE = "at-once"
    AFTER = "after"  # after Profile.answer_after_ms, or when a person is there


class PointBye(StrEnum):
    """What a point's own BYE in a conversation means."""

    END = "end"
    CALL_BACK = "call-back"


class MediaSource(StrEnum):
    """Which address a leg's RTP is accepted from."""

    SDP = "sdp"  # exactly the address and port of the SDP
    SDP_HOST = "sdp-host"  # SDP's or the SIP source's address, port of the first well-shaped packet, then locked
    LEARN_ONCE = "learn-once"  # address and port of the first well-shaped packet, then locked


class Strategy(StrEnum):
    """How a queue chooses the seats that ring."""

    RING_ALL = "ring-all"
    LONGEST_IDLE = "longest-idle"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of device does by itself, and how we answer it."""

    id: str
    answer: Answer = Answer.HUMAN
    answer_after_ms: int = 0
    point_bye: PointBye = PointBye.CALL_BACK
    media_source: MediaSource = MediaSource.SDP_HOST
    ring_limit_ms: int = 120_000
    talk_limit_ms: int = 0  # 0: the device has none
    expects_register: bool = True  # False: reachability by OPTIONS alone, or not at all (trusted source)


@dataclass(frozen=True, slots=True)
class Point:
    """A help point. Its id is its SIP user."""

    id: str
    place: str
    queue: str
    profile: str
    priority: Priority = Priority.EMERGENCY
    language: str = "en"
    latitude: float | None = None
    longitude: float | None = None
    trusted_sources: tuple[str, ...] = ()  # networks whose requests need no digest, e.g. "127.0.0.1/32"


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who answers. The id is the SIP user of the softphone and the account of the console."""

    id: str
    name: str
    groups: tuple[str, ...]
    available_when_registered: bool = True  # else the operator asks by code or console


@dataclass(frozen=True, slots=True)
class Queue:
    """Where presses wait. `groups` are the operators' groups that are offered its calls."""

    id: str
    groups: tuple[str, ...]
    ladder: str
    strategy: Strategy = Strategy.RING_ALL
    ring_timeout_ms: int = 15_000
    rest_after_no_answer_ms: int = 5_000  # a seat that let an offer ring out is not rung again for so long,
    # unless no other eligible seat is free
    wrap_up_ms: int = 60_000  # 0: none
    reassurance: str = "reassurance"
    reassurance_every_ms: int = 20_000  # at most 60,000
    whisper_place: bool = True
    closed_by: str = "person"  # or "plan": incidents close with `plan_outcome` when the call ends
    plan_outcome: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: `after_ms` from the press (or at once when nobody is on duty, if so marked) ring a group or call a party."""

    after_ms: int
    ring_group: str = ""  # exactly one of ring_group and call_party is set
    call_party: str = ""
    at_once_when_nobody: bool = False  # also taken as soon as no operator of the queue is on duty


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps in time order. The last calls a party and goes through its routes for ever."""

    id: str
    steps: tuple[Step, ...]
    retry_ms: int = 5_000  # pause after all routes of the last step failed


@dataclass(frozen=True, slots=True)
class Route:
    """One way to reach a party: a SIP URI, through a trunk or straight."""

    uri: str
    trunk: str = ""
    ring_timeout_ms: int = 30_000


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody outside: police, civic enforcement."""

    id: str
    name: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP peer that carries calls to outside parties."""

    id: str
    host: str
    port: int = 5060
    transport: str = "udp"  # or "tcp"
    user: str = ""  # digest user; the secret stands in the directory under the trunk's id
    probe_ms: int = 30_000  # OPTIONS interval; 0: not probed


@dataclass(frozen=True, slots=True)
class Plan:
    """All that routing needs to know."""

    name: str
    time_zone: str
    points: Mapping[str, Point]
    profiles: Mapping[str, Profile]
    operators: Mapping[str, Operator]
    groups: tuple[str, ...]
    queues: Mapping[str, Queue]
    ladders: Mapping[str, Ladder]
    parties: Mapping[str, Party]
    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)  # outcome id -> spoken name
    outcome_digits: Mapping[str, str] = field(default_factory=dict)  # DTMF digit -> outcome id
    codes: Mapping[str, str] = field(default_factory=dict)  # "*1" -> "available" | "pause" | "police:<party>"
    help_users: tuple[str, ...] = ("help",)  # SIP users that a point may call
