"""The call worker's control: carries out the switchboard's orders by its engine, front and capture, and reports.

A worker never decides. Control thread: connection, orders, beats, time. Engine thread: pjsua2. Front thread: packets.
Writer thread: captures. They reach each other by `submit`, `do`, `put` and `report` only, none of which waits.
"""

import os
import select
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pjsua2 as pj

from callserver.media.call_worker.capture import CaptureWriter
from callserver.media.call_worker.clock import boottime_ns
from callserver.media.call_worker.engine import Engine, why_of
from callserver.media.call_worker.front_leg import FrontLeg
from callserver.media.call_worker.link import Link
from callserver.media.call_worker.placing import note_of, unfit
from callserver.media.call_worker.rtp_front import RtpFront
from callserver.media.call_worker.sip_leg import InnerRefused
from callserver.media.capture_format import Header, Kind
from callserver.media.protocol import (
    MOST_LEGS,
    VERSION,
    Beat,
    Close,
    Closed,
    DigitsGone,
    Hello,
    Message,
    Open,
    Opened,
    Place,
    Placed,
    PromptMissing,
    Refused,
    Remove,
    Removed,
    Report,
    SendDigits,
    ShapeOrder,
    Strange,
)

SECOND = 1_000_000_000
BEAT_NS = SECOND // 10
LOOK_NS = SECOND
SPARE_ALONE_NS = 60 * SECOND  # a spare that no switchboard has spoken with for so long ends itself
CALL_ALONE_NS = 600 * SECOND  # so does a call without switchboard whose legs have all been silent for so long
SEAL_LIMIT_NS = 600 * SECOND  # a disk that does not take the captures at the end is waited for so long: people make room
FAREWELL_NS = 2 * SECOND  # for the acknowledgement of `Closed`
ENGINE_ERRORS = (pj.Error, InnerRefused, LookupError)


class Worker:
    """One worker's life. `run` returns when it has ended; the process then has nothing more to do."""

    def __init__(self, worker_id: str, listener: socket.socket) -> None:
        self._id, self._path = worker_id, Path(listener.getsockname())
        self._inode = _inode(self._path)
        self._inbox: deque[Callable[[], None]] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._bell, select.EPOLLIN)
        self._link = Link(listener, self._poll, self._hello, self._act)
        self._front = RtpFront()
        self._engine = Engine(lambda name: self._report(PromptMissing(name)))
        self._writer = CaptureWriter(self._report)
        self._open: Open | None = None
        self._legs: dict[str, FrontLeg] = {}
        self._places: dict[str, Place] = {}
        self._captures: list[str] = []
        self._sealing = 0
        self._closing_ns = 0  # since when the call is being closed
        self._ended_ns = 0  # when `Closed` was told
        now_ns = boottime_ns()
        self._connected_ns = now_ns  # when a switchboard was last seen
        self._beat_due_ns = self._look_due_ns = now_ns
        self._excused_ns = 0  # until when the engine's packets may be missing: the host itself had stood still

    # ---- its loop --------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Until the call is over, or a spare is not wanted."""
        for name, body in (("front", self._front.run), ("engine", self._engine.run), ("capture", self._writer.run)):
            Thread(target=body, name=name, daemon=True).start()
        while not self._over():
            wait_ns = self._beat_due_ns - boottime_ns()
            for number, _ in self._poll.poll(max(0.0, wait_ns / SECOND)):
                if number == self._bell:
                    self._read_inbox()
                else:
                    self._link.ready(number)
            self._tick(boottime_ns())
        self._path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Seal the captures and end; from a signal handler or any thread."""
        self._later(self._close)

    def _later(self, step: Callable[[], None]) -> None:
        """Have something done on the control thread."""
        self._inbox.append(step)
        os.eventfd_write(self._bell, 1)

    def _report(self, report: Report) -> None:
        """Tell the switchboard; from any thread."""
        self._later(lambda: self._tell(report))

    def _tell(self, report: Report) -> None:
        if isinstance(report, Strange) and not self._link.connected:
            return  # one a second and leg, of passing interest: not kept for a switchboard that is away
        self._link.report(report)

    def _read_inbox(self) -> None:
        os.eventfd_read(self._bell)
        while self._inbox:
            self._inbox.popleft()()

    def _hello(self, had: int) -> Hello:
        self._writer.tell_again()
        call = self._open.call if self._open else ""
        return Hello(VERSION, had, self._id, os.getpid(), call, tuple(self._legs))

    def _tick(self, now_ns: int) -> None:
        if self._link.connected:
            self._connected_ns = now_ns
        if now_ns < self._beat_due_ns:
            return
        if now_ns - self._beat_due_ns > BEAT_NS:
            self._excused_ns = now_ns + 4 * BEAT_NS
        self._beat_due_ns = max(self._beat_due_ns + BEAT_NS, now_ns)
        self._writer.look(now_ns)
        legs = self._front.legs
        alive = now_ns < self._excused_ns or self._engine_alive(legs, now_ns)
        self._link.beat(Beat(now_ns, alive, tuple(leg.counts() for leg in legs)))

    def _engine_alive(self, legs: tuple[FrontLeg, ...], now_ns: int) -> bool:
        turned_ns = self._engine.turned_ns
        if turned_ns and now_ns - turned_ns > SECOND:
            return False
        return not legs or any(leg.engine_alive(now_ns) for leg in legs)

    def _over(self) -> bool:
        now_ns = boottime_ns()
        if self._ended_ns:
            return not self._link.waiting or now_ns - self._ended_ns > FAREWELL_NS
        if self._closing_ns:
            if not self._sealing or now_ns - self._closing_ns > SEAL_LIMIT_NS:
                self._tell(Closed(self._open.call if self._open else "", tuple(self._captures)))
                self._ended_ns = now_ns
            return False
        if now_ns < self._look_due_ns:
            return False
        self._look_due_ns = now_ns + LOOK_NS
        alone_ns = now_ns - self._connected_ns
        if self._open is None:
            return alone_ns > SPARE_ALONE_NS or _inode(self._path) != self._inode
        if alone_ns > CALL_ALONE_NS and all(now_ns - leg.heard_ns > CALL_ALONE_NS for leg in self._legs.values()):
            self._close()
        return False

    # ---- orders ----------------------------------------------------------------------------------------------

    def _act(self, message: Message, fds: list[int]) -> None:
        if isinstance(message, Place):
            self._place(message, fds)
            return
        for fd in fds:
            socket.close(fd)
        if isinstance(message, Open):
            self._open_call(message)
        elif isinstance(message, ShapeOrder):
            self._shape(message)
        elif isinstance(message, Remove):
            self._remove(message.leg)
        elif isinstance(message, SendDigits):
            self._send_digits(message)
        elif isinstance(message, Close):
            self._close()

    def _open_call(self, order: Open) -> None:
        if self._open is not None or self._closing_ns:
            if self._open is not None and self._open.call == order.call:
                self._engine.submit(lambda: self._report(Opened(order.call)))
            else:
                self._report(Refused("Open", "", "the worker carries another call"))
            return
        self._open = order
        self._in_engine("Open", "", lambda: self._engine.start(order), lambda: self._report(Opened(order.call)))

    def _place(self, place: Place, fds: list[int]) -> None:
        leg = self._legs.get(place.leg)
        before = self._places.get(place.leg)
        sockets = [socket.socket(fileno=fd) for fd in fds]
        why = self._unfit(place, leg is None, len(sockets))
        if why or leg is not None:
            for sock in sockets:
                sock.close()
        if why:
            self._report(Refused("Place", place.leg, why))
            return
        if leg is None:
            leg = self._new_leg(place, sockets[0], sockets[1])
        else:
            self._front.do(lambda: leg.update(place, boottime_ns()))
        self._places[place.leg] = place
        leg.tape.put(boottime_ns(), Kind.NOTE, note_of(place))
        if before is not None and before.codec == place.codec:
            self._engine.submit(lambda: self._report(Placed(place.leg)))
        else:
            self._place_in_engine(leg, place)

    def _place_in_engine(self, leg: FrontLeg, place: Place) -> None:
        inner_port = leg.inner.getsockname()[1]

        def order() -> None:
            address = self._engine.place(place.leg, place.codec, inner_port)
            self._front.do(lambda: leg.connect(address))

        self._in_engine("Place", place.leg, order, lambda: self._report(Placed(place.leg)))

    def _unfit(self, place: Place, new: bool, sockets: int) -> str:
        if self._open is None or self._closing_ns:
            return "no call is open"
        if new and len(self._legs) >= MOST_LEGS:
            return f"the worker has {MOST_LEGS} legs already"
        if new and sockets != 2:
            return f"{sockets} sockets came with the leg, not RTP and RTCP"
        return unfit(place)

    def _new_leg(self, place: Place, outer: socket.socket, outer_rtcp: socket.socket) -> FrontLeg:
        assert self._open is not None
        header = Header(
            call=self._open.call,
            leg=place.leg,
            role=place.role,
            segment=self._open.segment,
            codec=place.codec,
            boot_id=self._open.boot_id,
            anchor_number=self._open.anchor_number,
            anchor_boottime_ns=self._open.anchor_boottime_ns,
            anchor_utc_ns=self._open.anchor_utc_ns,
            worker=self._id,
        )
        tape = self._writer.new_tape(Path(self._open.capture_dir), header)
        leg = FrontLeg(place, outer, outer_rtcp, tape, self._report, boottime_ns())
        self._legs[place.leg] = leg
        self._front.add(leg)
        return leg

    def _shape(self, order: ShapeOrder) -> None:
        if self._open is None:
            self._report(Refused("ShapeOrder", "", "no call is open"))
        else:
            self._in_engine("ShapeOrder", "", lambda: self._engine.shape(order), lambda: None)

    def _send_digits(self, order: SendDigits) -> None:
        leg = self._legs.get(order.leg)
        if leg is None:
            self._report(DigitsGone(order.leg, order.digits, "the call's sound does not have this leg"))
        else:
            self._front.do(lambda: leg.send_digits(order.digits, order.length_ms, order.gap_ms, boottime_ns()))

    def _remove(self, name: str) -> None:
        leg = self._legs.pop(name, None)
        self._places.pop(name, None)
        if leg is None:
            self._report(Removed(name))
            return
        self._sealing += 1
        sealed = lambda: self._later(lambda: self._sealed(leg))  # noqa: E731
        self._in_engine(
            "Remove",
            name,
            lambda: self._engine.remove(name),
            lambda: self._front.drop(leg, lambda: self._writer.seal(leg.tape, sealed)),
        )

    def _sealed(self, leg: FrontLeg) -> None:
        self._sealing -= 1
        self._captures.append(leg.tape.name)
        self._tell(Removed(leg.place.leg))

    def _close(self) -> None:
        if not self._closing_ns:
            self._closing_ns = boottime_ns()
            for name in list(self._legs):
                self._remove(name)

    def _in_engine(self, name: str, leg: str, order: Callable[[], None], then: Callable[[], None]) -> None:
        """`order` on the engine's thread and `then` after it; what the library refuses is told, and the worker goes on."""

        def guarded() -> None:
            try:
                order()
            except ENGINE_ERRORS as fault:
                self._report(Refused(name, leg, why_of(fault)))
                if name == "Place":
                    self._later(lambda: self._remove(leg))
                if name != "Remove":
                    return
            then()

        self._engine.submit(guarded)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
