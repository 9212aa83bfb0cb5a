"""One leg in the RTP front: from its outer sockets to pjsua2's loopback port and back. Runs on the front's thread only.

What arrives and passes the gate is captured with its true arrival time; only what is fresh is heard. What a dead
predecessor left unread in the socket is evidence, but would delay the conversation.
"""

import contextlib
import socket
from collections.abc import Callable

from callserver.media import rtcp
from callserver.media.call_worker.capture import Tape
from callserver.media.call_worker.errors import told_errors
from callserver.media.call_worker.inner_codec import INNER_PAYLOAD_TYPES
from callserver.media.capture_format import DTMF, LATE
from callserver.media.capture_format import Kind as Record
from callserver.media.dtmf import Events, Sending
from callserver.media.hearing import Hearing
from callserver.media.protocol import Deaf, Digit, DigitsGone, Learned, LegCounts, Place, Report, Silent, Sounding, Strange
from callserver.media.rtp import MS, SECOND, Gate, Kind, Line, Packet, is_rtcp

FRESH_NS = 80 * MS
SILENT_NS = 1_000 * MS  # since the last accepted packet
NEVER_SOUNDED_NS = 2_000 * MS  # since the leg was placed
STRANGE_EVERY_NS = SECOND
RTCP_EVERY_NS = 5 * SECOND

ENGINE_GRACE_NS = 600 * MS  # a placed leg has that long until the engine must have sent its first packet
ENGINE_STALE_NS = 300 * MS


class FrontLeg:
    """A placed leg. `report` takes messages for the switchboard and may be called from any thread."""

    def __init__(
        self,
        place: Place,
        outer: socket.socket,
        outer_rtcp: socket.socket,
        tape: Tape,
        report: Callable[[Report], None],
        now_ns: int,
    ) -> None:
        self.place, self.outer, self.outer_rtcp, self.tape, self.report = place, outer, outer_rtcp, tape, report
        self.inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inner.setblocking(False)
        self.inner.bind(("127.0.0.1", 0))
        self.gate = Gate(place.codec, place.source, (place.remote_host, place.remote_port), place.source_host, now_ns)
        self.line = Line(place.continuity)
        self.events = Events()
        self.sending = Sending()
        self.hearing = Hearing(place.continuity.ssrc)
        self.also: tuple[str, int] | None = None  # where it is sent to besides
        self.from_engine = 0
        self.placed_ns = self.engine_ns = now_ns
        self.heard_ns = now_ns
        self.sounding: bool | None = None  # None: not yet known
        self._engine_there = False
        self._strange_count, self._strange_what, self._strange_told_ns = 0, "", now_ns - STRANGE_EVERY_NS
        self._foreign = False
        self._rtcp_due_ns = now_ns + SECOND

    # ---- orders ----------------------------------------------------------------------------------------------

    def update(self, place: Place, now_ns: int) -> None:
        """A new answer for a leg that is there. Its RTP line stays what it was."""
        if place.receive and not self.place.receive:
            self.heard_ns, self.placed_ns = now_ns, now_ns
        if place.codec != self.place.codec:
            self._engine_there = False
            self.placed_ns = now_ns
        target = self.gate.target
        self.gate.update(place.codec, place.source, (place.remote_host, place.remote_port), place.source_host, now_ns)
        if self.gate.target != target or place.send is not self.place.send:
            self.hearing.begin(self.line.sent)
            self.also = None
        self.place = place

    def send_digits(self, digits: str, length_ms: int, gap_ms: int, now_ns: int) -> None:
        """Send keys, in the place of sound."""
        if self.place.codec.dtmf_payload_type < 0:
            self.report(DigitsGone(self.place.leg, digits, "the device agreed to no telephone-events"))
        elif not self.place.send:
            self.report(DigitsGone(self.place.leg, digits, "the device does not want to hear anything now"))
        else:
            self.sending.put(digits, length_ms, gap_ms, now_ns)

    def connect(self, engine: tuple[str, int]) -> None:
        """The inner leg is up, pjsua2's RTP port is `engine`; packets of others are not taken from now on."""
        self.inner.connect(engine)
        self.line.restart()
        self._engine_there = True

    def close(self) -> None:
        """Give up the sockets; those outside live on in the supervisor."""
        for sock in (self.outer, self.outer_rtcp, self.inner):
            sock.close()

    # ---- packets ---------------------------------------------------------------------------------------------

    def from_outside(self, datagram: bytes, address: tuple[str, int], arrived_ns: int, now_ns: int) -> None:
        """One datagram of the outer RTP socket."""
        verdict = self.gate.judge(datagram, address, arrived_ns)
        if verdict.kind is Kind.REFUSED:
            self._strange(verdict.why, now_ns, verdict.foreign)
        elif verdict.kind is Kind.RTCP:
            self.rtcp(datagram, address)
        if verdict.packet is None:
            return
        if verdict.learned:
            self.report(Learned(self.place.leg, address[0], address[1]))
        late = now_ns - arrived_ns >= FRESH_NS
        dtmf = verdict.kind is Kind.DTMF
        self.tape.put(arrived_ns, Record.IN, datagram, (LATE if late else 0) | (DTMF if dtmf else 0))
        self.heard_ns = max(self.heard_ns, arrived_ns)
        if not self.sounding and now_ns - arrived_ns < SILENT_NS and self.place.receive:
            self.sounding = True
            self.report(Sounding(self.place.leg))
        if dtmf:
            self._digits(self.events.feed(verdict.packet.payload, verdict.packet.timestamp, now_ns))
        elif not late and self.place.receive and self._engine_there:
            self._inwards(verdict.packet)

    def _inwards(self, packet: Packet) -> None:
        """Written anew: no CSRC, extension or padding of a stranger's making reaches native code."""
        kind = INNER_PAYLOAD_TYPES[self.place.codec.name] | (0x80 if packet.marker else 0)
        head = b"\x80" + kind.to_bytes() + packet.sequence.to_bytes(2) + packet.timestamp.to_bytes(4) + packet.ssrc.to_bytes(4)
        try:
            self.inner.send(head + packet.payload)
        except (BlockingIOError, ConnectionError):
            return  # its port is gone: no packets come from it either, which `engine_alive` shows

    def outwards(self, datagram: bytes, now_ns: int) -> None:
        """One datagram of pjsua2's. Its RTCP ends here."""
        if not self._engine_there or len(datagram) < 12 or is_rtcp(datagram):
            return
        self.from_engine += 1
        self.engine_ns = now_ns
        host, port = self.gate.target
        if not self.place.send or not port or host in ("", "0.0.0.0"):
            return
        codec = self.place.codec
        packet = self.line.rewrite(datagram, codec, now_ns)
        event = self.sending.packet(self.line.timestamp, codec.ptime_ms, codec.clock_hz, now_ns)
        if event is not None:
            packet = self.line.as_event(packet, codec.dtmf_payload_type, event)
        try:
            self._send(packet, (host, port), now_ns)
        except OSError as fault:
            self._strange(f"cannot send to {host}:{port}: {fault.strerror}", now_ns)
            self.hearing.refused(f"nothing can be sent to {host}:{port}: {fault.strerror}", now_ns)
            return
        if self.also is not None:
            with contextlib.suppress(OSError):
                self.outer.sendto(packet, self.also)
        self.tape.put(now_ns, Record.OUT, packet, 0 if event is None else DTMF)
        for digits in self.sending.gone():
            self.report(DigitsGone(self.place.leg, digits))

    def _send(self, packet: bytes, target: tuple[str, int], now_ns: int) -> None:
        """Once more where the kernel only used the call to tell of an error of an earlier packet."""
        try:
            self.outer.sendto(packet, target)
        except OSError:
            self.read_errors(now_ns)
            self.outer.sendto(packet, target)

    def read_errors(self, now_ns: int) -> None:
        """What the network said of packets that we sent; only of those to the device's address, the rest is old or made up."""
        for address, why in told_errors(self.outer):
            if address == self.gate.target:
                self.hearing.refused(f"{why} at {address[0]}:{address[1]}", now_ns)

    def rtcp(self, datagram: bytes, address: tuple[str, int]) -> None:
        """RTCP of the device; of its host, for its port is its own affair. It ends here."""
        if self.place.send and address[0] == self.gate.target[0]:
            self.hearing.reported(datagram, self.line.sent, self.line.sequence)

    # ---- time ------------------------------------------------------------------------------------------------

    def tick(self, now_ns: int, utc_ns: int) -> None:
        """Every 50 ms or so, after the packets that were waiting."""
        self._look_for_silence(now_ns)
        self._digits(self.events.overdue(now_ns))
        for digits in self.sending.overdue(now_ns):
            self.report(DigitsGone(self.place.leg, digits, "no sound goes out to the device, nor can keys"))
        self._look_for_hearing(now_ns)
        if self._strange_count and now_ns - self._strange_told_ns >= STRANGE_EVERY_NS:
            self._tell_strange(now_ns)
        if now_ns >= self._rtcp_due_ns:
            self._rtcp_due_ns = now_ns + RTCP_EVERY_NS
            self._report_rtcp(utc_ns)

    def _look_for_silence(self, now_ns: int) -> None:
        if not self.place.receive or self.sounding is False:
            return
        limit = SILENT_NS if self.sounding else NEVER_SOUNDED_NS
        silent_ns = now_ns - (self.heard_ns if self.sounding else self.placed_ns)
        if silent_ns >= limit:
            self.sounding = False
            self.report(Silent(self.place.leg, silent_ns // MS))

    def _look_for_hearing(self, now_ns: int) -> None:
        change = self.hearing.look(now_ns)
        if change is not None:
            self.report(Deaf(self.place.leg, change.why, change.reported))
        if change is not None and change.why:
            self._try_other(change.reported, now_ns)

    def _try_other(self, reported: bool, now_ns: int) -> None:
        """A device that is wrong about itself must not lose its sound by this: upon its word alone it is sent to twice."""
        if reported and self.gate.other is not None:
            self.also = self.gate.other
        elif reported or not self.gate.turn_target():
            return
        self.hearing.begin_anew(self.line.sent, now_ns)

    def _digits(self, digits: list[str]) -> None:
        for digit in digits:
            self.report(Digit(self.place.leg, digit))

    def _strange(self, what: str, now_ns: int, foreign: bool = False) -> None:
        self._strange_count += 1
        self._strange_what, self._foreign = what, foreign
        if now_ns - self._strange_told_ns >= STRANGE_EVERY_NS:
            self._tell_strange(now_ns)

    def _tell_strange(self, now_ns: int) -> None:
        self.report(Strange(self.place.leg, self._strange_what, self._strange_count, self._foreign))
        self._strange_count, self._strange_told_ns = 0, now_ns

    def _report_rtcp(self, utc_ns: int) -> None:
        host, port = self.gate.target
        if not port or host in ("", "0.0.0.0"):
            return
        sock, to = (self.outer, port) if self.place.rtcp_mux else (self.outer_rtcp, port + 1)
        try:
            sock.sendto(rtcp.compound(self.line, self.gate, utc_ns), (host, to))
        except OSError:
            return  # a report more or less; RTP itself tells when an address cannot be reached

    # ---- what it shows ---------------------------------------------------------------------------------------

    def engine_alive(self, now_ns: int) -> bool:
        """Whether pjsua2's packets for this leg flow, or need not flow yet."""
        return now_ns - self.engine_ns < ENGINE_STALE_NS or now_ns - self.placed_ns < ENGINE_GRACE_NS

    def counts(self) -> LegCounts:
        """Since it was placed."""
        gate = self.gate
        return LegCounts(self.place.leg, gate.received, gate.refused, self.line.sent, self.from_engine, self.tape.dropped)
