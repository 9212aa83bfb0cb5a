"""What the switchboard looks at by itself: hanging workers every 50 ms, room on its disks and missing prompts every 5 s."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from callserver.config import Config
from callserver.core.events import ConditionCleared, ConditionRaised, Event
from callserver.runtime.seats import Seats
from callserver.runtime.sound import Sound

HANG_EVERY_S = 0.05
DISK_EVERY_S = 5.0
LOW_BYTES = 1 << 30
FULL_BYTES = 64 << 20


class Watchers:
    """See the module. The disk is asked in a thread: a stalled one must not stall calls."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        config: Config,
        sound: Sound,
        seats: Seats,
        post: Callable[[Event], None],
        look_at_levels: Callable[[], None] = lambda: None,
    ) -> None:
        self.loop, self.sound, self.seats, self.post, self._look_at_levels = loop, sound, seats, post, look_at_levels
        self.disks = {"data": Path(config.storage.data), "spool": Path(config.storage.spool)}
        self.raised: dict[str, str | None] = {
            f"disk:{name}": None for name in self.disks
        }  # None: not known, from before a restart
        self._timer: asyncio.TimerHandle | None = None
        self._disk_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._look()
        self._disk_task = self.loop.create_task(self._look_at_disks())

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()
        if self._disk_task is not None:
            self._disk_task.cancel()

    def _look(self) -> None:
        self.sound.watch()
        self.seats.watch()
        self._look_at_levels()
        self._timer = self.loop.call_later(HANG_EVERY_S, self._look)

    async def _look_at_disks(self) -> None:
        while True:
            for name, path in self.disks.items():
                try:
                    free = (await asyncio.wait_for(asyncio.to_thread(shutil.disk_usage, path), 2.0)).free
                except TimeoutError:
                    self._say(f"disk:{name}", f"the disk of {name} does not answer")
                    continue
                except OSError as error:
                    self._say(f"disk:{name}", f"the disk of {name} cannot be read: {error}")
                    continue
                self._say(f"disk:{name}", _words(name, free))
            await self._look_for_prompts()
            await asyncio.sleep(DISK_EVERY_S)

    async def _look_for_prompts(self) -> None:
        """Whether a prompt that was missing has been made meanwhile."""
        for name, path in list(self.sound.missing_prompts.items()):
            try:
                if await asyncio.wait_for(asyncio.to_thread(path.exists), 2.0):
                    self.sound.prompt_found(name)
            except (TimeoutError, OSError):
                continue

    def _say(self, key: str, text: str) -> None:
        known = self.raised[key]
        if text == known:
            return
        self.raised[key] = text
        if known != "":
            self.post(ConditionCleared(key))
        if text:
            self.post(ConditionRaised(key, text))


def _words(name: str, free: int) -> str:
    if free < FULL_BYTES:
        return f"the disk of {name} is full"
    return f"the disk of {name} has less than 1 GiB free" if free < LOW_BYTES else ""
