"""What was sent of recordings: the stretches of many answers, told as one fact for each opening.

Kept in memory until an opening is quiet, at most for `AT_MOST_S`: that much is lost with a web process that dies unasked.
That the recording was opened, by whom and why, was journalled before the first byte.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from audio.places import sound_in
from callserver.config import Config, ConfigError, site_keys
from callserver.core.facts import Fact, RecordingSent
from callserver.core.ids import CallId
from callserver.sealed import opened
from callserver.web.openings import Opening
from callserver.web.spans import Span, merged

QUIET_S = 15.0
AT_MOST_S = 60.0
MOST_SPANS = 200  # of one fact
LOOK_EVERY_S = 1.0


@dataclass(slots=True)
class Stretches:
    """What was sent of one file of an opening: bytes, sorted and apart."""

    opening: Opening
    path: Path
    size: int
    began_s: float
    last_s: float
    bytes: tuple[Span, ...] = ()


class Sent:
    """See the module. Pure but for the path that it carries along."""

    def __init__(self) -> None:
        self._of: dict[Opening, Stretches] = {}

    def note(self, opening: Opening, path: Path, size: int, sent: Span, now_s: float) -> None:
        """These bytes went out just now."""
        if sent[0] >= sent[1]:
            return
        one = self._of.setdefault(opening, Stretches(opening, path, size, now_s, now_s))
        one.bytes, one.last_s = merged((*one.bytes, sent), size), now_s

    def due(self, now_s: float, all: bool = False) -> list[Stretches]:
        """What is to be told now; it is forgotten here."""
        ready = [one for one in self._of.values() if all or _is_due(one, now_s)]
        for one in ready:
            del self._of[one.opening]
        return ready


def _is_due(one: Stretches, now_s: float) -> bool:
    quiet, old = now_s - one.last_s, now_s - one.began_s
    return not (0 <= quiet < QUIET_S and 0 <= old < AT_MOST_S) or len(one.bytes) > MOST_SPANS


async def tell_sent(sent: Sent, config: Config, now_s: Callable[[], float], tell: Callable[[Fact], None]) -> None:
    """Look again and again, for ever."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        for one in sent.due(now_s()):
            tell(await fact_of(one, config))


async def tell_rest(sent: Sent, config: Config, tell: Callable[[Fact], Awaitable[None]]) -> None:
    """All of it, because the process ends."""
    for one in sent.due(0.0, all=True):
        await tell(await fact_of(one, config))


async def fact_of(one: Stretches, config: Config) -> RecordingSent:
    """The fact. Without the sound in it where the file cannot be read any more."""
    spans = await asyncio.to_thread(_sound, one, config)
    opening = one.opening
    return RecordingSent(CallId(opening.call), opening.user, spans, one.bytes, one.size, opening.leg, opening.reason)


def _sound(one: Stretches, config: Config) -> tuple[Span, ...]:
    try:
        with opened(one.path, site_keys(config)) as file:
            found = sound_in(file, one.bytes)
    except (OSError, ValueError, ConfigError):
        return ()
    return merged(found, max((end for _, end in found), default=0))
