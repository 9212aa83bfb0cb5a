"""How legs end: `ended` told exactly once, BYE, and the 32 s in which an ended dialog is still known.

The runtime hears of the end when the other side has confirmed it, or after `LET_GO_NS`: a device that is gone must not hold
a seat. The signalling goes on behind that until it is answered or 32 s are over.
"""

from collections.abc import Callable

import structlog

from callserver.sip.flow import Flow
from callserver.sip.gear import LINGER_NS, MS, Gear
from callserver.sip.leg import Leg, Phase
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.grammar import quote
from callserver.sip.protocol.message import Request, Response
from callserver.sip.trunks import authorized_again
from callserver.sip.wire import Outcome

log = structlog.get_logger(__name__)

LET_GO_NS = 4_000 * MS
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def reason_line(status: int, reason: str) -> str:
    """A Reason value (RFC 3326)."""
    if reason == "answered elsewhere":
        return ELSEWHERE
    if status in (0, 200, 480):
        return f"Q.850;cause=16;text={quote(reason or 'Normal call clearing')}"
    return f"SIP;cause={status};text={quote(reason)}"


class Endings:
    """See the module."""

    def __init__(self, gear: Gear) -> None:
        self._gear = gear

    def tell(self, leg: Leg, status: int, by_party: bool, reason: str) -> None:
        """The listener hears of the end, the first time only."""
        if leg.told:
            return
        leg.told = True
        self._gear.timers.clear(("let_go", leg.id))
        log.info("leg_ended", leg=leg.id, status=status, by_party=by_party, reason=reason)
        self._gear.listener.ended(leg.id, status, by_party, leg.was_up, reason)

    def let_go_later(self, leg: Leg, status: int, reason: str) -> None:
        """Tell the end after a while, whatever the device does."""
        gear = self._gear
        gear.timers.set(("let_go", leg.id), gear.clock() + LET_GO_NS, lambda now: self.tell(leg, status, False, reason))

    def over(self, leg: Leg, then: Callable[[], None] | None = None) -> None:
        """The dialog is over: store that, then act; forget it after the lingering."""
        gear = self._gear
        leg.move(Phase.OVER)
        leg.over_ns = gear.clock()
        gear.retransmits.pop(leg.id, None)
        for key in ("retransmit", "force", "unadopted", "let_go", "refresh", "expire", "reliable", "patience"):
            gear.timers.clear((key, leg.id))
        gear.keep(leg, then or (lambda: None))
        self.linger(leg)

    def linger(self, leg: Leg) -> None:
        """Forget the leg when its 32 s are over."""
        self._gear.timers.set(("linger", leg.id), leg.over_ns + LINGER_NS, lambda now: self._forget(leg))

    def _forget(self, leg: Leg) -> None:
        self._gear.legs.remove(leg)
        self._gear.storage.forget_leg(leg.id)

    def hang_up(self, leg: Leg, status: int, reason: str, tell_status: int = 0) -> None:
        """BYE on a confirmed dialog; over when it is answered."""
        gear = self._gear
        assert leg.dialog is not None and leg.flow is not None, "a confirmed leg has a dialog"
        if leg.phase is not Phase.ENDING:
            leg.move(Phase.ENDING)
        leg.dialog, bye = self._bye(leg.dialog, leg.flow, reason_line(status, reason))
        self.let_go_later(leg, tell_status, reason)

        def told(outcome: Outcome) -> None:
            if isinstance(outcome, Response) and outcome.status < 200:
                return
            if isinstance(outcome, Response) and outcome.status in (401, 407) and self._bye_again(leg, bye, outcome, told):
                return
            self.tell(leg, tell_status, False, reason)
            if leg.phase is Phase.ENDING:
                self.over(leg)

        flow = leg.flow
        gear.keep(leg, lambda: None if leg.phase is Phase.OVER else self._ask(bye, flow, told))

    def lost(self, leg: Leg, status: int, why: str) -> None:
        """The device is not there any more: told at once as a lost line, and BYE in case that it is."""
        log.warning("leg_lost", leg=leg.id, status=status, reason=why)
        self.tell(leg, status, True, why)
        self.hang_up(leg, status, "line lost")

    def _ask(self, request: Request, flow: Flow, told: Callable[[Outcome], None]) -> None:
        self._gear.wire.ask(request, flow, told)

    def _bye_again(self, leg: Leg, bye: Request, challenge: Response, told: Callable[[Outcome], None]) -> bool:
        gear = self._gear
        access = gear.accounts.trunk(leg.trunk) if leg.trunk else None
        if access is None or bye.get("Authorization") or bye.get("Proxy-Authorization") or leg.flow is None:
            return False
        again = authorized_again(gear.composer, bye, challenge, access, leg.flow.kind)
        if again is None:
            return False
        self._ask(again, leg.flow, told)
        return True

    def _bye(self, dialog: Dialog, flow: Flow, reason: str) -> tuple[Dialog, Request]:
        composer = self._gear.composer
        return dialog.next_request("BYE", composer.via(flow.kind, composer.branch()), headers=[("Reason", reason)])

    def discard(self, dialog: Dialog, flow: Flow, reason: str) -> None:
        """ACK and BYE for a dialog that nobody wants: a 2xx that crossed our CANCEL, or came second."""
        self.acknowledge(dialog, flow)
        _, bye = self._bye(dialog, flow, reason)
        self._gear.wire.ask(bye, flow, lambda outcome: None)

    def acknowledge(self, dialog: Dialog, flow: Flow) -> None:
        """The ACK to a 2xx."""
        composer = self._gear.composer
        self._gear.wire.send(dialog.ack(composer.via(flow.kind, composer.branch())), flow)
