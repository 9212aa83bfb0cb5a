"""The state of the service as plain records. Only `core.fold.apply` changes them; everybody else reads.

What is kept: everything of incidents that are not closed, their calls and legs, and the present condition of operators,
seats, points, trunks and alarms. A closed incident leaves the state (the journal has it).
"""

from dataclasses import dataclass, field

from callserver.core.ids import CallId, IncidentId, LegId, OfferId, OperatorId, PartyId, PointId
from callserver.core.index import Index
from callserver.core.instant import INSTANT_ZERO, Instant
from callserver.core.shape import Shape
from dialplans.model import Plan


@dataclass(slots=True)
class Leg:
    """One party's connection."""

    id: LegId
    call: CallId
    role: str  # point | operator | supervisor | outside
    party: str
    inbound: bool
    state: str  # see core.leg
    since: Instant
    route: str = ""
    sounding: bool = True
    one_way: tuple[str, ...] = ()  # which sides of its sound fail: out, in; see core.one_way
    renewals: int = 0  # how often its device was asked for its media anew, for that
    due: Instant | None = None  # a dialled leg or one that did not accept is given up, an early inbound one answered
    accepted: bool = True  # False: it was answered, and has not accepted by key
    muted: bool = False
    limit_near: bool = False  # it was said that the device will soon end the call by itself
    cut_at: Instant | None = None  # when it will, where that was said
    digits: str = ""  # DTMF heard lately, an operator's from the last `*` on; see core.codes
    digit_at: Instant = INSTANT_ZERO
    acknowledged: bool = False  # its device was told that a person is there
    sending: str = ""  # keys that are on their way to its device
    sending_until: Instant | None = None


@dataclass(slots=True)
class Offer:
    """A waiting call shown to seats."""

    id: OfferId
    call: CallId
    legs: dict[LegId, OperatorId]
    until: Instant


@dataclass(slots=True)
class Call:
    """One connection attempt with its legs."""

    id: CallId
    incident: IncidentId
    state: str  # see core.call
    since: Instant
    legs: dict[LegId, Leg] = field(default_factory=dict)  # live ones
    legs_made: int = 0
    offers_made: int = 0
    offer: Offer | None = None
    shape: Shape = field(default_factory=Shape)
    operator: OperatorId | None = None  # who has it
    call_back_at: Instant | None = None
    call_back_attempt: int = 0
    whispered: LegId | None = None  # the operator's leg that was told the place
    held: bool = False  # the point waits while somebody has the call
    modes: dict[LegId, str] = field(default_factory=dict)  # of supervisors' legs: listen | whisper | join | private | take-over
    briefed: tuple[LegId, ...] = ()  # the outside parties' legs that were told what it is about
    code_word: tuple[LegId, str] | None = None  # what the last code in the talk came to, for whoever pressed it: a phrase
    code_said: bool = False  # it was ordered to be said
    talked: bool = False  # the point and somebody heard each other once
    missed: tuple[PointId, ...] = ()  # points that were called into it and did not come


@dataclass(frozen=True, slots=True)
class Attempt:
    """The point was called, for whom, and what came of it."""

    leg: LegId
    at: Instant
    operator: OperatorId | None  # None: an outside party had the call
    result: str = ""  # answered, or why not; "": it rings


@dataclass(slots=True)
class Incident:
    """What a press opened and a person closes."""

    id: IncidentId
    point: PointId
    queue: str
    priority: int
    plan_version: int
    state: str  # see core.incident
    opened: Instant
    since: Instant
    waiting_since: Instant
    presses: int = 1
    calls_made: int = 0
    call: CallId | None = None  # the live one
    operator: OperatorId | None = None
    until: Instant | None = None  # end of wrap-up
    step: int = 0  # ladder steps taken since it began to wait
    party: PartyId | None = None  # whom the ladder (or an operator) is calling
    route: int = 0  # number of the route tried last, from 0
    cycle: int = 0
    route_at: Instant | None = None  # when the next route is tried
    route_leg: LegId | None = None  # the leg of the route tried last
    route_step: int = 0  # the ladder's step that wanted the party; 0: a person
    asked: PartyId | None = None  # the party that was wanted; `party` is it or a fallback of it
    rung: tuple[PartyId, ...] = ()  # the parties tried in this round
    ladder_since: Instant = INSTANT_ZERO  # when it began to wait, this time; `waiting_since` keeps its place in the order
    ladder: str = ""  # the one it climbs; "": its queue's
    passed: tuple[int, ...] = ()  # numbers of the steps passed over outside of their hours
    met: tuple[str, ...] = ()  # conditions met since it began to wait (this time) that do not pass by themselves
    raised: tuple[str, ...] = ()  # causes for which its class was raised; see core.classes
    preempted: OperatorId | None = None  # whose talk was parked for it
    parked: bool = False  # interrupted for a more urgent one, or by a person
    only: str = ""  # who alone is rung: operator:<id>, group:<id>, nobody (parked by a person); "": everybody, see core.eligible
    only_until: Instant | None = None
    chosen: OperatorId | None = None  # who wants it and no other
    called_by: str = ""  # the operator who called the point, until it presses; see core.calling_out
    prefers: OperatorId | None = None  # whose seat rings first when it is free: who had it when it was parked
    notices: int = 0  # ordered so far
    group: str = ""  # of points, that an operator called
    others: tuple[PointId, ...] = ()  # of its points: those that are called when the operator is there
    interrupted: bool = False  # parked for a more urgent one
    code_word: tuple[LegId, str] | None = None  # what the last code in the talk came to, for whoever pressed it: a phrase
    code_said: bool = False  # it was ordered to be said
    talked: bool = False  # the point and somebody heard each other once, in whichever call
    last: OperatorId | None = None  # who had it last
    listed: str = ""  # why it is on the call-back list: call-back | review; "": it is not. See core.owners
    listed_since: Instant = INSTANT_ZERO
    listed_why: str = ""
    owner: OperatorId | None = None  # whose it is while it is listed; None: the room's
    owner_since: Instant = INSTANT_ZERO
    overdue_at: Instant | None = None
    acknowledge_by: Instant | None = None  # it was passed to its owner, who has not said so far that it was seen
    attempts: tuple[Attempt, ...] = ()  # to call the point, the newest last


@dataclass(slots=True)
class OperatorState:
    """An operator on this shift."""

    id: OperatorId
    state: str  # see core.operator
    since: Instant
    reachable: bool = False
    seat: str = ""  # softphone | browser: what was reached last
    idle_since: Instant = INSTANT_ZERO  # end of the last conversation, for longest-idle
    until: Instant | None = None  # end of wrap-up
    rests_until: Instant | None = None
    refuses_until: Instant | None = None  # a firm rest
    away_since: Instant | None = None  # not on duty since; None: on duty
    refusals: int = 0  # firm rests in a row
    missed_at: Instant = INSTANT_ZERO  # when an offer was last let ring out or refused
    misses: int = 0  # offers let ring out in a row
    claimed: IncidentId | None = None  # whom the seat was freed for: it rings for that one first
    taken: int = 0  # calls answered since coming on duty
    legs: tuple[LegId, ...] = ()  # live ones, the ending too
    call: CallId | None = None
    incident: IncidentId | None = None


@dataclass(slots=True)
class NoticeDue:
    """A notice that is not settled yet."""

    id: str
    incident: IncidentId
    notice: str
    text: str
    plan_version: int
    point: PointId


@dataclass(slots=True)
class HoursOpen:
    """Which of a plan's hours were open when it was last looked at, and until when that holds."""

    open: tuple[str, ...]
    since_utc_ns: int
    until_utc_ns: int | None  # None: for ever


@dataclass(slots=True)
class State:
    """All of it."""

    plan_version: int = 0
    plans: dict[int, Plan] = field(default_factory=dict)  # the one in force and those that open incidents still use
    incidents: dict[IncidentId, Incident] = field(default_factory=dict)
    calls: dict[CallId, Call] = field(default_factory=dict)
    legs: dict[LegId, Leg] = field(default_factory=dict)
    operators: dict[OperatorId, OperatorState] = field(default_factory=dict)
    open_by_point: dict[PointId, IncidentId] = field(default_factory=dict)  # that a press would join
    points: dict[PointId, bool] = field(default_factory=dict)  # reachable
    trunks: dict[str, bool] = field(default_factory=dict)
    owned: dict[str, set[IncidentId]] = field(default_factory=dict)  # listed incidents by owner; "": the room's
    alarms: dict[str, str] = field(default_factory=dict)
    plan_digest: str = ""
    waiting: list[IncidentId] = field(default_factory=list)  # in order; see core.waiting
    facts: int = 0  # how many were applied
    utc_offset_ns: int = 0  # UTC minus instant, by the newest clock anchor
    turns: dict[str, OperatorId] = field(default_factory=dict)  # queue -> who was rung last, for round-robin
    mischief: dict[PointId, tuple[tuple[Instant, str], ...]] = field(default_factory=dict)  # when and with what it closed
    notices: dict[str, NoticeDue] = field(default_factory=dict)
    holds: dict[str, IncidentId] = field(default_factory=dict)  # legal holds that stand; their incidents may be closed
    hours: dict[int, HoursOpen] = field(default_factory=dict)  # by plan version; looked at while something waits
    index: Index | None = field(default=None, compare=False, repr=False)  # follows from the rest; see core.index
