"""What need not be told apart: presses, operators and lines that the core treats alike. docs/proof.md argues for each step.

A *matter* is all that can happen to a press of one kind: the queues it can be handed to, their ladders, the parties at the
end, the hours that any of these ask for, and the operators who can be rung, put together in crews.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dialplans.model import Ladder, Operator, Plan, Point, Priority, Queue

Role = tuple[str, ...]
"""Why a group counts: (queue), (queue, tier) or (ladder, step), and the group's hours."""


@dataclass(frozen=True, slots=True)
class Press:
    """One button of one point."""

    point: str
    button: str
    queue: str
    skills: tuple[str, ...]
    priority: Priority
    profile: str


@dataclass(frozen=True, slots=True)
class Crew:
    """Operators who are in the same roles for a matter; `members` in the plan's order."""

    name: str
    members: tuple[str, ...]
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Matter:
    """What a press into `queue` with these skills can meet."""

    queue: str
    skills: tuple[str, ...]
    parks: bool  # an emergency, and a queue on the way that parks others for it
    queues: tuple[str, ...]
    ladders: tuple[str, ...]
    parties: tuple[str, ...]
    hours: tuple[str, ...]
    crews: tuple[Crew, ...]


def presses_of(plan: Plan) -> Iterator[Press]:
    """Every press that a point can make. A digit changes only the class of a press that is there already."""
    for point in plan.points.values():
        yield Press(point.id, "", point.queue, point.skills, point.priority, point.profile)
        for button in point.buttons:
            if not button.digit:
                yield Press(point.id, button.id, button.queue or point.queue, point.skills, button.priority, point.profile)


def matter_of(plan: Plan, press: Press) -> Matter:
    """The matter of a press."""
    queues = _queues(plan, press.queue)
    ladders = _unique(name for queue in queues for name in ladders_of(plan.queues[queue]))
    steps = [(plan.ladders[name], number) for name in ladders for number in range(len(plan.ladders[name].steps))]
    parties = _unique(name for ladder, number in steps for name in chain_of(plan, ladder.steps[number].call_party))
    roles = _roles(plan, queues, ladders)
    hours = {name for queue in queues for name, _ in plan.queues[queue].ladders}
    hours |= {ladder.steps[number].hours for ladder, number in steps}
    hours |= {plan.parties[name].hours for name in parties}
    hours |= {group_hours(plan, group) for group in roles}
    parks = press.priority is Priority.EMERGENCY and any(plan.queues[one].preempt_after_ms is not None for one in queues)
    crews = tuple(_crews(plan, roles, press.skills))
    return Matter(press.queue, tuple(sorted(press.skills)), parks, queues, ladders, parties, tuple(sorted(hours - {""})), crews)


def ladders_of(queue: Queue) -> tuple[str, ...]:
    """The ladders that a press into the queue may climb."""
    return (*(ladder for _, ladder in queue.ladders), queue.ladder)


def chain_of(plan: Plan, party: str) -> tuple[str, ...]:
    """The party and its fallbacks."""
    found: list[str] = []
    while party and party not in found:
        found.append(party)
        party = plan.parties[party].fallback
    return tuple(found)


def group_hours(plan: Plan, group: str) -> str:
    """The hours of a group; "": always."""
    known = plan.about_groups.get(group)
    return "" if known is None else known.hours


def last_party(ladder: Ladder) -> str:
    """The party that the ladder ends with; "" where it hands over."""
    return ladder.steps[-1].call_party if ladder.steps else ""


def serves(operator: Operator, skills: tuple[str, ...]) -> bool:
    """Whether an operator has all of these skills."""
    return set(skills) <= set(operator.skills)


def _unique(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _queues(plan: Plan, first: str) -> tuple[str, ...]:
    """The queue, and all that a ladder can hand over to from there."""
    found = [first]
    for queue in found:  # grows while it is walked
        for name in ladders_of(plan.queues[queue]):
            for step in plan.ladders[name].steps:
                if step.hand_to and step.hand_to not in found:
                    found.append(step.hand_to)
    return tuple(found)


def _roles(plan: Plan, queues: tuple[str, ...], ladders: tuple[str, ...]) -> dict[str, frozenset[Role]]:
    """Group -> what it is there for."""
    found: dict[str, set[Role]] = {}
    for name in queues:
        queue = plan.queues[name]
        for group in queue.groups:
            found.setdefault(group, set()).add(("queue", name, group_hours(plan, group)))
        for number, tier in enumerate(queue.tiers):
            for group in tier.groups:
                found.setdefault(group, set()).add(("tier", name, str(number), group_hours(plan, group)))
    for name in ladders:
        for number, step in enumerate(plan.ladders[name].steps):
            if step.ring_group:
                role = ("step", name, str(number), group_hours(plan, step.ring_group))
                found.setdefault(step.ring_group, set()).add(role)
    return {group: frozenset(roles) for group, roles in found.items()}


def _crews(plan: Plan, roles: dict[str, frozenset[Role]], skills: tuple[str, ...]) -> Iterator[Crew]:
    alike: dict[tuple[frozenset[Role], bool], list[Operator]] = {}
    for operator in plan.operators.values():
        own = frozenset(role for group in operator.groups for role in roles.get(group, ()))
        if own:
            alike.setdefault((own, serves(operator, skills)), []).append(operator)
    for (own, _), members in alike.items():
        groups = dict.fromkeys(group for group in members[0].groups if group in roles)
        yield Crew(" and ".join(groups), tuple(one.id for one in members), own)


def point_as(plan: Plan, press: Press) -> Point:
    """The point of a press as it is when this button is pressed."""
    known = plan.points[press.point]
    return replace(known, buttons=(), queue=press.queue, priority=press.priority, nuisance="")
