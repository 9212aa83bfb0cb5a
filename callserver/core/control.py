"""What a person does with a conversation while it goes on: mute and drop legs, bring seats in, take it over, renew the line.

A seat that is brought in (role supervisor) keeps its operator's state: its leg alone says that it is not free. Who joins where no
operator has the call, or is there when the operator goes, has it (`take_over`). So a conversation with a joined
colleague always has an operator, and nobody is left with a silent line.
"""

from callserver.core import call as calls
from callserver.core import conversation, offers, sound
from callserver.core import leg as legs
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.effects import DialOperator
from callserver.core.events import Bring, Drop, Mute, SetMode, TakeOver
from callserver.core.facts import CallHeld, CallTaken, LegCreated, LegMuted, ModeSet, PartyGivenUp
from callserver.core.ids import CallId, OperatorId, PartyId, leg_id
from callserver.core.incident import WAITING
from callserver.core.instant import later
from callserver.core.lookup import incident_of, ladder_of, plan_of, point_of
from callserver.core.state import Call, Leg

BRING_RING_MS = 30_000


def _conversation(d: Decision, known: CallId) -> Call | None:
    """The call, where somebody has it; else the event is refused."""
    call = d.state.calls.get(known)
    if call is None or call.state not in calls.ATTENDED:
        d.refuse(known, "no such call, or nobody talks in it")
        return None
    return call


# ---- mute and drop --------------------------------------------------------------------------------------------


def mute(d: Decision, event: Mute) -> None:
    """Whoever is muted hears the others; what is so already is no news."""
    call = _conversation(d, event.call)
    leg = None if call is None else call.legs.get(event.leg)
    if call is None:
        return
    if leg is None or leg.state != legs.UP or not leg.accepted:
        d.refuse(event.leg, "nobody talks on this leg")
    elif leg.muted != event.on:
        d.record(LegMuted(leg.id, event.on, event.by))
        sound.reshape(d, call)


def drop(d: Decision, event: Drop) -> None:
    """Ends one leg, where somebody is left who has the call."""
    call = d.state.calls.get(event.call)
    leg = None if call is None else call.legs.get(event.leg)
    if call is None or leg is None or leg.state == legs.ENDING:
        d.refuse(event.leg, "no such leg in this call, or it is ending")
        return
    why = _undroppable(d, call, leg)
    if why:
        d.refuse(leg.id, why)
        return
    _drop(d, call, leg, f"dropped by {event.by}")
    sound.reshape(d, call)


def _undroppable(d: Decision, call: Call, leg: Leg) -> str:
    if leg.role == legs.POINT:
        return "without the point there is no call: hang up instead"
    if leg.role in (legs.SUPERVISOR, legs.BROUGHT):
        return ""
    if leg.role == legs.OPERATOR and leg.state != legs.UP:
        return "this seat rings: its offer ends by itself"
    if leg.role == legs.OUTSIDE and (leg.state != legs.UP or not leg.accepted):
        incident = incident_of(d.state, call)
        last = incident.state == WAITING and incident.step >= len(ladder_of(d.state, incident).steps)
        return "the ladder is calling its last resort" if last else ""
    left = [one for one in calls.up(call, legs.OPERATOR, legs.OUTSIDE) if one.id != leg.id]
    joined = calls.supervising(call, calls.JOIN, calls.PRIVATE)
    return "" if call.state in calls.ATTENDED and (left or joined) else "nobody else has the call: hang up or transfer it instead"


def _drop(d: Decision, call: Call, leg: Leg, reason: str) -> None:
    if leg.role == legs.OPERATOR:
        gone(d, call, leg, reason)
        return
    legs.end(d, leg, reason)
    incident = incident_of(d.state, call)
    if leg.role == legs.OUTSIDE and incident.route_leg == leg.id:
        d.record(PartyGivenUp(incident.id, PartyId(leg.party), reason))


def gone(d: Decision, call: Call, leg: Leg, reason: str) -> bool:
    """The operator's leg is over or to be ended, and the call goes on: with a colleague who was brought in, else with the
    outside party. False where there is nobody."""
    joined = next(iter(calls.supervising(call, calls.JOIN, calls.PRIVATE)), None)
    if joined is not None:
        hand_to(d, call, joined, reason)
        return True
    if not calls.up(call, legs.OUTSIDE):
        return False
    operator = d.state.operators[OperatorId(leg.party)]
    if leg.state == legs.UP:
        legs.end(d, leg, reason)
    operators.release(d, operator, "left the call to the outside party")
    conversation.leave_open(d, call, "the operator left")
    return True


# ---- bringing in ------------------------------------------------------------------------------------------------


def bring(d: Decision, event: Bring) -> None:
    """Dials a seat into a conversation, which goes on meanwhile."""
    call = _conversation(d, event.call)
    if call is not None and event.mode not in calls.MODES:
        d.refuse(call.id, f"no such mode: {event.mode}")
    elif call is not None:
        _dial(d, call, _one_of(d, call, event.operator), event.mode, event.by)


def _one_of(d: Decision, call: Call, wanted: str) -> OperatorId:
    """The operator of that name; of a group the one who is free for longest, else the name, which nobody answers to."""
    plan = plan_of(d.state, incident_of(d.state, call))
    if wanted in plan.operators or wanted not in plan.groups:
        return OperatorId(wanted)
    crew = [one for one in d.state.operators.values() if one.id in plan.operators and wanted in plan.operators[one.id].groups]
    free = [one for one in crew if one.state == operators.AVAILABLE and not _unavailable(d, call, one.id)]
    return min(free, key=lambda one: (one.idle_since, one.id)).id if free else OperatorId(wanted)


def _dial(d: Decision, call: Call, wanted: OperatorId, mode: str, by: str) -> None:
    why = _unavailable(d, call, wanted)
    if why:
        d.refuse(call.id, why)
        return
    incident = incident_of(d.state, call)
    leg = leg_id(call.id, call.legs_made + 1)
    due = later(d.now, BRING_RING_MS)
    d.record(LegCreated(leg, call.id, legs.SUPERVISOR, wanted, inbound=False, due=due))
    d.record(ModeSet(leg, mode, by))
    d.order(DialOperator(leg, wanted, incident.point, point_of(d.state, incident).place))


def _unavailable(d: Decision, call: Call, wanted: OperatorId) -> str:
    operator = d.state.operators.get(wanted)
    plan = d.state.plans[d.state.plan_version]
    if wanted in plan.groups and wanted not in plan.operators:
        return f"nobody of {wanted} is free"
    if operator is None or wanted not in plan.operators:
        return f"no such operator in the plan: {wanted}"
    if not operator.reachable:
        return f"the seat of {wanted} cannot be reached"
    if operator.state not in operators.FREE or operator.legs:
        return f"{wanted} is in a call, or in wrap-up"
    return calls.full(call)


def brought(d: Decision, call: Call, leg: Leg) -> None:
    """A seat that was dialled into a call answered."""
    mode = call.modes[leg.id]
    if call.state not in calls.ATTENDED:
        legs.end(d, leg, "nobody talks any more")
    elif mode == calls.TAKE_OVER or _has_it(call, mode):
        hand_to(d, call, leg, f"{leg.party} takes the call over")
    sound.reshape(d, call)


def _has_it(call: Call, mode: str) -> bool:
    """Whether who takes part like this has the call, because no operator does."""
    return mode in (calls.JOIN, calls.PRIVATE) and not calls.up(call, legs.OPERATOR)


def set_mode(d: Decision, event: SetMode) -> None:
    """Changes how a leg takes part; what is so already is no news."""
    call = _conversation(d, event.call)
    leg = None if call is None else call.legs.get(event.leg)
    if call is None:
        return
    if (
        leg is None
        or leg.state == legs.ENDING
        or leg.role not in (legs.SUPERVISOR, legs.OUTSIDE)
        or event.mode not in calls.MODES
    ):
        d.refuse(event.leg, "no leg that was brought into this call, or no such mode")
    elif leg.role == legs.OUTSIDE:
        _set_outside(d, call, leg, event)
    elif call.modes[leg.id] != event.mode:
        d.record(ModeSet(leg.id, event.mode, event.by))
        if leg.state == legs.UP and _has_it(call, event.mode):
            hand_to(d, call, leg, f"{leg.party} joined, and nobody else has the call")
        sound.reshape(d, call)


def _set_outside(d: Decision, call: Call, leg: Leg, event: SetMode) -> None:
    """Private: the operator speaks with the party while the point waits, which is to hold the point."""
    possible = call.state == calls.TALKING and calls.up(call, legs.OPERATOR) and leg in calls.up(call, legs.OUTSIDE)
    if not possible or event.mode not in (calls.PRIVATE, calls.JOIN):
        d.refuse(leg.id, "an outside party is private or joined, in a conversation with an operator")
    elif call.held != (event.mode == calls.PRIVATE):
        d.record(CallHeld(call.id, event.mode == calls.PRIVATE, event.by))
        sound.reshape(d, call)


# ---- taking over --------------------------------------------------------------------------------------------------


def take_over(d: Decision, event: TakeOver) -> None:
    """At once for a seat that is in the call; another is dialled first."""
    call = _conversation(d, event.call)
    if call is None:
        return
    mine = [leg for leg in calls.live(call, legs.SUPERVISOR, legs.OPERATOR) if leg.party == event.operator]
    leg = next(iter(mine), None)
    if leg is None:
        _dial(d, call, event.operator, calls.TAKE_OVER, event.by)
    elif leg.role == legs.OPERATOR:
        d.refuse(leg.id, f"{event.operator} has the call, or is being rung for it")
    elif leg.state == legs.UP:
        hand_to(d, call, leg, f"taken over, asked by {event.by}")
        sound.reshape(d, call)
    elif call.modes[leg.id] != calls.TAKE_OVER:
        d.record(ModeSet(leg.id, calls.TAKE_OVER, event.by))


def hand_to(d: Decision, call: Call, leg: Leg, reason: str) -> None:
    """The operator of a supervisor's answered leg has the call; whoever had it is free."""
    offers.withdraw(d, call, reason)
    before = [one for one in calls.live(call, legs.OPERATOR) if one.id != leg.id]
    old = None if call.operator is None else d.state.operators[call.operator]
    d.record(CallTaken(call.id, leg.id, OperatorId(leg.party), reason))
    operators.move(d, d.state.operators[OperatorId(leg.party)], operators.TALKING, f"has call {call.id}")
    if leg.muted:
        d.record(LegMuted(leg.id, False, reason))
    for one in before:
        legs.end(d, one, reason)
    if old is not None and old.id != leg.party and old.state == operators.TALKING:
        operators.release(d, old, reason)
