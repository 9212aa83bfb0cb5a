"""Operators coming and going: seats bound and unbound, calls asked for, pauses."""

from callserver.core import conditions, conversation, offers, owners
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.events import MakeAvailable, Pause, SeatBound, SeatUnbound
from callserver.core.facts import SeatChanged
from callserver.core.ids import OperatorId
from callserver.core.lookup import incident_of
from callserver.core.state import OperatorState
from dialplans.model import When


def known(d: Decision, operator: OperatorId) -> OperatorState | None:
    """The operator, when the plan in force has one by this id; else the event is refused."""
    found = d.state.operators.get(operator)
    if found is None or operator not in d.state.plans[d.state.plan_version].operators:
        d.refuse(operator, "no such operator in the plan")
        return None
    return found


def seat_bound(d: Decision, event: SeatBound) -> None:
    """The seat can be reached. Who was off by that alone is available; at a browser the operator says so."""
    operator = known(d, event.operator)
    if operator is None:
        return
    if not operator.reachable or operator.seat != event.kind:
        d.record(SeatChanged(operator.id, True, event.where, event.kind))
    plan = d.state.plans[d.state.plan_version]
    if event.kind == operators.BROWSER:
        return
    if operator.state == operators.OFF and plan.operators[operator.id].available_when_registered:
        operators.move(d, operator, operators.AVAILABLE, "the seat is registered")


def seat_unbound(d: Decision, event: SeatUnbound) -> None:
    """The seat cannot be reached: not rung any more. A conversation goes on until its leg ends."""
    operator = d.state.operators.get(event.operator)
    if operator is None:
        d.refuse(event.operator, "no such operator in the plan")
        return
    if operator.reachable:
        d.record(SeatChanged(operator.id, False, event.why, operator.seat))
    if operator.state == operators.OFFERED:
        rang_for = [incident_of(d.state, d.state.calls[d.state.legs[leg].call]) for leg in operator.legs]
        offers.pull(d, operator, "the seat was lost")
        for incident in rang_for:
            conditions.happened(d, incident, When.SEAT_DEAD, f"{operator.id} rang: {event.why}")
    if operator.state in (operators.OFFERED, operators.AVAILABLE):
        operators.move(d, operator, operators.OFF, event.why)


def make_available(d: Decision, event: MakeAvailable) -> None:
    """An operator asks for calls."""
    become_available(d, event.operator, f"asked by {event.by}")


def become_available(d: Decision, wanted: OperatorId, reason: str) -> bool:
    """Off, paused and wrap-up end here; False when refused."""
    operator = known(d, wanted)
    if operator is None:
        return False
    if operator.state == operators.AVAILABLE:
        return True
    if not operator.reachable:
        d.refuse(operator.id, "the seat cannot be reached")
        return False
    incident = None if operator.incident is None else d.state.incidents.get(operator.incident)
    if operator.state == operators.WRAP_UP and incident is not None:
        conversation.end_wrap_up(d, incident, reason)
        return True
    if operator.state in (operators.OFF, operators.PAUSED):
        return operators.move(d, operator, operators.AVAILABLE, reason)
    d.refuse(operator.id, f"operator is {operator.state}")
    return False


def pause(d: Decision, event: Pause) -> None:
    """An operator asks for no calls, for one of the plan's reasons where it has any and one is given."""
    reasons = d.state.plans[d.state.plan_version].pauses if d.state.plan_version else {}
    if event.reason and reasons and event.reason not in reasons:
        d.refuse(event.operator, f"no such reason for a pause: {event.reason}")
        return
    if event.to and not owners.may_own(d, OperatorId(event.to), event.operator):
        return
    if become_paused(d, event.operator, event.reason or f"asked by {event.by}") and event.to:
        owners.pass_all(d, event.operator, OperatorId(event.to), event.by)


def become_paused(d: Decision, wanted: OperatorId, reason: str) -> bool:
    """From available, a ringing offer or wrap-up; False when refused."""
    operator = known(d, wanted)
    if operator is None:
        return False
    if operator.state == operators.PAUSED:
        return True
    if operators.PAUSED not in operators.MOVES[operator.state]:
        d.refuse(operator.id, f"operator is {operator.state}")
        return False
    if operator.state == operators.WRAP_UP:
        conversation.pause_in_wrap_up(d, operator, reason)
        return True
    offers.pull(d, operator, reason)
    return operators.move(d, operator, operators.PAUSED, reason)
