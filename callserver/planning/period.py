"""What happens in a rehearsed stretch of time, whatever the plan: who presses, who is there, how long things take.

Instants are nanoseconds of UTC (the offset between the core's time and UTC is nought in a rehearsal). People are told by the ring
time that they need: who needs 18 s lets a seat ring out that rings for 15 s, and answers 3 s into the next time. That is how
the same people can be put under another plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callserver.core.events import Event
from callserver.core.ids import IncidentId, OperatorId, PointId
from callserver.core.instant import Instant
from dialplans.model import Plan

SEAT_ANSWERS_MS = 6_000  # where nothing is known
PARTY_ANSWERS_MS = 10_000
CALL_BACK_ANSWERED_MS = 3_000
TALK_MS = 120_000


@dataclass(frozen=True, slots=True)
class Doing:
    """Something done about one press: digit (value: the key), silent (for how long), sounding, asked (by whom), class."""

    after_ms: int  # since the press
    what: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """One press and what follows from it, as far as people decide that; of an incident's presses the first one counts."""

    id: IncidentId
    point: PointId
    at: Instant
    button: str = ""
    seat_ms: int | None = SEAT_ANSWERS_MS  # ring time that a seat needs to answer; None: it never does
    party_ms: int | None = PARTY_ANSWERS_MS
    replies: Mapping[str, int | None] = field(default_factory=dict)  # the same, for some operators and parties
    refuses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # whose first rings end so, after how many ms
    talk_ms: int = TALK_MS
    wrap_ms: int | None = None  # after which the operator asks for calls; None: the wrap-up takes its time
    outcome_ms: int | None = None  # after the talk; None: nobody says
    outcome: str = ""
    hangs_up_ms: int | None = None  # the caller's line ends so long after the press where nobody has answered by then
    back_ms: int | None = CALL_BACK_ANSWERED_MS  # ring time of a call back; None: nobody comes
    doings: tuple[Doing, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """An event of the world around the calls: seats, people's wishes, trunks, faults."""

    at: Instant
    event: Event


@dataclass(frozen=True, slots=True)
class LinesLost:
    """Whatever line this operator has dies at this instant."""

    at: Instant
    operator: OperatorId


@dataclass(frozen=True, slots=True)
class Period:
    """All of it. `plans` is what was in force, from which instant; empty for a storm."""

    name: str
    begins: Instant
    ends: Instant
    presses: tuple[Press, ...]
    changes: tuple[Change | LinesLost, ...]
    plans: tuple[tuple[Instant, Plan], ...] = ()
    told: tuple[str, ...] = ()  # what is not known or left out, one sentence each
    operators: frozenset[str] = frozenset()  # who was there at any time
