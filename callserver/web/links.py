"""Sign-in links: a token that stands for a user until it expires, or until it is used.

`run/sign-in-links.json` (mode 0600, ours) maps the SHA-256 of each token to a `Link`; the token itself is kept nowhere. It is
written by `callserver users link` and by the demo, read by the web process, each under a lock.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

FILE = "sign-in-links.json"
MOST_LINKS = 1_000
_MOST_BYTES = 1 << 20


class Link(msgspec.Struct, frozen=True):
    """Whom it signs in, until when (UTC seconds), and whether it is void after its first use."""

    user: str
    expires_s: float
    once: bool = True


Links = Mapping[str, Link]


def make(directory: Path, link: Link, now_s: float) -> str:
    """A new link's token. Raises OSError when the file cannot be written, ValueError when it is not closed to others."""
    token = secrets.token_urlsafe(24)
    with _locked(directory):
        alive = {key: one for key, one in _read(directory / FILE).items() if one.expires_s > now_s}
        if len(alive) >= MOST_LINKS:
            raise ValueError(f"{MOST_LINKS} links are valid already; wait until some expire")
        _write(directory / FILE, {**alive, _hash(token): link})
    return token


def take(directory: Path, token: str, now_s: float) -> Link | None:
    """The link of a token that is valid now; one that is good for once is gone with this.

    Raises OSError when that cannot be written down, ValueError when the file is not closed to others or no such file at all.
    """
    key = _hash(token)
    if key not in _read(directory / FILE):
        return None
    with _locked(directory):
        links = _read(directory / FILE)
        link = links.get(key)
        if link is None or link.expires_s <= now_s:
            return None
        if link.once:
            _write(directory / FILE, {other: one for other, one in links.items() if other != key})
        return link


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory / f"{FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> Links:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    with os.fdopen(descriptor, "rb") as opened:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid() or stat.S_IMODE(state.st_mode) & 0o077:
            raise ValueError(f"{file} must be ours and have mode 0600")
        return msgspec.json.decode(opened.read(_MOST_BYTES), type=dict[str, Link])


def _write(file: Path, links: Links) -> None:
    aside = file.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(links))
    if os.geteuid() == 0:  # made by root for a service that is another user's
        owner = file.parent.stat()
        os.chown(aside, owner.st_uid, owner.st_gid)
    aside.replace(file)
