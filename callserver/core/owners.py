"""The call-back list: open incidents that nobody has though a person must see to them, each with an owner and a clock.

    call-back   nobody has spoken with the caller, who is gone: within the queue's `call_back_within`
    review      the conversation is over and nobody said what it was: within the queue's `review_within`

A caller who hung up goes on being offered, and the ladder is climbed, as before: the owner is who answers for it meanwhile. An
incident stays on the list, with its clock, while the point is called back, and leaves it when somebody speaks with the caller
or when it is closed.

Its owner is who had it last, if on duty; else who of its queue is on duty and owns least, the longest idle first; else it is
the *room's*, with an alarm, until somebody of the queue comes on duty. Who pauses passes all at once. A lost seat keeps its own
for `GRACE_MS`. What was passed is to be acknowledged. Passing a time is an alarm and, where the queue names them, a notice.
"""

from collections.abc import Collection, Iterator
from typing import Final

from callserver.core import call as calls
from callserver.core import incident as incidents
from callserver.core import notices, pools
from callserver.core import operator as operators
from callserver.core.decision import Decision
from callserver.core.events import Acknowledge, GiveOwner
from callserver.core.facts import IncidentListed, IncidentMoved, OwnerAcknowledged, OwnerNamed
from callserver.core.fold_owners import ROOM
from callserver.core.ids import IncidentId, OperatorId
from callserver.core.instant import Instant, later
from callserver.core.lookup import plan_of, point_of, queue_of
from callserver.core.state import Incident, OperatorState, State

CALL_BACK: Final = "call-back"
REVIEW: Final = "review"
RULE: Final = "rule"
PASSED_PHRASE: Final = "items-passed"
LEFT_PHRASE: Final = "items-left"
GRACE_MS: Final = 60_000
"""For how long a seat that was lost keeps what it owns."""

_WORDS = {CALL_BACK: "the caller is gone, and nobody has spoken with them", REVIEW: "nobody has said what it was"}


def cause_of(state: State, incident: Incident) -> str:
    """Why the incident must be on the list at this moment; "" where somebody has it, or its caller is on the line."""
    call = None if incident.call is None else state.calls[incident.call]
    if incident.state == incidents.UNREVIEWED:
        in_need = not incident.talked and (not incident.called_by or incident.listed == CALL_BACK)
        return CALL_BACK if in_need else REVIEW
    if incident.state == incidents.WRAP_UP or call is None:
        return incident.listed
    if incident.state == incidents.ATTENDED:
        return incident.listed if call.state == calls.CALLING_BACK else ""
    if incident.called_by and not call.talked:
        return incident.listed  # an operator's seat rings, and then the point
    return "" if calls.point_leg(call) is not None else CALL_BACK


# ---- after every event --------------------------------------------------------------------------------------------


def look(d: Decision) -> None:
    """Puts on the list what belongs there, takes off what does not, and sees that each has an owner who is on duty."""
    marks = pools.index_of(d.state).for_owners
    touched = list(d.state.incidents if marks.everything else marks.incidents)
    people = list(d.state.operators if marks.everything else marks.operators)
    marks.clear()
    for incident in [d.state.incidents[one] for one in touched if one in d.state.incidents]:
        _list(d, incident)
    for operator in [d.state.operators[one] for one in people if one in d.state.operators]:
        if _on_duty(d.state, operator):
            _leave_the_room(d)
        elif not _keeps(d, operator.id):
            _pass_on(d, operator)


def _list(d: Decision, incident: Incident) -> None:
    cause = cause_of(d.state, incident)
    if not cause:
        incidents.unlist(d, incident, "somebody speaks with the caller, or the caller is back")
        return
    new = not incident.listed
    if cause != incident.listed:
        queue = queue_of(d.state, incident)
        due = later(d.now, queue.call_back_within_ms if cause == CALL_BACK else queue.review_within_ms)
        d.clear_alarm(incidents.overdue_alarm(incident), "its time begins anew")
        d.record(IncidentListed(incident.id, cause, due, _why(d, incident, cause)))
    if incident.operator is not None:
        if incident.owner != incident.operator:
            _name(d, incident, incident.operator, "sees to it", incident.operator)
    elif new or incident.owner is None or not _keeps(d, incident.owner):
        _name_by_rule(d, incident, first=new)


def _why(d: Decision, incident: Incident, cause: str) -> str:
    moved = [fact.reason for fact in d.facts if isinstance(fact, IncidentMoved) and fact.incident == incident.id]
    return moved[-1] if moved and cause == REVIEW else _WORDS[cause]


def _leave_the_room(d: Decision) -> None:
    """Somebody is on duty: what is nobody's finds an owner."""
    for incident in _owned_by(d.state, ROOM):
        _name_by_rule(d, incident)


def _pass_on(d: Decision, operator: OperatorState) -> None:
    for incident in _owned_by(d.state, operator.id):
        if incident.operator != operator.id:
            _name_by_rule(d, incident)


def _owned_by(state: State, owner: str) -> list[Incident]:
    """What somebody owns, the oldest on the list first."""
    mine = [state.incidents[one] for one in state.owned.get(owner, ())]
    return sorted(mine, key=lambda one: (one.listed_since, one.id))


# ---- who ------------------------------------------------------------------------------------------------------------


def _on_duty(state: State, operator: OperatorState) -> bool:
    plan = state.plans.get(state.plan_version)
    return operators.on_duty(operator) and plan is not None and operator.id in plan.operators


def _keeps(d: Decision, known: OperatorId) -> bool:
    """Whether the operator goes on owning: on duty, or lost a moment ago."""
    operator = d.state.operators.get(known)
    if operator is None or known not in d.state.plans[d.state.plan_version].operators:
        return False
    lapses = _lapses(operator)
    return operators.on_duty(operator) or (lapses is not None and d.now < lapses)


def _lapses(operator: OperatorState) -> Instant | None:
    """When who is away loses what they own; None: does not apply, because of duty or of a pause."""
    if operator.away_since is None or operator.state == operators.PAUSED:
        return None
    return later(operator.away_since, GRACE_MS)


def _next(d: Decision, incident: Incident) -> tuple[OperatorState | None, str]:
    """Who is to own it by the rule, and why; never who owns it now."""
    last = None if incident.last is None else d.state.operators.get(incident.last)
    fits = last is not None and last.id in plan_of(d.state, incident).operators and _on_duty(d.state, last)
    if last is not None and fits and last.id != incident.owner:
        return last, "had it last"
    others = [one for one in pools.present(d.state, incident, d.now) if one.id != incident.owner]
    chosen = min(others, key=lambda one: (len(d.state.owned.get(one.id, ())), one.idle_since, one.id), default=None)
    return (None, f"nobody else of queue {incident.queue} is on duty") if chosen is None else (chosen, "the next on duty")


def _name_by_rule(d: Decision, incident: Incident, first: bool = False) -> None:
    """`first`: it has just come on the list, so nobody passed it."""
    chosen, reason = _next(d, incident)
    if chosen is None and incident.owner is None and not first:
        return
    before = None if incident.owner is None else d.state.operators.get(incident.owner)
    why = reason if before is None else f"{before.id} is {before.state}; {reason}"
    _name(d, incident, None if chosen is None else chosen.id, why, RULE, passed=not first)


def _name(d: Decision, incident: Incident, who: OperatorId | None, why: str, by: str, passed: bool = False) -> None:
    until = later(d.now, queue_of(d.state, incident).acknowledge_within_ms) if passed and who is not None else None
    d.clear_alarm(incidents.unacknowledged_alarm(incident), "it has another owner")
    d.record(OwnerNamed(incident.id, who, why, by, until))
    if who is not None:
        d.clear_alarm(incidents.unowned_alarm(incident), f"{who} has it")
    elif incidents.unowned_alarm(incident) not in d.state.alarms:
        _alarm(d, incident, incidents.unowned_alarm(incident), f"is nobody's: {why}")


def _alarm(d: Decision, incident: Incident, key: str, what: str, tell: bool = True) -> None:
    """An alarm, and the notices that the queue has for it."""
    text = f"{point_of(d.state, incident).place} ({incident.point}) on the call-back list {what}"
    d.alarm(key, text)
    for notice in queue_of(d.state, incident).overdue_notify if tell else ():
        notices.order(d, incident, notice, text)


# ---- by time --------------------------------------------------------------------------------------------------------


def due_at(state: State, incident: Incident) -> Iterator[Instant]:
    """When the incident is overdue, and when it should have been acknowledged, as long as these are not said."""
    if incident.overdue_at is not None and incidents.overdue_alarm(incident) not in state.alarms:
        yield incident.overdue_at
    if incident.acknowledge_by is not None and incidents.unacknowledged_alarm(incident) not in state.alarms:
        yield incident.acknowledge_by


def lapses_at(state: State, known: OperatorId, seen: Instant) -> Instant | None:
    """When what an operator owns is passed on, because the seat stays lost; None where that was looked at by `seen`."""
    operator = state.operators.get(known) if known in state.owned else None
    at = None if operator is None else _lapses(operator)
    return at if at is not None and at > seen else None


def run_due(d: Decision, incident: Incident) -> None:
    """Says what is past its time."""
    overdue, unseen = incidents.overdue_alarm(incident), incidents.unacknowledged_alarm(incident)
    if incident.overdue_at is not None and incident.overdue_at <= d.now and overdue not in d.state.alarms:
        _alarm(d, incident, overdue, f"is past its time: {incident.listed_why}; owner {incident.owner or 'nobody'}")
    if incident.acknowledge_by is not None and incident.acknowledge_by <= d.now and unseen not in d.state.alarms:
        _alarm(d, incident, unseen, f"was passed to {incident.owner}, who has not acknowledged it", tell=False)


# ---- by a person ----------------------------------------------------------------------------------------------------


def may_own(d: Decision, to: OperatorId, but: OperatorId | None = None) -> bool:
    """Whether incidents can be given to this operator; else the event is refused."""
    operator = d.state.operators.get(to)
    if operator is None or to == but or not _on_duty(d.state, operator):
        d.refuse(to, f"{to} is not on duty" if to != but else f"{to} is who goes")
        return False
    return True


def give(d: Decision, event: GiveOwner) -> None:
    """To an operator, or to the next on duty; who takes it for themselves has seen it."""
    incident = d.state.incidents.get(event.incident)
    if incident is None or not incident.listed:
        d.refuse(event.incident, "no such incident on the call-back list")
    elif incident.operator is not None:
        d.refuse(incident.id, f"{incident.operator} sees to it at this moment")
    elif not event.to:
        _give_to_next(d, incident, event.by)
    elif event.to not in plan_of(d.state, incident).operators:
        d.refuse(event.to, "no operator under the incident's plan")
    elif may_own(d, OperatorId(event.to)):
        _name(d, incident, OperatorId(event.to), f"given by {event.by}", event.by, passed=event.to != event.by)


def _give_to_next(d: Decision, incident: Incident, by: str) -> None:
    chosen, reason = _next(d, incident)
    if chosen is None:
        d.refuse(incident.id, reason)
    else:
        _name(d, incident, chosen.id, f"given by {by}; {reason}", by, passed=True)


def pass_all(d: Decision, owner: OperatorId, to: OperatorId, by: str) -> None:
    """Everything that somebody owns goes to one operator; what that one cannot have goes to the next on duty afterwards."""
    for incident in _owned_by(d.state, owner):
        if to in plan_of(d.state, incident).operators:
            _name(d, incident, to, f"{owner} goes off duty", by, passed=True)


def farewell(d: Decision, owned: Collection[IncidentId]) -> str:
    """The phrase for an operator who goes and owned these: passed, or left because nobody is there; "": there was nothing."""
    left = [d.state.incidents[one] for one in owned if one in d.state.incidents]
    if not left:
        return ""
    return LEFT_PHRASE if any(_next(d, incident)[0] is None for incident in left) else PASSED_PHRASE


def acknowledge(d: Decision, event: Acknowledge) -> None:
    """Who was passed one or all has seen it; what was acknowledged already is no news."""
    one = None if event.incident is None else d.state.incidents.get(event.incident)
    if event.incident is not None and (one is None or one.owner != event.operator):
        d.refuse(event.incident, f"not on the call-back list of {event.operator}")
        return
    for incident in _owned_by(d.state, event.operator) if one is None else [one]:
        if incident.acknowledge_by is not None:
            d.clear_alarm(incidents.unacknowledged_alarm(incident), f"acknowledged by {event.by}")
            d.record(OwnerAcknowledged(incident.id, event.operator, event.by))
