"""What a call should sound like, as a value: who hears whom and which prompts play.

A shape is the whole wish, not a change: a worker moves from what it has to what it is told. So a
replacement worker needs the last shape and nothing else.
"""

from dataclasses import dataclass

from callserver.core.ids import LegId


@dataclass(frozen=True, slots=True)
class Prompt:
    """A recorded phrase or tone (`name`) that plays to the legs `to`.

    `every_ms` 0 plays it once, else it starts anew that long after it began (back to back when the
    phrase is longer). `name` is a prompt of the manifest, `place:<point id>` for a spoken place name,
    `time:<HH>-<MM>` for a spoken time of day, or `ringback`, a tone. Names joined by `+` play one after the other and
    repeat as one; `in:<language>` as the last has all of them said in that language, not the call's. A missing file plays
    a tone instead, a missing one of several is left out; both are reported.
    """

    name: str
    to: tuple[LegId, ...]
    every_ms: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """All legs in `talk` hear each other; each prompt is mixed to the legs that it names.

    `also` are one-way links besides: who is heard, and who hears it.
    """

    talk: tuple[LegId, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    also: tuple[tuple[LegId, LegId], ...] = ()
