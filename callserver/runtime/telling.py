"""Turns what the edge and the workers tell into the core's events. Nothing is decided here.

The edge's `ended(status, by_party, was_up)` becomes a `Termination`; an end of a service code's leg stays with the codes.
"""

from collections.abc import Callable

import structlog

from callserver.core import events
from callserver.core.ids import CallId, IncidentId, LegId, OperatorId, PointId
from callserver.core.termination import By, Class, Termination, from_status
from callserver.runtime.accounts import Accounts
from callserver.runtime.service_codes import ServiceCodes
from callserver.runtime.sound import Sound
from callserver.sip.interface import RemoteMedia

log = structlog.get_logger()


def verdict(status: int, by_party: bool, was_up: bool, reason: str) -> Termination:
    """Why a leg's dialog ended, as the core has it."""
    by = By.PARTY if by_party else By.US
    if was_up and status in (408, 481, 503):
        return Termination(Class.LOST, by, reason or "the line was lost", status)
    if was_up:
        return Termination(Class.NORMAL, by, reason or "hung up", status)
    if status == 487 or (not by_party and status >= 400):
        return Termination(Class.CANCELLED, by, reason or "cancelled", status)
    return from_status(status, reason or f"status {status}")


class EdgeTelling:
    """Implements `sip.interface.Listener`."""

    def __init__(
        self, post: Callable[[events.Event], None], accounts: Accounts, fresh_incident: Callable[[], IncidentId]
    ) -> None:
        self.post, self.accounts, self.fresh_incident = post, accounts, fresh_incident
        self.sound: Sound
        self.codes: ServiceCodes

    def pressed(self, dialog: str, point: str, has_sdp: bool) -> None:
        """See sip.interface.Listener."""
        log.info("press", point=point, dialog=dialog)
        self.post(events.Pressed(PointId(point), dialog, self.fresh_incident()))

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
        """See sip.interface.Listener."""
        self.sound.agreed(leg, remote)

    def ended(self, leg: str, status: int, by_party: bool, was_up: bool, reason: str) -> None:
        """See sip.interface.Listener."""
        if self.codes.owns(leg):
            self.codes.ended(leg)
            return
        self.sound.remove(leg)
        self.post(events.LegEnded(LegId(leg), verdict(status, by_party, was_up, reason)))

    def digit(self, leg: str, digit: str) -> None:
        """See sip.interface.Listener; RFC 4733 digits come here too, from the workers."""
        if not self.codes.owns(leg):
            self.post(events.DigitPressed(LegId(leg), digit))

    def bound(self, user: str, contact: str) -> None:
        """See sip.interface.Listener."""
        if self.accounts.role(user) == "operator":
            self.post(events.SeatBound(OperatorId(user), contact))
        else:
            self.post(events.PointReached(PointId(user)))

    def unbound(self, user: str, why: str) -> None:
        """See sip.interface.Listener."""
        if self.accounts.role(user) == "operator":
            self.post(events.SeatUnbound(OperatorId(user), why))
        else:
            self.post(events.PointLost(PointId(user), why))

    def probed(self, user: str, reachable: bool, why: str) -> None:
        """See sip.interface.Listener."""
        if user in self.accounts.plan.trunks:
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

    def silent(self, leg: str, for_ms: int) -> None:
        """No RTP from a leg."""
        if not self.codes.owns(leg):
            self.post(events.LineSilent(LegId(leg), for_ms))

    def sounding(self, leg: str) -> None:
        """RTP from a leg (again)."""
        if not self.codes.owns(leg):
            self.post(events.LineSounding(LegId(leg)))

    def trouble(self, key: str, text: str, cleared: bool) -> None:
        """A fault of capture or prompts."""
        self.post(events.ConditionCleared(key) if cleared else events.ConditionRaised(key, text))
