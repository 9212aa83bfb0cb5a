"""The lists of calls and incidents: what the facts say, and the same when made anew."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from callserver.core import facts as f
from callserver.core.ids import CallId, IncidentId, LegId, OfferId, OperatorId, PartyId, PointId
from callserver.core.termination import By, Class, Termination
from callserver.store import queries, retained
from callserver.store.engine import read_only, writing
from callserver.store.journal import Entry, JournalWriter, read
from callserver.store.projections import rebuild
from callserver.store.schema import PROJECTIONS
from dialplans.model import Plan
from tests.eventually import eventually_sync
from tests.store.erased import erase_incident

NewWriter = Callable[..., JournalWriter]
NORMAL = Termination(Class.NORMAL, By.PARTY, "bye", 0)
PLAN = Plan("p", "Europe/London", {}, {}, {}, (), {}, {}, {})


def conditions() -> list[f.Fact]:
    """Two plans, two operators, two points, a trunk, two alarms."""
    anna = OperatorId("anna")
    return [
        f.PlanAdopted(1, "d1", dataclasses.replace(PLAN, name="old"), "x"),
        f.PlanAdopted(2, "d2", PLAN, "x"),
        f.SeatChanged(anna, True, "registered"),
        f.OperatorMoved(anna, "off", "available", "registered"),
        f.OperatorMoved(OperatorId("bert"), "off", "available", "registered"),
        f.PointChanged(PointId("north"), True, "registered"),
        f.PointChanged(PointId("south"), True, "registered"),
        f.PointChanged(PointId("south"), False, "expired"),
        f.TrunkChanged("city", False, "503"),
        f.AlarmRaised("trunk:city", "the trunk is gone"),
        f.AlarmRaised("disk", "full"),
        f.AlarmCleared("disk", "room again"),
    ]


def answered() -> list[f.Fact]:
    """Incident `a`: anna answers, gives an outcome, it is closed; its recording failed once."""
    a, call, point, seat = IncidentId("a"), CallId("a.1"), LegId("a.1.1"), LegId("a.1.2")
    anna = OperatorId("anna")
    return [
        f.IncidentOpened(a, PointId("north"), "main", 0, 2),
        f.CallOpened(call, a, PointId("north")),
        f.LegCreated(point, call, "point", "north", True),
        f.LegMoved(point, "arriving", "early", "adopted"),
        f.OfferMade(OfferId("a.1.o1"), call, (anna,), (seat,), 9, "free"),
        f.LegCreated(seat, call, "operator", "anna", False),
        f.IncidentRejoined(a, PointId("north"), "pressed again"),
        f.LegMoved(seat, "dialling", "up", "answered"),
        f.OfferEnded(OfferId("a.1.o1"), "accepted", "anna answered", anna),
        f.IncidentMoved(a, "waiting", "attended", "accepted", anna),
        f.CallMoved(call, "waiting", "talking", "anna"),
        f.LegMoved(point, "early", "up", "a person is there"),
        f.LegMoved(seat, "up", "ended", "hung up", NORMAL),
        f.LegMoved(point, "up", "ended", "hung up", NORMAL),
        f.CallMoved(call, "ending", "ended", "no leg is left"),
        f.OutcomeRecorded(a, "helped", "anna", "gave directions to Mrs Smith"),
        f.IncidentMoved(a, "attended", "closed", "helped"),
        f.RecordingFailed(call, "disk"),
    ]


def unanswered() -> list[f.Fact]:
    """Incident `b`: nobody is on duty, the police are busy, it waits."""
    b, police = IncidentId("b"), PartyId("police")
    return [
        f.IncidentOpened(b, PointId("south"), "main", 1, 2),
        f.CallOpened(CallId("b.1"), b, PointId("south")),
        f.LadderStepTaken(b, 1, "nobody is on duty"),
        f.LegCreated(LegId("b.1.1"), CallId("b.1"), "outside", "police", False, "sip:police@x"),
        f.RouteTried(b, police, 0, 1, LegId("b.1.1"), "step 1"),
        f.LegMoved(LegId("b.1.1"), "dialling", "ended", "busy", Termination(Class.REFUSED, By.PARTY, "Busy", 486)),
    ]


def a_day() -> list[f.Fact]:
    """Rows 1 to 12 are conditions, 13 to 30 incident `a`, the rest incident `b`."""
    return conditions() + answered() + unanswered()


@pytest.fixture
def lived(store: Engine, new_writer: NewWriter, tmp_path: Path) -> Engine:
    """The day journalled, one fact a second, seen by a reader."""
    writer = new_writer()
    writer.start()
    day = a_day()
    for n, fact in enumerate(day, 1):
        writer.append([Entry(f"f{n}", fact, n, n * 10**9, 1)]).result(10)
    return store


def utc(kind: type, which: int = 0) -> int:
    """When the fact of this kind number `which` was written."""
    return [n * 10**9 for n, fact in enumerate(a_day(), 1) if type(fact) is kind][which]


def tables(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr) for table in PROJECTIONS}


def test_a_call_is_told_with_its_times(lived: Engine) -> None:
    b1, a1 = queries.calls(lived)
    assert (b1.id, b1.state, b1.answered_utc_ns, b1.ended_utc_ns) == ("b.1", "waiting", None, None)
    assert a1 == queries.CallRow(
        number=14,
        id="a.1",
        incident="a",
        point="north",
        state="ended",
        reason="no leg is left",
        operator="anna",
        outcome="helped",
        started_utc_ns=14 * 10**9,
        answered_utc_ns=20 * 10**9,  # the operator's answer, not the point's 200
        ended_utc_ns=27 * 10**9,
        priority=0,
    )
    assert queries.call(lived, "a.1") == a1
    assert queries.call(lived, "a.2") is None
    assert queries.calls_of(lived, "a") == [a1]


def test_lists_are_newest_first_and_no_longer_than_asked(lived: Engine) -> None:
    assert [row.id for row in queries.calls(lived, limit=1)] == ["b.1"]
    assert [row.id for row in queries.incidents(lived)] == ["b", "a"]
    assert [row.id for row in queries.incidents(lived, limit=1)] == ["b"]
    assert [row.id for row in queries.incidents(lived, open_only=True)] == ["b"]


def test_an_incident_is_told(lived: Engine) -> None:
    a, b = queries.incident(lived, "a"), queries.incident(lived, "b")
    assert a is not None
    assert b is not None
    assert (a.state, a.presses, a.operator, a.outcome, a.outcome_by) == ("closed", 2, "anna", "helped", "anna")
    assert (a.opened_utc_ns, a.closed_utc_ns) == (utc(f.IncidentOpened), utc(f.IncidentMoved, 1))
    assert (b.state, b.step, b.priority, b.plan_version, b.closed_utc_ns) == ("waiting", 1, 1, 2, None)
    assert queries.incident(lived, "c") is None


def test_an_incident_has_the_class_and_queue_that_it_has_now(lived: Engine, new_writer: NewWriter) -> None:
    b = IncidentId("b")
    writer = new_writer()
    writer.start()
    writer.append([Entry("lower", f.IncidentReclassified(b, 1, 3, "by sue"), 0, 0, 1)]).result(10)
    writer.append([Entry("hand", f.IncidentHandedOver(b, "night", "long", "step 1: unanswered 30 s", "main"), 0, 0, 1)]).result(
        10
    )
    told = queries.incident(lived, "b")
    assert told is not None
    assert (told.priority, told.queue, told.step, told.state) == (3, "night", 0, "waiting")


def test_an_answering_machine_has_not_answered_a_call_and_whoever_takes_it_over_has_it(
    lived: Engine, new_writer: NewWriter
) -> None:
    machine, police, seat = LegId("b.1.2"), LegId("b.1.3"), LegId("b.1.4")
    writer = new_writer()
    writer.start()

    def happens(second: int, *facts: f.Fact) -> tuple[int | None, str | None]:
        for n, fact in enumerate(facts):
            writer.append([Entry(f"{second}.{n}", fact, 0, second * 10**9, 1)]).result(10)
        told = queries.call(lived, "b.1")
        assert told is not None
        return told.answered_utc_ns, told.operator

    for leg, second in ((machine, 70), (police, 80)):
        created = f.LegCreated(leg, CallId("b.1"), "outside", "police", False)
        assert happens(second, created, f.LegMoved(leg, "ringing", "up", "answered"), f.AcceptanceAwaited(leg, 0)) == (None, None)
    assert happens(85, f.LegAccepted(police, "1")) == (85 * 10**9, None)
    brought = f.LegCreated(seat, CallId("b.1"), "supervisor", "bob", False)
    assert happens(90, brought, f.LegMoved(seat, "ringing", "up", "answered")) == (85 * 10**9, None)
    taken = f.CallTaken(CallId("b.1"), seat, OperatorId("bob"), "joined")
    assert happens(95, taken) == (85 * 10**9, "bob")
    incident = queries.incident(lived, "b")
    assert incident is not None and incident.operator == "bob"
    assert [leg.role for leg in queries.legs_of(lived, "b.1") if leg.id == seat] == ["operator"]


def test_legs_have_their_ends(lived: Engine) -> None:
    point, seat = queries.legs_of(lived, "a.1")
    assert (point.role, point.inbound, point.answered_utc_ns, point.end_class) == ("point", True, utc(f.LegMoved, 2), "normal")
    assert (seat.role, seat.party, seat.answered_utc_ns) == ("operator", "anna", utc(f.LegMoved, 1))
    (outside,) = queries.legs_of(lived, "b.1")
    assert (
        outside.state,
        outside.end_class,
        outside.end_by,
        outside.end_reason,
        outside.end_status,
    ) == ("ended", "refused", "party", "Busy", 486)


def test_present_condition(lived: Engine) -> None:
    anna, bert = queries.operators(lived)
    assert (anna.id, anna.state, anna.reachable) == ("anna", "available", True)
    assert (bert.id, bert.state, bert.reachable) == ("bert", "available", None)
    assert {row.id: row.reachable for row in queries.points(lived)} == {"north": True, "south": False}
    assert [(row.id, row.reachable, row.reachable_why) for row in queries.trunks(lived)] == [("city", False, "503")]
    assert [queries.QueueRow("main", 1, utc(f.IncidentOpened, 1))] == queries.queues(lived)
    assert [queries.AlarmRow("trunk:city", "the trunk is gone", utc(f.AlarmRaised))] == queries.alarms(lived)
    assert queries.plan(lived) == (2, PLAN)
    counts = {"incidents": {"waiting": 1}, "calls": {"waiting": 1}, "operators": {"available": 2}}
    assert counts == queries.counts(lived)


def test_an_empty_store_answers_too(store: Engine) -> None:
    assert queries.plan(store) is None
    assert queries.recording(store, "a.1") is None
    lists = (queries.calls, queries.incidents, queries.operators, queries.points, queries.queues, queries.alarms)
    assert [ask(store) for ask in lists] == [[]] * 6
    assert queries.unfinished_recordings(store) == []


def test_timelines_have_the_facts_in_order_with_their_texts(lived: Engine) -> None:
    of_a = queries.timeline_of_incident(lived, "a")
    assert list(range(13, 31)) == [row.number for row in of_a]
    notes = [row.fact.note for row in of_a if isinstance(row.fact, f.OutcomeRecorded)]
    assert notes == ["gave directions to Mrs Smith"]
    of_call = queries.timeline_of_call(lived, "b.1")
    assert [row.number for row in of_call] == [31, 32, 33, 34, 35, 36]
    assert of_call[2].utc_ns == 33 * 10**9


def test_the_journal_is_paged_from_its_end(lived: Engine) -> None:
    last = len(a_day())
    assert list(range(last, 0, -1)) == [row.number for row in queries.journal_page(lived)]
    page = queries.journal_page(lived, limit=3, before=30)
    assert [row.number for row in page] == [29, 28, 27]
    assert page[1].fact.note == "gave directions to Mrs Smith"  # type: ignore[union-attr]


def test_a_call_waits_for_its_recording_until_it_is_made(lived: Engine, new_writer: NewWriter) -> None:
    assert queries.unfinished_recordings(lived) == ["a.1"]
    failed = queries.recording(lived, "a.1")
    assert failed is not None
    assert (failed.failures, failed.last_failure, failed.files) == (1, "disk", {})
    made = f.RecordingMade(CallId("a.1"), {"a.1/listen.flac": "00ff"}, {"a.1.1.1.cap": "ee"}, 7_000, 20, "good")
    writer = new_writer()
    writer.start()
    writer.append([Entry("made", made, 0, 0, 1)]).result(10)
    assert queries.unfinished_recordings(lived) == []
    expected = queries.RecordingRow("a.1", {"a.1/listen.flac": "00ff"}, {"a.1.1.1.cap": "ee"}, 7_000, 20, "good", 1, "disk")
    assert expected == queries.recording(lived, "a.1")


def test_rebuilding_gives_the_same(lived: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callserver.store.projections._BATCH_ROWS", 5)
    before = tables(lived)
    assert all(before[name] for name in ("incidents", "calls", "legs", "presence", "alarms", "plans", "recordings"))
    with writing(lived) as connection:
        connection.execute(text("UPDATE calls SET state = 'nonsense'"))
        connection.execute(text("DELETE FROM legs"))
        connection.execute(text("INSERT INTO alarms VALUES ('false', 'alarm', 0)"))
    assert before != tables(lived)
    assert len(a_day()) == rebuild(lived)
    assert before == tables(lived)


def test_rebuilding_while_facts_arrive_misses_none(
    lived: Engine, new_writer: NewWriter, settled: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer leaves projections alone until the rebuild has caught up, then goes on."""
    monkeypatch.setattr("callserver.store.projections._BATCH_ROWS", 5)
    writer = new_writer()
    writer.start()
    eventually_sync(settled, 5)
    late: list[int] = []

    def arrives(done: int) -> None:
        if len(late) < 3:
            late.extend(writer.append([Entry(f"late{done}", f.AlarmRaised(f"late{done}", "x"), 0, done, 1)]).result(10).numbers)

    assert len(a_day()) + 3 == rebuild(lived, arrives)
    writer.append([Entry("after", f.AlarmRaised("after", "x"), 0, 0, 1)]).result(10)
    live = tables(lived)
    assert {"after", "trunk:city", "late5", "late10", "late15"} == {row.key for row in queries.alarms(lived)}
    rebuild(lived)
    assert live == tables(lived)


def test_holds_and_deletions_are_listed(lived: Engine, new_writer: NewWriter, settled: Callable[[], bool]) -> None:
    writer = new_writer()
    writer.start()
    eventually_sync(settled, 5)
    a = IncidentId("a")
    facts: list[f.Fact] = [
        f.HoldPlaced("h1", a, "sue", 99, "asked"),
        f.HoldPlaced("h2", a, "paul", 7),
        f.HoldLifted("h1", a, "sue", "over"),
        f.RecordingDeleted(CallId("a.1"), ("a.1/call.flac",), ("a/a.1/1.cap",), "default", "retention"),
    ]
    writer.append([Entry(f"kept{n}", fact, n, 50 + n, 1) for n, fact in enumerate(facts)]).result(10)
    first, second = retained.holds(lived, a)
    assert (first.id, first.lifted_by, first.lifted_utc_ns, first.why) == ("h1", "sue", 52, "asked")
    assert (second.id, second.lifted_by, second.review_utc_ns, second.why) == ("h2", None, 7, "")
    assert [hold.id for hold in retained.standing(lived)] == ["h2"]
    gone = retained.deletion(lived, "a.1")
    assert gone is not None
    assert (gone.files, gone.captures, gone.rule, gone.deleted_utc_ns) == (("a.1/call.flac",), ("a/a.1/1.cap",), "default", 53)
    assert queries.unfinished_recordings(lived) == []


def test_no_erasable_text_is_copied(lived: Engine, tmp_path: Path) -> None:
    assert "Mrs Smith" not in repr(tables(lived))
    erase_incident(lived, "a")
    assert not [row for row in read(lived, texts=True) if "Mrs Smith" in repr(row.fact)]


def test_the_web_process_reads_without_writing(lived: Engine, tmp_path: Path) -> None:
    engine = read_only(tmp_path)
    assert [row.id for row in queries.calls(engine)] == ["b.1", "a.1"]
    engine.dispose()


def test_a_fact_about_nothing_is_harmless(store: Engine, new_writer: NewWriter) -> None:
    told: list[str] = []
    writer = new_writer(on_trouble=told.append)
    writer.start()
    stray = [fact for fact in a_day() if not isinstance(fact, f.IncidentOpened | f.CallOpened | f.LegCreated)]
    writer.append([Entry(f"s{n}", fact, 0, 0, 1) for n, fact in enumerate(stray)]).result(10)
    writer.close()
    assert told == []
