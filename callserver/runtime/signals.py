"""Sends keys to devices as the core orders, among their sound or by INFO, and says what came of them.

A call's end waits for the keys that belong before it, a second at most: a device that does not take them delays nobody.
"""

import asyncio
from collections.abc import Callable

from callserver.core.effects import Keys
from callserver.core.events import DigitsDone, Event
from callserver.core.ids import LegId, call_of_leg
from callserver.media import protocol
from callserver.runtime.sound import Sound
from callserver.sip.edge import Edge

FAREWELL_S = 1.0


class Signals:
    """See the module."""

    def __init__(self, edge: Edge, sound: Sound, post: Callable[[Event], None]) -> None:
        self.edge, self.sound, self.post = edge, sound, post
        self._parting: dict[str, tuple[str, asyncio.TimerHandle, Callable[[], None]]] = {}  # leg -> keys, limit, its end

    def send(self, leg: LegId, keys: Keys) -> None:
        """Send them; `DigitsDone` follows, sooner or later or not at all."""
        if self._by_info(leg, keys):
            self.edge.send_digits(leg, keys.digits, keys.length_ms, keys.gap_ms, lambda why: self.gone(leg, keys.digits, why))
            return
        why = self._to_worker(leg, keys)
        if why:
            self.gone(leg, keys.digits, why)

    def _to_worker(self, leg: LegId, keys: Keys) -> str:
        """Among the sound; why not, or "": then the worker says what came of it."""
        sound, call = self.sound.legs.get(leg), self.sound.calls.get(call_of_leg(leg))
        worker = None if call is None else call.worker
        if sound is None or not sound.placed or worker is None or worker.hello is None:
            return "no sound goes out to the device, nor can keys"
        if worker.hello.version < protocol.SENDS_DIGITS:
            return "the call's process is older than this service"
        worker.send(protocol.SendDigits(leg, keys.digits, keys.length_ms, keys.gap_ms))
        return ""

    def _by_info(self, leg: LegId, keys: Keys) -> bool:
        """As its profile says; a device that agreed to no telephone-events has keys by INFO or not at all."""
        sound = self.sound.legs.get(leg)
        agreed = sound is not None and sound.remote is not None and sound.remote.dtmf_payload_type >= 0
        return keys.by_info or not agreed

    def end(self, leg: LegId, keys: Keys, end: Callable[[], None]) -> None:
        """Send them, then `end`; it does not wait long. Ordered again while that waits, nothing is done again."""
        if leg in self._parting:
            return
        limit = asyncio.get_running_loop().call_later(FAREWELL_S, self._part, leg)
        self._parting[leg] = (keys.digits, limit, end)
        self.send(leg, keys)

    def gone(self, leg: str, digits: str, why: str) -> None:
        """They went out, or did not; from the edge or a worker."""
        self.post(DigitsDone(LegId(leg), digits, why))
        parting = self._parting.get(leg)
        if parting is not None and parting[0] == digits:
            self._part(leg)

    def _part(self, leg: str) -> None:
        _, limit, end = self._parting.pop(leg)
        limit.cancel()
        end()
