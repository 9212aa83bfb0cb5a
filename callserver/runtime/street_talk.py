"""How a simulated person talks: waits until the other side has spoken and fallen silent, then says the next thing.

Pure: time comes in milliseconds, what is heard as a level, and what to do goes out as an `Act`. Nobody at the other end, or one
who talks without end, delays it for a time only, so a conversation always goes on.

    away ──rang──▶ waiting ──met──▶ listening ⇄ speaking ──▶ gone
"""

from dataclasses import dataclass, replace
from enum import StrEnum

LOUD_DBFS = -42.0
VOICE_MS = 250  # so much of it and it was somebody's turn, not a click
REPLY_AFTER_MS = 900
FIRST_PATIENCE_MS = 3_000
PATIENCE_MS = 7_000
LONGEST_TURN_MS = 25_000
WAITING_EVERY_MS = 6_000


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a person does: plays a file of so many ms (`text` is its caption), presses `keys`, or hangs up."""

    text: str = ""
    file: str = ""
    length_ms: int = 0
    keys: str = ""
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """What a person says: `waiting` while it rings, `acts` in order, `after` in turn for ever, `again` when called back.

    Without `after` the person is gone once everything is said. The times say how long it
    waits: for the first word, for the next one, and after the other side's last.
    """

    acts: tuple[Act, ...]
    waiting: tuple[Act, ...] = ()
    after: tuple[Act, ...] = ()
    again: Act | None = None
    first_ms: int = FIRST_PATIENCE_MS
    patience_ms: int = PATIENCE_MS
    reply_ms: int = REPLY_AFTER_MS


class Turn(StrEnum):
    """Whose turn it is."""

    AWAY = "away"
    WAITING = "waiting"
    LISTENING = "listening"
    SPEAKING = "speaking"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Talk:
    """Where the talk is. `since_ms`: when this turn began; `voice_ms`: how much was heard in it, the last at `loud_ms`."""

    turn: Turn = Turn.AWAY
    since_ms: int = 0
    looked_ms: int = 0
    voice_ms: int = 0
    loud_ms: int = 0
    until_ms: int = 0
    next: int = 0
    waited: int = 0
    back: bool = False


def rang(talk: Talk, now_ms: int) -> Talk:
    """The call rings out, and nobody is there yet."""
    return replace(talk, turn=Turn.WAITING, since_ms=now_ms) if talk.turn == Turn.AWAY else talk


def met(talk: Talk, now_ms: int) -> Talk:
    """Somebody is there. A talk that had begun is taken up where it was; one who has gone stays gone."""
    if talk.turn in (Turn.AWAY, Turn.WAITING):
        return _listening(replace(talk, back=talk.next > 0), now_ms)
    return talk


def lost(talk: Talk) -> Talk:
    """The call is over; what was said stays said until the next press begins anew."""
    return talk if talk.turn == Turn.GONE else replace(talk, turn=Turn.AWAY)


def left(talk: Talk, now_ms: int) -> Talk:
    """The person walks away and leaves the line open."""
    return replace(talk, turn=Turn.GONE, since_ms=now_ms)


def step(script: Script, talk: Talk, now_ms: int, level_dbfs: float) -> tuple[Talk, Act | None]:
    """What this moment brings: the talk as it is from here on, and what is done now. To be asked every 20 to 50 ms."""
    if talk.turn == Turn.WAITING:
        return _wait(script, talk, now_ms)
    if talk.turn == Turn.SPEAKING and now_ms >= talk.until_ms:
        talk = _listening(talk, now_ms)
        return (talk if _more(script, talk) else left(talk, now_ms)), None
    if talk.turn != Turn.LISTENING:
        return talk, None
    talk = _heard(talk, now_ms, level_dbfs)
    return _speak(script, talk, now_ms) if _is_due(script, talk, now_ms) else (talk, None)


def _listening(talk: Talk, now_ms: int) -> Talk:
    return replace(talk, turn=Turn.LISTENING, since_ms=now_ms, looked_ms=now_ms, voice_ms=0, loud_ms=now_ms)


def _heard(talk: Talk, now_ms: int, level_dbfs: float) -> Talk:
    if level_dbfs < LOUD_DBFS:
        return replace(talk, looked_ms=now_ms)
    return replace(talk, looked_ms=now_ms, voice_ms=talk.voice_ms + now_ms - talk.looked_ms, loud_ms=now_ms)


def _is_due(script: Script, talk: Talk, now_ms: int) -> bool:
    waited_ms = now_ms - talk.since_ms
    if talk.voice_ms >= VOICE_MS:
        return now_ms - talk.loud_ms >= script.reply_ms or waited_ms >= LONGEST_TURN_MS
    return waited_ms >= (script.first_ms if talk.next == 0 or talk.back else script.patience_ms)


def _more(script: Script, talk: Talk) -> bool:
    return talk.next < len(script.acts) or bool(script.after)


def _speak(script: Script, talk: Talk, now_ms: int) -> tuple[Talk, Act | None]:
    if talk.back and script.again is not None:
        return _speaking(replace(talk, back=False), script.again, now_ms)
    if not _more(script, talk):
        return left(talk, now_ms), None
    over = talk.next - len(script.acts)
    act = script.acts[talk.next] if over < 0 else script.after[over % len(script.after)]
    return _speaking(replace(talk, next=talk.next + 1, back=False), act, now_ms)


def _speaking(talk: Talk, act: Act, now_ms: int) -> tuple[Talk, Act]:
    return replace(talk, turn=Turn.SPEAKING, since_ms=now_ms, until_ms=now_ms + act.length_ms), act


def _wait(script: Script, talk: Talk, now_ms: int) -> tuple[Talk, Act | None]:
    """Nobody answers: something is called out now and then, in turn."""
    if not script.waiting or now_ms - talk.since_ms < WAITING_EVERY_MS:
        return talk, None
    act = script.waiting[talk.waited % len(script.waiting)]
    return replace(talk, since_ms=now_ms, waited=talk.waited + 1), act
