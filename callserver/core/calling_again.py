"""An operator calls back the point of an incident on the call-back list: the same incident, the next call.

One that waits is taken, as any that waits. One that was left to be reviewed waits again, for that seat alone: it rings,
then the point is called (as in `calling_out`). What comes to nothing is on the list as before, with its clock.
"""

from callserver.core import calling_out, giving, press
from callserver.core import incident as incidents
from callserver.core.decision import Decision
from callserver.core.events import CallBack, Take
from callserver.core.facts import CallBackBegun
from callserver.core.lookup import open_incident


def call_back(d: Decision, event: CallBack) -> None:
    """A person asks for it; a point that has another open incident is left alone."""
    incident = d.state.incidents.get(event.incident)
    if incident is None or not incident.listed:
        d.refuse(event.incident, "no such incident on the call-back list")
        return
    other = open_incident(d.state, incident.point)
    if incident.state == incidents.WAITING:
        giving.take(d, Take(incident.id, event.operator, event.by))
    elif incident.state != incidents.UNREVIEWED:
        d.refuse(incident.id, f"incident is {incident.state}")
    elif other is not None:
        d.refuse(incident.id, f"its point has the open incident {other.id}: take that one")
    elif giving.make_ready(d, incident, event.operator, f"calls {incident.point} back"):
        d.record(CallBackBegun(incident.id, event.operator, event.by))
        incidents.move(d, incident, incidents.WAITING, f"called back by {event.operator}")
        press.open_call(d, incident)
        calling_out.ring_alone(d, incident, event.operator, event.by)
