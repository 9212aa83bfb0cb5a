"""Facts on what is kept and for how long: legal holds, recordings and texts that are gone. See docs/retention.md."""

from dataclasses import dataclass, field

from callserver.core.facts_noted import ERASABLE
from callserver.core.ids import CallId, IncidentId

REQUEST = "request"
"""The rule of what somebody asked for."""


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Nothing of this incident is deleted or erased from here on, until every hold on it is lifted."""

    hold: str
    incident: IncidentId
    by: str
    review_utc_ns: int
    why: str = field(default="", metadata=ERASABLE)


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """A hold is over."""

    hold: str
    incident: IncidentId
    by: str
    why: str = field(default="", metadata=ERASABLE)


@dataclass(frozen=True, slots=True)
class RecordingDeleted:
    """These files of a call go now; whatever of them is still there is taken away until none is. `rule`: see `TextsErased`."""

    call: CallId
    files: tuple[str, ...]  # below the recordings directory, as `RecordingMade` names them
    captures: tuple[str, ...]  # below the captures directory, without `.gz`
    rule: str
    by: str


@dataclass(frozen=True, slots=True)
class TextsErased:
    """The texts beside these rows are erased, in the transaction that appends this fact.

    `rule` is the name of a rule of the configuration, `default`, or `request`: somebody asked for it, and `why` has the words.
    `incident` None: rows of no incident.
    """

    incident: IncidentId | None
    rows: tuple[int, ...]
    rule: str
    by: str
    why: str = field(default="", metadata=ERASABLE)
