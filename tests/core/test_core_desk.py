"""The auditor's desk: four eyes, how long an approval counts, the month of a request for access."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from callserver.core import desk as desks
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core.ids import IncidentId
from tests.core.driver import Driver

I = IncidentId("i1")  # noqa: E741
HOUR, DAY = 3_600_000_000_000, desks.DAY_NS


def asked(what: str = "pack", four_eyes: bool = False, by: str = "olive") -> f.ExportAsked:
    return f.ExportAsked("e1", I, what, by, "the police ask", "" if what == "pack" else "i1.1", four_eyes=four_eyes)


def export(*rows: tuple[int, f.Fact]) -> desks.Export:
    return desks.desk(rows).exports["e1"]


def test_without_four_eyes_an_export_is_made_at_once() -> None:
    assert export((0, asked())).state(HOUR, False) == desks.QUEUED
    assert export((0, asked("recording"))).state(HOUR, False) == desks.READY


@pytest.mark.parametrize("what", desks.WHATS)
def test_with_four_eyes_it_waits_for_another_person(what: str) -> None:
    rows: list[tuple[int, f.Fact]] = [(0, asked(what, True))]
    assert export(*rows).state(HOUR, False) == desks.WAITING  # though the site has changed its mind since
    rows.append((HOUR, f.ExportApproved("e1", I, "paul")))
    assert export(*rows).state(2 * HOUR, True) in (desks.QUEUED, desks.READY)
    assert export(*rows).approved_by == "paul"


def test_what_was_asked_for_before_four_eyes_came_waits_as_well() -> None:
    assert export((0, asked())).state(HOUR, True) == desks.WAITING


@pytest.mark.parametrize("by", ["olive", "Olive", "command line (olive)"])
def test_nobody_approves_what_they_asked_for_whatever_they_call_themselves(by: str) -> None:
    found = export((0, asked(four_eyes=True)), (HOUR, f.ExportApproved("e1", I, by)))
    assert (found.approved_by, found.state(2 * HOUR, True)) == ("", desks.WAITING)
    assert "cannot approve" in desks.objection(found, by, HOUR)


def test_the_second_pair_of_eyes_comes_within_a_day() -> None:
    assert export((0, asked(four_eyes=True))).state(DAY, True) == desks.EXPIRED
    late = export((0, asked(four_eyes=True)), (DAY, f.ExportApproved("e1", I, "paul")))
    assert (late.approved_by, late.state(DAY + 1, True)) == ("", desks.EXPIRED)
    assert "ask for it anew" in desks.objection(late, "paul", DAY)


def test_an_approval_counts_for_a_day_and_what_was_made_is_there_for_a_day() -> None:
    rows: list[tuple[int, f.Fact]] = [(0, asked(four_eyes=True)), (HOUR, f.ExportApproved("e1", I, "paul"))]
    assert export(*rows).state(HOUR + DAY - 1, True) == desks.QUEUED
    assert export(*rows).state(HOUR + DAY, True) == desks.EXPIRED
    rows.append((2 * HOUR, f.PackMade("e1", I, "d" * 64, 5, "olive", "why")))
    assert (export(*rows).state(2 * HOUR + DAY - 1, True), export(*rows).digest) == (desks.READY, "d" * 64)
    assert export(*rows).state(2 * HOUR + DAY, True) == desks.EXPIRED


def test_a_redaction_stays() -> None:
    made = f.RedactionMade("e1", I, "i1.1", {}, {"i1.1/redacted-e1-call.flac": "a" * 64}, (), "point", "tone", "olive", "why")
    found = desks.desk([(0, asked("redaction")), (HOUR, made)])
    assert found.exports["e1"].state(100 * DAY, False) == desks.READY
    assert found.redactions_of("i1.1") == [made]


def test_what_failed_stays_failed() -> None:
    assert export((0, asked()), (1, f.ExportFailed("e1", I, "no key"))).state(HOUR, False) == desks.FAILED


def test_no_order_of_facts_lets_one_person_through_alone() -> None:
    """Random rows: as long as nobody but the asker approves within the day, nothing is ever made or given out."""
    for seed in range(300):
        draw = random.Random(seed)
        rows: list[tuple[int, f.Fact]] = [(0, asked(draw.choice(desks.WHATS), True))]
        for _ in range(draw.randrange(6)):
            at = draw.randrange(2 * DAY)
            late = (DAY + at, f.ExportApproved("e1", I, "paul"))
            own = (at, f.ExportApproved("e1", I, draw.choice(["olive", "OLIVE", "command line (olive)"])))
            again = (at, f.ExportAsked("e1", I, "pack", "paul", "mine", four_eyes=False))
            choices: list[tuple[int, f.Fact]] = [late, own, again, (at, f.ExportApproved("e2", I, "paul"))]
            rows.append(draw.choice(choices))
        assert export(*rows).state(draw.randrange(3 * DAY), True) in (desks.WAITING, desks.EXPIRED), seed


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("received", "zone", "due"),
    [
        ("2026-03-05T10:30:00", "UTC", "2026-04-05T23:59:59"),
        ("2026-01-31T10:30:00", "UTC", "2026-02-28T23:59:59"),
        ("2028-01-30T00:00:00", "UTC", "2028-02-29T23:59:59"),
        ("2026-12-31T23:59:59", "UTC", "2027-01-31T23:59:59"),
        ("2026-02-28T12:00:00", "UTC", "2026-03-28T23:59:59"),
        ("2026-01-30T23:30:00", "Europe/Berlin", "2026-02-28T22:59:59"),  # half past midnight on the 31st: not on 1 March
        ("2026-03-30T22:30:00", "Europe/Berlin", "2026-04-30T21:59:59"),
        ("2026-02-28T12:00:00", "Europe/London", "2026-03-28T23:59:59"),  # the day before the clocks change
        ("2026-02-28T12:00:00", "Europe/Berlin", "2026-03-28T22:59:59"),
        ("2026-09-25T12:00:00", "Europe/London", "2026-10-25T23:59:59"),  # the day that has an hour more
    ],
)
def test_a_request_is_due_at_the_end_of_the_same_day_of_the_next_month_where_it_came(received: str, zone: str, due: str) -> None:
    assert desks.due(utc(received), ZoneInfo(zone)) == utc(due)


def test_a_request_rings_a_week_before_it_is_due_and_until_it_is_answered() -> None:
    due = utc("2026-04-05T10:30:00")
    question = f.AccessAsked("a1", utc("2026-03-05T10:30:00"), due, "Jane Doe", "olive")
    (access,) = desks.desk([(0, question)]).access.values()
    assert access.alarm(due - 7 * DAY - 1) == ""
    assert access.alarm(due - 7 * DAY) == "the request for access a1 is due by 2026-04-05, 10:30 UTC, and is not answered"
    assert access.alarm(due) == "the request for access a1 was due by 2026-04-05, 10:30 UTC, and is not answered"
    (answered,) = desks.desk([(0, question), (5, f.AccessAnswered("a1", "given", "", "olive"))]).access.values()
    assert answered.alarm(due + DAY) == ""


def test_the_register_keeps_what_was_first_entered() -> None:
    first = f.DisclosureMade("d1", I, "pack e1", "d" * 64, "the police", "court order", "a theft", "olive")
    again = f.DisclosureMade("d1", I, "nothing", "", "nobody", "", "", "paul")
    assert desks.desk([(1, first), (2, again)]).disclosures["d1"].fact == first


def test_facts_of_the_desk_come_by_a_note_and_change_no_decision() -> None:
    driver = Driver()
    facts: list[f.Fact] = [asked(), f.ExportApproved("e1", I, "paul"), f.AccessAsked("a1", 1, 2, "Jane", "olive")]
    for number, fact in enumerate(facts):
        driver.do(ev.Noted(fact, f"desk:{number}"))
        assert driver.facts == [fact]
