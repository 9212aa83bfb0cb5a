"""What operators ask of a conversation by the plan's codes: as digits pressed in it, or called as a number by who has it.

    ladder                   the steps of the ladder that wait for being asked
    hold, park, renew        the caller waits and is taken back; waits for anybody; is called back, for its device will hang up
    police:<party>           an outside party is called to it
    transfer:<whom>          it is given to an operator, a group or a party without asking
    ask:<whom>               a colleague is asked while the caller waits
    join, hand-over          the colleague who was asked speaks with everybody, or has the call
    mute                     the outside party is not heard, or is heard again
    drop                     whoever was brought in last is let go
    leave                    the call goes on without who presses it

A colleague who was brought in has `join`, `take-over` and `leave`. Who pressed a code hears a word that says whether it was
accepted, unless the own line ended with it.
"""

from collections.abc import Callable, Mapping
from typing import Final

from callserver.core import call as calls
from callserver.core import control, escalation, giving, ladder, talk_limit
from callserver.core import leg as legs
from callserver.core.decision import Decision
from callserver.core.events import Bring, Drop, Hold, Mute, ParkCall, Renew, SetMode, TakeOver, Transfer
from callserver.core.facts import Refused
from callserver.core.ids import OperatorId, PartyId
from callserver.core.state import Call, Leg

COLON: Final = ":"


def is_one(meaning: str) -> bool:
    """Whether a code of this meaning is for conversations."""
    return meaning.partition(COLON)[0] in _OF_OPERATORS or meaning in _OF_COLLEAGUES


def ask(d: Decision, call: Call, operator: OperatorId, code: str, meaning: str) -> bool:
    """Does it; False when it is no such code, or not possible now."""
    mine = next((leg for leg in calls.up(call, *legs.SEATS) if leg.party == operator), None)
    word, _, whom = meaning.partition(COLON)
    table = _OF_OPERATORS if mine is None or mine.role == legs.OPERATOR else _OF_COLLEAGUES
    if word not in table:
        return False
    refused = _refusals(d)
    done = table[word](d, call, mine, whom, f"code {code} of {operator}")
    return done and _refusals(d) == refused


def _refusals(d: Decision) -> int:
    return sum(isinstance(fact, Refused) for fact in d.facts)


def _ladder(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    return ladder.ask_in_conversation(d, call, reason)


def _hold(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    escalation.hold(d, Hold(call.id, not call.held, _who(call, mine)))
    return True


def _park(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    giving.park(d, ParkCall(call.id, _who(call, mine)))
    return True


def _renew(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    talk_limit.renew(d, Renew(call.id, _who(call, mine)))
    return True


def _police(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    return escalation.bring_in(d, call, PartyId(whom), reason)


def _transfer(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    giving.transfer(d, Transfer(call.id, whom, _who(call, mine)))
    return True


def _ask_colleague(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    control.bring(d, Bring(call.id, OperatorId(whom), calls.PRIVATE, _who(call, mine)))
    return True


def _join(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    """Who was asked speaks with everybody; pressed by a colleague, who listened until now."""
    asked = mine if mine is not None and mine.role == legs.SUPERVISOR else _newest(calls.supervising(call, calls.PRIVATE))
    if asked is not None:
        control.set_mode(d, SetMode(call.id, asked.id, calls.JOIN, _who(call, mine)))
    return asked is not None


def _hand_over(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    colleague = _newest(calls.supervising(call, calls.PRIVATE, calls.JOIN))
    if colleague is not None:
        control.take_over(d, TakeOver(call.id, OperatorId(colleague.party), _who(call, mine)))
    return colleague is not None


def _take_over(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    control.take_over(d, TakeOver(call.id, OperatorId(_who(call, mine)), _who(call, mine)))
    return True


def _mute(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    parties = calls.up(call, legs.OUTSIDE)
    on = not all(leg.muted for leg in parties)
    for leg in parties:
        control.mute(d, Mute(call.id, leg.id, on, _who(call, mine)))
    return bool(parties)


def _drop(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    last = _newest(list(calls.live(call, legs.OUTSIDE, legs.SUPERVISOR, legs.BROUGHT)))
    if last is not None:
        control.drop(d, Drop(call.id, last.id, _who(call, mine)))
    return last is not None


def _leave(d: Decision, call: Call, mine: Leg | None, whom: str, reason: str) -> bool:
    if mine is not None:
        control.drop(d, Drop(call.id, mine.id, mine.party))
    return mine is not None


def _newest(several: list[Leg]) -> Leg | None:
    """A call keeps its legs in the order of their making."""
    return several[-1] if several else None


def _who(call: Call, mine: Leg | None) -> str:
    return mine.party if mine is not None else call.operator or ""


_Does = Callable[[Decision, Call, Leg | None, str, str], bool]
_OF_OPERATORS: Mapping[str, _Does] = {
    "ladder": _ladder,
    "hold": _hold,
    "park": _park,
    "renew": _renew,
    "police": _police,
    "transfer": _transfer,
    "ask": _ask_colleague,
    "join": _join,
    "hand-over": _hand_over,
    "mute": _mute,
    "drop": _drop,
    "leave": _leave,
}
_OF_COLLEAGUES: Mapping[str, _Does] = {"join": _join, "take-over": _take_over, "leave": _leave}
