"""The web process's copy of the board: items, where they stand, and what changed lately. No input or output.

A page that lost its connection names the epoch and number that it has; what it missed is made up of the changes kept here. Items
are whole values, so telling one twice does no harm: changes of the number that the page has are told again, since it may
have had only a part of them. Of a change only the names are kept: what is told is each item as it is now, and thousands of old
items would be most of this process.
"""

import sys
from collections import deque
from collections.abc import Mapping

import msgspec

from callserver.feed import Changes, Item, Snapshot

MOST_CHANGES = 2_000
MOST_ITEMS = 20_000  # named by all kept changes together

Changed = Mapping[str, Item | None]

_ENCODER = msgspec.json.Encoder()


class Board:
    """See the module. `epoch` is "" until the first snapshot."""

    def __init__(self) -> None:
        self.epoch = ""
        self.number = 0
        self.items: dict[str, Item] = {}
        self._past: deque[tuple[int, tuple[str, ...]]] = deque()  # the number after a change, and the items that it touched
        self._past_items = 0
        self._floor = 0  # changes up to this number are not known any more, or not all of them
        self._text: bytes | None = None

    def renew(self, snapshot: Snapshot) -> Changed | None:
        """Take a whole board. What is different where the epoch goes on, else None: all is new."""
        goes_on = bool(self.epoch) and snapshot.epoch == self.epoch and snapshot.number >= self.number
        old, self.items = self.items, dict(snapshot.items)
        self.epoch, self.number, self._text = snapshot.epoch, snapshot.number, None
        if goes_on:
            gone: dict[str, Item | None] = {key: None for key in old if key not in self.items}
            different = gone | {key: item for key, item in self.items.items() if old.get(key) != item}
            self._keep(snapshot.number, different)
            return different
        self._past.clear()
        self._past_items, self._floor = 0, snapshot.number
        return None

    def change(self, changes: Changes) -> None:
        """Take what changed."""
        for key, item in changes.items.items():
            if item is None:
                self.items.pop(key, None)
            else:
                self.items[key] = item
        self.number, self._text = changes.number, None
        self._keep(changes.number, changes.items)

    def since(self, epoch: str, number: int) -> Changed | None:
        """What somebody with this board missed, as it is now; None where that is not known: they need the whole."""
        if not epoch or epoch != self.epoch or not self._floor < number <= self.number:
            return None
        keys = {key: None for at, changed in self._past if at >= number for key in changed}
        return {key: self.items.get(key) for key in keys}

    def text(self) -> bytes:
        """All items as JSON; made once for as long as nothing changes."""
        if self._text is None:
            self._text = _ENCODER.encode(self.items)
        return self._text

    def operator(self, user: str) -> Item | None:
        """The item of an operator of the plan, by the user's name."""
        return self.items.get(f"operator/{user}")

    def _keep(self, number: int, changed: Changed) -> None:
        self._past.append((number, tuple(map(sys.intern, changed))))
        self._past_items += len(changed)
        while len(self._past) > MOST_CHANGES or self._past_items > MOST_ITEMS:
            self._floor, dropped = self._past.popleft()
            self._past_items -= len(dropped)
