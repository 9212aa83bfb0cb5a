"""The archivist's look at the age of the last backup: an alarm when there should have been one and was not.

Backups are made by another process, from a timer of the system. A timer that stopped is noticed by nobody, so it is here.
"""

import time
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.store.backups import LastBackup
from callserver.store.engine import read_only

ALARM = "backup"
LOOK_EVERY_S = 60.0
HOUR_NS = 3_600_000_000_000
TIMEOUT_S = 5.0
log = structlog.get_logger()


class BackupAge:
    """Looks for ever; `look` is one."""

    def __init__(self, config: Config) -> None:
        self._socket = config.storage.control_socket
        self._hours = config.backup.alarm_after_hours
        self._engine = read_only(Path(config.storage.data))
        self._last = LastBackup()
        self._rings: bool | None = None  # None: a predecessor may have raised it
        self.worked_s = time.monotonic()

    def serve(self) -> None:
        """For ever."""
        while True:
            self.worked_s = time.monotonic()
            try:
                self.look(time.time_ns())
            except (SQLAlchemyError, Unavailable, CommandRefused) as error:
                log.warning("backup_age.not_told", error=str(error))
            time.sleep(LOOK_EVERY_S)

    def look(self, utc_ns: int) -> None:
        """Raise or clear. Raises SQLAlchemyError, and `Unavailable` or `CommandRefused` when the switchboard does not take it."""
        if self._hours:
            self._last.look(self._engine)
        text = trouble(self._last, self._hours, utc_ns)
        if bool(text) == self._rings:
            return
        if text:
            ask_sync(self._socket, Verb.RAISE_ALARM, {"key": ALARM, "text": text}, TIMEOUT_S)
        else:
            ask_sync(self._socket, Verb.CLEAR_ALARM, {"key": ALARM}, TIMEOUT_S)
        self._rings = bool(text)


def trouble(last: LastBackup, hours: int, utc_ns: int) -> str:
    """The alarm's text, "" for none. Before the first backup the journal's own age counts."""
    if not hours or not last.utc_ns or utc_ns - last.utc_ns <= hours * HOUR_NS:
        return ""
    if last.known:
        return f"no backup was made for more than {hours} hours: see callserver backup"
    return f"there is no backup of this journal, which is older than {hours} hours: see callserver backup"
