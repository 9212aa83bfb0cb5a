"""What a crash left, found when the archivist takes up its work: it is finished like all else, and told."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from callserver.archive import keep
from callserver.core.facts import ArchivistStarted
from callserver.core.ids import CallId, incident_of_call

YOUNG_S = 3_600.0  # a call's captures are there before the journal has it, longer so while the store's disk is full
_NAMED = 20
_log = structlog.get_logger("archive")

Known = Callable[[list[str]], set[str]]


def found(
    captures: Path, recordings: Path, unfinished: Iterable[str], known: Known, now_s: float | None = None
) -> ArchivistStarted:
    """Count it. `unfinished`: calls that are over and have no recording; `known`: which of these calls the journal has.

    Raises OSError when the captures' directory cannot be read.
    """
    calls = [CallId(name) for name in unfinished]
    folders = [folder for call in calls for folder in (captures / incident_of_call(call) / call, recordings / call)]
    strangers = sorted(folder.name for folder in unowned(captures, known, time.time() if now_s is None else now_s))
    if strangers:
        _log.warning("captures of calls that the journal does not know", count=len(strangers), calls=strangers[:_NAMED])
    fact = ArchivistStarted(len(calls), len(keep.leftovers(*folders)), len(strangers))
    _log.info("archivist took up its work", unfinished=fact.unfinished, leftovers=fact.leftovers, unowned=fact.unowned)
    return fact


def unowned(captures: Path, known: Known, now_s: float) -> list[Path]:
    """Directories of captures, older than an hour, whose calls the journal does not know. Raises OSError."""
    incidents = captures.iterdir() if captures.is_dir() else ()
    there = [folder for incident in incidents if incident.is_dir() for folder in incident.iterdir() if folder.is_dir()]
    owned = known([folder.name for folder in there])
    return sorted(folder for folder in there if folder.name not in owned and now_s - folder.stat().st_mtime > YOUNG_S)
