"""Operators who let offers ring out: who does so again and again is paused, but never the last one of a queue.

The last one is whoever would leave a queue of the plan in force with nobody on duty, for any skills that its points ask for.
That is an alarm instead, and every further offer is tried as before.
"""

from collections.abc import Iterator
from itertools import product

from callserver.core import moment
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.lookup import queue_of
from callserver.core.state import Incident, OperatorState
from dialplans import hours
from dialplans.model import Plan, Queue


def missed(d: Decision, operator: OperatorState, incident: Incident) -> None:
    """The operator let an offer of this incident ring out: rests, and is paused when that was one too many in a row."""
    queue = queue_of(d.state, incident)
    if queue.rest_after_no_answer_ms > 0 or queue.auto_pause_after > 0:
        operators.rest(d, operator, queue.rest_after_no_answer_ms)
    if not 0 < queue.auto_pause_after <= operator.misses or operator.state != operators.AVAILABLE:
        return
    left_alone = next(_left_alone(d, operator), "")
    reason = f"let {operator.misses} offers ring out in a row"
    if left_alone:
        d.alarm(operators.no_answer_alarm(operator), f"{operator.id} {reason} and is the last on duty for queue {left_alone}")
    else:
        operators.move(d, operator, operators.PAUSED, reason)


def _left_alone(d: Decision, operator: OperatorState) -> Iterator[str]:
    """The queues that would have nobody on duty without this operator."""
    plan = d.state.plans[d.state.plan_version]
    others = [one.id for one in d.state.operators.values() if one.id != operator.id and operators.on_duty(one)]
    mine = () if operator.id not in plan.operators else plan.operators[operator.id].groups
    for queue in plan.queues.values():
        if _groups(d, plan, queue)[1].isdisjoint(mine):
            continue
        for groups, skills in product(_groups(d, plan, queue), sorted(_asked(plan, queue))):
            if _belongs(plan, operator.id, groups, skills) and not any(_belongs(plan, one, groups, skills) for one in others):
                yield queue.id


def _groups(d: Decision, plan: Plan, queue: Queue) -> tuple[set[str], set[str]]:
    """The queue's groups that are open now, and all of them: somebody is to be there when the others open, too."""
    groups = {*queue.groups, *(group for tier in queue.tiers for group in tier.groups)}
    about, now = plan.about_groups, moment.utc_ns(d.state, d.now)
    return {group for group in groups if group not in about or hours.is_open(plan, about[group].hours, now)}, groups


def _asked(plan: Plan, queue: Queue) -> set[tuple[str, ...]]:
    """The skills that the queue's presses may ask for."""
    points = plan.points.values()
    return {(), *(one.skills for one in points if queue.id in (one.queue, *(button.queue for button in one.buttons)))}


def _belongs(plan: Plan, operator: str, groups: set[str], skills: tuple[str, ...]) -> bool:
    known = plan.operators.get(operator)
    return known is not None and not groups.isdisjoint(known.groups) and set(skills) <= set(known.skills)
