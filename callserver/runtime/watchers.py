"""What the switchboard looks at by itself: hanging workers every 50 ms, room on its disks every 5 s."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from callserver.config import Config
from callserver.core.events import ConditionCleared, ConditionRaised, Event
from callserver.runtime.sound import Sound

HANG_EVERY_S = 0.05
DISK_EVERY_S = 5.0
LOW_BYTES = 1 << 30
FULL_BYTES = 64 << 20


class Watchers:
    """See the module. The disk is asked in a thread: a stalled one must not stall calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop, config: Config, sound: Sound, post: Callable[[Event], None]) -> None:
        self.loop, self.sound, self.post = loop, sound, post
        self.disks = {"data": Path(config.storage.data), "spool": Path(config.storage.spool)}
        self.raised: dict[str, str] = {}
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
            await asyncio.sleep(DISK_EVERY_S)

    def _say(self, key: str, text: str) -> None:
        if text and key not in self.raised:
            self.post(ConditionRaised(key, text))
            self.raised[key] = text
        elif not text and self.raised.pop(key, None) is not None:
            self.post(ConditionCleared(key))


def _words(name: str, free: int) -> str:
    if free < FULL_BYTES:
        return f"the disk of {name} is full"
    return f"the disk of {name} has less than 1 GiB free" if free < LOW_BYTES else ""
