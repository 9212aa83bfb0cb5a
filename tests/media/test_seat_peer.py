"""The private names of aiortc, aioice and asyncio that a seat's connection stands on: gone in a new version, this fails first."""

import asyncio
import inspect
from importlib.metadata import version

import aioice.ice
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport

from callserver.media.seat_worker.peer import Peer


async def test_the_private_names_are_there() -> None:
    """As `Peer` uses them; the pins in requirements.lock may only move together with this test."""
    assert version("aiortc") == "1.16.0", "a new aiortc: read its transports again, then change this line"
    gatherer = RTCIceGatherer(iceServers=[])
    dtls = RTCDtlsTransport(RTCIceTransport(gatherer), [RTCCertificate.generateCertificate()])
    assert dtls._rx_srtp is None and dtls._tx_srtp is None
    assert gatherer._connection._nominated == {} and gatherer._connection._protocols == []
    assert list(inspect.signature(aioice.ice.StunProtocol.datagram_received).parameters) == ["self", "data", "addr"]
    assert list(inspect.signature(aioice.ice.get_host_addresses).parameters) == ["use_ipv4", "use_ipv6"]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    try:
        assert all(hasattr(transport, name) for name in ("_sock", "_sock_fd", "_read_ready"))
        assert all(hasattr(loop, name) for name in ("_add_reader", "_remove_reader"))
    finally:
        transport.close()


async def test_an_end_is_told_once() -> None:
    """Whatever notices it first."""
    told: list[str] = []
    peer = Peer(RTCCertificate.generateCertificate(), 1, lambda packet: None, lambda one, why: told.append(why))
    peer.end("first")
    peer.end("second")
    await peer.close()
    assert told == ["first"]
