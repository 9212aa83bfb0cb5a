"""Odd values in every place of a plan: the answer is a plan or faults that name their line, never a crash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplans.faults import PlanError
from dialplans.parse import parse
from tests.dialplans.test_plan_text import WHOLE
from tests.dialplans.whole import RICH, changed, faults_of, line_of

ODD = [
    "1",
    "-1",
    "1.5",
    "true",
    '""',
    '"x y"',
    '"1s"',
    "[]",
    "[1]",
    '["desk"]',
    "{}",
    '{ a = "b" }',
    "1979-05-27",
    "nan",
    "99999999999999999999",
]


@pytest.mark.parametrize("whole", [WHOLE, RICH], ids=["small", "rich"])
@given(at=st.integers(0, 10_000), value=st.sampled_from(ODD), drop=st.booleans())
def test_no_text_makes_anything_but_a_plan_or_faults(whole: str, at: int, value: str, drop: bool) -> None:
    """Any line's value replaced by an odd one, or the line left out."""
    lines = whole.splitlines()
    line = at % len(lines)
    key, equals, _ = lines[line].partition(" = ")
    lines[line] = "" if drop or not equals else f"{key} = {value}"
    try:
        assert parse("\n".join(lines), "plan.toml").points
    except PlanError as error:
        assert error.faults
        assert all(0 < fault.line <= len(lines) and fault.what and fault.instead for fault in error.faults)


SECTIONS_OF_A_PLAN = (
    "plan",
    "hours",
    "points",
    "groups",
    "queues",
    "ladders",
    "parties",
    "cameras",
    "nuisance",
    "notices",
    "texts",
)


@pytest.mark.parametrize("section", [*SECTIONS_OF_A_PLAN, "pauses", "codes", "outcomes", "trunks", "profiles", "operators"])
@pytest.mark.parametrize(
    "value", ["1", "[]", '"x"', "[1]", "{ x = 1 }", "{ x = {} }", "{ x = [] }", "{ x = [1] }", '{ "a b" = "c" }']
)
def test_a_section_of_any_other_shape_is_a_fault_not_a_crash(section: str, value: str) -> None:
    with pytest.raises(PlanError):
        parse(f"{section} = {value}\n", "plan.toml")


def test_faults_of_later_rows_keep_their_line_where_an_earlier_one_cannot_be_read() -> None:
    text = changed('after = "30s"\nring', "ring").replace('call = "police"', 'call = "army"')
    lines = {fault.what: fault.line for fault in faults_of(text)}
    assert lines["'army' is not in parties"] == line_of(text, "army")
