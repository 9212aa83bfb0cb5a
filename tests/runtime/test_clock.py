"""Instants never run backwards, whatever the wall clock and the anchor's file say."""

import time
from dataclasses import replace
from pathlib import Path

from callserver.runtime import clock

HOUR_NS = 3_600_000_000_000


def test_an_anchor_outlives_its_file_and_a_missing_one_is_none(tmp_path: Path) -> None:
    """Written whole or not at all."""
    anchor = clock.first_anchor(None)
    clock.save(tmp_path / "clock.json", anchor)
    assert clock.load(tmp_path / "clock.json") == anchor
    (tmp_path / "clock.json").write_text("{")
    assert clock.load(tmp_path / "clock.json") is None


def test_instants_go_on_over_a_restart_and_a_new_boot() -> None:
    """By boottime on the same boot, by UTC over a new one, never backwards when UTC stands in the past."""
    first = clock.first_anchor(None)
    again = clock.first_anchor(first)
    assert again.offset_ns == first.offset_ns and again.number == 2
    hour_ago = replace(first, boot="another", utc_ns=time.time_ns() - HOUR_NS)
    assert clock.first_anchor(hour_ago).now() - hour_ago.boottime_ns - hour_ago.offset_ns >= HOUR_NS
    ahead = replace(first, boot="another", utc_ns=time.time_ns() + HOUR_NS)
    assert clock.first_anchor(ahead).now() > ahead.boottime_ns + ahead.offset_ns


def test_no_instant_comes_before_the_journals_last() -> None:
    """And UTC of what is journalled from now on is true all the same."""
    anchor = clock.first_anchor(None)
    last = anchor.now() + HOUR_NS
    moved = clock.no_earlier(anchor, last)
    assert moved.now() >= last
    assert abs(moved.utc_of(moved.now()) - time.time_ns()) < 1_000_000_000
    assert clock.no_earlier(anchor, anchor.now() - HOUR_NS) == anchor


def test_a_step_of_the_wall_clock_makes_another_anchor() -> None:
    """With how far it was; instants are not touched."""
    anchor = clock.first_anchor(None)
    stepped = replace(anchor, utc_ns=anchor.utc_ns - HOUR_NS)
    assert stepped.departure_ms() > clock.STEP_MS
    following = clock.next_anchor(stepped)
    assert following.number == anchor.number + 1 and following.offset_ns == anchor.offset_ns
    assert abs(following.step_ms - 3_600_000) < 1_000 and abs(following.departure_ms()) < clock.STEP_MS
