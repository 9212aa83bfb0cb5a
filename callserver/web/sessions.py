"""Who is signed in. The cookie holds a random token; memory and disk hold only its SHA-256.

The file in the run directory lets people stay signed in while the web process is replaced. It is a convenience: when it
cannot be written or read, sessions live in memory alone.
"""

import hashlib
import os
import secrets
from pathlib import Path

import msgspec

COOKIE = "callserver_session"
MAX_SESSIONS = 2_000


class Session(msgspec.Struct, frozen=True):
    """One signed-in browser or script. `expires_s` is UTC seconds."""

    user: str
    role: str
    expires_s: float


class Sessions:
    """All of them, by the hash of their token."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._sessions: dict[str, Session] = _read(file) if file is not None else {}

    def begin(self, user: str, role: str, expires_s: float, now_s: float) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        alive = {key: one for key, one in self._sessions.items() if one.expires_s > now_s}
        while len(alive) >= MAX_SESSIONS:
            alive.pop(min(alive, key=lambda key: alive[key].expires_s))
        self._sessions = {**alive, _hash(token): Session(user, role, expires_s)}
        self._keep()
        return token

    def find(self, token: str, now_s: float) -> Session | None:
        """The session of a cookie's token, unless it is over."""
        session = self._sessions.get(_hash(token))
        return session if session is not None and session.expires_s > now_s else None

    def end(self, token: str) -> None:
        """Sign out; repeating it is harmless."""
        if self._sessions.pop(_hash(token), None) is not None:
            self._keep()

    def end_user(self, user: str) -> None:
        """Sign a user out everywhere: the account is gone or has another role."""
        kept = {key: one for key, one in self._sessions.items() if one.user != user}
        if len(kept) != len(self._sessions):
            self._sessions = kept
            self._keep()

    def _keep(self) -> None:
        if self._file is None:
            return
        aside = self._file.with_suffix(".new")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(msgspec.json.encode(self._sessions))
            aside.replace(self._file)
        except OSError:
            return  # see the module: the file is a convenience


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read(file: Path) -> dict[str, Session]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Session])
    except (OSError, msgspec.DecodeError):
        return {}
