"""A real peer as a process: its own group, its own log, ended by its id whatever happens."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.eventually import eventually_sync


class Peer:
    """A program that runs in `directory` and writes all it says to `directory/log`.

    Use it as a context; `stop` may be called twice. Should the test run itself be killed, the kernel ends the peer.
    """

    program = ""

    def __init__(self, directory: Path) -> None:
        """Nothing runs yet; the directory is made."""
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where all its output goes."""
        return self.directory / "log"

    def log_text(self) -> str:
        """What it has said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def spawn(self, arguments: Sequence[str], stdin: int = subprocess.DEVNULL, env: Mapping[str, str] | None = None) -> None:
        """Start it. AssertionError when it is not installed: a missing peer is a failed test, never a skipped one."""
        path = shutil.which(self.program)
        assert path is not None, f"{self.program} is not installed: run ./install.sh --test"
        ward = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*ward, path, *arguments],
                cwd=self.directory,
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End it: a request, then a kill of its whole group."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(1.5)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        self.process.wait(5)
        if self.process.stdin is not None:
            self.process.stdin.close()

    def kill(self) -> None:
        """End it as a power cut would: it says goodbye to nobody."""
        assert self.process is not None, "not started"
        self._signal(signal.SIGKILL)
        self.process.wait(5)

    def freeze(self) -> None:
        """Stop it in its tracks (SIGSTOP); `thaw` lets it go on."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._signal(signal.SIGCONT)

    def wait_for(self, condition: str, within_s: float) -> None:
        """Wait until the log holds the text `condition`. AssertionError with the log when it is not said."""

        def said() -> bool:
            return condition in self.log_text() or not self.running

        with suppress(AssertionError):
            eventually_sync(said, within_s)
        assert condition in self.log_text(), f"{self.program} did not say {condition!r}; its log:\n{self.log_text()[-4000:]}"

    def _signal(self, number: int) -> None:
        assert self.process is not None, "not started"
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
