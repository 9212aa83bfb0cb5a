"""Carries out the core's orders on the edge (signalling) and on `Sound` (audio).

Each order is done at once and in one piece: no await, hence no call that changes under an order. What cannot be done is told
to the core as an event (`LegEnded`, `WorkerLost`), never dropped. One function per kind of order; the table is the whole list.
"""

from collections.abc import Callable, Mapping

import structlog

from callserver.core import effects
from callserver.core.events import ConditionCleared, ConditionRaised, DigitsDone, Event, LegEnded, NoticeDone
from callserver.core.ids import LegId, call_of_leg
from callserver.core.state import State
from callserver.core.termination import By, Class, Termination
from callserver.runtime.seats import Seats
from callserver.runtime.service_codes import ServiceCodes
from callserver.runtime.signals import Signals
from callserver.runtime.sound import Sound
from callserver.runtime.worker_orders import legs_in
from callserver.sip.edge import Edge
from callserver.sip.interface import LocalMedia, Shown, Target
from dialplans.model import MediaSource, Priority

CALL_BACK_CODECS = ("PCMA", "PCMU", "G722")  # the bridge is what the point then chooses
log = structlog.get_logger()


class Performer:
    """See the module. `state` is read for names and languages only, never for decisions."""

    def __init__(
        self,
        edge: Edge,
        sound: Sound,
        seats: Seats,
        codes: ServiceCodes,
        state: Callable[[], State],
        post: Callable[[Event], None],
        notify: Callable[[effects.Notify], None],
    ) -> None:
        self.edge, self.sound, self.seats, self.codes, self.state, self.post = edge, sound, seats, codes, state, post
        self.signals = Signals(edge, sound, post)
        self.ports_lack = False
        self._table: Mapping[type, Callable[..., None]] = {
            effects.AdoptPress: self._adopt_press,
            effects.RefusePress: self._refuse_press,
            effects.StartMedia: self._start_media,
            effects.AnswerLeg: self._answer_leg,
            effects.DialOperator: self._dial_operator,
            effects.DialPoint: self._dial_point,
            effects.DialParty: self._dial_party,
            effects.RenewMedia: self._renew_media,
            effects.EndLeg: self._end_leg,
            effects.SendDigits: self._send_digits,
            effects.ShapeCall: self._shape_call,
            effects.ReviveCall: self._revive_call,
            effects.CloseCall: self._close_call,
            effects.Notify: notify,
            effects.AnswerCode: self._answer_code,
        }

    def __call__(self, order: effects.Effect) -> None:
        """Perform one order."""
        self._table[type(order)](order)

    def language_of(self, leg: LegId) -> str:
        """The language of the point that the leg's call is about."""
        state = self.state()
        call = state.calls.get(call_of_leg(leg))
        incident = state.incidents.get(call.incident) if call is not None else None
        plan = state.plans.get(incident.plan_version) if incident is not None else None
        point = plan.points.get(incident.point) if plan is not None and incident is not None else None
        return point.language if point is not None else "en"

    # ---- inbound ------------------------------------------------------------------------------------------------

    def _adopt_press(self, order: effects.AdoptPress) -> None:
        if not self.edge.adopt(order.dialog, order.leg):
            self._failed(order.leg, "the caller was gone before the call began")

    def _refuse_press(self, order: effects.RefusePress) -> None:
        self.edge.refuse(order.dialog, order.status, order.reason)

    def _start_media(self, order: effects.StartMedia) -> None:
        if order.leg not in self.edge.live_legs():
            return
        local = self._open(order.leg, "point", order.source)
        if local is None:
            return
        remote = self.edge.progress(order.leg, local)
        if remote is not None:
            self.sound.agreed(order.leg, remote)
            self.sound.place(order.leg, self.language_of(order.leg))

    def _answer_leg(self, order: effects.AnswerLeg) -> None:
        if order.leg not in self.edge.live_legs():
            return
        sound = self.sound.legs.get(order.leg)
        remote = self.edge.answer(order.leg, sound.local if sound is not None else None)
        if remote is not None:
            self.sound.agreed(order.leg, remote)
            self.sound.place(order.leg, self.language_of(order.leg))

    # ---- outbound -----------------------------------------------------------------------------------------------

    def _dial_operator(self, order: effects.DialOperator) -> None:
        if self.seats.serves(order.operator):
            self._ring_seat(order)
            return
        codecs = self.sound.codecs(call_of_leg(order.leg), self._point_codec(order.leg))
        self._dial(order.leg, self._role_of(order.leg), Target(user=order.operator), Shown(order.point, order.place), codecs)

    def _role_of(self, leg: LegId, usual: str = "operator") -> str:
        """How who is dialled takes part: as the call's operator or point, or brought in."""
        known = self.state().legs.get(leg)
        return known.role if known is not None else usual

    def _ring_seat(self, order: effects.DialOperator) -> None:
        """The operator's browser rings: what it shows comes from the incident."""
        if order.leg in self.seats.live_legs():
            return
        call = self.state().calls.get(call_of_leg(order.leg))
        incident = None if call is None else self.state().incidents.get(call.incident)
        urgency = Priority.EMERGENCY if incident is None else Priority(incident.priority)
        shown = {
            "incident": incident.id if incident is not None else "",
            "point": order.point,
            "place": order.place,
            "class": urgency.name.lower(),
            "mode": "" if call is None else call.modes.get(order.leg, ""),
            "with": "" if call is None else call.operator or "",
            "called_out": incident is not None and incident.called_by == order.operator,
        }
        try:
            self.seats.ring(order.operator, order.leg, shown, self._role_of(order.leg))
        except OSError as error:
            self._no_ports(order.leg, error)

    def _dial_point(self, order: effects.DialPoint) -> None:
        target = Target(user=order.point, fallback=self.edge.last_contact(order.point))
        shown = Shown("control-room", "Help point", order.auto_answer)
        own = self._role_of(order.leg, "point") == "point"
        call = call_of_leg(order.leg)
        codecs = CALL_BACK_CODECS if own else self.sound.codecs(call, self._point_codec(order.leg))
        self._dial(order.leg, "point" if own else "outside", target, shown, codecs, order.source)

    def _dial_party(self, order: effects.DialParty) -> None:
        target = Target(uri=order.route.uri, trunk=order.route.trunk)
        codecs = self.sound.codecs(call_of_leg(order.leg), self._point_codec(order.leg))
        self._dial(order.leg, "outside", target, Shown(order.point, order.place), codecs)

    def _dial(
        self,
        leg: LegId,
        role: str,
        target: Target,
        shown: Shown,
        codecs: tuple[str, ...],
        source: MediaSource = MediaSource.SDP_HOST,
    ) -> None:
        if leg in self.edge.live_legs():
            return
        local = self._open(leg, role, source)
        if local is not None:
            self.edge.dial(leg, target, shown, local, codecs)

    def _point_codec(self, leg: LegId) -> str:
        """The codec that the call's point speaks, so that others are offered it first."""
        call = call_of_leg(leg)
        for sound in self.sound.legs.values():
            if sound.role == "point" and sound.remote is not None and sound.leg.startswith(f"{call}."):
                return sound.remote.codec
        return ""

    # ---- any leg, any call --------------------------------------------------------------------------------------

    def _renew_media(self, order: effects.RenewMedia) -> None:
        if order.leg in self.edge.live_legs():
            self.edge.renew_media(order.leg)

    def _end_leg(self, order: effects.EndLeg) -> None:
        if order.leg in self.edge.live_legs() and order.keys is not None:
            self.signals.end(order.leg, order.keys, lambda: self.edge.end(order.leg, order.status, order.reason))
        elif order.leg in self.edge.live_legs():
            self.edge.end(order.leg, order.status, order.reason)
        elif order.leg in self.seats.live_legs():
            self.seats.end(order.leg, order.reason)
        else:
            self._failed(order.leg, "there was no dialog any more", Class.CANCELLED)

    def _send_digits(self, order: effects.SendDigits) -> None:
        self.signals.send(order.leg, order.keys)

    def _shape_call(self, order: effects.ShapeCall) -> None:
        for leg in legs_in(order.shape):
            self.sound.place(leg, self.language_of(leg))
        self.sound.shape(order.call, order.shape)

    def _revive_call(self, order: effects.ReviveCall) -> None:
        self.sound.revive(order.call, order.shape)

    def _close_call(self, order: effects.CloseCall) -> None:
        self.sound.close(order.call)

    def _answer_code(self, order: effects.AnswerCode) -> None:
        self.codes.answer(order.dialog, order.accepted, order.then)

    # ---- what could not be done ---------------------------------------------------------------------------------

    def failed(self, order: effects.Effect, why: str) -> None:
        """An order broke in the middle, by a mistake of ours: people are told, and its leg or call goes a way that is known."""
        self.post(ConditionRaised("internal:order", f"an internal error stopped {type(order).__name__} ({why}); see the log"))
        if isinstance(order, effects.ReviveCall):
            self.sound.revive_later(order.call, why)
        elif isinstance(order, effects.ShapeCall):
            self.sound.replace_worker(order.call, why)
        elif isinstance(order, effects.SendDigits):
            self.post(DigitsDone(order.leg, order.keys.digits, f"an internal error: {why}"))
        elif isinstance(order, effects.Notify):
            self.post(NoticeDone(order.id, False, f"an internal error: {why}"))
        elif not isinstance(order, effects.CloseCall | effects.RefusePress | effects.AnswerCode | effects.RenewMedia):
            self._abandon(order.leg, f"an internal error: {why}")

    def _abandon(self, leg: LegId, why: str) -> None:
        """End what there is of a leg, and have the core know even if nothing can be ended."""
        try:
            self.sound.remove(leg)
            if leg in self.edge.live_legs():
                self.edge.end(leg, 500, why)  # which tells of its end
                return
            if leg in self.seats.live_legs():
                self.seats.end(leg, why)
                return
        except Exception:  # what was broken before may break again
            log.exception("leg.not_abandoned", leg=leg)
        self._failed(leg, why)

    def _open(self, leg: LegId, role: str, source: MediaSource) -> LocalMedia | None:
        """The leg's sockets; None, and the leg ends, when there are none to be had."""
        try:
            local = self.sound.open_leg(leg, role, source)
        except OSError as error:
            self._no_ports(leg, error)
            return None
        if self.ports_lack:
            self.ports_lack = False
            self.post(ConditionCleared("rtp:ports"))
        return local

    def _no_ports(self, leg: LegId, error: OSError) -> None:
        log.error("rtp.no_ports", leg=leg, error=str(error))
        self.ports_lack = True
        self.post(ConditionRaised("rtp:ports", str(error)))
        if leg in self.edge.live_legs():
            self.edge.end(leg, 503, "no media port")
        else:
            self._failed(leg, "no media port")

    def _failed(self, leg: LegId, reason: str, kind: Class = Class.INTERNAL) -> None:
        self.post(LegEnded(leg, Termination(kind, By.US, reason)))
