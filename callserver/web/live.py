"""The pages that watch the board (`/api/live`): a snapshot or what was missed at first, then changes, and a beat each second.

Changes of less than `TOGETHER_S` are told together and made into text once for all pages, so that sixty changes a second cost
each page 25 messages. docs/console-protocol.md has the messages.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from callserver.feed import Changes, Item, Snapshot
from callserver.web.board import Board, Changed
from callserver.web.outlet import Outlet

TOGETHER_S = 0.04

_ENCODER = msgspec.json.Encoder()


@dataclass(eq=False, slots=True)
class Watcher:
    """One page; nothing but beats before it has `told` us what it has."""

    outlet: Outlet
    user: str
    role: str
    told: bool = False


class Live:
    """See the module."""

    def __init__(self, board: Board, now_ms: Callable[[], int]) -> None:
        self._board = board
        self._now_ms = now_ms
        self._watchers: set[Watcher] = set()
        self._unsent: dict[str, Item | None] = {}
        self._sent_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._watchers)

    def join(self, watcher: Watcher) -> None:
        """It is told from now on; leave with `leave`."""
        self._watchers.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        """The page is gone."""
        self._watchers.discard(watcher)

    def watch(self, watcher: Watcher, epoch: str, number: int, live: bool) -> None:
        """The page has this: tell it what it lacks. Only the first time counts."""
        if watcher.told:
            return
        watcher.told = True
        missed = self._board.since(epoch, number)
        if missed is None:
            self._snapshot(watcher)
        elif missed:
            watcher.outlet.put(self._changes(missed))
        watcher.outlet.put(self._beat(live))

    def renewed(self, snapshot: Snapshot) -> None:
        """A whole board came from the switchboard."""
        different = self._board.renew(snapshot)
        if different is None:
            self._unsent.clear()
            for watcher in self._watchers:
                if watcher.told:
                    self._snapshot(watcher)
        else:
            self._soon(different)

    def changed(self, changes: Changes) -> None:
        """Something changed at the switchboard."""
        self._board.change(changes)
        self._soon(changes.items)

    def beat(self, live: bool) -> None:
        """Each second."""
        self._flush()
        text = self._beat(live)
        for watcher in self._watchers:
            watcher.outlet.put(text)

    def close(self) -> None:
        """No timer is left behind."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _soon(self, changed: Changed) -> None:
        """At once when nothing was told a moment ago."""
        self._unsent.update(changed)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(self._sent_at_s + TOGETHER_S, loop.time()), self._due)

    def _due(self) -> None:
        self._timer = None
        self._flush()

    def _flush(self) -> None:
        if not self._unsent:
            return
        text = self._changes(self._unsent)
        self._unsent.clear()
        self._sent_at_s = asyncio.get_running_loop().time()
        for watcher in self._watchers:
            if watcher.told:
                watcher.outlet.put(text)

    def _snapshot(self, watcher: Watcher) -> None:
        """Nothing while there is no board yet: it follows when there is."""
        board = self._board
        if board.epoch:
            head = {"type": "snapshot", "epoch": board.epoch, "number": board.number, "now_ms": self._now_ms()}
            whole = head | {"items": msgspec.Raw(board.text()), "user": watcher.user, "role": watcher.role}
            watcher.outlet.put(_text(whole))

    def _changes(self, changed: Changed) -> str:
        return _text({"type": "changes", "number": self._board.number, "now_ms": self._now_ms(), "items": changed})

    def _beat(self, live: bool) -> str:
        return _text({"type": "beat", "number": self._board.number, "now_ms": self._now_ms(), "live": live})


def _text(message: Mapping[str, object]) -> str:
    return _ENCODER.encode(message).decode()
