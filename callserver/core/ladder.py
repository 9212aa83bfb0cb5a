"""The machine of a ladder: the steps that an incident takes while it waits, frozen under its plan's version.

    step n -> step n+1   when `after_ms` have passed since it began to wait (this time)
    step n -> step m     when nobody of the queue's groups is on duty, and m is the last step so marked; those between
                         are taken in order
A step rings a further group (its seats become eligible) or calls a party (`outside`). The last step calls a party for
ever. An incident that is attended takes no steps; one that waits again starts at the foot.
"""

from callserver.core import eligible as eligibility
from callserver.core import incident as incidents
from callserver.core import outside
from callserver.core.decision import Decision
from callserver.core.events import ClimbLadder, LastResort
from callserver.core.facts import ConditionMet, LadderStepTaken
from callserver.core.instant import Instant, later
from callserver.core.lookup import ladder_of
from callserver.core.state import Incident, State
from dialplans.model import When


def next_at(state: State, incident: Incident) -> Instant | None:
    """When a waiting incident's next step is due by time."""
    steps = ladder_of(state, incident).steps
    return later(incident.ladder_since, steps[incident.step].after_ms) if incident.step < len(steps) else None


def climb(d: Decision, incident: Incident) -> None:
    """Takes every step of a waiting incident that is due, in order."""
    steps = ladder_of(d.state, incident).steps
    at_once = _at_once_until(d, incident)
    while incident.step < len(steps):
        due = next_at(d.state, incident)
        if incident.step < at_once:
            why = "nobody on duty"
        elif due is not None and due <= d.now:
            why = f"unanswered {steps[incident.step].after_ms / 1000:g} s"
        else:
            return
        _take(d, incident, why)


def asked(d: Decision, event: ClimbLadder) -> None:
    """A person asks for the step that the plan has for it."""
    incident = d.state.incidents.get(event.incident)
    if incident is None or incident.state != incidents.WAITING:
        d.refuse(event.incident, "no such incident, or it does not wait")
    elif When.ASKED not in incident.met:
        d.record(ConditionMet(incident.id, When.ASKED, f"asked by {event.by}"))


def last_resort(d: Decision, event: LastResort) -> None:
    """All steps up to the last, at once: the watch found that nobody cares for a waiting incident."""
    incident = d.state.incidents.get(event.incident)
    if incident is None or incident.state != incidents.WAITING:
        d.refuse(event.incident, "no such incident, or it does not wait")
        return
    while incident.step < len(ladder_of(d.state, incident).steps):
        _take(d, incident, event.why)


def _at_once_until(d: Decision, incident: Incident) -> int:
    """The number of steps that are taken at once because nobody is on duty."""
    steps = ladder_of(d.state, incident).steps
    marked = max((number for number, step in enumerate(steps, 1) if step.at_once_when_nobody), default=0)
    if marked <= incident.step or eligibility.somebody_on_duty(d.state, incident):
        return 0
    return marked


def _take(d: Decision, incident: Incident, why: str) -> None:
    step = ladder_of(d.state, incident).steps[incident.step]
    reason = f"step {incident.step + 1}: {why} under plan v{incident.plan_version}"
    d.record(LadderStepTaken(incident.id, incident.step + 1, reason))
    party = outside.party_of(d.state, incident, step.call_party) if step.call_party else None
    if party is not None:
        assert incident.call is not None
        outside.begin(d, d.state.calls[incident.call], party, reason)
