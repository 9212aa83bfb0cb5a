"""Times of the site in a plan: its zone, days of the week, times of the day, holidays. See `dialplans.values`."""

import re
import zoneinfo
from datetime import date

from dialplans.values import Reader, Wrong, reader, text, whole

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = f"(?:{'|'.join(DAYS)})"
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"

_DAYS = re.compile(f"({DAY})(?:-({DAY}))?")
_CLOCK = re.compile(CLOCK, re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@reader(type="string", minLength=1)
def zone(value: object) -> str:
    """The name of a time zone."""
    try:
        return zoneinfo.ZoneInfo(text(value)).key
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError) as error:
        raise Wrong(f"{value!r} is no known time zone", 'Write a name such as "Europe/London"') from error


@reader(type="array", minItems=1, uniqueItems=True, items={"type": "string", "pattern": whole(f"{DAY}(?:-{DAY})?")})
def days(value: object) -> tuple[int, ...]:
    """Days of the week, one by one or from one to another, as numbers from Monday, 0."""
    if not isinstance(value, list) or not value:
        raise Wrong(f"{value!r} is no list of days", 'Write a list, such as ["mon-fri"] or ["sat", "sun"]')
    found: list[int] = []
    for each in value:
        match = _DAYS.fullmatch(each) if isinstance(each, str) else None
        if match is None:
            raise Wrong(f"{each!r} is no day", f'Write {", ".join(DAYS)}, or from one to another, such as "mon-fri"')
        first = DAYS.index(match[1])
        last = DAYS.index(match[2] or match[1])
        found += [(first + more) % 7 for more in range((last - first) % 7 + 1)]
    if len(set(found)) != len(found):
        raise Wrong(f"{value!r} names a day twice", "Name each day once")
    return tuple(sorted(found))


def clock(midnight_at_the_end: bool) -> Reader:
    """A time of the day in minutes; "24:00" is the midnight at its end, where that is allowed."""
    pattern = f"{CLOCK}|24:00" if midnight_at_the_end else CLOCK

    @reader(type="string", pattern=whole(pattern))
    def read(value: object) -> int:
        if midnight_at_the_end and value == "24:00":
            return 1440
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise Wrong(f"{value!r} is no time of the day", 'Write hours and minutes in quotes, such as "08:00" or "22:30"')
        return int(value[:2]) * 60 + int(value[3:])

    return read


@reader(type="array", uniqueItems=True, items={"type": "string", "format": "date", "pattern": whole(_DATE.pattern)})
def dates(value: object) -> tuple[str, ...]:
    """Different dates, in their order."""
    if not isinstance(value, list):
        raise Wrong(f"{value!r} is no list of dates", 'Write a list, such as ["2026-12-25", "2026-12-26"]')
    found = tuple(_date(each) for each in value)
    if len(set(found)) != len(found):
        raise Wrong(f"{value!r} names a date twice", "Name each once")
    return tuple(sorted(found))


def _date(value: object) -> str:
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise Wrong(f"'{value}' is no date ({error})", "Write a day that the calendar has") from error
    raise Wrong(f"{str(value)!r} is no date in quotes", 'Write year, month and day in quotes, such as "2026-12-25"')
