"""The machine of a ladder: the steps that an incident takes while it waits, frozen under its plan's version.

    step n -> step n+1   when `after_ms` have passed since it began to wait (this time)
    step n -> step m     when a condition of m is met (`conditions`), and m is the last step with one that is open by
                         its hours; those between are taken in order
A step rings a further group (its seats become eligible), calls a party (`outside`) or hands the incident to another
queue, where a ladder chosen by the hours begins at its foot; beside or instead it tells somebody (`notices`) and changes
what the caller hears. A step outside of its hours is passed over: journalled as such, and nothing of it is done. A last
step that was passed over is an alarm, and is taken as soon as its hours open. The last step calls a party for ever, or
hands over. An incident that is attended, parked by a person, or
whose point was called takes no steps by itself; one that waits again starts at the foot.

Two queues that hand to each other at once cannot spin: a queue that had the incident within the same decision does not
get it back; that is an alarm, and the ladder goes on as if the step had nothing to do.
"""

from callserver.core import conditions, crowding, escalation, moment, notices, offers, outside, sound
from callserver.core import incident as incidents
from callserver.core.decision import Decision
from callserver.core.events import ClimbLadder, LastResort
from callserver.core.facts import DirectionEnded, IncidentHandedOver, LadderStepTaken
from callserver.core.ids import PartyId
from callserver.core.instant import Instant, later
from callserver.core.lookup import ladder_of, plan_of, point_of
from callserver.core.state import Call, Incident, State
from callserver.core.views import NOBODY
from dialplans import hours
from dialplans.model import Step, When


def next_at(state: State, incident: Incident) -> Instant | None:
    """When a waiting incident's next step is due by time."""
    if not climbs(incident):
        return None
    steps = ladder_of(state, incident).steps
    return later(incident.ladder_since, steps[incident.step].after_ms) if incident.step < len(steps) else None


def climbs(incident: Incident) -> bool:
    """Whether a waiting incident goes up its ladder: not while it is parked by a person, nor when the point was called."""
    return incident.only != NOBODY and not incident.called_by


def climb(d: Decision, incident: Incident) -> None:
    """Takes every step of a waiting incident that is due, in order."""
    moment.keep(d, incident.plan_version)
    if not climbs(incident):
        return
    while (rung := _next_rung(d, incident)) is not None:
        number, why = rung
        _take(d, incident, number, why)


def _next_rung(d: Decision, incident: Incident) -> tuple[int, str] | None:
    """The number of the step that is to be taken now, and why; None when nothing is due."""
    steps = ladder_of(d.state, incident).steps
    if incident.step >= len(steps):
        missed = len(steps) in incident.passed and moment.is_open(d.state, incident, steps[-1].hours, d.now)
        return (len(steps), f"its hours {steps[-1].hours} began") if missed else None
    number = incident.step + 1
    wanted, why = _wanted(d, incident)
    if number <= wanted:
        return number, why
    due = next_at(d.state, incident)
    if due is not None and due <= d.now:
        return number, f"unanswered {steps[incident.step].after_ms / 1000:g} s"
    return None


def _wanted(d: Decision, incident: Incident) -> tuple[int, str]:
    """The last step that a condition wants taken at once, and the condition in words; 0 where there is none."""
    steps = ladder_of(d.state, incident).steps
    known: dict[str, bool] = {}
    for number in range(len(steps), incident.step, -1):
        step = steps[number - 1]
        for condition in step.conditions:
            if condition not in known:
                known[condition] = conditions.met(d, incident, condition)
            if known[condition] and moment.is_open(d.state, incident, step.hours, d.now):
                return number, conditions.words(condition)
    return 0, ""


def _take(d: Decision, incident: Incident, number: int, why: str, by_force: bool = False) -> None:
    """One step. `by_force`: whatever its hours and those of its party say."""
    ladder = ladder_of(d.state, incident)
    step = ladder.steps[number - 1]
    reason = f"step {number}: {why} under plan v{incident.plan_version}"
    if by_force or moment.is_open(d.state, incident, step.hours, d.now):
        d.record(LadderStepTaken(incident.id, number, reason))
        _do(d, incident, step, number, reason, by_force)
        return
    d.record(LadderStepTaken(incident.id, number, f"{reason}, passed over outside of hours {step.hours}", passed=True))
    if number == len(ladder.steps):
        text = f"the last step of ladder {ladder.id} for {incident.point} waits for hours {step.hours}"
        d.alarm(incidents.unanswered_alarm(incident), text)


def _do(d: Decision, incident: Incident, step: Step, number: int, reason: str, by_force: bool) -> None:
    call = _call_of(d, incident)
    for notice in step.notify:
        notices.order(d, incident, notice, f"{point_of(d.state, incident).place}: {reason}")
    if step.say:
        sound.reshape(d, call)
    party = outside.party_of(d.state, incident, step.call_party) if step.call_party else None
    if party is not None:
        outside.begin(d, call, party, reason, number, by_force)
    if step.hand_to:
        hand_over(d, incident, step.hand_to, reason)


def _call_of(d: Decision, incident: Incident) -> Call:
    assert incident.call is not None, "a waiting incident has a call"
    return d.state.calls[incident.call]


def hand_over(d: Decision, incident: Incident, queue: str, reason: str) -> None:
    """The waiting incident goes to another queue, unless that had it within this very decision."""
    been = {one for fact in d.facts if isinstance(fact, IncidentHandedOver) and fact.incident == incident.id
            for one in (fact.queue, fact.left)}  # fmt: skip
    if queue in been:
        why = f"queue {queue} had it at this very moment; the queues hand {incident.point} to each other"
        d.refuse(incident.id, why)
        d.alarm(incidents.unanswered_alarm(incident), why)
        return
    offers.withdraw(d, _call_of(d, incident), f"handed to queue {queue}")
    ladder = hours.ladder_at(plan_of(d.state, incident), queue, moment.utc_ns(d.state, d.now))
    d.record(IncidentHandedOver(incident.id, queue, ladder, f"{reason}: to queue {queue}", incident.queue))
    crowding.run_due(d, incident)  # it may have waited too long for this queue already
    sound.reshape(d, _call_of(d, incident))


# ---- asked for --------------------------------------------------------------------------------------------------


def asked(d: Decision, event: ClimbLadder) -> None:
    """A person asks for the steps that the plan has for it."""
    incident = d.state.incidents.get(event.incident)
    if incident is None or incident.state not in (incidents.WAITING, incidents.ATTENDED):
        d.refuse(event.incident, "no such incident, or nobody waits or talks in it")
    elif incident.state == incidents.ATTENDED:
        ask_in_conversation(d, _call_of(d, incident), f"asked by {event.by}")
    elif not conditions.happened(d, incident, When.ASKED, f"asked by {event.by}"):
        d.refuse(incident.id, "its ladder has no step for being asked, or it was asked before")
    elif incident.only == NOBODY:
        d.record(DirectionEnded(incident.id, f"the ladder was asked for by {event.by}"))


def ask_in_conversation(d: Decision, call: Call, why: str) -> bool:
    """Does what the ladder's steps for being asked do, while the conversation goes on; False when nothing was done.

    Their parties are called and their notices sent. Nobody is rung, nothing is said or handed over, and the ladder does
    not move.
    """
    incident = d.state.incidents[call.incident]
    steps = [
        (number, step)
        for number, step in enumerate(ladder_of(d.state, incident).steps, 1)
        if When.ASKED in step.conditions and moment.is_open(d.state, incident, step.hours, d.now)
    ]
    done = False
    for number, step in steps:
        reason = f"step {number}: {why} under plan v{incident.plan_version}"
        if step.call_party:
            done = escalation.bring_in(d, call, PartyId(step.call_party), reason, number) or done
        for notice in step.notify:
            notices.order(d, incident, notice, f"{point_of(d.state, incident).place}: {reason}")
            done = True
    if not steps:
        d.refuse(incident.id, "its ladder has no step for being asked")
    return done


def last_resort(d: Decision, event: LastResort) -> None:
    """All steps up to the last, at once and whatever their hours: the watch found that nobody cares for a waiting incident.

    At the end of its ladder the last step's party is called once more, unless it rings.
    """
    incident = d.state.incidents.get(event.incident)
    if incident is None or incident.state != incidents.WAITING:
        d.refuse(event.incident, "no such incident, or it does not wait")
        return
    if incident.called_by and not _call_of(d, incident).talked:
        d.refuse(incident.id, "the point was called, and nobody waits")
        return
    if incident.only:
        d.record(DirectionEnded(incident.id, event.why))
    while incident.step < len(ladder_of(d.state, incident).steps):
        _take(d, incident, incident.step + 1, event.why, by_force=True)
    ladder = ladder_of(d.state, incident)
    if ladder.steps[-1].call_party and not outside.in_progress(_call_of(d, incident)):
        _take(d, incident, len(ladder.steps), event.why, by_force=True)
