"""Provisional responses that a device acknowledges, because it insists on it (RFC 3262 section 3).

One is open at a time: what follows waits for its PRACK. A 200 waits only for one that held SDP, and never longer than
`PATIENCE_NS`: a person has answered, and a device that acknowledges nothing shall hear that person all the same. For the same
reason a device that lets 64 T1 pass is not refused (RFC 3262 would have it): it gets the rest as any other does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from callserver.sip.gear import MS, Gear
from callserver.sip.leg import Leg
from callserver.sip.protocol.message import Request, Response
from callserver.sip.protocol.reliable import MAX_FIRST_RSEQ, RAck, Repeat1xx
from callserver.sip.protocol.transaction import Send, TimedOut

log = structlog.get_logger(__name__)

PATIENCE_NS = 2_000 * MS


@dataclass(slots=True)
class _Open:
    repeat: Repeat1xx
    rseq: int
    next: list[Callable[[], None]] = field(default_factory=list)


class Reliable:
    """`build` makes a response of a leg with further headers, `put` sends one within the INVITE's transaction."""

    def __init__(
        self,
        gear: Gear,
        build: Callable[[Leg, int, bytes, Sequence[tuple[str, str]]], Response],
        put: Callable[[Leg, Response], None],
    ) -> None:
        self._gear, self._build, self._put = gear, build, put
        self._open: dict[str, _Open] = {}

    def provisional(self, leg: Leg, status: int, body: bytes) -> None:
        """Send it, now or when the one before it is acknowledged."""
        waits_for = self._open.get(leg.id)
        if waits_for is not None:
            waits_for.next = [lambda: self.provisional(leg, status, body)]
            return
        if not leg.reliable:
            self._put(leg, self._build(leg, status, body, []))
            return
        if not leg.offer:
            return  # the first reliable response would have to hold our offer, and there is no sound to offer yet (RFC 3262 5)
        leg.rseq = leg.rseq + 1 if leg.rseq else 1 + self._gear.composer.number(MAX_FIRST_RSEQ)
        leg.unacknowledged.append(leg.rseq)
        response = self._build(leg, status, body, [("Require", "100rel"), ("RSeq", str(leg.rseq))])
        leg.last_response = response.to_bytes()
        self._begin(leg, response)
        self._gear.keep(leg, lambda: self._first(leg))

    def resume(self, leg: Leg, response: Response) -> None:
        """After a restart: one without PRACK goes out again under its number."""
        self._begin(leg, response)
        self._first(leg)

    def _begin(self, leg: Leg, response: Response) -> None:
        self._open[leg.id] = _Open(Repeat1xx(response, self._gear.clock()), leg.rseq)

    def _first(self, leg: Leg) -> None:
        known = self._open.get(leg.id)
        if known is not None:
            self._put(leg, known.repeat.response)
            self._arm(leg, known)

    def _arm(self, leg: Leg, known: _Open) -> None:
        self._gear.timers.set(("reliable", leg.id), known.repeat.next_deadline(), lambda now: self._repeat(leg, now))

    def _repeat(self, leg: Leg, now: int) -> None:
        known = self._open.get(leg.id)
        if known is None:
            return
        for output in known.repeat.timer(now):
            if isinstance(output, Send):
                self._put(leg, known.repeat.response)
            elif isinstance(output, TimedOut):
                log.warning("no_prack", leg=leg.id)
                leg.reliable = False
                self._go_on(leg)
                return
        self._arm(leg, known)

    def _go_on(self, leg: Leg) -> None:
        known = self._open.get(leg.id)
        self.stop(leg)
        for action in known.next if known is not None else ():
            action()

    def before_success(self, leg: Leg, then: Callable[[], None]) -> None:
        """`then` sends the 2xx: at once, unless SDP of ours is without its PRACK (RFC 3262 3)."""
        known = self._open.get(leg.id)
        if known is None or not known.repeat.response.body:
            self.stop(leg)
            then()
            return
        known.next = [then]
        due = self._gear.clock() + PATIENCE_NS
        self._gear.timers.set(("patience", leg.id), due, lambda now: self._go_on(leg))

    def matches(self, leg: Leg, rack: RAck, invite: Request) -> bool:
        """Whether a PRACK is for a response of ours that has none yet."""
        return rack.rseq in leg.unacknowledged and (rack.cseq, rack.method) == (invite.cseq.number, "INVITE")

    def acknowledged(self, leg: Leg, rack: RAck) -> None:
        """A PRACK that matches: no more of it, and what waited goes on."""
        leg.unacknowledged.remove(rack.rseq)
        known = self._open.get(leg.id)
        if known is not None and known.rseq == rack.rseq:
            self._go_on(leg)

    def stop(self, leg: Leg) -> None:
        """The INVITE has its final response, or is about to."""
        self._open.pop(leg.id, None)
        for key in ("reliable", "patience"):
            self._gear.timers.clear((key, leg.id))
