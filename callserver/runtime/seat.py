"""One browser seat as the switchboard holds it: its page, its worker, its legs."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from callserver.runtime.seat_fitness import Signs
from callserver.runtime.worker_link import WorkerLink
from callserver.sip.interface import LocalMedia, RemoteMedia

RINGING, UP = "ringing", "up"


class LegNote(msgspec.Struct, frozen=True):
    """What a seat worker keeps of a leg for a switchboard that comes anew."""

    leg: str
    call: str
    local: LocalMedia


@dataclass(slots=True)
class SeatLeg:
    """A leg at a seat: it rings there, or is talked."""

    leg: str
    call: str
    state: str
    local: LocalMedia
    ring: dict[str, Any] = field(default_factory=dict)  # the message that makes it ring
    since_ns: int = 0
    shown: bool = False  # the page has said that it rings

    def note(self) -> str:
        """For the seat worker."""
        return msgspec.json.encode(LegNote(self.leg, self.call, self.local)).decode()


@dataclass(slots=True)
class Seat:
    """See the module. `lost_call` is what was talked here when the seat was lost, at `lost_ns`."""

    id: str
    operator: str
    link: WorkerLink | None = None
    signs: Signs = field(default_factory=Signs)
    legs: dict[str, SeatLeg] = field(default_factory=dict)
    fit: bool = False
    why: str = ""
    offer: tuple[int, str] | None = None  # an SDP offer that waits for a worker
    offered_ns: int = 0  # when the page offered a connection last
    lost_call: str = ""
    lost_ns: int = 0
    muted: bool = False  # by the operator at the page: what comes is silence, and is meant to be

    @property
    def busy(self) -> bool:
        """Whether a call rings or is talked here."""
        return bool(self.legs)

    @property
    def talks(self) -> list[SeatLeg]:
        """The legs that are up."""
        return [leg for leg in self.legs.values() if leg.state == UP]


def remote_of(link: WorkerLink) -> RemoteMedia:
    """Where a seat worker takes a leg's RTP, as media that were agreed: G.722 on loopback, RTCP on the same port."""
    assert link.hello is not None
    return RemoteMedia(
        host="127.0.0.1",
        rtp_port=link.hello.rtp_port,
        codec="G722",
        payload_type=9,
        ptime_ms=20,
        dtmf_payload_type=-1,
        device_sends=True,
        device_receives=True,
        rtcp_mux=True,
        source_host="127.0.0.1",
    )
