"""Which recordings were opened lately by whom and why, so that a player's many ranges are one listening."""

from collections import OrderedDict
from typing import NamedTuple

WINDOW_S = 600.0
MOST = 5_000


class Opening(NamedTuple):
    """Who opened what, and why. `until_s` is the end of the session: another one is another opening. `leg` "": the whole call."""

    user: str
    until_s: float
    call: str
    reason: str
    leg: str = ""


class Openings:
    """In memory, bounded; forgetting one costs another fact, never one too few."""

    def __init__(self) -> None:
        self._at: OrderedDict[Opening, float] = OrderedDict()

    def note(self, opening: Opening, now_s: float) -> None:
        """It was journalled now."""
        self._at[opening] = now_s
        self._at.move_to_end(opening)
        while len(self._at) > MOST:
            self._at.popitem(last=False)

    def recent(self, opening: Opening, now_s: float) -> bool:
        """Whether it was journalled a short while ago."""
        at = self._at.get(opening)
        return at is not None and now_s - at < WINDOW_S

    def known(self, opening: Opening) -> bool:
        """Whether it was journalled at all, as far as is remembered here."""
        return opening in self._at
