"""Retention by chance: over any calls, holds, rules and clocks, and deaths between any two steps, nothing held goes,
nothing expired stays, every deletion is in the chain, and both verifiers find the record whole after each deed.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callserver.archive import deleting
from callserver.core import facts as f
from callserver.core import holds
from callserver.core.ids import IncidentId
from callserver.runtime import retaining
from callserver.runtime.desk_work import DeskWork
from callserver.runtime.retaining import Retaining, request_of
from callserver.store import retained
from callserver.store.evidence.examine import Wrong
from callserver.store.register import id_of
from tests.runtime.retention_world import DAY_NS, World

INCIDENTS = ("i1", "i2", "i3")
TEXT_DAYS = 60
ORIGINALS = {"call.flac", "call.peaks"}
LEFT = (
    *(
        "recordings/{0}.1/.call.flac.part",
        "recordings/{0}.1/redacted-r9-call.flac",
        "recordings/{0}.1/.redacted-r9-call.flac.part",
    ),
    *("recordings/{0}.1/{0}.1.1.flac", "captures/{0}/{0}.1/.{0}.1.1.1.cap.gz", "captures/{0}/{0}.1/{0}.1.2.1.cap.gz"),
)
"""What makers who died may have left, and what was made anew."""
_DEED = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(INCIDENTS), st.sampled_from(("helped", "prank"))),
    st.tuples(st.sampled_from(("close", "hold", "lift", "request")), st.sampled_from(INCIDENTS), st.none()),
    st.tuples(st.just("export"), st.sampled_from(INCIDENTS), st.sampled_from(("pack", "redaction"))),
    st.tuples(st.just("leave"), st.sampled_from(INCIDENTS), st.sampled_from(LEFT)),
    st.tuples(st.just("desk"), st.integers(1, 12), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from((1, 5, 30, 61)), st.none()),
    st.tuples(st.just("die"), st.integers(1, 15), st.booleans()),
    st.tuples(st.sampled_from(("away", "look")), st.none(), st.none()),
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
        self.asked: dict[str, tuple[str, int, int]] = {}  # exports: of which incident, when, and how much of it was gone by then
        self.holds = 0

    def play(self, deed: str, what: Any, more: Any) -> None:
        """One deed, and what must be so after it."""
        getattr(self, deed)(what, more)
        for id in self.closed_ns:
            if id not in self.held:
                self.sound_may_go |= {id} if self.sound_expired(id) else set()
                self.texts_may_go |= {id} if self.texts_expired(id) else set()
            there = set(self.world.files_of(id))
            assert id in self.sound_may_go or there >= {*ORIGINALS, f"{id}.1.1.1.cap"}, f"{id} went too early"
            assert id in self.texts_may_go or len(self.world.notes_of(id)) == 1, f"the note of {id} went too early"
        assert self.world.fault() == ""

    def end(self) -> None:
        """A whole round of retention, and one of the desk: nothing that is expired stays, nor what was made of it."""
        for _ in range(2):
            self.world.whole_round()
            self.look()
        gone = {fact["call"].partition(".")[0] for fact in self.world.facts("RecordingDeleted")}
        for id in self.closed_ns:
            if id in self.held:
                continue
            assert not self.sound_expired(id) or self.world.files_of(id) == [], f"{id} stays"
            assert not self.texts_expired(id) or self.world.notes_of(id) == [], f"the note of {id} stays"
        assert {id for id in self.closed_ns if not self.world.files_of(id)} <= gone
        assert self.world.fault() == ""

    def look(self, *_: None) -> None:
        """The desk works undisturbed; what waits to be fetched is whole, not old, and older than no deletion."""
        self.world.steps.kill_at(-1, False)
        self.world.desk_round()
        waiting = {name.removesuffix(".zip") for name in self.world.packs()}
        assert waiting <= set(self.asked), "something half lies beside the packs"
        for export in waiting:
            of, asked_ns, deleted = self.asked[export]
            assert self.world.now_ns < asked_ns + 2 * DAY_NS, f"the pack {export} stays"
            assert len(self.deletions(of)) == deleted, f"{export} outlives what it is of"

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

    def export(self, id: str, what: str) -> None:
        """A pack or a redaction is asked for; the archivist makes it when it works."""
        if id in self.closed_ns:
            name, of = f"e{len(self.asked) + 1}", "" if what == "pack" else f"{id}.1"
            fact = f.ExportAsked(name, IncidentId(id), what, "olive", "why", of, False, (), "everyone", "tone")
            self.asked[name] = (id, self.world.now_ns, len(self.deletions(id)))
            self.world.note(fact, id_of(fact))

    def deletions(self, id: str) -> list[dict[str, Any]]:
        """Facts that took something of an incident."""
        sound = [fact for fact in self.world.facts("RecordingDeleted") if fact["call"] == f"{id}.1"]
        return [*sound, *(fact for fact in self.world.facts("TextsErased") if fact["incident"] == id)]

    def leave(self, id: str, what: str) -> None:
        """Somebody died while writing."""
        path = self.world.config.storage.data / what.format(id)
        if id in self.closed_ns:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"half")

    def desk(self, step: int, after: bool) -> None:
        """The desk works, and is killed before or after one of its steps, if there are so many."""
        self.world.steps.kill_at(step, after)
        self.world.desk_round()

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


A_DAY: list[tuple[str, Any, Any]] = [
    *(("begin", id, "helped") for id in INCIDENTS),
    *(("close", id, None) for id in INCIDENTS),
    *(("export", "i1", "pack"), ("export", "i1", "redaction"), ("export", "i2", "pack"), ("look", None, None)),
    *(("leave", "i1", LEFT[0]), ("hold", "i2", None), ("request", "i1", None), ("die", 99, False), ("look", None, None)),
    *(("leave", "i1", LEFT[1]), ("wait", 61, None), ("die", 99, False)),
]


def played(root: Path) -> World:
    """Such a day; a request takes i1, i2 is held, i3 expires."""
    world = World(root, {"days": 31, "text_days": TEXT_DAYS})
    chance = Chance(world)
    for deed in A_DAY:
        chance.play(*deed)
    chance.end()
    world.close()
    return world


def test_a_day_with_all_of_it(tmp_path: Path) -> None:
    world = played(tmp_path)
    assert [bool(world.files_of(id)) for id in INCIDENTS] == [False, True, False]
    assert [bool(world.facts(kind)) for kind in ("PackMade", "RedactionMade", "ExportFailed")] == [True] * 3


def hasty(self: Retaining, id: str, fact: f.RecordingDeleted | f.TextsErased) -> bool:
    """Takes files away and tells nobody."""
    if isinstance(fact, f.RecordingDeleted):
        storage = self._config.storage
        deleting.delete(fact.call, fact.files, fact.captures, storage.recordings, storage.captures)
    return True


_names = deleting._names


def visible(folder: Path, below: Path) -> tuple[str, ...]:
    """Overlooks what lies aside."""
    return tuple(name for name in _names(folder, below) if not Path(name).name.startswith("."))


MUTATIONS: Mapping[str, tuple[list[tuple[Any, str, Any]], str]] = {
    "nothing is held": (
        [(holds, "_in_the_way", lambda *_: ""), (retaining, "holds_of", lambda _: {})],
        "i2 went too early|the note of i2 went|was held when",
    ),
    "files go without a fact": ([(Retaining, "_note", hasty)], "is not there"),
    "packs outlive what they are of": ([(DeskWork, "_is_outlived", lambda *_: False)], "outlives what it is of"),
    "what lies aside is overlooked": ([(deleting, "_names", visible)], "i1 stays|too early"),
    "what came late is overlooked": ([(Retaining, "_delete_again", lambda *_: None)], "i1 stays"),
    "nothing is carried out": ([(Retaining, "carry_out", lambda _: None)], "i. stays"),
    "texts stay": ([(retaining, "texts_of", lambda *_: iter(()))], "the note of i3 stays"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_judge_finds_a_guard_that_is_gone(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, told = MUTATIONS[name]
    for where, what, instead in broken:
        monkeypatch.setattr(where, what, instead)
    with pytest.raises((AssertionError, Wrong), match=told):
        played(tmp_path)
