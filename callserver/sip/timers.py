"""One timer for all of SIP: named deadlines in a heap, one wake-up of the event loop for the nearest.

Every machine states its next deadline after each step; nothing here sleeps and no transaction has a task.
"""

import asyncio
import heapq
from collections.abc import Callable, Hashable
from itertools import count

_LONGEST_S = 60.0  # look again at least so often: the loop's clock stands still while the host sleeps, ours does not


class Timers:
    """Deadlines in nanoseconds of `clock`. A key has at most one deadline; setting it again replaces it."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Hashable]] = []
        self._due: dict[Hashable, tuple[int, Callable[[int], None]]] = {}
        self._numbers = count()
        self._wake: asyncio.TimerHandle | None = None
        self._wake_ns = 0
        self._stopped = False

    def set(self, key: Hashable, at_ns: int | None, action: Callable[[int], None]) -> None:
        """Call `action(now)` once at `at_ns`; None clears the key."""
        if at_ns is None:
            self._due.pop(key, None)
            return
        had = self._due.get(key)
        self._due[key] = (at_ns, action)
        if had is None or had[0] != at_ns:
            heapq.heappush(self._heap, (at_ns, next(self._numbers), key))
            self._arm()

    def clear(self, key: Hashable) -> None:
        """Forget the key's deadline."""
        self._due.pop(key, None)

    def run(self) -> None:
        """Perform what is due. Called by the loop; tests that move the clock call it themselves."""
        now = self._clock()
        self._wake = None
        try:
            while self._heap and self._heap[0][0] <= now:
                at_ns, _, key = heapq.heappop(self._heap)
                due = self._due.get(key)
                if due is not None and due[0] == at_ns:
                    del self._due[key]
                    due[1](now)
        finally:  # one action that fails must not stop the others' time
            self._arm()

    def stop(self) -> None:
        """No action any more."""
        self._stopped = True
        self._due.clear()
        self._heap.clear()
        if self._wake is not None:
            self._wake.cancel()

    def _arm(self) -> None:
        if self._stopped or not self._heap:
            return
        nearest = self._heap[0][0]
        if self._wake is not None:
            if self._wake_ns <= nearest:
                return
            self._wake.cancel()
        delay_s = min(max(0.0, (nearest - self._clock()) / 1e9), _LONGEST_S)
        self._wake_ns = nearest
        self._wake = asyncio.get_running_loop().call_later(delay_s, self.run)
