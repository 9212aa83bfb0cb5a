"""What a journal tells of each incident: how long whoever was rung needed, how long they talked, what callers did. Pure.

What the record cannot show is taken so (docs/rehearse.md has the reasons): a seat that answered an incident needs the ring time
that it took; one that let it ring out does not answer it; any other needs as long as whoever did answer, a moment longer.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import median_low

from callserver.core import call as calls
from callserver.core import facts as f
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.condition import SILENT_ALARM_MS
from callserver.core.endings import silence_alarm
from callserver.core.facts import Fact
from callserver.core.ids import CallId, IncidentId, LegId, OfferId, incident_of_call
from callserver.core.instant import Instant, ms_between
from callserver.core.termination import Class
from callserver.planning.period import CALL_BACK_ANSWERED_MS, PARTY_ANSWERS_MS, SEAT_ANSWERS_MS, TALK_MS, Doing, Press
from dialplans.model import When

SLOWER_MS = 1  # than whoever answered: the same press goes to the same seat where nothing else is different
LATER_MS = 1_000  # than a party was seen not to answer
_BY_OPERATOR = ("asked by ", "code ")  # how reasons begin where an operator asked
_BUTTON = re.compile(r"button (\S+) was pressed")
_REFUSALS = frozenset({Class.REFUSED, Class.UNREACHABLE, Class.FAILED})


@dataclass(slots=True)
class _Rung:
    """A dialled line."""

    incident: IncidentId
    role: str
    party: str
    since: Instant
    rings: bool = True


@dataclass(slots=True)
class Trace:
    """What is known so far of one incident, or of what followed from a press in its wrap-up."""

    press: Press
    state: str = incidents.WAITING
    rung_ms: dict[str, int] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)  # who of those is a party
    answered: dict[str, int] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    refused: dict[str, tuple[int, ...]] = field(default_factory=dict)
    seat_ms: int | None = None  # of the first seat that answered
    talk_ms: int = 0
    talked: bool = False
    talks_since: Instant | None = None
    left: Instant | None = None  # end of the last talk
    wraps_since: Instant | None = None
    wrap_ms: int | None = None
    outcome_ms: int | None = None
    outcome: str = ""
    hangs_up_ms: int | None = None
    called_back: bool = False
    back_ms: int | None = None
    attended: bool = False
    doings: list[Doing] = field(default_factory=list)


@dataclass(slots=True)
class _Joined:
    """A press that joined an incident which waited or was attended."""

    trace: Trace
    press: Press
    hangs_up_ms: int | None = None


class Traces:
    """Takes facts in order; `presses` then gives what is to be lived through again."""

    def __init__(self) -> None:
        self.all: dict[IncidentId, Trace] = {}
        self._done: list[Trace] = []  # those before a press in the wrap-up
        self._joined: list[_Joined] = []
        self._newest: dict[IncidentId, Trace | _Joined] = {}  # whose inbound leg comes next
        self._lines: dict[LegId, _Rung] = {}
        self._point_legs: dict[LegId, tuple[IncidentId, Instant, Trace | _Joined]] = {}
        self._offers: dict[OfferId, tuple[LegId, ...]] = {}
        self._rung_out_at: dict[LegId, Instant] = {}

    def take(self, fact: Fact, at: Instant) -> None:
        """One fact."""
        take = _TAKES.get(type(fact))
        if take is not None:
            take(self, fact, at)

    def _opened(self, fact: f.IncidentOpened, at: Instant) -> None:
        if fact.called_by:
            return  # nobody pressed
        self.all[fact.incident] = self._newest[fact.incident] = Trace(Press(fact.incident, fact.point, at, fact.button))

    def _rejoined(self, fact: f.IncidentRejoined, at: Instant) -> None:
        trace = self.all.get(fact.incident)
        if trace is None:
            return
        number = len(self._joined) + len(self._done) + 1
        press = Press(IncidentId(f"{fact.incident}+{number}"), fact.point, at)
        if trace.state == incidents.WRAP_UP:
            self._done.append(trace)
            again = replace(press, button=trace.press.button)
            self.all[fact.incident] = self._newest[fact.incident] = Trace(again)
        else:
            self._joined.append(_Joined(trace, press))
            self._newest[fact.incident] = self._joined[-1]

    def _leg_created(self, fact: f.LegCreated, at: Instant) -> None:
        incident = incident_of_call(fact.call)
        if incident not in self.all:
            return
        if fact.role == legs.POINT and fact.inbound:
            self._point_legs[fact.leg] = (incident, at, self._newest[incident])
        else:
            self._lines[fact.leg] = _Rung(incident, fact.role, fact.party, at)
            self.all[incident].called_back |= fact.role == legs.POINT

    def _leg_moved(self, fact: f.LegMoved, at: Instant) -> None:
        if fact.leg in self._point_legs:
            self._point_leg_moved(fact, at)
            return
        line = self._lines.get(fact.leg)
        if line is None:
            return
        if line.rings and fact.new in (legs.UP, legs.ENDING, legs.ENDED):
            line.rings = False
            self._rung(self.all[line.incident], line, fact, at)
        if fact.new == legs.ENDED:
            del self._lines[fact.leg]

    def _rung(self, trace: Trace, line: _Rung, fact: f.LegMoved, at: Instant) -> None:
        ms = ms_between(line.since, at)
        if line.role == legs.POINT:
            if fact.new == legs.UP and trace.back_ms is None:
                trace.back_ms = ms
            return
        total_ms = trace.rung_ms[line.party] = trace.rung_ms.get(line.party, 0) + ms
        self._rung_out_at[fact.leg] = at
        trace.outside.update({line.party} if line.role == legs.OUTSIDE else ())
        if fact.new == legs.UP:
            trace.answered.setdefault(line.party, total_ms)
            if line.role == legs.OPERATOR and trace.seat_ms is None:
                trace.seat_ms = total_ms
        elif fact.termination is not None and fact.termination.kind in _REFUSALS:
            trace.refused[line.party] = (*trace.refused.get(line.party, ()), ms)

    def _point_leg_moved(self, fact: f.LegMoved, at: Instant) -> None:
        if fact.new == legs.ENDED:
            incident, since, pressed = self._point_legs.pop(fact.leg)
            if fact.old in legs.UNANSWERED_INBOUND and not self.all[incident].attended:
                pressed.hangs_up_ms = ms_between(since, at)

    def _offered(self, fact: f.OfferMade | f.OfferWidened, at: Instant) -> None:
        self._offers[fact.offer] = (*self._offers.get(fact.offer, ()), *fact.legs)

    def _offer_ended(self, fact: f.OfferEnded, at: Instant) -> None:
        for leg in self._offers.pop(fact.offer, ()):
            ended_at, line = self._rung_out_at.pop(leg, None), self._lines.get(leg)
            if fact.result == "rung-out" and line is not None and ended_at == at:
                self.all[line.incident].missed.add(line.party)

    def _call_moved(self, fact: f.CallMoved, at: Instant) -> None:
        trace = self._trace_of(fact.call)
        if trace is None:
            return
        if fact.new == calls.TALKING:
            trace.talks_since, trace.talked = at, True
        elif trace.talks_since is not None:
            trace.talk_ms += ms_between(trace.talks_since, at)
            trace.talks_since = None

    def _trace_of(self, call: CallId) -> Trace | None:
        return self.all.get(incident_of_call(call))

    def _incident_moved(self, fact: f.IncidentMoved, at: Instant) -> None:
        trace = self.all.get(fact.incident)
        if trace is None:
            return
        trace.state = fact.new
        trace.attended |= fact.new == incidents.ATTENDED
        if fact.old == incidents.ATTENDED:
            trace.left = at
        if fact.new == incidents.WRAP_UP:
            trace.wraps_since = at
        elif trace.wraps_since is not None and fact.new == incidents.UNREVIEWED and fact.reason.startswith(_BY_OPERATOR):
            trace.wrap_ms = ms_between(trace.wraps_since, at)

    def _outcome(self, fact: f.OutcomeRecorded, at: Instant) -> None:
        trace = self.all.get(fact.incident)
        if trace is not None:
            trace.outcome, trace.outcome_ms = fact.outcome, ms_between(trace.left or trace.press.at, at)

    # ---- what callers and others did --------------------------------------------------------------------------

    def _did(self, incident: IncidentId | None, at: Instant, what: str, value: str = "") -> None:
        trace = self.all.get(incident) if incident is not None else None
        if trace is not None:
            trace.doings.append(Doing(ms_between(trace.press.at, at), what, value))

    def _point_of(self, leg: LegId) -> IncidentId | None:
        known, line = self._point_legs.get(leg), self._lines.get(leg)
        if known is not None:
            return known[0]
        return line.incident if line is not None and line.role == legs.POINT else None

    def _digit(self, fact: f.DigitHeard, at: Instant) -> None:
        self._did(self._point_of(fact.leg), at, "digit", fact.digit)

    def _line(self, fact: f.LineChanged, at: Instant) -> None:
        self._did(self._point_of(fact.leg), at, "sounding" if fact.sounding else "silent", str(fact.silent_ms))

    def _alarm(self, fact: f.AlarmRaised, at: Instant) -> None:
        leg = fact.key.removeprefix(silence_alarm(""))
        if leg != fact.key:
            self._did(self._point_of(LegId(leg)), at, "silent", str(SILENT_ALARM_MS))

    def _condition(self, fact: f.ConditionMet, at: Instant) -> None:
        if fact.condition == When.ASKED:
            self._did(fact.incident, at, "asked", "record")

    def _reclassified(self, fact: f.IncidentReclassified, at: Instant) -> None:
        if fact.why.startswith("by "):
            self._did(fact.incident, at, "class", str(fact.new))
        button, newest = _BUTTON.fullmatch(fact.why), self._newest.get(fact.incident)
        if button and newest is not None and newest.press.at == at:  # the button of a press that joined; see core.classes
            newest.press = replace(newest.press, button=button[1])

    # ---- the presses ------------------------------------------------------------------------------------------

    def presses(self) -> tuple[list[Press], list[str]]:
        """All of them, as people would behave again; and what had to be taken for granted."""
        told, traces = list[str](), [*self._done, *self.all.values()]
        seats = [trace.seat_ms for trace in traces if trace.seat_ms is not None]
        talks = [trace.talk_ms for trace in traces if trace.talked]
        if traces and not seats:
            told.append(f"no seat answered in the period: seats are taken to answer after {SEAT_ANSWERS_MS / 1000:g} s")
        silent = len(traces) - len(talks)
        if silent:
            told.append(f"a talk that never came about is taken to last as the middle one did ({silent})")
        usual = _Usual(median_low(seats or [SEAT_ANSWERS_MS]), median_low(talks or [TALK_MS]), _parties(traces))
        made = [_press(trace, usual) for trace in traces]
        for one in self._joined:
            known, press = _press(one.trace, usual), one.press
            button = press.button or known.button
            made.append(replace(known, id=press.id, at=press.at, button=button, hangs_up_ms=one.hangs_up_ms, doings=()))
        return sorted(made, key=lambda one: (one.at, one.id)), told


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is taken where an incident itself does not tell: the middle of those that do."""

    seat_ms: int
    talk_ms: int
    parties: Mapping[str, int]


def _parties(traces: Iterable[Trace]) -> dict[str, int]:
    times: dict[str, list[int]] = {}
    for trace in traces:
        for party in trace.outside & trace.answered.keys():
            times.setdefault(party, []).append(trace.answered[party])
    return {party: median_low(known) for party, known in times.items()}


def _press(trace: Trace, usual: _Usual) -> Press:
    seat_ms = usual.seat_ms if trace.seat_ms is None else trace.seat_ms + SLOWER_MS
    replies: dict[str, int | None] = dict(usual.parties)
    for who, rung_ms in trace.rung_ms.items():
        if who in trace.outside:
            replies[who] = max(usual.parties.get(who, PARTY_ANSWERS_MS), rung_ms + LATER_MS)
        else:
            replies[who] = None if who in trace.missed else max(seat_ms, rung_ms + SLOWER_MS)
    return replace(
        trace.press,
        seat_ms=seat_ms,
        replies={**replies, **trace.answered},
        refuses=trace.refused,
        talk_ms=trace.talk_ms if trace.talked else usual.talk_ms,
        wrap_ms=trace.wrap_ms,
        outcome_ms=trace.outcome_ms,
        outcome=trace.outcome,
        hangs_up_ms=trace.hangs_up_ms,
        back_ms=trace.back_ms if trace.called_back else CALL_BACK_ANSWERED_MS,
        doings=tuple(trace.doings),
    )


_TAKES: Mapping[type, Callable[..., None]] = {
    f.IncidentOpened: Traces._opened,
    f.IncidentRejoined: Traces._rejoined,
    f.LegCreated: Traces._leg_created,
    f.LegMoved: Traces._leg_moved,
    f.OfferMade: Traces._offered,
    f.OfferWidened: Traces._offered,
    f.OfferEnded: Traces._offer_ended,
    f.CallMoved: Traces._call_moved,
    f.IncidentMoved: Traces._incident_moved,
    f.OutcomeRecorded: Traces._outcome,
    f.DigitHeard: Traces._digit,
    f.LineChanged: Traces._line,
    f.AlarmRaised: Traces._alarm,
    f.ConditionMet: Traces._condition,
    f.IncidentReclassified: Traces._reclassified,
}
