"""The sheet for the next shift in lines of text, for a terminal and for paper."""

from collections.abc import Iterable, Iterator

from callserver.control_handover import Handover, Listed
from callserver.web.times import rfc3339
from dialplans.model import Priority


def lines(sheet: Handover) -> Iterator[str]:
    """The whole sheet; each part says so where there is nothing."""
    yield f"Handover, {_time(sheet.made_utc_ns)}, plan {sheet.plan or '-'}"
    yield f"\nTo call back or to review: {sheet.listed}"
    for one in sheet.call_backs:
        yield from _listed(one, sheet.made_utc_ns)
    if sheet.listed > len(sheet.call_backs):
        yield f"  and {sheet.listed - len(sheet.call_backs)} more, which are newer"
    open_ones = (f"{one.place} ({one.point}), {one.state}, {one.operator or 'nobody yet'}, {one.id}" for one in sheet.others)
    yield from _part("Other open incidents", open_ones)
    yield from _part("On duty", (f"{one.name} ({one.id}), {one.state}" for one in sheet.on_duty))
    yield from _part("Points that cannot be reached", (f"{one.place} ({one.id})" for one in sheet.points))
    yield from _part("Trunks that cannot be reached", sheet.trunks)
    yield from _part("Alarms", (f"{one.text} [{one.key}]" for one in sheet.alarms))


def _listed(one: Listed, now_utc_ns: int) -> Iterator[str]:
    late = "!" if one.due_utc_ns <= now_utc_ns else " "
    owner = f"{one.owner_name} ({one.owner})" if one.owner else "NOBODY"
    seen = ", passed and not acknowledged" if one.acknowledge_by_utc_ns else ""
    what = "call back" if one.cause == "call-back" else "review"
    yield f"{late} {what}: {one.place} ({one.point}), {Priority(one.priority).name.lower()}, {one.id}"
    yield f"      owner {owner}{seen}; since {_time(one.since_utc_ns)}, due {_time(one.due_utc_ns)}"
    yield f"      {one.why}"
    for tried in one.attempts:
        yield f"      called {_time(tried.at_utc_ns)} by {tried.operator or 'an outside party'}: {tried.result or 'rings'}"


def _part(title: str, rows: Iterable[str]) -> Iterator[str]:
    found = list(rows)
    yield f"\n{title}: {len(found) or 'none'}"
    yield from (f"  {row}" for row in found)


def _time(utc_ns: int) -> str:
    """To the second."""
    return (rfc3339(utc_ns) or "-")[:19].replace("T", " ") + " UTC"
