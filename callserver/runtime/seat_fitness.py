"""Whether a browser seat can take calls, and when a conversation at it is over: from signs and the time. Pure.

A seat is proven by three things, each of which fails by itself: packets from the browser (its network and sound engine), beats
that the page's own script sends upon its audio thread (a frozen tab sends packets for ever), and the absence of trouble that the
page itself tells (the microphone was pulled out). The page's connection may be away for a while, as when the web process is
replaced: then packets alone must do.
"""

from dataclasses import dataclass, field

from callserver.core.instant import SECOND

BEAT_TALKING_NS = 1_700_000_000  # since the last beat, while a call is at the seat
BEAT_IDLE_NS = 6 * SECOND
PAGE_AWAY_NS = 10 * SECOND
GIVE_UP_NS = 600_000_000  # a conversation at a seat that has become unfit, with no sign that it comes back
RETURN_NS = 5 * SECOND  # the same when the page is there, and makes its connection anew


@dataclass(slots=True)
class Signs:
    """What is known of one seat. Instants of boottime in nanoseconds, 0 for never."""

    page: bool = False  # its connection stands
    page_ns: int = 0  # when it came or went last
    beat_ns: int = 0
    heard: bool = False  # packets come from the browser
    unheard_why: str = "its sound is not proven yet"
    troubles: dict[str, str] = field(default_factory=dict)  # what -> in words
    unfit_ns: int = 0  # since when it is unfit, 0 while it is fit


def unfit(signs: Signs, busy: bool, now_ns: int) -> str:
    """Why the seat cannot take calls now, in words; "" when it can. `busy`: a call rings or is talked there."""
    trouble = next((f"{what}: {text}" for what, text in signs.troubles.items()), "")
    if trouble:
        return trouble
    if not signs.heard:
        return signs.unheard_why
    if not signs.page:
        away_ns = now_ns - signs.page_ns
        return "the page's connection is lost" if away_ns > PAGE_AWAY_NS else ""
    limit_ns = BEAT_TALKING_NS if busy else BEAT_IDLE_NS
    if now_ns - max(signs.beat_ns, signs.page_ns) > limit_ns:
        return "the page does not answer: its tab is frozen, or its sound has stopped"
    return ""


def given_up(signs: Signs, now_ns: int) -> bool:
    """Whether a conversation at an unfit seat is over, so that somebody else can have it."""
    if not signs.unfit_ns:
        return False
    alive = signs.page and not signs.troubles and now_ns - max(signs.beat_ns, signs.page_ns) < BEAT_TALKING_NS
    return now_ns - signs.unfit_ns >= (RETURN_NS if alive else GIVE_UP_NS)
