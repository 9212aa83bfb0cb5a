"""Keys that we send to a device by INFO, one request for each (application/dtmf-relay, as most devices have it).

The next goes when the one before is answered and its pause is over. A key that is refused or not answered ends the row: a
device that took half of it must not take the other half for something else. What is under way is lost with the switchboard.
"""

from collections.abc import Callable
from dataclasses import dataclass

from callserver.sip.gear import MS, Gear
from callserver.sip.leg import Leg, Phase
from callserver.sip.protocol.message import Request, Response
from callserver.sip.protocol.transaction import TimedOut
from callserver.sip.wire import Outcome

RELAY_TYPE = "application/dtmf-relay"
ACK_PAUSE_NS = 50 * MS
ACK_MOST_NS = 2_000 * MS
"""How long the ACK to our 200 is waited for: before it the device has no dialog that an INFO could belong to (RFC 6086)."""

Told = Callable[[str], None]  # "": all of them went out; else why not


@dataclass(slots=True)
class _Row:
    """Keys that are on their way to one leg."""

    left: str
    length_ms: int
    gap_ms: int
    told: Told
    until_ns: int  # for the ACK


class Keypad:
    """See the module."""

    def __init__(self, gear: Gear) -> None:
        self._gear = gear
        self._rows: dict[str, list[_Row]] = {}

    def send(self, leg: Leg, digits: str, length_ms: int, gap_ms: int, told: Told) -> None:
        """Send these after those that are on their way; `told` follows once."""
        rows = self._rows.setdefault(leg.id, [])
        rows.append(_Row(digits, length_ms, gap_ms, told, self._gear.clock() + ACK_MOST_NS))
        if len(rows) == 1:
            self._next(leg)

    def _next(self, leg: Leg) -> None:
        rows = self._rows.get(leg.id)
        if not rows:
            self._rows.pop(leg.id, None)
            return
        row = rows[0]
        if not row.left:
            self._over(leg, "")
        elif leg.phase is Phase.ANSWERING and self._gear.clock() < row.until_ns:
            self._later(leg, ACK_PAUSE_NS)
        elif leg.phase is not Phase.UP or leg.dialog is None or leg.flow is None:
            self._over(leg, "the device's call is not there, or is ending")
        else:
            self._ask(leg, row)

    def _over(self, leg: Leg, why: str) -> None:
        row = self._rows[leg.id].pop(0)
        row.told(why)
        self._next(leg)

    def _later(self, leg: Leg, pause_ns: int) -> None:
        self._gear.timers.set(("keypad", leg.id), self._gear.clock() + pause_ns, lambda now: self._next(leg))

    def _ask(self, leg: Leg, row: _Row) -> None:
        composer, flow = self._gear.composer, leg.flow
        assert leg.dialog is not None and flow is not None, "looked at before"
        body = f"Signal={row.left[0]}\r\nDuration={row.length_ms}\r\n".encode()
        lines = [("Content-Type", RELAY_TYPE)]
        leg.dialog, info = leg.dialog.next_request("INFO", composer.via(flow.kind, composer.branch()), "", lines, body)
        self._gear.keep(leg, lambda: self._send(leg, row, info))

    def _send(self, leg: Leg, row: _Row, info: Request) -> None:
        if leg.phase is Phase.UP and leg.flow is not None:
            self._gear.wire.ask(info, leg.flow, lambda outcome: self._heard(leg, row, outcome))
        else:
            self._over(leg, "the device's call ended meanwhile")

    def _heard(self, leg: Leg, row: _Row, outcome: Outcome) -> None:
        if isinstance(outcome, Response) and outcome.status < 200:
            return
        if isinstance(outcome, Response) and outcome.status < 300:
            row.left = row.left[1:]
            self._later(leg, (row.length_ms + row.gap_ms) * MS if row.left else 0)
            return
        silent = isinstance(outcome, TimedOut)
        said = f"answered {outcome.status} {outcome.reason}".rstrip() if isinstance(outcome, Response) else "cannot be reached"
        self._over(leg, f"the device {'did not answer' if silent else said} to INFO")
