"""What could not be written to the database, in order: the spool file, and memory when the spool's disk fails as well.

Order rule: everything in the file is older than everything in memory. Not safe for several threads: the writer locks.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from callserver.store.ops import Op
from callserver.store.spool import Spool


class Kept(StrEnum):
    """Where an op is once its future resolves."""

    JOURNAL = "journal"  # committed; for facts, numbered
    SPOOL = "spool"  # on disk, in order, not numbered yet
    MEMORY = "memory"  # both disks refuse; lost if this process dies now
    LOST = "lost"  # both disks refuse and memory's bound is reached


class Backlog:
    """Spool and memory as one queue. `lost` counts ops that memory had no room for."""

    def __init__(self, path: Path, memory_limit: int) -> None:
        self._spool = Spool(path)
        self._memory: deque[Op] = deque()
        self._memory_limit = memory_limit
        self.lost = 0
        self.fault = ""  # why the spool failed last; "" while it works

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._memory and self._spool.size() == 0

    def describe(self) -> str:
        """What people should know of it: "" while the spool takes everything. No counts: the same trouble keeps its words."""
        parts = []
        if self.fault:
            parts.append(f"the spool fails too ({self.fault}), so facts are in memory alone")
        if self.lost:
            parts.append("facts were lost: memory's bound is reached")
        return "; ".join(parts)

    def add(self, ops: Sequence[Op]) -> Kept:
        """Keep `ops` behind all others; says where. Partly lost counts as LOST."""
        if self._save([*self._memory, *ops]):
            self._memory.clear()
            return Kept.SPOOL
        # the order rule holds: while memory has anything, a file that works again gets memory's ops first
        room = max(0, self._memory_limit - len(self._memory))
        self._memory.extend(ops[:room])
        self.lost += len(ops[room:])
        return Kept.MEMORY if room >= len(ops) else Kept.LOST

    def read(self, offset: int, limit: int) -> tuple[list[Op], int]:
        """Like Spool.read, for the file's part; what memory holds is written to the file first if it now can."""
        if self._memory and self._save(list(self._memory)):
            self._memory.clear()
        return self._spool.read(offset, limit)

    def first_in_memory(self, limit: int) -> list[Op]:
        """The oldest ops of memory; they stay until `forget`."""
        return [self._memory[i] for i in range(min(limit, len(self._memory)))]

    def forget(self, ops: Sequence[Op]) -> None:
        """These, got from `first_in_memory`, are in the database (those that went to the file meanwhile are left there)."""
        for op in ops:
            if not self._memory or self._memory[0] is not op:
                return
            self._memory.popleft()

    def all(self) -> Iterator[Op]:
        """Everything that waits, in order."""
        yield from self._spool.all()
        yield from tuple(self._memory)

    def clear_file(self) -> None:
        """All of the file is in the database. OSError: it must be drained again later."""
        self._spool.clear()

    def _save(self, ops: Sequence[Op]) -> bool:
        try:
            self._spool.append(ops)
        except OSError as fault:
            self.fault = f"{fault.strerror or fault}"
            return False
        self.fault = ""
        return True
