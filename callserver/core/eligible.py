"""Who may be offered an incident: the one answer to that question, for offers, ladder and the checks of the simulation."""

from collections.abc import Iterator

from callserver.core import operator as operators
from callserver.core.instant import Instant
from callserver.core.lookup import plan_of, queue_of, steps_taken
from callserver.core.state import OperatorState, State
from callserver.core.views import IncidentView, OperatorView, WorldView


def groups_of(state: WorldView, incident: IncidentView) -> tuple[str, ...]:
    """The groups that are rung for an incident: its queue's, and those that its ladder added."""
    groups = queue_of(state, incident).groups
    return groups + tuple(step.ring_group for step in steps_taken(state, incident) if step.ring_group)


def serves(state: WorldView, operator: OperatorView, incident: IncidentView, groups: tuple[str, ...]) -> bool:
    """Whether the operator belongs to one of the groups under the incident's plan, and is still in the plan in force."""
    known = plan_of(state, incident).operators.get(operator.id)
    if known is None or operator.id not in state.plans[state.plan_version].operators:
        return False
    return any(group in groups for group in known.groups)


def free(operator: OperatorView, now: Instant) -> bool:
    """Whether the seat could ring for anything: reachable, available, no leg left over, no firm rest."""
    return (
        operator.state == operators.AVAILABLE
        and operator.reachable
        and not operator.legs
        and (operator.refuses_until is None or operator.refuses_until <= now)
    )


def eligible(state: WorldView, operator: OperatorView, incident: IncidentView, now: Instant) -> bool:
    """Whether the operator may be offered the incident at this moment, under the incident's frozen plan."""
    return free(operator, now) and serves(state, operator, incident, groups_of(state, incident))


def on_duty(state: State, incident: IncidentView) -> Iterator[OperatorState]:
    """The operators of the queue's own groups who are at a seat: reachable, neither off nor paused."""
    groups = queue_of(state, incident).groups
    return (
        operator
        for operator in state.operators.values()
        if operator.reachable
        and operator.state not in (operators.OFF, operators.PAUSED)
        and serves(state, operator, incident, groups)
    )


def somebody_on_duty(state: State, incident: IncidentView) -> bool:
    """Whether any operator of the queue's own groups is on duty."""
    return any(True for _ in on_duty(state, incident))
