"""The plan as values: points, operators, queues, ladders, parties, trunks. What a text means, not how it is written.

Durations are integer milliseconds and say so in their names. `parse` makes these from TOML and
guarantees: every id that is named exists; every ladder has a last step that calls an outside party with
at least one route, or hands to a queue; fallbacks of parties come to an end; ids are unique over points,
operators and parties (they are SIP users of one domain).
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
    ROUND_ROBIN = "round-robin"  # the next after the one rung last, in the order of the plan
    FEWEST_CALLS = "fewest-calls"  # who answered least since coming on duty


class When(StrEnum):
    """What makes a ladder go up to a step before its time. `digits:<dtmf>` stands beside these (see `Step.when`)."""

    NOBODY = "nobody-on-duty"  # no operator of the queue is on duty
    ALL_BUSY = "all-busy"  # somebody is on duty, and no seat is free or rings for anybody
    OVER_SIZE = "queue-over-size"  # more wait than Queue.most_waiting
    SEAT_DEAD = "seat-dead"  # the seat that had the call, or rang for it, was lost
    DEGRADED = "degraded"  # a fault of the machine is alarmed
    ASKED = "asked"  # an operator or supervisor asks for it
    CALLER_SILENT = "caller-silent"  # nothing comes from the point's line


DIGITS = "digits:"
"""`digits:55` in `Step.when`: the caller pressed these keys."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the local day. `until_min` at or before `from_min` reaches into the next day; both in minutes of the day."""

    days: tuple[int, ...]  # 0 is Monday; the day on which the stretch begins
    from_min: int = 0
    until_min: int = 1440
    holidays: str = "as-usual"  # | "closed": not on holidays | "only": on holidays alone, whatever the weekday


@dataclass(frozen=True, slots=True)
class Hours:
    """When something is open: in any of its spans, by the plan's time zone and holidays. See `dialplans.hours`."""

    id: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What is said of a group of operators besides who is in it. Outside of `hours` it is not rung."""

    id: str
    name: str = ""
    hours: str = ""  # id of Plan.hours; "": always


@dataclass(frozen=True, slots=True)
class Button:
    """One of a point's buttons: how its press is told from others, and its class. Exactly one of user, header, digit."""

    id: str
    priority: "Priority"
    user: str = ""  # the SIP user that is called
    header: str = ""  # "Name: value" of the INVITE
    digit: str = ""  # DTMF pressed while waiting or talking: the incident's class changes
    queue: str = ""  # "": the point's; not with `digit`


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera that shows a point. `url` is what the console opens."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Nuisance:
    """When a point's presses are put into a lower class: `count` incidents within `within_ms` closed with one of `outcomes`."""

    id: str
    outcomes: tuple[str, ...]
    count: int
    within_ms: int
    priority: "Priority"  # never raises


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is told by webhook (`url`) or mail (`to`); exactly one is set."""

    id: str
    url: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """What a device can be told by keys, such as to light its beacon."""

    id: str
    name: str
    digits: str


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
    trust_reports: bool = True  # its RTCP says the truth about what it receives
    queue_limit_ms: int = 0  # how long it bears to be queued unanswered before it gives up; 0: as long as it rings
    auto_answer: str = "both"  # | "call-info" | "alert-info" | "": headers that make it answer a call back by itself
    acknowledge: str = ""  # keys that are sent to it when a person is there, once in each of its calls
    on_end: str = ""  # keys that are sent to it before we end its call
    dtmf: str = "rfc4733"  # | "info": how keys are sent to it
    digit_length_ms: int = 120
    digit_gap_ms: int = 100
    controls: Mapping[str, Control] = field(default_factory=dict)


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
    buttons: tuple[Button, ...] = ()
    cameras: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()  # asked of the operators of its queue; those that a ladder's step rings need none
    nuisance: str = ""


POINTS_MOST = 3
"""Points of a group: a call carries four legs, and an operator's is one of them."""


@dataclass(frozen=True, slots=True)
class PointGroup:
    """Points that an operator calls as one, in this order."""

    id: str
    name: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who answers. The id is the SIP user of the softphone and the account of the console."""

    id: str
    name: str
    groups: tuple[str, ...]
    available_when_registered: bool = True  # else the operator asks by code or console
    skills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tier:
    """More groups that are offered a queue's calls, `after_ms` after the incident began to wait (this time)."""

    after_ms: int
    groups: tuple[str, ...]


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
    tiers: tuple[Tier, ...] = ()  # in time order
    ladders: tuple[tuple[str, str], ...] = ()  # (hours, ladder): the first whose hours are open at the press, else `ladder`
    wrap_up_cut: bool = True  # an emergency that waits without a free seat ends wrap-ups
    auto_pause_after: int = 0  # offers let ring out in a row; 0: never; never the last operator
    most_waiting: int = 0  # more is When.OVER_SIZE, and an alarm; 0: no limit
    longest_wait_ms: int = 0  # a longer wait is an alarm; 0: none
    service_target_ms: int = 15_000  # answered within: for figures
    preempt_after_ms: int | None = None  # an emergency that waited so long without a ringing seat parks a lower call; None: never
    raise_after_presses: int = 0  # presses of one incident from which its class goes up by one; 0: never
    raise_when_silent: bool = False  # nothing from the caller's line: class up by one
    park_recall_ms: int = 120_000  # a call that a person parked rings again after this
    call_back_within_ms: int = 300_000  # a caller who is gone and was not spoken with is to be called back within
    review_within_ms: int = 1_800_000  # somebody is to say within what an incident was, after its conversation
    acknowledge_within_ms: int = 120_000  # who was passed something on the call-back list is to say within that it was seen
    overdue_notify: tuple[str, ...] = ()  # notices when something on the call-back list is past its time, or nobody's


@dataclass(frozen=True, slots=True)
class Step:
    """One rung, `after_ms` from the beginning of the wait, or as soon as one of `conditions` is met.

    At most one of ring_group, call_party and hand_to is set; `say` and `notify` may stand alone or beside.
    """

    after_ms: int
    ring_group: str = ""
    call_party: str = ""
    at_once_when_nobody: bool = False  # of older journals; says the same as When.NOBODY in `when`
    when: tuple[str, ...] = ()  # values of When, and digits:<dtmf>
    hand_to: str = ""  # a queue, whose ladder begins at its foot
    say: str = ""  # id of a text that the caller hears from here on instead of the reassurance
    notify: tuple[str, ...] = ()
    ring_ms: int = 0  # how long the group's offers, or each of the party's routes, ring; 0: as queue or route say
    tries: int = 1  # rounds through the party's routes, where it is not the last step
    hours: str = ""  # the step is passed over outside of these; "": never

    @property
    def conditions(self) -> tuple[str, ...]:
        """What takes this step before its time."""
        return (*self.when, When.NOBODY) if self.at_once_when_nobody and When.NOBODY not in self.when else self.when


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps in time order. The last calls a party and goes through its routes for ever, or hands to a queue."""

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
    hours: str = ""  # outside of these its `fallback` is called instead
    fallback: str = ""  # the party that is tried after its routes failed, or outside of its hours
    reference: str = ""  # what was agreed with them, such as a URN; shown and told in notices
    accept: str = ""  # the digit by which they take a call after they were told what it is about; "": their answer takes it
    language: str = "en"  # in which they are told that


@dataclass(frozen=True, slots=True)
class Trunk:
    """A SIP peer that carries calls to outside parties."""

    id: str
    host: str
    port: int = 5060
    transport: str = "udp"  # | "tcp" | "tls"
    user: str = ""  # digest user; the secret stands in the directory under the trunk's id
    probe_ms: int = 30_000  # OPTIONS interval; 0: not probed
    ca: str = ""  # by TLS: the file with the authorities that may have signed its certificate; "": those of the system
    register: bool = False  # we register there as `user`, and call as that


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
    codes: Mapping[str, str] = field(default_factory=dict)  # "*1" -> one of `sections.CODES`, or such as "police:<party>"
    help_users: tuple[str, ...] = ("help",)  # SIP users that a point may call
    ageing_ms: int = 600_000  # an incident ranks as one of the next higher class that began to wait so much later; 0: never
    holidays: tuple[str, ...] = ()  # dates such as "2026-12-25"
    hours: Mapping[str, Hours] = field(default_factory=dict)
    about_groups: Mapping[str, Group] = field(default_factory=dict)
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    nuisance: Mapping[str, Nuisance] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # id -> language -> words
    pauses: Mapping[str, str] = field(default_factory=dict)  # reasons that an operator may give: id -> spoken name; none: any
    point_groups: Mapping[str, PointGroup] = field(default_factory=dict)
