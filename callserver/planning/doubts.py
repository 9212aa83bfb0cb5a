"""What a proof says besides: offers to groups with nobody in them, and warnings about rules that hardly do what was meant."""

from collections.abc import Iterator, Mapping, Sequence

from callserver.core.instant import MS
from callserver.planning.inquiry import Inquiry
from callserver.planning.quotient import Matter, chain_of, group_hours, ladders_of, last_party, serves
from callserver.planning.story import clock, local_time, tell
from callserver.planning.timeline import Changes, timeline
from callserver.planning.verdict import Doubt, Hole, PressClass
from callserver.planning.worlds import carriers
from dialplans.model import Plan

EMPTY, UNRUNG = "empty", "unrung"
"""Kinds of holes: a call is offered to a group with nobody in it; who should be rung never is."""

Points = Mapping[int, tuple[str, ...]]
"""The points of each inquiry, by its identity."""


def _story(plan: Plan, inquiry: Inquiry) -> tuple[str, ...]:
    """What it looks like when everybody is there."""
    return () if inquiry.all_there is None else tell(plan, inquiry.all_there)


def members(plan: Plan, group: str, skills: tuple[str, ...] = ()) -> list[str]:
    """The operators of a group who have these skills."""
    return [one.id for one in plan.operators.values() if group in one.groups and serves(one, skills)]


# ---- offers to nobody ---------------------------------------------------------------------------------------


def empty_offers(plan: Plan, inquiries: Sequence[Inquiry], points: Points) -> list[Hole]:
    """Groups that are offered calls and can never ring for them."""
    found = [hole for one in inquiries for hole in _queues(plan, one, points[id(one)])]
    return [*found, *_steps(plan, inquiries, points)]


def _queues(plan: Plan, inquiry: Inquiry, points: tuple[str, ...]) -> Iterator[Hole]:
    matter = inquiry.matter
    for name in matter.queues:
        queue = plan.queues[name]
        groups = (*queue.groups, *(group for tier in queue.tiers for group in tier.groups))
        able = [one for group in groups for one in members(plan, group, matter.skills)]
        needs = f" with {' and '.join(matter.skills)}" if matter.skills else ""
        if not able:
            what = f"queue {name} offers calls to {_and(groups)}, and there is nobody{needs}"
            yield Hole(EMPTY, what, points, _story(plan, inquiry))
        elif name == matter.queue and not any((name, one) in inquiry.rung for one in able):
            what = f"queue {name} gives a press away before anybody of {_and(groups)} was rung"
            yield Hole(UNRUNG, what, points, _story(plan, inquiry))


def _steps(plan: Plan, inquiries: Sequence[Inquiry], points: Points) -> Iterator[Hole]:
    """A step that was done, and rang a group of which nobody ever rang."""
    for name, ladder in plan.ladders.items():
        of = [one for one in inquiries if name in one.matter.ladders]
        rung = {operator for one in of for _, operator in one.rung}
        affected = tuple(dict.fromkeys(point for one in of for point in points[id(one)]))
        for number, step in enumerate(ladder.steps, 1):
            done = next((one.taken[name, number, False] for one in of if (name, number, False) in one.taken), None)
            if step.ring_group and done is not None and not rung & set(members(plan, step.ring_group)):
                hours = group_hours(plan, step.ring_group)
                why = f"which is closed (hours {hours}) whenever the step is taken" if hours else "where nobody is"
                what = f"step {number} of ladder {name} rings group {step.ring_group}, {why}"
                yield Hole(EMPTY, what, affected, tell(plan, done))


def _and(names: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(names)) or "no group"


# ---- warnings -----------------------------------------------------------------------------------------------


def warnings(
    plan: Plan, inquiries: Sequence[Inquiry], classes: Sequence[PressClass], known: Mapping[str, Changes], now_utc_ns: int
) -> list[Doubt]:
    """Everything that is doubtful, the gravest first."""
    return [
        *_limits(classes),
        *_quiet(classes),
        *_single_ways(plan, inquiries),
        *_gaps(plan, inquiries, known, now_utc_ns),
        *_unreached(plan, inquiries),
        *_never_rung(plan, inquiries),
        *_unskilled(plan, inquiries),
        *_cameras(plan),
    ]


def _limits(classes: Sequence[PressClass]) -> Iterator[Doubt]:
    for one in classes:
        late = one.last_resort
        if one.limit_ms is not None and late is not None and late.ms >= one.limit_ms:
            what = f"the last resort rings after {clock(late.ms)}, the device gives up after {clock(one.limit_ms)}"
            yield Doubt("limit", f"{one.name}: {what}", one.points)
        elif one.limit_ms is not None and one.first_with_dead_lines is not None and one.first_with_dead_lines.ms >= one.limit_ms:
            what = f"with dead lines nothing rings before {clock(one.first_with_dead_lines.ms)}"
            yield Doubt("limit", f"{one.name}: {what}, the device gives up after {clock(one.limit_ms)}", one.points)


def _quiet(classes: Sequence[PressClass]) -> Iterator[Doubt]:
    for one in classes:
        if one.limit_ms is not None and one.quiet is not None and one.quiet.ms >= one.limit_ms:
            yield Doubt("quiet", f"{one.name}: once it rang, it can be quiet for {clock(one.quiet.ms)}", one.points)


def _single_ways(plan: Plan, inquiries: Sequence[Inquiry]) -> Iterator[Doubt]:
    for name in dict.fromkeys(name for one in inquiries for name in one.matter.ladders):
        last = last_party(plan.ladders[name])
        ways = () if not last else carriers(plan, chain_of(plan, last))
        if len(ways) == 1 and ways[0] not in plan.trunks:
            yield Doubt("single-way", f"the last resort of ladder {name} has one way only, {ways[0]}")


def _gaps(plan: Plan, inquiries: Sequence[Inquiry], known: Mapping[str, Changes], now_utc_ns: int) -> Iterator[Doubt]:
    """Times at which all groups of a queue are closed."""
    for name in dict.fromkeys(one.matter.queue for one in inquiries):
        queue = plan.queues[name]
        groups = (*queue.groups, *(group for tier in queue.tiers for group in tier.groups))
        hours = [group_hours(plan, group) for group in groups]
        if not hours or "" in hours:
            continue
        line = timeline(known, set(hours), now_utc_ns)
        starts = [now_utc_ns, *line.changes]
        closed = [(at, until) for at, until, how in zip(starts, [*starts[1:], None], [line.first, *line.after], strict=True)
                  if not any(how)]  # fmt: skip
        for at, until in closed[:1]:
            lasts = "" if until is None else f" for {clock((until - at) // MS)}"
            times = f", {len(closed)} times in a year" if len(closed) > 1 else ""
            yield Doubt("gap", f"queue {name} has no open group from {local_time(plan, at)}{lasts}{times}", _pressing(plan, name))


def _pressing(plan: Plan, queue: str) -> tuple[str, ...]:
    return tuple(one.id for one in plan.points.values() if queue in (one.queue, *(button.queue for button in one.buttons)))


def _unreached(plan: Plan, inquiries: Sequence[Inquiry]) -> Iterator[Doubt]:
    """Rules that no press ever comes to."""
    taken = {(ladder, number): done for one in inquiries for ladder, number, passed in one.taken for done in [not passed] if done}
    climbed = {name for one in inquiries for name in one.climbed}
    reached = {name for one in inquiries for name in one.matter.queues}
    for name in plan.queues:
        if name not in reached:
            yield Doubt("unreached", f"no press comes to queue {name}")
    for name in dict.fromkeys(name for queue in reached for name in ladders_of(plan.queues[queue])):
        if name not in climbed:
            yield Doubt("unreached", f"no press ever climbs ladder {name}")
            continue
        for number, step in enumerate(plan.ladders[name].steps, 1):
            if (name, number) not in taken:
                why = f": it is never reached within hours {step.hours}" if step.hours else ""
                yield Doubt("unreached", f"step {number} of ladder {name} is never done{why}")


def _never_rung(plan: Plan, inquiries: Sequence[Inquiry]) -> Iterator[Doubt]:
    """Groups that no queue, tier or step names."""
    named = {group for one in inquiries for group in _groups(plan, one.matter)}
    for group in dict.fromkeys(group for one in plan.operators.values() for group in one.groups):
        if group not in named:
            yield Doubt("never-rung", f"nothing rings group {group}")


def _groups(plan: Plan, matter: Matter) -> Iterator[str]:
    for name in matter.queues:
        yield from plan.queues[name].groups
        yield from (group for tier in plan.queues[name].tiers for group in tier.groups)
    yield from (step.ring_group for name in matter.ladders for step in plan.ladders[name].steps)


def _unskilled(plan: Plan, inquiries: Sequence[Inquiry]) -> Iterator[Doubt]:
    """A queue's group without anybody who has the skills that a point asks for, beside others that have."""
    for matter in dict.fromkeys(one.matter for one in inquiries if one.matter.skills):
        groups = plan.queues[matter.queue].groups
        able = [group for group in groups if members(plan, group, matter.skills)]
        for group in groups if able else ():
            if group not in able:
                what = f"nobody of group {group} has {' and '.join(matter.skills)}, which points of queue {matter.queue} ask for"
                yield Doubt("unskilled", what)


def _cameras(plan: Plan) -> Iterator[Doubt]:
    without = tuple(one.id for one in plan.points.values() if not one.cameras)
    if plan.cameras and without:
        yield Doubt("camera", f"{len(without)} points have no camera", without)
