"""Notices: who is told by webhook or mail when a ladder's step says so. Each is ordered until it is settled."""

from callserver.core.decision import Decision
from callserver.core.effects import Notify
from callserver.core.events import NoticeDone
from callserver.core.facts import NoticeOrdered, NoticeSettled
from callserver.core.state import Incident, NoticeDue, State


def order(d: Decision, incident: Incident, notice: str, text: str) -> None:
    """Tells one of the plan's notices about an incident."""
    id = f"{incident.id}.n{incident.notices + 1}"
    d.record(NoticeOrdered(id, incident.id, notice, text))
    d.order(effect_of(d.state, d.state.notices[id]))


def effect_of(state: State, due: NoticeDue) -> Notify:
    """The order, for the first time or again."""
    plan = state.plans[due.plan_version]
    return Notify(due.id, plan.notices[due.notice], due.incident, due.point, plan.points[due.point].place, due.text)


def done(d: Decision, event: NoticeDone) -> None:
    """Delivered, or given up: then somebody must know."""
    due = d.state.notices.get(event.id)
    if due is None:
        d.refuse(event.id, "no such notice, or it is settled")
        return
    d.record(NoticeSettled(due.id, due.incident, event.delivered, event.why))
    key = f"notice:{due.notice}"
    if event.delivered:
        d.clear_alarm(key, "delivered")
    else:
        d.alarm(key, f"{due.notice} could not be told of {due.incident}: {event.why}")
