"""linphonec, headless: an operator's softphone that plays a tone and keeps what it hears.

Made for linphone-cli 5.1 of Debian 12. Orders go to its standard input; what happened stands in its log.
"""

import os
import re
import subprocess
from pathlib import Path

from tests.peers.ports import Ports
from tests.peers.process import Peer
from tests.peers.tones import make_tone

_CONFIG = """\
[sip]
sip_port={udp}
sip_tcp_port={tcp}
sip_tls_port=0
bind_address={host}
guess_hostname=0
use_ipv6=0
media_encryption=none
contact=sip:{user}@{host}
default_proxy=0
{account}
[rtp]
audio_rtp_port={rtp}
bind_address={host}
[sound]
echocancellation=0
[video]
enabled=0
"""

_ACCOUNT = """
[proxy_0]
reg_proxy=<sip:{server};transport={transport}>
reg_route=<sip:{server};transport={transport}>
reg_identity=sip:{user}@{domain}
reg_expires=120
reg_sendregister=1
publish=0
[auth_info_0]
username={user}
passwd={password}
realm={domain}
"""

_REGISTRATION = re.compile("registered, identity|registered=-?[0-9]")
_CALL_BEGINS = re.compile("Receiving new incoming call|Establishing call id")


class Linphone(Peer):
    """One linphonec with one account. `answer` is "auto" or "manual"; `server` None: it only takes direct calls."""

    program = "linphonec"

    def __init__(
        self,
        directory: Path,
        user: str,
        ports: Ports,
        *,
        password: str = "",
        server: tuple[str, int] | None = None,
        domain: str = "",
        transport: str = "udp",
        hz: float = 1000.0,
        tone_wav: Path | None = None,
        answer: str = "manual",
        host: str = "127.0.0.1",
    ) -> None:
        """Writes its configuration; `domain` must be the registrar's realm (default: the server's host)."""
        super().__init__(directory)
        self.user, self.host = user, host
        self.sip_port = ports.take()
        self.rtp_port = ports.take(2, even=True)
        self._questions = 0
        self._automatic = answer == "auto"
        self._tone = tone_wav or make_tone(directory / "tone.wav", hz)
        account = ""
        if server is not None:
            where, realm = f"{server[0]}:{server[1]}", domain or server[0]
            account = _ACCOUNT.format(server=where, transport=transport, user=user, domain=realm, password=password)
        udp, tcp = (self.sip_port, 0) if transport == "udp" else (0, self.sip_port)
        text = _CONFIG.format(user=user, udp=udp, tcp=tcp, host=host, account=account, rtp=self.rtp_port)
        (directory / "linphonerc").write_text(text, encoding="utf-8")
        (directory / ".local/share/linphone").mkdir(parents=True, exist_ok=True)

    @property
    def uri(self) -> str:
        """Where it can be called directly, without a server."""
        return f"sip:{self.user}@{self.host}:{self.sip_port}"

    def start(self, within_s: float = 15.0) -> "Linphone":
        """Start it and wait until it takes orders. Does not wait for the registration. AssertionError with its log."""
        automatic = ["-a"] if self._automatic else []
        env = {**os.environ, "HOME": str(self.directory)}
        self.spawn(["-c", "linphonerc", "-d", "0", *automatic], stdin=subprocess.PIPE, env=env)
        try:
            self.order("soundcard use files")
            self.order(f"play {self._tone}")
            self.order(f"record {self.received_wav()}")
            self.wait_for("linphonec> record ", within_s)
        except BaseException:
            self.stop()
            raise
        return self

    def order(self, line: str) -> None:
        """Type a line at its prompt."""
        assert self.process is not None and self.process.stdin is not None, "not started"
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def dial(self, uri: str) -> None:
        """Call somebody."""
        self.order(f"call {uri}")

    def answer(self) -> None:
        """Answer the call that rings here."""
        self.order("answer")

    def hangup(self) -> None:
        """End every call."""
        self.order("terminate all")

    def digits(self, text: str) -> None:
        """Send DTMF, key by key."""
        for digit in text:
            self.order(digit)

    def registered(self) -> bool:
        """Whether the registrar has accepted it, by its answer to the last look; each look asks it again."""
        answers = _REGISTRATION.findall(self.log_text())
        if len(answers) >= self._questions:
            self._questions += 1
            self.order("status register")
        return bool(answers) and answers[-1] == "registered, identity"

    def ringing(self) -> bool:
        """Whether its last call is one that came in, and is not over."""
        return "Receiving new incoming call" in self._last_call() and not self.ended()

    def established(self) -> bool:
        """Whether its last call was answered, has sound and is not over."""
        return "Media streams established" in self._last_call() and not self.ended()

    def ended(self) -> bool:
        """Whether its last call is over: hung up, refused or failed."""
        return " ended (" in self._last_call() or " error.\n" in self._last_call()

    def calls(self) -> int:
        """How many calls there were, in and out."""
        return len(_CALL_BEGINS.findall(self.log_text()))

    def _last_call(self) -> str:
        text = self.log_text()
        begins = [found.start() for found in _CALL_BEGINS.finditer(text)]
        return text[begins[-1] :] if begins else ""

    def received_wav(self) -> Path:
        """What it heard, all calls in one file; growing while a call stands. It may not exist before the first."""
        return self.directory / "received.wav"
