"""One connection with an operator's browser: ICE, DTLS and SRTP by aiortc and aioice, RTP by ourselves.

The libraries' media side (jitter buffer, codecs, a task and several objects for each packet) is left out: what is decrypted
goes to `heard` at once, in the read callback, and what is sent is encrypted and sent in the caller's turn. This needs private
names of both libraries, so their versions are pinned, and `tests/media/test_seat_peer.py` says so when a name has moved.
No STUN or TURN server is ever asked: candidates are our own addresses.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import aioice.ice
import pylibsrtp
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceParameters, RTCIceTransport

from callserver.media.rtp import is_rtcp
from callserver.media.seat_worker import sdp

CONNECT_WITHIN_S = 8.0
PER_TURN = 64
MAX_DATAGRAM = 2_048
_SRTP_FIRST, _SRTP_LAST = 128, 191  # RFC 7983: the first octet of RTP and RTCP


def confine(loop: asyncio.AbstractEventLoop, addresses: Sequence[str], ports: range) -> None:
    """Have ICE of this process use these addresses of ours alone, and this loop bind its UDP sockets within `ports`.

    An empty range leaves the choice to the kernel. The ports are tried from a random one on.
    """
    original: Callable[..., Any] = loop.create_datagram_endpoint

    async def create(factory: Callable[[], Any], local_addr: tuple[str, int] | None = None, **more: Any) -> Any:
        if not ports or local_addr is None or local_addr[1]:
            return await original(factory, local_addr=local_addr, **more)
        start = secrets.randbelow(len(ports))
        for at in range(len(ports)):
            with contextlib.suppress(OSError):
                return await original(factory, local_addr=(local_addr[0], ports[(start + at) % len(ports)]), **more)
        raise OSError(f"no free UDP port in {ports.start}-{ports.stop - 1} for a browser's sound; widen [seats] ports")

    loop.create_datagram_endpoint = create  # type: ignore[method-assign, assignment]
    setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: list(addresses))  # noqa: B010


class Peer:
    """See the module. `heard` gets RTP packets of the browser, `ended` hears once why the connection is over.

    An `idle` peer is not woken by packets: they are read when `turn` is called, and of those that came only the last is
    decrypted, which proves the page as well as all would. That is a tenth of the work of listening.
    """

    def __init__(
        self, certificate: RTCCertificate, ssrc: int, heard: Callable[[bytes], None], ended: Callable[["Peer", str], None]
    ) -> None:
        self._ssrc, self._heard, self._ended = ssrc, heard, ended
        self._gatherer = RTCIceGatherer(iceServers=[])  # None would ask a public server
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._connection: Any = self._gatherer._connection
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._idle = self._paused = False
        self._last = b""
        self.connected = False

    async def answer(self, offer: sdp.Offer) -> str:
        """Our SDP; the connection is then made in the background."""
        await self._gatherer.gather()
        local = self._gatherer.getLocalParameters()
        fingerprints = self._dtls.getLocalParameters().fingerprints
        ours = sdp.Ours(
            ufrag=local.usernameFragment or "",
            password=local.password or "",
            fingerprint=next(one.value for one in fingerprints if one.algorithm == "sha-256"),
            candidates=tuple(candidate.to_sdp() for candidate in self._connection.local_candidates),
            ssrc=self._ssrc,
        )
        for protocol in self._connection._protocols:
            self._short_cut(protocol)
        if not ours.candidates:
            raise ValueError("no address of ours can be used for a browser's sound; see [seats] addresses and ports")
        self._task = asyncio.get_running_loop().create_task(self._connect(offer))
        return sdp.answer(offer, ours)

    async def _connect(self, offer: sdp.Offer) -> None:
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                theirs = [aioice.Candidate.from_sdp(candidate) for candidate in offer.candidates]
                if all(one.host.startswith("127.") for one in self._connection.local_candidates):
                    theirs = [one for one in theirs if one.host.startswith("127.")]
                for candidate in theirs:
                    await self._connection.add_remote_candidate(candidate)
                if theirs:
                    await self._connection.add_remote_candidate(None)
                await self._ice.start(RTCIceParameters(usernameFragment=offer.ufrag, password=offer.password))
                if self._ice.state != "completed":
                    self.end("no way from the browser to this machine was found (ICE)")
                    return
                await self._dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", offer.fingerprint)]))
        except TimeoutError:
            self.end(f"the browser could not be connected within {CONNECT_WITHIN_S:.0f} s")
            return
        except (ValueError, ConnectionError, OSError) as error:
            self.end(f"the browser could not be connected: {error}")
            return
        if self._dtls.state != "connected":
            self.end("the browser's keys could not be agreed (DTLS)")
            return
        self.connected = True
        self._pause(self._idle)
        self._dtls.on("statechange", self._changed)
        self._ice.on("statechange", self._changed)

    def _changed(self) -> None:
        if self._dtls.state in ("closed", "failed") or self._ice.state in ("closed", "failed"):
            self.end("the browser has closed the connection")

    def _short_cut(self, protocol: Any) -> None:
        """Take SRTP out of the read callback, past STUN parser, queue and task; everything else goes the old way."""
        old: Callable[[bytes, tuple[str, int]], None] = protocol.datagram_received

        def received(data: bytes, address: tuple[str, int]) -> None:
            if data and _SRTP_FIRST <= data[0] <= _SRTP_LAST:
                self._received(data)
            else:
                old(data, address)

        protocol.datagram_received = received

    def _received(self, data: bytes) -> None:
        if is_rtcp(data):
            return  # a report, which tells nothing that we act upon
        if self._paused:
            self._last = data
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        inbound = self._dtls._rx_srtp
        if inbound is None:
            return
        try:
            packet = inbound.unprotect(data)
        except pylibsrtp.Error:
            return  # forged, or repeated
        self._heard(packet)

    # ---- idle or not -----------------------------------------------------------------------------------------

    def idle(self, idle: bool) -> None:
        """Whether nobody listens to the browser; packets are then read by `turn` alone."""
        self._idle = idle
        self._pause(idle and self.connected)

    def _pause(self, paused: bool) -> None:
        if paused == self._paused:
            return
        if not paused:
            self.turn()
        self._paused = paused
        loop: Any = asyncio.get_running_loop()
        for protocol in self._connection._protocols:
            transport = protocol.transport
            if transport.is_closing():
                continue
            if paused:
                loop._remove_reader(transport._sock_fd)
            else:
                loop._add_reader(transport._sock_fd, transport._read_ready)

    def turn(self) -> None:
        """Read what has come to an idle peer."""
        if not self._paused:
            return
        for protocol in list(self._connection._protocols):
            for _ in range(PER_TURN):
                try:
                    data, address = protocol.transport._sock.recvfrom(MAX_DATAGRAM)
                except (BlockingIOError, ConnectionError):
                    break
                protocol.datagram_received(data, address)
        last, self._last = self._last, b""
        if last:
            self._take(last)

    def send(self, packet: bytes) -> None:
        """One RTP packet to the browser; nothing while there is no connection."""
        pair = self._connection._nominated.get(1)
        if self.connected and pair is not None:
            pair.protocol.transport.sendto(self._dtls._tx_srtp.protect(packet), pair.remote_addr)

    def end(self, why: str) -> None:
        """It is over; told once."""
        if not self._over:
            self._pause(False)
            self._over, self.connected = True, False
            self._ended(self, why)

    async def close(self) -> None:
        """Let everything go, without a word to `ended`."""
        self._pause(False)
        self._over, self.connected = True, False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._dtls.stop()
        await self._ice.stop()
