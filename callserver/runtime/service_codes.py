"""Answers service codes that an operator's phone dials: a short word or tone says whether it was accepted, then it hangs up.

Such a call belongs to no incident and to no decision, so it lives here only: it is lost with the switchboard, and the phone
dials again.
"""

import asyncio
from collections.abc import Callable

import structlog

from callserver.core.briefing import JOINT
from callserver.core.ids import LegId
from callserver.core.shape import Prompt, Shape
from callserver.runtime.sound import Sound
from callserver.sip.edge import Edge
from dialplans.model import MediaSource

HEARD_S = 2.0
HEARD_THEN_S = 8.0  # with a sentence after it
PREFIX = "service-"
log = structlog.get_logger()


class ServiceCodes:
    """See the module."""

    def __init__(self, edge: Edge, sound: Sound, fresh: Callable[[], str]) -> None:
        self.edge, self.sound, self.fresh = edge, sound, fresh
        self.loop = asyncio.get_running_loop()

    def owns(self, leg: str) -> bool:
        """Whether a leg is one of ours."""
        return leg.startswith(PREFIX)

    def answer(self, dialog: str, accepted: bool, then: str = "") -> None:
        """Answer, play whether it was accepted and what is said then, hang up."""
        call = f"{PREFIX}{self.fresh()}.1"  # fresh also after a restart: a lingering dialog may have its predecessor's
        leg = LegId(f"{call}.1")
        if not self.edge.adopt(dialog, leg):
            return
        try:
            local = self.sound.open_leg(leg, "operator", MediaSource.SDP_HOST)
        except OSError as error:
            log.error("rtp.no_ports", leg=leg, error=str(error))
            self.edge.end(leg, 503, "no media port")
            return
        remote = self.edge.progress(leg, local)
        if remote is None:
            self.edge.end(leg, 488, "an offer is needed")
            return
        self.sound.agreed(leg, remote)
        self.sound.place(leg, "en")
        self.edge.answer(leg)
        said = JOINT.join(("accepted" if accepted else "refused", *((then,) if then else ())))
        self.sound.shape(call, Shape(prompts=(Prompt(said, (leg,)),)))
        self.loop.call_later(HEARD_THEN_S if then else HEARD_S, self._over, leg)

    def ended(self, leg: str) -> None:
        """The phone's dialog is over."""
        self.sound.remove(leg)
        self.sound.close(leg.rpartition(".")[0])

    def _over(self, leg: str) -> None:
        if leg in self.edge.live_legs():
            self.edge.end(leg, 480, "done")
