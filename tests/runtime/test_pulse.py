"""Who goes round and who hangs, by what comes through the pipe: when it is told, when it is ended, and when it must not be."""

import os

import pytest

from callserver.runtime import pulse
from callserver.runtime.heartbeat import Verdict
from callserver.runtime.pulse import Beats, Patience, Pulse, Pulses

S = 1_000_000_000


class Watched:
    """A pulse driven through time; two seconds of silence are told, after five it is ended."""

    def __init__(self) -> None:
        self.pulse = Pulse(Patience(2 * S, 5 * S))
        self.now_ns = 100 * S
        self.pulse.begin(self.now_ns)

    def pass_time(self, seconds: float, beats: bool) -> list[tuple[float, Verdict]]:
        """What is to be done on the way, and after how many seconds of it."""
        began_ns, found = self.now_ns, []
        while self.pulse.next_ns and self.pulse.next_ns <= began_ns + int(seconds * S):
            self.now_ns = self.pulse.next_ns
            if beats:
                self.pulse.beat(self.now_ns)
            if (verdict := self.pulse.on_time(self.now_ns)) is not Verdict.NOTHING:
                found.append(((self.now_ns - began_ns) / S, verdict))
        return found


def test_one_that_goes_round_is_left_alone() -> None:
    assert Watched().pass_time(600, beats=True) == []


def test_one_that_falls_silent_is_told_of_once_and_then_ended() -> None:
    watched = Watched()
    watched.pass_time(10, beats=True)
    assert watched.pass_time(4, beats=False) == [(2.0, Verdict.ALARM)]
    assert watched.pulse.silent
    assert watched.pass_time(4, beats=False) == [(1.0, Verdict.KILL)]


def test_one_that_comes_back_is_not_ended() -> None:
    watched = Watched()
    watched.pass_time(10, beats=True)
    watched.pass_time(4, beats=False)
    assert watched.pass_time(10, beats=True) == []
    assert not watched.pulse.silent
    assert watched.pass_time(4, beats=False) == [(2.0, Verdict.ALARM)]


def test_one_that_starts_for_long_is_told_of_and_left_alone() -> None:
    """It may have a long journal to read."""
    assert Watched().pass_time(600, beats=False) == [(60.0, Verdict.ALARM)]


def test_our_own_standstill_is_not_its_silence() -> None:
    watched = Watched()
    watched.pass_time(10, beats=True)
    watched.now_ns += 100 * S
    assert watched.pulse.on_time(watched.now_ns) is Verdict.NOTHING
    assert watched.pass_time(1.5, beats=False) == []


def test_one_that_is_gone_is_not_looked_at() -> None:
    watched = Watched()
    watched.pass_time(10, beats=True)
    watched.pulse.end()
    assert watched.pulse.on_time(watched.now_ns + 100 * S) is Verdict.NOTHING


def test_beats_go_through_the_pipe_and_its_silence_is_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the child's end, as it inherits it, to the verdict; a closed end is no beat."""
    monkeypatch.setattr(pulse, "BEAT_S", 0.0)
    pulses = Pulses()
    theirs = os.dup(pulses.renew("watch"))
    pulses.started("watch", 100 * S)
    beats = Beats(theirs)
    beats.beat()
    beats.beat()
    assert pulses.readable("watch", 101 * S)
    now_ns, verdicts = 101 * S, []
    while len(verdicts) < 2:
        now_ns += S // 2
        verdicts += [(name, verdict, now_ns // S) for name, verdict in pulses.due(now_ns)]
    assert verdicts == [("watch", Verdict.ALARM, 106), ("watch", Verdict.KILL, 116)]
    assert pulses.silent("watch") and not pulses.silent("web")
    os.close(theirs)
    assert not pulses.readable("watch", now_ns)
    pulses.ended("watch")
    assert pulses.ours("watch") == -1


def test_a_supervisor_that_does_not_read_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_S", 0.0)
    ours, theirs = os.pipe()
    beats = Beats(theirs)
    for _ in range(100_000):
        beats.beat()
    os.close(ours)
    beats.beat()
    os.close(theirs)


def test_beats_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often one says so, an octet goes out once in half a second."""
    ours, theirs = os.pipe()
    now_s = [50.0]
    monkeypatch.setattr(pulse.time, "monotonic", lambda: now_s[0])
    beats = Beats(theirs)
    for _ in range(1_000):
        now_s[0] += 0.01
        beats.beat()
    assert 19 <= len(os.read(ours, 4_096)) <= 21
    os.close(ours)
    os.close(theirs)
