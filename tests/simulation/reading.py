"""What a plan means, read once more by the judges of the simulation, without the core's own rules."""

from callserver.core.instant import MS, Instant
from callserver.core.state import Incident, OperatorState, State
from dialplans.hours import is_open
from dialplans.model import Ladder, Priority, Queue
from tests.simulation.edge import Edge

NEVER_NS = 1 << 80


def queue_of(state: State, incident: Incident) -> Queue:
    """The queue in which it waits, under its frozen plan."""
    return state.plans[incident.plan_version].queues[incident.queue]


def ladder_of(state: State, incident: Incident) -> Ladder:
    """The ladder that it climbs."""
    return state.plans[incident.plan_version].ladders[incident.ladder or queue_of(state, incident).ladder]


def may_ring(state: State, incident: Incident, operator: str, now: Instant) -> bool:
    """Whether the operator is among those who are rung for it at this moment, whatever the seat does."""
    frozen, present = state.plans[incident.plan_version], state.plans[state.plan_version]
    known = frozen.operators.get(operator)
    if known is None or operator not in present.operators:
        return False
    if incident.only:
        return incident.only in (f"operator:{operator}", *(f"group:{group}" for group in known.groups))
    queue = frozen.queues[incident.queue]
    waited_ms = (now - incident.ladder_since) / MS
    own = {*queue.groups, *(group for tier in queue.tiers if tier.after_ms <= waited_ms for group in tier.groups)}
    steps = ladder_of(state, incident).steps[: incident.step]
    added = {step.ring_group for number, step in enumerate(steps, 1) if step.ring_group and number not in incident.passed}
    mine = {group for group in known.groups if _is_open(state, incident, group, now)}
    skilled = set(frozen.points[incident.point].skills) <= set(known.skills)
    return bool(mine & added) or (skilled and bool(mine & own))


def _is_open(state: State, incident: Incident, group: str, now: Instant) -> bool:
    plan = state.plans[incident.plan_version]
    about = plan.about_groups.get(group)
    return about is None or is_open(plan, about.hours, now + state.utc_offset_ns)


def could_ring(state: State, edge: Edge, incident: Incident, operator: OperatorState, now: Instant) -> bool:
    """Whether the seat is free, in truth, and the operator is one who is rung for it."""
    return is_free(edge, operator, now) and may_ring(state, incident, operator.id, now)


def is_free(edge: Edge, operator: OperatorState, now: Instant) -> bool:
    """Whether a seat could ring for anything, in truth."""
    return (
        operator.reachable
        and operator.state == "available"
        and (operator.refuses_until is None or operator.refuses_until <= now)
        and not any(dialog.party == operator.id for dialog in edge.dialogs.values())
    )


def groups_of(queue: Queue) -> set[str]:
    """The groups that a queue may ring by itself, sooner or later."""
    return {*queue.groups, *(group for tier in queue.tiers for group in tier.groups)}


def last_of_queues(state: State, operator: str, now: Instant) -> list[str]:
    """The queues of the plan in force that would be left without anybody at work but for this operator, by the hours of now."""
    plan = state.plans[state.plan_version]
    if operator not in plan.operators:
        return []
    shut = {one.id for one in plan.about_groups.values() if not is_open(plan, one.hours, now + state.utc_offset_ns)}
    others = [one for one in state.operators.values() if one.id != operator and one.id in plan.operators]
    at_work = [plan.operators[one.id] for one in others if one.reachable and one.state not in ("off", "paused")]
    rung = {queue.id: groups_of(queue) - shut for queue in plan.queues.values()}
    mine = [queue for queue, groups in rung.items() if groups & set(plan.operators[operator].groups)]
    return [queue for queue in mine if not any(rung[queue] & set(other.groups) for other in at_work)]


def seats_in_the_way(state: State, incident: Incident, now: Instant, parked_one: bool) -> list[str]:
    """Whose seats an emergency may have though they are taken: wrap-ups, and lower talks when it has waited long enough.

    None while a seat is about to be free by itself, or rings.
    """
    mine = [one for one in state.operators.values() if one.reachable and may_ring(state, incident, one.id, now)]
    if any(one.state in ("available", "offered") or _leaves(state, one) for one in mine):
        return []
    queue = queue_of(state, incident)
    found = [one.id for one in mine if one.state == "wrap-up" and queue.wrap_up_cut]
    after_ms = queue.preempt_after_ms
    if parked_one or incident.parked or after_ms is None or now - incident.since < after_ms * MS:
        return found
    return found + [one.id for one in mine if one.state == "talking" and _is_lower_talk(state, one)]


def _leaves(state: State, operator: OperatorState) -> bool:
    return operator.state == "talking" and all(state.legs[leg].state == "ending" for leg in operator.legs)


def _is_lower_talk(state: State, operator: OperatorState) -> bool:
    call = None if operator.call is None else state.calls.get(operator.call)
    if call is None or call.state != "talking":
        return False
    outside = any(leg.role in ("outside", "supervisor", "brought") and leg.state != "ending" for leg in call.legs.values())
    return state.incidents[call.incident].priority >= Priority.NORMAL and not outside


def nobody_at_work(state: State, incident: Incident) -> bool:
    """Whether no operator whom its queue may ever ring is at work at all."""
    plan = state.plans[incident.plan_version]
    groups = groups_of(plan.queues[incident.queue])
    return not any(
        operator.state not in ("off", "paused")
        and operator.id in plan.operators
        and not groups.isdisjoint(plan.operators[operator.id].groups)
        for operator in state.operators.values()
    )


def rank(state: State, incident: Incident) -> tuple[int, int, str]:
    """Its place in the order: class, with ageing by its own plan; the smaller goes first."""
    ageing_ms = state.plans[incident.plan_version].ageing_ms
    later_ns = ageing_ms * MS if ageing_ms else NEVER_NS
    return (incident.waiting_since + incident.priority * later_ns, incident.priority, incident.id)
