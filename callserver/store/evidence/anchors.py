"""Anchors: where a checkpoint is written so that whoever has this machine cannot take it back.

`anchors_of` reads `[evidence] anchors`. Each kind sends one checkpoint and returns when it is there, as far as that can be
known; it blocks, so `Anchoring` gives every attempt a thread of its own and waits for none.
"""

import email.policy
import errno
import http.client
import os
import smtplib
import socket
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import structlog

from callserver.config import Config, ConfigError, mail_password
from callserver.core.facts import CheckpointSigned
from callserver.store.evidence.statement import line_of

TIMEOUT_S = 5.0
SECOND_NS = 1_000_000_000
AGAIN_NS = 60 * SECOND_NS
PATIENCE_NS = 30 * SECOND_NS  # an attempt without outcome for longer is an alarm
DAY_NS = 24 * 3600 * SECOND_NS

_LOCAL_SYSLOG = "/dev/log"
_PORTS = {"http": 80, "https": 443}
_AUTHPRIV_NOTICE = 10 * 8 + 5  # RFC 5424 6.2.1
_FAULTS = (OSError, ValueError, http.client.HTTPException, smtplib.SMTPException, ConfigError)
_log = structlog.get_logger("anchors")

Send = Callable[[CheckpointSigned], None]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is sent elsewhere would arrive as a GET without its body."""

    def redirect_request(self, *_: Any) -> None:
        return None


def to_file(path: Path, checkpoint: CheckpointSigned) -> None:
    """Append the checkpoint's line, on the disk when this returns; the directory must be there. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        line = f"{line_of(checkpoint)}\n".encode()
        if os.write(handle, line) != len(line):
            raise OSError(errno.ENOSPC, "the disk is full")
        os.fsync(handle)
    finally:
        os.close(handle)


def to_webhook(url: str, checkpoint: CheckpointSigned) -> None:
    """POST the checkpoint as JSON; anything but 2xx raises OSError, as does silence."""
    told = {"checkpoint": line_of(checkpoint), "number": checkpoint.number, "hash": checkpoint.hash}
    headers = {"Content-Type": "application/json", "User-Agent": "callserver"}
    request = urllib.request.Request(url, msgspec.json.encode(told), headers, method="POST")
    secure = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), secure, _NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            status = int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"it answered {error.code}") from error
    if not 200 <= status < 300:
        raise OSError(f"it answered {status}")


def to_syslog(address: str | tuple[str, int], checkpoint: CheckpointSigned) -> None:
    """A datagram to syslog. Raises OSError where nobody listens on this machine; UDP to another is never confirmed."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.settimeout(TIMEOUT_S)
        sock.sendto(f"<{_AUTHPRIV_NOTICE}>callserver: {line_of(checkpoint)}".encode(), address)


def to_mail(config: Config, recipient: str, checkpoint: CheckpointSigned) -> None:
    """A mail by the configured server. Raises OSError, smtplib.SMTPException or ConfigError."""
    message = EmailMessage(email.policy.SMTP.clone(max_line_length=990))  # the line must arrive in one piece
    message["From"], message["To"] = config.mail.sender, recipient
    message["Subject"] = f"callserver {config.sip.domain}: checkpoint {checkpoint.sequence}"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content(f"Keep this mail: it shows what the journal was.\n\n{line_of(checkpoint)}\n", cte="7bit")
    secure = ssl.create_default_context()
    tls, host, port = config.mail.security == "tls", config.mail.host, config.mail.port
    plain, wrapped = smtplib.SMTP, smtplib.SMTP_SSL
    with wrapped(host, port, timeout=TIMEOUT_S, context=secure) if tls else plain(host, port, timeout=TIMEOUT_S) as server:
        if config.mail.security == "starttls":
            server.starttls(context=secure)
        if config.mail.user:
            server.login(config.mail.user, mail_password(config))
        server.send_message(message)


@dataclass(slots=True)
class Anchor:
    """One place outside, and how far it has come."""

    name: str
    send: Send
    every_ns: int = 0  # at most as often
    sequence: int = 0  # of the newest checkpoint that is there
    due_ns: int = 0
    attempt: "_Attempt | None" = None


def anchors_of(config: Config) -> list[Anchor]:
    """What the configuration names, in its order."""
    return [_anchor(config, name) for name in config.evidence.anchors]


def files_of(config: Config) -> list[Path]:
    """The anchors that are files, which `callserver verify` can read."""
    return [Path(name.removeprefix("file:")) for name in config.evidence.anchors if name.startswith("file:")]


def _anchor(config: Config, name: str) -> Anchor:
    scheme, _, rest = name.partition(":")
    if scheme == "file":
        return Anchor(name, lambda checkpoint: to_file(Path(rest), checkpoint))
    if scheme == "mailto":
        return Anchor(name, lambda checkpoint: to_mail(config, rest, checkpoint), DAY_NS)
    if scheme == "syslog":
        host, _, port = rest.removeprefix("//").rpartition(":")
        address = (host, int(port)) if rest else _LOCAL_SYSLOG
        return Anchor(name, lambda checkpoint: to_syslog(address, checkpoint))
    return Anchor(name, lambda checkpoint: to_webhook(name, checkpoint))


@dataclass(slots=True)
class _Attempt:
    checkpoint: CheckpointSigned
    since_ns: int
    fault: str = ""
    told: bool = False  # that it takes too long
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, send: Send) -> None:
        try:
            send(self.checkpoint)
        except _FAULTS as error:
            self.fault = _plain(error)
        finally:
            self.over.set()


class Anchoring:
    """Brings the newest checkpoint to each anchor. `step` never waits; an anchor that hangs holds up no other."""

    def __init__(
        self,
        anchors: Sequence[Anchor],
        raise_alarm: Callable[[str, str], None],
        clear_alarm: Callable[[str], None],
        now_ns: Callable[[], int],
    ) -> None:
        """The alarms' keys are `anchor:NAME`."""
        self._anchors = anchors
        self._raise_alarm, self._clear_alarm = raise_alarm, clear_alarm
        self._now_ns = now_ns

    def step(self, newest: CheckpointSigned | None) -> None:
        """Look at attempts under way and begin those that are due."""
        for anchor in self._anchors:
            if anchor.attempt is not None:
                self._look_after(anchor, anchor.attempt)
            behind = newest is not None and anchor.sequence < newest.sequence
            if newest is not None and behind and anchor.attempt is None and self._now_ns() >= anchor.due_ns:
                anchor.attempt = _Attempt(newest, self._now_ns())
                threading.Thread(target=anchor.attempt.run, args=(anchor.send,), name="anchor", daemon=True).start()

    def _look_after(self, anchor: Anchor, attempt: _Attempt) -> None:
        now_ns = self._now_ns()
        if not attempt.over.is_set():
            if now_ns - attempt.since_ns >= PATIENCE_NS and not attempt.told:
                attempt.told = True
                self._raise_alarm(f"anchor:{anchor.name}", "the checkpoint cannot be written there: it does not answer")
            return
        anchor.attempt = None
        if attempt.fault:
            anchor.due_ns = now_ns + AGAIN_NS
            _log.warning("anchor failed", anchor=anchor.name, why=attempt.fault)
            self._raise_alarm(f"anchor:{anchor.name}", f"the checkpoint cannot be written there: {attempt.fault}")
            return
        anchor.sequence, anchor.due_ns = attempt.checkpoint.sequence, now_ns + anchor.every_ns
        self._clear_alarm(f"anchor:{anchor.name}")


def _plain(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(getattr(error, "reason", "")) or str(error) or type(error).__name__
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[:200]


def unreached(config: Config, name: str) -> str:
    """Why a checkpoint would not arrive at an anchor, in words; "" where nothing speaks against it. It sends none.

    It waits for `TIMEOUT_S` at most, several times over for names with several addresses. UDP is never confirmed.
    """
    scheme, _, rest = name.partition(":")
    try:
        if scheme == "file":
            return _unwritable(Path(rest))
        if scheme == "syslog" and not rest:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.connect(_LOCAL_SYSLOG)
        elif scheme == "syslog":
            socket.getaddrinfo(rest.removeprefix("//").rpartition(":")[0], None)
        else:
            url = urllib.parse.urlsplit(name)
            there = (
                (config.mail.host, config.mail.port) if scheme == "mailto" else (url.hostname or "", url.port or _PORTS[scheme])
            )
            socket.create_connection(there, TIMEOUT_S).close()
    except _FAULTS as error:
        return _plain(error)
    return ""


def _unwritable(path: Path) -> str:
    if not path.parent.is_dir():
        return "its directory is not there"
    return "" if os.access(path if path.exists() else path.parent, os.W_OK) else "it may not be written"
