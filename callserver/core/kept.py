"""What the archivist found on the disk of a leg while its call goes on: an alarm for as long as that is not its sound."""

from collections.abc import Mapping

from callserver.core.decision import Decision
from callserver.core.facts import RecordingConfirmed, RecordingDoubtful
from callserver.core.state import Leg

WORDS: Mapping[str, str] = {
    "nothing": "nothing arrives from {party}, so nothing of it is recorded",
    "not-written": "sound arrives from {party}, and the disk does not get it",
    "unreadable": "what was written of {party} cannot be read from the disk",
    "dead": "{party} sends only a machine's silence: muted, or its microphone is dead",
    "random": "what {party} sends is no sound but static: encrypted, or of another codec",
    "law": "what {party} sends sounds like static: A-law taken for mu-law, or the other way round",
    "static": "what {party} sends is nothing but loud noise",
    "overload": "what {party} sends is loud beyond understanding",
    "copy": "the track of {party} is a copy of the other side: crossed lines, or an echo at full level",
}
"""`RecordingDoubtful.why` in words for people."""


def alarm_key(leg: str) -> str:
    """The key of the alarm that a leg's sound is not what is recorded."""
    return f"recorded:{leg}"


def noted(d: Decision, fact: RecordingConfirmed | RecordingDoubtful) -> None:
    """The archivist looked; what it says of a leg that is over comes too late to be an alarm."""
    leg = d.state.legs.get(fact.leg)
    if leg is None:
        return
    key = alarm_key(leg.id)
    if isinstance(fact, RecordingConfirmed):
        d.clear_alarm(key, "its sound is recorded")
        return
    text = WORDS.get(fact.why, fact.why).format(party=leg.party)
    if d.state.alarms.get(key) != text:
        d.clear_alarm(key, "it is another fault")
        d.alarm(key, text)


def ended(d: Decision, leg: Leg) -> None:
    """The leg is over, and with it what was wrong."""
    d.clear_alarm(alarm_key(leg.id), "the leg ended")
