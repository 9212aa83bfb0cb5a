"""Who may be offered an incident: the one answer to that question, for offers, ladder and watch.

    own groups     the queue's at once, its tiers' after their time; their operators need the skills that the point asks for
    added groups   those that steps of the ladder rang; their operators need no skill

    nobody else    while a person keeps the incident for one operator or one group (`only`), who need no skill; or has parked it,
                   or given it to an outside party

A group with hours is left out while these are closed. Everything is by the incident's frozen plan; only who is an operator
at all is asked of the plan in force too.
"""

from collections.abc import Callable, Iterable

from callserver.core import moment
from callserver.core import operator as operators
from callserver.core.instant import Instant, later
from callserver.core.lookup import plan_of, point_of, queue_of, steps_taken
from callserver.core.views import GROUP, NOBODY, OPERATOR, IncidentView, OperatorView, WorldView
from dialplans.model import Operator, Tier


def tiers_reached(state: WorldView, incident: IncidentView, now: Instant) -> tuple[Tier, ...]:
    """The tiers of its queue that have been waited for long enough."""
    return tuple(tier for tier in queue_of(state, incident).tiers if later(incident.ladder_since, tier.after_ms) <= now)


def own_groups(state: WorldView, incident: IncidentView, now: Instant) -> frozenset[str]:
    """The groups that ring because of the incident's queue, by time and hours."""
    tiers = tiers_reached(state, incident, now)
    return _open(state, incident, (*queue_of(state, incident).groups, *(group for tier in tiers for group in tier.groups)), now)


def added_groups(state: WorldView, incident: IncidentView, now: Instant) -> frozenset[str]:
    """The groups that ring because of steps of the ladder, by hours."""
    return _open(state, incident, (step.ring_group for step in steps_taken(state, incident) if step.ring_group), now)


def _open(state: WorldView, incident: IncidentView, groups: Iterable[str], now: Instant) -> frozenset[str]:
    about = plan_of(state, incident).about_groups
    return frozenset(group for group in groups if group not in about or moment.is_open(state, incident, about[group].hours, now))


def served_by(state: WorldView, incident: IncidentView, now: Instant) -> Callable[[OperatorView], bool]:
    """The question whether an operator is one of those who are rung for the incident at this moment, free or not."""
    if incident.only:
        return lambda operator: _alone(state, operator, incident)
    added, own = added_groups(state, incident, now), own_groups(state, incident, now)

    def asked(operator: OperatorView) -> bool:
        known = _known(state, operator, incident)
        if known is None:
            return False
        return not added.isdisjoint(known.groups) or (not own.isdisjoint(known.groups) and _skilled(state, known, incident))

    return asked


def serves(state: WorldView, operator: OperatorView, incident: IncidentView, now: Instant) -> bool:
    """Whether the operator is one of those who are rung for the incident at this moment, free or not."""
    return served_by(state, incident, now)(operator)


def _known(state: WorldView, operator: OperatorView, incident: IncidentView) -> Operator | None:
    """What the incident's plan says of an operator who is still one under the plan in force."""
    in_force = operator.id in state.plans[state.plan_version].operators
    return plan_of(state, incident).operators.get(operator.id) if in_force else None


def _alone(state: WorldView, operator: OperatorView, incident: IncidentView) -> bool:
    """Whether the operator is one of those whom a directed incident is kept for."""
    known = _known(state, operator, incident)
    if known is None or incident.only == NOBODY:
        return False
    return incident.only in (f"{OPERATOR}{known.id}", *(f"{GROUP}{group}" for group in known.groups))


def _skilled(state: WorldView, known: Operator, incident: IncidentView) -> bool:
    wanted = point_of(state, incident).skills
    return not wanted or set(wanted) <= set(known.skills)


def free(operator: OperatorView, now: Instant) -> bool:
    """Whether the seat could ring for anything: reachable, available, no leg left over, no firm rest."""
    return (
        operator.state == operators.AVAILABLE
        and operator.reachable
        and not operator.legs
        and (operator.refuses_until is None or operator.refuses_until <= now)
    )


def eligible(state: WorldView, operator: OperatorView, incident: IncidentView, now: Instant) -> bool:
    """Whether the operator may be offered the incident at this moment."""
    return free(operator, now) and serves(state, operator, incident, now)


def belongs(state: WorldView, operator: OperatorView, incident: IncidentView, now: Instant) -> bool:
    """Whether the operator is one whom the incident's queue will ring sooner or later, at a seat or not: by its groups and all
    of its tiers, with the skills, where the group's hours are open."""
    known = _known(state, operator, incident)
    if known is None or not _skilled(state, known, incident):
        return False
    queue = queue_of(state, incident)
    groups = (*queue.groups, *(group for tier in queue.tiers for group in tier.groups))
    return not _open(state, incident, groups, now).isdisjoint(known.groups)


def of_queue(state: WorldView, operator: OperatorView, incident: IncidentView) -> bool:
    """The same whatever the hours: who may answer for an incident of the queue, though not be rung for it now."""
    known = _known(state, operator, incident)
    queue = queue_of(state, incident)
    groups = {*queue.groups, *(group for tier in queue.tiers for group in tier.groups)}
    return known is not None and _skilled(state, known, incident) and not groups.isdisjoint(known.groups)
