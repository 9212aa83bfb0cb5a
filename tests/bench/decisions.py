"""What a decision costs with very many waiting: `python -m tests.bench.decisions [--quick]`.

A control room of 200 operators in eight groups, all of them talking, and 100, 1,000 or 10,000 incidents waiting in eight queues
with tiers, skills and ladders. Then the room lives: presses, answers, conversations that end, offers that ring out, callers who
hang up, presses again, changes of class, and deadlines. Each `handle` with the `next_deadline` that follows is one
decision. The clock of the core is a number; what is measured is processor time of this process, without the journal.
"""

import argparse
import gc
import json
import random
import statistics
import time
from dataclasses import dataclass, field, replace

from callserver.core import events as ev
from callserver.core.decide import handle, next_deadline
from callserver.core.effects import DialOperator, DialParty, DialPoint, EndLeg
from callserver.core.ids import IncidentId, LegId, OperatorId, PointId
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.state import State
from callserver.core.termination import By, Class, Termination
from dialplans.model import (
    Ladder,
    Operator,
    Party,
    Plan,
    Point,
    PointBye,
    Priority,
    Profile,
    Queue,
    Route,
    Step,
    Strategy,
    Tier,
    When,
)

SIZES = (100, 1_000, 10_000)
OPERATORS = 200
GROUPS = 8
BEGIN = Instant(1_000 * SECOND)
BYE = Termination(Class.NORMAL, By.PARTY, "BYE")
ENDED = Termination(Class.CANCELLED, By.US, "ended")


def room(waiting: int) -> Plan:
    """The plan, with points enough for so many waiting and for everybody who talks."""
    groups = tuple(f"g{number}" for number in range(GROUPS))
    skills = (("cy",), ())
    operators = {
        f"o{number}": Operator(
            f"o{number}", f"Operator {number}", (groups[number % GROUPS],), skills=skills[number // GROUPS % 2]
        )
        for number in range(OPERATORS)
    }
    points = {
        f"p{number}": Point(
            *(f"p{number}", f"Place {number}", f"q{number % GROUPS}", "device", Priority(number // GROUPS % 4)),
            skills=("cy",) if number % 16 == 0 else (),
        )
        for number in range(waiting + 4 * OPERATORS)
    }
    queues = {
        f"q{number}": Queue(
            *(f"q{number}", (group,), "up"),
            strategy=list(Strategy)[number % 4],
            tiers=(Tier(20_000, (groups[(number + 1) % GROUPS],)),),
            wrap_up_ms=20_000,
            auto_pause_after=10,
            most_waiting=waiting,
            longest_wait_ms=3_600_000,
            preempt_after_ms=None if number % 2 else 10_000,
        )
        for number, group in enumerate(groups)
    }
    steps = (
        Step(40_000, ring_group=groups[-1], when=(When.ALL_BUSY,)),
        Step(86_400_000, call_party="police", when=(When.NOBODY, When.DEGRADED)),
    )
    party = Party("police", "Police", (Route("sip:police@a"),))
    profile = Profile("device", point_bye=PointBye.END)
    made = Plan("bench", "Europe/London", points, {"device": profile}, operators, groups, queues, {"up": Ladder("up", steps)}, {})
    return replace(made, parties={"police": party}, outcomes={"done": "Done"})


@dataclass
class Room:
    """The core and those who live around it; `spent_ns` holds what each decision took, by kind of event."""

    waiting: int
    chance: random.Random
    state: State = field(default_factory=State)
    now: Instant = BEGIN
    numbered: int = 0
    spent_ns: dict[str, list[int]] = field(default_factory=dict)
    ringing: list[LegId] = field(default_factory=list)
    ending: list[LegId] = field(default_factory=list)

    def tell(self, event: ev.Event) -> None:
        """One decision, measured."""
        begun = time.process_time_ns()
        _, effects = handle(self.state, event, self.now)
        next_deadline(self.state)
        self.spent_ns.setdefault(type(event).__name__, []).append(time.process_time_ns() - begun)
        self.ringing += [one.leg for one in effects if isinstance(one, DialOperator | DialParty | DialPoint)]
        self.ending += [one.leg for one in effects if isinstance(one, EndLeg)]

    def press(self) -> None:
        """Somebody presses, for the first time or again."""
        self.numbered += 1
        free = self.numbered if self.numbered < self.waiting + 4 * OPERATORS else self.chance.randrange(self.waiting)
        self.tell(ev.Pressed(PointId(f"p{free}"), f"d{self.numbered}", IncidentId(f"i{self.numbered}")))

    def fill(self) -> None:
        """Everybody talks, and so many wait."""
        self.tell(ev.PlanLoaded(1, "digest", room(self.waiting), "bench"))
        for number in range(OPERATORS):
            self.tell(ev.SeatBound(OperatorId(f"o{number}"), "sip"))
        while len(self.state.waiting) < self.waiting:
            self.press()
            self.now = Instant(self.now + MS)
            while self.ringing:
                self.answer()
            self.clear()

    def answer(self) -> None:
        """One of those who ring answers."""
        leg = self.ringing.pop(self.chance.randrange(len(self.ringing)))
        if leg in self.state.legs and self.state.legs[leg].state in ("dialling", "ringing"):
            self.tell(ev.LegAnswered(leg))

    def clear(self) -> None:
        """Legs that were given up are over."""
        while self.ending:
            leg = self.ending.pop()
            if leg in self.state.legs:
                self.tell(ev.LegEnded(leg, ENDED))

    def hang_up(self) -> None:
        """An operator ends the conversation and says what it was; the seat gets the next who waits."""
        talking = [one for one in self.state.operators.values() if one.state == "talking" and one.legs]
        if talking:
            operator = self.chance.choice(talking)
            incident = operator.incident
            self.tell(ev.LegEnded(operator.legs[-1], BYE))
            self.clear()
            if incident is not None and incident in self.state.incidents:
                self.tell(ev.GiveOutcome(incident, "done", operator.id))

    def reclassify(self) -> None:
        """A supervisor changes a class."""
        known = self.chance.choice(self.state.waiting)
        self.tell(ev.Reclassify(known, self.chance.randrange(4), "sue"))

    def wake(self) -> None:
        """Time passes to the next deadline."""
        due = next_deadline(self.state)
        if due is not None:
            self.now = max(self.now, due)
            self.tell(ev.Woken())

    def give_up(self) -> None:
        """A caller hangs up before anybody answered."""
        call = self.state.incidents[self.chance.choice(self.state.waiting)].call
        legs = [] if call is None else [leg.id for leg in self.state.calls[call].legs.values() if leg.role == "point"]
        if legs:
            self.tell(ev.LegEnded(legs[-1], BYE))

    def live(self, steps: int) -> None:
        """So many things happen, in equal shares."""
        acts = (self.press, self.answer_some, self.hang_up, self.reclassify, self.wake, self.give_up)
        for number in range(steps):
            acts[number % len(acts)]()
            self.now = Instant(self.now + 5 * MS)
            self.clear()

    def answer_some(self) -> None:
        """Most of those who ring answer."""
        for _ in range(min(3, len(self.ringing))):
            self.answer()


@dataclass(frozen=True)
class Measured:
    """Microseconds for a decision with so many waiting."""

    waiting: int
    decisions: int
    median_us: float
    p99_us: float
    most_us: float
    by_event_us: dict[str, float]


def measure(waiting: int, steps: int, seed: int = 4) -> Measured:
    """Fills a room and lets it live for so many steps."""
    made = Room(waiting, random.Random(seed))
    made.fill()
    made.spent_ns.clear()
    gc.collect()
    gc.freeze()
    made.live(steps)
    gc.unfreeze()
    spent = sorted(one for kind in made.spent_ns.values() for one in kind)
    by_event = {kind: statistics.median(each) / 1_000 for kind, each in sorted(made.spent_ns.items())}
    return Measured(
        waiting, len(spent), statistics.median(spent) / 1_000, spent[len(spent) * 99 // 100] / 1_000, spent[-1] / 1_000, by_event
    )


def table(found: list[Measured]) -> str:
    """The figures for people."""
    kinds = sorted({kind for one in found for kind in one.by_event_us})
    lines = ["waiting  decisions  median    99 %      most      " + "  ".join(f"{kind:>12}" for kind in kinds)]
    for one in found:
        figures = "  ".join(f"{value:7.0f} µs" for value in (one.median_us, one.p99_us, one.most_us))
        medians = "  ".join(f"{one.by_event_us.get(kind, 0):9.0f} µs" for kind in kinds)
        lines.append(f"{one.waiting:7}  {one.decisions:9}  {figures}  {medians}")
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="100 and 1,000 waiting only, and fewer steps")
    parser.add_argument("--json", action="store_true", help="for machines")
    wanted = parser.parse_args()
    found = [measure(size, 600 if wanted.quick else 3_000) for size in (SIZES[:2] if wanted.quick else SIZES)]
    print(json.dumps([vars(one) for one in found]) if wanted.json else table(found))


if __name__ == "__main__":
    main()
