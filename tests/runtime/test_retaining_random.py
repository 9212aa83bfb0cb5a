"""Retention by chance: over any calls, holds, rules and clocks, and deaths between any two steps, nothing held goes,
nothing expired stays, every deletion is in the chain, and both verifiers find the record whole after each deed.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callserver.core import facts as f
from callserver.core.ids import IncidentId
from callserver.runtime.retaining import request_of
from callserver.store import retained
from tests.runtime.retention_world import DAY_NS, World

INCIDENTS = ("i1", "i2", "i3")
TEXT_DAYS = 60
_DEED = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(INCIDENTS), st.sampled_from(("helped", "prank"))),
    st.tuples(st.sampled_from(("close", "hold", "lift", "request")), st.sampled_from(INCIDENTS), st.none()),
    st.tuples(st.just("wait"), st.sampled_from((1, 5, 30, 61)), st.none()),
    st.tuples(st.just("die"), st.integers(1, 15), st.booleans()),
    st.tuples(st.just("away"), st.none(), st.none()),
    st.tuples(st.just("rules"), st.sampled_from((3, 31)), st.sampled_from((0, 7))),
)


class Chance:
    """Plays deeds, and knows what may have gone."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.closed_ns: dict[str, int | None] = {}
        self.opened_ns: dict[str, int] = {}
        self.outcome: dict[str, str] = {}
        self.held: set[str] = set()
        self.sound_may_go: set[str] = set()
        self.texts_may_go: set[str] = set()
        self.days, self.prank_days = 31, 0
        self.holds = 0

    def play(self, deed: str, what: Any, more: Any) -> None:
        """One deed, and what must be so after it."""
        getattr(self, deed)(what, more)
        for id in self.closed_ns:
            if id not in self.held:
                self.sound_may_go |= {id} if self.sound_expired(id) else set()
                self.texts_may_go |= {id} if self.texts_expired(id) else set()
            assert id in self.sound_may_go or len(self.world.files_of(id)) == 3, f"{id} went too early"
            assert id in self.texts_may_go or len(self.world.notes_of(id)) == 1, f"the note of {id} went too early"
        assert self.world.fault() == ""

    def end(self) -> None:
        """A whole round: nothing that is expired stays."""
        self.world.whole_round()
        for id in self.closed_ns:
            if id in self.held:
                continue
            assert not self.sound_expired(id) or self.world.files_of(id) == [], f"{id} stays"
            assert not self.texts_expired(id) or self.world.notes_of(id) == [], f"the note of {id} stays"
        gone = {fact["call"].partition(".")[0] for fact in self.world.facts("RecordingDeleted")}
        assert {id for id in self.closed_ns if not self.world.files_of(id)} <= gone
        assert self.world.fault() == ""

    def begin(self, id: str, outcome: str) -> None:
        if id not in self.closed_ns:
            self.world.incident(id, outcome=outcome)
            self.closed_ns[id], self.outcome[id], self.opened_ns[id] = None, outcome, self.world.now_ns

    def close(self, id: str, _: None) -> None:
        if self.closed_ns.get(id, 0) is None:
            self.world.close_incident(id)
            self.closed_ns[id] = self.world.now_ns

    def hold(self, id: str, _: None) -> None:
        if id in self.closed_ns and id not in self.held:
            self.holds += 1
            self.world.note(f.HoldPlaced(f"h{self.holds}", IncidentId(id), "sue", 10**18, "asked"))
            self.held.add(id)

    def lift(self, id: str, _: None) -> None:
        if id in self.held:
            hold = next(row.id for row in retained.standing(self.world.engine) if row.incident == id)
            self.world.note(f.HoldLifted(hold, IncidentId(id), "sue"))
            self.held.discard(id)

    def request(self, id: str, _: None) -> None:
        if self.closed_ns.get(id) is not None and id not in self.held:
            for fact in request_of(self.world.engine, self.world.config, IncidentId(id), "sue", "asked"):
                self.world.note(fact)
            self.sound_may_go.add(id)
            self.texts_may_go.add(id)

    def wait(self, days: int, _: None) -> None:
        self.world.now_ns += days * DAY_NS

    def die(self, step: int, after: bool) -> None:
        """The archivist works, and is killed before or after one of its steps, if there are so many."""
        self.world.steps.kill_at(step, after)
        self.world.round()

    def away(self, *_: None) -> None:
        """The archivist works, and the switchboard does not answer."""
        self.world.away = True
        self.world.round()
        self.world.away = False

    def rules(self, days: int, prank_days: int) -> None:
        self.days, self.prank_days = days, prank_days
        rules = [{"name": "prank", "days": prank_days, "outcomes": ["prank"]}] if prank_days else []
        self.world.set_retention({"days": days, "text_days": TEXT_DAYS, "rules": rules})

    def sound_expired(self, id: str) -> bool:
        closed_ns = self.closed_ns[id]
        days = self.prank_days if self.prank_days and self.outcome[id] == "prank" else self.days
        return closed_ns is not None and closed_ns + days * DAY_NS <= self.world.now_ns

    def texts_expired(self, id: str) -> bool:
        return self.closed_ns[id] is not None and self.opened_ns[id] + TEXT_DAYS * DAY_NS <= self.world.now_ns


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds=st.lists(_DEED, max_size=25))
def test_nothing_held_goes_and_nothing_expired_stays(deeds: list[tuple[str, Any, Any]]) -> None:
    with TemporaryDirectory() as name:
        world = World(Path(name), {"days": 31, "text_days": TEXT_DAYS})
        chance = Chance(world)
        for deed in deeds:
            chance.play(*deed)
        chance.end()
        world.close()


def test_a_death_before_and_after_each_step_of_a_round_costs_time_only(tmp_path: Path) -> None:
    """Three incidents are due, one of them held; the archivist dies at every step there is, and is started again each time."""
    for step in range(1, 17):
        for after in (False, True):
            world = World(tmp_path / f"{step}{after}", {"days": 31, "text_days": TEXT_DAYS})
            chance = Chance(world)
            for id in INCIDENTS:
                chance.begin(id, "helped")
                chance.close(id, None)
            chance.hold("i2", None)
            chance.wait(61, None)
            chance.play("die", step, after)
            assert chance.world.files_of("i2") != []
            chance.end()
            world.close()
