"""One simulated service: the core, a shell that can die between any two steps, and people who act by chance.

Time is a number that jumps to the next action; nothing waits. Everything follows from the seed.
"""

import heapq
from collections.abc import Callable
from dataclasses import replace
from random import Random

from callserver.core import events as ev
from callserver.core.decide import handle, next_deadline
from callserver.core.effects import Effect
from callserver.core.facts import Fact, ServerStarted
from callserver.core.fold import apply, fold
from callserver.core.ids import CallId, IncidentId, OperatorId, PartyId, PointId
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.recovery import orders_outstanding, reconcile
from callserver.core.state import State
from callserver.watch.watch import Watch
from dialplans.model import Plan
from tests.core.plans import operators, plan
from tests.simulation.edge import Edge
from tests.simulation.invariants import Invariants, hold

HOUR = 3_600 * SECOND
START = Instant(1_000 * SECOND)
COMPARE_EVERY = 64
RETRANSMIT_MS = 500
SEATS_OFTEN = 1_200_000  # ms between changes of one seat, on average


class World:
    """Runs from `START` for some hours; `run` raises `Broken` when an invariant does not hold or the watch finds a breach.

    `invariants` or `watched` off: only the other judges.
    """

    def __init__(self, seed: int, faults: float = 1.0, invariants: bool = True, watched: bool = True) -> None:
        self.chance = Random(seed)
        self.now = START
        self.state = State()
        self.told = State()  # what the journal tells, folded as it grows
        self.journal: list[tuple[Fact, Instant]] = []
        self.queue: list[tuple[int, int, Callable[[], None]]] = []
        self.numbered = 0
        self.steps = 0
        self.crashes = 0
        self.down = False  # the switchboard is away
        self.back_since = START
        self.faults = faults
        self.loose = True  # people still begin new things
        self.bound: dict[str, bool] = {}
        self.edge = Edge(self.chance, self.after, self.deliver)
        self.invariants = Invariants()
        self.judged, self.watched = invariants, watched
        self.watch = Watch()
        self.version = 0

    # ---- time -----------------------------------------------------------------------------------------------

    def after(self, ms: int, act: Callable[[], None]) -> None:
        """Does something later."""
        self.numbered += 1
        heapq.heappush(self.queue, (self.now + ms * MS, self.numbered, act))

    def every(self, mean_ms: int, act: Callable[[], None]) -> None:
        """Does something again and again, as long as the world is loose."""

        def again() -> None:
            if self.loose:
                act()
                self.after(int(self.chance.expovariate(1 / mean_ms)) + 1, again)

        self.after(int(self.chance.expovariate(1 / mean_ms)) + 1, again)

    def advance(self, until: Instant) -> None:
        """Lets time pass: the next action, or the core's deadline where that is earlier."""
        while True:
            deadline = next_deadline(self.state)
            wake = None if deadline is None or self.down else max(deadline, self.now)
            act_at = self.queue[0][0] if self.queue else None
            look_at = None if self.down else self.watch.next_at()
            if look_at is not None and look_at <= min(at for at in (wake, act_at, until) if at is not None):
                self.now = Instant(max(look_at, self.now))
                self.look()
            elif wake is not None and (act_at is None or wake <= act_at):
                if wake > until:
                    break
                self.now = Instant(wake)
                self.deliver(ev.Woken())
            elif act_at is not None and act_at <= until:
                at, _, act = heapq.heappop(self.queue)
                self.now = Instant(at)
                act()
            else:
                break
        self.now = until

    # ---- the shell ------------------------------------------------------------------------------------------

    def deliver(self, event: ev.Event) -> None:
        """An event reaches the switchboard, a little later where it is away."""
        if self.down:
            self.after(RETRANSMIT_MS, lambda: self.deliver(event))
            return
        effects = self.decide(event)
        self.perform(effects)
        self.check()

    def decide(self, event: ev.Event) -> list[Effect]:
        """The core's decision, journalled."""
        facts, effects = handle(self.state, event, self.now)
        for fact in facts:
            self.journal.append((fact, self.now))
            apply(self.told, fact, self.now)
            self.watch.take(fact, self.now)
        self.invariants.take(facts, self.now)
        deadline = next_deadline(self.state)
        hold(deadline is None or deadline > self.now, f"after {event} the deadline {deadline} is not used up")
        if isinstance(event, ev.Pressed):
            hold(event.point in self.state.open_by_point, f"the press of {event.point} opened nothing")
        return effects

    def perform(self, effects: list[Effect]) -> None:
        """Carries the orders out, or dies in the midst of them."""
        dies_after = self.chance.randrange(len(effects) + 1) if self.chance.random() < 0.004 * self.faults else None
        for number, effect in enumerate(effects):
            if number == dies_after:
                break
            self.edge.perform(effect)
        if dies_after is not None:
            self.crash()

    def check(self) -> None:
        """Invariants, and now and then the journal."""
        self.steps += 1
        if not self.down:
            self.look()
            if self.judged:
                self.invariants.check(self.state, self.edge, self.now, self.back_since)
        if self.steps % COMPARE_EVERY == 0:
            hold(self.told == self.state, "the journal tells another state")

    def look(self) -> None:
        """What the watch sees in the journal."""
        breaches = self.watch.check(self.now)
        hold(not self.watched or not breaches, f"the watch: {breaches}")
        hold(self.watch.unfit == 0, "a fact did not fit the watch's picture")

    def crash(self) -> None:
        """The switchboard dies; a successor folds the journal and goes on."""
        self.crashes += 1
        hold(fold(self.journal) == self.state, "the journal tells another state")
        self.state = fold(self.journal)
        self.edge.crash()
        self.down = True
        self.after(self.chance.randrange(100, 3_000), self.recover)

    def recover(self) -> None:
        """What `runtime` does at its start."""
        self.down, self.back_since = False, self.now
        self.invariants.restart(self.now)
        for event in [*reconcile(self.state, set(self.edge.dialogs), set(self.edge.workers)), ev.Woken()]:
            self.decide_and_perform(event)
        self.decide_and_perform(ev.Noted(ServerStarted("simulated", len(self.journal))))
        for operator, bound in self.bound.items():
            if operator in self.state.operators:
                who = OperatorId(operator)
                self.decide_and_perform(ev.SeatBound(who, "sip") if bound else ev.SeatUnbound(who, "gone"))
        for order in orders_outstanding(self.state, set(self.edge.dialogs), set(self.edge.workers)):
            self.edge.perform(order)
        self.check()

    def decide_and_perform(self, event: ev.Event) -> None:
        """A step of the recovery, in which nothing dies."""
        for effect in self.decide(event):
            self.edge.perform(effect)

    # ---- people and faults ----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Loads the plan and lets everybody begin to act."""
        self.load_plan(plan())
        for operator in ("ann", "bob", "cat", "dan"):
            self.every(SEATS_OFTEN, lambda who=operator: self.seat_changes(who))
            self.every(900_000, lambda who=operator: self.operator_asks(OperatorId(who)))
        for point in plan().points:
            self.every(1_500_000, lambda which=point: self.press(PointId(which)))
            self.every(7_200_000, lambda which=point: self.burst(PointId(which)))
        self.every(400_000, self.supervise)
        self.every(int(1_800_000 / max(self.faults, 0.01)), self.worker_dies)
        self.every(7_200_000, lambda: self.load_plan(self.other_plan()))
        self.every(3_000_000, self.trunk_changes)
        self.every(3_600_000, self.police_mood)
        self.every(600_000, self.line_silent)

    def load_plan(self, loaded: Plan) -> None:
        """A new version comes into force; the shell tells again who is registered."""
        self.version += 1
        self.deliver(ev.PlanLoaded(self.version, f"digest {self.version}", loaded, "admin"))
        for operator, bound in self.bound.items():
            if bound and operator in loaded.operators:
                self.deliver(ev.SeatBound(OperatorId(operator), "sip"))

    def other_plan(self) -> Plan:
        """The plan with some other set of operators."""
        names = [name for name in ("ann", "bob", "cat", "eve") if self.chance.random() < 0.7]
        return replace(plan(), operators=operators(*names) | operators("dan", group="backup"))

    def press(self, point: PointId) -> None:
        """Somebody presses; the device sends its INVITE again while nobody takes it."""
        self.numbered += 1
        dialog = f"d{self.numbered}"
        fresh = IncidentId(f"i{self.numbered}")

        def arrive() -> None:
            if self.down:
                self.after(RETRANSMIT_MS, arrive)
                return
            self.edge.presses[dialog] = point
            self.deliver(ev.Pressed(point, dialog, fresh))

        arrive()

    def burst(self, point: PointId) -> None:
        """Somebody presses again and again."""
        for _ in range(self.chance.randrange(2, 6)):
            self.after(self.chance.randrange(120_000), lambda: self.press(point))

    def seat_changes(self, operator: str) -> None:
        """A softphone registers, or a browser is proven, or either is gone."""
        self.bound[operator] = not self.bound.get(operator, False) or self.chance.random() < 0.2
        if operator in self.state.operators:
            who = OperatorId(operator)
            kind = "browser" if self.chance.random() < 0.3 else "softphone"
            self.deliver(ev.SeatBound(who, kind, kind) if self.bound[operator] else ev.SeatUnbound(who, "expired"))

    def operator_asks(self, operator: OperatorId) -> None:
        """By code or console."""
        self.numbered += 1
        code = self.chance.choice(("*1", "*1", "*2", "*51", "*52", "*9", "*7"))
        self.edge.codes.add(f"c{self.numbered}")
        event: ev.Event = ev.CodeDialled(operator, code, f"c{self.numbered}")
        if self.chance.random() < 0.4:
            event = self.chance.choice((ev.MakeAvailable(operator, "console"), ev.Pause(operator, "break", "console")))
        self.deliver(event)

    def supervise(self) -> None:
        """A supervisor closes, hangs up, escalates."""
        incidents, calls = sorted(self.state.incidents), sorted(self.state.calls)
        for incident in incidents:
            if self.chance.random() < 0.3:
                self.deliver(ev.GiveOutcome(IncidentId(incident), "helped", "sue"))
        if calls and self.chance.random() < 0.5:
            self.deliver(ev.Hold(CallId(self.chance.choice(calls)), self.chance.random() < 0.6, "sue"))
        if calls and self.chance.random() < 0.3:
            self.deliver(ev.HangUp(CallId(self.chance.choice(calls)), "sue"))
        if calls and self.chance.random() < 0.5:
            self.deliver(ev.Escalate(CallId(self.chance.choice(calls)), PartyId(self.chance.choice(("police", "civic"))), "sue"))

    def worker_dies(self) -> None:
        """kill -9 of a call worker."""
        call = self.edge.kill_worker()
        if call is not None:
            self.after(self.chance.randrange(2, 700), lambda: self.deliver(ev.WorkerLost(call, "killed")))

    def trunk_changes(self) -> None:
        """A trunk is lost or back."""
        trunk = self.chance.choice(("trunk-a", "trunk-b"))
        self.deliver(ev.TrunkLost(trunk, "no reply") if self.chance.random() < 0.5 else ev.TrunkReached(trunk))

    def police_mood(self) -> None:
        """How often outside parties fail, for a while."""
        self.edge.police_fails = self.chance.choice((0.1, 0.5, 0.9, 1.0))

    def line_silent(self) -> None:
        """RTP stops on some leg, and comes back."""
        up = sorted(leg for leg, dialog in self.edge.dialogs.items() if dialog.up)
        if up:
            leg = self.chance.choice(up)
            self.deliver(ev.LineSilent(leg, self.chance.choice((1_000, 10_000, 20_000))))
            self.after(self.chance.randrange(60_000), lambda: leg in self.edge.dialogs and self.deliver(ev.LineSounding(leg)))

    # ---- a run ----------------------------------------------------------------------------------------------

    def run(self, hours: float) -> None:
        """Some hours of chance, then everybody goes home and everything must come to rest."""
        self.begin()
        self.advance(Instant(START + int(hours * HOUR)))
        self.settle()

    def settle(self) -> None:
        """No new presses or faults; a supervisor ends what is left."""
        self.loose, self.faults = False, 0.0
        self.advance(Instant(self.now + 600 * SECOND))
        for call in sorted(self.state.calls):
            self.deliver(ev.HangUp(CallId(call), "sue"))
        self.advance(Instant(self.now + 120 * SECOND))
        for incident in sorted(self.state.incidents):
            self.deliver(ev.GiveOutcome(IncidentId(incident), "helped", "sue"))
        self.advance(Instant(self.now + 120 * SECOND))
        hold(not self.state.calls and not self.state.legs, f"left over: {self.state.calls}")
        hold(not self.edge.dialogs and not self.edge.workers, f"left alive: {self.edge.dialogs} {self.edge.workers}")
        hold(not self.state.incidents, f"not closed: {self.state.incidents}")
        hold(all(one.state in ("off", "available", "paused") for one in self.state.operators.values()), "an operator is stuck")
        hold(fold(self.journal) == self.state, "the journal tells another state")
