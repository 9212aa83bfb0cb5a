"""Lines whose sound goes one way only, as the workers' reports and counts show them; what is seen is told to the core.

    out     a worker says that the leg's device does not hear us (`Deaf`)
    in      what arrives at a silent leg is refused for the address that it comes from (`Strange`)
    engine  a worker makes no sound for one leg, while it does for others: its own fault, so it is replaced

A worker that makes no sound at all is known by its beats (`worker_link`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from callserver.core.one_way import IN, OUT
from callserver.media import protocol

AGAIN_NS = 10_000_000_000
STILL_NS = 2_000_000_000  # longer than any change of a leg's codec takes
MOST_STILL = 2  # workers that one leg may cost


@dataclass(slots=True)
class Made:
    """What the worker has made for a leg so far, since when it stands still, and how many workers that has cost."""

    packets: int
    since_ns: int
    cost: int = 0


class OneWaySound:
    """See the module. `tell` takes leg, side, why, and whether the device reports it; an empty reason means that it is over."""

    def __init__(self, tell: Callable[[str, str, str, bool], None]) -> None:
        self._tell = tell
        self.trouble: dict[tuple[str, str], str] = {}  # (leg, side) -> why
        self._told_ns: dict[str, int] = {}
        self._made: dict[str, Made] = {}

    def deaf(self, told: protocol.Deaf) -> None:
        """A worker's word on whether a device hears us; it says when it is to be told again."""
        self._say(told.leg, OUT, told.why, told.reported)

    def strange(self, told: protocol.Strange, silent: bool, now_ns: int) -> None:
        """Packets were refused: the leg's own, where nothing else comes from it."""
        if told.foreign and silent and now_ns - self._told_ns.get(told.leg, -AGAIN_NS) >= AGAIN_NS:
            self._told_ns[told.leg] = now_ns
            self._say(told.leg, IN, told.what)

    def sounding(self, leg: str) -> None:
        """Its packets are taken."""
        self._told_ns.pop(leg, None)
        self._say(leg, IN, "")

    def carried_anew(self, leg: str) -> None:
        """Another worker carries it, which knows nothing of its device; it will say so soon if it is still deaf."""
        self._say(leg, OUT, "")

    def _say(self, leg: str, side: str, why: str, reported: bool = False) -> None:
        """That something is over is told even if it was not known here: a predecessor may have told of it."""
        if why:
            self.trouble[leg, side] = why
        else:
            self.trouble.pop((leg, side), None)
        self._tell(leg, side, why, reported)

    def still(self, counts: Mapping[str, protocol.LegCounts], now_ns: int) -> str | None:
        """A leg for which this worker has made nothing for too long, while it did for others; the caller replaces the worker."""
        moving = False
        stalled = None
        for leg, count in counts.items():
            made = self._made.get(leg)
            if made is None or count.from_engine != made.packets:
                self._made[leg] = Made(count.from_engine, now_ns, made.cost if made is not None else 0)
                moving = True
            elif now_ns - made.since_ns >= STILL_NS and made.cost < MOST_STILL:
                stalled = leg
        if stalled is None or not moving:
            return None
        made = self._made[stalled]
        made.since_ns, made.cost = now_ns, made.cost + 1
        return stalled

    def forget(self, leg: str) -> None:
        """The leg is over."""
        self._made.pop(leg, None)
        self._told_ns.pop(leg, None)
        for side in (IN, OUT):
            self.trouble.pop((leg, side), None)
