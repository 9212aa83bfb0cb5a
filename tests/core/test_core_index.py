"""What is kept beside the state for speed says the same as a walk over the whole state."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest

from callserver.core import deadlines, eligible, pools, waiting
from callserver.core import events as ev
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.index import Agenda, Index, Pool, PoolKey
from callserver.core.instant import Instant
from callserver.core.state import Incident, OperatorState, State
from dialplans.model import Plan, Tier
from tests.core.driver import Driver
from tests.core.plans import plan, with_queue
from tests.simulation.world import World


def tiered() -> Plan:
    made = with_queue(plan(), "help", tiers=(Tier(5_000, ("backup",)),))
    points = {**made.points, "p6": replace(made.points["p6"], skills=("welsh",))}
    people = {**made.operators, "cat": replace(made.operators["cat"], skills=("welsh",))}
    return replace(made, points=points, operators=people)


def anew(state: State, now: Instant) -> Index:
    """The index that is made when there is none."""
    other = deepcopy(state)
    other.index = None
    pools.index_of(other).seen = now
    deadlines.next_at(other)
    pools.pools(other, now)
    assert other.index is not None
    return other.index


class Compared(World):
    """A world that compares after every step."""

    def other_plan(self) -> Plan:
        return self.chance.choice((tiered(), super().other_plan()))

    def check(self) -> None:
        super().check()
        if self.down or self.steps % 7:
            return
        fresh = anew(self.state, self.now)
        index = pools.index_of(self.state)
        assert fresh.due.first() == index.due.first()
        assert fresh.rests.first() == index.rests.first()
        live = {key: (pool.quiet, pool.ringing) for key, pool in pools.pools(self.state, self.now).items()}
        assert {key: (pool.quiet, pool.ringing) for key, pool in fresh.pools.items()} == live
        assert fresh.alarms == {kind: keys for kind, keys in index.alarms.items() if keys}
        assert {queue: n for queue, n in index.waiting_in.items() if n} == fresh.waiting_in
        for key, pool in index.pools.items():
            self.crew_is_right(key, pool)
        assert (
            sorted(self.state.waiting, key=lambda one: waiting.rank(self.state, self.state.incidents[one])) == self.state.waiting
        )

    def crew_is_right(self, key: PoolKey, pool: Pool) -> None:
        crew = pools.crew(self.state, key, pool, self.now)
        for _, _, known in (*pool.quiet, *pool.ringing):
            incident = self.state.incidents[known]
            for operator in self.state.operators.values():
                assert eligible.serves(self.state, operator, incident, self.now) is (operator.id in crew)


@pytest.mark.parametrize("seed", range(3))
def test_the_index_says_what_a_walk_over_the_state_says(seed: int) -> None:
    world = Compared(seed)
    world.run(hours=6)
    assert world.steps > 1_000


def test_an_agenda_tells_the_earliest_and_forgets_what_was_moved_or_taken() -> None:
    agenda: Agenda[str] = Agenda()
    for who, at in (("ann", 30), ("bob", 20), ("cat", 10), ("bob", 40)):
        agenda.put(who, Instant(at))
    agenda.put("cat", None)
    assert agenda.first() == 30
    assert agenda.take(Instant(40)) == ["ann", "bob"]
    assert agenda.first() is None


def test_an_agenda_does_not_grow_with_what_no_longer_holds() -> None:
    agenda: Agenda[str] = Agenda()
    for at in range(10_000):
        agenda.put("ann", Instant(at))
    assert len(agenda._heap) < 100
    assert agenda.take(Instant(10_000)) == ["ann"]


def test_a_state_without_an_index_wakes_the_core_once_at_most() -> None:
    driver = Driver(tiered(), "ann")
    driver.press("p1")
    driver.after(6_000)
    driver.state.index = None
    driver.do(ev.Woken())
    deadline = deadlines.next_at(driver.state)
    assert deadline is not None and deadline > driver.now


def test_a_press_looks_at_nobody_else_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """With fifty waiting and one more press, the question who may be rung is asked for the new one's pool alone."""
    made = plan()
    points = {f"w{n}": replace(made.points["p1"], id=f"w{n}") for n in range(50)}
    driver = Driver(replace(made, points={**made.points, **points}))
    driver.do(ev.SeatBound(OperatorId("dan"), "sip"))
    for point in points:
        driver.press(point)
    asked: list[str] = []
    rule = eligible.served_by

    def counted(state: State, incident: Incident, now: Instant) -> Callable[[OperatorState], bool]:
        asked.append(incident.id)
        return rule(state, incident, now)

    monkeypatch.setattr(eligible, "served_by", counted)
    driver.do(ev.Pressed(PointId("p1"), "new", IncidentId("new")))
    assert len(asked) <= 1
