"""The archivist's part of the auditor's desk: exports that were asked for are made, requests for access are not forgotten.

The journal is the list of what is to be done: an export is made when its facts say so, and again after a crash, under the same
name. What was made for fetching is taken away when its day is over, or when something of its incident is deleted, and so is what
somebody began and never told. A redaction goes when the recording goes (`retaining`).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from audio.disk import DISK, Disk
from audio.tracks import write_aside
from callserver.archive.redact import unknown
from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.core import desk as desks
from callserver.core import facts as f
from callserver.runtime.packing import Wanted, make_pack, make_redaction
from callserver.store import queries, retained
from callserver.store.engine import read_only
from callserver.store.read import last_number
from callserver.store.register import id_of, read_desk

LOOK_S = 60.0  # dates come by themselves, without a new row
AGAIN_S = 60.0
JOURNAL_TIMEOUT_S = 5.0
UNTOLD_EVERY_S = 3_600.0
UNTOLD_AFTER_S = 3_600.0  # nobody writes a redaction for longer
ACCESS_ALARM = "access:"
ALARM = "exports"
GONE = "something of this incident was deleted since it was asked for; ask for it anew"
_log = structlog.get_logger("desk")


def packs_of(config: Config) -> Path:
    """Where packs wait to be fetched: `<export>.zip`."""
    return config.storage.data / desks.PACKS


class DeskWork:
    """See the module. `go` once a second or so; it takes as long as a pack takes."""

    def __init__(
        self,
        config: Config,
        disk: Disk = DISK,
        utc_ns: Callable[[], int] | None = None,
        ask: Callable[[str, dict[str, Any]], object] | None = None,
    ) -> None:
        self.config, self.disk = config, disk
        self._utc_ns = utc_ns or time.time_ns
        self._ask = ask or (lambda verb, args: ask_sync(config.storage.control_socket, verb, args, JOURNAL_TIMEOUT_S))
        self.engine: Engine = read_only(config.storage.data)
        self.worked_s = time.monotonic()
        self._seen, self._due_s = -1, 0.0
        self._again_s: dict[str, float] = {}  # exports that the disk refused, and when they are tried again
        self._refused: dict[str, str] = {}  # why, of the same
        self._untold_s = (0.0, 0.0)  # when what was never told was looked for last, by time.monotonic and by files' times

    def go(self) -> None:
        """One round. Troubles of store, disk or switchboard end it, and the next one goes on."""
        self.worked_s = time.monotonic()
        try:
            newest = last_number(self.engine)
            if newest == self._seen and self.worked_s < self._due_s:
                return
            now_ns, desk = self._utc_ns(), read_desk(self.engine)
            self._alarms(desk, now_ns)
            self._take_away(desk, now_ns)
            queued = [one for one in desk.exports.values() if one.state(now_ns, self.config.evidence.four_eyes) == desks.QUEUED]
            self._take_away_untold({*desk.redactions, *(one.asked.export for one in queued)}, now_ns)
            for export in queued:
                self._make(export)
            self._tell_refused({one.asked.export for one in queued})
            self._seen, self._due_s = newest, time.monotonic() + (1.0 if self._again_s else LOOK_S)
        except (DBAPIError, Unavailable, CommandRefused, OSError) as error:
            _log.warning("desk.round_failed", error=str(error))

    # ---- exports ----------------------------------------------------------------------------------------------

    def _make(self, export: desks.Export) -> None:
        asked = export.asked
        if time.monotonic() < self._again_s.get(asked.export, 0.0):
            return
        try:
            if self._is_outlived(asked):
                raise ValueError(GONE)
            self.note(self._pack(export) if asked.what == desks.PACK else self._redaction(asked))
            _log.info("export made", export=asked.export, what=asked.what, incident=asked.incident)
            self._refused.pop(asked.export, None)
        except (ValueError, LookupError) as error:
            self.note(f.ExportFailed(asked.export, asked.incident, str(error.args[0] if error.args else error)))
        except OSError as error:
            self._again_s[asked.export] = time.monotonic() + AGAIN_S
            self._refused[asked.export] = error.strerror or str(error)
            _log.warning("export not made", export=asked.export, error=str(error))
        finally:
            self._tell({})

    def _is_outlived(self, asked: f.ExportAsked) -> bool:
        """Whether what it is to hold, or holds, was deleted or erased since it was asked for."""
        return retained.gone_since(self.engine, asked.incident, id_of(asked))

    def _redaction(self, asked: f.ExportAsked) -> f.RedactionMade:
        made = make_redaction(self.config, self.engine, asked, self.disk)
        if self._is_outlived(asked):  # retention works beside us
            for name in made.files:
                self.disk.remove(self.config.storage.recordings / name)
            raise ValueError(GONE)
        return made

    def _pack(self, export: desks.Export) -> f.PackMade:
        asked, out = export.asked, packs_of(self.config) / f"{export.asked.export}.zip"
        self.disk.make_directory(out.parent)
        out.parent.chmod(0o700)
        wanted = Wanted(
            *(asked.export, asked.incident, asked.by, asked.reason),
            made_utc_ns=max(export.asked_utc_ns, export.approved_utc_ns),  # done again it comes out the same
            redacted=asked.redacted,
            approved_by=export.approved_by,
        )
        progress = lambda done, total: self._tell({asked.export: [done, total]})  # noqa: E731
        made = make_pack(self.config, self.engine, wanted, out, progress, self.disk)
        return f.PackMade(asked.export, asked.incident, made.digest, made.size, asked.by, asked.reason, asked.redacted)

    def _tell(self, progress: dict[str, list[int]]) -> None:
        """How far it is, for whoever looks: (files done, files in all) by export. A disk that is full hides it."""
        self.worked_s = time.monotonic()
        try:
            write_aside(self.config.storage.run / desks.PROGRESS, msgspec.json.encode(progress))
        except OSError as error:
            _log.warning("progress not told", error=str(error))

    def _take_away(self, desk: desks.Desk, now_ns: int) -> None:
        """Packs whose day is over, or that outlived what they hold; what a crash left of one that was being written."""
        for path in packs_of(self.config).glob(".*.part"):
            self.disk.remove(path)
        for path in packs_of(self.config).glob("*.zip"):
            export = desk.exports.get(path.stem)
            state = export.state(now_ns, self.config.evidence.four_eyes) if export else desks.EXPIRED
            if export and state == desks.READY and self._is_outlived(export.asked):
                self.note(f.ExportFailed(export.asked.export, export.asked.incident, GONE))
                state = desks.FAILED
            if state not in (desks.READY, desks.QUEUED):
                self.disk.remove(path)

    def _take_away_untold(self, known: set[str], now_ns: int) -> None:
        """Redactions that somebody wrote and never told. The journal does not know them, so no fact names them."""
        looked_s, since_s = self._untold_s
        if looked_s and time.monotonic() < looked_s + UNTOLD_EVERY_S:
            return
        now_s = now_ns / 1e9
        for path in unknown(self.config.storage.recordings, known, since_s, now_s - UNTOLD_AFTER_S):
            self.disk.remove(path)
            _log.warning("redaction that was never told is taken away", file=path.name)
        self._untold_s = time.monotonic(), now_s - 2 * UNTOLD_AFTER_S - UNTOLD_EVERY_S

    # ---- what is told -----------------------------------------------------------------------------------------

    def _tell_refused(self, queued: set[str]) -> None:
        """That exports wait for the disk, and that none does any more."""
        self._refused = {export: why for export, why in self._refused.items() if export in queued}
        first = next(iter(self._refused.items()), None)
        text = f"{len(self._refused)} exports wait for the disk, the first is {first[0]}: {first[1]}" if first else ""
        raised = [alarm.text for alarm in queries.alarms(self.engine) if alarm.key == ALARM]
        if raised and raised != [text]:
            self._ask(Verb.CLEAR_ALARM, {"key": ALARM})
        if text and raised != [text]:
            self._ask(Verb.RAISE_ALARM, {"key": ALARM, "text": text})

    def _alarms(self, desk: desks.Desk, now_ns: int) -> None:
        """One for each request that is due soon or late; cleared when it is answered."""
        raised = {alarm.key: alarm.text for alarm in queries.alarms(self.engine) if alarm.key.startswith(ACCESS_ALARM)}
        for name, access in desk.access.items():
            key, text = f"{ACCESS_ALARM}{name}", access.alarm(now_ns)
            if raised.get(key, "") == text:
                continue
            if key in raised:  # an alarm that is raised keeps its words
                self._ask(Verb.CLEAR_ALARM, {"key": key})
            if text:
                self._ask(Verb.RAISE_ALARM, {"key": key, "text": text})

    def note(self, fact: desks.DeskFact) -> None:
        """Journal a fact of the desk."""
        self._ask(Verb.NOTE_FACT, {"id": id_of(fact), "kind": type(fact).__name__, "body": msgspec.to_builtins(fact)})
