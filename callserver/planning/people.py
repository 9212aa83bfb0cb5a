"""The devices and people of a rehearsal: they carry out the core's orders as the presses of the period say.

Every dialled line rings at once and ends exactly once. A seat or party answers as soon as it has rung, for that incident and all
its rings together, as long as the press says that it needs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from callserver.core import call as calls
from callserver.core import effects as fx
from callserver.core import events as ev
from callserver.core import facts as f
from callserver.core import incident as incidents
from callserver.core import leg as legs
from callserver.core.ids import IncidentId, LegId, OperatorId, call_of_leg, incident_of_call
from callserver.core.instant import Instant, ms_between
from callserver.core.lookup import plan_of, profile_of
from callserver.core.state import State
from callserver.core.termination import By, Class, Termination, from_status
from callserver.planning.period import Doing, Press
from dialplans.model import Profile

_HUNG_UP = Termination(Class.NORMAL, By.PARTY, "BYE")
_GAVE_UP = Termination(Class.CANCELLED, By.PARTY, "the caller gave up", 487)
_ENDED = Termination(Class.NORMAL, By.US, "ended")
_LOST = Termination(Class.LOST, By.PARTY, "the line died")
_BUSY = from_status(486, "busy")
_NO_TRUNK = from_status(503, "the trunk is lost")

ACCEPTS_MS = 8_000

After = Callable[[int, Callable[[], None]], None]
Send = Callable[[ev.Event], None]


@dataclass(slots=True)
class _Line:
    incident: IncidentId
    party: str
    since: Instant
    up: bool = False
    rang: bool = False  # it is a line that we dialled


@dataclass(slots=True)
class _Case:
    """What is going on about an incident outside of the core."""

    press: Press
    talk_left_ms: int
    talking_since: Instant | None = None
    talks: int = 0  # numbers the stretches of the talk, so that an interrupted one does not hang up later


class People:
    """Performs orders, hears facts, and sends what follows."""

    def __init__(self, presses: Iterable[Press], state: State, clock: Callable[[], Instant], after: After, send: Send) -> None:
        """`clock` gives the instant, `after` does something some milliseconds later, `send` tells the core."""
        self._state, self._clock, self._after, self._send = state, clock, after, send
        self._cases = {press.id: _Case(press, press.talk_ms) for press in presses}
        self._pressed: dict[str, Press] = {}
        self._lines: dict[LegId, _Line] = {}
        self._rung_ms: dict[tuple[IncidentId, str], int] = {}
        self._refused: dict[tuple[IncidentId, str], int] = {}
        self._lost_trunks: set[str] = set()

    def presses(self, press: Press) -> ev.Pressed:
        """The press itself. One in the wrap-up of an incident begins anew there: another answer, another talk."""
        self._pressed[press.id] = press
        known = self._state.open_by_point.get(press.point)
        if known is not None and self._state.incidents[known].state == incidents.WRAP_UP:
            case = self._cases[known]
            case.press, case.talk_left_ms = press, press.talk_ms
            for rung in (self._rung_ms, self._refused):
                for key in [key for key in rung if key[0] == known]:
                    del rung[key]
        return ev.Pressed(press.point, press.id, press.id, press.button)

    def trunk(self, event: ev.TrunkLost | ev.TrunkReached) -> None:
        """A trunk carries nothing any more, or does again."""
        (self._lost_trunks.add if isinstance(event, ev.TrunkLost) else self._lost_trunks.discard)(event.trunk)

    def lose_lines(self, operator: OperatorId) -> None:
        """The seat is dead in the midst of whatever it does."""
        for leg, line in list(self._lines.items()):
            if line.party == operator:
                self._end(leg, _LOST)

    # ---- orders ---------------------------------------------------------------------------------------------

    def perform(self, order: fx.Effect) -> None:
        """One order of the core."""
        if isinstance(order, fx.AdoptPress):
            self._adopt(order)
        elif isinstance(order, fx.AnswerLeg):
            self._taken(order.leg)
        elif isinstance(order, fx.DialOperator):
            self._dial(order.leg, order.operator, self._case(order.leg).press.seat_ms)
        elif isinstance(order, fx.DialParty) and order.route.trunk in self._lost_trunks:
            self._lines[order.leg] = _Line(self._incident(order.leg), order.party, self._clock())
            self._end(order.leg, _NO_TRUNK)
        elif isinstance(order, fx.DialParty):
            self._dial(order.leg, order.party, self._case(order.leg).press.party_ms)
        elif isinstance(order, fx.DialPoint):
            self._dial_point(order)
        elif isinstance(order, fx.EndLeg) and order.leg in self._lines:
            self._end(order.leg, _ENDED)
        elif isinstance(order, fx.Notify):
            self._after(0, lambda: self._send(ev.NoticeDone(order.id, True, "delivered")))

    def _incident(self, leg: LegId) -> IncidentId:
        return incident_of_call(call_of_leg(leg))

    def _case(self, leg: LegId) -> _Case:
        return self._cases[self._incident(leg)]

    def _adopt(self, order: fx.AdoptPress) -> None:
        press = self._pressed[order.dialog]
        incident = self._incident(order.leg)
        self._lines[order.leg] = _Line(incident, press.point, self._clock())
        profile = profile_of(self._state, self._state.incidents[incident])
        limits = (press.hangs_up_ms, profile.ring_limit_ms or None, profile.queue_limit_ms or None)
        limit = min((one for one in limits if one is not None), default=None)
        if limit is not None:
            self._after(limit, lambda: self._gives_up(order.leg))
        for doing in press.doings:
            self._after(doing.after_ms, partial(self._do, incident, doing))

    def _gives_up(self, leg: LegId) -> None:
        line = self._lines.get(leg)
        if line is not None and not line.up:
            self._end(leg, _GAVE_UP)

    def _taken(self, leg: LegId) -> None:
        line = self._lines.get(leg)
        incident = None if line is None else self._state.incidents.get(line.incident)
        if line is None or line.up or incident is None:
            return
        line.up = True
        self._limit_talk(leg, profile_of(self._state, incident))

    def _limit_talk(self, leg: LegId, profile: Profile) -> None:
        if profile.talk_limit_ms:
            self._after(profile.talk_limit_ms, lambda: self._talk_limited(leg))

    def _talk_limited(self, leg: LegId) -> None:
        if leg in self._lines:
            self._end(leg, _HUNG_UP)

    def _refuses(self, leg: LegId) -> None:
        if self._unanswered(leg):
            self._end(leg, _BUSY)

    def _dial(self, leg: LegId, party: str, usual_ms: int | None) -> None:
        case, incident = self._case(leg), self._incident(leg)
        self._lines[leg] = _Line(incident, party, self._clock(), rang=True)
        self._after(0, lambda: self._rings(leg))
        turn = self._refused.get((incident, party), 0)
        refusals = case.press.refuses.get(party, ())
        if turn < len(refusals):
            self._refused[incident, party] = turn + 1
            self._after(refusals[turn], lambda: self._refuses(leg))
            return
        needs_ms = case.press.replies.get(party, usual_ms)
        if needs_ms is not None:
            left_ms = max(0, needs_ms - self._rung_ms.get((incident, party), 0))
            self._after(left_ms, lambda: self._answers(leg))

    def _dial_point(self, order: fx.DialPoint) -> None:
        incident = self._incident(order.leg)
        self._lines[order.leg] = _Line(incident, order.point, self._clock())
        self._after(0, lambda: self._rings(order.leg))
        back_ms = self._cases[incident].press.back_ms
        if self._state.points.get(order.point, True) is False:
            self._end(order.leg, from_status(480, "unreachable"))
        elif back_ms is not None:
            self._after(back_ms, lambda: self._answers(order.leg))

    def _unanswered(self, leg: LegId) -> bool:
        line = self._lines.get(leg)
        return line is not None and not line.up

    def _rings(self, leg: LegId) -> None:
        if self._unanswered(leg) and leg in self._state.legs:
            self._send(ev.LegRang(leg))

    def _answers(self, leg: LegId) -> None:
        if self._unanswered(leg):
            self._lines[leg].up = True
            self._send(ev.LegAnswered(leg))
            self._accepts(leg)
            incident = self._state.incidents.get(self._lines[leg].incident) if leg in self._lines else None
            if incident is not None and self._lines[leg].party == incident.point:
                self._limit_talk(leg, profile_of(self._state, incident))

    def _accepts(self, leg: LegId) -> None:
        """A party whose plan wants a key presses it as soon as it has heard what it is about."""
        known = self._state.legs.get(leg)
        if known is not None and not known.accepted:
            key = plan_of(self._state, self._state.incidents[self._lines[leg].incident]).parties[known.party].accept
            self._after(ACCEPTS_MS, lambda: self._presses(leg, key))

    def _presses(self, leg: LegId, key: str) -> None:
        if leg in self._lines:
            self._send(ev.DigitPressed(leg, key))

    def _end(self, leg: LegId, termination: Termination) -> None:
        line = self._lines.pop(leg)
        if line.rang and not line.up:
            key = (line.incident, line.party)
            self._rung_ms[key] = self._rung_ms.get(key, 0) + ms_between(line.since, self._clock())
        self._after(0, lambda: self._send(ev.LegEnded(leg, termination)))

    # ---- what people do about an incident -------------------------------------------------------------------

    def hear(self, fact: f.Fact) -> None:
        """One fact that the core decided."""
        if isinstance(fact, f.CallMoved):
            self._call_moved(fact)
        elif isinstance(fact, f.IncidentMoved):
            if fact.new == incidents.WRAP_UP:
                self._wrap_up(fact)
            if fact.old == incidents.ATTENDED and fact.new in (incidents.WRAP_UP, incidents.UNREVIEWED):
                self._say_outcome(fact.incident)

    def _call_moved(self, fact: f.CallMoved) -> None:
        now = self._clock()
        case = self._cases[incident_of_call(fact.call)]
        if fact.new == calls.TALKING:
            case.talking_since, case.talks = now, case.talks + 1
            self._after(case.talk_left_ms, partial(self._talk_over, case, fact, case.talks))
        elif case.talking_since is not None:
            case.talk_left_ms = max(0, case.talk_left_ms - ms_between(case.talking_since, now))
            case.talking_since = None

    def _talk_over(self, case: _Case, fact: f.CallMoved, number: int) -> None:
        if case.talking_since is not None and case.talks == number:
            self._send(ev.HangUp(fact.call, "rehearsal"))

    def _wrap_up(self, fact: f.IncidentMoved) -> None:
        press = self._cases[fact.incident].press
        if press.wrap_ms is not None and fact.operator is not None:
            self._after(press.wrap_ms, lambda: self._leave_wrap_up(fact))

    def _leave_wrap_up(self, fact: f.IncidentMoved) -> None:
        incident = self._state.incidents.get(fact.incident)
        if incident is not None and incident.state == incidents.WRAP_UP and incident.until == fact.until and fact.operator:
            self._send(ev.MakeAvailable(fact.operator, "rehearsal"))

    def _say_outcome(self, incident: IncidentId) -> None:
        press = self._cases[incident].press
        if press.outcome_ms is not None:
            self._after(press.outcome_ms, lambda: self._give_outcome(incident))

    def _give_outcome(self, known: IncidentId) -> None:
        incident = self._state.incidents.get(known)
        if incident is None or incident.state not in (incidents.WRAP_UP, incidents.UNREVIEWED):
            return
        outcomes = plan_of(self._state, incident).outcomes
        wanted = self._cases[known].press.outcome
        chosen = wanted if wanted in outcomes else next(iter(outcomes), "")
        if chosen:
            self._send(ev.GiveOutcome(known, chosen, "rehearsal"))

    def _do(self, known: IncidentId, doing: Doing) -> None:
        incident = self._state.incidents.get(known)
        call = None if incident is None or incident.call is None else self._state.calls.get(incident.call)
        leg = None if call is None else calls.point_leg(call)
        if incident is None or incident.state not in (incidents.WAITING, incidents.ATTENDED):
            return
        if doing.what == "asked" and incident.state == incidents.WAITING:
            self._send(ev.ClimbLadder(known, doing.value))
        elif doing.what == "class":
            self._send(ev.Reclassify(known, int(doing.value), "rehearsal"))
        elif leg is not None and leg.state in (legs.EARLY, legs.UP):
            if doing.what == "digit":
                self._send(ev.DigitPressed(leg.id, doing.value))
            else:
                self._send(ev.LineSilent(leg.id, int(doing.value)) if doing.what == "silent" else ev.LineSounding(leg.id))
