"""Retention as the archivist does it: what goes and when, what a hold keeps, and what the journal says of it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callserver.config_retention import RetentionConfig
from callserver.control import CommandRefused
from callserver.core import facts as f
from callserver.core.desk import DeskFact
from callserver.core.ids import CallId, IncidentId
from callserver.runtime.retaining import request_of, schedule_of
from callserver.store import queries
from callserver.store.register import id_of
from tests.runtime.retention_world import DAY_NS, World

MONTH: dict[str, Any] = {"days": 31, "text_days": 60}
FILES = ["call.flac", "call.peaks", "i1.1.1.1.cap"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, MONTH)
    yield made
    made.close()


def held(world: World, incident: str, hold: str = "h1", review_ns: int = 10**19 // 2) -> None:
    world.note(f.HoldPlaced(hold, IncidentId(incident), "sue", review_ns, "the police ask for it"))


def lifted(world: World, incident: str, hold: str = "h1") -> None:
    world.note(f.HoldLifted(hold, IncidentId(incident), "sue"))


def closed(world: World, incident: str = "i1", **how: Any) -> None:
    world.incident(incident, **how)
    world.close_incident(incident)


def test_after_its_days_all_of_a_call_goes_and_the_record_is_whole(world: World) -> None:
    closed(world)
    world.now_ns += 31 * DAY_NS - 1
    world.whole_round()
    assert world.files_of("i1") == FILES
    world.now_ns += 1
    world.whole_round()
    assert (world.files_of("i1"), world.fault()) == ([], "")
    (fact,) = world.facts("RecordingDeleted")
    assert (fact["call"], fact["rule"], fact["by"]) == ("i1.1", "default", "retention")
    assert fact["files"] == ["i1.1/call.flac", "i1.1/call.peaks"] and fact["captures"] == ["i1/i1.1/i1.1.1.1.cap"]
    world.whole_round()
    assert len(world.facts("RecordingDeleted")) == 1
    assert queries.unfinished_recordings(world.engine) == []


def test_notes_go_by_their_own_days(world: World) -> None:
    closed(world)
    world.now_ns += 60 * DAY_NS - 1
    world.whole_round()
    assert world.notes_of("i1") == ["the caller of i1 is Mrs Smith"]
    world.now_ns += 1
    world.whole_round()
    assert (world.notes_of("i1"), world.fault()) == ([], "")
    (fact,) = world.facts("TextsErased")
    assert (fact["incident"], fact["rule"]) == ("i1", "texts")


def test_addresses_of_sign_ins_go_too(world: World) -> None:
    world.append(f.SignedIn("sue", True, "192.0.2.7"))
    world.now_ns += 60 * DAY_NS
    world.whole_round()
    (fact,) = world.facts("TextsErased")
    assert (fact["incident"], fact["rows"], world.fault()) == (None, [1], "")


def _desk(world: World, fact: DeskFact) -> None:
    world.note(fact, id_of(fact))


def _left(world: World, kind: str) -> list[str]:
    """Texts beside facts of a kind that were not erased."""
    query = "SELECT e.value FROM journal_erasable e JOIN journal j USING (number) WHERE j.kind = ? AND e.value > ''"
    with world.engine.connect() as connection:
        return [row[0] for row in connection.exec_driver_sql(query, (kind,))]


def test_the_register_outlives_what_it_is_about_and_an_erasure_on_request(world: World) -> None:
    closed(world)
    incident = IncidentId("i1")
    _desk(world, f.DisclosureMade("d1", incident, "the pack", "", "the police", "section 12", "a letter", "sue"))
    _desk(world, f.AccessAsked("r1", 0, 10**18, "Mrs Smith", "sue"))
    _desk(world, f.PackMade("p1", incident, "d" * 64, 7, "sue", "the police ask"))
    for fact in request_of(world.engine, world.config, incident, "sue", "she wants to be forgotten"):
        world.note(fact)
    assert world.notes_of("i1") == []
    kinds = ("DisclosureMade", "AccessAsked", "PackMade", "TextsErased")
    whole = [["the police", "a letter"], ["Mrs Smith"], ["the police ask"], ["she wants to be forgotten"]]
    world.now_ns += 2191 * DAY_NS
    world.whole_round()
    assert [_left(world, kind) for kind in kinds] == whole
    world.now_ns += DAY_NS
    world.whole_round()
    assert ([_left(world, kind) for kind in kinds], world.fault()) == ([[], [], [], []], "")
    assert {fact["rule"] for fact in world.facts("TextsErased")} == {"request", "register"}


def test_more_texts_of_an_incident_than_one_fact_names_are_all_erased(world: World) -> None:
    closed(world)
    world.append(*(f.Listened(CallId("i1.1"), "sue", f"look {n}", 0) for n in range(2_100)))
    for fact in request_of(world.engine, world.config, IncidentId("i1"), "sue", "asked"):
        world.note(fact)
    assert (_left(world, "Listened"), world.notes_of("i1"), world.fault()) == ([], [], "")


def test_an_open_incident_is_kept_however_old(world: World) -> None:
    world.incident("i1")
    world.now_ns += 1_000 * DAY_NS
    world.whole_round()
    assert (world.files_of("i1"), len(world.notes_of("i1"))) == (FILES, 1)


def test_a_held_incident_is_kept_until_the_hold_is_lifted(world: World) -> None:
    closed(world)
    held(world, "i1")
    world.now_ns += 1_000 * DAY_NS
    world.whole_round()
    assert (world.files_of("i1"), len(world.notes_of("i1")), world.fault()) == (FILES, 1, "")
    lifted(world, "i1")
    world.whole_round()
    assert (world.files_of("i1"), world.notes_of("i1"), world.fault()) == ([], [], "")


def test_a_hold_that_comes_between_the_look_and_the_fact_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archivist saw no hold; the journal has one before the deletion, which is refused."""
    closed(world)
    world.now_ns += 31 * DAY_NS
    held(world, "i1")
    monkeypatch.setattr("callserver.runtime.retaining.holds_of", lambda engine: {})
    world.whole_round()
    assert (world.files_of("i1"), world.facts("RecordingDeleted"), world.fault()) == (FILES, [], "")
    assert [fact["about"] for fact in world.facts("Refused")] == ["RecordingDeleted"]


def test_a_hold_that_comes_after_the_fact_is_too_late(world: World) -> None:
    closed(world)
    world.now_ns += 31 * DAY_NS
    world.steps.kill_at(3, after=True)  # old alarms are cleared, the fact is journalled, nothing is taken away
    world.round()
    assert world.files_of("i1") == FILES
    held(world, "i1")
    world.whole_round()
    assert (world.files_of("i1"), world.fault()) == ([], "")


def test_much_that_is_due_goes_by_and_by(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that recordings, which the same process makes, do not wait for all of it."""
    monkeypatch.setattr("callserver.runtime.retaining.MOST_AT_ONCE", 2)
    for number in range(1, 6):
        closed(world, f"i{number}")
    world.now_ns += 31 * DAY_NS
    gone = []
    for _ in range(3):
        world.archivist.go()
        gone.append(len(world.facts("RecordingDeleted")))
        world.now_ns += 10**9
    assert (gone, world.files_of("i5"), world.fault()) == ([2, 4, 5], [], "")


def test_it_looks_each_hour_and_each_minute_where_room_is_short(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    closed(world)
    world.now_ns += 31 * DAY_NS - 2_000 * 10**9
    world.archivist.go()
    world.now_ns += 2_000 * 10**9
    world.archivist.go()
    assert world.files_of("i1") == FILES
    world.now_ns += 1_600 * 10**9
    monkeypatch.setattr(type(world.archivist), "_is_short", lambda self: True)
    world.archivist.go()
    assert world.files_of("i1") == []
    closed(world, "i2")
    world.archivist._config = world.config.model_copy(update={"retention": RetentionConfig(days=1)})
    world.now_ns += DAY_NS - 30 * 10**9
    world.archivist.go()
    world.now_ns += 30 * 10**9
    world.archivist.go()
    assert len(world.files_of("i2")) == 3
    world.now_ns += 30 * 10**9
    world.archivist.go()
    assert world.files_of("i2") == []


def test_at_the_first_look_and_after_a_leap_of_the_clock_people_are_told_a_day_before(world: World) -> None:
    """An upgrade, a clock that was set by a year: nothing goes before somebody had time to see it coming."""
    world.patience_ns = DAY_NS
    closed(world)
    closed(world, "i2")
    held(world, "i2")
    world.whole_round()
    assert world.alarms == {}
    world.now_ns += 40 * DAY_NS
    world.whole_round()
    assert world.files_of("i1") == FILES
    assert world.alarms["retention:waits"].startswith("1 recordings are due, and go from 1972-11-07 00:00 UTC on")
    world.now_ns += DAY_NS - 1
    world.whole_round()
    assert world.files_of("i1") == FILES
    world.now_ns += 1
    world.whole_round()
    assert (world.files_of("i1"), world.alarms, world.fault()) == ([], {}, "")


def test_a_review_that_is_due_rings(world: World) -> None:
    closed(world)
    held(world, "i1", review_ns=world.now_ns + DAY_NS)
    world.whole_round()
    assert world.alarms == {}
    world.now_ns += DAY_NS
    world.whole_round()
    assert "incident i1, by sue" in world.alarms["hold:h1"]


def test_a_file_that_cannot_be_taken_away_rings_and_goes_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    closed(world)
    closed(world, "i2")
    world.now_ns += 31 * DAY_NS
    real = world.archivist._disk.remove

    def refusing(path: Path) -> None:
        if "i1.1" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        real(path)

    monkeypatch.setattr(world.archivist._disk, "remove", refusing)
    world.archivist.go()
    assert (world.files_of("i1"), world.files_of("i2")) == (FILES, [])
    assert "Permission denied" in world.alarms["retention"]
    monkeypatch.undo()
    world.now_ns += 10 * 10**9
    world.archivist.go()
    assert (world.files_of("i1"), world.alarms, world.fault()) == ([], {}, "")


def test_what_is_made_after_the_deletion_goes_too(world: World) -> None:
    """A recording that was being made when its incident was erased on request."""
    closed(world)
    for fact in request_of(world.engine, world.config, IncidentId("i1"), "sue", "he asked for it"):
        world.note(fact)
    world.record(CallId("i1.1"))
    world.whole_round()
    assert (world.files_of("i1"), world.fault()) == ([], "")
    assert [fact["rule"] for fact in world.facts("RecordingDeleted")] == ["request"] * 2


def test_a_file_that_somebody_was_writing_goes_at_the_next_look(world: World) -> None:
    closed(world)
    world.now_ns += 31 * DAY_NS
    world.archivist.go()
    late = world.config.storage.recordings / "i1.1" / "redacted-r1-call.flac"
    late.parent.mkdir(parents=True)
    late.write_bytes(b"a redaction")
    world.now_ns += 3_600 * 10**9
    world.archivist.go()
    assert (world.files_of("i1"), world.fault()) == ([], "")
    assert [fact["files"][0] for fact in world.facts("RecordingDeleted")][1:] == ["i1.1/call.flac"]
    assert "i1.1/redacted-r1-call.flac" in world.facts("RecordingDeleted")[1]["files"]


def test_a_redaction_that_was_told_after_the_deletion_goes_by_a_fact_of_its_own(world: World) -> None:
    """Its files were there, or were taken away already: the record is whole either way."""
    for lies_there in (True, False):
        incident = f"i{1 + lies_there}"
        closed(world, incident)
        world.now_ns += 31 * DAY_NS
        world.archivist.go()
        path = world.config.storage.recordings / f"{incident}.1" / "redacted-r1-call.flac"
        sum = hashlib.sha256(b"a redaction").hexdigest()
        made = (f"r{incident}", IncidentId(incident), f"{incident}.1", {f"{incident}.1/call.flac": "0" * 64})
        redaction = f.RedactionMade(*made, {f"{incident}.1/{path.name}": sum}, (), "point", "tone", "olive", "a child")
        if lies_there:
            path.parent.mkdir(parents=True)
            path.write_bytes(b"a redaction")
        world.append(redaction, id=id_of(redaction))
        world.now_ns += 10 * 10**9
        world.archivist.go()
        assert (world.files_of(incident), world.fault()) == ([], "")
        assert len([fact for fact in world.facts("RecordingDeleted") if fact["call"] == f"{incident}.1"]) == 2
        count = len(world.facts("RecordingDeleted"))
        world.whole_round()
        assert len(world.facts("RecordingDeleted")) == count


def test_what_came_after_a_deletion_and_is_held_goes_when_the_hold_is_lifted(world: World) -> None:
    closed(world)
    world.now_ns += 31 * DAY_NS
    world.archivist.go()
    late = world.config.storage.recordings / "i1.1" / ".call.flac.part"
    late.parent.mkdir(parents=True)
    late.write_bytes(b"half")
    held(world, "i1")
    for _ in range(3):
        world.now_ns += 3_600 * 10**9
        world.archivist.go()
        assert world.files_of("i1") == [".call.flac.part"]
    lifted(world, "i1")
    world.now_ns += 3_600 * 10**9
    world.archivist.go()
    assert (world.files_of("i1"), world.fault()) == ([], "")


def test_captures_of_a_call_that_could_never_be_recorded_go_too(world: World) -> None:
    closed(world)
    stray = world.config.storage.captures / "i1" / "i1.1" / "i1.1.2.1.cap"
    stray.write_bytes(b"torn")
    world.now_ns += 31 * DAY_NS
    world.whole_round()
    assert (world.files_of("i1"), world.fault()) == ([], "")


def test_an_erasure_on_request_takes_texts_and_sound_at_once(world: World) -> None:
    closed(world, calls=2)
    facts = request_of(world.engine, world.config, IncidentId("i1"), "sue", "a letter of the caller")
    assert [type(fact).__name__ for fact in facts] == ["TextsErased", "RecordingDeleted", "RecordingDeleted"]
    for fact in facts:
        world.note(fact)
    world.whole_round()
    assert (world.files_of("i1"), world.notes_of("i1"), world.fault()) == ([], [], "")


def test_an_erasure_on_request_is_refused_while_held(world: World) -> None:
    closed(world)
    held(world, "i1")
    for fact in request_of(world.engine, world.config, IncidentId("i1"), "sue", "a letter of the caller"):
        with pytest.raises(CommandRefused, match="is held"):
            world.note(fact)
    world.whole_round()
    assert (world.files_of("i1"), len(world.notes_of("i1"))) == (FILES, 1)


def test_a_dry_run_tells_what_would_go_when_and_why(world: World) -> None:
    closed(world, "i1")
    closed(world, "i2", outcome="prank")
    closed(world, "i3", heard=False)
    closed(world, "i4")
    held(world, "i4")
    rules = [{"name": "prank", "days": 3, "outcomes": ["prank"]}, {"name": "silent", "days": 7, "silent": True}]
    world.set_retention({"days": 31, "rules": rules})
    found = schedule_of(world.engine, world.config, world.now_ns + 40 * DAY_NS)
    days = [(one.call, one.rule, (one.utc_ns - world.now_ns) // DAY_NS, one.held) for one in found]
    assert days == [
        ("i2.1", "prank", 3, ()),
        ("i3.1", "silent", 7, ()),
        ("i1.1", "default", 31, ()),
        ("i4.1", "default", 31, ("h1",)),
    ]
    assert world.facts("RecordingDeleted") == []
