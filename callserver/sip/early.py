"""Dialogs that are early on the far side: reliable provisional responses to our INVITEs get their PRACK (RFC 3262 section 4),
SDP in them is the answer to our offer, and requests within them are served (RFC 3311).

The sound that an outside line plays before it answers is not taken: who is to be heard has to have answered.
"""

from collections.abc import Callable, Mapping

import msgspec
import structlog

from callserver.sip import terms
from callserver.sip.composer import SDP_TYPE
from callserver.sip.flow import Flow
from callserver.sip.gear import Gear
from callserver.sip.leg import Early, Fork, Leg
from callserver.sip.protocol.dialog import Dialog, DialogKey, request_key
from callserver.sip.protocol.message import Request, Response, SipError, parse_message
from callserver.sip.protocol.reliable import RAck, rseq_of
from callserver.sip.routes import in_dialog
from callserver.sip.trunks import authorized_again
from callserver.sip.wire import Outcome, Served

log = structlog.get_logger(__name__)

MOST_EACH = 16  # early dialogs of one INVITE: whoever sends more is no proxy that forks


class EarlyDialogs:
    """See the module."""

    def __init__(self, gear: Gear) -> None:
        self._gear = gear
        self._table: Mapping[str, Callable[[Leg, Early, Served], None]] = {
            "UPDATE": self._update,
            "OPTIONS": lambda leg, early, served: self._reply(served, 200),
            "INFO": lambda leg, early, served: self._reply(served, 200),
            "INVITE": lambda leg, early, served: self._reply(served, 491),
        }

    # ---- responses ----------------------------------------------------------------------------------------------

    def provisional(self, leg: Leg, fork: Fork, response: Response) -> None:
        """A 101-199 to the fork's INVITE: acknowledge it in its turn, and note what its SDP answers."""
        rseq = rseq_of(response)
        if response.cseq.number != invite_of(fork).cseq.number or not (rseq or response.body):
            return
        early = self._early(leg, fork, response)
        if early is None:
            return
        if rseq and early.rseq and rseq != early.rseq + 1:
            if rseq == early.rseq:  # our PRACK was lost, or crossed it
                self._again(early, fork)
            return  # else one before it was lost: both will come again
        new = self._note_answer(leg, fork, early, response)
        if rseq:
            early.rseq = rseq
            self._acknowledge(leg, fork, early, RAck(rseq, response.cseq.number, "INVITE"))
        elif new:
            self._gear.keep(leg, lambda: None)

    def _early(self, leg: Leg, fork: Fork, response: Response) -> Early | None:
        known = of_tag(fork, response.to.tag or "")
        if known is not None:
            return known
        if len(fork.early) >= MOST_EACH:
            log.warning("too_many_early_dialogs", leg=leg.id)
            return None
        try:
            early = Early(Dialog.as_uac(invite_of(fork), response))
        except SipError as error:  # without tag or Contact there is nothing to acknowledge it in
            log.warning("early_dialog_unusable", leg=leg.id, reason=error.reason)
            return None
        fork.early.append(early)
        self._gear.legs.index(leg)
        return early

    def _note_answer(self, leg: Leg, fork: Fork, early: Early, response: Response) -> bool:
        if not response.body or response.content_type != SDP_TYPE or early.remote is not None:
            return False
        try:
            early.remote = terms.take_answer(response.body, leg.codecs, fork.flow.host)
        except SipError as error:  # what the 2xx says decides
            log.warning("early_answer_refused", leg=leg.id, reason=error.reason)
        return early.remote is not None

    def _acknowledge(self, leg: Leg, fork: Fork, early: Early, rack: RAck) -> None:
        composer, flow = self._gear.composer, in_dialog(early.dialog, fork.flow)
        via = composer.via(flow.kind, composer.branch())
        early.dialog, prack = early.dialog.next_request("PRACK", via, headers=[("RAck", str(rack))])
        self._send(leg, early, prack, flow)

    def _send(self, leg: Leg, early: Early, prack: Request, flow: Flow) -> None:
        early.prack = prack.to_bytes()

        def heard(outcome: Outcome) -> None:
            if isinstance(outcome, Response) and outcome.status in (401, 407):
                self._proven(leg, early, prack, outcome, flow)
            elif not isinstance(outcome, Response) or outcome.status >= 300:
                log.warning("prack_refused", leg=leg.id, outcome=getattr(outcome, "status", type(outcome).__name__))

        self._gear.keep(leg, lambda: self._ask(prack, flow, heard))

    def _ask(self, prack: Request, flow: Flow, heard: Callable[[Outcome], None]) -> None:
        self._gear.wire.ask(prack, flow, heard)

    def _proven(self, leg: Leg, early: Early, prack: Request, challenge: Response, flow: Flow) -> None:
        access = self._gear.accounts.trunk(leg.trunk) if leg.trunk else None
        if access is None or prack.get("Authorization") or prack.get("Proxy-Authorization"):
            return
        again = authorized_again(self._gear.composer, prack, challenge, access, flow.kind)
        if again is not None:
            early.dialog = msgspec.structs.replace(early.dialog, local_cseq=again.cseq.number)
            self._send(leg, early, again, flow)

    def _again(self, early: Early, fork: Fork) -> None:
        """The same PRACK, under the same branch: its answer, if there was one, comes again."""
        prack = parse_message(early.prack) if early.prack else None
        if isinstance(prack, Request):
            self._gear.wire.send(prack, in_dialog(early.dialog, fork.flow))

    # ---- requests -----------------------------------------------------------------------------------------------

    def request(self, leg: Leg, served: Served) -> None:
        """A request within an early dialog of a leg that nobody has answered yet."""
        early = _of_key(leg, request_key(served.request))
        serve = self._table.get(served.request.method)
        if early is None or serve is None or not leg.alive:
            self._reply(served, 481)
            return
        try:
            early.dialog = early.dialog.accept(served.request)
        except SipError as error:
            self._reply(served, error.status)
            return
        serve(leg, early, served)

    def _update(self, leg: Leg, early: Early, served: Served) -> None:
        request = served.request
        if not request.body:
            self._reply(served, 200)
            return
        if early.remote is None or not early.rseq or leg.local is None:
            self._reply(served, 491)  # our own offer has no answer yet (RFC 3311 5.2)
            return
        if request.content_type != SDP_TYPE:
            self._reply(served, 415)
            return
        try:
            sdp, remote = terms.take_offer(leg, request.body, leg.local, leg.codecs, served.flow.host)
        except SipError as error:
            self._reply(served, error.status)
            return
        early.remote, early.sdp, leg.sdp_version = remote, sdp, leg.sdp_version + 1
        self._gear.keep(leg, lambda: self._reply(served, 200, sdp))

    def _reply(self, served: Served, status: int, body: bytes = b"") -> None:
        composer = self._gear.composer
        lines = [("Contact", composer.contact("", served.flow.kind, served.request.uri.scheme))] if status == 200 else []
        self._gear.wire.respond(served, composer.answer(served.request, status, headers=lines, body=body))


def invite_of(fork: Fork) -> Request:
    """The fork's INVITE as sent last."""
    request = parse_message(fork.invite)
    assert isinstance(request, Request), "a fork keeps its INVITE"
    return request


def of_tag(fork: Fork, tag: str) -> Early | None:
    """The fork's early dialog with this To tag."""
    return next((early for early in fork.early if early.dialog.remote_tag == tag), None)


def confirmed(fork: Fork, response: Response) -> tuple[Dialog, Early | None]:
    """The dialog that a 2xx to the fork's INVITE makes, going on from its early one. Raises `SipError` 400 as `Dialog.as_uac`."""
    dialog, early = Dialog.as_uac(invite_of(fork), response), of_tag(fork, response.to.tag or "")
    if early is not None:  # PRACK and UPDATE have used numbers
        number, theirs = early.dialog.local_cseq, early.dialog.remote_cseq
        dialog = msgspec.structs.replace(dialog, local_cseq=number, remote_cseq=theirs)
    return dialog, early


def _of_key(leg: Leg, key: DialogKey) -> Early | None:
    return next((early for fork in leg.forks for early in fork.early if early.dialog.key == key), None)
