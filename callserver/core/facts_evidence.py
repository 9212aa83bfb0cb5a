"""What is journalled of the auditor's desk: what left the house, who asked for it, who agreed, to whom it went. For `facts`.

An export is asked for, approved by a second person where the site wants four eyes, and then made by the archivist; `core.desk`
tells from these facts how far each one is. None of them is about a live call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.core.facts_noted import ERASABLE
from callserver.core.ids import IncidentId


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """Somebody wants something out of the record: `what` is pack, redaction or recording.

    `of` is the call that a redaction or recording is of, "" for a pack, which is of the whole incident. `spans` are (from, to) in
    ms of the recording, none: all of it; `party` is point, others, everyone or a leg; `cover` is tone or silence.
    """

    export: str
    incident: IncidentId
    what: str
    by: str
    reason: str = field(metadata=ERASABLE)
    of: str = ""
    redacted: bool = False  # a pack with redacted sound in the place of the original
    spans: tuple[tuple[int, int], ...] = ()
    party: str = ""
    cover: str = ""
    four_eyes: bool = False  # whether a second person was needed when it was asked for
    alone: bool = False  # a redaction that leaves open what earlier ones of the call covered


@dataclass(frozen=True, slots=True)
class ExportApproved:
    """A second person agrees that the export is made."""

    export: str
    incident: IncidentId
    by: str


@dataclass(frozen=True, slots=True)
class ExportFailed:
    """The export cannot be made; it has to be asked for anew."""

    export: str
    incident: IncidentId
    why: str


@dataclass(frozen=True, slots=True)
class ExportFetched:
    """Somebody took the file away. `digest` is its SHA-256."""

    export: str
    incident: IncidentId
    digest: str
    by: str


@dataclass(frozen=True, slots=True)
class PackMade:
    """An evidence pack was made; `digest` is the SHA-256 of the zip, `pack` the export that it was made for."""

    pack: str
    incident: IncidentId
    digest: str
    size: int
    by: str
    reason: str = field(metadata=ERASABLE)
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class RedactionMade:
    """New files in which something of a call's recording is covered; the originals were not touched.

    `origin` has the SHA-256 of each file that was read, `files` of each that was written, both by path below the recordings'
    directory.
    """

    redaction: str
    incident: IncidentId
    of: str  # the call
    origin: Mapping[str, str]
    files: Mapping[str, str]
    spans: tuple[tuple[int, int], ...]  # from, to in ms of the recording
    party: str
    cover: str
    by: str
    reason: str = field(metadata=ERASABLE)
    earlier: tuple[str, ...] = ()  # redactions of the same call of which all is covered here too
    alone: bool = False  # what those before it covered is open here, as was wished


@dataclass(frozen=True, slots=True)
class DisclosureMade:
    """Something was handed out: `what` says what, `digest` is the SHA-256 of the file where it was one."""

    disclosure: str
    incident: IncidentId
    what: str
    digest: str
    recipient: str = field(metadata=ERASABLE)
    legal_basis: str
    why: str = field(metadata=ERASABLE)
    by: str


@dataclass(frozen=True, slots=True)
class AccessAsked:
    """A person asks what is held of them. The answer is due one calendar month after it was received."""

    request: str
    received_utc_ns: int
    due_utc_ns: int
    subject: str = field(metadata=ERASABLE)
    by: str


@dataclass(frozen=True, slots=True)
class AccessAnswered:
    """The request was answered: `how` is given, refused or nothing-held."""

    request: str
    how: str
    note: str = field(metadata=ERASABLE)
    by: str
