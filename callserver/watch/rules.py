"""What must not be seen in the picture, or not for long: each rule tells what is wrong at this moment and since when.

    unoffered     a call waits without a live offer while a seat that may have it is free, or is parked or kept for somebody
                  past the time                                                                2 s
    unanswerable  an offer none of whose legs rings                                            2 s
    stuck         an operator is offered without an offer, talks without a leg, or wraps up past the end; a leg that
                  was given up does not end                                                    2 s, a leg 90 s
    unowned       an incident that waits without a call, is attended by nobody, or is wrapped up by nobody   2 s
    ignored       a press led to nothing                                                       2 s
    late          a ladder did not go up though the time or the condition for its step has come   2 s
    silent        the last step was taken, and neither rings a party nor is a round awaited    2 s
    untold        a notice is neither delivered nor given up                                   5 min
    unlisted      an incident that nobody has, or whose caller is gone, is not on the call-back list   2 s
    ownerless     a listed incident is nobody's while somebody of its queue is on duty, or without the alarm that says
                  so; its owner is away                                                        2 s, away 62 s
    overdue       a listed incident is past its time, or was passed and not acknowledged, without the alarm   2 s

Who may have a call is asked of `core.eligible`, the one rule; everything else is decided here anew.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import StrEnum

from callserver.core import eligible as eligibility
from callserver.core.ids import IncidentId, LegId, OperatorId
from callserver.core.instant import SECOND, Instant, later
from callserver.core.lookup import ladder_of, plan_of
from callserver.core.views import NOBODY
from callserver.watch.picture import Picture, SeenCall, SeenIncident, SeenOperator
from dialplans.hours import is_open
from dialplans.model import Ladder, When

GRACE_NS = 2 * SECOND
LEG_GRACE_NS = 90 * SECOND  # a BYE without reply is given up after 32 s, a CANCEL after twice that
NOTICE_GRACE_NS = 300 * SECOND
AWAY_GRACE_NS = 62 * SECOND  # a lost seat keeps what it owns for a minute
PAUSE_MOST_NS = 330 * SECOND  # a ladder's retry is at most five minutes: longer without a party dialled is silence

_RINGING = frozenset({"dialling", "ringing"})
_HAVING = ("operator", "outside")
_AWAY = frozenset({"off", "paused"})


class Kind(StrEnum):
    """What is wrong; the second word of the alarm's key."""

    UNOFFERED = "unoffered"
    UNANSWERABLE = "unanswerable"
    STUCK = "stuck"
    UNOWNED = "unowned"
    IGNORED = "ignored"
    LATE = "late"
    SILENT = "silent"
    UNTOLD = "untold"
    UNLISTED = "unlisted"
    OWNERLESS = "ownerless"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is wrong now, not since earlier than `since` (which may lie ahead); tolerated for `grace_ns`."""

    kind: Kind
    about: str
    text: str
    since: Instant
    incident: IncidentId | None = None  # the waiting one whose last resort would help
    grace_ns: int = GRACE_NS


def all_wrong(picture: Picture, now: Instant) -> Iterator[Wrong]:
    """Everything that is wrong at this moment."""
    waiting = picture.waiting()
    if waiting:
        yield from _unoffered(picture, waiting, now)
    for incident in waiting:
        yield from _ladder(picture, incident, now)
    for incident in picture.incidents.values():
        yield from _incident(picture, incident)
        yield from _unlisted(picture, incident) if incident.listed is None else _listed(picture, incident)
    ringing = {(leg, operator) for call in picture.calls.values() for leg, operator in call.ringing.items()}
    for operator in picture.operators.values():
        yield from _operator(operator, ringing)
    for call in picture.calls.values():
        yield from _call(picture, call)
    for notice, (of, ordered) in picture.notices.items():
        yield Wrong(Kind.UNTOLD, notice, f"a notice of {of} is neither delivered nor given up", ordered, grace_ns=NOTICE_GRACE_NS)


# ---- waiting ------------------------------------------------------------------------------------------------------


def _unoffered(picture: Picture, waiting: list[SeenIncident], now: Instant) -> Iterator[Wrong]:
    free = [operator for operator in picture.operators.values() if eligibility.free(operator, now)]
    for incident in waiting if free else ():
        call = picture.call_of(incident)
        if call is None or call.offer is not None:
            continue
        could = [operator for operator in free if eligibility.eligible(picture, operator, incident, now)]
        if could:
            since = max(call.offer_changed, incident.changed, min(_free_since(one) for one in could))
            names = ", ".join(sorted(one.id for one in could)[:3])
            text = f"{incident.point} waits without an offer while a seat is free: {names}"
            yield Wrong(Kind.UNOFFERED, incident.id, text, since, incident.id)


def _free_since(operator: SeenOperator) -> Instant:
    return operator.changed if operator.refuses_until is None else max(operator.changed, operator.refuses_until)


def _ladder(picture: Picture, incident: SeenIncident, now: Instant) -> Iterator[Wrong]:
    if incident.only_until is not None and incident.only_until <= now:
        text = f"{incident.point} is kept for {incident.only} past its time"
        yield Wrong(Kind.UNOFFERED, incident.id, text, max(incident.only_until, incident.changed), incident.id)
    if incident.only == NOBODY or incident.called_by:
        return
    ladder = ladder_of(picture, incident)
    if incident.step >= len(ladder.steps):
        yield from _last_resort(picture, incident, ladder, now)
        return
    due = later(incident.ladder_since, ladder.steps[incident.step].after_ms)
    if due > now and _wanted_step(picture, incident, ladder, now) > incident.step:
        text = f"{incident.point}'s ladder does not go up though the condition of a step is met"
        yield Wrong(Kind.LATE, incident.id, text, max(incident.stepped, *incident.met.values(), incident.changed), incident.id)
    else:
        text = f"step {incident.step + 1} of {incident.point}'s ladder was due and is not taken"
        yield Wrong(Kind.LATE, incident.id, text, max(due, incident.stepped), incident.id)


def _wanted_step(picture: Picture, incident: SeenIncident, ladder: Ladder, now: Instant) -> int:
    """The number of steps that must be taken by what has happened, however short the wait is."""
    met: set[str] = set(incident.met)
    if any(When.NOBODY in step.conditions for step in ladder.steps) and not _anybody(picture, incident):
        met.add(When.NOBODY)
    plan, utc_ns = plan_of(picture, incident), now + picture.utc_offset_ns
    wanted = [number for number, step in enumerate(ladder.steps, 1) if met & set(step.conditions)]
    return max((number for number in wanted if is_open(plan, ladder.steps[number - 1].hours, utc_ns)), default=0)


def _anybody(picture: Picture, incident: SeenIncident) -> bool:
    """Whether any operator of any group that the queue names is at work at all: a wider question than who is on duty."""
    plan = plan_of(picture, incident)
    queue = plan.queues[incident.queue]
    groups = {*queue.groups, *(group for tier in queue.tiers for group in tier.groups)}
    return any(
        operator.state not in _AWAY and operator.id in plan.operators and groups & set(plan.operators[operator.id].groups)
        for operator in picture.operators.values()
    )


def _last_resort(picture: Picture, incident: SeenIncident, ladder: Ladder, now: Instant) -> Iterator[Wrong]:
    call = picture.call_of(incident)
    legs = [] if call is None else [leg for leg in call.legs.values() if leg.role == "outside"]
    if any(leg.state in _RINGING or not leg.accepted for leg in legs):
        return
    since = max((leg.changed for leg in legs), default=incident.stepped)
    pausing = max(incident.tried, incident.stepped, picture.back_since) > now - PAUSE_MOST_NS
    if incident.route_at is not None and pausing:
        since = max(since, incident.route_at)
    text = f"{incident.point} waits at the end of ladder {ladder.id} and nobody rings"
    yield Wrong(Kind.SILENT, incident.id, text, max(since, incident.stepped), incident.id)


# ---- the call-back list -------------------------------------------------------------------------------------------


def _unlisted(picture: Picture, incident: SeenIncident) -> Iterator[Wrong]:
    call = picture.call_of(incident)
    there = call is not None and any(leg.role == "point" and leg.state != "ending" for leg in call.legs.values())
    if incident.state == "unreviewed" or (incident.state == "waiting" and not there and not incident.called_by):
        text = f"{incident.point}'s incident is with nobody and not on the call-back list"
        yield Wrong(Kind.UNLISTED, incident.id, text, incident.changed)


def _listed(picture: Picture, incident: SeenIncident) -> Iterator[Wrong]:
    alarms, owner = picture.alarms, None if incident.owner is None else picture.operators.get(incident.owner)
    if owner is None:
        present = [one for one in picture.operators.values() if _present(one)]
        could = [one for one in present if eligibility.of_queue(picture, one, incident)]
        if could or f"unowned:{incident.id}" not in alarms:
            text = f"{incident.point}'s incident on the call-back list is nobody's"
            since = max(incident.owner_since, min((one.changed for one in could), default=incident.owner_since))
            yield Wrong(Kind.OWNERLESS, incident.id, text, since)
    elif not _present(owner) and incident.operator != owner.id:
        text = f"{owner.id} is away, and owns {incident.point}'s incident on the call-back list"
        yield Wrong(Kind.OWNERLESS, incident.id, text, max(incident.owner_since, owner.changed), grace_ns=AWAY_GRACE_NS)
    times = (("overdue", incident.overdue_at), ("unacknowledged", incident.acknowledge_by))
    late = [(at, what) for what, at in times if at is not None and f"{what}:{incident.id}" not in alarms]
    if late:
        at, what = min(late)
        yield Wrong(Kind.OVERDUE, incident.id, f"{incident.point}'s incident on the call-back list is {what} in silence", at)


def _present(operator: SeenOperator) -> bool:
    return operator.reachable and operator.state not in _AWAY


# ---- the machines -------------------------------------------------------------------------------------------------


def _incident(picture: Picture, incident: SeenIncident) -> Iterator[Wrong]:
    call = picture.call_of(incident)
    if incident.pressed is not None:
        text = f"a press of {incident.point} led to nothing"
        yield Wrong(Kind.IGNORED, incident.id, text, incident.pressed, incident.id)
    text, changed = "", incident.changed
    if incident.state == "waiting" and (call is None or call.state != "waiting"):
        text = f"{incident.point} waits without a call"
    elif incident.state == "attended" and (call is None or not _attended(call)):
        text = f"{incident.point} is attended by nobody"
    elif incident.state == "wrap-up" and not _wrapped_up(picture, incident):
        text = f"{incident.point}'s incident is wrapped up by nobody"
    if text:
        if call is not None:
            changed = max(changed, call.changed, *(leg.changed for leg in call.legs.values()))
        yield Wrong(Kind.UNOWNED, incident.id, text, changed, incident.id if incident.state == "waiting" else None)


def _attended(call: SeenCall) -> bool:
    people = any(leg.role in _HAVING and leg.state == "up" and leg.accepted for leg in call.legs.values())
    return call.state in ("talking", "calling-back") and people


def _wrapped_up(picture: Picture, incident: SeenIncident) -> bool:
    operator = None if incident.operator is None else picture.operators.get(incident.operator)
    return operator is not None and operator.state == "wrap-up"


def _operator(operator: SeenOperator, ringing: Set[tuple[LegId, OperatorId]]) -> Iterator[Wrong]:
    text, since = "", operator.changed
    if operator.state == "offered" and not any((leg, operator.id) in ringing for leg in operator.legs):
        text = f"{operator.id} is offered a call that does not ring"
    elif operator.state == "talking" and not operator.legs:
        text = f"{operator.id} talks without a line"
    elif operator.state == "wrap-up" and operator.until is not None:
        text, since = f"{operator.id}'s wrap-up is past its end", max(since, operator.until)
    if text:
        yield Wrong(Kind.STUCK, operator.id, text, since)


def _call(picture: Picture, call: SeenCall) -> Iterator[Wrong]:
    if call.offer is not None and not any(leg.state in _RINGING for leg in call.legs.values() if leg.id in call.ringing):
        changed = max(call.offer_changed, *(leg.changed for leg in call.legs.values()), call.changed)
        text = f"the offer {call.offer} rings nowhere"
        yield Wrong(Kind.UNANSWERABLE, call.id, text, changed, call.incident)
    for leg in call.legs.values():
        if leg.state == "ending":
            text = f"the line to {leg.party} was given up and does not end"
            yield Wrong(Kind.STUCK, leg.id, text, leg.changed, grace_ns=LEG_GRACE_NS)
