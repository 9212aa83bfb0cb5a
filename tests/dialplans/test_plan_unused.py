"""What a plan may say and hardly means: a warning that says what to write instead, and no fault."""

import pytest

from dialplans.faults import Fault
from dialplans.parse import examine, parse
from dialplans.sources import gather
from tests.dialplans.whole import RICH, changed


def warnings_of(text: str) -> list[Fault]:
    return list(examine(gather("plan.toml", text, lambda path: ""))[1])


ODD = {
    "hours nobody uses": (
        "[[hours.office]]\ndays",
        '[[hours.noon]]\nfrom = "12:00"\nuntil = "13:00"\n[[hours.office]]\ndays',
        "'noon' of hours",
    ),
    "a text nobody hears": ('say = "police"\n', "", "'police' of texts"),
    "a camera nobody has": ('cameras = ["pier"]\n', "", "'pier' of cameras"),
    "a policy nobody has": ('nuisance = "pranks"\n', "", "'pranks' of nuisance"),
    "a notice nobody sends": ('"master", "system"', '"master"', "'system' of notices"),
    "a profile nobody has": ("[points.pier]", "[profiles.other]\n[points.pier]", "'other' of profiles"),
    "a tier's group that rings already": (
        'after = "10s"\ngroups = ["evening"]',
        'after = "10s"\ngroups = ["desk"]',
        "'desk' is rung before",
    ),
    "holidays that are missing": ('holidays = ["2027-01-01", "2026-12-25"]\n', "", "the plan has none"),
    "a code that another one begins": ('"*8" = "ladder"', '"*8" = "ladder"\n"*81" = "ask:desk"', "*8 acts before its end"),
    "a language that a text lacks": ('cy = "Arhoswch"\n', "", "text 'wait' has no 'cy'"),
}


@pytest.mark.parametrize("case", ODD)
def test_what_has_no_effect_is_a_warning_and_no_fault(case: str) -> None:
    old, new, what = ODD[case]
    found = warnings_of(changed(old, new))
    assert any(what in warning.what for warning in found), found
    assert all(warning.instead and warning.line > 0 for warning in found)


def test_a_code_may_begin_like_one_that_means_nothing_in_a_conversation() -> None:
    """Called as a number the two are apart, and pressed the shorter one is none."""
    text = changed('"*8" = "ladder"', '"*8" = "ladder"\n"*1" = "available"\n"*12" = "transfer:evening"\n"*121" = "pick-up"')
    assert warnings_of(text) == [] and parse(text, "plan.toml").codes["*12"] == "transfer:evening"


def test_a_plan_in_which_everything_is_used_has_no_warnings() -> None:
    assert warnings_of(RICH) == []
