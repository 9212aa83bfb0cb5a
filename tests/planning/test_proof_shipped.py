"""The plans that come with the package: proven, with the worst times that docs/proof.md tells."""

import calendar
import re

import pytest

from callserver.planning.proof import prove
from callserver.planning.story import clock
from callserver.planning.verdict import PressClass, Worst
from dialplans.load import SHIPPED, shipped
from tests import sources

AUTUMN = calendar.timegm((2026, 11, 25, 9, 0, 0)) * 1_000_000_000


def told(worst: Worst | None) -> str:
    """A time as the document writes it."""
    assert worst is not None
    return clock(worst.ms)


def row(one: PressClass) -> tuple[str, ...]:
    """A class as a line of the document's table."""
    times = (one.first, one.last_resort, one.first_with_dead_lines, one.last_resort_with_dead_lines, one.quiet)
    return (one.name, str(len(one.points)), *(told(worst) for worst in times))


def documented(plan: str) -> list[tuple[str, ...]]:
    """The lines of the document's table for a plan."""
    body = sources.text("docs/proof.md").split(f"\n### {plan}\n")[1].split("\n#")[0]
    lines = [line for line in body.splitlines() if re.match(r"\| .*\d:\d\d", line)]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_plan_is_proven_with_the_times_of_the_document(name: str) -> None:
    """No hole; and each class of presses with its worst times, as written."""
    verdict = prove(shipped(name), AUTUMN)
    assert [hole.what for hole in verdict.holes] == []
    assert documented(name) == [row(one) for one in verdict.classes]
