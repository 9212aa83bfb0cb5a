"""The edge: a back-to-back user agent with outer dialogs only. This file connects its parts and is what the runtime holds.

    transport -> wire (transactions) -> reception (who may) -> registrar, inbound, in_dialog
    orders    -> inbound, outbound -> endings;   everything stored goes through the outbox, everything timed through the timers

Orders return at once; what they change is stored before it goes to the wire, and what comes of it is told to the listener.
"""

import secrets
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import structlog

from callserver.sip.composer import Composer, Random
from callserver.sip.doubt import Doubt
from callserver.sip.early import EarlyDialogs
from callserver.sip.endings import Endings
from callserver.sip.flow import Flow
from callserver.sip.gear import MS, Gear
from callserver.sip.in_dialog import InDialog
from callserver.sip.inbound import Inbound
from callserver.sip.interface import (
    Accounts,
    Connections,
    LegRecord,
    Listener,
    LocalMedia,
    RemoteMedia,
    Shown,
    Storage,
    Target,
)  # fmt: skip
from callserver.sip.keypad import Keypad
from callserver.sip.leg import Leg, Phase, decode_leg
from callserver.sip.limits import Limits
from callserver.sip.outbound import Outbound
from callserver.sip.outbox import Outbox
from callserver.sip.probe import Probe
from callserver.sip.protocol.dialog import response_key
from callserver.sip.protocol.message import Request, Response, SipError
from callserver.sip.reception import Reception
from callserver.sip.refresh import Refresh
from callserver.sip.registrar import Registrar
from callserver.sip.registration import Registrations
from callserver.sip.settings import EdgeConfig
from callserver.sip.timers import Timers
from callserver.sip.trace import Trace, Traced
from callserver.sip.transport import Transport
from callserver.sip.trunks import TrunkCondition
from callserver.sip.wire import Served, Wire

__all__ = ["Edge", "EdgeConfig"]

log = structlog.get_logger(__name__)

ANNOUNCE_AGAIN_NS = 500 * MS


class Edge:
    """See the module. Made and used on the event loop's thread."""

    def __init__(
        self,
        config: EdgeConfig,
        accounts: Accounts,
        storage: Storage,
        listener: Listener,
        connections: Connections,
        clock: Callable[[], int],
        random: Random = cast(Random, secrets),
    ) -> None:
        timers, trace = Timers(clock), Trace()
        wire = Wire(self, trace, clock, timers)
        composer = Composer(config, random)
        self._gear = Gear(config, composer, wire, Outbox(storage), timers, clock, trace, listener, accounts, storage)
        self._limits = Limits(config.limits)
        first_number = 1 + random.randbelow(2**40)
        self._transport = Transport(wire.incoming, connections, clock, timers, first_number, self._limits)
        wire.attach(self._transport)
        self._endings = Endings(self._gear)
        self._condition = TrunkCondition(accounts, self._trunk_told)
        self._registrations = Registrations(self._gear, self._condition)
        self._probe = Probe(self._gear, self._condition)
        self._registrar = Registrar(self._gear, self._probe)
        self._refresh = Refresh(self._gear, self._endings)
        self._inbound = Inbound(self._gear, self._endings, self._refresh)
        early = EarlyDialogs(self._gear)
        self._outbound = Outbound(self._gear, self._endings, self._refresh, early, self._registrar.places)
        self._doubt = Doubt(self._gear, self._endings)
        self._in_dialog = InDialog(self._gear, self._endings, self._inbound, self._refresh, early)
        self._reception = Reception(self._gear, self._limits, self._inbound, self._registrar, self._transport.prove)
        self._keypad = Keypad(self._gear)
        self._restored: list[Leg] = []

    # ---- life ---------------------------------------------------------------------------------------------------

    def restore(self, legs: Iterable[LegRecord], bindings: Mapping[str, bytes]) -> None:
        """What was stored before a restart. Before `start`."""
        for record in legs:
            try:
                leg = decode_leg(record)
            except ValueError as error:
                log.error("leg_unreadable", leg=record.leg, error=str(error))
                continue
            self._gear.legs.add(leg)
            self._gear.legs.index(leg)
            self._restored.append(leg)
        self._registrar.restore(bindings)

    async def start(
        self, udp: socket.socket, tcp: socket.socket, kept: Mapping[int, socket.socket], tls: socket.socket | None = None
    ) -> None:
        """Serve these listening sockets, and the connections that were kept while nobody was here; `tls` once it is secure."""
        gear = self._gear
        ports = [sock.getsockname()[1] if sock is not None else 0 for sock in (udp, tcp, tls)]
        gear.composer.listening(*ports)
        self._transport.start(udp, tcp, kept, tls)
        for user in self._registrar.users():
            for binding in self._registrar.of(user):
                self._limits.proven(binding.source.host, user, gear.clock())
        for leg in self._restored:
            self._resume(leg)
        self._restored.clear()
        self._registrar.start()
        self._probe.start(self._registrar)
        self._registrations.renew()

    def secure(self, secure: ssl.SSLContext) -> None:
        """The certificate for TLS, for the first time or a renewed one."""
        self._transport.secure(secure)

    def _resume(self, leg: Leg) -> None:
        gear = self._gear
        leg.over_ns = min(leg.over_ns, gear.clock())  # the host may have started anew
        if leg.phase is Phase.OVER:
            self._endings.linger(leg)
        if leg.inbound:
            self._inbound.restore(leg)
        else:
            self._outbound.restore(leg)
        if leg.phase is Phase.UP:
            self._refresh.restore(leg)
        elif leg.phase is Phase.ENDING and leg.dialog is not None:
            self._endings.hang_up(leg, 200, leg.reason)
        elif leg.phase is Phase.PRESSED:
            at = gear.clock() + ANNOUNCE_AGAIN_NS
            gear.timers.set(("unadopted", leg.id), at, lambda now: self._inbound.announce_again(leg))

    async def stop(self) -> None:
        """Store what is to be stored, then let go of the sockets. Dialogs go on in the next process."""
        await self._gear.outbox.settled()
        await self._registrar.settled()
        self._gear.timers.stop()
        self._gear.addresses.stop()
        self._transport.stop()

    def plan_changed(self, is_new: Callable[[str], bool]) -> None:
        """Accounts and trunks are others now: which new users are there is told, trunks are asked anew. Dialogs go on."""
        for user in filter(is_new, self._registrar.users()):
            bound = self._registrar.of(user)
            if bound and self._probe.reachable(user):
                self._gear.listener.bound(user, bound[-1].contact)
        self._probe.renew_trunks()
        self._registrations.renew()

    def accounts_changed(self) -> None:
        """Passwords are others: registrations that were refused are tried again."""
        for trunk in self._gear.accounts.trunks():
            self._registrations.hurry(trunk)

    def _trunk_told(self, trunk: str, reachable: bool, why: str) -> None:
        self._gear.listener.probed(trunk, reachable, why)

    def run_timers(self) -> None:
        """Perform what is due by the clock (which a test may have moved)."""
        self._gear.timers.run()

    # ---- orders -------------------------------------------------------------------------------------------------

    def adopt(self, dialog: str, leg: str) -> bool:
        """The inbound dialog is this leg: 180 Ringing. False when there is no such dialog (any more)."""
        return self._inbound.adopt(dialog, leg)

    def refuse(self, dialog: str, status: int, reason: str) -> None:
        """A final failure for an inbound dialog that becomes no leg."""
        leg = self._gear.legs.get(dialog)
        if leg is not None and leg.inbound:
            self._inbound.refuse(leg, status, reason)

    def progress(self, leg: str, local: LocalMedia) -> RemoteMedia | None:
        """183 with our answer (early media). None for a late offer: then our offer goes into the 200."""
        return self._inbound.progress(self._leg(leg, inbound=True), local)

    def answer(self, leg: str, local: LocalMedia | None = None) -> RemoteMedia | None:
        """200 with the SDP of the 183, or with a first one for `local`; repeated until the ACK. Harmless when repeated."""
        return self._inbound.answer(self._leg(leg, inbound=True), local)

    def dial(self, leg: str, target: Target, shown: Shown, local: LocalMedia, codecs: Sequence[str]) -> None:
        """INVITE to all that the target means; `rang`, `answered` or `ended` follow. Repeating it is harmless."""
        if self._gear.legs.get(leg) is None:
            self._outbound.dial(leg, target, shown, local, codecs)

    def end(self, leg: str, status: int, reason: str) -> None:
        """End a leg in whatever phase it is. One `ended` follows, within 4 s."""
        found = self._gear.legs.get(leg)
        if found is None or not found.alive:
            return
        if found.inbound:
            self._inbound.end(found, status, reason)
        else:
            self._outbound.end(found, status, reason)

    def doubt(self, leg: str) -> None:
        """The leg is silent: ask its device whether it is there. `ended` with status 408 or 481 follows if it is not."""
        found = self._gear.legs.get(leg)
        if found is not None:
            self._doubt.ask(found)

    def renew_media(self, leg: str) -> None:
        """Sound with the leg's device goes one way only: ask it for its media anew. `changed` follows where they are others."""
        found = self._gear.legs.get(leg)
        if found is not None:
            self._refresh.renew(found)

    def send_digits(self, leg: str, digits: str, length_ms: int, gap_ms: int, told: Callable[[str], None]) -> None:
        """Send keys by INFO; `told` gets "" when all were taken, else why not. Not repeated after a restart."""
        found = self._gear.legs.get(leg)
        if found is None or not found.alive:
            told("the device's call is not there, or is ending")
        else:
            self._keypad.send(found, digits, length_ms, gap_ms, told)

    def _leg(self, name: str, inbound: bool) -> Leg:
        leg = self._gear.legs.get(name)
        if leg is None or leg.inbound is not inbound:
            raise KeyError(f"there is no such leg: {name}")
        return leg

    # ---- questions ----------------------------------------------------------------------------------------------

    def live_legs(self) -> set[str]:
        """Legs whose end was not told yet."""
        unadopted = Phase.PRESSED
        return {leg.id for leg in self._gear.legs.all() if not leg.told and leg.phase not in (unadopted, Phase.OVER)}

    def bindings_of(self, user: str) -> list[str]:
        """The contacts that a user is registered with now."""
        return [binding.contact for binding in self._registrar.of(user)]

    def last_contact(self, user: str) -> str:
        """A URI for the address from which a user last called, or ""."""
        return self._inbound.last_contact.get(user, "")

    def trace(self, leg: str) -> list[Traced]:
        """The leg's last messages without credentials, oldest first."""
        return self._gear.trace.of(leg)

    def traced(self) -> list[str]:
        """The legs that `trace` knows, ended ones too, oldest first."""
        return self._gear.trace.legs()

    # ---- wire.Above ---------------------------------------------------------------------------------------------

    def request(self, request: Request, flow: Flow) -> None:
        """See wire.Above."""
        if request.to.tag is None:
            self._reception.request(request, flow)
            return
        leg = self._in_dialog.find(request)
        if leg is None:
            self._reception.unknown(request, flow)
            return
        self._transport.prove(flow)
        self._in_dialog.request(leg, self._gear.wire.serve(request, flow))

    def acknowledged(self, request: Request, flow: Flow) -> None:
        """See wire.Above."""
        self._in_dialog.acknowledged(request, flow)

    def cancelled(self, cancel: Request, flow: Flow, invite: Served | None) -> None:
        """See wire.Above. CANCEL cannot be challenged (RFC 3261 22.1); it must come from where its INVITE came from."""
        gear = self._gear
        if invite is None or invite.flow.host != flow.host:
            self._reception.unknown(cancel, flow)
            return
        gear.wire.respond(gear.wire.serve(cancel, flow), gear.composer.answer(cancel, 200))
        self._inbound.cancelled(invite)

    def late_success(self, response: Response, flow: Flow) -> None:
        """See wire.Above."""
        leg = self._gear.legs.of_dialog(response_key(response))
        if leg is not None and leg.dialog is not None and leg.dialog.invite_cseq == response.cseq.number:
            self._refresh.acknowledge(leg, response)
            return
        leg = self._gear.legs.of_call(response.call_id)
        if leg is not None:
            self._outbound.late_success(leg, response)

    def malformed(self, error: SipError, flow: Flow) -> None:
        """See wire.Above."""
        self._reception.malformed(error, flow)

    def disconnected(self, flow: Flow) -> None:
        """See wire.Above."""
        self._registrar.disconnected(flow)
        self._probe.disconnected(flow)
        self._registrations.disconnected(flow)
