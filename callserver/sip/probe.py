"""OPTIONS to who should be there: users with a binding every 30 s (with jitter, lest they come in step), trunks by plan.

Any answer proves that the other side lives. A probe fails after 4 s; the second goes out at once, and when that fails
too the user is told as unreachable: a dead device is known within 50 s. Only changes are told. A trunk's connection is the way
of its probe, so it is kept alive by it, and one that ends is probed at once; one that carries no answer is given up, so that
the next probe makes another.
"""

import structlog

from callserver.sip.flow import Flow
from callserver.sip.gear import MS, Gear
from callserver.sip.protocol.message import Response
from callserver.sip.registrar import Registrar
from callserver.sip.trunks import PROBE, TrunkCondition, trunk_flow, trunk_uri
from callserver.sip.wire import Outcome

log = structlog.get_logger(__name__)

PATIENCE_NS = 4_000 * MS
FAILURES = 2
LEAST_DOUBT_NS = 10_000 * MS


class Probe:
    """See the module."""

    def __init__(self, gear: Gear, condition: TrunkCondition) -> None:
        self._gear, self._condition = gear, condition
        self._registrar: Registrar | None = None
        self._reachable: dict[str, bool] = {}
        self._failures: dict[str, int] = {}
        self._rounds: dict[str, int] = {}  # the number of the probe that counts; answers to older ones come too late
        self._trunks: set[str] = set()
        self._flows: dict[str, Flow] = {}  # a trunk's, as probed last
        self._doubted_ns: dict[str, int] = {}

    def start(self, registrar: Registrar) -> None:
        """Begin with who is bound already, and the trunks. Whose connection ended with our predecessor is asked at once."""
        self._registrar = registrar
        for user in registrar.users():
            self.watch(user, registrar.of(user)[-1].contact)
            if not any(self._gear.wire.reaches(flow) for _, flow in registrar.places(user)):
                self.doubt(user)
        for trunk in self._gear.accounts.trunks():
            self._trunks.add(trunk)
            self._later(trunk, 0)

    def renew_trunks(self) -> None:
        """Other trunks may be there now: all that are are asked at once, those that are not are forgotten."""
        trunks = set(self._gear.accounts.trunks())
        for gone in self._trunks - trunks:
            self.forget(gone)
            self._condition.forget(gone)
        self._trunks = trunks
        for trunk in trunks:
            self._failures[trunk] = 0
            self._condition.anew(trunk)
            self._later(trunk, 0)

    def reachable(self, user: str) -> bool:
        """Whether a user with a binding answered when asked last; True before the first answer."""
        return self._reachable.get(user, True)

    def watch(self, user: str, contact: str) -> None:
        """Somebody has registered: that is an answer too."""
        self._failures[user] = 0
        self._reachable.setdefault(user, True)
        self._told(user, True, contact)
        self._later(user, self._pause_ns(user))

    def forget(self, user: str) -> None:
        """No binding is left."""
        for known in (self._failures, self._reachable, self._rounds, self._flows, self._doubted_ns):
            known.pop(user, None)
        for key in ("probe", "probe_patience"):
            self._gear.timers.clear((key, user))

    def doubt(self, user: str) -> None:
        """Ask now."""
        self._later(user, 0)

    def disconnected(self, flow: Flow) -> None:
        """A connection has ended: a trunk that was probed by it is asked at once, but not each time that it ends each one."""
        now = self._gear.clock()
        for trunk, known in self._flows.items():
            rested = now - self._doubted_ns.get(trunk, 0) >= LEAST_DOUBT_NS
            if known.far == flow.far and self._failures.get(trunk, 0) == 0 and rested:
                self._doubted_ns[trunk] = now
                self.doubt(trunk)

    def _pause_ns(self, name: str) -> int:
        access = self._gear.accounts.trunk(name) if name in self._trunks else None
        pause_ms = access.probe_ms if access is not None else self._gear.config.probe_ms
        return (pause_ms * 3 // 4 + self._gear.composer.number(max(1, pause_ms // 2))) * MS

    def _later(self, name: str, pause_ns: int) -> None:
        self._gear.timers.set(("probe", name), self._gear.clock() + pause_ns, lambda now: self._probe(name))

    def _probe(self, name: str) -> None:
        if name in self._trunks:
            self._probe_trunk(name)
            return
        places = self._registrar.places(name) if self._registrar is not None else []
        if not places:
            self.forget(name)
            return
        self._ask(name, self._next_round(name), *places[-1])

    def _probe_trunk(self, name: str) -> None:
        access = self._gear.accounts.trunk(name)
        if access is None or not access.probe_ms:
            self.forget(name)
            return
        number = self._next_round(name)

        def found(address: str) -> None:
            if number != self._rounds.get(name):
                return
            if not address:
                self._missed(name, number, f"the name {access.host} cannot be resolved")
                return
            self._flows[name] = trunk_flow(access, address)
            self._ask(name, number, trunk_uri(access), self._flows[name])

        self._gear.addresses.then(access.host, found)

    def _next_round(self, name: str) -> int:
        self._rounds[name] = self._rounds.get(name, 0) + 1
        return self._rounds[name]

    def _ask(self, name: str, number: int, uri: str, flow: Flow) -> None:
        gear = self._gear
        patience = gear.clock() + PATIENCE_NS
        gear.timers.set(("probe_patience", name), patience, lambda now: self._missed(name, number, "no answer"))
        request = gear.composer.stand_alone("OPTIONS", uri, flow)
        gear.wire.ask(request, flow, lambda outcome: self._heard(name, number, outcome, uri))

    def _heard(self, name: str, number: int, outcome: Outcome, contact: str) -> None:
        if number != self._rounds.get(name):
            return
        if not isinstance(outcome, Response) or (name in self._trunks and outcome.status in (408, 503)):
            self._missed(name, number, self._trouble(name) or "not reachable")
            return
        if outcome.status < 200:
            return
        self._gear.timers.clear(("probe_patience", name))
        self._failures[name] = 0
        self._told(name, True, contact)
        self._later(name, self._pause_ns(name))

    def _missed(self, name: str, number: int, why: str) -> None:
        if number != self._rounds.get(name):
            return
        self._rounds[name] = number + 1
        self._gear.timers.clear(("probe_patience", name))
        self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures[name] < FAILURES:
            self._later(name, 0)
            return
        why = self._trouble(name) or why
        if name in self._flows:
            self._gear.wire.close(self._flows[name], "nothing comes back")
        self._told(name, False, why)
        self._later(name, self._pause_ns(name))

    def _trouble(self, name: str) -> str:
        return self._gear.wire.trouble(self._flows[name]) if name in self._flows else ""

    def _told(self, name: str, reachable: bool, why: str) -> None:
        if name in self._trunks:
            self._condition.say(name, PROBE, reachable, why)
            return
        if self._reachable.get(name) is reachable:
            return
        self._reachable[name] = reachable
        log.info("probed", name=name, reachable=reachable, reason=why)
        self._gear.listener.probed(name, reachable, why)
