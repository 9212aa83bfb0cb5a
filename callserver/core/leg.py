"""The machine of a leg: one party's connection, from its first sign to its end.

    inbound:  arriving -> early -> up          outbound:  dialling -> ringing -> up
    any of these -> ending (EndLeg is ordered) -> ended (the edge says so)

`arriving`: the press is known, nothing is ordered. `early`: adopted, media ordered, not answered. `up`: both sides
agreed (an inbound leg is `up` as soon as AnswerLeg is ordered, for repeating that order is harmless). `ending`: we gave
it up; a 200 that crosses our CANCEL changes nothing but that EndLeg is ordered again. `ended` leaves the state.

A leg knows nothing of offers and incidents: what its moves mean to them stands in `endings` and `answers`.
Change together: the table, `fold`'s LegMoved, `recovery.reconcile`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from callserver.core import keypad
from callserver.core.effects import EndLeg
from callserver.core.facts import LegMoved
from callserver.core.state import Leg
from callserver.core.termination import Termination

if TYPE_CHECKING:
    from callserver.core.decision import Decision

ARRIVING: Final = "arriving"
EARLY: Final = "early"
DIALLING: Final = "dialling"
RINGING: Final = "ringing"
UP: Final = "up"
ENDING: Final = "ending"
ENDED: Final = "ended"

POINT: Final = "point"
OPERATOR: Final = "operator"
OUTSIDE: Final = "outside"
SUPERVISOR: Final = "supervisor"  # another operator's seat, brought into a call
BROUGHT: Final = "brought"  # another point, brought into a call
SEATS = (OPERATOR, SUPERVISOR)
POINTS = (POINT, BROUGHT)

MOVES: Mapping[str, frozenset[str]] = {
    ARRIVING: frozenset({EARLY, UP, ENDING, ENDED}),
    EARLY: frozenset({UP, ENDING, ENDED}),
    DIALLING: frozenset({RINGING, UP, ENDING, ENDED}),
    RINGING: frozenset({UP, ENDING, ENDED}),
    UP: frozenset({ENDING, ENDED}),
    ENDING: frozenset({ENDED}),
    ENDED: frozenset(),
}

UNANSWERED_OUTBOUND = frozenset({DIALLING, RINGING})
UNANSWERED_INBOUND = frozenset({ARRIVING, EARLY})


def first_state(inbound: bool) -> str:
    """The state in which a leg is created."""
    return ARRIVING if inbound else DIALLING


def move(d: "Decision", leg: Leg, new: str, reason: str, termination: Termination | None = None) -> bool:
    """The one door: records the move, or refuses one that the table does not have."""
    if new not in MOVES[leg.state]:
        d.refuse(leg.id, f"leg is {leg.state}, cannot become {new}")
        return False
    d.record(LegMoved(leg.id, leg.state, new, reason, termination))
    return True


def end(d: "Decision", leg: Leg, reason: str, status: int = 480) -> None:
    """Gives the leg up: `ending` until the edge reports its end. Nothing more for a leg that is ending already."""
    keys = keypad.farewell(d, leg) if leg.state == UP and leg.role in POINTS else None
    if leg.state != ENDING and move(d, leg, ENDING, reason):
        d.order(EndLeg(leg.id, reason, status, keys))
