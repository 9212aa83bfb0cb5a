"""Opening hours: by the clocks of the site, over midnight, holidays and the nights when clocks change."""

import datetime
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialplans import hours
from dialplans.hours import MINUTE_NS, is_open, ladder_at, next_change
from dialplans.model import Hours, Plan, Span
from tests.core.plans import plan, with_queue

LONDON = zoneinfo.ZoneInfo("Europe/London")
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
NIGHT = Hours("night", (Span(EVERY_DAY, 22 * 60, 6 * 60),))
DAY = Hours("day", (Span(EVERY_DAY, 6 * 60, 22 * 60),))
OFFICE = Hours("office", (Span((0, 1, 2, 3, 4), 9 * 60, 17 * 60, "closed"),))
ALWAYS = Hours("always", (Span(EVERY_DAY),))
HOLIDAYS = ("2026-12-25", "2026-12-28")
BANK = Hours("bank", (Span((), 10 * 60, 16 * 60, "only"),))
CLOCKS_GO_ON = datetime.date(2026, 3, 29)  # 01:00 becomes 02:00
CLOCKS_GO_BACK = datetime.date(2026, 10, 25)  # 02:00 becomes 01:00


def with_hours(*known: Hours, holidays: tuple[str, ...] = HOLIDAYS, zone: str = "Europe/London") -> Plan:
    return plan(hours={one.id: one for one in known}, holidays=holidays, time_zone=zone)


PLAN = with_hours(NIGHT, DAY, OFFICE, ALWAYS, BANK)


def london(text: str, fold: int = 0) -> int:
    """UTC nanoseconds of a time on London's clocks; `fold` 1: the second time."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=LONDON, fold=fold).timestamp()) * 10**9


def shown(utc_ns: int | None) -> str:
    """What London's clocks show."""
    assert utc_ns is not None
    return datetime.datetime.fromtimestamp(utc_ns / 10**9, LONDON).isoformat(timespec="minutes")


def test_no_hours_are_always_open_and_never_change() -> None:
    assert is_open(PLAN, "", 0)
    assert next_change(PLAN, "", 0) is None


def test_a_span_holds_its_first_minute_and_not_its_last() -> None:
    assert not is_open(PLAN, "office", london("2026-06-01T09:00") - 1)
    assert is_open(PLAN, "office", london("2026-06-01T09:00"))
    assert is_open(PLAN, "office", london("2026-06-01T17:00") - 1)
    assert not is_open(PLAN, "office", london("2026-06-01T17:00"))


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = with_hours(Hours("night", (Span((4,), 22 * 60, 6 * 60),)))
    assert not is_open(friday_night, "night", london("2026-06-05T05:00"))  # Friday morning
    assert is_open(friday_night, "night", london("2026-06-05T23:00"))
    assert is_open(friday_night, "night", london("2026-06-06T05:59"))
    assert not is_open(friday_night, "night", london("2026-06-06T06:00"))
    assert not is_open(friday_night, "night", london("2026-06-06T23:00"))


def test_a_whole_day_ends_where_the_next_begins() -> None:
    assert next_change(PLAN, "always", london("2026-06-05T12:00")) is None
    weekend = with_hours(Hours("weekend", (Span((5, 6)),)))
    assert shown(next_change(weekend, "weekend", london("2026-06-05T12:00"))) == "2026-06-06T00:00+01:00"
    assert shown(next_change(weekend, "weekend", london("2026-06-06T00:00"))) == "2026-06-08T00:00+01:00"


def test_holidays_close_a_span_or_are_its_only_days() -> None:
    assert not is_open(PLAN, "office", london("2026-12-25T10:00"))  # a Friday
    assert is_open(PLAN, "bank", london("2026-12-25T10:00"))
    assert not is_open(PLAN, "bank", london("2026-12-24T10:00"))
    assert is_open(PLAN, "day", london("2026-12-25T10:00"))
    assert shown(next_change(PLAN, "office", london("2026-12-24T17:00"))) == "2026-12-29T09:00+00:00"


def test_a_holiday_months_away_is_found_and_after_the_last_there_is_none() -> None:
    assert shown(next_change(PLAN, "bank", london("2026-01-01T00:00"))) == "2026-12-25T10:00+00:00"
    assert next_change(PLAN, "bank", london("2026-12-28T16:00")) is None


def test_a_span_that_begins_on_a_holiday_lasts_into_the_next_day() -> None:
    nights = with_hours(Hours("night", (Span(EVERY_DAY, 22 * 60, 6 * 60, "closed"),)))
    assert is_open(nights, "night", london("2026-12-25T05:00"))  # begun on the 24th
    assert not is_open(nights, "night", london("2026-12-26T05:00"))
    assert is_open(nights, "night", london("2026-12-26T22:00"))


def test_the_night_that_loses_an_hour_is_seven_hours_long() -> None:
    opens = next_change(PLAN, "night", london("2026-03-28T12:00"))
    assert shown(opens) == "2026-03-28T22:00+00:00"
    assert opens is not None
    closes = next_change(PLAN, "night", opens)
    assert closes is not None
    assert closes - opens == 7 * 60 * MINUTE_NS


def test_the_night_that_wins_an_hour_is_nine_hours_long() -> None:
    opens = london("2026-10-24T22:00")
    closes = next_change(PLAN, "night", opens)
    assert closes is not None
    assert closes - opens == 9 * 60 * MINUTE_NS
    assert is_open(PLAN, "night", london("2026-10-25T01:30"))
    assert is_open(PLAN, "night", london("2026-10-25T01:30", fold=1))


def test_a_span_in_the_hour_that_comes_twice_is_open_twice() -> None:
    early = with_hours(Hours("early", (Span(EVERY_DAY, 75, 90),)))
    at = london("2026-10-25T00:00")
    changes = []
    for _ in range(4):
        found = next_change(early, "early", at)
        assert found is not None
        changes.append(shown(found))
        at = found
    assert changes == ["2026-10-25T01:15+01:00", "2026-10-25T01:30+01:00", "2026-10-25T01:15+00:00", "2026-10-25T01:30+00:00"]


def test_a_span_in_the_hour_that_is_skipped_comes_the_next_day() -> None:
    early = with_hours(Hours("early", (Span(EVERY_DAY, 75, 90),)))
    assert shown(next_change(early, "early", london("2026-03-29T00:00"))) == "2026-03-30T01:15+01:00"


def test_a_boundary_that_is_skipped_takes_effect_when_the_clocks_change() -> None:
    half_past = with_hours(Hours("half", (Span(EVERY_DAY, 0, 90),)))
    assert shown(next_change(half_past, "half", london("2026-03-29T00:00"))) == "2026-03-29T02:00+01:00"


def test_the_ladder_is_the_first_whose_hours_are_open() -> None:
    made = with_queue(PLAN, "help", ladders=(("bank", "short"), ("night", "ladder"), ("always", "short")), ladder="ladder")
    assert ladder_at(made, "help", london("2026-06-05T23:00")) == "ladder"
    assert ladder_at(made, "help", london("2026-06-05T12:00")) == "short"
    assert ladder_at(made, "none", london("2026-06-05T12:00")) == "short"


MINUTES = st.integers(0, 1_439)
SPANS = st.builds(
    Span,
    st.frozensets(st.integers(0, 6)).map(lambda days: tuple(sorted(days))),
    MINUTES,
    st.integers(0, 1_440),
    st.sampled_from([hours.AS_USUAL, hours.CLOSED, hours.ONLY]),
)
SOME_HOURS = st.lists(SPANS, max_size=3).map(lambda spans: Hours("some", tuple(spans)))
NEAR_DAYS = st.sampled_from([CLOCKS_GO_ON, CLOCKS_GO_BACK, datetime.date(2026, 12, 31), datetime.date(2026, 6, 3)])


def by_hand(known: Hours, holidays: tuple[str, ...], zone: zoneinfo.ZoneInfo, minute: int) -> bool:
    """The definition: lay the span's minutes out on the clock, one after the other, from the day on which it begins."""
    shows = datetime.datetime.fromtimestamp(minute * 60, datetime.UTC).astimezone(zone).replace(tzinfo=None)
    for span in known.spans:
        length = (span.until_min - span.from_min) % 1_440 or 1_440
        for back in (0, 1):
            day = datetime.datetime(shows.year, shows.month, shows.day) - datetime.timedelta(days=back)
            holiday = day.strftime("%Y-%m-%d") in holidays
            if {"only": holiday, "closed": day.weekday() in span.days and not holiday}.get(
                span.holidays, day.weekday() in span.days
            ):
                since = (shows - day) // datetime.timedelta(minutes=1) - span.from_min
                if 0 <= since < length:
                    return True
    return False


@settings(max_examples=40, deadline=None)
@given(SOME_HOURS, NEAR_DAYS, st.lists(st.integers(-3, 4), max_size=2), st.sampled_from(["Europe/London", "America/Sao_Paulo"]))
def test_every_minute_of_three_days_is_as_the_definition_says(
    known: Hours, day: datetime.date, days_off: list[int], zone: str
) -> None:
    """And `next_change` names exactly the minutes at which the answer turns."""
    if zone == "America/Sao_Paulo":
        day = datetime.date(2018, 11, 4)  # midnight is skipped
    holidays = tuple((day + datetime.timedelta(days=number)).isoformat() for number in days_off)
    made = with_hours(known, holidays=holidays, zone=zone)
    noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=zoneinfo.ZoneInfo(zone))
    first = int(noon.timestamp()) // 60 - 2_160
    answers = [by_hand(known, holidays, zoneinfo.ZoneInfo(zone), minute) for minute in range(first, first + 4_320)]
    assert [is_open(made, "some", (first + number) * MINUTE_NS) for number in range(4_320)] == answers
    turns = [first + number for number in range(1, 4_320) if answers[number] != answers[number - 1]]
    at, found = first, []
    while (change := next_change(made, "some", at * MINUTE_NS + 59)) is not None and change < (first + 4_320) * MINUTE_NS:
        at = change // MINUTE_NS
        found.append(at)
    assert found == turns


@given(SOME_HOURS, st.lists(st.dates(datetime.date(2026, 1, 1), datetime.date(2027, 6, 1)), max_size=4), st.integers(0, 500_000))
@settings(max_examples=60, deadline=None)
def test_nothing_changes_before_the_next_change_over_two_years(known: Hours, days_off: list[datetime.date], past: int) -> None:
    """Looked at in steps of a quarter of an hour, with spans on quarters; the last answer is as final as it says."""
    quarters = Hours(
        "some", tuple(Span(one.days, one.from_min // 15 * 15, one.until_min // 15 * 15, one.holidays) for one in known.spans)
    )
    holidays = tuple(day.isoformat() for day in days_off)
    made = with_hours(quarters, holidays=holidays)
    start = (london("2026-01-01T00:00") // MINUTE_NS + past) // 15 * 15
    change = next_change(made, "some", start * MINUTE_NS)
    end = london("2028-01-01T00:00") // MINUTE_NS if change is None else change // MINUTE_NS
    present = is_open(made, "some", start * MINUTE_NS)
    step = max(15, (end - start) // 2_000 // 15 * 15)
    assert all(is_open(made, "some", minute * MINUTE_NS) is present for minute in range(start, end, step))
    assert change is None or is_open(made, "some", change) is not present


@pytest.mark.parametrize("day", [CLOCKS_GO_ON, CLOCKS_GO_BACK])
def test_spans_that_meet_on_the_clock_leave_no_gap_and_share_no_moment(day: datetime.date) -> None:
    parts = with_hours(Hours("a", (Span(EVERY_DAY, 90, 1_380),)), Hours("b", (Span(EVERY_DAY, 1_380, 90),)))
    first = london(f"{day - datetime.timedelta(days=1)}T12:00") // MINUTE_NS
    for minute in range(first, first + 2_880):
        assert is_open(parts, "a", minute * MINUTE_NS) is not is_open(parts, "b", minute * MINUTE_NS)
