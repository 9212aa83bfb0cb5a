"""We register with trunks that want it (RFC 3261 10.2): the other way round from sip.registrar.

A registration is refreshed at half of what was granted. One that fails is tried again after a pause that doubles from 5 s to
2 minutes, with some chance in it, lest many begin together (after RFC 5626 4.5, which waits longer than police may); at once when
the trunk answers its probe again or its connection was lost. A restart registers anew; what a plan has no more is withdrawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog

from callserver.sip.flow import Flow
from callserver.sip.gear import MS, Gear
from callserver.sip.interface import TrunkAccess
from callserver.sip.protocol.message import Request, Response, SipError, build_request
from callserver.sip.protocol.uri import same_uri
from callserver.sip.trunks import REGISTRATION, TrunkCondition, authorized_again, identity, trunk_flow, trunk_uri
from callserver.sip.wire import Outcome

log = structlog.get_logger(__name__)

EXPIRES_S = 600
LONGEST_S = 86_400
PATIENCE_NS = 10_000 * MS
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 5_000, 120_000
LEAST_PAUSE_NS = 5_000 * MS  # between two attempts, whatever hurries
LEAST_FLOW_NS = 30_000 * MS  # the same where a connection ended: there are carriers that close each one after its answer
REDIRECTED = "asks to register elsewhere"


@dataclass(eq=False, slots=True)
class _Registration:
    """One trunk's. `round` is that of the attempt that counts; answers to older ones come too late."""

    access: TrunkAccess
    call_id: str
    tag: str
    cseq: int = 0
    expires_s: int = EXPIRES_S
    failures: int = 0
    round: int = 0
    asked_ns: int = 0
    due_ns: int = 0
    until_ns: int = 0  # as it was granted last
    flow: Flow | None = None
    cut: bool = False  # the connection that it was made over has ended since


class Registrations:
    """See the module. What comes of them is said to `condition`."""

    def __init__(self, gear: Gear, condition: TrunkCondition) -> None:
        self._gear, self._condition = gear, condition
        self._all: dict[str, _Registration] = {}
        condition.on_back = self.hurry

    def renew(self) -> None:
        """Begin with the trunks that there are now, withdraw from those that are gone or are elsewhere."""
        wanted = self._wanted()
        for trunk, known in list(self._all.items()):
            if trunk not in wanted or _place(wanted[trunk]) != _place(known.access):
                self._withdraw(self._all.pop(trunk))
        for trunk, access in wanted.items():
            if trunk not in self._all:
                composer = self._gear.composer
                self._all[trunk] = _Registration(access, composer.call_id(), composer.tag())
                self._later(trunk, 0)

    def _wanted(self) -> Mapping[str, TrunkAccess]:
        found = (self._gear.accounts.trunk(trunk) for trunk in self._gear.accounts.trunks())
        return {access.id: access for access in found if access is not None and access.register}

    def hurry(self, trunk: str) -> None:
        """There is reason to try now: it answers its probe again."""
        known = self._all.get(trunk)
        if known is not None and (known.failures or known.cut):
            self._soon(trunk, known, LEAST_PAUSE_NS)

    def disconnected(self, flow: Flow) -> None:
        """What was registered over this connection can be called by it no more."""
        for trunk, known in self._all.items():
            if known.flow is not None and flow.stream and known.flow.far == flow.far and not known.failures:
                known.cut = True
                self._soon(trunk, known, LEAST_FLOW_NS)

    def _soon(self, trunk: str, known: _Registration, least_ns: int) -> None:
        now = self._gear.clock()
        self._later(trunk, min(max(0, known.asked_ns + least_ns - now), max(0, known.due_ns - now)))

    def _later(self, trunk: str, pause_ns: int) -> None:
        gear = self._gear
        if trunk in self._all:
            self._all[trunk].due_ns = gear.clock() + pause_ns
        gear.timers.set(("register", trunk), gear.clock() + pause_ns, lambda now: self._begin(trunk))

    # ---- one attempt --------------------------------------------------------------------------------------------

    def _begin(self, trunk: str) -> None:
        known = self._all.get(trunk)
        if known is None:
            return
        gear = self._gear
        known.access = gear.accounts.trunk(trunk) or known.access  # its secret may be another
        known.round += 1
        known.asked_ns = gear.clock()
        attempt = known.round
        due = gear.clock() + PATIENCE_NS
        gear.timers.set(("register_patience", trunk), due, lambda now: self._failed(known, attempt, "it does not answer"))
        gear.addresses.then(known.access.host, lambda address: self._resolved(known, attempt, address))

    def _resolved(self, known: _Registration, attempt: int, address: str) -> None:
        if not self._counts(known, attempt):
            return
        if not address:
            self._failed(known, attempt, f"the name {known.access.host} cannot be resolved")
            return
        known.flow = trunk_flow(known.access, address)
        self._ask(known, attempt, self._request(known, known.flow, known.expires_s), known.flow, 0)

    def _request(self, known: _Registration, flow: Flow, expires_s: int) -> Request:
        composer, access = self._gear.composer, known.access
        known.cseq += 1
        own = identity(replace(access, register=True))
        return build_request("REGISTER", trunk_uri(access), [
            ("Via", composer.via(flow.kind, composer.branch())), ("Max-Forwards", "70"), ("From", f"<{own}>;tag={known.tag}"),
            ("To", f"<{own}>"), ("Call-ID", known.call_id), ("CSeq", f"{known.cseq} REGISTER"),
            ("Contact", composer.contact(access.user, flow.kind)), ("Expires", str(expires_s)), ("User-Agent", "callserver"),
        ])  # fmt: skip

    def _ask(self, known: _Registration, attempt: int, request: Request, flow: Flow, proofs: int) -> None:
        self._gear.wire.ask(request, flow, partial(self._heard, known, attempt, request, flow, proofs))

    def _heard(self, known: _Registration, attempt: int, request: Request, flow: Flow, proofs: int, outcome: Outcome) -> None:
        if not self._counts(known, attempt):
            return
        if not isinstance(outcome, Response):
            self._failed(known, attempt, self._gear.wire.trouble(flow) or "it does not answer")
        elif outcome.status in (401, 407):
            self._challenged(known, attempt, request, flow, proofs, outcome)
        elif outcome.status == 423:
            self._too_brief(known, attempt, flow, outcome)
        elif 200 <= outcome.status < 300:
            self._done(known, request, outcome)
        elif outcome.status >= 300:
            why = REDIRECTED if outcome.status < 400 else f"refused, {outcome.status} {outcome.reason}"
            self._failed(known, attempt, why, _retry_after_ms(outcome), refused=True)

    def _challenged(
        self, known: _Registration, attempt: int, request: Request, flow: Flow, proofs: int, challenge: Response
    ) -> None:
        """Answered once, and once more: the nonce may have grown old in between (`stale`)."""
        stale = any("stale=true" in value.lower() for value in challenge.get_all("WWW-Authenticate"))
        if proofs and not (stale and proofs == 1):
            self._failed(known, attempt, "user or password are refused", refused=True)
            return
        again = authorized_again(self._gear.composer, request, challenge, known.access, flow.kind)
        if again is None:
            self._failed(known, attempt, "it asks for a proof that is not to be had here", refused=True)
            return
        known.cseq = again.cseq.number
        self._ask(known, attempt, again, flow, proofs + 1)

    def _too_brief(self, known: _Registration, attempt: int, flow: Flow, refusal: Response) -> None:
        """423: once more with the least time that is granted (RFC 3261 10.2.8)."""
        least = _number(refusal.get("Min-Expires"))
        if not known.expires_s < least <= LONGEST_S:
            self._failed(known, attempt, "no time is long enough for it", refused=True)
            return
        known.expires_s = least
        self._ask(known, attempt, self._request(known, flow, least), flow, 0)

    def _counts(self, known: _Registration, attempt: int) -> bool:
        return self._all.get(known.access.id) is known and known.round == attempt

    # ---- what comes of it ---------------------------------------------------------------------------------------

    def _done(self, known: _Registration, request: Request, answer: Response) -> None:
        trunk = known.access.id
        self._gear.timers.clear(("register_patience", trunk))
        granted_s = _granted_s(request, answer)
        known.round += 1
        known.failures, known.cut = 0, False
        known.until_ns = self._gear.clock() + granted_s * 1_000 * MS
        log.info("registered_at_trunk", trunk=trunk, expires_s=granted_s)
        self._later(trunk, max(LEAST_PAUSE_NS, granted_s * 500 * MS))
        self._condition.say(trunk, REGISTRATION, True, "registered")

    def _failed(self, known: _Registration, attempt: int, why: str, at_least_ms: int = 0, refused: bool = False) -> None:
        """A refusal counts at once; a refresh that was lost on its way does not, while what was granted lasts."""
        if not self._counts(known, attempt):
            return
        trunk, gear = known.access.id, self._gear
        gear.timers.clear(("register_patience", trunk))
        known.round += 1
        longest_ms = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** min(known.failures, 10))
        known.failures += 1
        pause_ms = max(longest_ms // 2 + gear.composer.number(longest_ms // 2), min(at_least_ms, LONGEST_PAUSE_MS))
        log.warning("not_registered_at_trunk", trunk=trunk, reason=why, again_ms=pause_ms)
        self._later(trunk, pause_ms * MS)
        if refused or known.failures > 1 or gear.clock() >= known.until_ns:
            self._condition.say(trunk, REGISTRATION, False, f"not registered: {why}")

    def _withdraw(self, known: _Registration) -> None:
        """Expires 0 (RFC 3261 10.2.2); what is not answered runs out by itself."""
        gear, trunk = self._gear, known.access.id
        for key in ("register", "register_patience"):
            gear.timers.clear((key, trunk))
        if known.flow is None:
            return
        flow, request = known.flow, self._request(known, known.flow, 0)

        def heard(outcome: Outcome) -> None:
            if isinstance(outcome, Response) and outcome.status in (401, 407):
                again = authorized_again(gear.composer, request, outcome, known.access, flow.kind)
                if again is not None:
                    gear.wire.ask(again, flow, lambda outcome: None)

        log.info("withdrawn_from_trunk", trunk=trunk)
        gear.wire.ask(request, flow, heard)


def _place(access: TrunkAccess) -> tuple[str, int, str, str, str]:
    """What makes a registration another one."""
    return access.host, access.port, access.transport, access.user, access.ca


def _granted_s(request: Request, answer: Response) -> int:
    """How long we are registered: as our own Contact says, else Expires, else as we asked (RFC 3261 10.2.4)."""
    ours = request.contacts[0].uri
    try:
        said = next((contact.params.get("expires") for contact in answer.contacts if same_uri(contact.uri, ours)), None)
    except SipError:  # somebody else's Contact that is none; the registration stands all the same
        said = None
    return _number(said) or _number(answer.get("Expires")) or request.expires or EXPIRES_S


def _retry_after_ms(refusal: Response) -> int:
    return _number((refusal.get("Retry-After") or "").split(";")[0].split("(")[0].strip()) * 1_000


def _number(text: str | None) -> int:
    """Digits as a number, anything else as 0; what is longer than a day is a day."""
    if not text or not text.isascii() or not text.isdigit() or len(text) > 10:
        return 0
    return min(int(text), LONGEST_S)
