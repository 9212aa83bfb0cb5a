"""Legs that we begin: one INVITE per binding in parallel, the first 2xx wins, what crosses is acknowledged and hung up.

Each fork is a dialog of its own (Call-ID, From tag), so a device that is asked twice by two bindings sees two calls.
CANCEL waits for a provisional response (RFC 3261 9.1). A failure is told when every fork has one; then the best counts.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from callserver.sip import terms
from callserver.sip.composer import ALLOW, SDP_TYPE, SOFTWARE, SUPPORTED
from callserver.sip.early import EarlyDialogs, confirmed, invite_of
from callserver.sip.endings import ELSEWHERE, Endings, reason_line
from callserver.sip.flow import Flow
from callserver.sip.gear import LINGER_NS, Gear
from callserver.sip.interface import LocalMedia, RemoteMedia, Shown, Target
from callserver.sip.leg import Early, Fork, Leg, Phase
from callserver.sip.protocol import session_timer
from callserver.sip.protocol.dialog import Dialog
from callserver.sip.protocol.message import Request, Response, SipError, build_cancel, build_request, parse_uri
from callserver.sip.protocol.transaction import TimedOut
from callserver.sip.refresh import Refresh, note_allow
from callserver.sip.routes import flow_of, in_dialog, is_address, unresolved, way
from callserver.sip.trunks import authorized_again, identity, trunk_flow
from callserver.sip.wire import Outcome

log = structlog.get_logger(__name__)

Place = tuple[str, Flow]  # a Request-URI and where it goes
MOST_LENGTHENED = 2  # 422s to one INVITE


_CALL_INFO = ("Call-Info", "<sip:{domain}>;answer-after=0")
_ALERT_INFO = ("Alert-Info", "<http://127.0.0.1>;info=alert-autoanswer")
AUTO_ANSWER: Mapping[str, tuple[tuple[str, str], ...]] = {
    "both": (_CALL_INFO, _ALERT_INFO),
    "call-info": (_CALL_INFO,),
    "alert-info": (_ALERT_INFO,),
}
"""What makes devices answer by themselves; makers know the one or the other."""


def best_status(statuses: Sequence[int]) -> int:
    """The failure that says most (RFC 3261 16.7): a 6xx, else a word of the callee before timeouts and our own faults."""
    return min(statuses, key=lambda status: (status < 600, status in (408, 503), status), default=480)


class Outbound:
    """See the module."""

    def __init__(
        self, gear: Gear, endings: Endings, refresh: Refresh, early: EarlyDialogs, contacts: Callable[[str], list[Place]]
    ) -> None:
        self._gear, self._endings, self._refresh, self._early, self._contacts = gear, endings, refresh, early, contacts
        self._tasks: set[asyncio.Task[None]] = set()

    def dial(self, name: str, target: Target, shown: Shown, local: LocalMedia, codecs: Sequence[str]) -> None:
        """See `interface.Target`. What becomes of it is told."""
        gear = self._gear
        leg = Leg(id=name, inbound=False, phase=Phase.DIALLING, user=target.user, local=local, trunk=target.trunk)
        leg.codecs = tuple(codecs) or gear.config.codecs
        terms.begin_sdp(leg, gear.composer)
        leg.sdp = terms.make_offer(leg, local, leg.codecs)
        leg.sdp_version += 1
        gear.legs.add(leg)
        try:
            places = self._places(target)
        except SipError as error:
            log.error("target_unusable", leg=name, reason=error.reason)
            places = []
        unresolved = [uri for uri, flow in places if flow.port == 0]
        if not unresolved:
            self._invite(leg, places, target, shown)
            return
        task = asyncio.get_running_loop().create_task(self._resolve_and_invite(leg, places, target, shown))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _places(self, target: Target) -> list[Place]:
        """Port 0 in a flow: its host needs a resolver."""
        if target.user:
            found = self._contacts(target.user)
            return found or ([self._place(target.fallback)] if target.fallback else [])
        uri = target.uri
        if not target.trunk:
            return [self._place(uri)] if uri else []
        access = self._gear.accounts.trunk(target.trunk)
        if access is None:
            return []
        flow = trunk_flow(access, access.host)
        return [(uri or f"sip:{access.host}:{access.port}", flow if is_address(access.host) else unresolved(flow))]

    def _place(self, uri: str) -> Place:
        parsed = parse_uri(uri)
        return uri, flow_of(parsed) or unresolved(way(parsed, parsed.host))

    async def _resolve_and_invite(self, leg: Leg, places: list[Place], target: Target, shown: Shown) -> None:
        known = []
        for uri, flow in places:
            host, _, port = flow.host.rpartition(":") if flow.port == 0 else (flow.host, "", str(flow.port))
            try:
                address = await self._gear.addresses.find(host)
            except OSError as error:
                log.warning("name_not_resolved", leg=leg.id, host=host, error=str(error))
                continue
            known.append((uri, replace(flow, host=address, port=int(port))))
        if leg.phase is Phase.DIALLING:
            self._invite(leg, known, target, shown)

    def _invite(self, leg: Leg, places: list[Place], target: Target, shown: Shown) -> None:
        gear = self._gear
        if not places:
            asyncio.get_running_loop().call_soon(self._nowhere, leg)
            return
        for uri, flow in places:
            to = f"<sip:{target.user}@{gear.config.domain}>" if target.user else f"<{uri}>"
            request = self._first_request(uri, to, flow, shown, leg.sdp, leg.trunk)
            leg.forks.append(Fork(request.to_bytes(), flow))
            gear.name_call(leg, request.call_id)
        gear.keep(leg, lambda: self._send_all(leg))

    def _first_request(self, uri: str, to: str, flow: Flow, shown: Shown, sdp: bytes, trunk: str) -> Request:
        composer = self._gear.composer
        own = identity(self._gear.accounts.trunk(trunk)) if trunk else ""
        caller = parse_uri(own).user if own else shown.user
        lines = [
            ("Via", composer.via(flow.kind, composer.branch())), ("Max-Forwards", "70"),
            ("From", composer.from_line(shown, composer.tag(), own)), ("To", to), ("Call-ID", composer.call_id()),
            ("CSeq", "1 INVITE"), ("Contact", composer.contact(caller, flow.kind)), ("Allow", ALLOW),
            ("Supported", SUPPORTED), ("User-Agent", SOFTWARE), ("Content-Type", SDP_TYPE),
        ]  # fmt: skip
        if trunk:
            lines += session_timer.wanted(self._gear.config.session_expires_s)
        if shown.auto_answer:
            domain = self._gear.config.domain
            lines += [(name, value.format(domain=domain)) for name, value in AUTO_ANSWER[shown.auto_answer]]
            lines += [("Answer-Mode", "Auto")]  # RFC 5373 4
        return build_request("INVITE", uri, lines, sdp)

    def _nowhere(self, leg: Leg) -> None:
        if leg.phase is Phase.DIALLING:
            self._endings.over(leg)
            self._endings.tell(leg, 480, True, "not registered" if leg.user else "no address")

    def _send_all(self, leg: Leg) -> None:
        for fork in leg.forks:
            if not fork.sent and not fork.over and leg.alive:
                self._send(leg, fork)

    def _send(self, leg: Leg, fork: Fork, silent: bool = False) -> None:
        fork.sent = True
        self._gear.wire.ask(invite_of(fork), fork.flow, partial(self._outcome, leg, fork), silent)

    # ---- what comes back ----------------------------------------------------------------------------------------

    def _outcome(self, leg: Leg, fork: Fork, outcome: Outcome) -> None:
        if not isinstance(outcome, Response):
            self._failed(leg, fork, 408 if isinstance(outcome, TimedOut) else 503)
        elif outcome.status < 200:
            self._provisional(leg, fork, outcome)
        elif outcome.status < 300:
            self._accepted(leg, fork, outcome)
        elif outcome.status in (401, 407) and leg.trunk and leg.alive and not fork.challenged:
            self._challenged(leg, fork, outcome)
        elif outcome.status == 422 and leg.alive and fork.lengthened < MOST_LENGTHENED:
            self._lengthened(leg, fork, outcome)
        else:
            self._failed(leg, fork, outcome.status)

    def _provisional(self, leg: Leg, fork: Fork, response: Response) -> None:
        self._early.provisional(leg, fork, response)
        status = response.status
        first, fork.heard = not fork.heard, True
        if fork.cancel_wanted:
            self._cancel(leg, fork)
        rings = status in (180, 183) and leg.phase is Phase.DIALLING
        if rings:
            leg.move(Phase.ALERTING)
            leg.rang = True
        if first or rings:
            self._gear.keep(leg, lambda: None)
        if rings:
            self._gear.listener.rang(leg.id)

    def _challenged(self, leg: Leg, fork: Fork, challenge: Response) -> None:
        gear = self._gear
        access = gear.accounts.trunk(leg.trunk)
        again = access and authorized_again(gear.composer, invite_of(fork), challenge, access, fork.flow.kind)
        if not again:
            self._failed(leg, fork, challenge.status)
            return
        fork.invite, fork.challenged, fork.sent, fork.heard = again.to_bytes(), 1, False, False
        gear.keep(leg, lambda: self._send_all(leg))

    def _lengthened(self, leg: Leg, fork: Fork, refusal: Response) -> None:
        """422: once more with a session timer as long as it wants (RFC 4028 7.3); credentials are asked for anew."""
        gear, old, least = self._gear, invite_of(fork), session_timer.least_s(refusal)
        gone = ("Via", "CSeq", "Session-Expires", "Min-SE", "Authorization", "Proxy-Authorization")
        lines = [("Via", gear.composer.via(fork.flow.kind, gear.composer.branch())), ("CSeq", f"{old.cseq.number + 1} INVITE")]
        lines += [(header.raw_name, header.value) for header in old.without(*gone).headers]
        lines += [*session_timer.wanted(max(least, gear.config.session_expires_s)), ("Min-SE", str(least))]
        leg.least_s = least
        fork.invite = build_request("INVITE", old.uri, lines, old.body).to_bytes()
        fork.lengthened, fork.challenged, fork.sent, fork.heard = fork.lengthened + 1, 0, False, False
        gear.keep(leg, lambda: self._send_all(leg))

    def _accepted(self, leg: Leg, fork: Fork, response: Response) -> None:
        try:
            dialog, early = confirmed(fork, response)
        except SipError as error:  # without tag or Contact there is no dialog to end either
            self._failed(leg, fork, 502, error.reason)
            return
        flow = in_dialog(dialog, fork.flow)
        if leg.dialog is not None and leg.dialog.key == dialog.key:
            self._endings.acknowledge(dialog, flow)  # its 2xx again: our ACK was lost
            return
        if not leg.alive or leg.phase is Phase.UP:
            reason = ELSEWHERE if leg.phase is Phase.UP else reason_line(487, "cancelled")
            self._endings.discard(dialog, flow, reason)
            self._closed(leg, fork, 200)
            return
        try:
            remote = _agreed(leg, fork, response, early)
        except SipError as error:
            self._endings.discard(dialog, flow, reason_line(488, error.reason))
            self._failed(leg, fork, 488, error.reason)
            return
        fork.over, fork.status = True, response.status
        leg.dialog, leg.flow, leg.heard, leg.remote = dialog, flow, flow, remote
        leg.sdp = early.sdp if early is not None and early.sdp else leg.sdp
        note_allow(leg, response)
        self._gear.legs.index(leg)
        leg.move(Phase.UP)
        self._refresh.agreed(leg, session_timer.as_uac(response, self._gear.clock()))
        self._gear.keep(leg, lambda: self._confirm(leg, dialog, flow))
        self._cancel_forks(leg, "answered elsewhere")

    def _confirm(self, leg: Leg, dialog: Dialog, flow: Flow) -> None:
        self._endings.acknowledge(dialog, flow)
        if leg.phase is Phase.UP and leg.remote is not None:
            self._gear.listener.answered(leg.id, leg.remote)

    def _failed(self, leg: Leg, fork: Fork, status: int, reason: str = "") -> None:
        self._closed(leg, fork, status)
        if leg.phase not in (Phase.DIALLING, Phase.ALERTING) or not all(other.over for other in leg.forks):
            return
        best = best_status([other.status for other in leg.forks])
        self._endings.over(leg)
        self._endings.tell(leg, best, True, reason)

    def _closed(self, leg: Leg, fork: Fork, status: int) -> None:
        """A fork has its final answer. An ending leg is over with its last fork."""
        if not fork.over:
            fork.over, fork.status = True, status
        if leg.phase is Phase.ENDING and leg.dialog is None and all(other.over for other in leg.forks):
            self._endings.over(leg)
            self._endings.tell(leg, 487, False, leg.reason)

    # ---- ending -------------------------------------------------------------------------------------------------

    def end(self, leg: Leg, status: int, reason: str) -> None:
        """End it in whatever phase it is."""
        if leg.phase is Phase.UP:
            self._endings.hang_up(leg, status, reason)
        elif leg.phase in (Phase.DIALLING, Phase.ALERTING):
            leg.reason = reason
            leg.move(Phase.ENDING)
            self._endings.let_go_later(leg, 487, reason)
            self._force_later(leg)
            self._gear.keep(leg, lambda: self._cancel_forks(leg, reason))

    def _cancel_forks(self, leg: Leg, reason: str) -> None:
        for fork in leg.forks:
            if fork.over:
                continue
            fork.reason = reason
            if not fork.sent:
                self._closed(leg, fork, 487)
            elif fork.heard:
                self._cancel(leg, fork)
            else:
                fork.cancel_wanted = True
        if leg.phase is Phase.ENDING and not leg.forks:
            self._closed(leg, Fork(b"", Flow("udp", "", 0)), 487)

    def _cancel(self, leg: Leg, fork: Fork) -> None:
        if fork.cancelled or fork.over:
            return
        fork.cancelled = True
        cancel = build_cancel(invite_of(fork))
        lines = [(header.raw_name, header.value) for header in cancel.headers]
        request = build_request("CANCEL", cancel.uri, [*lines, ("Reason", reason_line(487, fork.reason))])
        self._gear.wire.ask(request, fork.flow, lambda outcome: None)

    def _force_later(self, leg: Leg) -> None:
        gear = self._gear
        gear.timers.set(("force", leg.id), gear.clock() + LINGER_NS, lambda now: self._force(leg))

    def _force(self, leg: Leg) -> None:
        for fork in leg.forks:
            self._closed(leg, fork, 408)

    # ---- late and restored --------------------------------------------------------------------------------------

    def late_success(self, leg: Leg, response: Response) -> None:
        """A 2xx whose transaction is gone."""
        for fork in leg.forks:
            if invite_of(fork).call_id == response.call_id:
                self._accepted(leg, fork, response)
                return

    def restore(self, leg: Leg) -> None:
        """Go on with a stored leg: open INVITEs listen; only those that nobody had answered at all go out again."""
        for fork in leg.forks:
            self._gear.name_call(leg, invite_of(fork).call_id)
        if leg.phase is Phase.OVER:
            return
        for fork in leg.forks:
            if not fork.over and (leg.alive or fork.sent):
                self._send(leg, fork, silent=fork.heard)
        if leg.phase is Phase.ENDING and leg.dialog is None:
            self._endings.let_go_later(leg, 487, leg.reason)
            self._force_later(leg)
            self._cancel_forks(leg, leg.reason)
        elif leg.phase is Phase.UP:
            self._cancel_forks(leg, "answered elsewhere")


def _agreed(leg: Leg, fork: Fork, response: Response, early: Early | None) -> RemoteMedia:
    """What the SDP of a 2xx means, or what an early one did, where it has none or UPDATE went on from there.

    A 2xx with other SDP than the provisional response before it is followed, though its SDP should mean nothing (RFC 3261
    13.2.1): servers that play announcements write so, and the sound is where they say it last. Raises `SipError` 488.
    """
    if early is not None and early.remote is not None and (early.sdp or not response.body):
        return early.remote
    try:
        return terms.take_answer(response.body, leg.codecs, fork.flow.host)
    except SipError:
        if early is not None and early.remote is not None:
            return early.remote
        raise
