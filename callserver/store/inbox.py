"""Between those who append and the writer's threads: parcels of ops, their futures, and whether there is trouble.

Its lock is never held over I/O, so putting never waits. Invariant: while `troubled` is set nothing is taken for a direct
commit; all goes through the backlog, so nothing overtakes what lies there.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from callserver.store.backlog import Kept
from callserver.store.ops import Append, Op


@dataclass(frozen=True, slots=True)
class Appended:
    """What a future resolves with. `numbers` of the facts, in their order, if `kept` is JOURNAL, else empty."""

    kept: Kept
    numbers: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Parcel:
    """One order's ops, kept together. `aside`: they were given to the backlog."""

    ops: tuple[Op, ...]
    since: float
    future: "Future[Appended]" = field(default_factory=Future)
    aside: bool = False

    def resolve(self, result: Appended) -> None:
        """Tell where the ops are, once: writer and watch may both come to it."""
        if not self.future.done():
            self.future.set_result(result)


class Inbox:
    """What was put and is not yet committed. `limit_ops` bounds it when both disks hang."""

    def __init__(self, limit_ops: int) -> None:
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)
        self._aged = threading.Condition(self._lock)
        self._parcels: deque[Parcel] = deque()
        self._under_way: list[Parcel] = []
        self._ops = 0
        self._limit_ops = limit_ops
        self._closing = False
        self.troubled = False
        self.refused = 0

    def put(self, ops: tuple[Op, ...]) -> "Future[Appended]":
        """Add ops; LOST at once when the bound is reached."""
        parcel = Parcel(ops, time.monotonic())
        parcel.future.set_running_or_notify_cancel()  # a caller that stops waiting must not cancel the fact
        with self._lock:
            if self._ops + len(ops) > self._limit_ops or self._closing:
                self.refused += len(ops)
                parcel.resolve(Appended(Kept.LOST))
                return parcel.future
            if not self._parcels:  # the watch may sleep: nothing to grow old, or what is under way lies in the backlog
                self._aged.notify()
            self._ops += len(ops)
            self._parcels.append(parcel)
            self._work.notify()
        return parcel.future

    def close(self) -> None:
        """Take nothing more; the threads end when all that is here has gone."""
        with self._lock:
            self._closing = True
            self._work.notify_all()
            self._aged.notify_all()

    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    def await_work(self, retry_at: float) -> bool:
        """Wait for parcels or, in trouble, for the monotonic time `retry_at`; False when closing and nothing is left."""
        with self._lock:
            while not self._parcels:
                if self._closing:
                    return False
                left = retry_at - time.monotonic() if self.troubled else None
                if left is not None and left <= 0:
                    break
                self._work.wait(left)
        return True

    def take(self, limit_ops: int) -> list[Op]:
        """The next parcels' ops for a commit; none in trouble. Followed by `committed` or `withdraw` and `gone`."""
        ops: list[Op] = []
        with self._lock:
            while self._parcels and not self.troubled and len(ops) < limit_ops:
                parcel = self._parcels.popleft()
                self._under_way.append(parcel)
                ops += parcel.ops
        return ops

    def committed(self, numbers: Mapping[str, int]) -> None:
        """What was taken is in the database."""
        with self._lock:
            for parcel in self._under_way:
                parcel.resolve(Appended(Kept.JOURNAL, tuple(numbers[op.id] for op in parcel.ops if isinstance(op, Append))))
            self.gone()

    def gone(self) -> None:
        """What was taken is no longer here, whatever became of it."""
        with self._lock:
            self._ops -= sum(len(parcel.ops) for parcel in self._under_way)
            self._under_way = []
            self._aged.notify()

    def withdraw(self, older_than_s: float = 0.0) -> list[Parcel]:
        """All parcels that are not in the backlog, for the backlog, if the oldest is old enough; sets `troubled`.

        What is under way stays so (the writer is at it), the rest leaves. The caller holds the backlog's lock.
        """
        with self._lock:
            parcels = [parcel for parcel in (*self._under_way, *self._parcels) if not parcel.aside]
            if not parcels or time.monotonic() - parcels[0].since < older_than_s:
                return []
            self.troubled = True
            for parcel in parcels:
                parcel.aside = True
            self._ops -= sum(len(parcel.ops) for parcel in self._parcels)
            self._parcels.clear()
            return parcels

    def resolve(self, parcels: Sequence[Parcel], kept: Kept) -> None:
        """Withdrawn parcels are kept there."""
        with self._lock:
            for parcel in parcels:
                parcel.resolve(Appended(kept))

    def await_aged(self, patience_s: float) -> bool:
        """Wait until something is older than the patience; False when closing and nothing is left."""
        with self._lock:
            while True:
                oldest = next((parcel for parcel in (*self._under_way, *self._parcels) if not parcel.aside), None)
                if oldest is None:
                    if self._closing and not self._under_way and not self._parcels:
                        return False
                    self._aged.wait()
                    continue
                left = oldest.since + patience_s - time.monotonic()
                if left <= 0:
                    return True
                self._aged.wait(left)
