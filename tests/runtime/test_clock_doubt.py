"""A clock that leaps is not believed for a day; one that goes on is."""

from pathlib import Path

from callserver.runtime.clock_doubt import DAY_NS, LEAP_NS, ClockDoubt

NOW = 20_000 * DAY_NS


def test_at_first_sight_it_waits_for_a_day_and_then_believes(tmp_path: Path) -> None:
    clock = ClockDoubt(tmp_path / "seen.json")
    assert clock.until(NOW) == NOW + DAY_NS
    assert clock.until(NOW + DAY_NS // 2) == NOW + DAY_NS
    assert clock.until(NOW + DAY_NS) <= NOW + DAY_NS


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    ClockDoubt(tmp_path / "seen.json").until(NOW)
    assert ClockDoubt(tmp_path / "seen.json").until(NOW + DAY_NS) == NOW + DAY_NS
    (tmp_path / "seen.json").write_text("torn")
    assert ClockDoubt(tmp_path / "seen.json").until(NOW + DAY_NS) == NOW + 2 * DAY_NS


def test_a_leap_is_doubted_and_a_step_is_not(tmp_path: Path) -> None:
    clock = ClockDoubt(tmp_path / "seen.json")
    clock.until(NOW)
    believed = NOW + DAY_NS
    assert clock.until(believed + 1) <= believed
    stepped = believed + 1 + LEAP_NS
    assert clock.until(stepped) <= believed
    leapt = stepped + LEAP_NS + 1
    assert clock.until(leapt) == leapt + DAY_NS


def test_a_clock_that_is_set_back_is_believed_again(tmp_path: Path) -> None:
    clock = ClockDoubt(tmp_path / "seen.json")
    clock.until(NOW)
    clock.until(NOW + DAY_NS)
    year = NOW + 365 * DAY_NS
    assert clock.until(year) == year + DAY_NS
    assert clock.until(NOW + DAY_NS + 1) == 0


def test_a_disk_that_takes_nothing_costs_the_memory_of_a_restart_only() -> None:
    clock = ClockDoubt(Path("/proc/none/seen.json"))
    assert clock.until(NOW) == NOW + DAY_NS
    assert clock.until(NOW + DAY_NS) == NOW + DAY_NS
