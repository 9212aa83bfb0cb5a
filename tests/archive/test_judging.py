"""When a side of a conversation is confirmed, and how soon a fault of it is told."""

import pytest

from callserver.archive.judging import Kind, Side, State, Verdict, Window, kind_of

VOICE = Window(rms_dbfs=-25, peak_dbfs=-10, dead_share=0.0, flat=0.3, hollow=0.4)
ROOM = Window(rms_dbfs=-66, peak_dbfs=-50, dead_share=0.0, flat=0.9, hollow=0.2)
DEAD = Window()
NOTHING = Window(share=0.0)
RANDOM = Window(rms_dbfs=-10, dead_share=0.0, flat=1.0, evenness=1.0, hollow=0.2)
LAW = Window(rms_dbfs=-13, dead_share=0.0, flat=0.6, hollow=0.0, other_law_db=11, other_law_rough=1.6)
STATIC = Window(rms_dbfs=-15, dead_share=0.0, flat=0.98, hollow=0.2)
LOUD = Window(rms_dbfs=-3, dead_share=0.0, flat=0.1, hollow=0.1)
COPY = Window(rms_dbfs=-25, dead_share=0.0, flat=0.3, hollow=0.4, copy_share=0.99, copy_db=-1, other_spoke=True)
WITH_OTHER = Window(rms_dbfs=-25, dead_share=0.0, flat=0.3, hollow=0.4, copy_share=0.2, other_spoke=True)
GATED = Window(rms_dbfs=-28, dead_share=0.4, flat=0.3, hollow=0.5, paused=True)
KINDS = {"voice": VOICE, "room": ROOM, "dead": DEAD, "nothing": NOTHING}
FAULTS = {
    Kind.NOTHING: NOTHING, Kind.DEAD: DEAD, Kind.RANDOM: RANDOM, Kind.LAW: LAW,
    Kind.STATIC: STATIC, Kind.OVERLOAD: LOUD, Kind.COPY: COPY,
}  # fmt: skip


def after(side: Side, *windows: Window, since: float = 0.0) -> list[Verdict]:
    """Verdicts, a second apart; the first window is that of second `since` + 1.3."""
    return [side.take(window, since + 1.3 + number) for number, window in enumerate(windows)]


def test_each_window_is_of_its_kind() -> None:
    assert {kind: kind_of(window) for kind, window in FAULTS.items()} == {kind: kind for kind in FAULTS}
    assert [kind_of(window) for window in (VOICE, ROOM, WITH_OTHER, GATED)] == [Kind.SOUND, Kind.QUIET, Kind.SOUND, Kind.SOUND]


def test_a_voice_is_confirmed_after_two_seconds_of_it() -> None:
    assert after(Side(0.0), VOICE, VOICE) == [Verdict(State.LISTENING), Verdict(State.GOOD)]


def test_whoever_does_not_speak_is_quiet_however_long_and_confirmed_once_there_is_a_voice() -> None:
    side = Side(0.0)
    assert {verdict.state for verdict in after(side, *[ROOM] * 300)[1:]} == {State.QUIET}
    assert after(side, ROOM, VOICE, VOICE, since=300)[-1] == Verdict(State.GOOD)
    assert {verdict.state for verdict in after(side, *[ROOM] * 300, since=303)} == {State.GOOD}


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_is_told_within_ten_seconds_of_the_conversation(kind: Kind) -> None:
    found = after(Side(0.0), *[FAULTS[kind]] * 9)
    assert found[8] == Verdict(State.DOUBTFUL, kind)
    assert found[1].state is not State.DOUBTFUL


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_is_told_within_ten_seconds_also_after_all_was_good(kind: Kind) -> None:
    side = Side(0.0)
    after(side, *[VOICE] * 30)
    assert after(side, *[FAULTS[kind]] * 10, since=30)[9] == Verdict(State.DOUBTFUL, kind)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_that_is_over_is_confirmed_again(kind: Kind) -> None:
    side = Side(0.0)
    after(side, *[FAULTS[kind]] * 12)
    found = after(side, *[WITH_OTHER] * 6, since=12)
    assert found[-1] == Verdict(State.GOOD)


@pytest.mark.parametrize("kind", [Kind.RANDOM, Kind.LAW, Kind.STATIC, Kind.OVERLOAD, Kind.COPY])
def test_a_second_that_looks_odd_is_no_fault(kind: Kind) -> None:
    side = Side(0.0)
    found = after(side, *[WITH_OTHER, FAULTS[kind], WITH_OTHER, FAULTS[kind], WITH_OTHER] * 5)
    assert State.DOUBTFUL not in {verdict.state for verdict in found}


def test_six_seconds_of_nothing_are_no_fault() -> None:
    side = Side(0.0)
    assert State.DOUBTFUL not in {verdict.state for verdict in after(side, VOICE, VOICE, *[NOTHING] * 6, VOICE)}


def test_a_device_that_cuts_its_pauses_out_is_given_a_minute() -> None:
    side = Side(0.0)
    after(side, VOICE, VOICE, DEAD, DEAD, GATED, VOICE, GATED, VOICE)
    found = after(side, *[DEAD] * 70, since=8)
    assert found[55].state is State.GOOD
    assert found[62] == Verdict(State.DOUBTFUL, Kind.DEAD)


def test_one_pause_does_not_show_that_a_device_cuts_its_pauses_out() -> None:
    side = Side(0.0)
    after(side, VOICE, VOICE, GATED, DEAD, DEAD, GATED, VOICE, VOICE, VOICE)
    assert after(side, *[DEAD] * 10, since=9)[-1] == Verdict(State.DOUBTFUL, Kind.DEAD)


def test_a_device_whose_first_pause_does_not_end_is_not_taken_for_one_that_cuts_pauses_out() -> None:
    side = Side(0.0)
    after(side, VOICE, VOICE, GATED)
    assert after(side, *[DEAD] * 9, since=3)[-1] == Verdict(State.DOUBTFUL, Kind.DEAD)


def test_nothing_is_held_against_a_side_while_it_was_not_expected_to_sound() -> None:
    side = Side(0.0)
    after(side, *[VOICE] * 5)
    side.begin_again(100.0)
    found = after(side, *[DEAD] * 9, since=100)
    assert [verdict.state for verdict in found[:6]] == [State.GOOD] * 6
    assert found[-1].state is State.DOUBTFUL


def test_a_copy_stays_one_while_the_other_side_is_silent() -> None:
    side = Side(0.0)
    after(side, COPY, COPY, COPY)
    assert after(side, VOICE, VOICE, VOICE, since=3)[-1] == Verdict(State.DOUBTFUL, Kind.COPY)


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("then", KINDS)
def test_good_is_said_only_of_what_was_a_voice(first: str, then: str) -> None:
    side = Side(0.0)
    found = after(side, *[KINDS[first]] * 3, *[KINDS[then]] * 3)
    assert any(verdict.state is State.GOOD for verdict in found) == ("voice" in (first, then))
