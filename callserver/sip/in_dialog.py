"""Requests within a dialog that we hold: they need no digest and are under no limit (the dialog's tags are their proof).

Every method has an answer. A dialog that is over is known for 32 s more, so a BYE that crosses ours still gets its 200.
"""

import re
from collections.abc import Callable, Mapping

import structlog

from callserver.sip import terms
from callserver.sip.composer import SDP_TYPE, unsupported
from callserver.sip.early import EarlyDialogs
from callserver.sip.endings import Endings
from callserver.sip.flow import Flow
from callserver.sip.gear import Gear
from callserver.sip.inbound import Inbound
from callserver.sip.leg import Leg, Phase
from callserver.sip.protocol import session_timer
from callserver.sip.protocol.dialog import request_key
from callserver.sip.protocol.message import Request, Response, SipError
from callserver.sip.protocol.reliable import parse_rack
from callserver.sip.refresh import Refresh, note_allow
from callserver.sip.routes import in_dialog
from callserver.sip.wire import Served

log = structlog.get_logger(__name__)

_RELAYED = re.compile(rb"(?im)^\s*signal\s*=\s*([0-9A-Da-d*#])\s*$")
_PLAIN = re.compile(rb"\s*([0-9A-Da-d*#])\s*")


class InDialog:
    """See the module."""

    def __init__(self, gear: Gear, endings: Endings, inbound: Inbound, refresh: Refresh, early: EarlyDialogs) -> None:
        self._gear, self._endings, self._inbound, self._refresh, self._early = gear, endings, inbound, refresh, early
        self._table: Mapping[str, Callable[[Leg, Served], None]] = {
            "BYE": self._bye,
            "INVITE": self._reinvite,
            "UPDATE": self._update,
            "INFO": self._info,
            "OPTIONS": self._ok,
            "PRACK": self._prack,
            "NOTIFY": self._unknown,  # we have subscribed to nothing
            "REFER": lambda leg, served: self._reply(leg, served, 603),
            "SUBSCRIBE": lambda leg, served: self._reply(leg, served, 489),
            "MESSAGE": lambda leg, served: self._reply(leg, served, 405),
            "PUBLISH": lambda leg, served: self._reply(leg, served, 405),
            "REGISTER": lambda leg, served: self._reply(leg, served, 405),
        }

    def find(self, request: Request) -> Leg | None:
        """The leg whose dialog a request names."""
        return self._gear.legs.of_dialog(request_key(request))

    def request(self, leg: Leg, served: Served) -> None:
        """One request, neither ACK nor CANCEL."""
        request = served.request
        if leg.dialog is None or leg.dialog.key != request_key(request):
            self._early.request(leg, served)
            return
        if leg.phase is Phase.OVER and request.method != "BYE":
            self._unknown(leg, served)
            return
        try:
            leg.dialog = leg.dialog.accept(request)
        except SipError as error:
            if request.cseq.number < leg.dialog.remote_cseq:
                self._reply(leg, served, error.status, error.reason)
                return
            # The number that we had last, and no transaction knows it: sent again across a restart of ours.
        leg.heard = served.flow
        leg.flow = in_dialog(leg.dialog, served.flow)
        missing = unsupported(request)
        if missing:
            self._reply(leg, served, 420, headers=[("Unsupported", ", ".join(missing))])
            return
        serve = self._table.get(request.method)
        if serve is None:
            self._reply(leg, served, 501)
        else:
            serve(leg, served)

    def acknowledged(self, request: Request, flow: Flow) -> None:
        """An ACK: it belongs to a 2xx of ours, or to nothing."""
        leg = self.find(request)
        if leg is not None:
            self._inbound.acknowledged(leg, request)

    # ---- the methods --------------------------------------------------------------------------------------------

    def _bye(self, leg: Leg, served: Served) -> None:
        response = self._gear.composer.answer(served.request, 200)
        if leg.phase is Phase.OVER or (leg.inbound and self._inbound.given_up(leg)):
            self._gear.wire.respond(served, response)
            return
        by_party = leg.phase is not Phase.ENDING
        leg.was_up = leg.was_up or leg.phase is Phase.ANSWERING  # it had our 200, the ACK was lost: a call that was hung up
        self._endings.over(leg, lambda: self._gear.wire.respond(served, response))
        self._endings.tell(leg, 0, by_party, "")

    def _reinvite(self, leg: Leg, served: Served) -> None:
        request = served.request
        if leg.phase is not Phase.UP:
            self._not_now(leg, served)
            return
        if self._offered(leg):
            self._reply(leg, served, 491)
            return
        self._gear.wire.respond(served, self._gear.composer.answer(request, 100))
        self._renegotiate(leg, served)

    def _update(self, leg: Leg, served: Served) -> None:
        if not served.request.body:
            self._refreshed(leg, served)
        elif leg.phase is Phase.RINGING and leg.remote is not None:  # it has our answer, by a 183
            self._renegotiate(leg, served)
        elif leg.phase is not Phase.UP:
            self._not_now(leg, served)
        elif self._offered(leg):
            self._reply(leg, served, 491)
        else:
            self._renegotiate(leg, served)

    def _offered(self, leg: Leg) -> bool:
        """Whether an offer of ours has no answer yet: of a refresh, or in a 2xx whose ACK is awaited (RFC 3311 5.2)."""
        return self._refresh.invites(leg) or (leg.awaits_answer and leg.id in self._gear.retransmits)

    def _not_now(self, leg: Leg, served: Served) -> None:
        """An offer while theirs has no answer of ours is 500, while ours has none of theirs 491 (RFC 3311 5.2, RFC 3261 14.2)."""
        early = leg.phase in (Phase.RINGING, Phase.PRESSED)
        self._reply(leg, served, 500 if early else 491, headers=[("Retry-After", "2")] if early else [])

    def _refreshed(self, leg: Leg, served: Served) -> None:
        """UPDATE without an offer: a session timer's refresh (RFC 4028 9), once the call stands."""
        lines: list[tuple[str, str]] = []
        if leg.phase is Phase.UP:
            try:
                lines = self._agree_timer(leg, served.request)
            except SipError as error:
                self._reply(leg, served, error.status, error.reason, list(error.headers))
                return
        self._gear.keep(leg, lambda: self._reply(leg, served, 200, headers=lines))

    def _agree_timer(self, leg: Leg, request: Request) -> list[tuple[str, str]]:
        """What the 2xx to INVITE or UPDATE says of the session timer. Raises `SipError` 422."""
        timer, lines = session_timer.as_uas(request, self._gear.clock())
        note_allow(leg, request)
        self._refresh.agreed(leg, timer)
        return list(lines)

    def _prack(self, leg: Leg, served: Served) -> None:
        """The device acknowledges a reliable provisional response (RFC 3262 3), perhaps with another offer."""
        request, reliable = served.request, self._inbound.reliable
        try:
            rack = parse_rack(request.get("RAck") or "")
        except SipError as error:
            self._reply(leg, served, error.status, error.reason)
            return
        if not leg.inbound or not reliable.matches(leg, rack, self._inbound.invite(leg)):
            self._unknown(leg, served)
            return
        if request.body and leg.phase is Phase.RINGING and leg.remote is not None:
            self._renegotiate(leg, served)
        elif request.body:
            self._not_now(leg, served)
        else:
            self._ok(leg, served)
        reliable.acknowledged(leg, rack)
        self._gear.keep(leg, lambda: None)

    def _renegotiate(self, leg: Leg, served: Served) -> None:
        """Take another offer, or make one when the re-INVITE has none; all of it or nothing (RFC 3261 14.2)."""
        request = served.request
        if leg.local is None or (request.body and request.content_type != SDP_TYPE):
            self._reply(leg, served, 415, headers=[("Accept", SDP_TYPE)])
            return
        lines: list[tuple[str, str]] = []
        try:
            session_timer.as_uas(request, self._gear.clock())
            if request.body:
                host = served.flow.host
                sdp, remote = terms.take_offer(leg, request.body, leg.local, self._gear.config.codecs, host)
                changed = remote != leg.remote
                leg.remote, leg.awaits_answer = remote, False
            else:
                sdp, changed = terms.make_offer(leg, leg.local, self._gear.config.codecs), False
                leg.awaits_answer = True
        except SipError as error:
            self._reply(leg, served, error.status, error.reason, list(error.headers))
            return
        if sdp != leg.sdp:
            leg.sdp, leg.sdp_version = sdp, leg.sdp_version + 1
        if leg.phase is Phase.UP:
            lines = self._agree_timer(leg, request)
        contact = self._gear.composer.contact("", served.flow.kind, served.request.uri.scheme)
        response = self._gear.composer.answer(request, 200, headers=[("Contact", contact), *lines], body=sdp)
        self._gear.keep(leg, lambda: self._renegotiated(leg, served, response))
        if changed and leg.remote is not None:
            self._gear.listener.changed(leg.id, leg.remote)

    def _renegotiated(self, leg: Leg, served: Served, response: Response) -> None:
        self._gear.wire.respond(served, response)
        if served.request.method == "INVITE" and leg.phase is Phase.UP:
            self._inbound.repeat_until_ack(leg, response)

    def _info(self, leg: Leg, served: Served) -> None:
        request = served.request
        patterns = {"application/dtmf-relay": _RELAYED.search, "application/dtmf": _PLAIN.fullmatch}
        pattern = patterns.get(request.content_type)
        if request.body and pattern is None:
            self._reply(leg, served, 415, headers=[("Accept", "application/dtmf-relay, application/dtmf")])
            return
        match = pattern(request.body) if pattern is not None else None
        self._ok(leg, served)
        if match is not None:
            self._gear.listener.digit(leg.id, match[1].decode().upper())

    def _ok(self, leg: Leg, served: Served) -> None:
        self._reply(leg, served, 200)

    def _unknown(self, leg: Leg, served: Served) -> None:
        self._reply(leg, served, 481)

    def _reply(
        self, leg: Leg, served: Served, status: int, reason: str = "", headers: list[tuple[str, str]] | None = None
    ) -> None:
        lines = list(headers or [])
        if status == 200 and served.request.method in ("UPDATE", "OPTIONS"):
            lines.append(("Contact", self._gear.composer.contact("", served.flow.kind, served.request.uri.scheme)))
        self._gear.wire.respond(served, self._gear.composer.answer(served.request, status, reason, headers=lines))
