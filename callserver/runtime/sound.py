"""The audio side of all calls as the switchboard leads it: which leg has which sockets, which worker carries which call.

It decides nothing: it keeps what a replacement worker must be told (agreed media, RTP line, the last shape) and passes
orders on. A call gets its worker with the first leg that is placed; when no spare is left its orders wait for the next one.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from callserver.core.ids import call_of_leg, incident_of_call
from callserver.core.shape import Shape
from callserver.media import protocol
from callserver.runtime import supervision
from callserver.runtime.clock import Anchor, boottime_ns
from callserver.runtime.supervisor_link import OuterSockets, SupervisorLink
from callserver.runtime.worker_link import WorkerLink
from callserver.sip.interface import LocalMedia, RemoteMedia
from dialplans.model import MediaSource

WIDEBAND_HZ, NARROWBAND_HZ = 16_000, 8_000
LONG_SILENCE_NS = 10_000_000_000
log = structlog.get_logger()


@dataclass(slots=True)
class LegSound:
    """What is known of one leg's audio."""

    leg: str
    role: str
    source: str  # dialplans.model.MediaSource
    sockets: OuterSockets
    local: LocalMedia
    remote: RemoteMedia | None = None
    placed: bool = False
    learned: tuple[str, int] | None = None  # where the device was found to send from, for these media


@dataclass(slots=True)
class CallSound:
    """One call's worker and what it was told last."""

    call: str
    language: str
    worker: WorkerLink | None = None
    rate_hz: int = 0
    shape: Shape = field(default_factory=Shape)
    wants_worker: bool = False


@dataclass(frozen=True, slots=True)
class SoundTells:
    """Where what the workers report goes."""

    worker_lost: Callable[[str, str], None]  # call, why
    silent: Callable[[str, int], None]  # leg, ms
    sounding: Callable[[str], None]
    digit: Callable[[str, str], None]  # leg, digit
    trouble: Callable[[str, str, bool], None]  # key, text, cleared


class Sound:
    """See the module."""

    def __init__(self, supervisor: SupervisorLink, data_dir: Path, anchor: Callable[[], Anchor], tells: SoundTells) -> None:
        self.supervisor, self.data_dir, self.anchor, self.tells = supervisor, data_dir, anchor, tells
        self.legs: dict[str, LegSound] = {}
        self.calls: dict[str, CallSound] = {}
        self.workers: dict[str, WorkerLink] = {}
        self.spares: dict[str, WorkerLink] = {}
        self.silent_since: dict[str, int] = {}  # leg -> boottime ns; told once more when it has lasted LONG_SILENCE_NS

    # ---- legs -------------------------------------------------------------------------------------------------

    def open_leg(self, leg: str, role: str, source: str) -> LocalMedia:
        """Bind the leg's sockets and choose its RTP line. Raises OSError when there is no port left."""
        known = self.legs.get(leg)
        if known is not None:
            return known.local
        sockets = self.supervisor.open_sockets(leg)
        local = LocalMedia(
            host=sockets.host,
            rtp_port=sockets.rtp_port,
            rtcp_port=sockets.rtcp_port,
            ssrc=secrets.randbits(32),
            first_seq=secrets.randbits(15),
            first_timestamp=secrets.randbits(31),
            started_ns=boottime_ns(),
        )
        self.legs[leg] = LegSound(leg, role, source, sockets, local)
        return local

    def restore_leg(self, leg: LegSound) -> None:
        """A leg that outlived the previous switchboard."""
        self.legs[leg.leg] = leg

    def agreed(self, leg: str, remote: RemoteMedia) -> None:
        """Media was agreed, or agreed anew: a placed leg is told at once."""
        sound = self.legs.get(leg)
        if sound is None:
            return
        if sound.remote is not None and (sound.remote.host, sound.remote.rtp_port) != (remote.host, remote.rtp_port):
            sound.learned = None
        sound.remote = remote
        if sound.placed:
            self._place(sound)

    def place(self, leg: str, language: str) -> None:
        """Have the call's worker carry this leg; no effect before media is agreed."""
        sound = self.legs.get(leg)
        if sound is None or sound.remote is None or sound.placed:
            return
        call = self.calls.setdefault(str(call_of_leg_name(leg)), CallSound(str(call_of_leg_name(leg)), language))
        if not call.rate_hz:
            call.rate_hz = WIDEBAND_HZ if sound.remote.codec == "G722" else NARROWBAND_HZ
        sound.placed = True
        if call.worker is None:
            self._give_worker(call)
        else:
            self._place(sound)

    def remove(self, leg: str) -> None:
        """The leg is over: its sound, its sockets."""
        sound = self.legs.pop(leg, None)
        self.silent_since.pop(leg, None)
        if sound is None:
            return
        call = self.calls.get(call_of_leg_name(leg))
        if sound.placed and call is not None and call.worker is not None:
            call.worker.send(protocol.Remove(leg))
            if not any(other.placed and call_of_leg_name(other.leg) == call.call for other in self.legs.values()):
                self._release(call)
        sound.sockets.close()
        self.supervisor.close_sockets(leg)

    # ---- calls ------------------------------------------------------------------------------------------------

    def shape(self, call: str, shape: Shape) -> None:
        """Make the call sound like this."""
        sound = self.calls.get(call)
        if sound is None:
            return
        sound.shape = shape
        if sound.worker is not None:
            sound.worker.send(_shape_order(shape))

    def revive(self, call: str, shape: Shape) -> None:
        """Another worker for the call, on the same sockets."""
        sound = self.calls.get(call)
        if sound is None:
            return
        sound.shape = shape
        if sound.worker is not None:  # the old one lives but is not wanted: its end is final before a successor reads
            old, sound.worker = sound.worker, None
            old.call = ""
            old.kill()
        self._give_worker(sound)

    def close(self, call: str) -> None:
        """The call is over: the worker seals its captures and ends."""
        sound = self.calls.pop(call, None)
        for leg in [leg for leg in self.legs if call_of_leg_name(leg) == call]:
            self.remove(leg)
        if sound is not None and sound.worker is not None:
            self._release(sound)

    def _release(self, call: CallSound) -> None:
        """The call has nobody to hear any more, for good or until the next leg: its worker seals the captures and ends."""
        assert call.worker is not None
        worker, call.worker = call.worker, None
        worker.call = ""
        worker.send(protocol.Close())

    def codecs(self, call: str, preferred: str) -> tuple[str, ...]:
        """What a further leg of this call is offered: wideband only where the bridge is wideband, the point's codec first."""
        sound = self.calls.get(call)
        wide = sound is not None and sound.rate_hz == WIDEBAND_HZ
        known = ("G722", "PCMA", "PCMU") if wide else ("PCMA", "PCMU")
        return tuple(sorted(known, key=lambda name: name != preferred))

    # ---- workers ----------------------------------------------------------------------------------------------

    def worker_ready(self, ready: supervision.WorkerReady) -> None:
        """A worker listens: connect to it."""
        if ready.worker not in self.workers:
            link = WorkerLink(ready.worker, ready.pid, ready.path, self._told, self._gone, boottime_ns)
            self.workers[ready.worker] = link
            link.connect()

    def watch(self) -> None:
        """Look for workers that hang and for lines long silent; called every 50 ms."""
        for link in list(self.workers.values()):
            link.check()
        now_ns = boottime_ns()
        for leg, since_ns in list(self.silent_since.items()):
            if now_ns - since_ns >= LONG_SILENCE_NS:
                self.silent_since[leg] = now_ns
                self.tells.silent(leg, LONG_SILENCE_NS // 1_000_000)

    def _give_worker(self, call: CallSound) -> None:
        spare = next(iter(self.spares.values()), None)
        if spare is None:
            if not call.wants_worker:
                call.wants_worker = True
                self.supervisor.need_worker()
            return
        del self.spares[spare.id]
        call.wants_worker = False
        call.worker, spare.call = spare, call.call
        self.supervisor.take_worker(spare.id)
        anchor = self.anchor()
        spare.send(
            protocol.Open(
                call=call.call,
                rate_hz=call.rate_hz,
                segment=boottime_ns() // 1_000_000,
                capture_dir=str(self.data_dir / "captures" / incident_of_call_name(call.call) / call.call),
                prompts_dir=str(self.data_dir / "prompts"),
                language=call.language,
                boot_id=anchor.boot,
                anchor_number=anchor.number,
                anchor_boottime_ns=anchor.boottime_ns,
                anchor_utc_ns=anchor.utc_ns,
            )
        )
        for leg in self.legs.values():
            if leg.placed and call_of_leg_name(leg.leg) == call.call:
                self._place(leg)
        spare.send(_shape_order(call.shape))

    def _place(self, leg: LegSound) -> None:
        call = self.calls.get(call_of_leg_name(leg.leg))
        remote = leg.remote
        if call is None or call.worker is None or remote is None:
            return
        line = leg.local
        # A successor must not learn again: what waits in the socket may begin with a stranger's packet.
        host, port = leg.learned or (remote.host, remote.rtp_port)
        source = MediaSource.SDP if leg.learned is not None else leg.source
        order = protocol.Place(
            leg=leg.leg,
            role=leg.role,
            codec=protocol.Codec(remote.codec, remote.payload_type, remote.ptime_ms, dtmf_payload_type=remote.dtmf_payload_type),
            remote_host=host,
            remote_port=port,
            source=source,
            source_host=remote.source_host,
            continuity=protocol.Continuity(line.ssrc, line.first_seq, line.first_timestamp, line.started_ns),
            send=remote.device_receives,
            receive=remote.device_sends,
            rtcp_mux=remote.rtcp_mux,
        )
        call.worker.send(order, (leg.sockets.rtp.fileno(), leg.sockets.rtcp.fileno()))

    def _gone(self, link: WorkerLink, why: str) -> None:
        self.workers.pop(link.id, None)
        self.spares.pop(link.id, None)
        call = self.calls.get(link.call)
        if call is not None and call.worker is link:
            call.worker = None
            self.tells.worker_lost(call.call, why)

    def _told(self, link: WorkerLink, message: protocol.Message) -> None:
        match message:
            case protocol.Hello():
                self._greeted(link)
            case protocol.Learned():
                self._learned(message)
            case protocol.Silent():
                self.silent_since[message.leg] = boottime_ns() - message.for_ms * 1_000_000
                self.tells.silent(message.leg, message.for_ms)
            case protocol.Sounding():
                self.silent_since.pop(message.leg, None)
                self.tells.sounding(message.leg)
            case protocol.Digit():
                self.tells.digit(message.leg, message.digit)
            case protocol.CaptureTrouble():
                self.tells.trouble(f"capture:{link.call}", message.what, message.cleared)
            case protocol.PromptMissing():
                self.tells.trouble(f"prompt:{message.name}", f"prompt {message.name} has no file; a tone plays", False)
            case protocol.Refused():
                log.error("worker.refused", worker=link.id, call=link.call, leg=message.leg, order=message.order, why=message.why)
            case protocol.Strange():
                log.warning("rtp.strange", leg=message.leg, what=message.what, count=message.count)
            case _:
                log.debug("worker.told", worker=link.id, message=type(message).__name__)

    def _learned(self, message: protocol.Learned) -> None:
        leg = self.legs.get(message.leg)
        if leg is not None:
            leg.learned = (message.host, message.port)

    def _greeted(self, link: WorkerLink) -> None:
        assert link.hello is not None
        if not link.call:
            self.spares[link.id] = link
            wanting = next((call for call in self.calls.values() if call.wants_worker and call.worker is None), None)
            if wanting is not None:
                self._give_worker(wanting)
            return
        call = self.calls.get(link.call)
        if call is None or call.worker not in (None, link):
            link.call = ""
            link.send(protocol.Close())
            return
        call.worker = link
        for leg in self.legs.values():
            if leg.placed and call_of_leg_name(leg.leg) == call.call and leg.leg not in link.hello.legs:
                self._place(leg)
        link.send(_shape_order(call.shape))


def call_of_leg_name(leg: str) -> str:
    """The call in a leg's id."""
    return call_of_leg(leg)  # type: ignore[arg-type]


def incident_of_call_name(call: str) -> str:
    """The incident in a call's id."""
    return incident_of_call(call)  # type: ignore[arg-type]


def _shape_order(shape: Shape) -> protocol.ShapeOrder:
    prompts = tuple(protocol.PromptOrder(prompt.name, tuple(prompt.to), prompt.every_ms) for prompt in shape.prompts)
    return protocol.ShapeOrder(tuple(shape.talk), prompts)
