"""The machine of an operator: a person at a seat, on this shift.

    off -> available                                 the seat was reached, or the operator asked for calls
    available -> offered | paused | off
    offered -> talking | available | paused | off    a leg rings; whoever answers first talks
    talking -> wrap-up | available | off             until the leg ends, even when the seat's registration is lost
    wrap-up -> talking | available | paused | off    talking again: the point pressed while the operator's leg stood
    paused -> available                              a pause is a person's wish: it outlives a lost registration
    off, available, paused -> talking                takes over a call that the seat was brought into; until then its leg alone
                                                     says that it is not free

`reachable` is a fact of the seat, not a state; an operator who is free again goes to `available`, or to `off` when
the seat cannot be reached. A seat is offered a call only when none of its legs is left (see `eligible`).
Rests: who let an offer ring out rests softly, a seat that refused or failed rests firmly (2 s, doubled each time in a
row to 16 s), so that a busy telephone does not make a hot loop and is never given up.
Change together: the table, `fold`'s OperatorMoved, `eligible`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from callserver.core.facts import OperatorMoved, OperatorRests
from callserver.core.instant import Instant, later
from callserver.core.state import OperatorState

if TYPE_CHECKING:
    from callserver.core.decision import Decision

OFF: Final = "off"
AVAILABLE: Final = "available"
OFFERED: Final = "offered"
TALKING: Final = "talking"
WRAP_UP: Final = "wrap-up"
PAUSED: Final = "paused"

MOVES: Mapping[str, frozenset[str]] = {
    OFF: frozenset({AVAILABLE, TALKING}),
    AVAILABLE: frozenset({OFFERED, TALKING, PAUSED, OFF}),
    OFFERED: frozenset({TALKING, AVAILABLE, PAUSED, OFF}),
    TALKING: frozenset({WRAP_UP, AVAILABLE, OFF}),
    WRAP_UP: frozenset({TALKING, AVAILABLE, PAUSED, OFF}),
    PAUSED: frozenset({AVAILABLE, TALKING}),
}

BROWSER: Final = "browser"  # a kind of seat; the other is a softphone

FREE = frozenset({OFF, AVAILABLE, PAUSED})  # has no call

FIRM_REST_MS = 2_000
FIRM_REST_MOST_MS = 16_000


def no_answer_alarm(operator: OperatorState) -> str:
    """The key of the alarm that the last operator on duty lets offers ring out."""
    return f"no-answer:{operator.id}"


def move(d: "Decision", operator: OperatorState, new: str, reason: str, until: Instant | None = None) -> bool:
    """The one door: records the move, or refuses one that the table does not have."""
    if new not in MOVES[operator.state]:
        d.refuse(operator.id, f"operator is {operator.state}, cannot become {new}")
        return False
    d.record(OperatorMoved(operator.id, operator.state, new, reason, until))
    if new in (OFF, TALKING, PAUSED):
        d.clear_alarm(no_answer_alarm(operator), reason)
    return True


def release(d: "Decision", operator: OperatorState, reason: str) -> None:
    """The operator is free again: available, or off when the seat cannot be reached."""
    move(d, operator, AVAILABLE if operator.reachable else OFF, reason)


def rest(d: "Decision", operator: OperatorState, rest_ms: int) -> None:
    """After an offer that rang out: others are rung first; counted, even where nobody rests."""
    d.record(OperatorRests(operator.id, later(d.now, rest_ms)))


def rest_firmly(d: "Decision", operator: OperatorState) -> None:
    """After a refusal or a failure: not rung at all for a short while."""
    rest_ms = min(FIRM_REST_MS << min(operator.refusals, 10), FIRM_REST_MOST_MS)
    d.record(OperatorRests(operator.id, later(d.now, rest_ms), firm=True))


def on_duty(operator: OperatorState) -> bool:
    """Whether the operator is at a seat: reachable, neither off nor paused."""
    return operator.reachable and operator.state not in (OFF, PAUSED)


def rests(operator: OperatorState, now: Instant) -> bool:
    """Whether others are to be rung first."""
    return operator.rests_until is not None and operator.rests_until > now
