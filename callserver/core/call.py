"""The machine of a call: the container of legs that lives while its incident waits or is attended.

    waiting -> talking | calling-back | ending      nobody has it yet; the point may be there or have hung up
    calling-back -> talking | waiting | wrap-up | ending   somebody has it, the point is being called
    talking -> calling-back | waiting | wrap-up | ending   the point and somebody hear each other
    wrap-up -> talking | ending                     the point is gone, the operator's leg stays for the outcome by DTMF
    ending -> ended                                 every leg was given up; ended when the last one is

A call without legs stays `waiting`: a caller that hung up is still a caller. Only `ending` may become `ended`.
Change together: the table, `sound.wanted` (each state has its sound), `fold`'s CallMoved.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from callserver.core import leg as legs
from callserver.core.effects import CloseCall
from callserver.core.facts import CallMoved
from callserver.core.state import Call, Leg

if TYPE_CHECKING:
    from callserver.core.decision import Decision

WAITING: Final = "waiting"
CALLING_BACK: Final = "calling-back"
TALKING: Final = "talking"
WRAP_UP: Final = "wrap-up"
ENDING: Final = "ending"
ENDED: Final = "ended"

MOVES: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({TALKING, CALLING_BACK, ENDING}),
    CALLING_BACK: frozenset({TALKING, WAITING, WRAP_UP, ENDING}),
    TALKING: frozenset({CALLING_BACK, WAITING, WRAP_UP, ENDING}),
    WRAP_UP: frozenset({TALKING, ENDING}),
    ENDING: frozenset({ENDED}),
    ENDED: frozenset(),
}

ATTENDED = frozenset({TALKING, CALLING_BACK})

LEGS_MOST = 4  # what one worker carries: point, operator, outside party, one more
_GUESTS = (legs.OUTSIDE, legs.SUPERVISOR, legs.BROUGHT)

LISTEN: Final = "listen"
WHISPER: Final = "whisper"  # hears everybody, is heard by the operator alone
JOIN: Final = "join"
PRIVATE: Final = "private"  # speaks with the operator while the point waits
TAKE_OVER: Final = "take-over"  # has the call as soon as it answers
MODES = frozenset({LISTEN, WHISPER, JOIN, PRIVATE})
"""How a supervisor's leg takes part; see `Call.modes`."""


def move(d: "Decision", call: Call, new: str, reason: str) -> bool:
    """The one door: records the move, or refuses one that the table does not have."""
    if new not in MOVES[call.state]:
        d.refuse(call.id, f"call is {call.state}, cannot become {new}")
        return False
    d.record(CallMoved(call.id, call.state, new, reason))
    return True


def live(call: Call, *roles: str) -> Iterator[Leg]:
    """The call's legs of these roles that are not being ended."""
    return (leg for leg in call.legs.values() if leg.role in roles and leg.state != legs.ENDING)


def up(call: Call, *roles: str) -> list[Leg]:
    """The call's answered legs of these roles; a party that has to accept by key is none before it did."""
    return [leg for leg in call.legs.values() if leg.role in roles and leg.state == legs.UP and leg.accepted]


def supervising(call: Call, *modes: str) -> list[Leg]:
    """The answered supervisors' legs that take part in one of these ways."""
    return [leg for leg in up(call, legs.SUPERVISOR) if call.modes[leg.id] in modes]


def point_waits(call: Call) -> bool:
    """Whether the point is to wait while the others speak: held, or somebody was asked privately."""
    return call.held or bool(supervising(call, PRIVATE))


def full(call: Call) -> str:
    """Why no further leg can be dialled in this call; "" where one can.

    The point's place is kept where its line is lost, for it is called back, and one for an operator while nobody has the call.
    """
    seat = 1 if call.state == WAITING or any(live(call, legs.OPERATOR)) else 0
    many = 1 + seat + sum(1 for _ in live(call, *_GUESTS)) >= LEGS_MOST
    return f"a call carries {LEGS_MOST} legs" if many else ""


def left_outside(call: Call) -> bool:
    """Whether an outside party alone has the call: no operator is in it."""
    return call.state in ATTENDED and bool(up(call, legs.OUTSIDE)) and not any(live(call, legs.OPERATOR))


def point_leg(call: Call) -> Leg | None:
    """The point's leg, the newest where a press replaced one (a call keeps its legs in the order of their making)."""
    return next(iter(reversed(list(live(call, legs.POINT)))), None)


def give_up(d: "Decision", call: Call, reason: str) -> None:
    """Ends every leg; the call is `ending` and closes with its last leg."""
    for leg in list(call.legs.values()):
        legs.end(d, leg, reason)
    if call.state != ENDING:
        move(d, call, ENDING, reason)


def close_when_done(d: "Decision", call: Call) -> None:
    """An ending call without legs is over: its worker is released."""
    if call.state == ENDING and not call.legs:
        move(d, call, ENDED, "its last leg ended")
        d.order(CloseCall(call.id))
