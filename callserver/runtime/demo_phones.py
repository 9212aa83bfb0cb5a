"""The demo's side of its simulated phones: starts their processes, gives them orders, reads their news."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from callserver.runtime.street_talk import Script

MOST_CALLS = 4  # that the engine of one process holds
_SET_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process of phones is. `passwords`: user -> password, "" for one that has none. `port` 0: any.

    A user's `scripts` are taken one after the other, a new one for each conversation that begins anew. Who has none plays the
    file `play` again and again. `silence` is a file too. A `desk` begins anew with every call that comes, and answers after
    `answer_ms` (None: when it is told to). Points go on where they were when they are called back.
    """

    passwords: Mapping[str, str]
    server: str
    domain: str
    help: str
    silence: str
    port: int = 0
    play: str = ""
    scripts: Mapping[str, tuple[Script, ...]] = field(default_factory=dict)
    registers: bool = True
    desk: bool = False
    answer_ms: int | None = 0

    def line(self) -> bytes:
        """The first line of its standard input, where other users of the machine do not see the passwords."""
        return msgspec.json.encode(self) + b"\n"

    @classmethod
    def of(cls, line: bytes) -> "Setup":
        """What `line` made a line of."""
        return msgspec.json.decode(line, type=cls)


@dataclass(slots=True)
class Lines:
    """Whole lines out of what a descriptor gives piece by piece."""

    waiting: bytes = b""

    def of(self, descriptor: int) -> list[str] | None:
        """The lines that one read completes; None at the end of it."""
        try:
            came = os.read(descriptor, 4096)
        except OSError:  # a terminal that is not ours to read from
            return None
        if not came:
            return None
        *whole, self.waiting = (self.waiting + came).split(b"\n")
        return [line.decode("utf-8", "replace").strip() for line in whole]


@dataclass(slots=True)
class Phones:
    """The processes, and which of them each user's phone is in."""

    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    of_user: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, setup: Setup) -> None:
        """One more process."""
        command = [sys.executable, "-m", "callserver.runtime.simulated_phone"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, bufsize=0)
        self.processes.append(process)
        self.of_user.update(dict.fromkeys(setup.passwords, process))
        _write(process, setup.line())

    def order(self, user: str, verb: str, what: str = "") -> bool:
        """`press`, `hangup`, `walk`, `answer`, `automatic`, `by-hand`, `dial`, `keys`, `leave`; False where its process died."""
        return _write(self.of_user[user], f"{verb} {user} {what}".rstrip().encode() + b"\n")

    def beside(self, user: str) -> list[str]:
        """The users whose phones are in the same process, this one included."""
        return [each for each, process in self.of_user.items() if process is self.of_user[user]]

    def cut(self, user: str, dead: bool) -> None:
        """Cut the cable that this phone and those beside it hang on, or mend it: the process stands still without a word."""
        self.of_user[user].send_signal(signal.SIGSTOP if dead else signal.SIGCONT)

    def stop(self) -> None:
        """End them all."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _write(process: subprocess.Popen[bytes], line: bytes) -> bool:
    assert process.stdin is not None
    try:
        process.stdin.write(line)
    except BrokenPipeError:
        return False
    return True


def groups(passwords: dict[str, str]) -> list[dict[str, str]]:
    """As many points in a process as it can hold calls."""
    users = list(passwords)
    return [{user: passwords[user] for user in users[at : at + MOST_CALLS]} for at in range(0, len(users), MOST_CALLS)]


def end_with_parent() -> None:
    """For a child before it begins: SIGTERM when the demo dies, however it does."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
