"""Session timers in dialogs (RFC 4028): we refresh at half the interval, or wait for the device's refresh.

A refresh is UPDATE without SDP where the device takes it, else a re-INVITE with the SDP that stands, its version unchanged
(RFC 3264 8); `renew` sends one of these on order. Who does not refresh in time, does not answer ours or does not know the
dialog any more is a lost line, not a hang-up. A refusal of any other kind is the word of a device that is there: the call goes
on, and it is asked again.
"""

import msgspec
import structlog

from callserver.sip import terms
from callserver.sip.composer import ALLOW, SDP_TYPE, SOFTWARE, SUPPORTED
from callserver.sip.endings import Endings
from callserver.sip.gear import MS, Gear
from callserver.sip.leg import Leg, Phase
from callserver.sip.protocol import session_timer
from callserver.sip.protocol.message import Message, Request, Response, SipError
from callserver.sip.protocol.session_timer import Timer
from callserver.sip.protocol.transaction import TimedOut
from callserver.sip.trunks import authorized_again
from callserver.sip.wire import Outcome

log = structlog.get_logger(__name__)

GRACE_NS = 32_000 * MS  # after a restart: what was asked meanwhile is asked again for so long
_BUSY_NS = 2_000 * MS
_GONE = frozenset({408, 481})
_NOT_UPDATE = frozenset({405, 420, 501})


class Refresh:
    """See the module."""

    def __init__(self, gear: Gear, endings: Endings) -> None:
        self._gear, self._endings = gear, endings
        self._asked: dict[str, Request] = {}  # by leg: the refresh that has no answer yet

    # ---- what is agreed -----------------------------------------------------------------------------------------

    def agreed(self, leg: Leg, timer: Timer | None) -> None:
        """A 2xx to INVITE or UPDATE said so; each anew. The caller stores the leg."""
        leg.timer = timer
        self._arm(leg)

    def restore(self, leg: Leg) -> None:
        """Go on with a stored leg; time went on meanwhile."""
        if leg.timer is None:
            return
        now = self._gear.clock()
        leg.timer = msgspec.structs.replace(leg.timer, since_ns=min(leg.timer.since_ns, now))  # the host may have started anew
        self._arm(leg, now + GRACE_NS)

    def _arm(self, leg: Leg, not_before_ns: int = 0) -> None:
        timers, timer = self._gear.timers, leg.timer
        due = timer.refresh_ns if timer is not None and timer.ours else None
        timers.set(("refresh", leg.id), due, lambda now: self._due(leg))
        over = max(timer.over_ns, not_before_ns) if timer is not None else None
        timers.set(("expire", leg.id), over, lambda now: self._lost(leg, 408))

    def invites(self, leg: Leg) -> bool:
        """Whether a re-INVITE of ours is open: another's has to wait (RFC 3261 14.2)."""
        asked = self._asked.get(leg.id)
        return asked is not None and asked.method == "INVITE"

    # ---- ours ---------------------------------------------------------------------------------------------------

    def _due(self, leg: Leg) -> None:
        timer = leg.timer
        if timer is None or not timer.ours or leg.phase is Phase.OVER or leg.phase is Phase.ENDING:
            return
        if leg.phase is not Phase.UP or leg.id in self._gear.retransmits or leg.id in self._asked:
            self._later(leg, _BUSY_NS)  # an INVITE is open: of two, one has to wait (RFC 3261 14.1)
            return
        self._ask(leg, leg.updates or not leg.sdp)

    def renew(self, leg: Leg) -> None:
        """Re-INVITE with the SDP that stands, so that the device says where its sound is; unless an INVITE is open."""
        if leg.phase is Phase.UP and leg.sdp and leg.id not in self._gear.retransmits and leg.id not in self._asked:
            self._ask(leg, update=False)

    def _later(self, leg: Leg, pause_ns: int) -> None:
        gear = self._gear
        gear.timers.set(("refresh", leg.id), gear.clock() + pause_ns, lambda now: self._due(leg))

    def _ask(self, leg: Leg, update: bool) -> None:
        assert leg.dialog is not None and leg.flow is not None, "a leg that is up has a dialog"
        composer, flow, timer = self._gear.composer, leg.flow, leg.timer
        lines = [("Allow", ALLOW), ("Supported", SUPPORTED)]
        if timer is not None:
            lines += session_timer.wanted(timer.interval_s, "uac" if timer.ours else "uas")
            lines += [("Min-SE", str(leg.least_s))] if leg.least_s else []
        lines += [("User-Agent", SOFTWARE), *([] if update else [("Content-Type", SDP_TYPE)])]
        leg.dialog, request = leg.dialog.next_request(
            "UPDATE" if update else "INVITE",
            composer.via(flow.kind, composer.branch()),
            composer.contact("", flow.kind, "sips" if leg.dialog.secure else "sip"),
            lines,
            b"" if update else leg.sdp,
        )
        self._send(leg, request)

    def _send(self, leg: Leg, request: Request) -> None:
        gear, flow = self._gear, leg.flow
        assert flow is not None, "a leg that is up has a flow"
        self._asked[leg.id] = request

        def send() -> None:
            if leg.phase is Phase.UP:
                gear.wire.ask(request, flow, lambda outcome: self._heard(leg, request, outcome))
            else:
                self._asked.pop(leg.id, None)

        gear.keep(leg, send)

    def _heard(self, leg: Leg, request: Request, outcome: Outcome) -> None:
        if isinstance(outcome, Response) and outcome.status < 200:
            return
        if isinstance(outcome, Response) and outcome.status < 300 and request.method == "INVITE":
            self.acknowledge(leg, outcome)
        if self._asked.get(leg.id) is not request:
            return  # a 2xx again
        del self._asked[leg.id]
        if leg.phase is not Phase.UP:
            return
        if isinstance(outcome, Response):
            self._answered(leg, request, outcome)
        elif isinstance(outcome, TimedOut):
            self._lost(leg, 408)
        else:
            self._later(leg, _BUSY_NS)  # nothing could be sent; until the time is up it may be possible again

    def acknowledge(self, leg: Leg, response: Response) -> None:
        """The ACK to a 2xx of a re-INVITE, each time that it comes."""
        if leg.dialog is None or leg.flow is None:
            return
        composer, flow = self._gear.composer, leg.flow
        self._gear.wire.send(leg.dialog.ack(composer.via(flow.kind, composer.branch()), cseq=response.cseq.number), flow)

    def _answered(self, leg: Leg, request: Request, response: Response) -> None:
        status = response.status
        if status < 300:
            self._refreshed(leg, response)
        elif status in _GONE:
            self._lost(leg, status)
        elif status in (401, 407) and self._proven(leg, request, response):
            return
        elif leg.timer is not None:
            self._refused(leg, request, response, leg.timer)

    def _refused(self, leg: Leg, request: Request, response: Response, timer: Timer) -> None:
        status, least_s, now = response.status, session_timer.least_s(response), self._gear.clock()
        if status == 422 and least_s > timer.interval_s:  # RFC 4028 7.4: longer, and so from now on
            leg.timer, leg.least_s = msgspec.structs.replace(timer, interval_s=least_s), least_s
            self._ask(leg, request.method == "UPDATE")
        elif status in _NOT_UPDATE and request.method == "UPDATE" and leg.sdp:
            leg.updates = False
            self._ask(leg, update=False)
        elif status == 491:  # RFC 3261 14.1: who chose the Call-ID waits longer
            first, most = (0, 2_000) if leg.inbound else (2_100, 1_900)
            self._later(leg, (first + 10 * self._gear.composer.number(most // 10)) * MS)
        else:
            log.warning("refresh_refused", leg=leg.id, status=status)
            self.agreed(leg, msgspec.structs.replace(timer, since_ns=now) if timer.ours else timer)
            self._later(leg, timer.interval_s * 1_000 // 8 * MS)

    def _proven(self, leg: Leg, request: Request, challenge: Response) -> bool:
        """Whether it went out once more with credentials."""
        access = self._gear.accounts.trunk(leg.trunk) if leg.trunk else None
        had = request.get("Authorization") or request.get("Proxy-Authorization")
        if access is None or had or leg.flow is None or leg.dialog is None:
            return False
        again = authorized_again(self._gear.composer, request, challenge, access, leg.flow.kind)
        if again is None:
            return False
        number = again.cseq.number
        invited = number if again.method == "INVITE" else leg.dialog.invite_cseq
        leg.dialog = msgspec.structs.replace(leg.dialog, local_cseq=number, invite_cseq=invited)
        self._send(leg, again)
        return True

    def _refreshed(self, leg: Leg, response: Response) -> None:
        assert leg.dialog is not None and leg.flow is not None, "a leg that is up has a dialog"
        try:
            leg.dialog = leg.dialog.refreshed(response)
        except SipError as error:
            log.warning("refreshed_without_address", leg=leg.id, reason=error.reason)
        note_allow(leg, response)
        self.agreed(leg, session_timer.as_uac(response, self._gear.clock()))
        changed = None
        if response.body and response.content_type == SDP_TYPE:
            try:
                changed = terms.take_answer(response.body, leg.codecs or self._gear.config.codecs, leg.flow.host)
            except SipError as error:  # our offer was what stands; so is what they agreed to before
                log.info("refreshing_answer_unread", leg=leg.id, reason=error.reason)
        if changed is not None and changed != leg.remote:
            leg.remote = changed
            self._gear.listener.changed(leg.id, changed)
        self._gear.keep(leg, lambda: None)

    # ---- the end ------------------------------------------------------------------------------------------------

    def _lost(self, leg: Leg, status: int) -> None:
        if leg.phase is Phase.UP:
            self._endings.lost(leg, status, "its session timer ran out" if status == 408 else "the device does not know the call")


def note_allow(leg: Leg, message: Message) -> None:
    """Remember whether the leg's device takes UPDATE (RFC 3311 4), where it says what it takes."""
    if message.get("Allow") is not None:
        leg.updates = message.lists("Allow", "UPDATE")
