"""What callers lived through, from facts alone: of a rehearsal or of a real journal, by the same rules.

A wait runs from the press that opened the incident. The first ring is the first line to a seat or an outside party that rings;
the answer is the first person who has the incident. A wait that never ended counts as endless: it stands behind all others.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from callserver.core import facts as f
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.facts import Fact
from callserver.core.ids import IncidentId, LegId, call_of_leg, incident_of_call
from callserver.core.instant import Instant, ms_between
from dialplans.model import Plan, Priority

NEVER = math.inf


@dataclass(slots=True)
class Wait:
    """One incident as its caller lived through it; lengths in milliseconds since the press, None where it never came."""

    id: IncidentId
    point: str
    queue: str
    priority: int
    opened: Instant
    target_ms: int
    presses: int = 1
    ring_ms: int | None = None
    answer_ms: int | None = None
    answered_by: str = ""
    by_seat: bool = False
    hung_up_ms: int | None = None  # the caller's line ended before anybody answered
    parked: int = 0
    handed: int = 0
    alarms: int = 0


class Waits:
    """Takes facts in order and keeps what they tell of waits. Incidents that it did not see opened are left out."""

    def __init__(self) -> None:
        self.all: dict[IncidentId, Wait] = {}
        self.alarms = 0  # of no incident
        self.refused = 0  # presses of points that the plan does not know
        self._plans: dict[int, Plan] = {}
        self._dialled: dict[LegId, str] = {}  # legs to seats and parties -> who
        self._points: set[LegId] = set()  # inbound legs of points

    def take(self, fact: Fact, at: Instant) -> None:
        """One fact."""
        take = _TAKES.get(type(fact))
        if take is not None:
            take(self, fact, at)

    def _adopted(self, fact: f.PlanAdopted, at: Instant) -> None:
        self._plans[fact.version] = fact.plan

    def _opened(self, fact: f.IncidentOpened, at: Instant) -> None:
        if fact.called_by:
            return  # nobody pressed, and nobody waits
        plan = self._plans.get(fact.plan_version)
        target_ms = plan.queues[fact.queue].service_target_ms if plan else 0
        self.all[fact.incident] = Wait(fact.incident, fact.point, fact.queue, fact.priority, at, target_ms)

    def _rejoined(self, fact: f.IncidentRejoined, at: Instant) -> None:
        if fact.incident in self.all:
            self.all[fact.incident].presses += 1

    def _parked(self, fact: f.IncidentParked, at: Instant) -> None:
        if fact.incident in self.all:
            self.all[fact.incident].parked += 1

    def _handed(self, fact: f.IncidentHandedOver, at: Instant) -> None:
        if fact.incident in self.all:
            self.all[fact.incident].handed += 1

    def _leg_created(self, fact: f.LegCreated, at: Instant) -> None:
        if fact.role == legs.POINT and fact.inbound:
            self._points.add(fact.leg)
        elif fact.role != legs.POINT:
            self._dialled[fact.leg] = fact.party

    def _leg_moved(self, fact: f.LegMoved, at: Instant) -> None:
        wait = self.all.get(incident_of_call(call_of_leg(fact.leg)))
        if wait is None:
            return
        if fact.leg in self._dialled and fact.new in (legs.RINGING, legs.UP):
            if wait.ring_ms is None:
                wait.ring_ms = ms_between(wait.opened, at)
            if fact.new == legs.UP and wait.answer_ms is None:
                wait.answered_by = self._dialled[fact.leg]
        if fact.new == legs.ENDED:
            self._dialled.pop(fact.leg, None)
            if fact.leg in self._points:
                self._points.discard(fact.leg)
                by_caller = fact.old in legs.UNANSWERED_INBOUND
                if by_caller and wait.answer_ms is None and wait.hung_up_ms is None:
                    wait.hung_up_ms = ms_between(wait.opened, at)

    def _incident_moved(self, fact: f.IncidentMoved, at: Instant) -> None:
        wait = self.all.get(fact.incident)
        if wait is not None and fact.new == incidents.ATTENDED and wait.answer_ms is None:
            wait.answer_ms = ms_between(wait.opened, at)
            wait.by_seat = fact.operator is not None
            wait.answered_by = fact.operator or wait.answered_by

    def _alarm(self, fact: f.AlarmRaised, at: Instant) -> None:
        parts = [name for part in fact.key.split(":") for name in (part, incident_of_call(call_of_leg(LegId(part))))]
        named = next((self.all[IncidentId(name)] for name in parts if name in self.all), None)
        if named is not None:
            named.alarms += 1
        else:
            self.alarms += 1

    def _refused(self, fact: f.Refused, at: Instant) -> None:
        self.refused += fact.event == "Pressed"


_TAKES: Mapping[type, Callable[..., None]] = {
    f.PlanAdopted: Waits._adopted,
    f.IncidentOpened: Waits._opened,
    f.IncidentRejoined: Waits._rejoined,
    f.IncidentParked: Waits._parked,
    f.IncidentHandedOver: Waits._handed,
    f.LegCreated: Waits._leg_created,
    f.LegMoved: Waits._leg_moved,
    f.IncidentMoved: Waits._incident_moved,
    f.AlarmRaised: Waits._alarm,
    f.Refused: Waits._refused,
}


@dataclass(frozen=True, slots=True)
class Figures:
    """A row of the table. Lengths in milliseconds; `NEVER` where the wait there had no end, None where nobody pressed."""

    of: str  # "all", "class emergency", "queue town"
    incidents: int
    presses: int
    by_seat: int
    by_party: int
    unanswered: int
    ring: tuple[float, float, float] | None  # median, 95 %, worst
    answer: tuple[float, float, float] | None
    in_target: int
    hung_up: int  # the caller's line ended before anybody answered
    lost: int  # of these, nobody ever had the incident
    parked: int
    handed: int
    alarms: int


def figures(waits: Iterable[Wait]) -> list[Figures]:
    """All of them, then by class, then by queue, as far as there are any."""
    known = list(waits)
    rows = [_row("all", known)]
    for priority in sorted({wait.priority for wait in known}):
        rows.append(_row(f"class {class_name(priority)}", [wait for wait in known if wait.priority == priority]))
    for queue in sorted({wait.queue for wait in known}):
        rows.append(_row(f"queue {queue}", [wait for wait in known if wait.queue == queue]))
    return rows


def class_name(priority: int) -> str:
    """A class in words."""
    return Priority(priority).name.lower() if priority in tuple(Priority) else str(priority)


def words(ms: float | None) -> str:
    """A length as people say it: "850 ms", "4.2 s", "1 m 10 s", "2 h 5 m", "never"; "-" for none."""
    if ms is None or math.isinf(ms):
        return "-" if ms is None else "never"
    if ms < 1_000:
        return f"{ms:.0f} ms" if ms else "0 s"
    if ms < 59_950:
        return f"{ms / 1_000:.1f}".removesuffix(".0") + " s"
    minutes, seconds = divmod(round(ms / 1_000), 60)
    if minutes < 60:
        return f"{minutes} m {seconds} s" if seconds else f"{minutes} m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} m" if minutes else f"{hours} h"


def _row(of: str, waits: Sequence[Wait]) -> Figures:
    answered = [wait for wait in waits if wait.answer_ms is not None]
    return Figures(
        of=of,
        incidents=len(waits),
        presses=sum(wait.presses for wait in waits),
        by_seat=sum(wait.by_seat for wait in answered),
        by_party=sum(not wait.by_seat for wait in answered),
        unanswered=len(waits) - len(answered),
        ring=_three(wait.ring_ms for wait in waits),
        answer=_three(wait.answer_ms for wait in waits),
        in_target=sum(wait.answer_ms is not None and wait.answer_ms <= wait.target_ms for wait in waits),
        hung_up=sum(wait.hung_up_ms is not None for wait in waits),
        lost=sum(wait.hung_up_ms is not None and wait.answer_ms is None for wait in waits),
        parked=sum(wait.parked for wait in waits),
        handed=sum(wait.handed for wait in waits),
        alarms=sum(wait.alarms for wait in waits),
    )


def _three(lengths: Iterable[int | None]) -> tuple[float, float, float] | None:
    known = sorted(NEVER if one is None else one for one in lengths)
    return (quantile(known, 0.5), quantile(known, 0.95), known[-1]) if known else None


def quantile(ordered: Sequence[float], part: float) -> float:
    """The least of `ordered` that as many as `part` of all do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
