"""The demo's side of its simulated phones: starts their processes, gives them orders, reads their news."""

import ctypes
import json
import os
import signal
import subprocess
import sys
import wave
from dataclasses import asdict, dataclass, field
from pathlib import Path

from audio.speech import NoSpeech
from audio.speech import say as spoken
from audio.tones import tone

MOST_CALLS = 4  # that the engine of one process holds
RATE_HZ = 8000
_PAUSE_S = 4
_SET_DEATH_SIGNAL = 1  # prctl(2), PR_SET_PDEATHSIG


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process of phones is. `passwords`: user -> password, "" for one that does not register. `port` 0: any."""

    passwords: dict[str, str]
    server: str
    domain: str
    help: str
    port: int
    play: str

    def line(self) -> bytes:
        """The first line of its standard input, where other users of the machine do not see the passwords."""
        return json.dumps(asdict(self)).encode() + b"\n"


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

    def order(self, user: str, verb: str) -> bool:
        """`press` or `hangup`; False where the phone's process has died."""
        return _write(self.of_user[user], f"{verb} {user}\n".encode())

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


def voice(path: Path, text: str, hz: float) -> str:
    """A file in which a party says this and pauses, again and again; a tone of `hz` where there is no speech. Its path."""
    try:
        samples = spoken(text, "en", RATE_HZ)
    except NoSpeech:
        samples = tone(hz, 2.0, RATE_HZ)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(samples.astype("<i2").tobytes() + bytes(2 * RATE_HZ * _PAUSE_S))
    return str(path)


def end_with_parent() -> None:
    """For a child before it begins: SIGTERM when the demo dies, however it does."""
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
