"""Requests outside dialogs: limits, identity, then what was asked for. The order is the point of this file.

1 what nobody may ask (wrong domain, hops, loops) · 2 limits · 3 who it is: digest, certificate or trusted source · 4 the method.
Identity comes from From and the credentials alone; P-Asserted-Identity, Remote-Party-ID, Diversion and X- headers are not read.
An unknown user takes the way and the time of a wrong password.
"""

from collections.abc import Callable, Mapping

import structlog

from callserver.sip.composer import unsupported
from callserver.sip.flow import Flow
from callserver.sip.gear import Gear
from callserver.sip.inbound import Inbound
from callserver.sip.limits import Limits, Verdict
from callserver.sip.protocol import digest
from callserver.sip.protocol.message import Request, SipError
from callserver.sip.registrar import Registrar

log = structlog.get_logger(__name__)

RETRY_S = 5


class Reception:
    """See the module."""

    def __init__(self, gear: Gear, limits: Limits, inbound: Inbound, registrar: Registrar, prove: Callable[[Flow], None]) -> None:
        self._gear, self._limits, self._inbound, self._registrar, self._prove = gear, limits, inbound, registrar, prove
        config = gear.config
        names = {name.lower() for name in (config.domain, config.host, *config.also)}
        self._guard = digest.Guard(config.secret, config.domain, names)
        self._counts = digest.NonceCounts()
        self._methods: Mapping[str, Callable[[Request, Flow, str], None]] = {
            "INVITE": self._invite,
            "REGISTER": self._register,
            "OPTIONS": lambda request, flow, user: self._answer(request, flow, 200),
            "MESSAGE": lambda request, flow, user: self._answer(request, flow, 405),
            "PUBLISH": lambda request, flow, user: self._answer(request, flow, 405),
            "REFER": lambda request, flow, user: self._answer(request, flow, 603),
            "SUBSCRIBE": lambda request, flow, user: self._answer(request, flow, 489),
        }

    def request(self, request: Request, flow: Flow) -> None:
        """A request without To tag, neither ACK nor CANCEL."""
        user = request.from_.uri.user if request.from_.uri.is_sip else ""
        known = self._is_known(user, flow.host)
        press = request.method == "INVITE" and self._gear.accounts.is_help(request.uri.user)
        verdict = self._verdict(known, press, user, flow)
        if verdict is Verdict.DROP:
            log.debug("request_dropped", source=str(flow), method=request.method)
            return
        if verdict is Verdict.LATER:
            self._refuse(request, flow, 503, [("Retry-After", str(RETRY_S))])
            return
        refusal = self._out_of_place(request)
        if refusal:
            self._refuse(request, flow, refusal)
            return
        trunk = self._trunk_of(flow)
        if request.method == "OPTIONS" and trunk:
            self._answer(request, flow, 200)
        elif request.method == "INVITE" and trunk and not self._gear.accounts.role(user):
            log.warning("call_from_trunk_refused", trunk=trunk, caller=user, called=request.uri.user)
            self._refuse(request, flow, 403, reason="Calls from this trunk are not taken")
        elif self._identified(request, flow, user):
            self._serve(request, flow, user)

    def unknown(self, request: Request, flow: Flow) -> None:
        """A request for a dialog or transaction that we do not have: 481, while its source has tokens."""
        if self._limits.stranger(flow.host, self._gear.clock()) is Verdict.SERVE:
            self._refuse(request, flow, 481)

    def malformed(self, error: SipError, flow: Flow) -> None:
        """What could not be read costs its source a token; it is answered while there are some."""
        if self._limits.stranger(flow.host, self._gear.clock()) is Verdict.DROP:
            return
        log.debug("malformed", source=str(flow), reason=error.reason)
        if error.request is not None:
            self._refuse(error.request, flow, error.status, list(error.headers), error.reason)

    def _trunk_of(self, flow: Flow) -> str:
        """The trunk that a message comes from, by its address or the name that is this address; "" for everybody else."""
        accounts = self._gear.accounts
        names = (flow.host, *self._gear.addresses.names(flow.host))
        return next(filter(None, (accounts.trunk_source(name, flow.port) for name in names)), "")

    def _is_known(self, user: str, host: str) -> bool:
        return self._limits.known(host, user) or (bool(user) and self._gear.accounts.trusted(user, host))

    def _verdict(self, known: bool, press: bool, user: str, flow: Flow) -> Verdict:
        now = self._gear.clock()
        if not known:
            return self._limits.stranger(flow.host, now)
        return Verdict.SERVE if press else self._limits.acquaintance(flow.host, user, now)

    def _out_of_place(self, request: Request) -> int:
        """The status for what may not be asked here whoever asks, or 0."""
        if request.max_forwards == 0 and request.method != "REGISTER":
            return 483
        if not request.uri.is_sip:
            return 416
        if self._gear.wire.is_merged(request):
            return 482
        if not self._gear.composer.is_ours(request.uri.host, request.uri.port):
            return 404
        if request.method == "REGISTER" and not self._gear.composer.is_ours(request.to.uri.host, request.to.uri.port):
            return 404
        return 0

    # ---- identity -----------------------------------------------------------------------------------------------

    def _identified(self, request: Request, flow: Flow, user: str) -> bool:
        """Whether it is `user`; otherwise it has been answered."""
        gear, now = self._gear, self._gear.clock()
        claimed = request.to.uri.user if request.method == "REGISTER" else user
        if claimed != user:
            return self._failed(request, flow, user, "registers for another")
        if user and gear.accounts.role(user) and (gear.accounts.trusted(user, flow.host) or self._certified(user, flow)):
            self._limits.proven(flow.host, user, now)
            self._prove(flow)
            return True
        if self._limits.locked(flow.host, user, now) and not self._limits.known(flow.host, user):
            self._challenge(request, flow, user, False)
            return False
        account = gear.accounts.ha1(user)
        try:
            credentials = digest.pick_credentials(request.get_all("Authorization"), gear.config.domain)
        except SipError as error:
            self._refuse(request, flow, error.status, reason=error.reason)
            return False
        claim = digest.Claim(user, request.method, request.uri, flow.host)
        verdict = digest.verify(self._guard, claim, credentials, account, now, self._counts)
        if verdict.ok and gear.accounts.role(user):
            self._limits.proven(flow.host, user, now)
            self._prove(flow)
            return True
        self._unproven(request, flow, user, verdict)
        return False

    def _certified(self, user: str, flow: Flow) -> bool:
        """Whether the certificate that the device showed is this user's: alone or at our domain (RFC 5922 7.1)."""
        domain = self._gear.config.domain
        mine = {name.lower() for name in (user, f"{user}@{domain}", f"{user}.{domain}")}
        return not mine.isdisjoint(self._gear.wire.names(flow))

    def _unproven(self, request: Request, flow: Flow, user: str, verdict: digest.Verdict) -> None:
        if verdict.refusal is not digest.Refusal.NO_CREDENTIALS and not verdict.stale:
            self._limits.failed(flow.host, user, self._gear.clock())
            log.warning("digest_refused", user=user, source=str(flow), method=request.method, reason=verdict.refusal.value)
        self._challenge(request, flow, user, verdict.stale)

    def _challenge(self, request: Request, flow: Flow, user: str, stale: bool) -> None:
        algorithm = self._gear.accounts.ha1(user)[0] or digest.unknown_account(self._guard.secret, user)[0]
        challenge = self._guard.challenge(algorithm, flow.host, self._gear.clock(), stale)
        self._refuse(request, flow, 401, [("WWW-Authenticate", str(challenge))])

    def _failed(self, request: Request, flow: Flow, user: str, why: str) -> bool:
        self._limits.failed(flow.host, user, self._gear.clock())
        log.warning("identity_refused", user=user, source=str(flow), method=request.method, reason=why)
        self._refuse(request, flow, 403)
        return False

    # ---- the methods --------------------------------------------------------------------------------------------

    def _serve(self, request: Request, flow: Flow, user: str) -> None:
        missing = unsupported(request)
        if missing:
            self._answer(request, flow, 420, [("Unsupported", ", ".join(missing))])
            return
        serve = self._methods.get(request.method)
        if serve is not None:
            serve(request, flow, user)
        else:
            in_dialog_only = request.method in ("BYE", "UPDATE", "INFO", "PRACK", "NOTIFY")
            self._answer(request, flow, 481 if in_dialog_only else 501)

    def _invite(self, request: Request, flow: Flow, user: str) -> None:
        gear, called = self._gear, request.uri.user
        role = gear.accounts.role(user)
        is_press = role == "point" and gear.accounts.is_help(called)
        is_code = role == "operator" and called.startswith("*")
        if not is_press and not is_code:
            log.warning("call_refused", user=user, called=called)
            self._answer(request, flow, 403)
            return
        if not self._limits.invite_allowed(gear.legs.pending(user), is_press):
            log.error("too_many_pending", user=user)
            self._answer(request, flow, 503, [("Retry-After", str(RETRY_S))])
            return
        served = gear.wire.serve(request, flow)
        try:
            self._inbound.invited(served, user, called if is_code else "")
        except SipError as error:
            log.error("press_refused", user=user, status=error.status, reason=error.reason)
            gear.wire.respond(served, gear.composer.answer(request, error.status, error.reason, headers=error.headers))

    def _register(self, request: Request, flow: Flow, user: str) -> None:
        self._registrar.register(self._gear.wire.serve(request, flow), user)

    def _answer(self, request: Request, flow: Flow, status: int, headers: list[tuple[str, str]] | None = None) -> None:
        served = self._gear.wire.serve(request, flow)
        self._gear.wire.respond(served, self._gear.composer.answer(request, status, headers=headers or []))

    def _refuse(
        self, request: Request, flow: Flow, status: int, headers: list[tuple[str, str]] | None = None, reason: str = ""
    ) -> None:
        """Without a transaction: the source has proven nothing yet."""
        self._gear.wire.reply(self._gear.composer.answer(request, status, reason, headers=headers or []), flow)
