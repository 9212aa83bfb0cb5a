"""How a switchboard goes on after its predecessor: what is alive is compared with what the journal says should be.

Outer dialogs come from the store, sockets and workers from the supervisor. Then the core is told, by ordinary events, of
whatever is not alive any more, and orders that may have been lost are given again. There are no rules of recovery besides.
"""

import asyncio

import structlog

from callserver.core.events import LegAnswered, Woken
from callserver.core.ids import CallId, LegId, call_of_leg
from callserver.core.operator import BROWSER
from callserver.core.recovery import orders_outstanding, reconcile
from callserver.core.state import State
from callserver.runtime.dispatcher import Dispatcher
from callserver.runtime.papers import Papers
from callserver.runtime.seat import remote_of
from callserver.runtime.seats import Seats
from callserver.runtime.sound import NARROWBAND_HZ, WIDEBAND_HZ, Sound
from callserver.runtime.sound_records import CallSound, LegSound
from callserver.runtime.supervisor_link import Inventory, OuterSockets, SupervisorLink
from callserver.runtime.telling import EdgeTelling
from callserver.runtime.worker_orders import legs_in
from callserver.sip.edge import Edge
from callserver.sip.interface import LegRecord
from dialplans.model import MediaSource

GREETING_LIMIT_S = 1.0
log = structlog.get_logger()


class Recovery:
    """One restart."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        edge: Edge,
        sound: Sound,
        seats: Seats,
        link: SupervisorLink,
        papers: Papers,
        telling: EdgeTelling,
    ) -> None:
        self.dispatcher, self.edge, self.sound, self.seats = dispatcher, edge, sound, seats
        self.link, self.papers, self.telling = link, papers, telling
        self.records: list[LegRecord] = []
        self.pairs: dict[str, OuterSockets] = {}  # of legs that the edge does not know: a browser's, or nobody's

    def restore(self) -> Inventory:
        """Dialogs into the edge, sockets and media into `Sound`, connections to the workers begun."""
        inventory = self.link.inventory()
        self.sound.settled = False
        records = self.records = self.papers.legs()
        self.edge.restore(records, self.papers.writer.load_bindings())
        state = self.dispatcher.state
        for record in records:
            pair = inventory.pairs.pop(record.leg, None)
            if pair is not None:
                self._restore_sound(record, pair, state)
        self.pairs = inventory.pairs
        for worker in inventory.workers:
            (self.seats if worker.kind == "seat" else self.sound).worker_ready(worker)
        return inventory

    def _restore_seats(self) -> None:
        """The legs of browsers, as their workers have told them; sockets that nobody claims are let go."""
        state = self.dispatcher.state
        for seat_leg, link in self.seats.restored():
            pair = self.pairs.pop(seat_leg.leg, None)
            if pair is None or LegId(seat_leg.leg) not in state.legs:
                if pair is not None:
                    self.pairs[seat_leg.leg] = pair
                self.seats.forget(seat_leg.leg)
                continue
            record = LegRecord(seat_leg.leg, True, seat_leg.local, remote_of(link), b"")
            self.records.append(record)
            self._restore_sound(record, pair, state)
        for leg, pair in self.pairs.items():
            pair.close()
            self.link.close_sockets(leg)
        self.pairs = {}

    def _answered_unseen(self) -> list[LegAnswered]:
        """Legs whose 200 the edge had stored while the core had not heard of it yet."""
        legs = self.dispatcher.state.legs
        unseen = []
        for record in self.records:
            leg = legs.get(LegId(record.leg))
            if record.up and leg is not None and not leg.inbound and leg.state in ("dialling", "ringing"):
                unseen.append(LegAnswered(leg.id))
        return unseen

    def _restore_sound(self, record: LegRecord, pair: OuterSockets, state: State) -> None:
        leg = state.legs.get(LegId(record.leg))
        if leg is None or record.local is None:
            pair.close()
            self.link.close_sockets(record.leg)
            return
        source: str = MediaSource.SDP_HOST
        call = state.calls.get(leg.call)
        incident = state.incidents.get(call.incident) if call is not None else None
        if leg.role == "point" and incident is not None:
            plan = state.plans[incident.plan_version]
            source = plan.profiles[plan.points[incident.point].profile].media_source
        sound = LegSound(record.leg, leg.role, source, pair, record.local, record.remote)
        self.sound.legs[sound.leg] = sound
        if call is None:
            return
        known = self.sound.calls.setdefault(call.id, CallSound(call.id, "en", shape=call.shape))
        if record.remote is not None and not known.rate_hz:
            known.rate_hz = WIDEBAND_HZ if record.remote.codec == "G722" else NARROWBAND_HZ
        sound.placed = record.remote is not None and leg.id in legs_in(call.shape)

    async def workers_greeted(self) -> None:
        """Wait (a few milliseconds) until every worker has said which call it carries, or GREETING_LIMIT_S.

        One that does not say is ended: it may read the sockets of a call that is about to be given to another.
        """
        deadline = asyncio.get_running_loop().time() + GREETING_LIMIT_S
        workers = [*self.sound.workers.values(), *self.seats.workers.values()]
        while asyncio.get_running_loop().time() < deadline and any(worker.hello is None for worker in workers if not worker.dead):
            await asyncio.sleep(0.005)
        for worker in workers:
            if worker.hello is None and not worker.dead:
                log.warning("worker.does_not_greet", worker=worker.id)
                worker.kill()
        self._restore_seats()
        self.sound.settle()

    def _live_legs(self) -> set[LegId]:
        return {LegId(leg) for leg in self.edge.live_legs()} | self.seats.live_legs()

    def tell(self) -> None:
        """Tell the core what is gone. First of all events: one decided earlier might dial what this calls lost."""
        state = self.dispatcher.state
        live_legs = self._live_legs()
        deaf = live_legs & set(state.legs) - {LegId(leg) for leg in self.sound.legs}
        for leg in deaf:  # the supervisor died too: nobody hung up, whatever the end of these dialogs will say
            self.telling.lost_in_restart.add(leg)
            self.edge.end(leg, 480, "its sockets were lost")
        live_legs -= deaf
        workers = {CallId(call.call) for call in self.sound.calls.values() if call.worker is not None}
        carried = {call_of_leg(LegId(leg.leg)) for leg in self.sound.legs.values() if leg.placed}
        without = {CallId(call) for call in state.calls if call not in carried}
        events = reconcile(state, live_legs, workers | without)
        log.info("recovery", events=[type(event).__name__ for event in events], legs=len(live_legs), workers=len(workers))
        for event in [*events, *self._answered_unseen()]:
            self.dispatcher.post(event)
        browsers = [one.id for one in state.operators.values() if one.reachable and one.seat == BROWSER]
        self.seats.tell_lost(browsers)
        self.dispatcher.post(Woken())

    def order(self) -> None:
        """Give the orders again that may have been lost. After the events of `tell` were handled."""
        workers = {CallId(call.call) for call in self.sound.calls.values() if call.worker is not None}
        live_legs = self._live_legs() - self.telling.lost_in_restart
        self.dispatcher.order(orders_outstanding(self.dispatcher.state, live_legs, workers))
