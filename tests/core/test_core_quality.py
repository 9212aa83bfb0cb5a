"""The quality sample: months of a place, the draw and its fairness, the sheet and the means."""

import hashlib
from collections import Counter
from datetime import UTC, datetime

import pytest

from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core import quality as q
from callserver.core.ids import CallId
from tests.core.driver import Driver

SECOND = 1_000_000_000
C = CallId("i1.1")


def seed_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def order_of(seed: str, calls: list[str]) -> list[str]:
    return [call for _digest, call in sorted(q.ordered(seed, [("olive", call) for call in calls])["olive"])]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def test_a_month_begins_by_the_clocks_of_the_place() -> None:
    assert q.begin_of("2026-11", "Europe/London") == utc("2026-11-01T00:00:00")
    assert q.begin_of("2026-07", "Europe/London") == utc("2026-06-30T23:00:00")
    assert q.month_of(utc("2026-06-30T23:00:00"), "Europe/London") == "2026-07"
    assert q.month_of(utc("2026-06-30T22:59:59"), "Europe/London") == "2026-06"


def test_months_follow_one_another_over_the_turn_of_a_year() -> None:
    assert [q.neighbour("2026-12", 1), q.neighbour("2027-01", -1), q.neighbour("2026-03", -13)] == [
        "2027-01",
        "2026-12",
        "2025-02",
    ]


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "2026_11", "²026-11"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        q.begin_of(text, "UTC")


def test_the_order_is_that_of_the_hash_which_anybody_computes() -> None:
    calls = [f"i{n}.1" for n in range(50)]
    by_hand = sorted(calls, key=lambda call: hashlib.sha256(f"{seed_of(1)}|{call}".encode()).hexdigest())
    assert order_of(seed_of(1), calls) == by_hand
    assert order_of(seed_of(1), calls[::-1]) == by_hand  # nor does it matter how they are told
    assert order_of(seed_of(2), calls) != by_hand


def test_each_operator_is_drawn_apart() -> None:
    found = q.ordered(seed_of(1), [("olive", "i1.1"), ("paul", "i2.1"), ("olive", "i3.1")])
    assert {operator: {call for _, call in order} for operator, order in found.items()} == {
        "olive": {"i1.1", "i3.1"},
        "paul": {"i2.1"},
    }


def test_every_pair_of_calls_is_drawn_equally_often() -> None:
    """Chi-square over all pairs of 12 calls, 65 degrees of freedom: 121 is passed once in 40,000 fair draws."""
    calls = [f"261101-{n:02d}0000-abcdef.1" for n in range(12)]
    pairs = Counter(frozenset(order_of(seed_of(n), calls)[:2]) for n in range(13_200))
    assert len(pairs) == 66
    assert sum((seen - 200) ** 2 / 200 for seen in pairs.values()) < 121


def test_a_call_without_sound_is_passed_over_and_told() -> None:
    chosen = q.chosen(["a", "b", "c", "d"], 2, {"a", "c"}, ())
    assert (chosen.drawn, chosen.passed, chosen.short) == (("b", "d"), ("a", "c"), False)


def test_what_is_gone_behind_the_last_one_drawn_is_nobodys_matter() -> None:
    assert q.chosen(["a", "b", "c"], 2, {"c"}, ()).passed == ()


def test_a_call_that_was_scored_stays_drawn_when_its_sound_goes() -> None:
    assert q.chosen(["a", "b", "c"], 2, {"a"}, {"a"}).drawn == ("a", "b")


def test_one_that_was_scored_in_the_place_of_another_stays_too() -> None:
    """`a` was thought gone when `c` was drawn and scored."""
    assert q.chosen(["a", "b", "c"], 2, (), {"c"}).drawn == ("a", "b", "c")


def test_too_few_calls_are_all_drawn_and_said_to_be_few() -> None:
    chosen = q.chosen(["a"], 2, (), ())
    assert (chosen.drawn, chosen.short) == (("a",), True)


@pytest.mark.parametrize("by", ["olive", "Olive", "command line (olive)"])
def test_nobody_judges_their_own_call(by: str) -> None:
    assert "does not judge it" in q.objection(by, {"paul", "olive"})
    assert q.objection(by, {"paul"}) == ""


def test_points_fit_the_sheet() -> None:
    most = {"calm": 2, "place": 1}
    assert q.fault_of({"calm": 2}, most) == ""
    assert "no criterion has points" in q.fault_of({}, most)
    assert "from 0 to 1" in q.fault_of({"place": 2}, most)
    assert "from 0 to 2" in q.fault_of({"calm": -1}, most)
    assert "no criterion 'speed'" in q.fault_of({"speed": 1}, most)


def test_the_last_sheet_counts_and_each_criterion_says_over_how_many_calls() -> None:
    def sheet(call: str, **scores: int) -> q.Sheet:
        return q.Sheet(f.CallScored(CallId(call), "2026-11", "sue", scores, {"calm": 2, "place": 4}), 0)

    sheets = {"a": [sheet("a", calm=0, place=0), sheet("a", calm=2, place=1)], "b": [sheet("b", calm=1)]}
    olive, paul = q.report([q.OfOperator("olive", 9, ("a", "b", "c"), ("d",)), q.OfOperator("paul", 1)], sheets)
    assert (olive.answered, olive.drawn, olive.scored, olive.passed) == (9, 3, 2, 1)
    assert olive.means == {"calm": q.Mean(0.75, 2), "place": q.Mean(0.25, 1)}
    assert (paul.scored, paul.means) == (0, {})


def test_the_core_journals_what_it_is_told_of_the_sample_and_nothing_else_changes() -> None:
    driver = Driver()
    facts: tuple[f.Fact, ...] = (
        f.SampleSeeded("2026-11", "UTC", 5, seed_of(1), 2),
        f.CallScored(C, "2026-11", "sue", {"calm": 2}, {"calm": 2}, "well done"),
    )
    for number, fact in enumerate(facts):
        driver.do(ev.Noted(fact, f"n{number}"))
        assert driver.facts == [fact]
