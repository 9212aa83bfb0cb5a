"""How a simulated person talks, step by step: nothing waits, time is a number."""

from dataclasses import replace

import pytest

from callserver.runtime import street_talk as talks
from callserver.runtime.street_talk import Act, Script, Talk, Turn

QUIET, VOICE = -90.0, -25.0
TICK_MS = 20
HELLO, WHERE, BYE, STILL, AGAIN, CALLS_OUT = (
    Act(text, f"{text}.wav", 1_000) for text in ("hello", "where", "bye", "still", "again", "calls out")
)
SCRIPT = Script((HELLO, WHERE), (CALLS_OUT,), (STILL, BYE), AGAIN)


class Conversation:
    """A talk under a clock that is turned by hand; notes what was done when."""

    def __init__(self, script: Script = SCRIPT, talk: Talk | None = None) -> None:
        self.script, self.talk, self.now_ms = script, talk or Talk(), 0
        self.done: list[tuple[int, str]] = []

    def hear(self, level_dbfs: float, for_ms: int) -> None:
        """So much time with this level at the ear."""
        for _ in range(for_ms // TICK_MS):
            self.now_ms += TICK_MS
            self.talk, act = talks.step(self.script, self.talk, self.now_ms, level_dbfs)
            if act is not None:
                self.done.append((self.now_ms, act.text or act.keys or "hangs up"))

    def met(self) -> None:
        """Somebody answers."""
        self.talk = talks.met(self.talk, self.now_ms)

    @property
    def said(self) -> list[str]:
        """What was done, without its times."""
        return [text for _, text in self.done]


def met(script: Script = SCRIPT) -> Conversation:
    """A conversation that has just begun."""
    conversation = Conversation(script)
    conversation.met()
    return conversation


def test_it_waits_until_the_other_side_has_spoken_and_fallen_silent() -> None:
    conversation = met()
    conversation.hear(VOICE, 2_000)
    assert conversation.said == []
    conversation.hear(QUIET, talks.REPLY_AFTER_MS - TICK_MS)
    assert conversation.said == []
    conversation.hear(QUIET, TICK_MS)
    assert conversation.done == [(2_000 + talks.REPLY_AFTER_MS, "hello")]


def test_a_pause_for_breath_is_no_end() -> None:
    conversation = met()
    for _ in range(4):
        conversation.hear(VOICE, 600)
        conversation.hear(QUIET, talks.REPLY_AFTER_MS - 2 * TICK_MS)
    assert conversation.said == []


def test_nobody_speaks_so_it_begins_by_itself_and_goes_on_by_time() -> None:
    conversation = met()
    conversation.hear(QUIET, 13_000)
    second_ms = talks.FIRST_PATIENCE_MS + HELLO.length_ms + talks.PATIENCE_MS
    assert conversation.done == [(talks.FIRST_PATIENCE_MS, "hello"), (second_ms, "where")]


def test_a_click_is_nobodys_turn() -> None:
    conversation = met()
    conversation.hear(VOICE, talks.VOICE_MS - TICK_MS)
    conversation.hear(QUIET, 1_500)
    assert conversation.said == []


@pytest.mark.parametrize(("level_dbfs", "voice"), [(talks.LOUD_DBFS, True), (talks.LOUD_DBFS - 1, False)])
def test_what_is_loud_enough_is_a_voice(level_dbfs: float, voice: bool) -> None:
    conversation = met()
    conversation.hear(level_dbfs, 1_000)
    conversation.hear(QUIET, 1_000)
    assert (conversation.said == ["hello"]) is voice


def test_one_who_talks_without_end_is_interrupted() -> None:
    conversation = met()
    conversation.hear(VOICE, talks.LONGEST_TURN_MS)
    assert conversation.done == [(talks.LONGEST_TURN_MS, "hello")]


def test_what_comes_while_it_speaks_is_not_taken_for_an_answer() -> None:
    conversation = met()
    conversation.hear(QUIET, talks.FIRST_PATIENCE_MS)
    conversation.hear(VOICE, HELLO.length_ms - TICK_MS)
    conversation.hear(QUIET, 2_000)
    assert conversation.said == ["hello"]


def test_after_everything_it_says_the_rest_in_turn_for_ever() -> None:
    conversation = met()
    for _ in range(6):
        conversation.hear(VOICE, 600)
        conversation.hear(QUIET, 2_500)
    assert conversation.said == ["hello", "where", "still", "bye", "still", "bye"]


def test_who_has_nothing_more_to_say_is_gone_and_stays_gone() -> None:
    conversation = met(Script((HELLO,)))
    conversation.hear(QUIET, 60_000)
    assert (conversation.said, conversation.talk.turn) == (["hello"], Turn.GONE)
    conversation.talk = talks.lost(conversation.talk)
    conversation.met()
    conversation.hear(QUIET, 60_000)
    assert conversation.said == ["hello"]


def test_a_call_back_takes_the_talk_up_where_it_was() -> None:
    conversation = met()
    conversation.hear(QUIET, 4_500)
    conversation.talk = talks.lost(conversation.talk)
    conversation.hear(VOICE, 10_000)
    assert conversation.said == ["hello"]
    conversation.met()
    conversation.hear(VOICE, 600)
    conversation.hear(QUIET, 20_000)
    assert conversation.said[:4] == ["hello", "again", "where", "still"]


def test_while_it_rings_something_is_called_out_now_and_then() -> None:
    conversation = Conversation()
    conversation.talk = talks.rang(conversation.talk, 0)
    conversation.hear(VOICE, 2 * talks.WAITING_EVERY_MS)
    assert conversation.done == [(talks.WAITING_EVERY_MS, "calls out"), (2 * talks.WAITING_EVERY_MS, "calls out")]
    conversation.met()
    conversation.hear(QUIET, talks.FIRST_PATIENCE_MS)
    assert conversation.said[2:] == ["hello"]


def test_who_walks_away_says_nothing_more() -> None:
    conversation = met()
    conversation.talk = talks.left(conversation.talk, conversation.now_ms)
    conversation.hear(VOICE, 1_000)
    conversation.hear(QUIET, 60_000)
    assert conversation.said == []


def test_keys_and_hanging_up_are_acts_like_words() -> None:
    conversation = met(Script((Act(keys="*9", length_ms=400), Act(hang_up=True)), first_ms=300, patience_ms=500))
    conversation.hear(QUIET, 3_000)
    assert conversation.done == [(300, "*9"), (1_200, "hangs up")]


@pytest.mark.parametrize("turn", [Turn.LISTENING, Turn.SPEAKING, Turn.GONE])
def test_a_call_that_is_answered_rings_no_more(turn: Turn) -> None:
    """Late news of ringing or answering changes nothing."""
    talk = replace(Talk(), turn=turn, since_ms=40)
    assert (talks.rang(talk, 99), talks.met(talk, 99)) == (talk, talk)
