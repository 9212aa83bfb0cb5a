"""The supervisor's questions to the switchboard: when it asks, when it alarms, when it kills, and when it must not."""

import pytest

from callserver.runtime.heartbeat import ASK_EVERY_NS, Heartbeat, Verdict

S = 1_000_000_000


class Watched:
    """A heartbeat driven through time."""

    def __init__(self) -> None:
        self.beat = Heartbeat()
        self.now_ns = 100 * S
        self.beat.begin(self.now_ns)

    def pass_time(self, seconds: float, answers_after: int | None = 0) -> list[Verdict]:
        """The verdicts on the way; each question is answered at the beat so many later, or not at all."""
        until, found = self.now_ns + int(seconds * S), []
        while self.beat.next_ns and self.beat.next_ns <= until:
            self.now_ns = self.beat.next_ns
            found.append(self.beat.on_time(self.now_ns))
            if answers_after is not None and self.beat.number > answers_after:
                self.beat.answered(self.beat.number - answers_after)
        self.now_ns = until
        return found


def test_one_that_answers_is_asked_and_left_alone() -> None:
    found = Watched().pass_time(60)
    assert found == [Verdict.ASK] * 120


def test_one_that_answers_late_every_time_is_left_alone() -> None:
    """Always a second and a half behind: slow is not dead."""
    watched = Watched()
    watched.pass_time(5)
    assert set(watched.pass_time(60, answers_after=3)) == {Verdict.ASK}


def test_one_that_falls_silent_is_told_of_after_two_seconds_and_killed_after_five() -> None:
    watched = Watched()
    watched.pass_time(10)
    began = watched.now_ns
    verdicts = []
    while Verdict.KILL not in verdicts:
        verdicts += watched.pass_time(0.5, answers_after=None)
        if verdicts[-1] is Verdict.ALARM:
            assert 2 * S <= watched.now_ns - began <= 2.6 * S
            assert watched.beat.silent()
    assert verdicts.count(Verdict.ALARM) == 1
    assert 5 * S <= watched.now_ns - began <= 5.6 * S


def test_one_that_comes_back_is_not_killed() -> None:
    """The trouble is over with its answer; the next silence is another one."""
    watched = Watched()
    watched.pass_time(10)
    assert Verdict.ALARM in watched.pass_time(4, answers_after=None)
    watched.beat.answered(watched.beat.number)
    assert not watched.beat.silent()
    assert set(watched.pass_time(4)) == {Verdict.ASK}


def test_one_that_starts_is_asked_once_and_waited_for() -> None:
    """A long journal is folded; questions must not fill the link meanwhile."""
    watched = Watched()
    found = watched.pass_time(300, answers_after=None)
    assert found[0] is Verdict.ASK and set(found[1:]) == {Verdict.NOTHING}
    watched.beat.answered(watched.beat.number)
    assert set(watched.pass_time(10)) == {Verdict.ASK}


def test_our_own_standstill_is_not_the_other_s_silence() -> None:
    """The machine was suspended for an hour between two beats."""
    watched = Watched()
    watched.pass_time(10)
    watched.pass_time(1, answers_after=None)
    watched.now_ns += 3_600 * S
    assert watched.beat.on_time(watched.now_ns) is Verdict.ASK
    assert Verdict.KILL not in watched.pass_time(1.4, answers_after=None)


@pytest.mark.parametrize("number", [0, 99])
def test_an_answer_to_nothing_says_nothing(number: int) -> None:
    """Such as one to the predecessor."""
    watched = Watched()
    watched.pass_time(1)
    watched.pass_time(3, answers_after=None)
    watched.beat.answered(number)
    assert watched.beat.silent()


def test_nobody_is_asked_when_there_is_nobody() -> None:
    """It died, or is to stop."""
    beat = Heartbeat()
    assert beat.on_time(5 * S) is Verdict.NOTHING
    beat.begin(5 * S)
    beat.end()
    assert beat.next_ns == 0 and beat.on_time(50 * S) is Verdict.NOTHING


def test_questions_come_twice_a_second() -> None:
    assert ASK_EVERY_NS == S // 2
