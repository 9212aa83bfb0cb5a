"""Who goes first when the cores are full: supervisor, switchboard and the threads that carry sound, where the system allows it.

A call that cannot be ended because nobody decides would hold its share of the cores for ever, so whoever decides is in the
first rank; searches and recordings are in the last.

Linux gives each thread a niceness of its own (setpriority(2)). Going below 0 needs root, CAP_SYS_NICE or LimitNICE; without them
all goes on the same, and a busy machine delays it more. Children inherit a niceness, hence `rank`.
"""

import contextlib
import os
from pathlib import Path

FIRST, ORDINARY, LATER, LAST = -10, 0, 5, 10
_NATIVE = frozenset({"media", "clock"})  # what pjmedia calls its RTP reader and its conference clock


def rank(niceness: int) -> None:
    """Put the calling thread, and what it starts from now on, into a rank."""
    _put(0, niceness)


def prefer_native_threads() -> None:
    """pjmedia's own threads; call when the clock runs."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            if (task / "comm").read_text().strip() in _NATIVE:
                _put(int(task.name), FIRST)


def _put(thread: int, niceness: int) -> None:
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, thread, niceness)
