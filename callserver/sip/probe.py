"""OPTIONS to who should be there: users with a binding every 30 s (with jitter, lest they come in step), trunks by plan.

Any answer proves that the other side lives. A probe fails after 4 s; the second goes out at once, and when that fails
too the user is told as unreachable: a dead device is known within 50 s. Only changes are told.
"""

import structlog

from callserver.sip.gear import MS, Gear
from callserver.sip.interface import TrunkAccess
from callserver.sip.protocol.message import Response, parse_uri
from callserver.sip.registrar import Registrar
from callserver.sip.routes import flow_of
from callserver.sip.transport import Flow
from callserver.sip.wire import Outcome

log = structlog.get_logger(__name__)

PATIENCE_NS = 4_000 * MS
FAILURES = 2


class Probe:
    """See the module."""

    def __init__(self, gear: Gear) -> None:
        self._gear = gear
        self._registrar: Registrar | None = None
        self._reachable: dict[str, bool] = {}
        self._failures: dict[str, int] = {}
        self._rounds: dict[str, int] = {}  # the number of the probe that counts; answers to older ones come too late
        self._trunks: set[str] = set()

    def start(self, registrar: Registrar) -> None:
        """Begin with who is bound already, and the trunks."""
        self._registrar = registrar
        for user in registrar.users():
            self.watch(user, registrar.of(user)[-1].contact)
        for trunk in self._gear.accounts.trunks():
            self._trunks.add(trunk)
            self._later(trunk, 0)

    def renew_trunks(self) -> None:
        """Other trunks may be there now: all that are are asked at once, those that are not are forgotten."""
        trunks = set(self._gear.accounts.trunks())
        for gone in self._trunks - trunks:
            self.forget(gone)
        self._trunks = trunks
        for trunk in trunks:
            self._failures[trunk] = 0
            self._reachable.pop(trunk, None)
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
        for known in (self._failures, self._reachable, self._rounds):
            known.pop(user, None)
        for key in ("probe", "probe_patience"):
            self._gear.timers.clear((key, user))

    def doubt(self, user: str) -> None:
        """Ask now."""
        self._later(user, 0)

    def _pause_ns(self, name: str) -> int:
        access = self._gear.accounts.trunk(name) if name in self._trunks else None
        pause_ms = access.probe_ms if access is not None else self._gear.config.probe_ms
        return (pause_ms * 3 // 4 + self._gear.composer.number(max(1, pause_ms // 2))) * MS

    def _later(self, name: str, pause_ns: int) -> None:
        self._gear.timers.set(("probe", name), self._gear.clock() + pause_ns, lambda now: self._probe(name))

    def _probe(self, name: str) -> None:
        place = self._place(name)
        if place is None:
            self.forget(name)
            return
        uri, flow = place
        number = self._rounds[name] = self._rounds.get(name, 0) + 1
        gear = self._gear
        patience = gear.clock() + PATIENCE_NS
        gear.timers.set(("probe_patience", name), patience, lambda now: self._missed(name, number, "no answer"))
        request = gear.composer.stand_alone("OPTIONS", uri, flow)
        gear.wire.ask(request, flow, lambda outcome: self._heard(name, number, outcome, uri))

    def _place(self, name: str) -> tuple[str, Flow] | None:
        if name in self._trunks:
            access = self._gear.accounts.trunk(name)
            return None if access is None else _trunk_place(access)
        places = self._registrar.places(name) if self._registrar is not None else []
        return places[-1] if places else None

    def _heard(self, name: str, number: int, outcome: Outcome, contact: str) -> None:
        if number != self._rounds.get(name):
            return
        if not isinstance(outcome, Response) or (name in self._trunks and outcome.status in (408, 503)):
            self._missed(name, number, "not reachable")
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
        self._told(name, False, why)
        self._later(name, self._pause_ns(name))

    def _told(self, name: str, reachable: bool, why: str) -> None:
        if self._reachable.get(name) is reachable:
            return
        self._reachable[name] = reachable
        log.info("probed", name=name, reachable=reachable, reason=why)
        self._gear.listener.probed(name, reachable, why)


def _trunk_place(access: TrunkAccess) -> tuple[str, Flow] | None:
    transport = ";transport=tcp" if access.transport.lower() == "tcp" else ""
    uri = f"sip:{access.host}:{access.port}{transport}"
    flow = flow_of(parse_uri(uri))
    return None if flow is None else (uri, flow)
