"""Who keeps the records of a simulated place: an archivist who takes away what is old, and people who hold, release and erase.

Both ask by what they saw a while ago, as the real ones do, and now and then for what must not be; the core alone can prevent it.
The book of what is open and held is the judge's own, made from the journal without the core's state.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, incident_of_call
from callserver.core.instant import MS, Instant
from callserver.core.state import State
from tests.simulation.invariants import hold

if TYPE_CHECKING:
    from tests.simulation.world import World

KEPT_MS = 1_200_000  # how long sound is kept in this place
MOST_AT_ONCE = 4
AGAIN_MS = 1_000
REVIEW_NS = 10**18
UNDONE = f.RecordingDeleted | f.TextsErased


class Archive:
    """The files of one world, who deletes and who holds. `take` and `check` raise `Broken`.

    `deaths`: how likely the switchboard dies between two of their facts.
    """

    def __init__(self, world: "World", chance: Random, deaths: float = 0.0) -> None:
        self.world, self.chance, self.deaths = world, chance, deaths
        self.calls: dict[IncidentId, list[CallId]] = {}
        self.open: set[IncidentId] = set()
        self.closed_at: dict[IncidentId, Instant] = {}  # that have sound left by the journal
        self.holds: dict[str, IncidentId] = {}
        self.sound: set[CallId] = set()  # calls whose files lie there
        self.told: list[tuple[int, CallId]] = []  # deletions, each with its place in the journal
        self.done = 0  # deletions that were carried out
        self.placed = 0
        self.met: Counter[str] = Counter()

    def begin(self) -> None:
        """Lets everybody begin to act."""
        often: Sequence[tuple[int, Callable[[], None]]] = (
            (500_000, self.look),
            (60_000, self.carry_out),
            (900_000, self.ask_blindly),
            (400_000, self.place),
            (500_000, self.lift),
            (700_000, self.erase),
            (900_000, self.at_once),
        )
        for mean_ms, act in often:
            self._again(mean_ms, act)

    def _again(self, mean_ms: int, act: Callable[[], None]) -> None:
        """By a chance of its own, so that the calls of a seed go as they would without an archive."""

        def once_more() -> None:
            if self.world.loose:
                act()
                self._again(mean_ms, act)

        self.world.after(int(self.chance.expovariate(1 / mean_ms)) + 1, once_more)

    # ---- the archivist ------------------------------------------------------------------------------------------

    def look(self) -> None:
        """What is old and seems free is asked for some seconds later, when it may be neither."""
        before = self.world.now - KEPT_MS * MS
        due = [one for one, at in self.closed_at.items() if at <= before and one not in self.holds.values()]
        for incident in due[:MOST_AT_ONCE]:
            self.world.after(self.chance.randrange(30_000), lambda one=incident: self.delete(one))

    def delete(self, incident: IncidentId, rule: str = "default") -> None:
        """All that is left of an incident, and now and then its texts."""
        for call in self.calls.get(incident, []):
            self.note(f.RecordingDeleted(call, (f"{call}/call.flac",), (), rule, "retention"))
        if self.chance.random() < 0.3:
            self.note(f.TextsErased(incident, (1,), rule, "retention"))

    def ask_blindly(self) -> None:
        """A broken archivist: anything, open or held."""
        incident = self.some(list(self.calls))
        if incident is not None:
            self.delete(incident)

    def carry_out(self) -> None:
        """Files go when their fact is on the disk; an archivist that dies begins with the first fact again."""
        on_disk = len(self.world.journal) - self.world.unread
        for place, call in self.told[self.done :]:
            if place >= on_disk:
                return
            if self.chance.random() < 0.02:
                self.done = 0
                return
            self.sound.discard(call)
            self.done += 1

    # ---- people -------------------------------------------------------------------------------------------------

    def place(self) -> None:
        """A hold, more often on what is about to go; sometimes by a name that is taken."""
        incident = self.some(list(self.closed_at)[:20]) if self.chance.random() < 0.6 else self.some(list(self.calls))
        if incident is None:
            return
        self.placed += 1
        taken = self.some(sorted(self.holds)) if self.chance.random() < 0.1 else None
        self.note(f.HoldPlaced(taken or f"h{self.placed}", incident, "sue", REVIEW_NS))

    def lift(self) -> None:
        """A hold is over; sometimes one that is not there, or not on that incident."""
        name = self.some(sorted(self.holds))
        if name is None or self.chance.random() < 0.1:
            self.note(f.HoldLifted("h0", self.some(list(self.calls)) or IncidentId("none"), "sue"))
            return
        of = self.holds[name] if self.chance.random() < 0.9 else self.some(list(self.calls)) or IncidentId("none")
        self.note(f.HoldLifted(name, of, "sue"))

    def erase(self) -> None:
        """Somebody asks to be forgotten."""
        incident = self.some(list(self.closed_at))
        if incident is not None:
            self.note(f.TextsErased(incident, (1,), "request", "sue"))
            self.delete(incident, "request")

    def at_once(self) -> None:
        """A hold and a deletion of one incident in one instant, in any order, and the switchboard may die between them."""
        incident = self.some(list(self.closed_at))
        call = None if incident is None else self.some(self.calls[incident])
        if incident is None or call is None:
            return
        self.placed += 1
        wanted: list[f.Fact] = [
            f.HoldPlaced(f"h{self.placed}", incident, "sue", REVIEW_NS),
            f.RecordingDeleted(call, (), (), "default", "retention"),
            f.TextsErased(incident, (1,), "default", "retention"),
        ]
        self.chance.shuffle(wanted)
        for fact in wanted:
            self.world.after(0, lambda fact=fact: self.note(fact))

    def note(self, fact: f.Fact) -> None:
        """To the switchboard, or to its successor. It may die when it has taken it."""
        if self.world.down:
            self.met["away"] += 1
            self.world.after(AGAIN_MS, lambda: self.note(fact))
            return
        self.world.deliver_note(ev.Noted(fact))
        if self.deaths and self.chance.random() < self.deaths:
            self.met["died"] += 1
            self.world.crash()

    def some(self, of_them: Sequence[str]) -> IncidentId | None:
        """One by chance."""
        return self.chance.choice(of_them) if of_them else None  # type: ignore[return-value]

    # ---- judging ------------------------------------------------------------------------------------------------

    def take(self, event: ev.Event, facts: Sequence[f.Fact]) -> None:
        """The facts of one decision."""
        for number, fact in enumerate(facts):
            if isinstance(fact, f.IncidentOpened):
                self.open.add(fact.incident)
                self.calls[fact.incident] = []
            elif isinstance(fact, f.CallOpened):
                self.calls[fact.incident].append(fact.call)
                self.sound.add(fact.call)
            elif isinstance(fact, f.IncidentMoved) and fact.new == "closed":
                self.open.discard(fact.incident)
                self.closed_at[fact.incident] = self.world.now
            elif isinstance(fact, f.Refused) and isinstance(event, ev.Noted):
                self._refused(event.fact)
            else:
                self._record(fact, len(self.world.journal) - len(facts) + number)

    def _record(self, fact: f.Fact, place: int) -> None:
        if isinstance(fact, f.HoldPlaced):
            hold(fact.hold not in self.holds, f"two holds are called {fact.hold}")
            self.holds[fact.hold] = fact.incident
            self.met["held too late"] += any(incident_of_call(call) == fact.incident for _, call in self.told[-20:])
        elif isinstance(fact, f.HoldLifted):
            hold(self.holds.get(fact.hold) == fact.incident, f"{fact.hold} was lifted and does not stand on {fact.incident}")
            del self.holds[fact.hold]
        elif isinstance(fact, f.RecordingDeleted):
            incident = incident_of_call(fact.call)
            self._may_go(incident, "sound")
            self.told.append((place, fact.call))
            gone = {call for _, call in self.told}
            if all(call in gone for call in self.calls[incident]):
                self.closed_at.pop(incident, None)
        elif isinstance(fact, f.TextsErased) and fact.incident is not None:
            self._may_go(fact.incident, "texts")

    def _may_go(self, incident: IncidentId, what: str) -> None:
        hold(incident not in self.open, f"{what} of {incident} went while it is open")
        hold(incident not in self.holds.values(), f"{what} of {incident} went while it is held")

    def _refused(self, fact: f.Fact) -> None:
        """Nothing is refused without a cause."""
        if isinstance(fact, UNDONE):
            incident = incident_of_call(fact.call) if isinstance(fact, f.RecordingDeleted) else fact.incident
            cause = "open" if incident in self.open else "held" if incident in self.holds.values() else ""
            hold(bool(cause), f"a deletion of {incident} was refused, and nothing is in its way")
            self.met[cause] += 1
        elif isinstance(fact, f.HoldPlaced):
            hold(fact.hold in self.holds, f"a hold on {fact.incident} was refused")
            self.met["taken"] += 1
        elif isinstance(fact, f.HoldLifted):
            hold(self.holds.get(fact.hold) != fact.incident, f"the hold {fact.hold} cannot be lifted")
            self.met["not there"] += 1

    def check(self, state: State) -> None:
        """What the core holds, and what is gone."""
        hold(state.holds == self.holds, f"the core holds {state.holds}, by the journal it is {self.holds}")

    def at_rest(self) -> None:
        """A last look without haste: what is closed and not held is gone, with its fact; of what is held nothing is."""
        for incident in list(self.closed_at):
            if incident not in self.holds.values():
                self.delete(incident)
        on_disk = {call for place, call in self.told if place < len(self.world.journal) - self.world.unread}
        while self.done < len(self.told):
            self.carry_out()
        everything = {call for calls in self.calls.values() for call in calls}
        hold(everything - self.sound <= on_disk, f"gone without a fact: {everything - self.sound - on_disk}")
        held = {call for call in everything if incident_of_call(call) in self.holds.values()}
        hold(self.sound <= held, f"it stays, and nothing holds it: {self.sound - held}")
        hold(held - on_disk <= self.sound, f"it was held, and is gone: {held - on_disk - self.sound}")
