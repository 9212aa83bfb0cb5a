"""How often a sign-in may fail. Counts failures alone, in memory, bounded; time comes as an argument."""

from collections import OrderedDict, deque

WINDOW_S = 60.0
PER_USER_AND_SOURCE = 5
PER_SOURCE = 20
MAX_KEYS = 10_000


class SignInLimits:
    """Failures of the last minute by source, and by source and user. A stranger elsewhere cannot lock a user out."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait_s(self, user: str, source: str, now_s: float) -> float:
        """How long the source must wait before it may try again; 0 when it may."""
        limits = (((source, user), PER_USER_AND_SOURCE), ((source,), PER_SOURCE))
        return max(self._wait_s(key, limit, now_s) for key, limit in limits)

    def failed(self, user: str, source: str, now_s: float) -> None:
        """Count one failure."""
        for key in ((source, user), (source,)):
            failures = self._failures.setdefault(key, deque(maxlen=PER_SOURCE))
            failures.append(now_s)
            self._failures.move_to_end(key)
        while len(self._failures) > MAX_KEYS:
            self._failures.popitem(last=False)

    def succeeded(self, user: str, source: str) -> None:
        """The try was no failure after all: forget it, and the user's others from there."""
        self._failures.pop((source, user), None)
        of_source = self._failures.get((source,))
        if of_source:
            of_source.pop()

    def _wait_s(self, key: tuple[str, ...], limit: int, now_s: float) -> float:
        recent = [at for at in self._failures.get(key, ()) if now_s - at < WINDOW_S]
        return 0.0 if len(recent) < limit else WINDOW_S - (now_s - recent[-limit])
