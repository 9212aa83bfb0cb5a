"""Facts that the web service has to tell: who signed in, who listened. The switchboard journals them.

`journalled` returns when it is in the journal, or raises. `soon` never keeps anybody waiting: what the switchboard cannot
take now is kept in memory and told again, with the same id, so that it is journalled once.
"""

import asyncio
import uuid
from collections import deque
from typing import Any

import msgspec

from callserver.control import CommandClient, CommandRefused, Unavailable, Verb
from callserver.core.facts import Fact

MAX_KEPT = 1_000
RETRY_S = 2.0


class Notes:
    """See the module. `run` is the task that tells what was kept."""

    def __init__(self, commands: CommandClient) -> None:
        self._commands = commands
        self._kept: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self._wake = asyncio.Event()
        self.lost = 0  # pushed out of a full queue

    async def journalled(self, fact: Fact, id: str = "") -> None:
        """Journal the fact now, under a name of its own or a fresh one. Raises `Unavailable` or `CommandRefused`."""
        await self._commands.ask(Verb.NOTE_FACT, _note(fact, id))

    def soon(self, fact: Fact) -> None:
        """Journal the fact as soon as the switchboard takes it."""
        self.lost += len(self._kept) == MAX_KEPT
        self._kept.append(_note(fact))
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many are kept."""
        return len(self._kept)

    async def run(self) -> None:
        """Tell what is kept, oldest first, for ever."""
        while True:
            await self._wake.wait()
            while self._kept:
                note = self._kept[0]
                try:
                    await self._commands.ask(Verb.NOTE_FACT, note)
                except CommandRefused:
                    pass  # it will not take this one later either
                except Unavailable:
                    await asyncio.sleep(RETRY_S)
                    continue
                if self._kept and self._kept[0] is note:
                    self._kept.popleft()
            self._wake.clear()


def _note(fact: Fact, id: str = "") -> dict[str, Any]:
    return {"id": id or uuid.uuid4().hex, "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)}
