"""baresip, headless: a help point or an operator's softphone that plays a tone and keeps what it hears.

Made for baresip 1.0.0 of Debian 12. It is driven over its control connection (netstrings of JSON); what happened to it
arrives there as events, each kept with the moment of its arrival. Nothing here waits on the server under test except
what says so: use `eventually(point.registered, 5)` and the like.
"""

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.eventually import eventually_sync
from tests.peers.ports import Ports
from tests.peers.process import Peer
from tests.peers.tones import make_tone

_CONFIG = """\
poll_method epoll
sip_listen {host}:{sip_port}
audio_source aufile,{tone}
audio_player aubridge,x
audio_alert aubridge,alert
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp_first}-{rtp_last}
rtcp_mux no
net_interface {host}
module_path /usr/lib/baresip/modules
module g711.so
module g722.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {directory}
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{ctrl_port}
"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something baresip told: `type` as CALL_RINGING, `param` its detail (the reason of CALL_CLOSED), `at_s` time.monotonic()."""

    at_s: float
    type: str
    peer_uri: str
    param: str


@dataclass(slots=True)
class _Replies:
    """Answers to commands by token, guarded by `changed`."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    by_token: dict[str, tuple[bool, str]] = field(default_factory=dict)


class Baresip(Peer):
    """One baresip with one account.

    `server` is the registrar's address, also where every call is sent (`None`: calls go straight to the URI's address);
    `register=False` keeps the server as next hop without a registration. `answer` is "auto" or "manual". With `hz` it plays
    that tone, with `tone_wav` that file (a mono 16-bit WAV at 8 kHz, 16 kHz for G.722; at its end baresip hangs up).
    """

    program = "baresip"

    def __init__(
        self,
        directory: Path,
        user: str,
        ports: Ports,
        *,
        password: str = "",
        server: tuple[str, int] | None = None,
        domain: str = "",
        register: bool = True,
        transport: str = "udp",
        hz: float = 440.0,
        tone_wav: Path | None = None,
        answer: str = "manual",
        codec: str = "pcma/8000/1",
        host: str = "127.0.0.1",
        register_every_s: int = 120,
        extra: str = "",
        ca: Path | None = None,
    ) -> None:
        """Writes its configuration. `extra` is added to the account line as it stands (";name=value"); `ca` is trusted by TLS."""
        super().__init__(directory)
        self.user, self.host = user, host
        self.sip_port, self.ctrl_port = ports.take(2), ports.take()
        self.rtp_ports = (first := ports.take(10, even=True), first + 9)
        self.events: list[Event] = []
        self._replies, self._number = _Replies(), 0
        self._control: socket.socket | None = None
        self._reader: threading.Thread | None = None
        rate = 16000 if codec.startswith("g722") else 8000
        tone = tone_wav or make_tone(directory / "tone.wav", hz, rate=rate)
        self._write_config(tone, rate, ca)
        realm = domain or (server[0] if server else host)
        account = f'"{user}" <sip:{user}@{realm};transport={transport}>;auth_user={user};auth_pass={password}'
        if server is not None:
            account += f';outbound="sip:{server[0]}:{server[1]};transport={transport}"'
        regint = register_every_s if server is not None and register else 0
        account += f";regint={regint};answermode={answer};audio_codecs={codec}{extra}\n"
        (directory / "accounts").write_text(account, encoding="utf-8")

    def _write_config(self, tone: Path, rate: int, ca: Path | None) -> None:
        text = _CONFIG.format(
            host=self.host,
            sip_port=self.sip_port,
            tone=tone,
            rate=rate,
            rtp_first=self.rtp_ports[0],
            rtp_last=self.rtp_ports[1],
            directory=self.directory,
            ctrl_port=self.ctrl_port,
        )
        text += f"sip_cafile {ca}\n" if ca is not None else ""
        (self.directory / "config").write_text(text, encoding="utf-8")

    @property
    def uri(self) -> str:
        """Where it can be called directly, without a server."""
        return f"sip:{self.user}@{self.host}:{self.sip_port}"

    def start(self, within_s: float = 10.0) -> "Baresip":
        """Start it and wait until it takes commands. Does not wait for the registration. AssertionError with its log."""
        self.spawn(["-f", str(self.directory)])
        try:
            eventually_sync(self._connect, within_s)
        except AssertionError:
            log = self.log_text()
            self.stop()
            raise AssertionError(f"baresip did not start; its log:\n{log}") from None
        self._reader = threading.Thread(target=self._read, name=f"baresip-{self.user}", daemon=True)
        self._reader.start()
        return self

    def stop(self) -> None:
        """End it (calls are hung up, the registration is withdrawn) and its reader."""
        super().stop()
        if self._reader is not None:
            self._reader.join(5)
        if self._control is not None:
            self._control.close()

    # ---- orders

    def dial(self, uri: str) -> None:
        """Call somebody."""
        self.command("dial", uri)

    def answer(self) -> None:
        """Answer the call that rings here."""
        self.command("accept")

    def hangup(self) -> None:
        """End the call: BYE, CANCEL, or 486 to one that rings here."""
        self.command("hangup")

    def digits(self, text: str) -> None:
        """Send DTMF by RFC 4733, key by key."""
        for digit in text:
            self.command("sndcode", digit)

    def command(self, name: str, params: str = "", within_s: float = 5.0) -> str:
        """Any command of baresip's menu; its answer. AssertionError when it refuses or does not answer."""
        assert self._control is not None, "not started"
        self._number += 1
        token = f"t{self._number}"
        order = json.dumps({"command": name, "params": params, "token": token}).encode()
        self._control.sendall(b"%d:%s," % (len(order), order))
        with self._replies.changed:
            came = self._replies.changed.wait_for(lambda: token in self._replies.by_token, within_s)
            assert came, f"baresip did not answer {name!r} within {within_s} s; its log:\n{self.log_text()[-2000:]}"
            good, text = self._replies.by_token.pop(token)
        assert good, f"baresip refused {name!r}: {text}"
        return text

    # ---- what is so

    def registered(self) -> bool:
        """Whether the registrar has accepted it (asked of baresip each time)."""
        return "OK " in self.command("reginfo")

    def seen(self, kind: str, after_s: float = 0.0) -> Event | None:
        """The first event of a kind (CALL_INCOMING, CALL_RINGING, CALL_PROGRESS, CALL_ESTABLISHED, CALL_CLOSED, REGISTER_OK,
        REGISTER_FAIL) after a moment of time.monotonic(), or None."""
        return next((event for event in list(self.events) if event.type == kind and event.at_s > after_s), None)

    def count(self, kind: str) -> int:
        """How many events of a kind there were."""
        return sum(event.type == kind for event in list(self.events))

    def in_call(self) -> bool:
        """Whether a call stands at this moment."""
        return "ESTABLISHED" in self.command("listcalls")

    def idle(self) -> bool:
        """Whether it has no call at all, not even one that rings."""
        return "Active calls (0)" in self.command("listcalls")

    def received_wavs(self) -> list[Path]:
        """What it heard, a file per call (or per change of codec), oldest first."""
        return sorted(self.directory.glob("dump-*-dec.wav"))

    def received_wav(self) -> Path:
        """What it heard in its last call; growing while the call stands. AssertionError while there is none yet."""
        files = self.received_wavs()
        assert files, f"{self.user} has not heard anything"
        return files[-1]

    # ---- the control connection

    def _connect(self) -> bool:
        assert self.running or self.process is None, self.log_text()
        try:
            self._control = socket.create_connection((self.host, self.ctrl_port), timeout=1)
        except OSError:
            return False
        self._control.settimeout(None)
        return True

    def _read(self) -> None:
        assert self._control is not None
        buffered = b""
        while True:
            try:
                data = self._control.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffered = self._take(buffered + data)

    def _take(self, buffered: bytes) -> bytes:
        while b":" in buffered:
            size, _, rest = buffered.partition(b":")
            if len(rest) <= int(size):
                break
            self._note(json.loads(rest[: int(size)].decode("utf-8", "replace"), strict=False))
            buffered = rest[int(size) + 1 :]
        return buffered

    def _note(self, message: dict[str, object]) -> None:
        if message.get("event"):
            kind, peer = str(message.get("type", "")), str(message.get("peeruri", ""))
            self.events.append(Event(time.monotonic(), kind, peer, str(message.get("param", ""))))
            return
        with self._replies.changed:
            self._replies.by_token[str(message.get("token", ""))] = (bool(message.get("ok")), str(message.get("data", "")))
            self._replies.changed.notify_all()
