"""When something is open, by the clocks of the site: opening hours over weekdays, holidays and the nights when clocks change.

Hours are open whenever a clock on the site's wall shows a time within one of their spans. So in the hour that is
skipped in spring nothing is open or closed, and in the hour that comes twice in autumn a span counts both times; spans
that meet on the clock leave no gap and share no moment. A span belongs to the day on which it begins: the holiday that
closes it, or makes it, is that day.

Times are nanoseconds of UTC. Spans begin and end on whole minutes, so the answer holds for the whole minute.
"""

import datetime
import functools
import zoneinfo
from collections.abc import Iterator

from dialplans.model import Hours, Plan, Span

MINUTE_NS = 60_000_000_000
DAY_MIN = 1_440
AS_USUAL, CLOSED, ONLY = "as-usual", "closed", "only"
"""What `Span.holidays` may be."""

_DAY = datetime.timedelta(days=1)
_WEEKS_DAYS = 16  # two weeks and what reaches into them: what does not change in these changes on holidays alone
_REMEMBERED = 4_096


def is_open(plan: Plan, hours_id: str, utc_ns: int) -> bool:
    """Whether these hours of the plan are open at that moment; the id "" is always open."""
    return not hours_id or _is_open(plan.hours[hours_id], plan.holidays, plan.time_zone, utc_ns // MINUTE_NS)


def next_change(plan: Plan, hours_id: str, utc_ns: int) -> int | None:
    """The first moment after `utc_ns` at which these hours open or close; None when they never do."""
    if not hours_id:
        return None
    minute = _next_change(plan.hours[hours_id], plan.holidays, plan.time_zone, utc_ns // MINUTE_NS)
    return None if minute is None else minute * MINUTE_NS


def clock(plan: Plan, utc_ns: int) -> str:
    """What a clock on the site's wall shows at that moment, such as `14-05`."""
    return _local(plan.time_zone, utc_ns // MINUTE_NS).strftime("%H-%M")


def ladder_at(plan: Plan, queue_id: str, utc_ns: int) -> str:
    """The ladder of what comes to this queue at that moment: the first whose hours are open, else the queue's own."""
    queue = plan.queues[queue_id]
    return next((ladder for hours_id, ladder in queue.ladders if is_open(plan, hours_id, utc_ns)), queue.ladder)


def _local(zone: str, minute: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(minute * 60, zoneinfo.ZoneInfo(zone))


@functools.lru_cache(_REMEMBERED)
def _is_open(hours: Hours, holidays: tuple[str, ...], zone: str, minute: int) -> bool:
    local = _local(zone, minute)
    today, clock = local.date(), local.hour * 60 + local.minute
    return any(
        (span.from_min <= clock < _end(span) and _begins(span, today, holidays))
        or (clock + DAY_MIN < _end(span) and _begins(span, today - _DAY, holidays))
        for span in hours.spans
    )


def _end(span: Span) -> int:
    """The end of the span in minutes of the day on which it begins."""
    return span.until_min if span.until_min > span.from_min else span.until_min + DAY_MIN


def _begins(span: Span, day: datetime.date, holidays: tuple[str, ...]) -> bool:
    """Whether the span begins on that day."""
    holiday = day.isoformat() in holidays
    if span.holidays == ONLY:
        return holiday
    return day.weekday() in span.days and not (holiday and span.holidays == CLOSED)


@functools.lru_cache(_REMEMBERED)
def _next_change(hours: Hours, holidays: tuple[str, ...], zone: str, minute: int) -> int | None:
    present = _is_open(hours, holidays, zone, minute)
    for day in _days(_local(zone, minute).date(), holidays):
        for at in _moments(hours, zone, day):
            if at > minute and _is_open(hours, holidays, zone, at) is not present:
                return at
    return None


def _days(first: datetime.date, holidays: tuple[str, ...]) -> Iterator[datetime.date]:
    """The days on which a change must be looked for, in order: the next weeks, and those around later holidays."""
    soon = [first + number * _DAY for number in range(_WEEKS_DAYS)]
    yield from soon
    near = {datetime.date.fromisoformat(holiday) + number * _DAY for holiday in holidays for number in range(_WEEKS_DAYS)}
    yield from sorted(day for day in near if day > soon[-1])


def _moments(hours: Hours, zone: str, day: datetime.date) -> list[int]:
    """The UTC minutes of a local day at which something may open or close, in order."""
    clocks = {0} | {minute % DAY_MIN for span in hours.spans for minute in (span.from_min, span.until_min)}
    found = {_minute(zone, day, clock, fold) for clock in clocks for fold in (0, 1)}
    change = _clock_change(zone, day)
    return sorted(found if change is None else found | {change})


def _minute(zone: str, day: datetime.date, clock: int, fold: int = 0) -> int:
    """The UTC minute at which the clocks show this; `fold` 1: for the second time."""
    hour, minute = divmod(clock, 60)
    at = datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zoneinfo.ZoneInfo(zone), fold=fold)
    return int(at.timestamp()) // 60


def _clock_change(zone: str, day: datetime.date) -> int | None:
    """The UTC minute of that local day at which the clocks were changed."""
    before, after = _minute(zone, day - _DAY, 720), _minute(zone, day + _DAY, 720)
    offset = _local(zone, before).utcoffset()
    if _local(zone, after).utcoffset() == offset:
        return None
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _local(zone, middle).utcoffset() == offset else (before, middle)
    return after if _local(zone, after).date() == day else None
