"""A leg that is up and silent is asked whether it is still there: OPTIONS inside the dialog (RFC 3261 section 11).

A device that was unplugged sends no BYE. Silence alone proves nothing (mute, hold, silence suppression), so it only makes us ask;
no answer, 481 or 408 (RFC 5057 section 5.1) ends the leg as lost. Any other answer proves it alive. A device that came by TLS
cannot be asked while its connection is gone, perhaps only because our process was replaced: it has a while to come back.
"""

from callserver.sip.endings import Endings
from callserver.sip.gear import MS, Gear
from callserver.sip.leg import Leg, Phase
from callserver.sip.protocol.message import Response
from callserver.sip.wire import Outcome

PATIENCE_NS = 5_000 * MS  # over UDP the request went out four times by then
BACK_WITHIN_NS = 90_000 * MS  # telephones by TLS connect again when they renew their registration
_GONE = frozenset({408, 481})


class Doubt:
    """See the module."""

    def __init__(self, gear: Gear, endings: Endings) -> None:
        self._gear, self._endings = gear, endings
        self._asked: set[str] = set()
        self._cut_off: dict[str, int] = {}  # since when a leg's connection is missed

    def ask(self, leg: Leg) -> None:
        """Ask the leg's device, unless it is being asked."""
        if leg.phase is not Phase.UP or leg.dialog is None or leg.flow is None or leg.id in self._asked:
            return
        gear, flow = self._gear, leg.flow
        if flow.kind == "tls" and not flow.name and not gear.wire.reaches(flow):
            self._wait_for(leg)
            return
        self._cut_off.pop(leg.id, None)
        via = gear.composer.via(flow.kind, gear.composer.branch())
        leg.dialog, request = leg.dialog.next_request("OPTIONS", via)
        self._asked.add(leg.id)
        gear.timers.set(("doubt", leg.id), gear.clock() + PATIENCE_NS, lambda now: self._gone(leg, 408))

        def send() -> None:
            gear.wire.ask(request, flow, lambda outcome: self._heard(leg, outcome))

        gear.keep(leg, send)

    def _wait_for(self, leg: Leg) -> None:
        now, legs = self._gear.clock(), self._gear.legs
        if leg.id not in self._cut_off:
            self._cut_off = {known: since for known, since in self._cut_off.items() if legs.get(known) is not None}
        if now - self._cut_off.setdefault(leg.id, now) >= BACK_WITHIN_NS:
            self._gone(leg, 408)

    def _heard(self, leg: Leg, outcome: Outcome) -> None:
        if leg.id not in self._asked or (isinstance(outcome, Response) and outcome.status < 200):
            return
        status = outcome.status if isinstance(outcome, Response) else 408
        if status in _GONE:
            self._gone(leg, status)
        else:
            self._settle(leg)

    def _settle(self, leg: Leg) -> None:
        self._asked.discard(leg.id)
        self._gear.timers.clear(("doubt", leg.id))

    def _gone(self, leg: Leg, status: int) -> None:
        self._settle(leg)
        self._cut_off.pop(leg.id, None)
        if leg.phase is not Phase.UP:
            return
        self._endings.lost(leg, status, "the device does not answer any more")
