"""Save, then act: what goes to the wire on a dialog's change waits until the change is stored (at most 250 ms).

State older than the wire is worse than none: a successor would act on it. So each leg has a row of steps, done in their
order: store the record as it was when the step was asked for, then act. An action looks at the state again before it sends,
because the leg may have ended while the record was on its way.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from callserver.sip.interface import LegRecord, Storage

Action = Callable[[], None]


class Outbox:
    """The rows of all legs, by leg (or dialog) id."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._rows: dict[str, deque[tuple[LegRecord, Action]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def put(self, record: LegRecord, action: Action) -> None:
        """Store `record`, then call `action`; after everything that was put for the same leg before."""
        row = self._rows.setdefault(record.leg, deque())
        row.append((record, action))
        if record.leg not in self._tasks:
            self._tasks[record.leg] = asyncio.create_task(self._drain(record.leg, row))

    def busy(self, leg: str) -> bool:
        """Whether steps of this leg are still to be done."""
        return leg in self._rows

    async def settled(self) -> None:
        """Returns when all rows are empty (at the end, so that nothing promised is left undone)."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _drain(self, leg: str, row: deque[tuple[LegRecord, Action]]) -> None:
        try:
            while row:
                record, action = row.popleft()
                try:
                    await self._storage.save_leg(record)
                finally:  # people before papers: the call goes on whatever became of its record
                    action()
        finally:
            if row:  # a step failed: that is ours to mend, but the steps behind it must not be lost
                self._tasks[leg] = asyncio.create_task(self._drain(leg, row))
            else:
                self._rows.pop(leg, None)
                self._tasks.pop(leg, None)
