"""Whether the service starts under another configuration than the last time, and which keys are others.

Values stay where they are. What is kept beside the store is a keyed hash of each value, under a key that lies with them and is
drawn anew with each change: enough to see that a value is another one, and of no use to whoever has the journal alone.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from callserver.config import Config
from callserver.core.facts import ConfigurationRead

KNOWN = ".configuration"  # below [storage] data; a name with a dot in front is in no backup
_KEY_BYTES = 32


class _Known(msgspec.Struct):
    digest: str
    key: str
    values: dict[str, str]


def read_now(config: Config, file: Path | None) -> ConfigurationRead | None:
    """The fact, where this configuration is another one than that of the last `remember`; None where it is not. Raises OSError.

    `file` is the one that was read; None: all keys have their defaults, and the digest is "".
    """
    known = _known(config)
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file is not None else ""
    if known is None:
        return ConfigurationRead(digest)
    values = _values(config, bytes.fromhex(known.key))
    changed = tuple(sorted(key for key in values.keys() | known.values.keys() if values.get(key) != known.values.get(key)))
    if digest == known.digest and not changed:
        return None
    return ConfigurationRead(digest, known.digest, changed)


def remember(config: Config, fact: ConfigurationRead) -> None:
    """This is the configuration from now on. Raises OSError."""
    key = secrets.token_bytes(_KEY_BYTES)
    path = config.storage.data / KNOWN
    aside = path.with_suffix(".new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.encode(_Known(fact.digest, key.hex(), _values(config, key))))
    aside.replace(path)


def _known(config: Config) -> _Known | None:
    """None where it was never read, or what is kept of it was damaged."""
    try:
        return msgspec.json.decode((config.storage.data / KNOWN).read_bytes(), type=_Known)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _values(config: Config, key: bytes) -> dict[str, str]:
    return {
        f"{section}.{name}": hmac.new(key, msgspec.json.encode(value), hashlib.sha256).hexdigest()
        for section, keys in config.model_dump(mode="json").items()
        for name, value in keys.items()
    }
