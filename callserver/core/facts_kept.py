"""Facts on what lies on the disk of calls: told by the archivist, who looks at it while they go on, and after a crash."""

from dataclasses import dataclass

from callserver.core.ids import CallId, LegId


@dataclass(frozen=True, slots=True)
class RecordingConfirmed:
    """The sound of a leg was found on the disk, of this level, growing, and nobody else's. Told once, and after each doubt."""

    call: CallId
    leg: LegId
    level_dbfs: int


@dataclass(frozen=True, slots=True)
class RecordingDoubtful:
    """What lies on the disk of a leg is not its sound. `why` is a key of `core.kept.WORDS`."""

    call: CallId
    leg: LegId
    why: str


@dataclass(frozen=True, slots=True)
class ArchivistStarted:
    """The archivist took up its work: so many calls had no recording yet, so many half-written files were taken away.

    `unowned` counts directories of captures whose calls the journal does not know.
    """

    unfinished: int
    leftovers: int
    unowned: int
