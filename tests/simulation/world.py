"""One simulated service: the core, a shell that can die between any two steps, and people who act by chance.

Time is a number that jumps to the next action; nothing waits. Everything follows from the seed.
"""

import heapq
from collections import deque
from collections.abc import Callable
from copy import deepcopy
from random import Random

from callserver.core import events as ev
from callserver.core.decide import handle, next_deadline
from callserver.core.effects import DialParty, Effect
from callserver.core.facts import Fact, ServerStarted
from callserver.core.fold import apply, fold
from callserver.core.ids import CallId, IncidentId, OperatorId
from callserver.core.instant import MS, SECOND, Instant
from callserver.core.recovery import orders_outstanding, reconcile
from callserver.core.state import State
from callserver.watch.watch import Watch
from tests.simulation.archive import Archive
from tests.simulation.controls import Controls
from tests.simulation.edge import Edge
from tests.simulation.hearing import Hearing
from tests.simulation.invariants import Broken, Invariants, hold
from tests.simulation.people import RETRANSMIT_MS, People
from tests.simulation.promises import Promises
from tests.simulation.town import place

HOUR = 3_600 * SECOND
START = Instant(1_000 * SECOND)
COMPARE_EVERY = 64
FOLD_EVERY = 8
PAPERS_LIMIT_MS = 250  # orders do not wait longer for their facts


class World:
    """Runs from `START` for some hours; `run` raises `Broken` when something does not hold or the watch finds a breach.

    `judged` or `watched` off: only the other judges. `deaths`: how likely one is behind a fact of the archive.
    """

    def __init__(self, seed: int, faults: float = 1.0, judged: bool = True, watched: bool = True, deaths: float = 0.0) -> None:
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
        self.rests_until = START  # a deadline that is not used up is not tried again before
        self.stalled_until = START  # the journal's disk
        self.held: deque[tuple[int, list[Effect]]] = deque()  # orders that wait for their facts, and until when
        self.unread = 0  # facts that the watch cannot read yet
        self.faults = faults
        self.loose = True  # people still begin new things
        self.edge = Edge(self.chance, self.after, self.deliver)
        self.invariants, self.promises, self.hearing = Invariants(), Promises(), Hearing()
        self.judged, self.watched = judged, watched
        self.watch = Watch()
        self.place = place(seed)
        self.people = People(self, self.place, self.chance)
        self.controls = Controls(self, self.place, Random(f"controls {seed}"))
        self.archive = Archive(self, Random(f"archive {seed}"), deaths)

    # ---- time -----------------------------------------------------------------------------------------------

    def after(self, ms: int, act: Callable[[], object]) -> None:
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
        """Lets time pass: the next action, or the core's deadline or the watch's look where that is earlier."""
        while True:
            deadline = None if self.down else next_deadline(self.state)
            wake = until + 1 if deadline is None else max(deadline, self.now, self.rests_until)
            act_at = self.queue[0][0] if self.queue else until + 1
            look_at = None if self.down or self.unread else self.watch.next_at()
            if look_at is not None and look_at < min(wake, act_at, until):
                self.now = Instant(max(look_at, self.now))
                self.look()
            elif wake <= min(act_at, until):
                self.now = Instant(wake)
                self.deliver(ev.Woken())
            elif act_at <= until:
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
        if self.held or self.now < self.stalled_until:
            self.hold_back(effects)
        else:
            self.perform(effects)
        self.check()

    def deliver_note(self, event: ev.Noted) -> None:
        """From it no order follows, but what was due in this moment anyway."""
        effects = self.decide(event)
        if effects and (self.held or self.now < self.stalled_until):
            self.hold_back(effects)
        else:
            for effect in effects:
                self.edge.perform(effect)
        self.check()

    def decide(self, event: ev.Event) -> list[Effect]:
        """The core's decision, journalled."""
        facts, effects = handle(self.state, event, self.now)
        for fact in facts:
            self.journal.append((fact, self.now))
            apply(self.told, fact, self.now)
        self.unread += len(facts)
        self.read()
        if self.judged:
            self.invariants.take(facts, self.now)
            self.hearing.take(facts, self.state)
            self.archive.take(event, facts)
            self.promises.take(event, facts, self.state, self.now)
        deadline = next_deadline(self.state)
        if deadline is not None and deadline <= self.now:
            hold(not self.judged, f"after {event} the deadline {deadline} is not used up")
            self.rests_until = Instant(self.now + SECOND)  # as a shell does that meets a broken core
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

    # ---- the journal's disk -----------------------------------------------------------------------------------

    def stall(self, ms: int) -> None:
        """Facts are not on the disk for a while: orders wait, but not long; the watch sees nothing new."""
        self.stalled_until = Instant(self.now + ms * MS)
        self.after(ms, self.read)

    def hold_back(self, effects: list[Effect]) -> None:
        """Orders wait for their facts, in order, and for a quarter of a second at most."""
        self.held.append((self.now + PAPERS_LIMIT_MS * MS, effects))
        self.after(PAPERS_LIMIT_MS, self.release)

    def release(self) -> None:
        """What has waited long enough is carried out."""
        while self.held and self.held[0][0] <= self.now:
            _, effects = self.held.popleft()
            self.perform(effects)

    def read(self) -> None:
        """The watch reads what is on the disk."""
        if self.now >= self.stalled_until and self.unread:
            for fact, at in self.journal[-self.unread :]:
                self.watch.take(fact, at)
            self.unread = 0

    # ---- judges -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Invariants, and now and then the journal."""
        self.steps += 1
        if not self.down:
            self.look()
            if self.judged:
                self.invariants.check(self.state, self.edge, self.now, bool(self.held))
                self.hearing.check(self.state)
                self.archive.check(self.state)
                ordered = [order.leg for _, orders in self.held for order in orders if isinstance(order, DialParty)]
                self.promises.check(self.state, self.edge, self.now, self.back_since, ordered)
        if self.judged and self.steps % COMPARE_EVERY == 0:
            hold(self.told == self.state, "the journal tells another state")

    def look(self) -> None:
        """What the watch sees in the journal, when it has read all that was decided."""
        if self.unread:
            return
        breaches = self.watch.check(self.now)
        hold(not self.watched or not breaches, f"the watch: {breaches}")
        hold(self.watch.unfit == 0, "a fact did not fit the watch's picture")

    def crash(self) -> None:
        """The switchboard dies; a successor folds the journal and goes on."""
        self.crashes += 1
        hold(not self.judged or self.told == self.state, "the journal tells another state")
        if self.crashes % FOLD_EVERY == 1:
            self.state = fold(self.journal)
        else:  # the same, and does not take longer with every hour
            self.state = deepcopy(self.told, {id(plan): plan for plan in self.told.plans.values()})
        hold(not self.judged or self.told == self.state, "the journal tells another state")  # folded anew too
        self.held.clear()
        self.edge.crash()
        self.down = True
        self.after(self.chance.randrange(100, 3_000), self.recover)

    def recover(self) -> None:
        """What `runtime` does at its start."""
        self.down, self.back_since = False, self.now
        self.promises.restart(self.now)
        if self.crashes % FOLD_EVERY == 1:  # the watch is another process, and may die as well
            self.watch, self.unread = Watch(), len(self.journal)
            self.read()
        for event in [*reconcile(self.state, set(self.edge.dialogs), set(self.edge.workers)), ev.Woken()]:
            self.decide_and_perform(event)
        self.decide_and_perform(ev.Noted(ServerStarted("simulated", len(self.journal))))
        for operator, bound in self.people.bound.items():
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

    # ---- a run ----------------------------------------------------------------------------------------------

    def run(self, hours: float, presses: int | None = None) -> None:
        """Some hours of chance (or until so many presses), then everybody goes home and everything must come to rest."""
        self.people.begin()
        self.controls.begin()
        if self.judged:
            self.archive.begin()
        if presses is None:
            self.advance(Instant(START + int(hours * HOUR)))
        else:
            while self.people.presses < presses:
                self.advance(Instant(self.now + HOUR))
        self.settle()

    def settle(self) -> None:
        """No new presses or faults; a supervisor ends what is left."""
        self.loose, self.faults, self.archive.deaths = False, 0.0, 0.0
        self.advance(Instant(self.now + 600 * SECOND))
        for call in sorted(self.state.calls):
            self.deliver(ev.HangUp(CallId(call), "sue"))
        self.advance(Instant(self.now + 120 * SECOND))
        for incident in sorted(self.state.incidents):
            self.deliver(ev.GiveOutcome(IncidentId(incident), "helped", "sue"))
        self.advance(Instant(self.now + 120 * SECOND))
        if self.judged:
            self.archive.at_rest()
            self.at_rest()

    def at_rest(self) -> None:
        """Nothing is left over."""
        hold(not self.state.calls and not self.state.legs, f"left over: {self.state.calls}")
        hold(not self.edge.dialogs and not self.edge.workers, f"left alive: {self.edge.dialogs} {self.edge.workers}")
        hold(not self.state.incidents, f"not closed: {self.state.incidents}")
        hold(not self.state.notices, f"not told: {self.state.notices}")
        hold(all(one.state in ("off", "available", "paused") for one in self.state.operators.values()), "an operator is stuck")
        hold(fold(self.journal) == self.state, "the journal tells another state")


def run(seed: int, hours: float, presses: int | None = None) -> World:
    """One world; its seed stands in the failure, and how to see it again."""
    world = World(seed)
    try:
        world.run(hours, presses)
    except (AssertionError, LookupError) as broken:
        last = "\n".join(f"  {at / SECOND:.3f} {fact}" for fact, at in world.journal[-25:])
        again = f"python -m tests.simulation {seed} {hours:g}" + ("" if presses is None else f" --presses {presses}")
        raise Broken(f"seed {seed} at {world.now / SECOND:.3f} s ({again}): {broken!r}\n{last}") from broken
    return world
