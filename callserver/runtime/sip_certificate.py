"""The certificate of SIP over TLS: read beside the calls, and again when its files change; an alarm when it ends soon.

People before papers: one that has expired or names nobody is used all the same, for many a device does not look; where none
can be read the one of before stays in use, or TLS is off; UDP and TCP are served whatever it is.
"""

import asyncio
import datetime
import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from callserver.config import Config
from callserver.core.events import ConditionCleared, ConditionRaised, Event

ALARM = "tls:sip"
WARN_DAYS = 14
LOOK_EVERY_S = 60.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Read:
    """What a look at the files gave: `secure` where they are others than before and can be used; `trouble` or ""."""

    digest: str
    secure: ssl.SSLContext | None
    trouble: str


class SipCertificate:
    """See the module. `use` takes the server's side of TLS; `alarms` are those that ring."""

    def __init__(
        self,
        config: Config,
        use: Callable[[ssl.SSLContext], None],
        post: Callable[[Event], None],
        alarms: Callable[[], Mapping[str, str]],
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self._sip, self._use, self._post, self._alarms, self._now = config.sip, use, post, alarms, now
        self._digest = ""
        self._one = asyncio.Lock()

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            if not self._sip.tls:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Read the files now; those that changed come into use."""
        if self._sip.tls_cert is None or self._sip.tls_key is None:
            self._say("")
            return
        async with self._one:
            read = await asyncio.to_thread(self._read, self._sip.tls_cert, self._sip.tls_key)
            if read.secure is not None:
                self._digest = read.digest
                self._use(read.secure)
                log.info("tls.certificate", file=str(self._sip.tls_cert))
        self._say(read.trouble)

    def _read(self, certificate: Path, key: Path) -> _Read:
        """In a thread: a disk may take its time, and so does the library."""
        from callserver.web.tls import look_at, server_side

        digest, secure = _digest(*(file for file in (certificate, key, self._sip.tls_client_ca) if file is not None)), None
        found = look_at(certificate, key, self._now(), "sip")
        if digest != self._digest:
            try:
                secure = server_side(certificate, key, self._sip.tls_client_ca)
            except (OSError, ValueError) as error:
                stays = "the certificate of before stays in use" if self._digest else "SIP over TLS is off"
                return _Read(digest, None, f"{stays}: {found.faults[0] if found.faults else f'[sip] tls_cert: {error}'}")
        if found.faults:
            return _Read(digest, secure, found.faults[0])
        soon = found.ends is not None and found.ends - self._now() < datetime.timedelta(days=WARN_DAYS)
        return _Read(digest, secure, f"[sip] tls_cert: {certificate} expires on {found.ends:%Y-%m-%d}" if soon else "")

    def _say(self, trouble: str) -> None:
        known = self._alarms().get(ALARM)
        if known is not None and known != trouble:
            self._post(ConditionCleared(ALARM))
        if trouble and known != trouble:
            log.warning("tls.trouble", trouble=trouble)
            self._post(ConditionRaised(ALARM, trouble))


def _digest(*files: Path) -> str:
    """Of what the files hold; one that cannot be read counts as empty."""
    whole = hashlib.sha256()
    for file in files:
        try:
            whole.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            whole.update(b"-")
    return whole.hexdigest()
