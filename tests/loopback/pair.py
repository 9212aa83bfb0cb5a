"""An operator and a point at telephones of their own, ready for a press."""

from tests.conftest import Peers
from tests.eventually import eventually
from tests.loopback.service import Service
from tests.peers.baresip import Baresip


async def pair(service: Service, peers: Peers, operator_hz: float = 1000.0, point_hz: float = 440.0) -> tuple[Baresip, Baresip]:
    """`op1`, who is on duty, and `p1`, both registered; each answers when it is told to, and then sounds its tone."""
    operator = peers.baresip("op1", password="secret-op1", hz=operator_hz, server=service.server, answer="manual").start()
    point = peers.baresip("p1", password="secret-p1", hz=point_hz, server=service.server, answer="manual").start()
    await eventually(point.registered, 10)
    await eventually(lambda: any(fact["operator"] == "op1" for fact in service.journal("SeatChanged")), 10)
    return operator, point
