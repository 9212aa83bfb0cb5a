"""One press in a small scripted world, run through the core: what rings, when, and all that the core said.

A world is who sits where and which lines carry, and it stays so: nobody answers, a dead seat stays dead. Time is a number that
jumps to the core's next deadline or to the next scripted moment. `run` ends a trial when nothing new can come:

    round     the last resort was gone through `rounds` times and begins again; or rang, in a brief trial
    loop      the incident was handed over to where it stood before, at the foot of the same ladder, three times
    silence   nothing is due any more
    spin      more happens than can be meant
    late      the horizon was reached
    refused   the press was not taken
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from callserver.core import effects as fx
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.decide import handle, next_deadline
from callserver.core.ids import IncidentId, LegId, OperatorId, PointId
from callserver.core.instant import MS, SECOND, Instant, ms_between
from callserver.core.state import State
from callserver.core.termination import By, Class, Termination, from_status
from callserver.planning.small import BUSY, carrier_of
from dialplans.model import Ladder, Plan

START = Instant(1_000 * SECOND)
INCIDENT: Final = IncidentId("press")
HANDED_OVER_MOST = 3
EVENTS_MOST = 20_000
LOST_AFTER_MS = 1_000

_OURS = Termination(Class.CANCELLED, By.US, "ended")
_FAILS = from_status(503, "no service")
_LOST = Termination(Class.LOST, By.PARTY, "no reply")
_GAVE_UP = Termination(Class.CANCELLED, By.PARTY, "the device gave up", 487)


class Seat(StrEnum):
    """How a seat is during a trial."""

    OFF = "off"  # nobody is on duty there
    PAUSED = "paused"  # registered, and the operator has a pause
    BUSY = "busy"  # talks with somebody more urgent, and goes on
    MUTE = "mute"  # registered, and does not reply
    FAILS = "fails"  # registered, and every call to it fails at once
    RINGS = "rings"  # rings, and nobody answers


class Line(StrEnum):
    """How a trunk, or the way to a URI, is during a trial. What is not named is up."""

    LOST = "lost"  # and known to be
    MUTE = "mute"  # does not reply
    FAILS = "fails"  # every call fails at once


@dataclass(frozen=True, slots=True)
class Trial:
    """A press and its world. `asked_ms`: when somebody asks for the ladder's asked step, and again wherever it is handed to."""

    plan: Plan
    point: str
    utc_ns: int
    seats: tuple[tuple[str, Seat], ...] = ()
    lines: tuple[tuple[str, Line], ...] = ()
    limit_ms: int | None = None  # when the device gives up by itself
    asked_ms: int | None = None
    lost_once: bool = False  # the first that rings answers, and is lost a second later
    rounds: int = 1
    brief: bool = False  # over as soon as the last step's party rings: its rounds were tried elsewhere
    horizon_ms: int = 2 * 3_600_000


@dataclass(slots=True)
class Ring:
    """Something that rang for the press; times are milliseconds since it began to wait."""

    at_ms: int
    until_ms: int | None
    who: str
    last_resort: bool
    seat: bool
    queue: str


@dataclass(slots=True)
class Course:
    """What happened. Times are milliseconds since the press began to wait (again, where it was answered and lost)."""

    trial: Trial
    end: str = ""
    end_ms: int = 0
    rings: list[Ring] = field(default_factory=list)
    said: list[tuple[int, f.Fact]] = field(default_factory=list)
    last_step_ms: int | None = None  # when the last step of its last ladder was taken
    queue: str = ""  # where it ended up
    ladder: str = ""
    events: int = 0

    @property
    def first_ms(self) -> int | None:
        """When the first seat or the last resort rang."""
        return min((ring.at_ms for ring in self.rings if ring.seat or ring.last_resort), default=None)

    @property
    def last_resort_ms(self) -> int | None:
        """When the last resort rang first."""
        return min((ring.at_ms for ring in self.rings if ring.last_resort), default=None)

    @property
    def quiet_ms(self) -> int:
        """The longest time without anything ringing after the first ring."""
        longest, quiet_from = 0, self.first_ms
        for ring in sorted(self.rings, key=lambda ring: ring.at_ms) if quiet_from is not None else ():
            assert quiet_from is not None
            longest = max(longest, ring.at_ms - quiet_from)
            quiet_from = max(quiet_from, self.end_ms if ring.until_ms is None else ring.until_ms)
        return longest if quiet_from is None else max(longest, self.end_ms - quiet_from)


def run(trial: Trial) -> Course:
    """Runs one press until nothing new can come."""
    world = _World(trial)
    world.people()
    world.press()
    world.live()
    return world.course


class _World:
    """The core, and what answers its orders."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.course = Course(trial)
        self.state = State()
        self.now = START
        self.since = START
        self.seats = dict(trial.seats)
        self.lines = dict(trial.lines)
        self.inbox: deque[ev.Event] = deque()
        self.script: list[tuple[Instant, ev.Event]] = []
        self.ringing: dict[LegId, Ring] = {}
        self.answered: LegId | None = None
        self.seen: dict[tuple[str, ...], int] = {}
        plan, boot = trial.plan, "trial"
        self.tell(ev.PlanLoaded(1, "trial", plan, "trial"))
        self.tell(ev.Noted(f.ClockAnchored(1, boot, trial.utc_ns, START, 0)))

    # ---- what there is before the press ---------------------------------------------------------------------

    def people(self) -> None:
        """Seats and lines as the trial wants them; who is busy answers a call of his own."""
        for operator, seat in self.trial.seats:
            if seat is Seat.BUSY:
                self.bind(operator)
                talk = IncidentId(f"{BUSY}{operator}")
                self.tell(ev.Pressed(PointId(f"{BUSY}{operator}"), talk, talk))
                self.tell(ev.LegAnswered(self.state.operators[OperatorId(operator)].legs[-1]))
        for operator, seat in self.trial.seats:
            if seat in (Seat.MUTE, Seat.FAILS, Seat.RINGS, Seat.PAUSED):
                self.bind(operator)
            if seat is Seat.PAUSED:
                self.tell(ev.Pause(OperatorId(operator), next(iter(self.trial.plan.pauses), "break"), "trial"))
        for carrier, line in self.trial.lines:
            if line is Line.LOST and carrier in self.trial.plan.trunks:
                self.tell(ev.TrunkLost(carrier, "does not answer"))
        self.course.said.clear()

    def bind(self, operator: str) -> None:
        """The seat is reached and its operator takes calls."""
        self.tell(ev.SeatBound(OperatorId(operator), "trial"))
        self.tell(ev.MakeAvailable(OperatorId(operator), "trial"))

    def press(self) -> None:
        """The press; the device's own patience and what is asked are scripted."""
        self.tell(ev.Pressed(PointId(self.trial.point), "press", INCIDENT))
        if INCIDENT not in self.state.incidents:
            self.end("refused")
        if self.trial.asked_ms is not None:
            self.at(self.trial.asked_ms, ev.ClimbLadder(INCIDENT, "trial"))

    # ---- time -----------------------------------------------------------------------------------------------

    def at(self, ms: int, event: ev.Event) -> None:
        """Scripts an event for `ms` after the press."""
        self.script.append((Instant(START + ms * MS), event))
        self.script.sort(key=lambda item: item[0])

    def live(self) -> None:
        """Lets time pass until the trial is over."""
        while not self.course.end:
            horizon = self.since + self.trial.horizon_ms * MS
            due = next_deadline(self.state)
            scripted = self.script[0][0] if self.script else None
            coming = [at for at in (due, scripted) if at is not None]
            if not coming:
                self.end("silence")
            elif min(coming) > horizon:
                self.now = Instant(horizon)
                self.end("late")
            elif scripted is not None and (due is None or scripted <= due):
                self.now = scripted
                self.tell(self.script.pop(0)[1])
            else:
                self.now = max(self.now, min(coming))
                self.tell(ev.Woken())

    def end(self, how: str) -> None:
        """The trial is over."""
        if not self.course.end:
            self.course.end, self.course.end_ms = how, self.ms()
            if INCIDENT in self.state.incidents:
                self.course.queue, self.course.ladder = self.state.incidents[INCIDENT].queue, self.ladder().id

    def ms(self) -> int:
        """Milliseconds since the press began to wait."""
        return ms_between(self.since, self.now)

    # ---- events and orders ----------------------------------------------------------------------------------

    def tell(self, event: ev.Event) -> None:
        """An event, and all that answers the orders it gives rise to at the same instant."""
        self.inbox.append(event)
        while self.inbox and not self.course.end:
            self.course.events += 1
            if self.course.events > EVENTS_MOST:
                self.end("spin")
                return
            facts, effects = handle(self.state, self.inbox.popleft(), self.now)
            for fact in facts:
                self.hear(fact)
            for effect in effects if not self.course.end else ():
                self.inbox.extend(self.perform(effect))

    def hear(self, fact: f.Fact) -> None:
        """What the core says, remembered; rings end with their legs."""
        self.course.said.append((self.ms(), fact))
        if isinstance(fact, f.LegMoved) and fact.new in ("ending", "ended", "up"):
            ring = self.ringing.pop(fact.leg, None)
            if ring is not None:
                ring.until_ms = self.ms()
        elif isinstance(fact, f.IncidentMoved) and fact.incident == INCIDENT:
            self.seen.clear()  # it waits anew
        elif isinstance(fact, f.RouteTried) and fact.incident == INCIDENT:
            self.route_tried(fact)
        elif isinstance(fact, f.IncidentHandedOver) and fact.incident == INCIDENT:
            self.handed_over(fact)
        elif isinstance(fact, f.LadderStepTaken) and fact.incident == INCIDENT and self.on_last_step() and not fact.passed:
            self.course.last_step_ms = self.ms()

    def ladder(self) -> Ladder:
        """The ladder that it climbs."""
        incident = self.state.incidents[INCIDENT]
        plan = self.trial.plan
        return plan.ladders[incident.ladder or plan.queues[incident.queue].ladder]

    def on_last_step(self) -> bool:
        """Whether the ladder is at its top."""
        return self.state.incidents[INCIDENT].step >= len(self.ladder().steps)

    def route_tried(self, fact: f.RouteTried) -> None:
        """The last resort goes round: its state is that of the round before, so it goes round for ever."""
        if self.on_last_step():
            incident = self.state.incidents[INCIDENT]
            self.met(("route", incident.queue, incident.ladder, fact.party, str(fact.route)), self.trial.rounds, "round")

    def handed_over(self, fact: f.IncidentHandedOver) -> None:
        """At the foot of a ladder nothing is remembered of how it came there."""
        self.met(("handed", fact.queue, fact.ladder), HANDED_OVER_MOST, "loop")
        if self.trial.asked_ms is not None:
            self.at(self.ms(), ev.ClimbLadder(INCIDENT, "trial"))

    def met(self, what: tuple[str, ...], most: int, how: str) -> None:
        """Counts how often the ladder stood there."""
        self.seen[what] = self.seen.get(what, 0) + 1
        if self.seen[what] > most:
            self.end(how)

    def perform(self, order: fx.Effect) -> Iterator[ev.Event]:
        """What answers an order at once."""
        if isinstance(order, fx.EndLeg):
            yield ev.LegEnded(order.leg, _OURS)
        elif isinstance(order, fx.DialOperator):
            yield from self.dialled_seat(order)
        elif isinstance(order, fx.DialParty):
            yield from self.dialled_party(order)
        elif isinstance(order, fx.DialPoint):
            yield ev.LegAnswered(order.leg)
        elif isinstance(order, fx.Notify):
            yield ev.NoticeDone(order.id, True, "told")
        elif isinstance(order, fx.AdoptPress) and order.dialog == INCIDENT and self.trial.limit_ms is not None:
            self.at(self.trial.limit_ms, ev.LegEnded(order.leg, _GAVE_UP))

    def dialled_seat(self, order: fx.DialOperator) -> Iterator[ev.Event]:
        """A seat rings, or does not. One that is busy is called only after its talk was parked, and rings."""
        seat = self.seats.get(order.operator, Seat.OFF)
        if order.point == self.trial.point:
            if seat is Seat.FAILS:
                yield ev.LegEnded(order.leg, _FAILS)
            elif seat in (Seat.RINGS, Seat.BUSY):
                yield from self.rings(order.leg, order.operator, last_resort=False, seat=True)

    def dialled_party(self, order: fx.DialParty) -> Iterator[ev.Event]:
        """A party's route rings, or does not."""
        if order.point == self.trial.point:
            line = self.lines.get(carrier_of(order.route))
            if line in (Line.FAILS, Line.LOST):
                yield ev.LegEnded(order.leg, _FAILS)
            elif line is None:
                yield from self.rings(order.leg, order.party, last_resort=order.party in self.resort(), seat=False)

    def resort(self) -> frozenset[str]:
        """The parties of the ladder's last step, fallbacks too."""
        found: list[str] = []
        steps, parties = self.ladder().steps, self.trial.plan.parties
        party = steps[-1].call_party if steps else ""
        while party and party not in found:
            found.append(party)
            party = parties[party].fallback
        return frozenset(found)

    def rings(self, leg: LegId, who: str, last_resort: bool, seat: bool) -> Iterator[ev.Event]:
        """Something rings; where the trial says so, it is answered once and lost."""
        incident = self.state.incidents[INCIDENT]
        ring = Ring(self.ms(), None, who, last_resort, seat, incident.queue)
        if self.trial.lost_once and self.answered is None:
            self.answered = leg
            lost = ms_between(START, self.now) + LOST_AFTER_MS
            self.at(lost, ev.LegEnded(leg, _LOST))
            self.since = Instant(START + lost * MS)
            yield ev.LegAnswered(leg)
            return
        self.ringing[leg] = ring
        self.course.rings.append(ring)
        if self.trial.brief and last_resort and self.on_last_step():
            self.end("round")
