"""Turns what the edge and the workers tell into the core's events. Nothing is decided here.

An end of a service code's leg stays with the codes.
"""

from collections.abc import Callable

import structlog

from callserver.core import events
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId, call_of_leg
from callserver.core.termination import of_leg
from callserver.runtime.accounts import Accounts
from callserver.runtime.seats import Seats
from callserver.runtime.service_codes import ServiceCodes
from callserver.runtime.signals import Signals
from callserver.runtime.sound import Sound
from callserver.sip.interface import RemoteMedia

log = structlog.get_logger()


class EdgeTelling:
    """Implements `sip.interface.Listener`."""

    def __init__(
        self, post: Callable[[events.Event], None], accounts: Accounts, fresh_incident: Callable[[], IncidentId]
    ) -> None:
        self.post, self.accounts, self.fresh_incident = post, accounts, fresh_incident
        self.lost_in_restart: set[LegId] = set()  # whose end the core was told of before their dialogs ended
        self.sound: Sound
        self.end_leg: Callable[[str, int, str], None]
        self.codes: ServiceCodes
        self.seats: Seats
        self.signals: Signals
        self.softphones: dict[str, str] = {}  # operator -> contact, of those that are registered
        self.doubt: Callable[[str], None]

    def pressed(self, dialog: str, point: str, has_sdp: bool, button: str) -> None:
        """See sip.interface.Listener."""
        log.info("press", point=point, dialog=dialog, button=button)
        self.post(events.Pressed(PointId(point), dialog, self.fresh_incident(), button))

    def code_dialled(self, dialog: str, user: str, code: str) -> None:
        """See sip.interface.Listener."""
        self.post(events.CodeDialled(OperatorId(user), code, dialog))

    def rang(self, leg: str) -> None:
        """See sip.interface.Listener."""
        self.post(events.LegRang(LegId(leg)))

    def answered(self, leg: str, remote: RemoteMedia) -> None:
        """See sip.interface.Listener."""
        self.sound.agreed(leg, remote)
        self.post(events.LegAnswered(LegId(leg)))

    def changed(self, leg: str, remote: RemoteMedia) -> None:
        """See sip.interface.Listener. A device that will not receive any more was put on hold by its own button."""
        sound = self.sound.legs.get(leg)
        received = sound is None or sound.remote is None or sound.remote.device_receives
        self.sound.agreed(leg, remote)
        if received != remote.device_receives and not self.codes.owns(leg):
            self.post(events.DeviceHeld(LegId(leg), received))

    def ended(self, leg: str, status: int, by_party: bool, was_up: bool, reason: str) -> None:
        """See sip.interface.Listener."""
        if self.codes.owns(leg):
            self.codes.ended(leg)
            return
        self.sound.remove(leg)
        if leg in self.lost_in_restart:
            self.lost_in_restart.discard(LegId(leg))
            return
        self.post(events.LegEnded(LegId(leg), of_leg(status, by_party, was_up, reason)))

    def digit(self, leg: str, digit: str) -> None:
        """See sip.interface.Listener; RFC 4733 digits come here too, from the workers."""
        if not self.codes.owns(leg):
            self.post(events.DigitPressed(LegId(leg), digit))

    def bound(self, user: str, contact: str) -> None:
        """See sip.interface.Listener."""
        if self.accounts.role(user) == "point":
            self.post(events.PointReached(PointId(user)))
        if self.accounts.role(user) != "operator":
            return
        self.softphones[user] = contact
        if not self.seats.serves(user):
            self.post(events.SeatBound(OperatorId(user), contact))

    def unbound(self, user: str, why: str) -> None:
        """See sip.interface.Listener."""
        self.softphones.pop(user, None)
        if self.accounts.role(user) == "point":
            self.post(events.PointLost(PointId(user), why))
        if self.accounts.role(user) != "operator":
            return
        if not self.seats.serves(user):
            self.post(events.SeatUnbound(OperatorId(user), why))

    def probed(self, user: str, reachable: bool, why: str) -> None:
        """See sip.interface.Listener."""
        if self.accounts.trunk(user) is not None:
            self.post(events.TrunkReached(user) if reachable else events.TrunkLost(user, why))
        elif reachable:
            self.bound(user, why)
        else:
            self.unbound(user, why)

    # ---- from the workers -----------------------------------------------------------------------------------

    def worker_lost(self, call: str, why: str) -> None:
        """A call's worker died or was ended for hanging."""
        log.warning("worker.lost", call=call, why=why)
        if self.codes.owns(call):
            self.sound.close(call)
            return
        self.post(events.WorkerLost(CallId(call), why))

    def unheard(self, leg: str, why: str) -> None:
        """No worker carries a leg: it ends, and the core does what it does when a leg is lost."""
        log.error("leg.unheard", leg=leg, why=why)
        self.trouble(f"sound:{call_of_leg(LegId(leg))}", f"the leg {leg} had to be ended: {why}", False)
        if LegId(leg) in self.seats.live_legs():
            self.seats.end(LegId(leg), why)
        else:
            self.end_leg(leg, 500, why)

    def silent(self, leg: str, for_ms: int) -> None:
        """No RTP from a leg: is its device still there? Told again every ten seconds while it lasts."""
        if LegId(leg) not in self.seats.live_legs():  # a browser's silence is judged by its seat
            self.doubt(leg)
        if not self.codes.owns(leg):
            self.post(events.LineSilent(LegId(leg), for_ms))

    def sounding(self, leg: str) -> None:
        """RTP from a leg (again)."""
        if not self.codes.owns(leg):
            self.post(events.LineSounding(LegId(leg)))

    def one_way(self, leg: str, side: str, why: str, reported: bool) -> None:
        """A leg's sound goes one way only, or (without a reason) both ways again. A browser's is judged by its seat."""
        if not self.codes.owns(leg) and LegId(leg) not in self.seats.live_legs():
            if why:
                log.warning("leg.one_way", leg=leg, side=side, why=why)
            self.post(events.OneWay(LegId(leg), side, why, reported) if why else events.OneWayOver(LegId(leg), side))

    def placed(self, leg: str) -> None:
        """A leg's sound runs: a page may say so."""
        self.seats.placed(leg)

    def digits_gone(self, leg: str, digits: str, why: str) -> None:
        """Keys went out to a leg's device, or did not."""
        self.signals.gone(leg, digits, why)

    def trouble(self, key: str, text: str, cleared: bool) -> None:
        """A fault of capture or prompts."""
        self.post(events.ConditionCleared(key) if cleared else events.ConditionRaised(key, text))
