"""pjsip, headless, by pjsua2: a telephone that knows session timers (RFC 4028) and reliable provisional responses (RFC 3262).

It takes every call (180, 183, 200) and plays a tone in each. What it heard stands in `heard.wav`, all its SIP in its log.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path

from tests.peers.ports import Ports
from tests.peers.process import Peer
from tests.peers.tones import make_tone

_ROOT = Path(__file__).resolve().parents[2]


class Pjsip(Peer):
    """One account. `prack` is off, optional or mandatory; `timer_s` the interval that it always asks for, 0: none."""

    program = sys.executable

    def __init__(
        self,
        directory: Path,
        user: str,
        ports: Ports,
        *,
        password: str = "",
        server: tuple[str, int] | None = None,
        register: bool = True,
        hz: float = 500.0,
        prack: str = "optional",
        timer_s: int = 0,
        host: str = "127.0.0.1",
        sip_port: int = 0,
    ) -> None:
        super().__init__(directory)
        self.sip_port, self.rtp_port = sip_port or ports.take(), ports.take(2, even=True)
        self._settings = {
            "user": user, "password": password, "domain": server[0] if server else host, "register": register,
            "server": f"{server[0]}:{server[1]}" if server else "", "host": host, "sip_port": self.sip_port,
            "rtp_port": self.rtp_port, "tone": str(make_tone(directory / "tone.wav", hz)), "prack": prack, "timer_s": timer_s,
        }  # fmt: skip

    def start(self, within_s: float = 10.0) -> "Pjsip":
        """Start it and wait until it takes orders; with a server also for its registration."""
        script = str(_ROOT / "tests" / "peers" / "pjsip_phone.py")
        self.spawn([script, json.dumps(self._settings)], stdin=subprocess.PIPE)
        self.wait_for("\nready\n", within_s)
        if self._settings["server"] and self._settings["register"]:
            self.wait_for("registered 200", within_s)
        return self

    def order(self, text: str) -> None:
        """`call URI` or `hangup`."""
        assert self.process is not None and self.process.stdin is not None, "not started"
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def established(self) -> bool:
        """Whether a call stood."""
        return "state CONFIRMED" in self.log_text()

    def ended(self) -> bool:
        """Whether a call is over."""
        return "state DISCONNECTED" in self.log_text()

    def received_wav(self) -> Path:
        """What it heard so far."""
        return self.directory / "heard.wav"

    def sent(self, start: str) -> int:
        """How many requests or responses with this first line it sent."""
        return _count(self.log_text(), "TX", start)

    def got(self, start: str) -> int:
        """How many it received."""
        return _count(self.log_text(), "RX", start)


def _count(log: str, way: str, start: str) -> int:
    """Its log has a line of how many bytes went which way, then the message."""
    lines = log.splitlines()
    pairs = itertools.pairwise(lines)
    return sum(f"{way} " in line and " bytes " in line and after.startswith(start) for line, after in pairs)
