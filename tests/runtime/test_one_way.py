"""What workers tell of lines that go one way only, and what is told of it to the core."""

from callserver.media.protocol import Deaf, LegCounts, Strange
from callserver.runtime.one_way import AGAIN_NS, MOST_STILL, STILL_NS, OneWaySound

POINT, OPERATOR = "c.1", "c.2"
S = 1_000_000_000


def made() -> tuple[OneWaySound, list[tuple[str, str, str, bool]]]:
    """One, and what it told."""
    told: list[tuple[str, str, str, bool]] = []
    return OneWaySound(lambda *what: told.append(what)), told


def counts(point: int, operator: int) -> dict[str, LegCounts]:
    """Packets had from the engine for each."""
    return {leg: LegCounts(leg, 0, 0, 0, had, 0) for leg, had in ((POINT, point), (OPERATOR, operator))}


def test_a_device_that_does_not_hear_is_told_and_its_hearing_again() -> None:
    one, told = made()
    one.deaf(Deaf(POINT, "nobody listens"))
    assert one.trouble == {(POINT, "out"): "nobody listens"}
    one.deaf(Deaf(POINT, ""))
    assert told == [(POINT, "out", "nobody listens", False), (POINT, "out", "", False)] and one.trouble == {}


def test_the_end_is_told_of_what_a_predecessor_told_and_of_what_another_worker_cannot_know() -> None:
    """Else an alarm would ring for as long as the leg stands."""
    one, told = made()
    one.deaf(Deaf(POINT, ""))
    one.carried_anew(OPERATOR)
    assert told == [(POINT, "out", "", False), (OPERATOR, "out", "", False)]


def test_sound_from_elsewhere_is_told_of_a_silent_leg_alone() -> None:
    """A stranger beside the rightful source changes nothing; nor does what is refused for its shape."""
    one, told = made()
    foreign = Strange(POINT, "audio arrives from A, expected B", 50, foreign=True)
    one.strange(foreign, silent=False, now_ns=0)
    one.strange(Strange(POINT, "payload type 99 arrives", 50), silent=True, now_ns=0)
    assert told == []
    for second in range(25):
        one.strange(foreign, silent=True, now_ns=second * S)
    assert told == [(POINT, "in", foreign.what, False)] * 3 and AGAIN_NS == 10 * S
    one.sounding(POINT)
    assert told[3:] == [(POINT, "in", "", False)]


def test_a_leg_that_is_over_is_forgotten() -> None:
    one, told = made()
    one.deaf(Deaf(POINT, "why", reported=True))
    one.forget(POINT)
    assert told == [(POINT, "out", "why", True)] and one.trouble == {}


def test_an_engine_that_makes_no_sound_for_one_leg_is_noticed_after_two_seconds() -> None:
    one, _ = made()
    found = [one.still(counts(100, 50 * step), step * S // 10) for step in range(30)]
    first = next(step for step, leg in enumerate(found) if leg is not None)
    assert (found[first], first) == (POINT, STILL_NS * 10 // S)


def test_an_engine_that_stands_still_wholly_is_not_judged_here() -> None:
    """Beats judge it: a worker that hangs tells no counts, and the last ones stay as they were."""
    one, _ = made()
    assert [one.still(counts(100, 100), step * S // 10) for step in range(60)] == [None] * 60


def test_one_leg_costs_two_workers_at_most() -> None:
    """Whatever is wrong then is not the worker's fault, and the others' talk is not to be disturbed for ever."""
    one, _ = made()
    found = []
    for step in range(300):
        number = step % 25 if found else step
        if (leg := one.still(counts(1_000 + len(found), number + step), step * S // 10)) is not None:
            found.append(leg)
    assert found == [POINT] * MOST_STILL
