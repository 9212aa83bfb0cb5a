"""Which recordings were opened lately by whom and why, so that a player's many ranges are one listening."""

from collections import OrderedDict

Opening = tuple[str, float, str, str]  # user, end of the session, call, reason

WINDOW_S = 600.0
MOST = 5_000


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
