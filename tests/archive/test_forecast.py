"""When a disk will be full: by its growth, the greatest of a day, three days and a week."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callserver.archive.forecast import GIB, HOUR_S, KEPT_S, Limits, Sample, bytes_per_hour, hours_left, kept, trouble

LIMITS = Limits(hours=72, percent=10)


def grown(*parts: tuple[float, float]) -> list[Sample]:
    """A sample an hour: (hours, bytes an hour) after each other."""
    samples = [Sample(0, 0)]
    for hours, rate in parts:
        for _ in range(round(hours)):
            samples.append(Sample(samples[-1].utc_s + HOUR_S, samples[-1].used + round(rate)))
    return samples


def test_nothing_is_foretold_in_the_first_hour() -> None:
    assert bytes_per_hour([]) is None
    assert bytes_per_hour([Sample(0, 0), Sample(HOUR_S - 1, 5)]) is None
    assert bytes_per_hour([Sample(0, 0), Sample(HOUR_S, 5)]) == 5


def test_an_even_growth_is_itself() -> None:
    assert bytes_per_hour(grown((200, 1_000))) == pytest.approx(1_000)


def test_neither_a_busy_day_nor_a_busy_week_is_hidden() -> None:
    assert bytes_per_hour(grown((144, 10), (24, 1_000))) == pytest.approx(1_000)
    assert bytes_per_hour(grown((144, 1_000), (24, 0))) == pytest.approx(1_000 * 144 / 168)


def test_a_disk_that_empties_or_stands_still_does_not_fill() -> None:
    for rate in (0, -500):
        assert hours_left(GIB, bytes_per_hour(grown((200, rate)))) is None


@given(st.integers(1, 10**9), st.integers(0, 10**13), st.integers(2, 300))
def test_hours_left_are_what_is_free_by_the_growth(rate: int, free: int, hours: int) -> None:
    assert hours_left(free, bytes_per_hour(grown((hours, rate)))) == pytest.approx(free / rate)


def test_samples_that_are_too_old_or_lie_ahead_are_forgotten() -> None:
    known = [Sample(1_000, 1), Sample(2_000, 2), Sample(9_000_000, 3)]
    assert kept(known, Sample(1_000 + KEPT_S + 1, 4)) == [Sample(2_000, 2), Sample(1_000 + KEPT_S + 1, 4)]
    assert kept(known, Sample(1_500, 5)) == [Sample(1_000, 1), Sample(1_500, 5)]  # the clock was set back


@pytest.mark.parametrize(
    ("free_gib", "rate_gib", "words"),
    [
        (500, 1.0, ""),
        (71, 1.0, "full in about 3 days: 71.0 GiB free, 1 GiB more each hour"),
        (20, 1.0, "full in about 20 hours"),
        (99, 0.0, "only 10 % free: 99.0 GiB"),
        (99, None, "only 10 % free"),
        (500, None, ""),
    ],
)
def test_an_alarm_rings_by_hours_and_by_per_cent(free_gib: float, rate_gib: float | None, words: str) -> None:
    rate = None if rate_gib is None else rate_gib * GIB
    text = trouble(["data", "captures"], round(free_gib * GIB), 1_000 * GIB, rate, LIMITS, False)
    assert (words in text) if words else text == ""
    assert text == "" or text.startswith("the disk of data and captures ")


def test_an_alarm_does_not_come_and_go_at_its_limit() -> None:
    asked = (["data"], 1_000 * GIB)

    def told(free_gib: float, rate_gib: float, raised: bool) -> bool:
        return bool(trouble(asked[0], round(free_gib * GIB), asked[1], rate_gib * GIB, LIMITS, raised))

    assert [told(80, 0, True), told(119, 0, True), told(121, 0, True)] == [True, True, False]
    assert [told(400, 4.7, True), told(400, 4.7, False)] == [True, False]
