"""The archivist's part of the auditor's desk: exports that were asked for are made, requests for access are not forgotten.

The journal is the list of what is to be done: an export is made when its facts say so, and again after a crash, under the same
name. What was made for fetching is taken away when its day is over; a redaction goes when the recording goes.
"""

import time
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy import Engine, and_
from sqlalchemy.exc import DBAPIError

from audio.disk import DISK
from audio.tracks import write_aside
from callserver.config import Config
from callserver.control import CommandRefused, Unavailable, Verb, ask_sync
from callserver.core import desk as desks
from callserver.core import facts as f
from callserver.runtime.packing import Wanted, make_pack, make_redaction
from callserver.store import queries
from callserver.store import schema as t
from callserver.store.engine import read_only
from callserver.store.read import last_number, rows_of
from callserver.store.register import id_of, read_desk

LOOK_S = 60.0  # dates come by themselves, without a new row
AGAIN_S = 60.0
JOURNAL_TIMEOUT_S = 5.0
ACCESS_ALARM = "access:"
_log = structlog.get_logger("desk")


def packs_of(config: Config) -> Path:
    """Where packs wait to be fetched: `<export>.zip`."""
    return config.storage.data / desks.PACKS


class DeskWork:
    """See the module. `go` once a second or so; it takes as long as a pack takes."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.engine: Engine = read_only(config.storage.data)
        self.worked_s = time.monotonic()
        self._seen, self._due_s = -1, 0.0
        self._again_s: dict[str, float] = {}  # exports that the disk refused, and when they are tried again

    def go(self) -> None:
        """One round. Troubles of store, disk or switchboard end it, and the next one goes on."""
        self.worked_s = time.monotonic()
        try:
            newest = last_number(self.engine)
            if newest == self._seen and self.worked_s < self._due_s:
                return
            now_ns, desk = time.time_ns(), read_desk(self.engine)
            self._alarms(desk, now_ns)
            self._take_away(desk, now_ns)
            for export in desk.exports.values():
                if export.state(now_ns, self.config.evidence.four_eyes) == desks.QUEUED:
                    self._make(export)
            self._seen, self._due_s = newest, time.monotonic() + (1.0 if self._again_s else LOOK_S)
        except (DBAPIError, Unavailable, CommandRefused, OSError) as error:
            _log.warning("desk.round_failed", error=str(error))

    # ---- exports ----------------------------------------------------------------------------------------------

    def _make(self, export: desks.Export) -> None:
        asked = export.asked
        if time.monotonic() < self._again_s.get(asked.export, 0.0):
            return
        try:
            self.note(self._pack(export) if asked.what == desks.PACK else make_redaction(self.config, self.engine, asked))
            _log.info("export made", export=asked.export, what=asked.what, incident=asked.incident)
            self._again_s.pop(asked.export, None)
        except (ValueError, LookupError) as error:
            self.note(f.ExportFailed(asked.export, asked.incident, str(error.args[0] if error.args else error)))
        except OSError as error:
            self._again_s[asked.export] = time.monotonic() + AGAIN_S
            _log.warning("export not made", export=asked.export, error=str(error))
        finally:
            self._tell({})

    def _pack(self, export: desks.Export) -> f.PackMade:
        asked, out = export.asked, packs_of(self.config) / f"{export.asked.export}.zip"
        out.parent.mkdir(mode=0o700, exist_ok=True)
        wanted = Wanted(
            *(asked.export, asked.incident, asked.by, asked.reason),
            made_utc_ns=max(export.asked_utc_ns, export.approved_utc_ns),  # done again it comes out the same
            redacted=asked.redacted,
            approved_by=export.approved_by,
        )
        made = make_pack(self.config, self.engine, wanted, out, lambda done, total: self._tell({asked.export: [done, total]}))
        return f.PackMade(asked.export, asked.incident, made.digest, made.size, asked.by, asked.reason, asked.redacted)

    def _tell(self, progress: dict[str, list[int]]) -> None:
        """How far it is, for whoever looks: (files done, files in all) by export."""
        self.worked_s = time.monotonic()
        write_aside(self.config.storage.run / desks.PROGRESS, msgspec.json.encode(progress))

    def _take_away(self, desk: desks.Desk, now_ns: int) -> None:
        """Packs whose day is over, and redactions of recordings that were deleted."""
        for path in packs_of(self.config).glob("*.zip"):
            export = desk.exports.get(path.stem)
            state = export.state(now_ns, self.config.evidence.four_eyes) if export else desks.EXPIRED
            if state not in (desks.READY, desks.QUEUED):
                DISK.remove(path)
        for redaction in desk.redactions.values():
            there = [self.config.storage.recordings / name for name in redaction.files]
            if any(path.exists() for path in there) and self._deleted(redaction.of):
                for path in there:
                    DISK.remove(path)

    def _deleted(self, call: str) -> bool:
        j = t.journal.c
        rows = rows_of(self.engine, and_(j.call == call, j.kind == f.RecordingDeleted.__name__))
        return any(isinstance(row.fact, f.RecordingDeleted) and row.fact.files for row in rows)

    # ---- what is told -----------------------------------------------------------------------------------------

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

    def _ask(self, verb: str, args: dict[str, Any]) -> None:
        ask_sync(self.config.storage.control_socket, verb, args, JOURNAL_TIMEOUT_S)
