"""Whether the archivist may go on: where recordings are to be encrypted and the site's key is missing, they wait as captures."""

from collections.abc import Sequence

from callserver.archive.sealing import Sealing
from callserver.config import Config, ConfigError, site_keys
from callserver.control import Verb, ask_sync
from callserver.sealed import SiteKey

ALARM = "site-key"
TIMEOUT_S = 5.0


def sealing_of(config: Config) -> Sealing | None:
    """How files are encrypted here; None where they are not."""
    if not config.storage.encrypt_recordings:
        return None
    return Sealing(lambda: _keys(config), config.storage.site_key_file)


class SealingHere:
    """`sealing` is None where nothing is encrypted."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.sealing = sealing_of(config)
        self._told: str | None = None  # None: a predecessor may have raised it

    def ready(self) -> bool:
        """Whether the key is here, or none is needed; told once by an alarm. Raises `Unavailable` and `CommandRefused`."""
        why = self._why()
        if why != self._told:
            ask = (Verb.RAISE_ALARM, {"key": ALARM, "text": why}) if why else (Verb.CLEAR_ALARM, {"key": ALARM})
            ask_sync(self._config.storage.control_socket, *ask, TIMEOUT_S)
            self._told = why
        return not why

    def _why(self) -> str:
        if self.sealing is None:
            return ""
        try:
            found = site_keys(self._config)
        except ConfigError as error:
            return f"no recordings are made, captures are kept: {error}"
        file = self._config.storage.site_key_file
        what_to_do = f"put its copy back to {file}" if file else "give it by CALLSERVER_SITE_KEY or [storage] site_key_file"
        return "" if found else f"no recordings are made, captures are kept: the site's key is missing, {what_to_do}"


def _keys(config: Config) -> Sequence[SiteKey]:
    try:
        return site_keys(config)
    except ConfigError:
        return ()
