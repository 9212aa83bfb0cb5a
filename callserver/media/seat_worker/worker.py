"""The seat worker: one operator's browser for a whole shift, connected and warm. Carries out orders and reports; never decides.

One thread, one event loop. Between browser and leg it carries G.722 as it is: the bridge's own jitter buffer and gap filling
(native, capped) do their work in the call worker, as for every leg, so that a seat costs little and adds next to no delay.
To the call worker a seat is an RTP peer like any other: its leg is captured, watched and rescued as a telephone's is.
A switchboard that is replaced finds the seat and its legs in `Hello`.
"""

import asyncio
import os
import secrets
import select
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate

from callserver.media.call_worker.clock import boottime_ns
from callserver.media.call_worker.link import Link
from callserver.media.protocol import (
    VERSION,
    Beat,
    Close,
    Closed,
    Continuity,
    Hello,
    LegCounts,
    Message,
    Refused,
    Report,
    SeatAnswer,
    SeatConnect,
    SeatDisconnect,
    SeatHeard,
    SeatOffer,
    SeatOpen,
    SeatSilent,
)
from callserver.media.rtp import SECOND
from callserver.media.seat_worker import sdp
from callserver.media.seat_worker.peer import Peer
from callserver.media.seat_worker.relay import PTIME_MS, Hearing, Inwards, Outwards

TICK_S = PTIME_MS / 1000
BEAT_TICKS = 10  # a beat each 200 ms; a switchboard waits more than twice as long
SPARE_ALONE_NS = 60 * SECOND  # a spare that no switchboard has spoken with for so long ends itself
SEAT_ALONE_NS = 600 * SECOND  # so does a seat without switchboard whose browser was silent for so long
FAREWELL_S = 2.0
PER_TURN = 16  # datagrams of a leg before others have their turn


class SeatWorker:
    """One worker's life: `run` returns when it has ended."""

    def __init__(self, worker_id: str, listener: socket.socket) -> None:
        self._id, self._path = worker_id, Path(listener.getsockname())
        self._loop = asyncio.get_running_loop()
        self._poll = select.epoll()
        self._link = Link(listener, self._poll, self._hello, self._act)
        self._loop.add_reader(self._poll.fileno(), self._link_ready)
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind(("127.0.0.1", 0))
        self._rtp.setblocking(False)
        self._loop.add_reader(self._rtp, self._from_leg)
        now_ns = boottime_ns()
        self._certificate = RTCCertificate.generateCertificate()
        self._browser = _line(now_ns)
        self._inwards, self._outwards, self._hearing = Inwards(_line(now_ns)), Outwards(self._browser), Hearing()
        self._open: SeatOpen | None = None
        self._peer: Peer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._legs: dict[str, SeatConnect] = {}
        self._talking: SeatConnect | None = None
        self._ticks = 0
        self._due_s = self._loop.time()
        self._connected_ns = self._heard_ns = now_ns
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Until the seat is closed, or a spare is not wanted."""
        self._tick()
        await self._over.wait()
        if self._peer is not None:
            await self._peer.close()
        self._path.unlink(missing_ok=True)

    def stop(self) -> None:
        """End; from a signal."""
        self._over.set()

    # ---- its switchboard -------------------------------------------------------------------------------------

    def _link_ready(self) -> None:
        for number, _ in self._poll.poll(0):
            self._link.ready(number)

    def _hello(self, had: int) -> Hello:
        opened = self._open
        return Hello(
            VERSION,
            had,
            self._id,
            os.getpid(),
            legs=tuple(self._legs),
            seat=opened.seat if opened else "",
            operator=opened.operator if opened else "",
            rtp_port=self._rtp.getsockname()[1],
            notes=tuple(leg.note for leg in self._legs.values()),
            heard=self._hearing.heard,
        )

    def _report(self, report: Report) -> None:
        self._link.report(report)

    def _act(self, message: Message, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)
        if isinstance(message, SeatOpen):
            self._open = message
        elif isinstance(message, SeatOffer):
            self._offered(message)
        elif isinstance(message, SeatConnect):
            self._connect(message)
        elif isinstance(message, SeatDisconnect):
            self._disconnect(message.leg)
        elif isinstance(message, Close):
            self._report(Closed("", ()))
            self._loop.call_later(FAREWELL_S, self._over.set)

    def _connect(self, leg: SeatConnect) -> None:
        self._legs[leg.leg] = self._talking = leg
        if self._peer is not None:
            self._peer.idle(False)

    def _disconnect(self, leg: str) -> None:
        self._legs.pop(leg, None)
        if self._talking is not None and self._talking.leg == leg:
            self._talking = next(reversed(self._legs.values()), None)
        if self._peer is not None:
            self._peer.idle(self._talking is None)

    # ---- the browser -----------------------------------------------------------------------------------------

    def _offered(self, message: SeatOffer) -> None:
        self._spawn(self._answer(message))

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: SeatOffer) -> None:
        """A new connection; the old one goes at once, for the page that had it is gone."""
        old, self._peer = self._peer, None
        self._hearing.lost()
        peer = Peer(self._certificate, self._browser.ssrc, self._from_browser, self._ended)
        self._peer = peer
        peer.idle(self._talking is None)
        if old is not None:
            self._spawn(old.close())
        try:
            text = await peer.answer(sdp.parse_offer(message.sdp))
        except (ValueError, OSError) as error:
            self._report(Refused("SeatOffer", "", str(error)))
            return
        if self._peer is peer:  # no newer offer came meanwhile
            self._report(SeatAnswer(message.number, text))

    def _ended(self, peer: Peer, why: str) -> None:
        if peer is self._peer:
            self._hearing.lost()
            self._report(SeatSilent(0, why))

    def _from_browser(self, datagram: bytes) -> None:
        now_ns = boottime_ns()
        packet = self._inwards.packet(datagram, now_ns)
        if packet is None:
            return
        self._heard_ns = now_ns
        if self._hearing.packet(now_ns):
            self._report(SeatHeard())
        if self._talking is not None:
            try:
                self._rtp.sendto(packet, ("127.0.0.1", self._talking.port))
            except (BlockingIOError, ConnectionError):
                return  # the leg is gone, of which we shall be told

    def _from_leg(self) -> None:
        for _ in range(PER_TURN):
            try:
                datagram, address = self._rtp.recvfrom(2_048)
            except (BlockingIOError, ConnectionError):
                return
            if self._talking is None or address != ("127.0.0.1", self._talking.port) or self._peer is None:
                continue
            packet = self._outwards.relay(datagram, boottime_ns())
            if packet is not None:
                self._peer.send(packet)

    # ---- time ------------------------------------------------------------------------------------------------

    def _silence_due(self) -> None:
        """Silence to the browser, where no leg's sound flows."""
        silence = self._outwards.silence(boottime_ns())
        if silence is not None and self._peer is not None:
            self._peer.send(silence)

    def _tick(self) -> None:
        """Each 20 ms in a call; an idle seat turns, is read and sends silence each 200 ms."""
        now_ns = boottime_ns()
        ticks = BEAT_TICKS if self._talking is None else 1
        if self._peer is not None:
            self._peer.turn()
            self._silence_due()
        self._ticks += ticks
        if self._ticks >= BEAT_TICKS:
            self._ticks = 0
            self._look(now_ns)
        self._due_s = max(self._due_s + ticks * TICK_S, self._loop.time() - TICK_S)
        self._loop.call_at(self._due_s, self._tick)

    def _look(self, now_ns: int) -> None:
        silent_ms = self._hearing.silent_ms(now_ns)
        if silent_ms:
            self._report(SeatSilent(silent_ms))
        leg = self._talking.leg if self._talking else self._id
        counts = LegCounts(leg, self._inwards.received, self._inwards.refused, self._outwards.sent, 0, 0)
        self._link.beat(Beat(now_ns, True, (counts,)))
        if self._link.connected:
            self._connected_ns = now_ns
        alone_ns = now_ns - self._connected_ns
        if self._open is None:
            unwanted = alone_ns > SPARE_ALONE_NS or not self._path.exists()
        else:
            unwanted = alone_ns > SEAT_ALONE_NS and now_ns - self._heard_ns > SEAT_ALONE_NS
        if unwanted:
            self._over.set()


def _line(now_ns: int) -> Continuity:
    return Continuity(secrets.randbits(32), secrets.randbits(15), secrets.randbits(31), now_ns)
