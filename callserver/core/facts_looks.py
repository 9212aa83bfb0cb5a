"""What is journalled of looking: searches, what was heard and sent of recordings, files taken, configurations read. For `facts`.

None of them decides anything. Together with `Listened`, `SignedIn`, `AccountChanged`, the facts of plans and those of the desk
they are the answer to: who looked at what, when, and why.
"""

from dataclasses import dataclass, field

from callserver.core.facts_noted import ERASABLE
from callserver.core.ids import CallId, IncidentId

Spans = tuple[tuple[int, int], ...]
"""(from, to) each, sorted, apart from each other; `to` is the first that is not part of it."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Somebody searched. `of` is calls, incidents, looks or journal; `what` the filters as a query string, sorted by name;
    `found` how many there were on the first page."""

    by: str
    of: str
    what: str = field(metadata=ERASABLE)
    found: int = 0


@dataclass(frozen=True, slots=True)
class SearchExported:
    """Somebody took the result of a search away as a file of `rows` lines, whose SHA-256 is `digest`."""

    by: str
    of: str
    what: str = field(metadata=ERASABLE)
    rows: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """What somebody heard of a recording they had opened, as their page told it: spans in ms of the recording."""

    call: CallId
    by: str
    spans: Spans
    reason: str = field(default="", metadata=ERASABLE)
    leg: str = ""  # of one leg's file; empty: the whole call


@dataclass(frozen=True, slots=True)
class RecordingSent:
    """What the service sent of a recording that somebody had opened: bytes of its FLAC file, and the ms of sound in them."""

    call: CallId
    by: str
    spans: Spans
    bytes: Spans
    size: int  # of the whole file
    leg: str = ""
    reason: str = field(default="", metadata=ERASABLE)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """Somebody took a file away that no export stands for: `what` is recording, leg, disclosures or quality."""

    by: str
    what: str
    digest: str = ""  # SHA-256
    call: CallId | None = None
    incident: IncidentId | None = None
    leg: str = ""


@dataclass(frozen=True, slots=True)
class ConfigurationRead:
    """The service started under another configuration than the last time. `digest` is the SHA-256 of its file, `previous` that of
    the one before; `changed` names the keys whose values are others, as section.key, never their values."""

    digest: str
    previous: str = ""
    changed: tuple[str, ...] = ()
