"""The class of an incident: what it is at the press, and what raises or lowers it afterwards.

At the press it is the button's, or the point's. A point whose incidents were mischief again and again is put lower (`Nuisance`),
never refused and never higher. Afterwards: presses in plenty and a silent line raise it by one, each cause once for an incident;
a more urgent button pressed meanwhile raises it; a button that is a digit sets it, and so does a person.
Each change is a fact, and its place in the order changes at once.
"""

from callserver.core import incident as incidents
from callserver.core.decision import Decision
from callserver.core.facts import IncidentReclassified
from callserver.core.ids import PointId
from callserver.core.instant import MS
from callserver.core.lookup import plan_of, point_of, queue_of
from callserver.core.state import Incident
from dialplans.model import Button, Plan, Point, Priority

PRESSES, SILENCE = "presses", "silence"
"""Causes that raise an incident once."""


def button_of(point: Point, button: str) -> Button | None:
    """The point's button by its id; None for a point with one button, and for one that the plan does not know."""
    return next((one for one in point.buttons if one.id == button), None)


def at_press(d: Decision, plan: Plan, point: Point, button: Button | None) -> tuple[Priority, str]:
    """The class of a new incident, and why where it is not the button's or the point's own."""
    priority = point.priority if button is None else button.priority
    nuisance = plan.nuisance.get(point.nuisance)
    if nuisance is None or nuisance.priority <= priority:
        return priority, ""
    since = d.now - nuisance.within_ms * MS
    closed = d.state.mischief.get(PointId(point.id), ())
    count = sum(1 for at, outcome in closed if at >= since and outcome in nuisance.outcomes)
    if count < nuisance.count:
        return priority, ""
    return nuisance.priority, f"{count} incidents were {' or '.join(nuisance.outcomes)} lately"


def reclassify(d: Decision, incident: Incident, new: int, why: str, cause: str = "") -> None:
    """Gives the incident this class, unless it has it."""
    if incident.priority != new:
        d.record(IncidentReclassified(incident.id, incident.priority, new, why, cause))


def _raise_once(d: Decision, incident: Incident, cause: str, why: str) -> None:
    if cause not in incident.raised and incident.priority > Priority.EMERGENCY:
        reclassify(d, incident, incident.priority - 1, why, cause)


def pressed_again(d: Decision, incident: Incident, button: Button | None) -> None:
    """One more press: a more urgent button, or so many presses that the plan takes them for urgency."""
    enough = queue_of(d.state, incident).raise_after_presses
    if button is not None and button.priority < incident.priority:
        reclassify(d, incident, button.priority, f"button {button.id} was pressed")
    if 0 < enough <= incident.presses:
        _raise_once(d, incident, PRESSES, f"pressed {incident.presses} times")


def caller_silent(d: Decision, incident: Incident, silent_ms: int) -> None:
    """Nothing comes from a waiting caller's line."""
    if incident.state == incidents.WAITING and queue_of(d.state, incident).raise_when_silent:
        _raise_once(d, incident, SILENCE, f"nothing heard for {silent_ms / 1000:g} s")


def pressed_digit(d: Decision, incident: Incident, digit: str) -> None:
    """The caller pressed a key, which may be one of the point's buttons."""
    if incident.state in incidents.JOINABLE:
        button = next((one for one in point_of(d.state, incident).buttons if one.digit == digit), None)
        if button is not None:
            reclassify(d, incident, button.priority, f"button {button.id} was pressed")


def queue_at_press(point: Point, button: Button | None) -> str:
    """The queue that a press waits in."""
    return point.queue if button is None or not button.queue else button.queue


def moves_to(d: Decision, incident: Incident, button: Button | None) -> str:
    """The queue of a more urgent button that was pressed while the incident waits in another; "" where it stays."""
    if button is None or incident.state != incidents.WAITING or button.priority >= incident.priority:
        return ""
    queue = queue_at_press(point_of(d.state, incident), button)
    return queue if queue != incident.queue and queue in plan_of(d.state, incident).queues else ""
