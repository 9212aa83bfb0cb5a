"""The audio side of all calls as the switchboard leads it: which leg has which sockets, which worker carries which call.

It decides nothing: it keeps what a replacement worker must be told (agreed media, RTP line, the last shape) and passes
orders on. A call gets its worker with the first leg that is placed; when no spare is left its orders wait for the next one, and
the supervisor is asked again and again.

A worker that is lost before it carried anything, or that refuses to carry, is replaced like any other; after MOST_FAILURES of
them in a row an alarm rings and the next is tried each AGAIN_NS only. A leg that MOST_REFUSALS workers refused ends.
"""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from callserver.core.shape import Shape
from callserver.media import protocol
from callserver.runtime import supervision
from callserver.runtime.clock import Anchor, boottime_ns
from callserver.runtime.one_way import OneWaySound
from callserver.runtime.sound_records import CallSound, LegSound, SoundTells
from callserver.runtime.supervisor_link import SupervisorLink
from callserver.runtime.tracing import StrangeSound
from callserver.runtime.worker_link import WorkerLink
from callserver.runtime.worker_orders import call_of, open_order, place_order, shape_order
from callserver.sip.interface import LocalMedia, RemoteMedia

WIDEBAND_HZ, NARROWBAND_HZ = 16_000, 8_000
LONG_SILENCE_NS = 10_000_000_000
ASK_AGAIN_NS = 1_000_000_000
WANTED_ALARM_NS = 3_000_000_000
MOST_FAILURES = 3
MOST_REFUSALS = 2
AGAIN_NS = 2_000_000_000
log = structlog.get_logger()


class Sound:
    """See the module."""

    def __init__(self, supervisor: SupervisorLink, data_dir: Path, anchor: Callable[[], Anchor], tells: SoundTells) -> None:
        self.supervisor, self.data_dir, self.anchor, self.tells = supervisor, data_dir, anchor, tells
        self.legs: dict[str, LegSound] = {}
        self.calls: dict[str, CallSound] = {}
        self.workers: dict[str, WorkerLink] = {}
        self.spares: dict[str, WorkerLink] = {}
        self.missing_prompts: dict[str, Path] = {}
        self.silent_since: dict[str, int] = {}  # leg -> boottime ns; told again each LONG_SILENCE_NS that it lasts
        self.strange = StrangeSound.none()
        self.one_way = OneWaySound(tells.one_way)
        self.unwritten: dict[str, str] = {}  # workers that cannot write their captures: the alarm's key
        self.settled = True  # False while a restart is still finding out which legs live

    # ---- legs -------------------------------------------------------------------------------------------------

    def open_leg(self, leg: str, role: str, source: str, inside: bool = False) -> LocalMedia:
        """Bind the leg's sockets, on loopback if `inside`, and choose its RTP line. Raises OSError when there is no port left."""
        known = self.legs.get(leg)
        if known is not None:
            return known.local
        sockets = self.supervisor.open_sockets(leg, inside)
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
        elif sound.wanted:
            self.place(leg, sound.wanted)

    def place(self, leg: str, language: str) -> None:
        """Have the call's worker carry this leg, as soon as media is agreed."""
        sound = self.legs.get(leg)
        if sound is None or sound.placed:
            return
        sound.wanted = language
        if sound.remote is None:
            return
        call = self.calls.setdefault(call_of(leg), CallSound(call_of(leg), language))
        if sum(1 for _ in self._placed(call)) >= protocol.MOST_LEGS:
            self.tells.unheard(
                leg, f"a call carries {protocol.MOST_LEGS} parties"
            )  # asked, each worker would refuse and be replaced
            return
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
        self.one_way.forget(leg)
        if sound is None:
            return
        sound.sockets.close()
        self.supervisor.close_sockets(leg)
        call = self.calls.get(call_of(leg))
        if not sound.placed or call is None:
            return
        if call.worker is not None:
            call.worker.send(protocol.Remove(leg))
        if not any(self._placed(call)):
            self._release(call)

    def _placed(self, call: CallSound) -> Iterator[LegSound]:
        return (leg for leg in self.legs.values() if leg.placed and call_of(leg.leg) == call.call)

    # ---- calls ------------------------------------------------------------------------------------------------

    def shape(self, call: str, shape: Shape) -> None:
        """Make the call sound like this."""
        sound = self.calls.get(call)
        if sound is None:
            return
        sound.shape = shape
        if sound.worker is not None:
            sound.worker.send(shape_order(shape))

    def revive(self, call: str, shape: Shape) -> None:
        """Another worker for the call, on the same sockets."""
        sound = self.calls.get(call)
        if sound is None:
            return
        sound.shape, sound.again_ns = shape, 0
        self._dismiss(sound)
        if any(self._placed(sound)):
            self._give_worker(sound)

    def revive_later(self, call: str, why: str) -> None:
        """A successor could not be given now: the call's loss is told again."""
        sound = self.calls.get(call)
        if sound is not None:
            self._await_next(sound, why)

    def replace_worker(self, call: str, why: str) -> None:
        """The call's worker is of no use any more: that is told as its loss."""
        sound = self.calls.get(call)
        if sound is not None:
            self._lost(sound, why)

    def _dismiss(self, call: CallSound) -> None:
        """A worker that may live but is not wanted: its end is final before a successor reads."""
        worker, call.worker = call.worker, None
        if worker is not None:
            worker.call = ""
            worker.kill()

    def close(self, call: str) -> None:
        """The call is over: the worker seals its captures and ends."""
        sound = self.calls.get(call)
        for leg in [leg for leg in self.legs if call_of(leg) == call]:
            self.remove(leg)
        self.calls.pop(call, None)
        if sound is not None:
            self._release(sound)
            self.tells.trouble(f"sound:{call}", "", True)

    def _release(self, call: CallSound) -> None:
        """The call has nobody to hear any more, for good or until the next leg: its worker seals the captures and ends."""
        call.wanted_ns = call.again_ns = call.failures = 0
        worker, call.worker = call.worker, None
        if worker is not None:
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
        """Look for workers that hang, calls that have none, and lines long silent; called every 50 ms."""
        for link in list(self.workers.values()):
            link.check()
        now_ns = boottime_ns()
        for call in list(self.calls.values()):
            self._watch_call(call, now_ns)
        for leg, since_ns in list(self.silent_since.items()):
            if now_ns - since_ns >= LONG_SILENCE_NS:
                self.silent_since[leg] = now_ns  # again while it lasts: a muted device may vanish later
                self.tells.silent(leg, (now_ns - since_ns) // 1_000_000)
        self.supervisor.flush()

    def _watch_call(self, call: CallSound, now_ns: int) -> None:
        counts = call.worker.counts if call.worker is not None else {}
        still = self.one_way.still({leg: known for leg, known in counts.items() if leg in self.legs}, now_ns)
        if still is not None:
            self._lost(call, f"it made no sound for {still}")
        if call.again_ns and now_ns >= call.again_ns:
            call.again_ns = 0
            self.tells.worker_lost(call.call, "the next worker is tried")
        if call.wanted_ns and now_ns - call.asked_ns >= ASK_AGAIN_NS:
            call.asked_ns = now_ns
            self.supervisor.need_worker()
            if now_ns - call.wanted_ns >= WANTED_ALARM_NS:
                self.tells.trouble(f"sound:{call.call}", "no call worker can be had; nobody hears anything", False)

    def _lost(self, call: CallSound, why: str) -> None:
        """Its worker is gone, or no good."""
        self._dismiss(call)
        call.failures = 0 if call.carried else call.failures + 1
        if call.failures < MOST_FAILURES:
            self.tells.worker_lost(call.call, why)
        else:
            self._await_next(call, why)

    def _await_next(self, call: CallSound, why: str) -> None:
        call.again_ns = boottime_ns() + AGAIN_NS
        self.tells.trouble(f"sound:{call.call}", f"no worker carries the call: {why}", False)

    def _refused(self, link: WorkerLink, refusal: protocol.Refused) -> None:
        log.error("worker.refused", worker=link.id, call=link.call, leg=refusal.leg, order=refusal.order, why=refusal.why)
        call = self.calls.get(link.call)
        if call is None or call.worker is not link or refusal.order not in ("Open", "Place"):
            return
        leg = self.legs.get(refusal.leg)
        if leg is not None:
            leg.refusals += 1
            if leg.refusals >= MOST_REFUSALS:
                self.tells.unheard(leg.leg, f"no worker carries it: {refusal.why}")
                return
        if not call.again_ns:
            self._lost(call, f"it refused {refusal.order}: {refusal.why}")

    def _has_placed(self, link: WorkerLink, leg: str) -> None:
        call = self.calls.get(link.call)
        if call is None or call.worker is not link:
            return
        if leg in self.legs:
            self.legs[leg].refusals = 0
            self.tells.placed(leg)
        if not call.carried:
            call.carried, call.failures = True, 0
            self.tells.trouble(f"sound:{call.call}", "", True)

    def _give_worker(self, call: CallSound) -> None:
        spare = next(iter(self.spares.values()), None)
        if spare is None:
            if not call.wanted_ns:
                call.wanted_ns = call.asked_ns = boottime_ns()
                self.supervisor.need_worker()
            return
        del self.spares[spare.id]
        call.wanted_ns, call.carried = 0, False
        call.worker, spare.call = spare, call.call
        self.supervisor.take_worker(spare.id)
        now_ns = boottime_ns()
        spare.send(open_order(call.call, call.rate_hz, call.language, self.data_dir, self.anchor(), now_ns))
        for leg in self._placed(call):
            self._place(leg)
            self.one_way.carried_anew(leg.leg)
        spare.send(shape_order(call.shape))

    def _place(self, leg: LegSound) -> None:
        call = self.calls.get(call_of(leg.leg))
        remote = leg.remote
        if call is None or call.worker is None or remote is None:
            return
        order = place_order(leg.leg, leg.role, leg.source, leg.local, remote, leg.learned)
        call.worker.send(order, (leg.sockets.rtp.fileno(), leg.sockets.rtcp.fileno()))

    def _gone(self, link: WorkerLink, why: str) -> None:
        self.workers.pop(link.id, None)
        self.spares.pop(link.id, None)
        self._capture_trouble(link, "", True)
        call = self.calls.get(link.call)
        if call is not None and call.worker is link:
            call.worker = None
            self._lost(call, why)

    def _told(self, link: WorkerLink, message: protocol.Message) -> None:
        match message:
            case protocol.Hello():
                self._greeted(link)
            case protocol.Learned():
                self._learned(message)
            case protocol.Silent():
                if message.leg not in self.legs:  # it ended while this was on its way
                    return
                self.silent_since[message.leg] = boottime_ns() - message.for_ms * 1_000_000
                self.tells.silent(message.leg, message.for_ms)
            case protocol.Sounding():
                self.silent_since.pop(message.leg, None)
                self.tells.sounding(message.leg)
                self.one_way.sounding(message.leg)
            case protocol.Deaf() if message.leg in self.legs:
                self.one_way.deaf(message)
            case protocol.Digit():
                self.tells.digit(message.leg, message.digit)
            case protocol.DigitsGone():
                self.tells.digits_gone(message.leg, message.digits, message.why)
            case protocol.CaptureTrouble():
                self._capture_trouble(link, message.what, message.cleared)
            case protocol.PromptMissing():
                self._prompt_missing(link, message.name)
            case protocol.Refused():
                self._refused(link, message)
            case protocol.Placed():
                self._has_placed(link, message.leg)
            case protocol.Strange():
                self.strange.note(message)
                self.one_way.strange(message, message.leg in self.silent_since, boottime_ns())
                log.warning("rtp.strange", leg=message.leg, what=message.what, count=message.count)
            case _:
                log.debug("worker.told", worker=link.id, message=type(message).__name__)

    def _capture_trouble(self, link: WorkerLink, what: str, cleared: bool) -> None:
        """It may outlast the call: what could not be written yet is still in the worker."""
        key = self.unwritten.pop(link.id, f"capture:{link.call or link.id}")
        if not cleared:
            self.unwritten[link.id] = key
        self.tells.trouble(key, what, cleared)

    def _prompt_missing(self, link: WorkerLink, name: str) -> None:
        call = self.calls.get(link.call)
        if call is not None:
            piece, _, language = name.partition("+in:")  # as call_worker.phrases has it
            file = f"{piece.replace(':', '-', 1)}.wav"
            self.missing_prompts[name] = self.data_dir / "prompts" / (language or call.language) / file
            self.tells.trouble(f"prompt:{name}", f"prompt {name} has no file; it is left out, or a tone plays", False)

    def prompt_found(self, name: str) -> None:
        """A missing prompt's file is there now."""
        del self.missing_prompts[name]
        self.tells.trouble(f"prompt:{name}", "", True)

    def _learned(self, message: protocol.Learned) -> None:
        leg = self.legs.get(message.leg)
        if leg is not None:
            leg.learned = (message.host, message.port)

    def _greeted(self, link: WorkerLink) -> None:
        assert link.hello is not None
        if not link.call:
            self.spares[link.id] = link
            wanting = next((call for call in self.calls.values() if call.wanted_ns), None)
            if wanting is not None:
                self._give_worker(wanting)
            return
        call = self.calls.get(link.call)
        if call is None or call.worker not in (None, link):
            link.call = ""
            link.send(protocol.Close())
            return
        call.worker, call.wanted_ns, call.carried = link, 0, bool(link.hello.legs)
        for leg in self._placed(call):
            if leg.leg not in link.hello.legs:
                self._place(leg)
        if self.settled:
            self._remove_unknown(link)
        link.send(shape_order(call.shape))

    def _remove_unknown(self, link: WorkerLink) -> None:
        """Legs that ended while nobody could tell the worker."""
        for name in link.hello.legs if link.hello is not None else ():
            if name not in self.legs:
                link.send(protocol.Remove(name))

    def settle(self) -> None:
        """After a restart: all legs that live are known now, those at browsers too."""
        self.settled = True
        for link in self.workers.values():
            if link.call:
                self._remove_unknown(link)
