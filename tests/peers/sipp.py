"""SIPp: a scripted peer for what no polite telephone would send."""

from collections.abc import Sequence
from pathlib import Path

from tests.eventually import eventually
from tests.peers.ports import Ports
from tests.peers.process import Peer


class Sipp(Peer):
    """One run of a scenario, given as XML text, against `server`.

    `users` are lines of its injection file (`user;domain;[authentication username=… password=…]` become fields 0, 1, 2);
    `arguments` go to the command line as they stand, as ("-auth_uri", "help@help.test"). `transport` is "udp" or "tcp".
    """

    program = "sipp"

    def __init__(
        self,
        directory: Path,
        scenario: str,
        server: tuple[str, int],
        ports: Ports,
        *,
        users: Sequence[str] = (),
        arguments: Sequence[str] = (),
        transport: str = "udp",
        calls: int = 1,
        within_s: float = 20.0,
        host: str = "127.0.0.1",
        sip_port: int = 0,
    ) -> None:
        """Writes the scenario. The run gives up after `within_s` seconds by itself."""
        super().__init__(directory)
        (directory / "scenario.xml").write_text(scenario, encoding="utf-8")
        self.sip_port, self.rtp_port, self._within_s = sip_port or ports.take(), ports.take(4, even=True), within_s
        self._arguments = [f"{server[0]}:{server[1]}", "-sf", "scenario.xml", "-m", str(calls), "-nostdin"]
        self._arguments += ["-i", host, "-p", str(self.sip_port), "-mi", host, "-mp", str(self.rtp_port)]
        self._arguments += ["-t", {"udp": "u1", "tcp": "t1"}[transport], "-timeout", f"{int(within_s)}s", "-timeout_error"]
        self._arguments += ["-trace_msg", "-message_file", "messages.log", "-trace_err", "-error_file", "errors.log"]
        if users:
            (directory / "users.csv").write_text("\n".join(["SEQUENTIAL", *users, ""]), encoding="utf-8")
            self._arguments += ["-inf", "users.csv"]
        self._arguments += list(arguments)

    def start(self) -> "Sipp":
        """Start the run."""
        self.spawn(self._arguments)
        return self

    def done(self) -> bool:
        """Whether the run is over."""
        return not self.running

    async def run(self) -> str:
        """Start, wait to the end, and return all messages sent and received. AssertionError when the scenario failed."""
        self.start()
        try:
            await eventually(self.done, self._within_s + 5)
        finally:
            self.stop()
        assert self.process is not None
        assert self.process.returncode == 0, f"SIPp: {self.process.returncode}\n{self.errors()}\n{self.messages()[-4000:]}"
        return self.messages()

    def messages(self) -> str:
        """The trace of all messages so far."""
        path = self.directory / "messages.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def errors(self) -> str:
        """What went against the scenario."""
        path = self.directory / "errors.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
