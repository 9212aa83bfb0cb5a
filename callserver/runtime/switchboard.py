"""The only process that decides and the only writer of the journal: SIP edge, core, and the lead of the call workers.

Run by the supervisor as `python -m callserver.runtime.switchboard CONFIG.json UDP TCP ASK NEWS [TLS]` (descriptors). It may die
at any moment: everything it needs to go on lies in the store, the supervisor and the workers; see runtime.recovery.
"""

import asyncio
import itertools
import logging
import secrets
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from callserver import control, logs
from callserver.config import Config, load_json
from callserver.core import facts as f
from callserver.core.effects import Effect
from callserver.core.events import ConditionCleared, ConditionRaised, Event, Noted
from callserver.core.ids import IncidentId
from callserver.core.instant import Instant
from callserver.core.state import State
from callserver.media.urgency import FIRST, rank
from callserver.runtime import supervision
from callserver.runtime.accounts import Accounts
from callserver.runtime.board import Board
from callserver.runtime.clock import Anchor, boottime_ns, no_earlier
from callserver.runtime.commands import Commands
from callserver.runtime.disks_told import DisksTold
from callserver.runtime.dispatcher import Dispatcher
from callserver.runtime.feed_server import FeedServer
from callserver.runtime.first import migrate
from callserver.runtime.handover import handover
from callserver.runtime.levels import Levels
from callserver.runtime.notice_delivery import Delivery
from callserver.runtime.notices import Notices
from callserver.runtime.papers import Papers
from callserver.runtime.perform import Performer
from callserver.runtime.plan_reading import read_apart
from callserver.runtime.plans import PlanRefused, Plans, Reloaded, first_plan
from callserver.runtime.recovery import Recovery
from callserver.runtime.seats import Seats
from callserver.runtime.service_codes import ServiceCodes
from callserver.runtime.sip_certificate import SipCertificate
from callserver.runtime.sip_settings import edge_config
from callserver.runtime.sound import Sound
from callserver.runtime.sound_records import SoundTells
from callserver.runtime.status import status
from callserver.runtime.supervisor_link import SupervisorLink
from callserver.runtime.telling import EdgeTelling
from callserver.runtime.tracing import SoundNow, trace
from callserver.runtime.watchers import Watchers
from callserver.sip.edge import Edge
from callserver.store.engine import open_store
from callserver.store.writer import JournalWriter
from callserver.version import VERSION
from dialplans.model import Plan

# What a predecessor saw and this process will see anew, if it is still so.
STALE_ALARMS = frozenset(
    {"journal", "journal:slow", "journal:holes", "rtp:ports", "internal:core", "internal:order", "internal:beside"}
)
STALE_KINDS = ("control:", "prompt:", "capture:", "sound:")
log = structlog.get_logger()


class Switchboard:
    """See the module."""

    def __init__(self, config: Config, link: SupervisorLink) -> None:
        self.config, self.link = config, link
        self.loop = asyncio.get_running_loop()
        self.stopped = asyncio.Event()
        self.draining = False
        self.started_utc_ns = time.time_ns()
        self.anchor = _first_anchor(link)
        self.run = f"{self.started_utc_ns:x}{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)
        self.writer = self._open_store()
        self.papers = Papers(self.writer, lambda: self.anchor, self.run)
        state, self.folded = self.papers.fold()
        self.anchor = no_earlier(self.anchor, self.papers.last_instant)
        board = Board(lambda: self.anchor, self.started_utc_ns // 1_000_000)
        self.feed = FeedServer(config.storage.feed_socket, board, lambda: self.dispatcher.state, self.run, self._utc_ms)
        self.dispatcher = Dispatcher(
            state, self.papers, self._now, self._perform, self._failed, self._refold, self._watched, self.feed.renewed
        )
        self.plan_loaded = first_plan(config.plan.file, state)
        self.accounts = Accounts(self._plan(state), {}, {}, self._plans_in_use)
        self.plans = self._plan_keeping()
        self._tasks: set[asyncio.Task[None]] = set()
        self.accounts.read(self.writer.engine)
        self.telling = EdgeTelling(self.post, self.accounts, self._fresh_incident)
        told = self.telling
        heard = (told.silent, told.sounding, told.digit)
        tells = SoundTells(told.worker_lost, told.unheard, *heard, told.trouble, told.placed, told.one_way, told.digits_gone)
        self.sound = Sound(link, Path(config.storage.data), lambda: self.anchor, tells)
        self.seats = Seats(link, self.sound, self.post, self.feed.tell, lambda operator: told.softphones.get(operator, ""))
        self.telling.seats = self.feed.seats = self.seats
        self.edge = Edge(edge_config(config), self.accounts, self.papers, self.telling, link, self._now)
        self.certificate = SipCertificate(config, self.edge.secure, self.post, lambda: self.dispatcher.state.alarms)
        codes = ServiceCodes(self.edge, self.sound, lambda: f"{self.run}-{next(self._numbers)}")
        self.telling.sound, self.telling.codes, self.telling.doubt = self.sound, codes, self.edge.doubt
        self.notices = Notices(Delivery(config, self._utc_ns), self.post)
        self.performer = Performer(
            self.edge, self.sound, self.seats, codes, lambda: self.dispatcher.state, self.post, self.notices
        )
        self.telling.signals = self.performer.signals
        self._look_after(board)

    def _look_after(self, board: Board) -> None:
        now = (lambda: self.dispatcher.state, lambda: self.anchor)
        self.levels = Levels(*now, self.feed.show, self.post, self.sound.legs, self.seats.muted)
        self.disks = DisksTold(self.feed.show)
        board.levels, board.disks = self.levels, self.disks
        self.watchers = Watchers(self.loop, self.config, self.sound, self.seats, self.post, self.levels.look)

    # ---- life -------------------------------------------------------------------------------------------------

    async def start(self, udp: socket.socket, tcp: socket.socket, tls: socket.socket | None) -> None:
        """Go on where the predecessor stopped, then take messages."""
        recovery = Recovery(self.dispatcher, self.edge, self.sound, self.seats, self.link, self.papers, self.telling)
        inventory = recovery.restore()
        await recovery.workers_greeted()
        recovery.tell()
        ours = {*self.sound.unwritten.values(), *(["journal"] if self.writer.troubled() else [])}  # told to us, not before us
        for key in sorted(self.dispatcher.state.alarms.keys() - ours):
            if key in STALE_ALARMS or key.startswith(STALE_KINDS) or self._of_nobody(key):
                self.post(ConditionCleared(key))
        self.post(Noted(f.ServerStarted(VERSION, self.folded)))
        self._note_anchor()
        if self.papers.unfit:
            text = f"the journal has holes: {self.papers.unfit} facts did not fit the others; see the log"
            self.post(ConditionRaised("journal:holes", text))
        if self.plan_loaded is not None:
            self.post(self.plan_loaded)
        await self.edge.start(udp, tcp, inventory.connections, tls)  # tells of registered seats, so after the plan
        self.loop.call_soon(recovery.order)
        self.link.listen(self.loop, self._told)
        self.watchers.start()
        asked = (self._status, self._trace, self.reload_accounts, self._reload, self._stop, self._fresh_incident)
        commands = Commands(self.dispatcher.ask, *asked, self.levels.take, self.disks.take, self._handover)
        self.server = control.CommandServer(self.config.storage.control_socket, commands.dispatch)
        try:
            await self.server.start()
            await self.feed.start()
        except OSError as error:  # calls do not need it
            self.post(ConditionRaised("control:socket", f"no console, no commands: {error}"))
        self._run(self.certificate.watch())
        self._run(self.plans.begin(first=self.plan_loaded is not None))
        log.info("switchboard.started", folded=self.folded, legs=len(self.edge.live_legs()), workers=len(self.sound.workers))

    async def serve(self) -> None:
        """Until SIGTERM or a command to stop. Conversations go on in their workers."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, self._stop, True)
        self.loop.add_signal_handler(signal.SIGHUP, self._reload_wanted)
        await self.stopped.wait()
        self.watchers.stop()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.notices.stop()
        await self.server.stop()
        await self.feed.stop()
        await self.edge.stop()
        for worker in [*self.sound.workers.values(), *self.seats.workers.values()]:
            worker.leave()
        self.writer.close()
        log.info("switchboard.stopped")

    def _now(self) -> Instant:
        return self.anchor.now()

    def _utc_ns(self) -> int:
        return self.anchor.utc_of(self.anchor.now())

    def _utc_ms(self) -> int:
        return self._utc_ns() // 1_000_000

    def post(self, event: Event) -> None:
        """An event for the core."""
        self.dispatcher.post(event)

    def _perform(self, order: Effect) -> None:
        self.performer(order)
        if self.draining and not self.dispatcher.state.calls:
            self.stopped.set()

    def _failed(self, order: Effect, why: str) -> None:
        self.performer.failed(order, why)

    def _stop(self, now: bool) -> None:
        self.draining = True
        if now or not self.dispatcher.state.calls:
            self.stopped.set()

    # ---- parts ------------------------------------------------------------------------------------------------

    def _open_store(self) -> JournalWriter:
        data = Path(self.config.storage.data)
        engine = open_store(data)
        migrate(engine)
        engine.dispose()

        def trouble(text: str) -> None:
            self.loop.call_soon_threadsafe(self.post, ConditionRaised("journal", text))

        def recovered() -> None:
            self.loop.call_soon_threadsafe(self.post, ConditionCleared("journal"))

        spool = Path(self.config.storage.spool)
        spool.mkdir(parents=True, exist_ok=True)
        writer = JournalWriter(data, spool=spool / "journal.spool", on_trouble=trouble, on_recovered=recovered)
        writer.start()
        return writer

    def _refold(self) -> State:
        """The state anew from the journal, after an error inside the core left it in doubt."""
        return self.papers.fold()[0]

    def _plan_keeping(self) -> Plans:
        return Plans(
            self.config.plan.file,
            Path(self.config.storage.data),
            lambda: self.dispatcher.state,
            self.dispatcher.ask,
            self.post,
            self._utc_ns,
            read_apart,
        )

    def _plan(self, state: State) -> Plan:
        if self.plan_loaded is not None:
            return self.plan_loaded.plan
        if state.plan_version not in state.plans:
            sys.exit("callserver: no plan was ever loaded; name one with [plan] file")
        return state.plans[state.plan_version]

    def reload_accounts(self) -> None:
        """Read the directory anew; a trunk that refused us may take us now."""
        self.accounts.read(self.writer.engine)
        self.edge.accounts_changed()

    def _fresh_incident(self) -> IncidentId:
        """Readable and unique: UTC date and time, and some randomness."""
        stamp = time.strftime("%y%m%d-%H%M%S", time.gmtime(self._utc_ns() / 1e9))
        return IncidentId(f"{stamp}-{secrets.token_hex(3)}")

    # ---- another plan -------------------------------------------------------------------------------------------

    def _watched(self, facts: Sequence[f.Fact]) -> None:
        self.feed.watched(facts)
        if any(isinstance(fact, f.PlanAdopted) for fact in facts):
            self.loop.call_soon(self._follow_plan)

    def _plans_in_use(self) -> Iterable[Plan]:
        return self.dispatcher.state.plans.values()

    def _follow_plan(self) -> None:
        """What is not the core's follows the plan in force; dialogs under way go on, whoever they are with."""
        state, old = self.dispatcher.state, self.accounts.plan
        plan = state.plans[state.plan_version]
        if plan == old:
            return
        self.accounts.adopt(plan)
        for key in filter(self._of_nobody, state.alarms):
            self.post(ConditionCleared(key))
        before = Accounts(old, {}, {})
        self.edge.plan_changed(lambda user: before.role(user) != self.accounts.role(user))
        self.seats.tell_fit()

    def _of_nobody(self, alarm: str) -> bool:
        """Whether an alarm is about a point or a trunk that no plan has any more."""
        kind, _, name = alarm.partition(":")
        if kind == "trunk":
            return self.accounts.trunk(name) is None
        return kind == "point" and name not in self.accounts.plan.points

    def _reload_wanted(self) -> None:
        """SIGHUP, here or at the supervisor."""
        self._run(self._reload_by_signal())

    async def _reload(self, by: str) -> Reloaded:
        """The certificate's files, and the plan's."""
        await self.certificate.look()
        return await self.plans.reload(by)

    async def _reload_by_signal(self) -> None:
        try:
            await self._reload("root@SIGHUP")
        except PlanRefused as refusal:
            log.error("plan.refused", file=str(self.config.plan.file), faults=refusal.faults)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ran)

    def _ran(self, task: asyncio.Task[None]) -> None:
        """What fails beside the calls takes none of them along."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("beside.failed", error=repr(error))
            self.post(ConditionRaised("internal:beside", f"an internal error beside the calls: {error!r}; see the log"))

    # ---- news and questions -------------------------------------------------------------------------------------

    def _told(self, message: supervision.Message) -> None:
        match message:
            case supervision.WorkerReady():
                (self.seats if message.kind == "seat" else self.sound).worker_ready(message)
            case supervision.Anchored():
                self.anchor = no_earlier(_anchor(message), self.anchor.now())
                self._note_anchor()
                self.feed.renewed()  # what screens were told of times was told by the clock of before
            case supervision.ReloadWanted():
                self._reload_wanted()
            case supervision.AreYouThere():
                self.link.alive(message.number)
            case supervision.ChildTrouble():
                key = f"process:{message.name}"
                self.post(ConditionCleared(key) if message.cleared else ConditionRaised(key, message.text))
            case _:
                log.debug("supervisor.told", message=type(message).__name__)

    def _note_anchor(self) -> None:
        """Every anchor is a fact, once, whoever of several switchboards met it."""
        anchor = self.anchor
        if self.papers.anchored == (anchor.boot, anchor.number):
            return
        self.papers.anchored = (anchor.boot, anchor.number)
        instant = Instant(anchor.boottime_ns + anchor.offset_ns)
        fact = f.ClockAnchored(anchor.number, anchor.boot, anchor.utc_ns, instant, anchor.step_ms)
        self.post(Noted(fact, f"anchor:{anchor.boot}:{anchor.number}"))

    def _status(self) -> dict[str, object]:
        figures = {
            "workers_spare": float(len(self.sound.spares)),
            "workers": float(len(self.sound.workers)),
            "seats": float(len(self.seats.seats)),
            "seats_fit": float(sum(seat.fit for seat in self.seats.seats.values())),
            "journal_lost": float(self.writer.lost()),
            "sip_legs": float(len(self.edge.live_legs())),
            **self.disks.figures(),
        }
        told = status(self.dispatcher.state, self.anchor, VERSION, self.started_utc_ns, figures, self.disks.all())
        return dict(msgspec.to_builtins(told))

    def _handover(self) -> dict[str, object]:
        return dict(msgspec.to_builtins(handover(self.dispatcher.state, self.anchor, self.anchor.now())))

    def _trace(self, of: str) -> list[str]:
        counts = {leg: each for link in self.sound.workers.values() for leg, each in link.counts.items()}
        sound = SoundNow(counts, self.sound.silent_since, self.sound.strange, boottime_ns(), self.sound.one_way.trouble)
        return trace(of, self.dispatcher.state, self.edge, sound, self.anchor)


def _first_anchor(link: SupervisorLink) -> Anchor:
    """The anchor is the first news of every supervisor."""
    link.news.settimeout(5.0)
    received = supervision.receive(link.news)
    link.news.setblocking(False)
    if received is None or not isinstance(received[0].message, supervision.Anchored):
        sys.exit("callserver: the supervisor gave no clock anchor")
    return _anchor(received[0].message)


def _anchor(message: supervision.Anchored) -> Anchor:
    return Anchor(message.number, message.boot, message.boottime_ns, message.utc_ns, message.offset_ns, message.step_ms)


async def run(config: Config, fds: list[int]) -> None:
    """The life of the process."""
    udp, tcp = socket.socket(fileno=fds[0]), socket.socket(fileno=fds[1])
    tls = socket.socket(fileno=fds[4]) if len(fds) > 4 else None
    board = Switchboard(config, SupervisorLink(fds[2], fds[3]))
    await board.start(udp, tcp, tls)
    await board.serve()


def main() -> None:
    """Entry point."""
    rank(FIRST)
    config = load_json(Path(sys.argv[1]).read_text())
    logs.configure(config.log.level, config.log.format)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    asyncio.run(run(config, [int(number) for number in sys.argv[2:]]))


if __name__ == "__main__":
    main()
