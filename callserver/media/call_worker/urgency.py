"""The threads that carry sound go before everything else on the machine, where the system allows it.

Linux gives each thread a niceness of its own (setpriority(2)). Going below 0 needs root, CAP_SYS_NICE or LimitNICE; without them
sound is carried all the same, and a busy machine delays it more.
"""

import contextlib
import os
from pathlib import Path

NICENESS = -10
_NATIVE = frozenset({"media", "clock"})  # what pjmedia calls its RTP reader and its conference clock


def prefer_this_thread() -> None:
    """The calling thread carries sound."""
    _prefer(0)


def prefer_native_threads() -> None:
    """pjmedia's own threads; call when the clock runs."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            if (task / "comm").read_text().strip() in _NATIVE:
                _prefer(int(task.name))


def _prefer(thread: int) -> None:
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
