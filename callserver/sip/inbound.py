"""Legs that a device began: pressed, rung, played to, answered, or ended before that.

The INVITE is stored before the 100 goes out: a device that has had its 100 stops asking (RFC 3261 17.1.1.2), so from then on
the press must survive us. `pressed` is told at once, not after the store.
"""

import asyncio
from collections.abc import Sequence

import structlog

from callserver.sip import terms
from callserver.sip.composer import SDP_TYPE, required
from callserver.sip.endings import Endings
from callserver.sip.flow import Flow
from callserver.sip.gear import MS, Gear
from callserver.sip.interface import LocalMedia, RemoteMedia
from callserver.sip.leg import Leg, Phase
from callserver.sip.protocol import session_timer
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.message import Request, Response, SipError, canonical, parse_message
from callserver.sip.protocol.sdp_gate import read_offer
from callserver.sip.protocol.transaction import Retransmit2xx, Send, TimedOut
from callserver.sip.refresh import Refresh, note_allow
from callserver.sip.reliable import Reliable
from callserver.sip.routes import in_dialog
from callserver.sip.wire import Served

log = structlog.get_logger(__name__)

UNADOPTED_NS = 30_000 * MS
Lines = Sequence[tuple[str, str]]
_UNANSWERED = (Phase.PRESSED, Phase.RINGING)


class Inbound:
    """See the module."""

    def __init__(self, gear: Gear, endings: Endings, refresh: Refresh) -> None:
        self._gear, self._endings, self._refresh = gear, endings, refresh
        self.reliable = Reliable(gear, self._response, self._put)
        self._served: dict[str, Served] = {}  # by our To tag: the INVITE's transaction until its final response
        self.last_contact: dict[str, str] = {}  # by user: where it last called from

    # ---- the device's INVITE ------------------------------------------------------------------------------------

    def invited(self, served: Served, user: str, code: str) -> None:
        """An authenticated INVITE to a help user, or to a service code. Raises `SipError` when it cannot become a leg."""
        gear, request = self._gear, served.request
        if request.body and request.content_type != SDP_TYPE:
            raise SipError(415, "Unsupported Media Type", request, (("Accept", SDP_TYPE),))
        if request.body:
            terms.choose(read_offer(request.body), gear.config.codecs)
        tag = gear.composer.tag()
        dialog = Dialog.as_uas(request, tag)
        leg = Leg(
            id=f"dialog-{gear.composer.tag()}", inbound=True, phase=Phase.PRESSED, user=user, dialog=dialog, tag=tag, code=code,
            flow=in_dialog(dialog, served.flow), heard=served.flow, invite=request.to_bytes(), offer=request.body,
            reliable="100rel" in required(request),
        )  # fmt: skip
        note_allow(leg, request)
        gear.legs.add(leg)
        gear.legs.index(leg)
        gear.trace.name(leg.id, request.call_id)
        self._served[tag] = served
        self._note_contact(leg)
        gear.keep(leg, lambda: self._trying(leg, served))
        self._announce(leg)

    def _note_contact(self, leg: Leg) -> None:
        if leg.flow is not None:
            transport = f";transport={leg.flow.kind}" if leg.flow.stream else ""
            self.last_contact[leg.user] = f"sip:{leg.user}@{leg.flow.host}:{leg.flow.port}{transport}"

    def _trying(self, leg: Leg, served: Served) -> None:
        if leg.phase is Phase.PRESSED:
            self._gear.wire.respond(served, self._gear.composer.answer(served.request, 100))

    def _announce(self, leg: Leg) -> None:
        gear = self._gear
        gear.timers.set(("unadopted", leg.id), gear.clock() + UNADOPTED_NS, lambda now: self._unadopted(leg))
        if leg.code:
            gear.listener.code_dialled(leg.id, leg.user, leg.code)
        else:
            gear.listener.pressed(leg.id, leg.user, bool(leg.offer), self._button(leg))

    def _button(self, leg: Leg) -> str:
        request = self.invite(leg)

        def values(name: str) -> list[str]:
            return [header.value for header in request.headers if header.name == canonical(name)]

        return self._gear.accounts.button(leg.user, request.uri.user, values)

    def _unadopted(self, leg: Leg) -> None:
        if leg.phase is Phase.PRESSED:
            log.error("press_not_adopted", dialog=leg.id, user=leg.user)
            self._refused(leg, 500, "Server Internal Error")

    # ---- orders -------------------------------------------------------------------------------------------------

    def adopt(self, dialog: str, name: str) -> bool:
        """The dialog is leg `name` from now on: 180. False when there is no such dialog (any more)."""
        gear, leg = self._gear, self._gear.legs.get(dialog)
        if leg is None or leg.id == name or not leg.inbound:
            return leg is not None
        gear.timers.clear(("unadopted", dialog))
        gear.timers.clear(("linger", dialog))
        gear.legs.rename(leg, name)
        gear.trace.name(name, self.invite(leg).call_id)
        if leg.phase is Phase.OVER:  # the device gave up first
            leg.told = False
            self._endings.linger(leg)
            gear.keep(leg, lambda: gear.storage.forget_leg(dialog))
            asyncio.get_running_loop().call_soon(self._endings.tell, leg, 487, True, "cancelled")
            return True
        leg.move(Phase.RINGING)
        gear.keep(leg, lambda: self._ring(leg, dialog))
        return True

    def _ring(self, leg: Leg, dialog: str) -> None:
        self._gear.storage.forget_leg(dialog)
        if leg.phase is Phase.RINGING:
            self._respond(leg, 180)

    def progress(self, leg: Leg, local: LocalMedia) -> RemoteMedia | None:
        """183 with our answer; what was agreed. None for a late offer, or when the leg is past it."""
        if leg.phase is not Phase.RINGING:
            return leg.remote
        try:
            remote = self._agree(leg, local)
        except SipError as error:  # the codecs of before a restart are not those of now
            self.end(leg, error.status, error.reason)
            return None
        if remote is not None:
            self._gear.keep(leg, lambda: self._respond(leg, 183, leg.sdp) if leg.phase is Phase.RINGING else None)
        return remote

    def _agree(self, leg: Leg, local: LocalMedia) -> RemoteMedia | None:
        if leg.remote is not None and leg.local == local:
            return leg.remote
        leg.local = local
        terms.begin_sdp(leg, self._gear.composer)
        if not leg.offer:
            return None
        assert leg.heard is not None, "an inbound leg was heard"
        leg.sdp, leg.remote = terms.take_offer(leg, leg.offer, local, self._gear.config.codecs, leg.heard.host)
        leg.sdp_version += 1
        return leg.remote

    def answer(self, leg: Leg, local: LocalMedia | None) -> RemoteMedia | None:
        """200, with the SDP of the 183 when there was one. Harmless when repeated."""
        if leg.phase is not Phase.RINGING:
            return leg.remote
        if local is not None and leg.local is None:
            self._agree(leg, local)
        assert leg.local is not None, "a leg is answered after its audio has an address"
        if not leg.offer:
            leg.sdp = terms.make_offer(leg, leg.local, self._gear.config.codecs)
            leg.sdp_version += 1
            leg.awaits_answer = True
        leg.timer, lines = session_timer.of_press(self.invite(leg), self._gear.clock())
        response = self._response(leg, 200, leg.sdp, lines)
        leg.last_response = response.to_bytes()
        leg.move(Phase.ANSWERING)
        self._gear.keep(leg, lambda: self.reliable.before_success(leg, lambda: self._accepted(leg, response)))
        return leg.remote

    def _accepted(self, leg: Leg, response: Response) -> None:
        served = self._served.get(leg.tag)
        if leg.phase is not Phase.ANSWERING or served is None:
            return
        leg.answered_ns = self._gear.clock()
        del self._served[leg.tag]
        self._gear.wire.respond(served, response)
        self._refresh.agreed(leg, leg.timer)
        self.repeat_until_ack(leg, response)

    def refuse(self, leg: Leg, status: int, reason: str) -> None:
        """A final failure for a dialog that becomes no leg."""
        if leg.phase is Phase.PRESSED:
            self._refused(leg, status, reason)

    def _refused(self, leg: Leg, status: int, reason: str) -> None:
        leg.told = True
        response = self._response(leg, status, why=reason)
        self._endings.over(leg, lambda: self._final(leg, response))

    def end(self, leg: Leg, status: int, reason: str) -> None:
        """End it in whatever phase it is."""
        if leg.phase in _UNANSWERED or (leg.phase is Phase.ANSWERING and not leg.answered_ns):
            self._fail(leg, status, False, reason)
        elif leg.phase is Phase.ANSWERING:  # BYE has to wait for the ACK (RFC 3261 15)
            leg.move(Phase.ENDING)
            self._endings.let_go_later(leg, 0, reason)
            self._gear.keep(leg, lambda: None)
        elif leg.phase is Phase.UP:
            self._endings.hang_up(leg, status, reason)

    def _fail(self, leg: Leg, status: int, by_party: bool, reason: str) -> None:
        response = self._response(leg, status)
        leg.last_response = response.to_bytes()
        self._endings.over(leg, lambda: self._final(leg, response))
        self._endings.tell(leg, status, by_party, reason)

    def _final(self, leg: Leg, response: Response) -> None:
        self.reliable.stop(leg)
        served = self._served.pop(leg.tag, None)
        if served is not None and not served.answered:
            self._gear.wire.respond(served, response)

    # ---- the device again ---------------------------------------------------------------------------------------

    def cancelled(self, invite: Served) -> None:
        """Its CANCEL (which has had its 200). After our 200 it comes too late (RFC 3261 9.2)."""
        leg = next((leg for leg in self._gear.legs.all() if leg.inbound and self._served.get(leg.tag) is invite), None)
        if leg is not None:
            self.given_up(leg)

    def given_up(self, leg: Leg) -> bool:
        """CANCEL, or BYE into the early dialog (RFC 3261 15): 487 to the INVITE. False when that had its final answer."""
        if leg.phase is Phase.PRESSED:
            response = self._response(leg, 487)
            self._endings.over(leg, lambda: self._final(leg, response))
            return True
        if leg.phase is Phase.RINGING or (leg.phase is Phase.ANSWERING and not leg.answered_ns):
            self._fail(leg, 487, True, "cancelled")
            return True
        return False

    def acknowledged(self, leg: Leg, ack: Request) -> None:
        """The ACK to our 200, or to that of a re-INVITE. One of an older 200, late or doubled, means nothing (13.2.2.4)."""
        retransmit = self._gear.retransmits.get(leg.id)
        if retransmit is None and leg.phase is Phase.UP and not ack.body:
            return
        if retransmit is not None:
            if ack.cseq.number != retransmit.response.cseq.number:
                return
            retransmit.acked()
            del self._gear.retransmits[leg.id]
            self._gear.timers.clear(("retransmit", leg.id))
        if leg.phase is Phase.ENDING and leg.inbound and not leg.was_up:
            leg.was_up = True
            self._endings.hang_up(leg, 200, "")
            return
        if leg.phase is Phase.ANSWERING:
            leg.move(Phase.UP)
        if leg.awaits_answer and leg.phase is Phase.UP:
            self._late_answer(leg, ack)
        elif leg.phase is Phase.UP and retransmit is not None:
            self._gear.keep(leg, lambda: None)

    def _late_answer(self, leg: Leg, ack: Request) -> None:
        assert leg.heard is not None, "an inbound leg was heard"
        leg.awaits_answer = False
        try:
            leg.remote = terms.take_answer(ack.body, self._gear.config.codecs, leg.heard.host)
        except SipError as error:
            log.warning("late_answer_refused", leg=leg.id, reason=error.reason)
            self._endings.hang_up(leg, 488, error.reason, 488)
            return
        self._gear.keep(leg, lambda: None)
        self._gear.listener.changed(leg.id, leg.remote)

    def repeat_until_ack(self, leg: Leg, response: Response) -> None:
        """A 2xx went out: again and again until its ACK, for 32 s; then BYE (RFC 3261 13.3.1.4)."""
        self._gear.retransmits[leg.id] = Retransmit2xx(response, self._gear.clock())
        self._arm(leg)

    def _arm(self, leg: Leg) -> None:
        retransmit = self._gear.retransmits.get(leg.id)
        due = retransmit.next_deadline() if retransmit is not None else None
        self._gear.timers.set(("retransmit", leg.id), due, lambda now: self._repeat(leg, now))

    def _repeat(self, leg: Leg, now: int) -> None:
        retransmit = self._gear.retransmits.get(leg.id)
        if retransmit is None:
            return
        for output in retransmit.timer(now):
            if isinstance(output, Send) and isinstance(output.message, Response):
                self._gear.wire.reply(output.message, leg.heard or Flow("udp", "", 0))
            elif isinstance(output, TimedOut):
                self._unacknowledged(leg)
                return
        self._arm(leg)

    def _unacknowledged(self, leg: Leg) -> None:
        del self._gear.retransmits[leg.id]
        log.warning("no_ack", leg=leg.id)
        if leg.phase is not Phase.OVER:
            self._endings.hang_up(leg, 408, "no ACK", 408)

    # ---- after a restart ----------------------------------------------------------------------------------------

    def restore(self, leg: Leg) -> None:
        """Go on with a stored leg."""
        gear, request = self._gear, self.invite(leg)
        assert leg.heard is not None, "an inbound leg was heard"
        gear.trace.name(leg.id, request.call_id)
        self._note_contact(leg)
        last = parse_message(leg.last_response) if leg.last_response else None
        response = last if isinstance(last, Response) else None
        if leg.phase in (Phase.PRESSED, Phase.RINGING, Phase.ANSWERING):
            self._served[leg.tag] = gear.wire.resume(request, leg.heard, None)
        if leg.phase is Phase.ANSWERING and response is not None:
            gear.keep(leg, lambda: self._accepted(leg, response))
        elif leg.phase is Phase.OVER and response is not None and not leg.was_up:
            served = gear.wire.resume(request, leg.heard, None)
            gear.wire.respond(served, response)  # whether it had gone out is not known; its ACK is awaited again
        elif leg.phase is Phase.RINGING:
            self._ring_on(leg, response)
        elif leg.phase is Phase.PRESSED:
            self._trying(leg, self._served[leg.tag])

    def _ring_on(self, leg: Leg, last: Response | None) -> None:
        if last is not None and leg.rseq in leg.unacknowledged:
            self.reliable.resume(leg, last)
        if last is None or (leg.sdp and not last.body):
            self._respond(leg, 183, leg.sdp) if leg.sdp else self._respond(leg, 180)

    def announce_again(self, leg: Leg) -> None:
        """A press that was stored and never adopted is told once more."""
        if leg.phase is Phase.PRESSED:
            self._announce(leg)

    # ---- building -----------------------------------------------------------------------------------------------

    def invite(self, leg: Leg) -> Request:
        """The INVITE that opened the leg."""
        request = parse_message(leg.invite)
        assert isinstance(request, Request), "an inbound leg keeps its INVITE"
        return request

    def _respond(self, leg: Leg, status: int, body: bytes = b"") -> None:
        self.reliable.provisional(leg, status, body)

    def _put(self, leg: Leg, response: Response) -> None:
        served = self._served.get(leg.tag)
        if served is not None:
            self._gear.wire.respond(served, response)

    def _response(self, leg: Leg, status: int, body: bytes = b"", more: Lines = (), why: str = "") -> Response:
        composer, request = self._gear.composer, self.invite(leg)
        headers = list(more)
        if status < 300:
            assert leg.heard is not None, "an inbound leg was heard"
            headers += [("Contact", composer.contact(request.uri.user, leg.heard.kind, request.uri.scheme))]
        return composer.answer(request, status, why, leg.tag, headers, body)
